"""The page of input rules: `docs/inputs.md`, for `docs_tables.py`.

Nothing is typed in twice. Limits are read from the models' rows; for each rule the code that holds
it is called with a value that breaks it, and what it raises is put into every dialect's words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kinogate.dialects.base import Action, Call, Dialect, TaskView
from kinogate.dialects.members import read_object
from kinogate.domain.catalogue import CATALOGUE, MIB, ImageRule, ModelSpec, VideoRule
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError, UpstreamError
from kinogate.domain.media import check_bytes, check_ratio, check_sides
from kinogate.domain.order import AudioMode, Mode, Role, ShotType
from kinogate.domain.overlays import overlaid
from kinogate.domain.request import Field, GenerationRequest, LongText, MediaInput
from kinogate.domain.resolution import Tier
from kinogate.domain.task import Fault, Plan, Status, Task
from kinogate.media.base64in import decode_data_uri
from kinogate.media.header import check_inline_image
from kinogate.net import UNREACHABLE_TEXT, FetchPolicy, check_url
from kinogate.service.decide import decide

MODEL = "wan2.6-i2v"
_IMAGE = ImageRule(min_side=360, max_side=2000, max_bytes=10 * MIB, max_ratio=8)
_ID = "00000000-0000-4000-8000-000000000000"
_GIF = b"GIF89a" + bytes(64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what is wrong, and the code that says so.

    Attributes:
        what: For the first column.
        breaks: Raises what the server raises.
        field: The member at fault, where `breaks` leaves it open.
        late: Found while the task runs, not by the call.
        body: Of the call, where the dialect's words depend on it.
    """

    what: str
    breaks: Callable[[], object]
    field: str | None = None
    late: bool = False
    body: bytes = b'{"model":"wan2.6-i2v"}'


def _told(code: ErrorCode, message: str) -> Callable[[], object]:
    """A rule that lives in a child process: its code and sentence stand there."""

    def breaks() -> object:
        if code is ErrorCode.MEDIA_UNREACHABLE:
            raise UpstreamError(code, message)
        raise CallerError(code, message)

    return breaks


def _body(what: str, body: bytes) -> Rule:
    return Rule(what=what, breaks=lambda: read_object(body), body=body)


def _link(what: str, url: str) -> Rule:
    return Rule(what=what, breaks=lambda: check_url(url, FetchPolicy()), field=Role.FIRST_FRAME)


def _image(what: str, breaks: Callable[[], object], *, late: bool = False) -> Rule:
    return Rule(what=what, breaks=breaks, field=Role.FIRST_FRAME, late=late)


def _sound(what: str, breaks: Callable[[], object], *, late: bool = False) -> Rule:
    return Rule(what=what, breaks=breaks, field=Role.AUDIO, late=late)


_SECTIONS: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    (
        "The body",
        (
            _body("empty", b""),
            _body("not JSON", b"prompt=cat"),
            _body("not UTF-8", b'{"a":"\xff"}'),
            _body("not an object", b"[]"),
            _body("a member twice", b'{"a":1,"a":2}'),
            _body("NaN, Infinity", b'{"a":NaN}'),
            _body("a number beyond a double", b'{"a":1e400}'),
            _body("an integer beyond 64 bits", b'{"a":99999999999999999999}'),
            _body("a NUL character", b'{"a":"\\u0000"}'),
            _body("half a surrogate pair", b'{"a":"\\ud800"}'),
            _body("more than 100,000 members", b'{"a":[' + b"1," * 100_001 + b"1]}"),
        ),
    ),
    (
        "Links",
        (
            _link("longer than 4,096 characters", "http://example.com/" + "a" * 5_000),
            _link("spaces, control characters, backslashes", "http://example.com/a b"),
            _link("the same, percent-encoded", "http://example.com/%0d%0a"),
            _link("another scheme than http or https", "ftp://example.com/a.png"),
            _link("a fragment", "http://example.com/a#b"),
            _link("a name or password", "http://a:b@example.com/"),
            _link("a host outside ASCII", "http://ex\u00e4mple.com/"),
            _link("another port than 80, 443, 8080, 8443", "http://example.com:22/"),
            _link("a private name", "http://localhost/a.png"),
            _link("a private or odd address", "http://127.0.0.1/a.png"),
            Rule(
                what="cannot be fetched: not found, private after lookup, redirected to such, slow",
                breaks=_told(ErrorCode.MEDIA_UNREACHABLE, UNREACHABLE_TEXT),
                field=Role.FIRST_FRAME,
                late=True,
            ),
        ),
    ),
    (
        "Inline files",
        (
            _image("not base64", lambda: decode_data_uri("data:image/png;base64,!!", max_bytes=9)),
            _image("a data: URI without base64", lambda: decode_data_uri("data:,a", max_bytes=9)),
            _image("empty", lambda: decode_data_uri("data:image/png;base64,", max_bytes=9)),
        ),
    ),
    (
        "Images",
        (
            _image("no JPEG, PNG, BMP or WEBP", lambda: check_inline_image(_GIF, _IMAGE)),
            _image("too many bytes", lambda: check_bytes(10 * MIB + 1, 10 * MIB, "image")),
            _image("a side out of range", lambda: check_sides(359, 400, _IMAGE)),
            _image("too long for its short side", lambda: check_ratio(900, 100, 8, "image")),
            _image(
                "damaged",
                _told(ErrorCode.MEDIA_FORMAT, "The image is damaged and cannot be decoded."),
                late=True,
            ),
            _image(
                "an animation",
                _told(ErrorCode.MEDIA_FORMAT, "The image must be a still, not an animation."),
                late=True,
            ),
            _image(
                "transparent pixels",
                _told(ErrorCode.MEDIA_FORMAT, "The image must not have transparent pixels."),
                late=True,
            ),
        ),
    ),
    (
        "Sound",
        (
            _sound("no WAV or MP3", _told(ErrorCode.MEDIA_FORMAT, "The audio must be mp3 or wav.")),
            _sound("too many bytes", lambda: check_bytes(15 * MIB + 1, 15 * MIB, "audio")),
            _sound(
                "too short or too long, counted by decoding",
                _told(ErrorCode.MEDIA_DURATION, "The audio is too short or too long."),
                late=True,
            ),
        ),
    ),
)


def inputs_page(dialects: Sequence[Dialect]) -> str:
    """The whole page."""
    names = [dialect.name for dialect in dialects]
    lines = [
        "# Inputs",
        "",
        "Every rule that a prompt, a link, a picture, a sound or a video has to keep, and the error",
        "that each dialect answers with. Limits are inclusive; MiB are 1,048,576 bytes. What the",
        "call alone shows is refused at once (HTTP status and code); what takes a download, decoding",
        "pixels or counting samples ends the task as failed (*task:* and the code in the query's",
        "reply, where the dialect has one) and costs nothing.",
        "",
        "This page is written by `tools/docs_tables.py` from the code that holds the rules.",
        "",
        "## Limits of each model",
        "",
        *_limits(),
        "",
        "A picture is checked by its header before its pixels are decoded, in a process of its own",
        "with little memory and time; it is turned upright once, made 8-bit sRGB, and what it carried",
        "beside pixels is gone. Of sound that is longer than the clip the beginning is heard; after",
        "its end there is silence.",
        "",
        "## Lengths of prompts",
        "",
        *_prompts(dialects),
    ]
    for title, rules in _SECTIONS:
        lines += ["", f"## {title}", "", f"| what is wrong | {' | '.join(names)} |"]
        lines.append(f"|---|{'---|' * len(names)}")
        lines += [_line(rule, dialects) for rule in rules]
    return "\n".join(lines) + "\n"


def _limits() -> list[str]:
    lines = ["| model | image | sound | video | references |", "|---|---|---|---|---|"]
    return lines + [
        f"| `{spec.name}` | {_image_words(spec.image)} | {_sound_words(spec)} | "
        f"{_video_words(spec.video)} | {_reference_words(spec)} |"
        for spec in CATALOGUE.all()
    ]


def _image_words(rule: ImageRule | None) -> str:
    if rule is None:
        return "–"
    ratio = f", up to {rule.max_ratio}:1" if rule.max_ratio else ""
    return f"{rule.min_side}–{rule.max_side} px{ratio}, {rule.max_bytes // MIB} MiB"


def _sound_words(spec: ModelSpec) -> str:
    rule = spec.audio_file
    return "–" if rule is None else f"{rule.min_s}–{rule.max_s} s, {rule.max_bytes // MIB} MiB"


def _video_words(rule: VideoRule | None) -> str:
    if rule is None:
        return "–"
    words = [f"{rule.min_s or 0}–{rule.max_s} s" if rule.max_s else ""]
    words.append(f"{rule.min_side}–{rule.max_side} px" if rule.max_side else "")
    words.append(f"up to {rule.max_ratio}:1" if rule.max_ratio else "")
    words.append(f"{rule.min_fps} fps or more" if rule.min_fps else "")
    words.append(f"{rule.max_bytes // MIB} MiB")
    return ", ".join(word for word in words if word)


def _reference_words(spec: ModelSpec) -> str:
    most = spec.references
    kinds = ((most.images, "images"), (most.videos, "videos"), (most.audios, "sounds"))
    words = [f"{count} {kind}" for count, kind in kinds if count]
    if most.together is not None:
        words.append(f"{most.together} together")
    return ", ".join(words) or "–"


def _prompts(dialects: Sequence[Dialect]) -> list[str]:
    names = [dialect.name for dialect in dialects]
    lines = [
        "In characters (code points): the prompt's limit, then the negative prompt's.",
        "",
        f"| model | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    for spec in CATALOGUE.all():
        rows = [overlaid(spec, dialect.house.overlay) for dialect in dialects]
        cells = [f"{row.prompt_max} / {row.negative_max or '–'}" for row in rows]
        lines.append(f"| `{spec.name}` | {' | '.join(cells)} |")
    cells = [
        "cut, with a warning"
        if dialect.house.long_text is not LongText.REFUSE
        else _cell(_long_prompt(dialect), dialect)
        for dialect in dialects
    ]
    return [*lines, f"| *longer ones are* | {' | '.join(cells)} |"]


def _long_prompt(dialect: Dialect) -> Rule:
    media = (MediaInput(role=Role.FIRST_FRAME, text="https://example.com/a.png"),)
    request = GenerationRequest(model=MODEL, prompt="a" * 10_000, media=media)
    return Rule(what="", breaks=lambda: decide(request, dialect.house, CATALOGUE, fresh_seed=0))


def _line(rule: Rule, dialects: Sequence[Dialect]) -> str:
    return f"| {rule.what} | {' | '.join(_cell(rule, dialect) for dialect in dialects)} |"


def _cell(rule: Rule, dialect: Dialect) -> str:
    error = _raised(rule)
    if rule.late:
        code = _task_code(dialect, error)
        return f"task: `{code}`" if code else "task: its reason"
    call = Call(method="POST", path="/", action=Action.CREATE, body=rule.body, request_id="r")
    reply = dialect.render_error(error, call)
    return f"{reply.status} `{_code(json.loads(reply.body))}`"


def _raised(rule: Rule) -> KinogateError:
    try:
        rule.breaks()
    except KinogateError as error:
        error.field = error.field or rule.field
        return error
    raise SystemExit(f"the rule {rule.what!r} refuses nothing")


def _code(body: object) -> str:
    """The code of an error object, wherever a dialect keeps it."""
    if not isinstance(body, dict):
        return ""
    for name in ("error", "output", "task_info"):
        if isinstance(body.get(name), dict):
            found = _code(body[name])
            if found:
                return found
    return str(body.get("error_code") or body.get("code") or "")


def _task_code(dialect: Dialect, error: KinogateError) -> str:
    plan = Plan(
        model=MODEL,
        mode=Mode.I2V,
        prompt="",
        negative_prompt="",
        size=None,
        tier=Tier.P720,
        duration_s=5,
        fps=30,
        audio=AudioMode.OFF,
        is_extendable=False,
        shot_type=ShotType.SINGLE,
        watermark=None,
        seed=0,
        house=dialect.name,
    )
    task = Task(
        id=_ID,
        account_id="a",
        key_id="k",
        dialect=dialect.name,
        model=MODEL,
        status=Status.FAILED,
        plan=plan,
        fault=Fault(code=error.code, message=error.message, field=error.field or Field.BODY),
        hold_micro=0,
        created_ms=0,
        updated_ms=0,
        finished_ms=0,
    )
    params = {"task_id": _ID, "model": MODEL, "vendor": "alibaba"}
    call = Call(method="GET", path="/", action=Action.GET, params=params, request_id="r")
    reply = dialect.render_task(TaskView(task=task), call)
    body = json.loads(reply.body)
    # Unified's replies carry "success" as their code; a failed task has only a reason there.
    return "" if dialect.name == "unified" else _code(body)
