"""DashScope's upload flow and our own files through the whole server."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from factories import MP4_HEAD, START_MS, a_png, a_wav
from harness import MAX_UPLOAD_BYTES, ORIGIN, Harness, wait_for
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import Role
from kinogate.domain.upload import UPLOAD_TTL_S
from kinogate.service.retention import Retention
from kinogate.service.upload_parts import PART_TTL_S
from speakers import SPEAKERS, Speaker, dig, put

MODEL = "wan2.6-i2v"
NAME = "my cat \u5c0f\u732b (1).png"
PNG = a_png(400, 300)
FILES = "/kinogate/v1/files"
CREATE = "/api/v1/services/aigc/video-generation/video-synthesis"
UNREACHABLE = "The URL could not be fetched."
EVERY = pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=lambda speaker: speaker.name)


# -- DashScope ------------------------------------------------------------------------------------


def certificate(server: Harness, *, account: str = "acme", model: str = MODEL, at: str = "") -> Any:
    reply = server.client.get(
        f"{at}/api/v1/uploads?action=getPolicy&model={model}", headers=server.auth(account)
    )
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]


def send(server: Harness, given: Any, data: bytes = PNG, **changes: str) -> Any:
    fields = {
        "OSSAccessKeyId": given["oss_access_key_id"],
        "Signature": given["signature"],
        "policy": given["policy"],
        "key": f"{given['upload_dir']}/{NAME}",
        "x-oss-object-acl": given["x_oss_object_acl"],
        "x-oss-forbid-overwrite": given["x_oss_forbid_overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": "image/png",
        **changes,
    }
    # Values that are None are left out; the file part has no content type, as httpx would add one.
    files = {name: (None, value) for name, value in fields.items() if value is not None}
    return server.client.post(given["upload_host"], files={**files, "file": (NAME, data, None)})


def create(
    server: Harness, url: str, *, account: str = "acme", model: str = MODEL, resolve: str = "enable"
) -> Any:
    headers = {"x-dashscope-async": "enable", "x-dashscope-ossresourceresolve": resolve}
    return server.client.post(
        CREATE,
        headers=server.auth(account) | headers,
        json={"model": model, "input": {"prompt": "run", "img_url": url}},
    )


def uploaded(server: Harness, **certificate_of: str) -> str:
    given = certificate(server, **certificate_of)
    reply = send(server, given)
    assert (reply.status_code, reply.content) == (200, b"")
    return f"oss://{given['upload_dir']}/{NAME}"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_certificate_has_every_member_that_the_sdks_read(server: Harness, slash: str) -> None:
    reply = server.client.get(
        f"/api/v1/uploads{slash}?action=getPolicy&model={MODEL}", headers=server.auth()
    )
    body = reply.json()
    data = body["data"]
    assert body["request_id"]
    assert data["upload_host"] == f"{ORIGIN}/api/v1/uploads/form"
    assert data["upload_dir"].startswith("dashscope-instant/acme/2026-01-01/")
    assert (data["expire_in_seconds"], data["max_file_size_mb"]) == (300, 3)
    assert (data["x_oss_object_acl"], data["x_oss_forbid_overwrite"]) == ("private", "true")
    assert all(data[name] for name in ("oss_access_key_id", "signature", "policy"))
    told = json.loads(base64.b64decode(data["policy"]))
    assert (told["account"], told["model"], told["dir"]) == ("acme", MODEL, data["upload_dir"])


def test_an_uploaded_file_is_the_input_of_a_task(server: Harness) -> None:
    reply = create(server, uploaded(server))
    assert reply.status_code == 200, reply.text
    (stored,) = server.last_task().plan.media
    assert (stored.role, stored.url) == (Role.FIRST_FRAME, None)
    key = stored.blob_key or ""
    assert key.startswith("uploads/acme/")
    assert "cat" not in key
    assert wait_for(server.blobs.stat(key)).size_bytes == len(PNG)


def test_the_form_comes_in_under_the_certificates_prefix(server: Harness) -> None:
    given = certificate(server, at="/qwen")
    assert given["upload_host"] == f"{ORIGIN}/qwen/api/v1/uploads/form"
    assert send(server, given).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("action=getPolicy", 400, "BadRequest.EmptyModel"),
        ("action=getPolicy&model=", 400, "BadRequest.EmptyModel"),
        ("action=getPolicy&model=wan9-i2v", 404, "ModelNotFound"),
        (f"action=list&model={MODEL}", 400, "InvalidParameter"),
        (f"model={MODEL}", 400, "InvalidParameter"),
    ],
)
def test_a_certificate_is_for_a_known_model(
    server: Harness, query: str, status: int, code: str
) -> None:
    reply = server.client.get(f"/api/v1/uploads?{query}", headers=server.auth())
    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_a_certificate_needs_a_key(server: Harness) -> None:
    reply = server.client.get(f"/api/v1/uploads?action=getPolicy&model={MODEL}")
    assert (reply.status_code, reply.json()["code"]) == (401, "InvalidApiKey")


def refused_form(server: Harness, reply: Any) -> tuple[int, str, str]:
    body = reply.json()
    assert set(body) == {"code", "message", "request_id"}
    assert not [key for key in server.blobs._blobs if key.startswith("uploads/")]
    return reply.status_code, body["code"], body["message"]


def test_a_late_form_is_denied_in_the_vendors_words(server: Harness) -> None:
    given = certificate(server)
    server.clock.ms += 300_000
    assert refused_form(server, send(server, given)) == (
        403,
        "AccessDenied",
        "Invalid according to Policy: Policy expired.",
    )


def test_a_key_outside_the_folder_is_denied(server: Harness) -> None:
    given = certificate(server)
    for key in ("a.png", f"{given['upload_dir']}/../b.png", f"{given['upload_dir']}x/a.png"):
        assert refused_form(server, send(server, given, key=key))[:2] == (403, "AccessDenied")


def test_a_changed_policy_is_denied(server: Harness) -> None:
    given, other = certificate(server), certificate(server, account="umbrella")
    mixed = given | {"policy": other["policy"], "upload_dir": other["upload_dir"]}
    assert refused_form(server, send(server, mixed))[:2] == (403, "AccessDenied")


def test_a_file_above_the_limit_is_refused_and_one_at_it_taken(server: Harness) -> None:
    large = bytes(MAX_UPLOAD_BYTES + 1)
    status, code, message = refused_form(server, send(server, certificate(server), large))
    assert (status, code) == (400, "InvalidFile.Size")
    assert str(MAX_UPLOAD_BYTES) in message
    assert send(server, certificate(server), large[1:]).status_code == 200


@pytest.mark.parametrize("name", ["policy", "Signature", "key"])
def test_a_form_without_a_field_is_told_so(server: Harness, name: str) -> None:
    reply = send(server, certificate(server), **{name: ""})
    assert refused_form(server, reply) == (400, "InvalidParameter", f"Field required: {name}")


def test_a_form_without_a_file_is_told_so(server: Harness) -> None:
    given = certificate(server)
    reply = server.client.post(given["upload_host"], files={"policy": (None, given["policy"])})
    assert refused_form(server, reply) == (400, "InvalidParameter", "Field required: file")
    broken = server.client.post(
        given["upload_host"],
        content=b"--b\r\n",
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert refused_form(server, broken)[:2] == (400, "InvalidParameter")


def test_the_same_file_may_come_twice_and_another_not_in_its_place(server: Harness) -> None:
    given = certificate(server)
    assert send(server, given).status_code == 200
    assert send(server, given).status_code == 200
    reply = send(server, given, a_png(500, 500))
    assert (reply.status_code, reply.json()["code"]) == (400, "InvalidParameter")


def invalid_url(reply: Any) -> str:
    body = reply.json()
    assert (reply.status_code, body["code"]) == (400, "InvalidURL"), body
    message: str = body["message"]
    return message


def test_every_key_that_does_not_resolve_reads_the_same(server: Harness) -> None:
    url = uploaded(server)
    unknown = invalid_url(create(server, "oss://dashscope-instant/acme/2026-01-01/x/a.png"))
    assert unknown == f"input.img_url: {UNREACHABLE}"
    assert invalid_url(create(server, url, account="umbrella")) == unknown
    assert invalid_url(create(server, url, model="wan2.5-i2v-preview")) == unknown
    assert invalid_url(create(server, f"{url}x")) == unknown
    server.clock.ms += UPLOAD_TTL_S * 1000
    assert invalid_url(create(server, url)) == unknown


def test_an_upload_lives_for_48_hours(server: Harness) -> None:
    url = uploaded(server)
    server.clock.ms += UPLOAD_TTL_S * 1000 - 1
    assert create(server, url).status_code == 200


def test_another_spelling_of_the_model_resolves_too(server: Harness) -> None:
    assert create(server, uploaded(server), model="WAN2.6-i2v").status_code == 200


@pytest.mark.parametrize("resolve", ["", "disable"])
def test_uploads_resolve_only_when_asked_for(server: Harness, resolve: str) -> None:
    reply = create(server, uploaded(server), resolve=resolve)
    body = reply.json()
    assert (reply.status_code, body["code"]) == (400, "InvalidParameter.DataInspection")
    assert "Unable to download the media resource during the data inspection" in body["message"]
    assert "The provided URL does not appear to be valid" in body["message"]
    assert "X-DashScope-OssResourceResolve" in body["message"]


def test_other_dialects_know_no_such_scheme(server: Harness) -> None:
    body = {"model": MODEL, "prompt": "run", "image": uploaded(server)}
    reply = server.client.post("/kinogate/v1/tasks", headers=server.auth(), json=body)
    assert (reply.status_code, reply.json()["code"]) == (400, "media_url_invalid")


# -- our own --------------------------------------------------------------------------------------


def raw(server: Harness, data: bytes, account: str = "acme") -> Any:
    return server.client.post(FILES, headers=server.auth(account), content=data)


@pytest.mark.parametrize(
    ("data", "kind", "suffix"),
    [(PNG, "png", ".png"), (a_wav(), "wav", ".wav"), (MP4_HEAD, "mp4", ".mp4")],
)
def test_a_raw_body_becomes_a_file_with_a_link(
    server: Harness, data: bytes, kind: str, suffix: str
) -> None:
    reply = raw(server, data)
    body = reply.json()
    assert reply.status_code == 201
    assert (body["status"], body["kind"], body["size_bytes"]) == ("ready", kind, len(data))
    assert body["url"].startswith(f"{ORIGIN}/files/uploads/acme/{body['id']}{suffix}?")
    assert body["expires_at"] == "2026-01-03T00:00:00.000Z"
    assert server.client.get(body["url"]).content == data
    assert server.client.get(f"{FILES}/{body['id']}", headers=server.auth()).json() == body


def test_a_form_becomes_a_file_whatever_it_is_called(server: Harness) -> None:
    files = {"note": (None, "x"), "upload": ("../../etc/passwd \u732b.exe", PNG, "text/html")}
    body = server.client.post(FILES, headers=server.auth(), files=files).json()
    assert (body["kind"], body["size_bytes"]) == ("png", len(PNG))
    assert "passwd" not in body["url"]
    assert server.client.get(body["url"]).headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "field_missing"),
        (b"<html>hello</html>", 400, "media_format"),
        (b"GIF89a" + bytes(50), 400, "media_format"),
        (PNG + bytes(MAX_UPLOAD_BYTES), 400, "media_too_large"),
    ],
)
def test_what_can_be_no_input_is_refused(
    server: Harness, data: bytes, status: int, code: str
) -> None:
    reply = raw(server, data)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert not server.blobs._blobs


def test_files_need_a_key(server: Harness) -> None:
    for method, path in (("POST", FILES), ("PUT", f"{FILES}/x"), ("GET", f"{FILES}/x")):
        assert server.client.request(method, path, content=PNG).status_code == 401


def begin(server: Harness, size: int) -> Any:
    reply = server.client.post(FILES, headers=server.auth() | {"upload-length": str(size)})
    assert reply.status_code == 201, reply.text
    return reply


def put_piece(server: Harness, file_id: str, data: bytes, text: str, account: str = "acme") -> Any:
    return server.client.put(
        f"{FILES}/{file_id}",
        headers=server.auth(account) | {"content-range": text},
        content=data,
    )


def test_a_file_comes_in_pieces(server: Harness) -> None:
    size, cut = len(PNG), 300
    begun = begin(server, size)
    body = begun.json()
    assert (body["status"], body["received_bytes"], body["url"]) == ("uploading", 0, None)
    where = f"{FILES}/{body['id']}"
    assert begun.headers["location"] == where
    first = put_piece(server, body["id"], PNG[:cut], f"bytes 0-{cut - 1}/{size}")
    assert (first.status_code, first.json()["received_bytes"]) == (200, cut)
    head = server.client.head(where, headers=server.auth())
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == (str(cut), str(size))
    last = put_piece(server, body["id"], PNG[cut:], f"bytes {cut}-{size - 1}/{size}").json()
    assert (last["status"], last["kind"], last["received_bytes"]) == ("ready", "png", size)
    assert server.client.get(last["url"]).content == PNG
    assert server.client.get(where, headers=server.auth()).json() == last


@pytest.mark.parametrize(
    "text", ["bytes 0-9/100", "bytes 20-29/100", "bytes 5-14/100", "bytes 10-19/99"]
)
def test_a_piece_out_of_place_is_told_the_offset(server: Harness, text: str) -> None:
    file_id = begin(server, 100).json()["id"]
    put_piece(server, file_id, PNG[:10], "bytes 0-9/100")
    reply = put_piece(server, file_id, PNG[:10], text)
    assert (reply.status_code, reply.headers["upload-offset"]) == (400, "10")
    assert reply.json()["field"] == "Content-Range"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes 9-0/100",
        "bytes 0-100/100",
        "bytes */100",
        "bytes 0-8/100",
        "bytes 0-19/100",
        "0-9/100",
    ],
)
def test_a_range_that_cannot_be_meant_is_refused(server: Harness, text: str) -> None:
    file_id = begin(server, 100).json()["id"]
    reply = put_piece(server, file_id, PNG[:10], text)
    assert (reply.status_code, reply.json()["field"]) == (400, "Content-Range")
    assert (
        server.client.get(f"{FILES}/{file_id}", headers=server.auth()).json()["received_bytes"] == 0
    )


@pytest.mark.parametrize("size", ["0", "-1", "x", str(MAX_UPLOAD_BYTES + 1), "9" * 40])
def test_a_size_that_cannot_be_is_refused_at_once(server: Harness, size: str) -> None:
    reply = server.client.post(FILES, headers=server.auth() | {"upload-length": size})
    assert reply.status_code == 400


def test_a_complete_file_takes_no_further_piece(server: Harness) -> None:
    file_id, size = begin(server, len(PNG)).json()["id"], len(PNG)
    put_piece(server, file_id, PNG, f"bytes 0-{size - 1}/{size}")
    reply = put_piece(server, file_id, PNG, f"bytes 0-{size - 1}/{size}")
    assert (reply.status_code, reply.headers["upload-offset"]) == (400, str(size))


def test_a_whole_that_a_crash_left_behind_is_made_a_file_by_looking(server: Harness) -> None:
    file_id = begin(server, len(PNG)).json()["id"]
    part = server.parts.find("acme", file_id)
    assert part is not None
    part.path.write_bytes(PNG)
    body = server.client.get(f"{FILES}/{file_id}", headers=server.auth()).json()
    assert (body["status"], body["kind"]) == ("ready", "png")
    assert not part.path.exists()


def test_of_two_calls_that_finish_a_file_both_see_it(server: Harness) -> None:
    file_id, size = begin(server, len(PNG)).json()["id"], len(PNG)
    part = server.parts.find("acme", file_id)
    assert part is not None
    body = put_piece(server, file_id, PNG, f"bytes 0-{size - 1}/{size}").json()
    late = wait_for(server.uploads._settle("acme", replace(part, received_bytes=size)))
    assert (late.id, late.url) == (file_id, body["url"])


def test_a_full_disk_keeps_the_pieces(server: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise InternalError(ErrorCode.UNAVAILABLE, "The server has no room for this file.")

    file_id, size = begin(server, len(PNG)).json()["id"], len(PNG)
    with monkeypatch.context() as full:
        full.setattr(server.blobs, "put_file", refuse)
        reply = put_piece(server, file_id, PNG, f"bytes 0-{size - 1}/{size}")
        assert reply.status_code == 503
    body = server.client.get(f"{FILES}/{file_id}", headers=server.auth()).json()
    assert body["status"] == "ready"


def test_pieces_that_make_no_input_are_refused_and_forgotten(server: Harness) -> None:
    file_id = begin(server, 4).json()["id"]
    reply = put_piece(server, file_id, b"text", "bytes 0-3/4")
    assert (reply.status_code, reply.json()["code"]) == (400, "media_format")
    assert server.client.get(f"{FILES}/{file_id}", headers=server.auth()).status_code == 404


def test_a_foreign_file_looks_like_none(server: Harness) -> None:
    half, whole = begin(server, 9).json()["id"], raw(server, PNG).json()["id"]
    for file_id in (half, whole, "00000000-0000-4000-8000-000000000000", "no-id", "..%2f..%2fx"):
        seen = server.client.get(f"{FILES}/{file_id}", headers=server.auth("umbrella"))
        assert (seen.status_code, seen.json()["code"]) == (404, "route_unknown")
    reply = put_piece(server, half, b"abc", "bytes 0-2/9", "umbrella")
    assert reply.status_code == 404


def test_uploads_go_after_48_hours_and_unfinished_ones_after_a_day(server: Harness) -> None:
    whole, half = raw(server, PNG).json(), begin(server, 9).json()
    oss = uploaded(server)
    retention = Retention(server.blobs, server.clock, 60, server.parts)
    server.clock.ms += (PART_TTL_S + 1) * 1000
    assert server.client.get(f"{FILES}/{half['id']}", headers=server.auth()).status_code == 404
    assert wait_for(retention.sweep()) == 1
    server.clock.ms = START_MS + UPLOAD_TTL_S * 1000
    assert server.client.get(f"{FILES}/{whole['id']}", headers=server.auth()).status_code == 404
    assert server.client.get(whole["url"]).status_code == 403
    invalid_url(create(server, oss))
    server.clock.ms += 3_601_000
    assert wait_for(retention.sweep()) == 2
    assert not server.blobs._blobs


# -- own links as inputs --------------------------------------------------------------------------


def submit(server: Harness, speaker: Speaker, url: str, account: str = "acme") -> Any:
    body = speaker.body(model=MODEL)
    place = speaker.places["first_frame"]
    put(body, place, url)
    return server.client.post(
        speaker.create.replace("wan2.6-t2v", MODEL),
        headers=server.auth(account) | dict(speaker.headers),
        json=body,
    )


@EVERY
def test_an_own_link_is_an_input_in_every_dialect(server: Harness, speaker: Speaker) -> None:
    for url in (raw(server, PNG).json()["url"], raw(server, PNG).json()["url"] + "&download=1"):
        reply = submit(server, speaker, url)
        assert reply.is_success, reply.text
        (stored,) = server.last_task().plan.media
        assert (stored.role, stored.url) == (Role.FIRST_FRAME, None)
        assert (stored.blob_key or "").startswith("uploads/acme/")


@EVERY
def test_links_that_are_not_this_accounts_own_read_as_unreachable(
    server: Harness, speaker: Speaker
) -> None:
    url = raw(server, PNG).json()["url"]
    forged = url.replace("/acme/", "/umbrella/")
    seen = []
    for account, link in (("umbrella", url), ("umbrella", forged), ("acme", f"{url}x")):
        reply = submit(server, speaker, link, account)
        assert 400 <= reply.status_code < 500
        seen.append(dig(reply.json(), speaker.message_at))
    assert len(set(seen)) == 1
    assert UNREACHABLE in seen[0]


@EVERY
@pytest.mark.parametrize("host", ["http://127.0.0.1:8080", "https://10.0.0.7"])
def test_our_path_on_another_host_is_not_ours(server: Harness, speaker: Speaker, host: str) -> None:
    url = raw(server, PNG).json()["url"].replace(ORIGIN, host)
    reply = submit(server, speaker, url)
    assert 400 <= reply.status_code < 500
    assert UNREACHABLE not in dig(reply.json(), speaker.message_at)


def test_our_path_on_a_strangers_host_is_left_to_the_fetcher(server: Harness) -> None:
    url = raw(server, PNG).json()["url"].replace(ORIGIN, "https://cdn.example.com")
    assert submit(server, SPEAKERS["native"], url).status_code == 201
    (stored,) = server.last_task().plan.media
    assert (stored.blob_key, stored.url) == (None, url)
