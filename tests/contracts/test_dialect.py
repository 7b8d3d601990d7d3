"""What every dialect promises, whatever its wire looks like."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from factories import a_call, a_fault, a_view
from harness import Harness
from kinogate.dialects.base import Action
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError
from kinogate.domain.request import GenerationRequest
from kinogate.domain.task import Status
from speakers import DIALECTS, SPEAKERS, Speaker, dig

EVERY = pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=SPEAKERS)
CODES = pytest.mark.parametrize("code", ErrorCode)

MALFORMED = {
    "empty": b"",
    "blank": b" \n ",
    "list": b"[]",
    "string": b'"x"',
    "number": b"1",
    "null": b"null",
    "cut off": b'{"model": "wan2.6-t2v", "prompt": "a',
    "trailing": b'{"model": "wan2.6-t2v"} {}',
    "single quotes": b"{'model': 'wan2.6-t2v'}",
    "comment": b'{"model": "wan2.6-t2v"} // a model',
    "NaN": b'{"model": "wan2.6-t2v", "prompt": "a", "seed": NaN}',
    "Infinity": b'{"model": "wan2.6-t2v", "prompt": "a", "seed": -Infinity}',
    "beyond a double": b'{"model": "wan2.6-t2v", "prompt": "a", "seed": 1e400}',
    "60 digits": b'{"model": "wan2.6-t2v", "prompt": "a", "seed": ' + b"9" * 60 + b"}",
    "5000 digits": b'{"model": "wan2.6-t2v", "prompt": "a", "seed": ' + b"9" * 5000 + b"}",
    "lone surrogate": b'{"model": "wan2.6-t2v", "prompt": "\\ud800"}',
    "lone surrogate in a key": b'{"model": "wan2.6-t2v", "prompt": "a", "\\udfff": 1}',
    "NUL": b'{"model": "wan2.6-t2v", "prompt": "a\\u0000b"}',
    "raw control": b'{"model": "wan2.6-t2v", "prompt": "a\x01b"}',
    "UTF-16": '{"model": "wan2.6-t2v", "prompt": "a"}'.encode("utf-16"),
    "UTF-32": '{"model": "wan2.6-t2v", "prompt": "a"}'.encode("utf-32"),
    "BOM": b'\xef\xbb\xbf{"model": "wan2.6-t2v", "prompt": "a"}',
    "bad UTF-8": b'{"model": "wan2.6-t2v", "prompt": "\xff\xfe"}',
    "overlong UTF-8": b'{"model": "wan2.6-t2v", "prompt": "\xc0\xaf"}',
    "same member twice": b'{"model": "wan2.6-t2v", "model": "wan2.6-i2v", "prompt": "a"}',
    "same member twice, deep": b'{"model": "wan2.6-t2v", "x": [{"a": 1, "a": 2}]}',
    "deep list": b"[" * 100_000,
    "deep list, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep member": b'{"model": "wan2.6-t2v", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
}


def request_of(speaker: Speaker, body: object) -> GenerationRequest:
    return speaker.dialect.parse_create(speaker.call(body)).request


def test_every_built_in_dialect_is_held_to_this() -> None:
    assert list(DIALECTS) == ["unified", "dashscope", "vtrix", "mulerouter", "openai", "native"]
    assert set(DIALECTS) == set(SPEAKERS)


def test_no_two_dialects_claim_the_same_method_and_path() -> None:
    owners: dict[tuple[str, str], set[str]] = {}
    for dialect in DIALECTS.values():
        for route in dialect.routes:
            key = (route.method, re.sub(r"\{[^}]*\}", "{}", route.path))
            owners.setdefault(key, set()).add(dialect.name)
    assert not {key: names for key, names in owners.items() if len(names) > 1}


@EVERY
def test_every_route_lies_under_the_dialects_prefixes(speaker: Speaker) -> None:
    dialect = speaker.dialect
    for route in dialect.routes:
        assert route.path.startswith(dialect.prefixes), route.path


# -- errors ---------------------------------------------------------------------------------------


@EVERY
def test_every_error_code_has_a_row(speaker: Speaker) -> None:
    assert set(speaker.dialect.errors) == set(ErrorCode)


@EVERY
@CODES
def test_a_refused_create_is_json_with_a_message_and_never_2xx(
    speaker: Speaker, code: ErrorCode
) -> None:
    call = speaker.call(speaker.body())
    reply = speaker.dialect.render_error(KinogateError(code, "It went wrong."), call)
    body = json.loads(reply.body)
    assert 400 <= reply.status < 600
    assert "json" in reply.content_type
    assert str(dig(body, speaker.message_at)).strip()


@EVERY
@CODES
def test_an_error_on_an_unmatched_path_is_shaped_too(speaker: Speaker, code: ErrorCode) -> None:
    call = a_call("PUT", "/nowhere")
    reply = speaker.dialect.render_error(KinogateError(code, "It went wrong."), call)
    assert dig(json.loads(reply.body), speaker.message_at)


@EVERY
def test_a_retry_time_becomes_a_header(speaker: Speaker) -> None:
    error = KinogateError(ErrorCode.RATE_LIMITED, "Slow down.", retry_after_s=7)
    reply = speaker.dialect.render_error(error, speaker.call(speaker.body()))
    assert reply.status == 429
    assert dict(reply.headers)["retry-after"] == "7"


@EVERY
def test_hostile_text_in_an_error_stays_inside_its_string(speaker: Speaker) -> None:
    text = 'a"b\\c</script>\u2028\x1b[31m\r\nX: y'
    error = CallerError(ErrorCode.FIELD_INVALID, text, field="duration")
    reply = speaker.dialect.render_error(error, speaker.call(speaker.body()))
    message = dig(json.loads(reply.body), speaker.message_at)
    assert text in message
    assert all("\n" not in value for _, value in reply.headers)


# -- states ---------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("status", Status)
def test_a_task_shows_only_words_of_the_dialects_vocabulary(
    speaker: Speaker, status: Status
) -> None:
    view = a_view(status)
    call = a_call("GET", speaker.poll_path(view.task.id), params={"task_id": view.task.id})
    reply = speaker.dialect.render_task(view, call)
    body = json.loads(reply.body)
    assert reply.status == 200
    assert dig(body, speaker.status_at) == speaker.words[status.value]
    assert dig(body, speaker.id_at) == speaker.spelled(view.task.id)


@EVERY
@CODES
def test_a_failed_task_is_200_whatever_the_fault(speaker: Speaker, code: ErrorCode) -> None:
    view = a_view(Status.FAILED, fault=a_fault(code, message="Because of this."))
    call = a_call("GET", speaker.poll_path(view.task.id), params={"task_id": view.task.id})
    reply = speaker.dialect.render_task(view, call)
    assert reply.status == 200
    assert dig(json.loads(reply.body), speaker.status_at) == speaker.words["failed"]
    if speaker.name != "dashscope":  # it has the vendor's own sentence for each code
        assert b"Because of this." in reply.body


# -- creating -------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_refused_as_such(speaker: Speaker, body: bytes) -> None:
    with pytest.raises(CallerError) as caught:
        speaker.dialect.parse_create(speaker.raw_call(body))
    assert caught.value.code is ErrorCode.REQUEST_MALFORMED
    reply = speaker.dialect.render_error(caught.value, speaker.raw_call(body))
    assert reply.status == 400


@pytest.mark.parametrize("speaker", [s for s in SPEAKERS.values() if s.name != "openai"])
def test_a_form_where_json_is_wanted_is_told_so(server: Harness, speaker: Speaker) -> None:
    headers = {
        **server.auth(),
        **speaker.headers,
        "content-type": "application/x-www-form-urlencoded",  # what `curl -d` says
    }
    content = json.dumps(speaker.body()).encode()
    reply = server.client.post(speaker.create, headers=headers, content=content)
    assert reply.status_code in (400, 415)
    assert "application/json" in dig(reply.json(), speaker.message_at)


@EVERY
def test_unknown_members_are_reported_and_change_nothing(speaker: Speaker) -> None:
    plain = speaker.dialect.parse_create(speaker.call(speaker.body()))
    strange = speaker.body() | {"no_such_member": {"deep": [1]}, "neither": 0}
    found = speaker.dialect.parse_create(speaker.call(strange))
    assert plain.ignored == ()
    assert sorted(found.ignored) == ["neither", "no_such_member"]
    assert found.request == plain.request


@EVERY
def test_null_is_absent(speaker: Speaker) -> None:
    plain = speaker.body()
    for name in speaker.places:
        if name in ("model", "prompt", "first_frame", "last_frame"):
            continue
        nulled = speaker.dialect.parse_create(speaker.call(speaker.body(**{name: None})))
        assert nulled.request == request_of(speaker, plain), name
        assert nulled.ignored == ()
    frame = speaker.body()
    frame[str(speaker.places["first_frame"][0])] = None
    if isinstance(plain.get("input"), dict):
        frame = plain | {"input": {**plain["input"], "img_url": None, "last_frame_url": None}}
    assert request_of(speaker, frame) == request_of(speaker, plain)


@EVERY
def test_falsy_values_survive(speaker: Speaker) -> None:
    request = request_of(speaker, speaker.body(prompt_extend=False, seed=0))
    assert request.prompt_extend is False
    assert request.seed == 0


@EVERY
@pytest.mark.parametrize("text", ["832*480", "832x480", "832X480", "832\u00d7480"])
def test_size_separators_are_equal(speaker: Speaker, text: str) -> None:
    size = request_of(speaker, speaker.body(size=text)).size
    assert size is not None
    assert (size.width, size.height) == (832, 480)


@EVERY
@pytest.mark.parametrize(("text", "wanted"), [("true", True), ("FALSE", False), (1, True)])
def test_flags_may_be_text_or_number(speaker: Speaker, text: object, wanted: bool) -> None:
    assert request_of(speaker, speaker.body(prompt_extend=text)).prompt_extend is wanted


@EVERY
@pytest.mark.parametrize("value", ["7", 7.0, " 7 "])
def test_integers_may_be_text_or_whole_floats(speaker: Speaker, value: object) -> None:
    assert request_of(speaker, speaker.body(seed=value)).seed == 7


@EVERY
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("prompt", 5),
        ("seed", "five"),
        ("seed", 1.5),
        ("seed", True),
        ("seed", []),
        ("seed", "\u0665"),
        ("prompt_extend", "yes"),
        ("prompt_extend", 2),
        ("duration", {}),
        ("size", 832),
        ("size", "wide"),
        ("resolution", "4K"),
        ("resolution", 720),
    ],
)
def test_a_wrong_type_is_refused_naming_the_member(
    speaker: Speaker, member: str, value: object
) -> None:
    call = speaker.call(speaker.body(**{member: value}))
    with pytest.raises(CallerError) as caught:
        speaker.dialect.parse_create(call)
    assert caught.value.code is ErrorCode.FIELD_INVALID
    name = ".".join(str(step) for step in speaker.places[member])
    assert speaker.dialect.spell(caught.value) == name
    assert speaker.dialect.render_error(caught.value, call).status == 400


# -- one task, every dialect ----------------------------------------------------------------------


def create(server: Harness, speaker: Speaker, account: str = "acme") -> Any:
    return server.client.post(
        speaker.create,
        headers={**server.auth(account), **speaker.headers},
        json=speaker.body(),
    )


@EVERY
def test_a_task_of_one_dialect_can_be_polled_through_every_other(
    server: Harness, speaker: Speaker
) -> None:
    reply = create(server, speaker)
    assert reply.status_code in (200, 201, 202), reply.text
    task = server.last_task()
    assert dig(reply.json(), speaker.id_at) == speaker.spelled(task.id)
    for other in SPEAKERS.values():
        polled = server.client.get(other.poll_path(task.id), headers=server.auth())
        assert polled.status_code == 200, (other.name, polled.text)
        assert dig(polled.json(), other.id_at) == other.spelled(task.id)
        assert dig(polled.json(), other.status_at) == other.words["queued"]


@EVERY
def test_a_foreign_task_looks_like_a_random_id(server: Harness, speaker: Speaker) -> None:
    create(server, speaker)
    own_id = server.last_task().id
    random_id = "7b0f3f6e-6a55-4b0e-9c0e-1f1f9f2a7c11"
    headers = {**server.auth("umbrella"), "x-request-id": "same"}
    seen = []
    for task_id in (own_id, random_id):
        reply = server.client.get(speaker.poll_path(task_id), headers=headers)
        masked = reply.text.replace(speaker.spelled(task_id), "ID")
        seen.append((reply.status_code, masked, sorted(reply.headers)))
    assert seen[0] == seen[1]
    assert seen[0][0] == (200 if speaker.name == "dashscope" else 404)


@EVERY
def test_an_unknown_path_below_a_dialect_is_refused_in_its_shape(
    server: Harness, speaker: Speaker
) -> None:
    path = f"{speaker.dialect.prefixes[0].rstrip('/')}/no/such/path"
    reply = server.client.get(path, headers=server.auth())
    assert reply.status_code == 404
    assert dig(reply.json(), speaker.message_at)
    assert reply.headers["x-request-id"]


@EVERY
def test_a_wrong_method_is_refused_in_the_dialects_shape(server: Harness, speaker: Speaker) -> None:
    reply = server.client.patch(speaker.create, headers=server.auth())
    assert reply.status_code == 405
    assert dig(reply.json(), speaker.message_at)


@EVERY
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic Zm9v", "Bearer kg_live_x"]
)
def test_a_call_without_a_valid_key_is_401(
    server: Harness, speaker: Speaker, header: str | None
) -> None:
    headers = {**speaker.headers} | ({"authorization": header} if header is not None else {})
    reply = server.client.post(speaker.create, headers=headers, json=speaker.body())
    assert reply.status_code == 401
    assert dig(reply.json(), speaker.message_at)


@EVERY
def test_the_same_key_and_body_make_one_task(server: Harness, speaker: Speaker) -> None:
    headers = {**server.auth(), **speaker.headers, "idempotency-key": "k-1", "x-request-id": "r"}
    first = server.client.post(speaker.create, headers=headers, json=speaker.body())
    again = server.client.post(speaker.create, headers=headers, json=speaker.body())
    other = server.client.post(speaker.create, headers=headers, json=speaker.body(seed=1))
    assert again.content == first.content
    assert again.status_code == first.status_code
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert 400 <= other.status_code < 500
    assert dig(other.json(), speaker.message_at)


@EVERY
def test_ignored_members_are_named_in_a_header(server: Harness, speaker: Speaker) -> None:
    body = speaker.body() | {"no_such_member": 1}
    headers = {**server.auth(), **speaker.headers}
    reply = server.client.post(speaker.create, headers=headers, json=body)
    assert reply.headers["x-kinogate-ignored"] == "no_such_member"


@EVERY
def test_the_body_cap_holds(server: Harness, speaker: Speaker) -> None:
    headers = {**server.auth(), **speaker.headers, "content-type": "application/json"}
    reply = server.client.post(speaker.create, headers=headers, content=b" " * (2 * 1024**2 + 1))
    assert reply.status_code in (400, 413)
    assert dig(reply.json(), speaker.message_at)


@EVERY
def test_every_action_of_a_route_is_implemented(speaker: Speaker) -> None:
    needed = {
        Action.CREATE: "parse_create",
        Action.CREATE_WAIT: "render_timeout",
        Action.GET: "render_task",
        Action.LIST: "parse_list",
        Action.CANCEL: "render_canceled",
        Action.DELETE: "render_deleted",
        Action.REMIX: "parse_remix",
        Action.STREAM: "render_event",
        Action.MODELS: "render_models",
        Action.MODEL: "render_model",
        Action.ME: "render_me",
        Action.UPLOAD_POLICY: "render_certificate",
        Action.FILE_CREATE: "render_file",
    }
    kind = type(speaker.dialect)
    for route in speaker.dialect.routes:
        name = needed.get(route.action)
        assert name is None or name in kind.__dict__, (route.path, name)
