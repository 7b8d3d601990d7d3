"""How one person looks. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.engines.preview.canvas import Color


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colours and clothes, already in the light of the pose.

    `outfit` is "trousers", "shorts", "dress", "skirt", "coat", "metal" or "fur"; `hair_style` is
    one of `heads.HAIR_STYLES`; `hat` is "", "cap", "beanie", or a head of its own: "helmet",
    "robot", "monkey".
    """

    skin: Color
    hair: Color
    top: Color
    bottom: Color
    shoes: Color
    accent: Color
    outfit: str = "trousers"
    hair_style: str = "short"
    hat: str = ""
    scarf: bool = False
    beard: bool = False
    backpack: bool = False
    cheeks: bool = True
