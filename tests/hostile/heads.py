"""Rows about everything round a body: keys, headers, methods, paths, and bytes that are no HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from corpus import Case, End, create

from speakers import SPEAKERS

_KEYS = (
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Basic YTpi",
    "bearer sk-" + "a" * 40,
    "Bearer " + "k" * 7_000,
    "Bearer \x7f\x01",
    "Bearer kg_live_' OR 1=1--",
    "Bearer ключ",
    "Token abc",
    "Bearer a, Bearer b",
)


def heads() -> list[Case]:
    """Keys, content types, encodings, methods, simulate and idempotency headers, paths."""
    found = []
    for speaker in SPEAKERS.values():
        good = create(speaker, "good")

        def variant(
            name: str,
            *extra: tuple[str, str],
            end: End = End.REFUSED,
            statuses: tuple[int, ...] = (),
            base: Case = good,
            **changes: Any,
        ) -> Case:
            return replace(
                base,
                id=f"{name}/{base.dialect}",
                headers=(*base.headers, *extra),
                end=end,
                statuses=frozenset(statuses),
                **changes,
            )

        found += [
            # 400: a byte that no header may hold is refused before anyone reads it.
            variant(f"15-key.{number}", ("authorization", key), statuses=(400, 401), with_key=False)
            for number, key in enumerate(_KEYS)
        ]
        found.append(variant("15-nokey", statuses=(401,), with_key=False))
        for kind in ("gzip", "br", "deflate", "gzip, identity", "x"):
            found.append(variant(f"13-{kind}", ("content-encoding", kind), statuses=(400, 415)))
        for kind in ("text/xml", "multipart/form-data", "multipart/form-data; boundary=\xff", ";"):
            found.append(variant(f"14-{kind}", ("content-type", kind), end=End.ANY))
        for value in ("", "a b", "é", "k" * 256, "\x7f"):
            found.append(variant("19-idempotency", ("idempotency-key", value), statuses=(400,)))
        for value in ("nothing", "slow", "slow=", "slow=-1", "slow=1e9", "slow=nan", "queue=601"):
            found.append(variant("57-simulate", ("x-kinogate-simulate", value), statuses=(400,)))
        for value in ("evil.example", "127.0.0.1, 10.0.0.1", "' OR 1=1"):
            found.append(variant("56-forwarded", ("x-forwarded-for", value), end=End.TAKEN))
            found.append(variant("56-host", ("x-forwarded-host", value), end=End.TAKEN))
            found.append(variant("56-override", ("x-http-method-override", value), end=End.TAKEN))
        for value in ("../../x", "a" * 65, "a b", "<b>", "é"):
            found.append(variant("56-request-id", ("x-request-id", value), end=End.TAKEN))
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "CONNECT", "A"):
            found.append(variant(f"55-{method}", method=method, end=End.ANY))
        for id_text in (
            "%00",
            "%ff",
            "..%2f..%2fetc%2fpasswd",
            "a" * 4_000,
            "%0d%0aX:y",
            "%27%20OR%201=1",
            "00000000-0000-4000-8000-000000000000",
            "{00000000-0000-4000-8000-000000000000}",
            "urn:uuid:00000000-0000-4000-8000-000000000000",
            "video_",
            "video_video_00000000000040008000000000000000",
            "%F0%9F%98%80",
            ".",
            "%2e%2e",
        ):
            path = speaker.poll.replace("{id}", id_text)
            found.append(variant("60-poll", method="GET", path=path, body=b"", end=End.ANY))
        for query in ("?a=%00", "?" + "a=1&" * 500, "?%ff=%fe", "?variant=../x", "?wait=1e9"):
            path = speaker.create + query
            found.append(variant("60-query", path=path, end=End.ANY))
    return [*found, *_lists()]


def _lists() -> list[Case]:
    odd = ("1e9", "-1", "0", "9" * 30, "x", "%00", "1.5", "", "\uff11", "10%0d%0a")
    found = []
    for dialect, path, names in (
        ("dashscope", "/api/v1/tasks", ("page_size", "page_no", "start_time", "end_time")),
        ("openai", "/v1/videos", ("limit", "after", "order")),
        ("native", "/kinogate/v1/tasks", ("limit", "after", "order", "status", "model")),
    ):
        found += [
            Case(
                id=f"60-list/{dialect}",
                dialect=dialect,
                method="GET",
                path=f"{path}?{name}={value}",
            )
            for name in names
            for value in (*odd, "20261301000000", "99991231235959", "00010101000000")
        ]
    return found


def sockets(key: str) -> list[Case]:
    """Bytes below HTTP clients; each gets a connection of its own."""
    body = b'{"model":"wan9.9","prompt":"a"}'
    found = []
    for speaker in SPEAKERS.values():
        start = f"POST {speaker.create} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n"
        extra = "".join(f"{name}: {value}\r\n" for name, value in speaker.headers.items())
        start += f"content-type: application/json\r\nx-kinogate-simulate: fail\r\n{extra}"
        size = f"content-length: {len(body)}\r\n"
        for name, data in {
            "pad": start + "x-pad: " + "a" * 100_000 + "\r\n\r\n",
            "5000": start + "".join(f"x-{n}: 1\r\n" for n in range(5_000)) + "\r\n",
            "both-lengths": start + size + "transfer-encoding: chunked\r\n\r\n",
            "two-lengths": start + size + "content-length: 1\r\n\r\n",
            "xchunked": start + "transfer-encoding: xchunked\r\n\r\n",
            "chunked-twice": start + "transfer-encoding: chunked, chunked\r\n\r\n",
            "bad-chunk": start + "transfer-encoding: chunked\r\n\r\nZZ\r\n",
            "huge-chunk": start + "transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
            "negative-chunk": start + "transfer-encoding: chunked\r\n\r\n-1\r\n",
            "fold": start + "x-a: b\r\n c\r\n" + size + "\r\n",
            "space-name": start + "x a: b\r\n" + size + "\r\n",
            "nul-header": start + "x-a: \0\r\n" + size + "\r\n",
            "bare-cr": start + "x-a: b\rc: d\r\n" + size + "\r\n",
            "bare-lf": (start + size + "\r\n").replace("\r\n", "\n"),
            "two-hosts": start + "host: b\r\n" + size + "\r\n",
            "no-host": start.replace("host: a\r\n", "") + size + "\r\n",
            "evil-host": start.replace("host: a\r\n", "host: evil.example\r\n") + size + "\r\n",
            "two-keys": start + "authorization: Bearer x\r\n" + size + "\r\n",
            "expect": start + "expect: 200-maybe\r\n" + size + "\r\n",
            "http-1.0": start.replace("HTTP/1.1", "HTTP/1.0") + size + "\r\n",
            "absolute": start.replace("POST /", "POST http://evil.example/", 1) + size + "\r\n",
            "asterisk": start.replace(speaker.create, "*") + size + "\r\n",
            "trailer": start + "transfer-encoding: chunked\r\ntrailer: x\r\n\r\n0\r\nx: y\r\n\r\n",
        }.items():
            sent = data.encode("latin-1")
            ends_here = name in ("pad", "5000") or "chunked" in data
            found.append(
                Case(
                    id=f"56-{name}/{speaker.name}",
                    dialect=speaker.name,
                    path=speaker.create,
                    raw=sent if ends_here else sent + body,
                )
            )
    for number, data in enumerate(
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET\r\n\r\n",
            b"\r\n\r\n\r\n",
            b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
            b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET " + b"/a" * 10_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
            b"\0" * 4_000,
            b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        )
    ):
        found.append(Case(id=f"56-bytes.{number}", dialect="native", path="/", raw=data))
    return found
