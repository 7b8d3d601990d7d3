"""Sends the cases over several connections, follows what was accepted to its end, keeps count."""

from __future__ import annotations

import asyncio
import collections
import json
import re
from dataclasses import dataclass, field
from typing import Any

from checks import BY_NAME, faults
from corpus import Case, End

from wire import Connection, Reply, request_bytes

_LARGE = 1 << 20
_PREPARED = 0.05
_FOLLOW_S = 90.0
_WATCHED = (End.FAILED, End.READY)
_PRIVATE_WORD = re.compile(r"trap|169\.254|127\.0\.0\.1|refused|timed out|resolve", re.IGNORECASE)


@dataclass
class Tally:
    """What came of a run."""

    sent: int = 0
    accepted: int = 0
    followed: int = 0
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    faults: list[str] = field(default_factory=list)
    oracles: dict[str, set[str]] = field(default_factory=dict)

    def blame(self, case: Case, reasons: list[str]) -> None:
        """Keep why a case is not as it must be."""
        what = f"{case.method} {case.path[:120]} {case.body[:200]!r}"
        self.faults += [f"{case.id}: {reason} | {what}" for reason in reasons]


class Driver:
    """One run against one server."""

    def __init__(self, port: int, key: str, places: dict[str, str]) -> None:
        """`places` are the words in braces that the corpus leaves open."""
        self.tally = Tally()
        self._port = port
        self._key = key
        self._places = {f"{{{name}}}".encode(): text.encode() for name, text in places.items()}
        self._large = asyncio.Semaphore(2)
        self._accepted: asyncio.Queue[tuple[Case, str]] = asyncio.Queue()

    async def run(self, cases: list[Case], *, connections: int = 8, followers: int = 4) -> None:
        """Send every case once, and see the accepted ones to their end."""
        waiting = collections.deque(cases)
        following = [asyncio.create_task(self._follow_all()) for _ in range(followers)]
        await asyncio.gather(*(self._send_all(waiting) for _ in range(connections)))
        await self._accepted.join()
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await self._clear()

    async def _clear(self) -> None:
        """End what nobody follows: calls that were sent again, or whose reply was lost."""
        connection = Connection(self._port)
        at = "/kinogate/v1/tasks?status=queued,running&limit=100"
        while tasks := _object(await self._ask(connection, "GET", at)).get("tasks"):
            for task in tasks:
                await self._ask(connection, "POST", f"/kinogate/v1/tasks/{task['id']}/cancel")
        await connection.close()

    def _filled(self, data: bytes) -> bytes:
        for word, text in self._places.items():
            data = data.replace(word, text)
        return data

    async def _send_all(self, waiting: collections.deque[Case]) -> None:
        connection = Connection(self._port)
        while waiting:
            case = waiting.popleft()
            if len(case.body) > _LARGE:
                async with self._large:
                    await self._send(connection, case)
            else:
                await self._send(connection, case)
        await connection.close()

    async def _send(self, connection: Connection, case: Case) -> None:
        case_body = self._filled(case.body) if len(case.body) < _LARGE else case.body
        sent = Case(**{**_members(case), "body": case_body})
        # A call on a half-closed connection may be taken without a reply; nobody would cancel it.
        is_left_alone = case.raw is not None or (self.tally.sent % 16 == 0 and case.end is End.ANY)
        simulate = "fail" if is_left_alone else "slow=600"
        extra = () if "simulate" in str(case.headers) else (("x-kinogate-simulate", simulate),)
        if case.raw is not None:
            data = case.raw or request_bytes(sent, self._key, *extra)
            reply = await connection.alone(data)
        else:
            data = request_bytes(sent, self._key, *extra)
            reply = await connection.exchange(data, is_head=case.method == "HEAD")
        self.tally.sent += 1
        self.tally.statuses[reply.status] += 1
        self.tally.blame(case, faults(case, reply, self._key))
        await self._note(connection, case, reply)

    async def _note(self, connection: Connection, case: Case, reply: Reply) -> None:
        body = _object(reply)
        wire = BY_NAME[case.dialect]
        try:
            task_id = wire.id_of(body) if 200 <= reply.status < 300 else None
        except (KeyError, TypeError):
            task_id = None
        if task_id is not None and case.method == "POST":
            self.tally.accepted += 1
            if case.end in _WATCHED:
                self._accepted.put_nowait((case, task_id))
            else:  # at once: it would hold a slot that a watched one waits for
                await self._see_off(connection, case, task_id)
        elif case.is_oracle and reply.status >= 400:
            self._note_oracle(case, json.dumps(body))

    def _note_oracle(self, case: Case, message: str) -> None:
        words = re.sub(r"[0-9a-f-]{36}", "ID", message)
        self.tally.oracles.setdefault(case.dialect, set()).add(words)
        if _PRIVATE_WORD.search(words):
            self.tally.blame(case, [f"the refusal tells about the network: {words[:200]}"])

    # -- what was accepted ------------------------------------------------------------------------

    async def _follow_all(self) -> None:
        connection = Connection(self._port)
        while True:
            case, task_id = await self._accepted.get()
            await self._see_off(connection, case, task_id)
            self._accepted.task_done()

    async def _see_off(self, connection: Connection, case: Case, task_id: str) -> None:
        try:
            self.tally.blame(case, await self._follow(connection, case, task_id))
            self.tally.followed += 1
        except Exception as exc:  # noqa: BLE001 - a fault of the run is one to be told
            self.tally.blame(case, [f"following it failed: {exc!r}"])

    async def _ask(self, connection: Connection, method: str, path: str) -> Reply:
        return await connection.exchange(
            request_bytes(Case(id="follow", dialect="native", method=method, path=path), self._key)
        )

    async def _follow(self, connection: Connection, case: Case, task_id: str) -> list[str]:
        at = f"/kinogate/v1/tasks/{task_id}"
        task = _object(await self._ask(connection, "GET", at))
        deadline = asyncio.get_running_loop().time() + _FOLLOW_S
        while case.end in _WATCHED and task.get("status") in ("queued", "running"):
            if task["progress"] >= _PREPARED:
                break
            if asyncio.get_running_loop().time() > deadline:
                return ["it was never prepared nor failed"]
            await asyncio.sleep(0.03)
            task = _object(await self._ask(connection, "GET", at))
        status = task.get("status")
        found = await self._look(connection, case, task_id, str(status))
        if case.end is End.FAILED and status != "failed":
            found.append(f"it is {status}, although its input is bad")
        if case.end is End.READY and status == "failed":
            found.append(f"it failed, although its input is good: {task.get('error')}")
        if status == "failed" and not str(task["error"]["code"]).startswith(
            ("media_", "engine_failed", "content_")
        ):
            found.append(f"it failed as {task['error']}")
        if case.is_oracle and status == "failed":
            self._note_oracle(case, str(task["error"]["message"]))
        if status in ("queued", "running"):
            await self._ask(connection, "POST", f"{at}/cancel")  # 409 if it ended meanwhile
            task = _object(await self._ask(connection, "GET", at))
            if task.get("status") not in ("canceled", "failed"):
                found.append(f"a cancel left it {task.get('status')}")
        if float(task.get("cost_usd") or 0) != 0:
            found.append(f"it costs {task['cost_usd']}")
        return found

    async def _look(
        self, connection: Connection, case: Case, task_id: str, status: str
    ) -> list[str]:
        """Poll once in the case's own dialect."""
        wire = BY_NAME[case.dialect]
        reply = await self._ask(connection, "GET", wire.poll.format(id=task_id))
        body = _object(reply)
        if reply.status != 200:
            return [f"its poll answered {reply.status}"]
        found = faults(Case(id="", dialect=case.dialect, path=""), reply, self._key)
        if status == "failed" and wire.status_of(body) != wire.words[3]:
            found.append(f"its poll says {wire.status_of(body)}")
        if status == "failed" and not wire.reason_of(body)[1]:
            found.append("its poll gives no reason")
        return found


def _members(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in case.__dataclass_fields__}


def _object(reply: Reply) -> dict[str, Any]:
    try:
        body = json.loads(reply.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
