"""A server as the commands see it: the native dialect over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer

from kinogate.domain.errors import (
    AccountError,
    CallerError,
    ErrorCode,
    InternalError,
    KinogateError,
    UpstreamError,
)

Url = Annotated[str, typer.Option(envvar="KINOGATE_URL", help="The server.", show_default=True)]
ApiKey = Annotated[
    str, typer.Option("--key", envvar="KINOGATE_KEY", help="API key.", show_default=False)
]
DEFAULT_URL = "http://127.0.0.1:8080"
_FINAL = frozenset({"succeeded", "failed", "canceled"})
_CHUNK = 1 << 20

# JSON as it came; commands print it or pick single members.
Json = dict[str, Any]


class Api:
    """Calls the native dialect; errors come back as our own."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def ask(self, method: str, path: str, **kwargs: Any) -> Json:
        """One call.

        Raises:
            KinogateError: In the meaning that the server gave, or UNAVAILABLE.
        """
        try:
            reply = self._client.request(method, f"/kinogate/v1{path}", **kwargs)
        except httpx2.HTTPError as error:
            raise InternalError(
                ErrorCode.UNAVAILABLE, f"No server answers at {self._client.base_url}: {error}"
            ) from error
        if reply.is_success:
            value: Json = reply.json()
            return value
        raise _error_of(reply)

    def follow(self, task_id: str, show: Callable[[Json], None], timeout_s: float) -> Json:
        """Poll a task to its end, showing every state.

        Raises:
            KinogateError: TIMED_OUT, with the id in the message.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            task = self.ask("GET", f"/tasks/{task_id}")
            show(task)
            if task["status"] in _FINAL:
                return task
            if time.monotonic() > deadline:
                raise InternalError(
                    ErrorCode.TIMED_OUT,
                    f"Still {task['status']}; go on with: kinogate tasks watch {task_id}",
                )
            time.sleep(0.4)

    def download(self, url: str, into: Path) -> None:
        """Fetch a signed URL into a file."""
        with self._client.stream("GET", url) as reply, into.open("wb") as file:
            if not reply.is_success:
                raise UpstreamError(ErrorCode.RESULT_EXPIRED, "The video cannot be downloaded.")
            for chunk in reply.iter_bytes(_CHUNK):
                file.write(chunk)


@contextmanager
def connect(url: str, key: str) -> Iterator[Api]:
    """A connection to a server."""
    headers: Mapping[str, str] = {"authorization": f"Bearer {key}"} if key else {}
    with httpx2.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
        yield Api(client)


def _error_of(reply: httpx2.Response) -> KinogateError:
    try:
        problem: Json = reply.json()
    except ValueError:
        return UpstreamError(ErrorCode.UPSTREAM_FAILED, f"The server answered {reply.status_code}.")
    known = {code.value: code for code in ErrorCode}
    code = known.get(str(problem.get("code")), ErrorCode.INTERNAL)
    kind: type[KinogateError] = InternalError
    if reply.status_code in (401, 402, 403, 429):
        kind = AccountError
    elif reply.status_code < 500:
        kind = CallerError
    return kind(code, str(problem.get("detail") or f"HTTP {reply.status_code}"))
