"""Lifting media out of a body changes nothing that a dialect reads from it."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinogate.dialects.inline import lift
from kinogate.dialects.members import read_json, read_json_as_it_is
from kinogate.domain.errors import CallerError

BIG = base64.b64encode(bytes(range(256)) * 400).decode()
URI = f"data:image/png;base64,{BIG}"
assert len(URI) > 64 * 1024


def outcome(read, body: bytes) -> object:
    """What came out, or the words of the refusal."""
    try:
        return read(body)
    except CallerError as error:
        return (error.code, error.message)


SAME = {
    "a picture": json.dumps({"img_url": URI, "prompt": "a cat"}),
    "pictures in a list": json.dumps({"images": [URI, "https://e.com/a.png", URI + "AAAA"]}),
    "deep inside": json.dumps({"input": {"media": [{"url": URI, "type": "x"}]}}),
    "an empty type": json.dumps({"u": f"data:;base64,{BIG}"}),
    "parameters": json.dumps({"u": f"data:image/png;charset=utf-8;base64,{BIG}"}),
    "the whole body": json.dumps(URI),
    "with spaces around": f'\n{{ "u" :\t"{URI}"\n }}\n',
    "as a name": json.dumps({URI: 1}),
    "as a name with space": f'{{"{URI}" : 1}}',
    "as a name far away": f'{{"{URI}"{" " * 100}: 1}}',
    "twice the same name": f'{{"u": "{URI}", "u": 1}}',
    "within a text": json.dumps({"prompt": f'say "{URI}" aloud'}),
    "after a text that ends in a backslash": json.dumps(["\\", URI]),
    "escaped slashes": json.dumps({"u": URI}).replace("/", "\\/"),
    "wrapped lines": json.dumps({"u": URI[:500] + "\n" + URI[500:]}),
    "the other alphabet": json.dumps({"u": URI.replace("/", "_")}),
    "other letters": json.dumps({"u": URI + "é"}),
    "no groups of four": json.dumps({"u": URI + "A"}),
    "padding inside": json.dumps({"u": f"data:;base64,{'A' * 262_142}=={BIG}"}),
    "a text like a mark": json.dumps({"a": "\x000", "u": URI}),
    "a text like a mark behind": json.dumps({"u": URI, "z": "\x000"}),
    "a text like another mark": json.dumps({"u": URI, "z": "\x007"}),
    "a name like a mark": json.dumps({"\x000": 1, "u": URI}),
    "a raw line break in it": json.dumps({"u": URI}).replace("AAEC", "AA\nEC", 1),
    "a raw NUL in it": json.dumps({"u": URI}).replace("AAEC", "AA\x00C", 1),
    "no end": json.dumps({"u": URI})[:-2],
    "no comma behind": f'{{"u": "{URI}" "v": 1}}',
    "a quote too many": f'{{"u": "x"{URI}"}}',
    "trailing garbage": json.dumps({"u": URI}) + "x",
    "bytes that are no UTF-8": json.dumps({"u": URI})[:-1] + ', "p": "\udcff"}',
    "many": json.dumps([URI] * 80),
    "small": json.dumps({"u": URI[:1000] + "=="}),
    "empty": "",
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_a_body_reads_as_if_nothing_had_been_lifted(body: str) -> None:
    raw = body.encode("utf-8", "surrogateescape")

    assert outcome(read_json, raw) == outcome(read_json_as_it_is, raw)


PIECES = st.sampled_from(
    ['"', "\\", "data:", ";base64,", BIG, URI, f'"{URI}"', "{", "}", "[", "]", ":", ",", " ", "a"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_whatever_a_body_is_put_together_from_reads_the_same(pieces: list[str]) -> None:
    raw = "".join(pieces).encode()

    assert outcome(read_json, raw) == outcome(read_json_as_it_is, raw)


def test_media_never_reach_the_scanner() -> None:
    lifted = lift(json.dumps({"a": URI, "prompt": "a cat", "b": [URI]}).encode())

    assert len(lifted.media) == 2
    assert len(lifted.body) < 100


@pytest.mark.parametrize(
    "body",
    [b'"' * 2**21, b'"data:' * 2**19, b'"data:x;base64,' * 2**17, b"A" * 2**21],
    ids=["quotes", "starts", "heads", "letters"],
)
def test_a_body_of_nothing_but_beginnings_is_left_as_it_is(body: bytes) -> None:
    assert lift(body).body is body
