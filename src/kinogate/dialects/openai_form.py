"""Folds form fields into the object that a JSON body would have been.

OpenAI's SDKs send `multipart/form-data` even without a file, and spell nested values with
brackets. Obeys spec/dialects.md §D.2. What the members mean is `openai_bodies.py`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kinogate.dialects.base import FormField
from kinogate.domain.errors import CallerError, ErrorCode

_NAME = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<key>[^\[\]]+)\])?(?P<many>\[\])?")


def fold_form(form: Iterable[FormField]) -> dict[str, object]:
    """The object that a form spells.

    `a` is a member; `a[]`, and `a` sent twice, a list; `a[b]` a member of an object; `a[b][]` a
    list in it. A name of any other form stays a plain member. Values are `str`, of file parts
    `bytes`; a file input that was left empty counts as absent.

    Raises:
        CallerError: REQUEST_MALFORMED, for a member that is a value and an object at once, and for
            text with a NUL character.
    """
    folded: dict[str, object] = {}
    for part in form:
        value = _value(part)
        if value is None:
            continue
        match = _NAME.fullmatch(part.name)
        name, key, many = match.group("name", "key", "many") if match else (part.name, None, None)
        target = folded if key is None else _object_in(folded, name)
        _put(target, name if key is None else key, value, many=many is not None)
    return folded


def _value(part: FormField) -> str | bytes | None:
    if part.data is not None:
        return part.data if part.data or part.filename else None
    if "\x00" in part.name or (part.value is not None and "\x00" in part.value):
        raise _malformed("The form holds a NUL character.")
    return part.value


def _object_in(folded: dict[str, object], name: str) -> dict[str, object]:
    found = folded.setdefault(name, {})
    if not isinstance(found, dict):
        raise _malformed("The form holds a field as a value and as an object at once.")
    return found


def _put(target: dict[str, object], name: str, value: str | bytes, *, many: bool) -> None:
    if name not in target:
        target[name] = [value] if many else value
        return
    present = target[name]
    if isinstance(present, dict):
        raise _malformed("The form holds a field as a value and as an object at once.")
    target[name] = [*present, value] if isinstance(present, list) else [present, value]


def _malformed(message: str) -> CallerError:
    return CallerError(ErrorCode.REQUEST_MALFORMED, message)
