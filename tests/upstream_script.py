"""An upstream that does as it is told, over real sockets, and a toy wire that speaks its language.

A script maps `METHOD /path-prefix` to replies: each request takes the next one, the last one stays.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kinogate.domain.abilities import Abilities
from kinogate.domain.errors import CallerError, ErrorCode, UpstreamError
from kinogate.domain.order import Mode, Order, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.engines.upstream.wire import (
    Answer,
    Ask,
    Delivery,
    Given,
    Listed,
    Phase,
    Sighting,
    Upload,
)


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """The connection that a reply is written to."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


Act = Callable[[Request, Line], Awaitable[None]]


@dataclass(frozen=True)
class Reply:
    """An ordinary answer; `length` lies about the body's, `pieces` sends it in drops."""

    status: int = 200
    body: bytes | Mapping[str, Any] = b""
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None

    async def __call__(self, request: Request, line: Line) -> None:
        is_json = not isinstance(self.body, bytes)
        body = json.dumps(self.body).encode() if is_json else self.body
        length = len(body) if self.length is None else self.length
        head = [f"HTTP/1.1 {self.status} So", f"Content-Length: {length}", "Connection: close"]
        head += ["Content-Type: application/json"] if is_json else []
        head += [f"{name}: {value}" for name, value in self.headers]
        await line.send("\r\n".join(head).encode() + b"\r\n\r\n")
        assert isinstance(body, bytes)
        await line.send(body)


async def hang(request: Request, line: Line) -> None:
    """Never answers."""
    await asyncio.sleep(3600)


async def hang_up(request: Request, line: Line) -> None:
    """Reads everything and closes without a word."""


async def endless(request: Request, line: Line) -> None:
    """Sends for ever, without saying how much."""
    await line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    block = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    while True:
        await line.send(block)


async def drip(request: Request, line: Line) -> None:
    """One byte every tenth of a second."""
    await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        await line.send(b"x")
        await asyncio.sleep(0.1)


async def stall(request: Request, line: Line) -> None:
    """A beginning, and then nothing."""
    await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin")
    await asyncio.sleep(3600)


@dataclass
class Upstream:
    """A running script; `seen` is every request in order."""

    url: str = ""
    script: dict[str, list[Act]] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)

    def of(self, method: str, prefix: str) -> list[Request]:
        """The requests that a script's line was for."""
        return [r for r in self.seen if r.method == method and r.path.startswith(prefix)]

    @property
    def creates(self) -> list[Request]:
        return self.of("POST", "/tasks/new")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.seen.append(request)
            await self._act(request)(request, Line(writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close()

    def _act(self, request: Request) -> Act:
        lines = [
            key
            for key in self.script
            if request.method == key.partition(" ")[0]
            and request.path.startswith(key.partition(" ")[2])
        ]
        if not lines:
            return Reply(404, {"code": "NoSuchPath"})
        acts = self.script[max(lines, key=len)]
        return acts.pop(0) if len(acts) > 1 else acts[0]


@asynccontextmanager
async def upstream(script: Mapping[str, list[Act]]) -> AsyncIterator[Upstream]:
    """Serve a script on loopback; every connection is ended on leaving."""
    stage = Upstream(script={key: list(acts) for key, acts in script.items()})
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await stage.serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the script is over
        finally:
            connections.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    stage.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stage
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        if connections:
            await asyncio.wait(list(connections), timeout=5)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


class ToyWire:
    """Says everything in plain words; what it can do is switched by the tests."""

    name = "toy"
    poll_s = 0.02
    regions: Mapping[str, str] = {}

    def __init__(
        self,
        *,
        delivery: Delivery = Delivery.INLINE,
        lists: bool = False,
        cancels: bool = False,
        forgets: bool = False,
        inlines_audio: bool = False,
        idempotency_header: str | None = None,
    ) -> None:
        self.delivery = delivery
        self.lists = lists
        self.cancels = cancels
        self.forgets = forgets
        self.inlines_audio = inlines_audio
        self.idempotency_header = idempotency_header

    def abilities(self, model: str) -> Abilities:
        return Abilities(is_measured=True, writes_tags=False)

    def spelled(self, model: str) -> str:
        return f"toy-{model}"

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        return spec.modes

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        return "Toys know no effects." if plan.template else None

    def keeps_ratio(self, order: Order) -> bool:
        return False

    def create(self, order: Order, media: tuple[Given, ...]) -> Ask:
        body = {
            "model": self.spelled(order.model),
            "prompt": order.prompt,
            "seed": order.seed,
            "inputs": [[item.role.value, item.text] for item in media],
        }
        return Ask(method="POST", path="/tasks/new", json=body)

    def read_created(self, answer: Answer) -> str:
        body = _json(answer)
        code, said = str(body.get("code", "")), str(body.get("message", ""))
        if answer.status == 200 and body.get("id"):
            return str(body["id"])
        if answer.status == 400:
            improper = code == "Improper"
            raise CallerError(
                ErrorCode.CONTENT_REFUSED if improper else ErrorCode.FIELD_INVALID,
                f"The upstream refused the request: {said} ({code}).",
            )
        if answer.status in (401, 402, 403):
            raise UpstreamError(
                ErrorCode.UPSTREAM_REFUSED, f"The upstream says {code}.", upstream_code=code
            )
        if answer.status == 429 or code == "Busy":
            wait = answer.headers.get("retry-after")
            raise UpstreamError(
                ErrorCode.UPSTREAM_FAILED,
                f"The upstream says {code}.",
                retriable=True,
                upstream_code=code,
                retry_after_s=None if wait is None else int(wait),
            )
        raise UpstreamError(
            ErrorCode.SUBMIT_AMBIGUOUS,
            f"It answered {answer.status}.",
            is_charged=True,
            upstream_code=str(answer.status),
        )

    def poll(self, upstream_id: str, model: str) -> Ask:
        return Ask(method="GET", path=f"/tasks/{upstream_id}")

    def read_poll(self, answer: Answer) -> Sighting:
        if answer.status == 404:
            return Sighting(phase=Phase.GONE, code="NotThere")
        body = _json(answer)
        if answer.status != 200 or "status" not in body:
            raise UpstreamError(
                ErrorCode.UPSTREAM_FAILED, f"It answered {answer.status}.", retriable=True
            )
        word = body["status"]
        phase = Phase(word) if word in set(Phase) else Phase.RUNNING
        url = body.get("url")
        return Sighting(
            phase=phase,
            progress=body.get("progress"),
            video_url=None if url == "content" else url,
            content=Ask(method="GET", path="/content", query=(("part", "1"),))
            if url == "content"
            else None,
            code=body.get("code"),
            message=body.get("message"),
            is_content_refusal=body.get("code") == "Improper",
            is_caller_fault=body.get("code") == "BadSize",
            unknown_word=None if word in set(Phase) else word,
            actual_prompt=body.get("actual_prompt"),
            prompt=body.get("prompt"),
        )

    def cancel(self, upstream_id: str) -> Ask | None:
        if not self.cancels:
            return None
        return Ask(method="POST", path=f"/tasks/{upstream_id}/cancel")

    def listing(self, since_ms: int, until_ms: int) -> Ask | None:
        if not self.lists:
            return None
        query = (("since", str(since_ms)), ("until", str(until_ms)))
        return Ask(method="GET", path="/list", query=query)

    def read_listing(self, answer: Answer, since_ms: int) -> tuple[Listed, ...]:
        if answer.status != 200:
            raise UpstreamError(ErrorCode.UPSTREAM_FAILED, f"It answered {answer.status}.")
        return tuple(Listed(**item) for item in _json(answer)["data"])

    def probe(self) -> Ask | None:
        return Ask(method="GET", path="/me")

    def read_probe(self, answer: Answer) -> str | None:
        return None if answer.status == 200 else f"it answered {answer.status}."

    def policy(self, model: str) -> Ask:
        return Ask(method="GET", path="/leave", query=(("model", model),))

    def read_policy(self, answer: Answer) -> Mapping[str, str]:
        if answer.status != 200:
            self.read_created(answer)
        policy: dict[str, str] = _json(answer)
        return policy

    def upload(self, policy: Mapping[str, str], file: Any, content_type: str) -> Upload:
        from kinogate.engines.upstream.wire import Part

        parts = (
            Part(name="policy", value=policy["policy"]),
            Part(name="file", file=file, filename="in.png", content_type=content_type),
        )
        ask = Ask(method="POST", path=policy["host"], parts=parts, has_key=False)
        return Upload(ask=ask, text=f"toy://{policy['policy']}")


def _json(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
