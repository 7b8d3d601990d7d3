"""What the preview engine renders, as pure data; the API process imports this and nothing heavy.

Obeys design §4.24: whatever is not listed is refused at submit.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import kinogate
from kinogate.domain.order import Mode, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME: Final = "preview"

THREADS: Final = 2
"""x264 threads of every render; another number gives other bytes."""

_DECIDING_PACKAGES: Final = ("av", "numpy", "opencv-python-headless", "pillow")

CAPABILITIES: Final[Mapping[Mode, frozenset[Role]]] = {
    Mode.T2V: frozenset({Role.AUDIO}),
    Mode.I2V: frozenset({Role.FIRST_FRAME, Role.AUDIO}),
    Mode.KF2V: frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.AUDIO}),
    Mode.R2V: frozenset(
        {
            Role.FIRST_FRAME,
            Role.REFERENCE_IMAGE,
            Role.REFERENCE_VIDEO,
            Role.REFERENCE_AUDIO,
            Role.VOICE,
            Role.AUDIO,
        }
    ),
    Mode.CLIP: frozenset({Role.FIRST_CLIP, Role.LAST_FRAME, Role.AUDIO}),
    Mode.S2V: frozenset({Role.FIRST_FRAME, Role.AUDIO}),
}
"""Every mode that is rendered, and the inputs it may come with."""

TEMPLATE_MODES: Final = frozenset({Mode.I2V, Mode.KF2V})
"""Modes in which an effect template is rendered; any catalogue name has a motion."""

UNSUPPORTED_FUNCTIONS: Final = frozenset({"video_repainting", "video_edit", "video_outpainting"})
"""Functions of the vace models that change a video's pixels."""


def unsupported(
    mode: Mode,
    function: str | None = None,
    *,
    roles: Iterable[Role] = (),
    template: str | None = None,
) -> str | None:
    """Say why a piece of work cannot be rendered here, or None when it can.

    Args:
        mode: What kind of work it is.
        function: A vace function name, or None.
        roles: The inputs it comes with.
        template: Effect name, or None.

    Returns:
        One sentence for the caller, or None.
    """
    if function in UNSUPPORTED_FUNCTIONS:
        return f"The preview engine does not support the function {function!r}."
    allowed = CAPABILITIES.get(mode)
    if allowed is None:
        return f"The preview engine does not support the work {mode.value!r}."
    foreign = sorted({role.value for role in roles} - {role.value for role in allowed})
    if foreign:
        return f"The preview engine does not use the input {foreign[0]!r} for {mode.value!r}."
    if template is not None and mode not in TEMPLATE_MODES:
        return f"The preview engine does not render effect templates for {mode.value!r}."
    return None


def fingerprint() -> str:
    """Engine, versions and thread count: all that decides a clip's bytes besides the order.

    The kind of processor is left out, although its vector instructions may move a pixel by one.
    """
    versions = " ".join(f"{package}/{version(package)}" for package in _DECIDING_PACKAGES)
    return f"{NAME}/{kinogate.__version__} {versions} threads/{THREADS}"
