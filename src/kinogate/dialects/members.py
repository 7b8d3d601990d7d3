"""Reading JSON strictly and members leniently, the same way in every dialect.

Strict about bytes: one well-formed UTF-8 JSON object with unique keys and finite numbers. Lenient
about types where real clients are (spec/dialects.md §0.3): `"5"` is an integer, `"false"` is a
boolean, `null` is absent. Members that nobody asked for can be listed afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NoReturn

from kinogate.dialects.inline import Lifted, lift
from kinogate.domain.errors import CallerError, ErrorCode, field_invalid, field_missing

_INT_MAX = 2**63 - 1
_MAX_MARKS = 100_000
"""Most commas and opening brackets of a body. A body of brackets alone, as large as a body with
media may be, took 18 s of the one event loop and 1.7 GiB to decode; no honest one has a hundred."""
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


def _malformed(message: str) -> CallerError:
    return CallerError(ErrorCode.REQUEST_MALFORMED, message)


def _no_constant(name: str) -> NoReturn:
    raise _malformed(f"The body is not valid JSON: {name} is not a JSON number.")


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > _INT_MAX:
        raise _malformed("The body holds an integer beyond 64 bits.")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _malformed("The body holds a number beyond what a double can hold.")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("The body holds the same member twice.")
    return found


def _check_text(value: str) -> None:
    if "\x00" in value:
        raise _malformed("The body holds a NUL character.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _malformed("The body holds a lone surrogate.") from None


def _check_texts(value: object) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


def _has_too_many_members(body: bytes) -> bool:
    left = _MAX_MARKS
    for mark in b",[{":
        # `find` skips 14 MB of base64 in a third of a millisecond; `count` takes five.
        at = body.find(mark)
        while at >= 0:
            left -= 1
            if left < 0:
                return True
            at = body.find(mark, at + 1)
    return False


def read_json(body: bytes) -> object:
    """Decode a JSON body.

    Raises:
        CallerError: REQUEST_MALFORMED for anything but well-formed UTF-8 JSON with unique keys,
            finite numbers, 64-bit integers, and text without NUL or lone surrogates; and for one
            of far more members than any request has.
    """
    lifted = lift(body)
    try:
        return _scanned(lifted)
    except json.JSONDecodeError as error:
        if lifted.media:  # once more, for the place of the error in what the caller sent
            return read_json_as_it_is(body)
        raise _not_json(error) from None


def read_json_as_it_is(body: bytes) -> object:
    """Decode a JSON body without lifting anything out of it; see `read_json`."""
    try:
        return _scanned(Lifted(body, ()))
    except json.JSONDecodeError as error:
        raise _not_json(error) from None


def _not_json(error: json.JSONDecodeError) -> CallerError:
    return _malformed(f"The body is not valid JSON: {error.msg} at character {error.pos}.")


def _scanned(lifted: Lifted) -> object:
    if _has_too_many_members(lifted.body):
        raise _malformed("The body holds too many members.")
    try:
        text = lifted.body.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("The body is not valid UTF-8.") from None
    if not text.strip():
        raise _malformed("The body is empty; a JSON object is expected.")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
        value = lifted.put_back(value)
        _check_texts(value)
    except RecursionError:
        raise _malformed("The body is nested too deeply.") from None
    return value


def read_object(body: bytes) -> Members:
    """Decode a JSON body that must be an object.

    Raises:
        CallerError: REQUEST_MALFORMED.
    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise _malformed("The body must be a JSON object.")
    return Members(value)


class Members:
    """A JSON object that is read member by member and remembers what was asked for.

    Errors name the member by its dotted wire path, which every dialect passes through unchanged.
    """

    def __init__(self, data: Mapping[str, object], at: str = "") -> None:
        self._data = data
        self._at = at
        self._asked: set[str] = set()
        self._children: list[Members] = []

    def path(self, name: str) -> str:
        """The dotted wire path of a member."""
        return f"{self._at}.{name}" if self._at else name

    def raw(self, name: str) -> object:
        """The member as it stands; None when absent or null."""
        self._asked.add(name)
        return self._data.get(name)

    def has(self, name: str) -> bool:
        """Whether the member is present and not null; does not count as asking."""
        return self._data.get(name) is not None

    def text(self, name: str) -> str | None:
        """A string."""
        value = self.raw(name)
        if value is None or isinstance(value, str):
            return value
        raise field_invalid(self.path(name), "Must be a string.")

    def required_text(self, name: str) -> str:
        """A string that must be there and not blank."""
        value = self.text(name)
        if value is None or not value.strip():
            raise field_missing(self.path(name))
        return value

    def integer(self, name: str) -> int | None:
        """An integer, or its decimal text; a float only without a fraction; never a boolean."""
        value = self.raw(name)
        if value is None:
            return None
        number = as_integer(value)
        if number is None:
            raise field_invalid(self.path(name), "Must be an integer.")
        return number

    def flag(self, name: str) -> bool | None:
        """A boolean, or the text or number true / false / 1 / 0."""
        value = self.raw(name)
        if value is None:
            return None
        found = as_flag(value)
        if found is None:
            raise field_invalid(self.path(name), "Must be true or false.")
        return found

    def choice(self, name: str, allowed: Iterable[str]) -> str | None:
        """One of a closed set of strings, compared without case."""
        value = self.text(name)
        if value is None:
            return None
        known = {item.lower(): item for item in allowed}
        found = known.get(value.lower())
        if found is None:
            raise field_invalid(self.path(name), f"Must be one of {', '.join(known.values())}.")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty when absent."""
        value = self.raw(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise field_invalid(self.path(name), "Must be a list of strings.")
        return tuple(value)

    def members(self, name: str) -> Members | None:
        """A nested object."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise field_invalid(self.path(name), "Must be an object.")
        child = Members(value, self.path(name))
        self._children.append(child)
        return child

    def objects(self, name: str) -> tuple[Members, ...]:
        """A list of objects; empty when absent."""
        value = self.raw(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise field_invalid(self.path(name), "Must be a list of objects.")
        found = tuple(
            Members(item, f"{self.path(name)}[{index}]") for index, item in enumerate(value)
        )
        self._children.extend(found)
        return found

    def ignored(self) -> tuple[str, ...]:
        """Wire paths of members that are present, not null, and were never asked for."""
        own = [
            self.path(name)
            for name, value in self._data.items()
            if name not in self._asked and value is not None
        ]
        return (*own, *(path for child in self._children for path in child.ignored()))


def as_integer(value: object) -> int | None:
    """The integer that a JSON value or form text means, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _INT_MAX else None
    if isinstance(value, str):
        digits = value.strip()
        sign, rest = (digits[0], digits[1:]) if digits[:1] == "-" else ("", digits)
        whole, dot, fraction = rest.partition(".")
        if not (whole.isascii() and whole.isdigit()) or len(whole) > 19:
            return None
        if dot and (not fraction or fraction.strip("0")):
            return None
        return int(sign + whole)
    return None


def as_flag(value: object) -> bool | None:
    """The boolean that a JSON value or form text means, or None."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    if text in _TRUE:
        return True
    return False if text in _FALSE else None
