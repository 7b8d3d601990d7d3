"""Bytes that no honest client sends: refused in the dialect's shape, and nothing comes of them."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from live import LiveServer
from wires import (
    DASHSCOPE,
    MULEROUTER,
    NATIVE,
    OPENAI,
    UNIFIED,
    VTRIX,
    WIRES,
    Wire,
    check_refusal,
    task_count,
)

EACH = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
EACH_NAMING_A_MODEL = pytest.mark.parametrize(
    "wire", [wire for wire in WIRES if wire is not MULEROUTER], ids=lambda wire: wire.name
)


@pytest.fixture(autouse=True)
def _nothing_is_stored(client: httpx2.Client) -> Iterator[None]:
    before = task_count(client)
    yield
    assert task_count(client) == before


def with_prompt(wire: Wire, raw: str) -> bytes:
    """The wire's body with the prompt's JSON replaced, as bytes that need not be JSON."""
    text = json.dumps(wire.body)
    return text.replace('"A lighthouse by the sea"', raw).encode("utf-8", "surrogatepass")


def with_member(wire: Wire, raw: str) -> bytes:
    """The wire's body with one more member at the top."""
    return f"{json.dumps(wire.body)[:-1]}, {raw}}}".encode()


MALFORMED: dict[str, Callable[[Wire], bytes]] = {
    "empty": lambda wire: b"",
    "blank": lambda wire: b" \n\t ",
    "not-json": lambda wire: b"prompt=cat",
    "cut-off": lambda wire: json.dumps(wire.body).encode()[:-3],
    "trailing": lambda wire: json.dumps(wire.body).encode() + b"x",
    "two-values": lambda wire: json.dumps(wire.body).encode() * 2,
    "list": lambda wire: b"[]",
    "null": lambda wire: b"null",
    "number": lambda wire: b"7",
    "string": lambda wire: b'"cat"',
    "deep-lists": lambda wire: b"[" * 100_000,
    "deep-objects": lambda wire: b'{"a":' * 100_000,
    "nan": lambda wire: with_member(wire, '"seed": NaN'),
    "infinity": lambda wire: with_member(wire, '"seed": -Infinity'),
    "beyond-double": lambda wire: with_member(wire, '"seed": 1e400'),
    "5000-digits": lambda wire: with_member(wire, '"seed": ' + "9" * 5_000),
    "60-digits": lambda wire: with_member(wire, '"seed": ' + "9" * 60),
    "duplicate": lambda wire: with_member(wire, '"prompt": "a", "prompt": "b"'),
    "escaped-surrogate": lambda wire: with_prompt(wire, '"\\ud800"'),
    "raw-surrogate": lambda wire: with_prompt(wire, '"\ud800"'),
    "nul": lambda wire: with_prompt(wire, '"a\\u0000b"'),
    "raw-control": lambda wire: with_prompt(wire, '"a\x01b"'),
    "bad-utf8": lambda wire: json.dumps(wire.body).encode() + b"\xff",
    "utf-16": lambda wire: json.dumps(wire.body).encode("utf-16"),
    "bom": lambda wire: b"\xef\xbb\xbf" + json.dumps(wire.body).encode(),
    "single-quotes": lambda wire: str(wire.body).encode(),
    "comment": lambda wire: b"/* */" + json.dumps(wire.body).encode(),
    "comma": lambda wire: json.dumps(wire.body).encode()[:-1] + b",}",
    "bad-escape": lambda wire: with_prompt(wire, '"\\x41"'),
    "prompt-is-number": lambda wire: with_prompt(wire, "5"),
    "prompt-is-list": lambda wire: with_prompt(wire, '["a"]'),
    "prompt-is-object": lambda wire: with_prompt(wire, '{"a": 1}'),
    "prompt-is-true": lambda wire: with_prompt(wire, "true"),
    "prompt-is-null": lambda wire: with_prompt(wire, "null"),
    "prompt-is-blank": lambda wire: with_prompt(wire, '"  "'),
}


@EACH
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_body_is_refused(kind: str, wire: Wire, client: httpx2.Client) -> None:
    reply = client.post(
        wire.create,
        content=MALFORMED[kind](wire),
        headers={**wire.headers, "content-type": "application/json"},
    )
    check_refusal(reply, wire, (400,))


def changed(wire: Wire, member: str, value: Any) -> dict[str, Any]:
    """The body with a parameter replaced, wherever the dialect keeps its parameters."""
    if "parameters" in wire.body:
        return {**wire.body, "parameters": {**wire.body["parameters"], member: value}}
    return {**wire.body, ("seconds" if wire is OPENAI and member == "duration" else member): value}


WRONG: tuple[tuple[str, Any], ...] = (
    ("size", "833*480"),
    ("size", "0*0"),
    ("size", "-1*1"),
    ("size", "99999*99999"),
    ("size", "832*480*1"),
    ("size", "9" * 5_000),
    ("size", 832),
    ("size", ["832*480"]),
    ("duration", 0),
    ("duration", -5),
    ("duration", 6),
    ("duration", 5.5),
    ("duration", 1e9),
    ("duration", 2**63 - 1),
    ("duration", True),
    ("duration", "five"),
    ("duration", {}),
    ("seed", -1),
    ("seed", 2**31),
    ("seed", 1.5),
    ("seed", True),
    ("seed", "abc"),
    ("seed", [1]),
    ("watermark", "perhaps"),
    ("watermark", 2),
    ("watermark", []),
    ("prompt_extend", "maybe"),
    ("resolution", "8K"),
    ("resolution", 480),
)


WRONG_HERE = [
    pytest.param(member, value, wire, id=f"{wire.name}-{member}-{str(value)[:20]}")
    for wire in WIRES
    for member, value in WRONG
    if (wire.name, member) != ("mulerouter", "watermark")  # has no such member
]


@pytest.mark.parametrize(("member", "value", "wire"), WRONG_HERE)
def test_a_parameter_out_of_range_is_refused(
    member: str, value: Any, wire: Wire, client: httpx2.Client
) -> None:
    reply = client.post(wire.create, json=changed(wire, member, value), headers=wire.headers)
    check_refusal(reply, wire, (400,))


@EACH
def test_a_large_body_of_brackets_does_not_hold_up_others(
    wire: Wire, client: httpx2.Client
) -> None:
    begun = time.monotonic()
    reply = client.post(
        wire.create,
        content=b'{"a": [' + b"[]," * (5 << 20) + b"[]]}",
        headers={**wire.headers, "content-type": "application/json"},
    )
    check_refusal(reply, wire, (400,))
    assert time.monotonic() - begun < 3


UNKNOWN_MODELS = (
    "wan9.9-t2v",
    "WAN2.2",
    "wan2.2-t2v-plus ",
    "../../etc/passwd",
    "x" * 10_000,
    "\n",
)


@pytest.mark.parametrize("model", UNKNOWN_MODELS, ids=lambda model: repr(model)[:20])
@EACH_NAMING_A_MODEL
def test_an_unknown_model_is_refused(model: str, wire: Wire, client: httpx2.Client) -> None:
    reply = client.post(wire.create, json={**wire.body, "model": model}, headers=wire.headers)
    check_refusal(reply, wire, (400, 404))


@pytest.mark.parametrize("model", ["wan9.9-t2v", "%00", "..%2f..%2fetc", "x" * 5_000, "%ff%fe"])
def test_an_unknown_model_in_the_path_is_refused(model: str, client: httpx2.Client) -> None:
    reply = client.post(f"/vendors/alibaba/v1/{model}/generation", json=MULEROUTER.body)
    check_refusal(reply, MULEROUTER, (400, 404))


@EACH_NAMING_A_MODEL
@pytest.mark.parametrize("model", [5, [], {"a": 1}, True], ids=repr)
def test_an_odd_model_is_refused(model: Any, wire: Wire, client: httpx2.Client) -> None:
    reply = client.post(wire.create, json={**wire.body, "model": model}, headers=wire.headers)
    check_refusal(reply, wire, (400,))


@pytest.mark.parametrize("wire", [UNIFIED, DASHSCOPE, VTRIX, NATIVE], ids=lambda wire: wire.name)
@pytest.mark.parametrize("model", [None, ""], ids=repr)
def test_a_missing_model_is_refused(model: str | None, wire: Wire, client: httpx2.Client) -> None:
    """OpenAI's has a default, MuleRouter's is in the path."""
    reply = client.post(wire.create, json={**wire.body, "model": model}, headers=wire.headers)
    check_refusal(reply, wire, (400,))


IMAGE_MEMBER = {"unified": "images", "openai": "input_reference", "native": "image"}
BAD_URLS = (
    "not a url",
    "ftp://example.com/a.png",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://127.0.0.1/a.png",
    "http://localhost/a.png",
    "http://[::1]/a.png",
    "http://0/a.png",
    "http://2130706433/a.png",
    "http://0x7f000001/a.png",
    "http://0177.0.0.1/a.png",
    "http://169.254.169.254/latest/meta-data",
    "http://100.100.100.200/latest",
    "http://[::ffff:127.0.0.1]/a.png",
    "http://[64:ff9b::a9fe:a9fe]/a.png",
    "http://\uff11\uff12\uff17.0.0.1/a.png",
    "http://user:pass@example.com/a.png",
    "http://a@b@c/a.png",
    "http://example.com:22/a.png",
    "http://example.com:99999/a.png",
    "http://[/a.png",
    "http://exa mple.com/a.png",
    "http://example.com/%0d%0aX: y",
    "http://" + "a" * 9_000 + "/a.png",
    "data:image/png;base64,!!!!",
    "data:image/png;base64,",
    "data:text/html;base64,PGI+",
    "data:,",
)


def with_picture(wire: Wire, url: str) -> dict[str, Any]:
    if wire is MULEROUTER:
        return {"prompt": "A cat", "image": url}
    model = "wan25_i2v_preview" if wire is VTRIX else "wan2.5-i2v-preview"
    if "input" in wire.body:
        return {"model": model, "input": {"prompt": "A cat", "img_url": url}}
    member = IMAGE_MEMBER[wire.name]
    return {"model": model, "prompt": "A cat", member: [url] if member == "images" else url}


@EACH
@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: url[:40])
def test_a_forbidden_picture_url_is_refused_at_once(
    url: str, wire: Wire, client: httpx2.Client
) -> None:
    path = wire.create.replace("wan2.2-t2v-plus", "wan2.5-i2v-preview")
    reply = client.post(path, json=with_picture(wire, url), headers=wire.headers)
    check_refusal(reply, wire, (400,))
    assert "169.254" not in reply.text or "169.254" in url


@EACH
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "x" * 100])
def test_a_compressed_body_is_refused(encoding: str, wire: Wire, client: httpx2.Client) -> None:
    reply = client.post(
        wire.create,
        content=gzip.compress(json.dumps(wire.body).encode()),
        headers={**wire.headers, "content-encoding": encoding, "content-type": "application/json"},
    )
    check_refusal(reply, wire, (400, 415))


@EACH
@pytest.mark.parametrize("junk", ["", "x" * 256, "a b", "caf\u00e9", "a\tb"], ids=repr)
def test_a_junk_idempotency_key_is_refused(junk: str, wire: Wire, client: httpx2.Client) -> None:
    headers = [(name.encode(), value.encode()) for name, value in wire.headers.items()]
    headers.append((b"idempotency-key", junk.encode()))
    reply = client.post(wire.create, json=wire.body, headers=headers)
    check_refusal(reply, wire, (400,))


@EACH
@pytest.mark.parametrize("junk", ["nonsense", "slow=", "slow=-1", "slow=1e9", "queue=x", "fail=1"])
def test_a_junk_simulation_is_refused(junk: str, wire: Wire, client: httpx2.Client) -> None:
    reply = wire.submit(client, x_kinogate_simulate=junk)
    check_refusal(reply, wire, (400,))


@EACH
@pytest.mark.parametrize(
    "credential",
    ["", "Bearer", "Basic", "Basic YTpi", "Bearer sk-x", "bearer " + "x" * 8_000, "Bearer \xff"],
    ids=lambda text: text[:14],
)
def test_a_bad_key_is_refused(credential: str, wire: Wire, live: LiveServer) -> None:
    headers = [(name.encode(), value.encode()) for name, value in wire.headers.items()]
    headers.append((b"authorization", credential.encode("latin-1")))
    reply = httpx2.post(live.url + wire.create, json=wire.body, headers=headers, trust_env=False)
    check_refusal(reply, wire, (401,))


@EACH
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_a_wrong_method_is_refused(method: str, wire: Wire, client: httpx2.Client) -> None:
    reply = client.request(method, wire.create, headers=wire.headers)
    check_refusal(reply, wire, (405,))
    assert "POST" in reply.headers["allow"]


ODD_IDS = (
    "%00",
    "a%00b",
    "%ff%fe",
    "x" * 6_000,
    "%E2%98%83",
    "..%2F..%2Fetc%2Fpasswd",
    "'%20OR%201=1--",
    "%7B%7B7*7%7D%7D",
    "video_",
    "null",
    "-1",
    "00000000-0000-0000-0000-000000000000",
    "%1b%5b31m",
    "%0d%0aX:%20y",
)


@EACH
@pytest.mark.parametrize("odd", ODD_IDS, ids=lambda odd: odd[:20])
def test_an_odd_id_names_nothing(odd: str, wire: Wire, client: httpx2.Client) -> None:
    reply = client.get(wire.poll.format(id=odd))
    if wire is DASHSCOPE and reply.status_code == 200:
        assert wire.status_of(reply.json()) == "UNKNOWN"
        return
    check_refusal(reply, wire, (404,))


PREFIXED = (
    ("/v2/nothing", UNIFIED),
    ("/v2/videos/generations/a/b", UNIFIED),
    ("/api/v1/nothing", DASHSCOPE),
    ("/qwen/api/v1/nothing", DASHSCOPE),
    ("/proxy/wan/api/v1/services/aigc/x", DASHSCOPE),
    ("/model/v1/nothing", VTRIX),
    ("/vendors/alibaba/v1/nothing", MULEROUTER),
    ("/v1/videos/a/b/c", OPENAI),
    ("/kinogate/v1/nothing", NATIVE),
    ("/nothing", NATIVE),
    ("//", NATIVE),
    ("/%00", NATIVE),
    ("/" + "a" * 8_000, NATIVE),
)


@pytest.mark.parametrize(("path", "wire"), PREFIXED, ids=lambda value: str(value)[:24])
def test_an_unknown_path_is_answered_by_the_prefixs_owner(
    path: str, wire: Wire, client: httpx2.Client, live: LiveServer
) -> None:
    reply = client.get(live.url + path)
    check_refusal(reply, wire, (404,))


@EACH
def test_a_preflight_is_answered_without_a_key(wire: Wire, live: LiveServer) -> None:
    reply = httpx2.options(
        live.url + wire.create,
        headers={
            "origin": "https://app.example.com",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        },
        trust_env=False,
    )
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "authorization" in reply.headers["access-control-allow-headers"]
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in reply.headers


@EACH
def test_a_refusal_can_be_read_by_a_browser(wire: Wire, client: httpx2.Client) -> None:
    reply = client.post(wire.create, content=b"{", headers={**wire.headers, "origin": "null"})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "x-request-id" in reply.headers["access-control-expose-headers"]


@EACH
def test_head_of_a_poll_has_no_body(wire: Wire, client: httpx2.Client) -> None:
    reply = client.head(wire.poll.format(id="8a8e7a0c-9d0e-4a52-a0f5-64a1a49ab1e2"))
    assert reply.status_code in (200, 404)
    assert reply.content == b""


@pytest.mark.parametrize(
    "query",
    ["page_size=1e9", "page_size=-1", "page_no=0", "page_no=99999999999999999999", "status=LOST"],
)
def test_an_odd_page_is_refused_or_empty(query: str, client: httpx2.Client) -> None:
    reply = client.get(f"/api/v1/tasks?{query}")
    assert reply.status_code in (200, 400)
    if reply.status_code == 400:
        check_refusal(reply, DASHSCOPE)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "order=up", "limit=%00", "limit=9999999999999999"]
)
def test_an_odd_limit_is_refused(query: str, client: httpx2.Client) -> None:
    check_refusal(client.get(f"/v1/videos?{query}"), OPENAI, (400,))


@pytest.mark.parametrize(
    ("path", "wire"),
    [
        ("/v1/videos?after=a%00", OPENAI),
        ("/kinogate/v1/tasks?model=%00", NATIVE),
        ("/api/v1/tasks?model_name=%00", DASHSCOPE),
    ],
)
def test_a_nul_does_not_reach_the_database(path: str, wire: Wire, client: httpx2.Client) -> None:
    """SQLite takes it, Postgres does not."""
    check_refusal(client.get(path), wire, (400,))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=a", b"--b\r\n\r\n"),
        (
            "multipart/form-data; boundary=a",
            b"--a\r\ncontent-disposition: form-data\r\n\r\nx\r\n--a--",
        ),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\ncontent-disposition: form-data; name="prompt"',
        ),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na\x00b\r\n--a--\r\n',
        ),
        ("application/x-www-form-urlencoded", b"prompt=%00&model=wan2.2-t2v-plus&size=832x480"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 1_000)),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("text/plain", b"prompt"),
        ("\xff", b"{"),
    ],
)
def test_a_bad_form_is_refused(kind: str, content: bytes, client: httpx2.Client) -> None:
    headers = [(b"content-type", kind.encode("latin-1"))]
    check_refusal(client.post("/v1/videos", content=content, headers=headers), OPENAI, (400,))
