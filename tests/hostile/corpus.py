"""The rows: what is sent, in which dialects, and what has to come of it.

Numbers at the ids are those of the list of hostile inputs that this project keeps. A row names a
member by its canonical name; `speakers` knows where each dialect has it. Several values in a row
make several cases. Obeys spec/dialects.md §0.3: what a dialect is lenient about is no row here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import media
import urls

from speakers import SPEAKERS, Speaker, put

T2V, I2V = "wan2.6-t2v", "wan2.5-i2v-preview"
ALL = tuple(SPEAKERS)
NAMING = tuple(name for name in ALL if name != "mulerouter")
HALVED = ("dashscope", "vtrix")


class End(StrEnum):
    """What has to come of a case."""

    REFUSED = "refused"  # 4xx
    FAILED = "failed"  # refused at once or failed later, never with a picture
    READY = "ready"  # accepted, and its inputs pass the check
    TAKEN = "taken"  # accepted
    ANY = "any"  # as the dialect likes, but in its shape


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request. `body` is bytes, ready to send."""

    id: str
    dialect: str
    method: str = "POST"
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    end: End = End.ANY
    statuses: frozenset[int] = frozenset()
    is_oracle: bool = False
    with_key: bool = True
    raw: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of fault: a member, its values, and how a case ends."""

    id: str
    member: str
    values: tuple[Any, ...]
    end: End = End.REFUSED
    model: str = T2V
    dialects: tuple[str, ...] = ALL
    statuses: frozenset[int] = frozenset({400})


def inline(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


_ODD_TEXTS = (5, 1.5, True, [], ["a"], {}, {"a": 1})
_ODD_INTEGERS = ("five", "", " ", "5s", 5.5, 1e300, 2**63, -(2**63), [], [5], {}, "1e3", "\u0665")
_ODD_FLAGS = ("yes", "maybe", 2, -1, 0.5, [], {}, "tru")

FIELD_ROWS = (
    Row(id="5-surrogate", member="prompt", values=("\ud800", "a\udfffb")),
    Row(id="6-nul", member="prompt", values=("\x00", "a\x00b")),
    Row(id="26-prompt", member="prompt", values=(None, "", "   ", *_ODD_TEXTS)),
    Row(id="28-negative", member="negative_prompt", values=_ODD_TEXTS),
    Row(
        id="28-negative-long",
        member="negative_prompt",
        values=("n" * 501, "文" * 501),
        dialects=("mulerouter", "native"),
    ),
    Row(
        id="28-negative-cut",
        member="negative_prompt",
        values=("n" * 501, "文" * 40_000),
        dialects=("unified", "dashscope", "vtrix", "openai"),
        end=End.TAKEN,
        statuses=frozenset(),
    ),
    Row(id="11-seed", member="seed", values=(-1, 2**31, 1.5, True, False, *_ODD_INTEGERS)),
    Row(id="31-duration", member="duration", values=(0, -5, 1, 16, 10**9, True, *_ODD_INTEGERS)),
    Row(
        id="30-size",
        member="size",
        values=(
            "1280*721",
            "0*0",
            "-1*1",
            "99999*99999",
            "1280",
            "*",
            "1280*",
            "1280*720*1",
            "1280,720",
            "\uff19*\uff19",
            " ",
            "nan*nan",
            "1e3*1e3",
            5,
            [],
            {},
            [1280, 720],
        ),
    ),
    Row(
        id="30-resolution",
        member="resolution",
        values=("240P", "4K", "P", "720PP", "7\uff120P", 720, [], {}),
    ),
    Row(id="32-audio", member="audio", values=_ODD_FLAGS),
    Row(id="32-extend", member="prompt_extend", values=_ODD_FLAGS),
    Row(id="32-shots", member="shot_type", values=("many", 1, [], {}, True)),
    Row(
        id="32-watermark",
        member="watermark",
        values=_ODD_FLAGS,
        dialects=tuple(name for name in ALL if name != "mulerouter"),
    ),
    Row(id="33-template", member="template", values=("flying", "../x", "x" * 9_000)),
    Row(id="20-model", member="model", values=(None, "", " "), dialects=NAMING[:-2]),
    Row(id="20-model-type", member="model", values=_ODD_TEXTS, dialects=NAMING),
    Row(
        id="21-model",
        member="model",
        values=(
            "wan2.6-t2v ",
            " wan2.6-t2v",
            "wan2.6-t2v\n",
            "wan9.9-t2v",
            "happy-horse",
            "../wan2.6-t2v",
            "w" * 10_240,
            "wan2.6-t2v' OR '1'='1",
            "wan2.6–t2v",
        ),
        dialects=NAMING,
        statuses=frozenset({400, 404}),
    ),
    Row(
        id="58-sinks",
        member="prompt",
        values=(
            "\x1b[31mred\x1b[0m",
            "<script>alert(1)</script>",
            "{{7*7}}${7*7}",
            'x"} 1\nkinogate_fake{a="b',
            "=cmd()|' /C calc'!A0",
            "![a](http://{trap}/beacon)",
            "%s%n%x",
            "\u202etxt.exe",
            "a\r\nX-Injected: y",
            "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A" * 20,
            "\ufeff\uffff\U0010ffff",
        ),
        end=End.TAKEN,
        statuses=frozenset(),
    ),
)

LINK_ROWS = (
    Row(id="35-link", member="first_frame", values=urls.FORMS, model=I2V),
    Row(id="35-link-type", member="first_frame", values=(5, True, {"a": 1}, [1]), model=I2V),
    Row(
        id="36-host",
        member="first_frame",
        values=tuple(f"http://{host}/a.png" for host in urls.HOSTS),
        model=I2V,
    ),
    Row(
        id="36-port",
        member="first_frame",
        values=("http://{trap}/a.png", "https://{trap}/a.png", "HTTP://{trap}", "http://{trap}?a"),
        model=I2V,
    ),
    Row(
        id="53-audio-link",
        member="audio_url",
        values=(*urls.FORMS, *(f"http://{host}/a.wav" for host in urls.HOSTS[::4])),
    ),
    Row(id="53-audio-type", member="audio_url", values=(5, True, {"a": 1}, [1])),
    Row(
        id="40-late",
        member="first_frame",
        values=urls.LATE,
        model=I2V,
        end=End.FAILED,
        statuses=frozenset(),
    ),
)

BAD_PICTURES: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("bomb", media.bomb),
    ("ztxt-bomb", media.ztxt_bomb),
    ("cut-png", lambda: media.png()[:-500]),
    ("cut-jpeg", lambda: media.jpeg()[:2_000]),
    ("header-only", lambda: media.png()[:33]),
    ("magic-only", lambda: b"\x89PNG\r\n\x1a\n"),
    ("bad-crc", lambda: media.png()[:40] + b"\xff\xff" + media.png()[42:]),
    ("no-pixels", lambda: media.png_of(640, 480)),
    ("translucent", media.translucent),
    ("palette-hole", media.palette_hole),
    ("apng", media.apng),
    ("gif", media.gif),
    ("webp-animation", media.webp_animation),
    ("webp-header", lambda: media.webp_of(640, 480)),
    ("svg", lambda: media.svg("http://{trap}/a")),
    ("tiff", media.tiff),
    ("page", lambda: media.with_page(b"")),
    ("zip", lambda: media.with_zip(b"")),
    ("mp4", lambda: media.mp4_boxes("http://{trap}/a")),
    ("359x400", lambda: media.png(359, 400)),
    ("2001x400", lambda: media.png(2001, 400)),
    ("1x1", lambda: media.png(1, 1)),
    ("0x0", lambda: media.png_of(0, 0)),
    ("2e9", lambda: media.png_of(2**31 - 1, 2**31 - 1)),
    ("4e9", lambda: media.png_of(2**32 - 1, 640)),
    ("bmp-liar", lambda: media.bmp(640, 480)),
    ("bmp-giant", lambda: media.bmp(2**31 - 1, -(2**31) + 1)),
    ("depth-3", lambda: media.png_of(640, 480, depth=3, colour=9)),
    ("nothing", lambda: b"\0" * 1_000),
)
GOOD_PICTURES: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("png", media.png),
    ("360x2000", lambda: media.png(360, 2000)),
    ("bmp", lambda: media.encoded(media.picture(), "BMP")),
    ("webp", lambda: media.encoded(media.picture(), "WEBP")),
    ("sixteen-bits", media.sixteen_bits),
    ("cmyk", media.cmyk),
    ("grey", lambda: media.png(mode="L")),
    ("progressive", lambda: media.jpeg(progressive=True)),
    ("turned", lambda: media.turned(6)),
    ("odd-turn", lambda: media.turned(9)),
    ("jpeg-zip", lambda: media.with_zip(media.jpeg())),
    ("png-page", lambda: media.with_page(media.png())),
    ("comment", media.commented_png),
    ("exif-loop", media.exif_loop),
)
ODD_PICTURES: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("liar", media.liar),
    ("icc-bomb", media.icc_bomb),
    ("many-texts", media.many_texts),
    ("4000-segments", lambda: media.jpeg_segments(4_000)),
    ("9000-segments", lambda: media.jpeg_segments(9_000)),
)
BAD_SOUNDS: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("2.9s", lambda: media.wav(2.9)),
    ("30.2s", lambda: media.wav(30.2)),
    ("lie", media.wav_short_lie),
    ("cut", lambda: media.wav()[:60]),
    ("head", lambda: media.wav()[:44]),
    ("sdp", lambda: media.sdp("127.0.0.1")),
    ("m3u8", lambda: media.playlist("http://{trap}/a")),
    ("ffconcat", lambda: media.ffconcat("http://{trap}/a")),
    ("dash", lambda: media.dash("http://{trap}/a")),
    ("id3-giant", media.id3_giant),
    ("id3-endless", media.id3_endless),
    ("64-channels", lambda: media.wav_of(64, 192_000)),
    ("0-channels", lambda: media.wav_of(0, 0)),
    ("0-rate", lambda: media.wav_of(1, 0)),
    ("picture", media.png),
    ("mp4", lambda: media.mp4_boxes("http://{trap}/a")),
    ("deep-boxes", media.deep_boxes),
    ("15MiB+1", lambda: media.padded(media.wav(), 15 * media.MIB + 1)),
)
GOOD_SOUNDS: tuple[tuple[str, Callable[[], bytes]], ...] = (
    ("wav", media.wav),
    ("4gb-header", media.wav_4gb),
)


def _body(speaker: Speaker, model: str, **members: Any) -> dict[str, Any]:
    if model == I2V and "first_frame" not in members:
        members["first_frame"] = "https://example.com/first.png"
    if speaker.name == "openai" and model == I2V:
        members.setdefault("duration", "5")
    body = speaker.body(model=model, **members)
    if speaker.name == "mulerouter" and model == T2V and "size" not in members:
        put(body, speaker.places["size"], "832*480")
    return body


def _dump(body: Any) -> bytes:
    # Lone surrogates travel as escapes, so that the body itself stays UTF-8.
    return json.dumps(body).encode()


def create(
    speaker: Speaker, case_id: str, model: str = T2V, end: End = End.ANY, **members: Any
) -> Case:
    """A create call with some members replaced."""
    return Case(
        id=f"{case_id}/{speaker.name}",
        dialect=speaker.name,
        path=speaker.create.replace(T2V, model),
        headers=tuple(speaker.headers.items()),
        body=_dump(_body(speaker, model, **members)),
        end=end,
    )


def _of_row(row: Row) -> Iterator[Case]:
    for speaker in (SPEAKERS[name] for name in row.dialects):
        if row.member not in speaker.places:
            continue
        for number, value in enumerate(row.values):
            members = {} if row.member == "model" else {row.member: value}
            case = create(speaker, f"{row.id}.{number}", row.model, row.end, **members)
            if row.member == "model":
                body = {**_body(speaker, T2V), "model": value}
                case = replace(case, body=_dump(body))
            yield replace(case, statuses=row.statuses, is_oracle=row.id == "40-late")


def fields() -> list[Case]:
    """Members out of range or of a wrong type, and links."""
    return [case for row in (*FIELD_ROWS, *LINK_ROWS) for case in _of_row(row)]


def pictures_and_sounds() -> list[Case]:
    """Inline files: each fault in every dialect, so that none has a way round the check."""
    groups = (
        ("48-picture", BAD_PICTURES, "first_frame", I2V, End.FAILED),
        ("50-picture", GOOD_PICTURES, "first_frame", I2V, End.READY),
        ("48-odd", ODD_PICTURES, "first_frame", I2V, End.ANY),
        ("53-sound", BAD_SOUNDS, "audio_url", T2V, End.FAILED),
        ("53-sound-good", GOOD_SOUNDS, "audio_url", T2V, End.READY),
    )
    found = []
    for group, files, member, model, end in groups:
        for name, build in files:
            text = inline(build(), "image/png" if member == "first_frame" else "audio/wav")
            found += [
                create(speaker, f"{group}.{name}", model, end, **{member: text})
                for speaker in SPEAKERS.values()
            ]
    return found


def large() -> list[Case]:
    """Files at their limit and one byte beyond, spread over the dialects."""
    limit = 10 * media.MIB
    found = []
    for speaker in SPEAKERS.values():
        over = inline(media.padded(media.jpeg(), limit + 1))
        found.append(create(speaker, "43-10MiB+1", I2V, End.REFUSED, first_frame=over))
    at_limit = inline(media.padded(media.jpeg(), limit))
    found.append(create(SPEAKERS["vtrix"], "43-10MiB", I2V, End.READY, first_frame=at_limit))
    return found


def bodies() -> list[Case]:
    """Bytes where a JSON object should be."""
    found = []
    for speaker in SPEAKERS.values():
        good = _dump(_body(speaker, T2V))
        for name, body in {
            "1-empty": b"",
            "1-blank": b" \r\n",
            "2-bom": b"\xef\xbb\xbf" + good,
            "2-utf16": good.decode().encode("utf-16"),
            "2-utf32": good.decode().encode("utf-32"),
            "2-latin1": good[:-1] + b',"a":"\xe9"}',
            "2-overlong": good[:-1] + b',"a":"\xc0\x80"}',
            "3-deep": b"[" * 100_000,
            "3-deep-object": b'{"a":' * 50_000,
            "3-deep-closed": good[:-1] + b',"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
            "4-nan": good[:-1] + b',"seed":NaN}',
            "4-infinity": good[:-1] + b',"a":-Infinity}',
            "4-1e400": good[:-1] + b',"a":1e400}',
            "7-control": good[:-1] + b',"a":"\x01"}',
            "8-twice": good[:-1] + b',"a":1,"a":2}',
            "10-5000": good[:-1] + b',"a":' + b"9" * 5_000 + b"}",
            "10-60": good[:-1] + b',"a":' + b"9" * 60 + b"}",
            "12-list": b"[" + good + b"]",
            "12-text": b'"a"',
            "12-null": b"null",
            "12-two": good + good,
            "12-jsonp": b"f(" + good + b")",
            "12-hash": b"{" + b",".join(b'"%d":1' % number for number in range(40_000)) + b"}",
        }.items():
            headers = tuple(speaker.headers.items())
            end = End.ANY if name == "12-hash" else End.REFUSED
            found.append(
                Case(
                    id=f"{name}/{speaker.name}",
                    dialect=speaker.name,
                    path=speaker.create,
                    headers=headers,
                    body=body,
                    end=end,
                )
            )
    for name in HALVED:
        for half in ("input", "parameters"):
            for value in ([], "a", 5, True):
                speaker = SPEAKERS[name]
                body = {**_body(speaker, T2V), half: value}
                found.append(
                    Case(
                        id=f"25-{half}/{name}",
                        dialect=name,
                        path=speaker.create,
                        headers=tuple(speaker.headers.items()),
                        body=_dump(body),
                        end=End.REFUSED,
                    )
                )
    return found
