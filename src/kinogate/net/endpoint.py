"""Calls to an OpenAI-compatible endpoint that the operator named: chat, moderation.

The address comes from the settings and not from callers, so the fetch guard has no part here. One
attempt, one deadline, no proxies; what fails is an `UpstreamError` and never holds the key.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import httpx2
import msgspec

from kinogate.domain.errors import ErrorCode, UpstreamError

T = TypeVar("T")

_MAX_REPLY_BYTES = 1024 * 1024


class Endpoint:
    """Posts JSON below one base URL; safe for concurrent use on one event loop."""

    def __init__(self, base_url: str, api_key: str = "") -> None:
        """Prepare; nothing is sent.

        Args:
            base_url: Such as `http://127.0.0.1:11434/v1`; a trailing slash is no matter.
            api_key: Sent as a bearer token, unless empty.
        """
        self._base_url = base_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}

    async def post(self, path: str, body: object, reply_type: type[T], *, timeout_s: float) -> T:
        """Send `body` as JSON to `path` and read the reply.

        Args:
            path: Below the base URL, with a leading slash.
            body: Anything msgspec encodes.
            reply_type: What the reply is decoded into; unknown members are left out.
            timeout_s: From the first packet to the last, in all.

        Raises:
            UpstreamError: UPSTREAM_FAILED, whatever the reason; `retriable`.
        """
        try:
            async with (
                asyncio.timeout(timeout_s),
                httpx2.AsyncClient(trust_env=False, headers=self._headers, timeout=None) as client,
                client.stream(
                    "POST",
                    self._base_url + path,
                    content=msgspec.json.encode(body),
                    headers={"content-type": "application/json"},
                ) as reply,
            ):
                if reply.status_code != 200:
                    raise _failed(f"answered {reply.status_code}")
                data = bytearray()
                async for chunk in reply.aiter_bytes():
                    data += chunk
                    if len(data) > _MAX_REPLY_BYTES:
                        raise _failed("answered too much")
            return msgspec.json.decode(data, type=reply_type)
        except TimeoutError as exc:
            raise _failed(f"did not answer within {timeout_s:g} seconds") from exc
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            raise _failed("could not be reached") from exc
        except msgspec.MsgspecError as exc:
            raise _failed("answered nonsense") from exc


def _failed(what: str) -> UpstreamError:
    return UpstreamError(ErrorCode.UPSTREAM_FAILED, f"The endpoint {what}.", retriable=True)
