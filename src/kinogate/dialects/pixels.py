"""Reading `size` and `resolution`, leniently and alike wherever a dialect puts them.

Spec/dialects.md §0.3: the separators `*`, `x`, `X` and `×` are equal, tiers compare without case.
Whether a model sells what was read is the services' question.
"""

from __future__ import annotations

from kinogate.dialects.members import Members
from kinogate.domain.errors import field_invalid
from kinogate.domain.resolution import Size, Tier, parse_size, parse_tier


def read_size(members: Members, name: str) -> Size | None:
    """An exact size; None when absent.

    Raises:
        CallerError: FIELD_INVALID with the wire path, for anything but two plain numbers.
    """
    text = members.text(name)
    if text is None:
        return None
    size = parse_size(text)
    if size is None:
        raise field_invalid(
            members.path(name), "Must be width and height in pixels, such as 1280*720."
        )
    return size


def read_tier(members: Members, name: str) -> Tier | None:
    """A resolution tier; None when absent.

    Raises:
        CallerError: FIELD_INVALID with the wire path, for anything but a tier.
    """
    text = members.text(name)
    if text is None:
        return None
    tier = parse_tier(text)
    if tier is None:
        raise field_invalid(members.path(name), "Must be 480P, 720P or 1080P.")
    return tier
