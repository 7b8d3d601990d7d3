"""Results over signed links: fetched by players, caches and strangers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from live import LiveServer, polls
from wires import DASHSCOPE, MULEROUTER, NATIVE, OPENAI, UNIFIED, VTRIX, WIRES, Json, Wire

PUBLIC = "https://video.example.com"


def link_of(wire: Wire, found: Json) -> str:
    """The URL in a query reply."""
    url = {
        UNIFIED.name: lambda: found["data"]["output"],
        DASHSCOPE.name: lambda: found["output"]["video_url"],
        VTRIX.name: lambda: found["output"][0]["content"][0]["url"],
        MULEROUTER.name: lambda: found["videos"][0],
        OPENAI.name: lambda: found["video_url"],
        NATIVE.name: lambda: found["video"]["url"],
    }[wire.name]()
    assert isinstance(url, str)
    return url


@pytest.fixture(scope="module")
def clip(live: LiveServer) -> tuple[str, bytes]:
    """A finished clip's link and bytes."""
    with live.client() as client:
        found = NATIVE.await_end(client, NATIVE.start(client))
    url = link_of(NATIVE, found)
    reply = httpx2.get(url, trust_env=False)
    assert reply.status_code == 200
    return url, reply.content


def get(url: str, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.get(url, headers=named, trust_env=False)


def test_a_link_needs_no_key_and_gives_its_content_no_power(clip: tuple[str, bytes]) -> None:
    reply = get(clip[0])
    assert reply.headers["content-type"] == "video/mp4"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["accept-ranges"] == "bytes"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("asked", ["bytes=0-1", "bytes=100-199", "bytes=-50", "bytes=1000-"])
def test_a_range_is_cut_out(asked: str, clip: tuple[str, bytes]) -> None:
    url, data = clip
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first) if first else len(data) - int(last)
    end = int(last) + 1 if first and last else len(data)
    reply = get(url, range=asked)
    assert reply.status_code == 206
    assert reply.content == data[start:end]
    assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{len(data)}"


def test_a_range_beyond_the_end_is_416_and_nonsense_is_ignored(clip: tuple[str, bytes]) -> None:
    url, data = clip
    beyond = get(url, range=f"bytes={len(data)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(data)}")
    assert get(url, range="items=0-1").content == data
    assert get(url, range="bytes=5-2").content == data


def test_head_tells_what_get_would(clip: tuple[str, bytes]) -> None:
    url, data = clip
    reply = httpx2.head(url, trust_env=False)
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["content-length"] == str(len(data))


def test_a_known_etag_is_answered_304(clip: tuple[str, bytes]) -> None:
    url, data = clip
    etag = get(url).headers["etag"]
    known = get(url, if_none_match=etag)
    assert (known.status_code, known.content) == (304, b"")
    assert get(url, if_range=etag, range="bytes=0-9").status_code == 206
    assert get(url, if_range='"other"', range="bytes=0-9").content == data


def test_every_changed_character_breaks_the_signature(clip: tuple[str, bytes]) -> None:
    url = clip[0]
    start = url.index("/files/") + len("/files/")
    with httpx2.Client(trust_env=False) as client:
        for at in range(start, len(url)):
            swapped = "b" if url[at] != "b" else "c"
            reply = client.get(url[:at] + swapped + url[at + 1 :])
            assert reply.status_code in (403, 404), (at, url[at], reply.status_code)
            assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_link_only_reads(method: str, clip: tuple[str, bytes]) -> None:
    reply = httpx2.request(method, clip[0], trust_env=False)
    assert reply.status_code == 405
    assert "GET" in reply.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/files/", "/files/..%2f..%2fkinogate.db", "/files/results/", "/files/%00", "/files/a"]
)
def test_no_file_is_served_without_a_signature(path: str, live: LiveServer) -> None:
    reply = get(live.url + path)
    assert reply.status_code in (403, 404)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that is reached under another name; results live a minute."""
    folder = tmp_path_factory.mktemp("public") / "data"
    with LiveServer(folder, public_url=f"{PUBLIC}/", result_ttl_s="60", slots="1") as server:
        yield server


@pytest.mark.xdist_group("public")
def test_every_dialect_links_to_the_public_origin_until_the_file_expires(
    public: LiveServer, tmp_path: Path
) -> None:
    with public.client() as client:
        task_id = NATIVE.start(client)
        found = NATIVE.await_end(client, task_id)
        links = {wire.name: link_of(wire, wire.look(client, task_id)) for wire in WIRES}
        assert all(link.startswith(f"{PUBLIC}/files/") for link in links.values()), links
        assert found["video"]["poster_url"].startswith(f"{PUBLIC}/files/")
        local = public.url + links["unified"].removeprefix(PUBLIC)
        assert client.get(local).status_code == 200
        assert urlsplit(local).query
        for _ in polls(80, every_s=1.0):
            if client.get(local).status_code == 403:
                break
        late = NATIVE.look(client, task_id)
        assert late["video"]["is_expired"] is True
        assert late["video"]["url"] is None
        assert DASHSCOPE.status_of(DASHSCOPE.look(client, task_id)) == "UNKNOWN"
        gone = client.get(f"/v1/videos/{task_id}/content")
        assert gone.status_code in (404, 410)
        assert OPENAI.is_error(gone.json(), gone.status_code)
