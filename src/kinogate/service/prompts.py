"""Prompt extension: the built-in rewriter, deterministic and offline.

It adds craft words (light, lens, motion) in the prompt's own language and never a new subject,
place, time or weather, so that the caller's scene stays the caller's. A chat model can take its
place (`chat_prompts`) and falls back to it.
"""

from __future__ import annotations

import random
import zlib

from kinogate.domain.order import Mode, ShotType
from kinogate.domain.review import Rewritten, Wish

_STILL_EN = (
    "natural, fluid motion",
    "fine detail in every layer",
    "balanced composition with clear depth",
    "soft, believable shading",
    "a calm, cinematic rhythm",
    "clean edges and harmonious colours",
)
_STILL_ZH = (
    "动作自然流畅",
    "层次细腻",
    "构图均衡，纵深分明",
    "明暗过渡柔和",
    "节奏舒缓，富有电影感",
    "色彩和谐",
)
_IMAGE_EN = (
    "keeping the look of the first frame",
    "gentle parallax between near and far",
    "steady, unhurried movement",
)
_IMAGE_ZH = ("保持首帧的画面风格", "前后景之间有轻微的视差", "运动平稳从容")
_MULTI_EN = "told in several shots: an establishing view first, then closer views of the same story"
_MULTI_ZH = "以多个镜头叙述：先交代全景，再逐步靠近同一主体"


BUILTIN = "builtin"
"""Who wrote a prompt that the built-in rewriter made."""

NOBODY = "none"
"""Who wrote a prompt that is the caller's own."""

UPSTREAM = "upstream"
"""Who wrote a prompt that came back from the engine."""


class BuiltinExtender:
    """`extend_prompt` as a port: takes no time and never fails."""

    wants_pictures = False

    async def extend(self, wish: Wish) -> Rewritten:
        """The prompt with craft words; the caller's own when there is nothing to add to."""
        text = extend_prompt(wish.prompt, wish.mode, wish.shot_type)
        if not text:
            return Rewritten(prompt=wish.prompt, by=NOBODY)
        return Rewritten(prompt=text, by=BUILTIN)


def extend_prompt(prompt: str, mode: Mode, shot_type: ShotType) -> str:
    """The prompt with craft words added; the same input always gives the same text.

    Args:
        prompt: The caller's; an empty one stays empty.
        mode: Image modes get words about the given picture.
        shot_type: MULTI adds that the story is told in several shots.
    """
    text = prompt.strip()
    if not text:
        return ""
    is_chinese = any("\u4e00" <= char <= "\u9fff" for char in text)
    from_image = mode is not Mode.T2V
    if is_chinese:
        pool, joint, end = (_IMAGE_ZH if from_image else _STILL_ZH), "，", "。"
    else:
        pool, joint, end = (_IMAGE_EN if from_image else _STILL_EN), ", ", "."
    # Chosen by the text alone: a retry, or another seed, must not change the words.
    choice = random.Random(zlib.crc32(text.encode()))
    words = choice.sample(pool, 2)
    if shot_type is ShotType.MULTI:
        words.append(_MULTI_ZH if is_chinese else _MULTI_EN)
    return text.rstrip(" .。!！?？,，") + joint + joint.join(words) + end
