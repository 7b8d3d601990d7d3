"""Brings a finished clip home: fetched under guard, checked by decoding, or gone without a trace.

The URL is the upstream's word and as little trusted as a caller's: private addresses are refused
unless they are the credential's own host or the operator has listed them, redirects are judged
one by one, and the key is shown to the credential's own host only.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.domain.media import ReceivedClip
from kinogate.engines.upstream.credentials import Credential
from kinogate.engines.upstream.wire import Ask, Sighting
from kinogate.media.inspector import Inspector
from kinogate.net import Fetcher, FetchPolicy
from kinogate.net.fetch import Resolver, SystemResolver

GIB = 1024**3
_STALL_S = 30.0
_TOTAL_S = 900.0


class Downloader:
    """Fetches results of one upstream.

    Args:
        policy: The operator's; its allow-list stays, its times do not fit a whole clip.
        inspector: Decodes in a child process.
        max_bytes: Largest result, inclusive.
        total_s: For one fetch, however slowly it drips.
        stall_s: Longest pause between two pieces.
        resolve: Replaces the system's resolver, for tests.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        inspector: Inspector,
        *,
        max_bytes: int = GIB,
        total_s: float = _TOTAL_S,
        stall_s: float = _STALL_S,
        resolve: Resolver | None = None,
    ) -> None:
        self._policy = replace(policy, total_s=total_s, stall_s=stall_s, connect_s=10.0)
        self._inspector = inspector
        self._max_bytes = max_bytes
        self._resolve = resolve or SystemResolver()
        self._fetchers: dict[str, Fetcher] = {}

    async def fetch(self, sighting: Sighting, credential: Credential, out: Path) -> ReceivedClip:
        """Write the result to the new file `out` and measure it.

        On any failure `out` does not exist afterwards.

        Raises:
            UpstreamError: RESULT_INVALID for what will never be a clip of ours: a forbidden or no
                URL, too many bytes, no complete MP4 in H.264. UPSTREAM_FAILED when it could not be
                fetched; `retriable` when the same URL may work later. All are charged.
            InternalError: UNAVAILABLE: no disk, no child process.
        """
        url, key = _source(sighting, credential)
        try:
            await self._fetcher(credential).fetch(url, out, max_bytes=self._max_bytes, key=key)
        except CallerError as exc:
            is_large = exc.code is ErrorCode.MEDIA_TOO_LARGE
            what = "is larger than allowed" if is_large else "has no URL that may be fetched"
            raise invalid(f"The upstream's result {what}.") from exc
        except UpstreamError as exc:
            raise UpstreamError(
                ErrorCode.UPSTREAM_FAILED,
                "The upstream's result could not be fetched.",
                retriable=exc.retriable,
                is_charged=True,
            ) from exc
        try:
            return await self._inspector.received(out)
        except BaseException as exc:
            await asyncio.to_thread(out.unlink, missing_ok=True)
            if isinstance(exc, InternalError) and exc.code is ErrorCode.RESULT_INVALID:
                raise invalid(exc.message) from exc
            raise

    def _fetcher(self, credential: Credential) -> Fetcher:
        home = credential.authority
        if home not in self._fetchers:
            # An upstream in one's own network serves its files from there, too.
            hosts = self._policy.allow_hosts | {home}
            self._fetchers[home] = Fetcher(
                replace(self._policy, allow_hosts=hosts), resolve=self._resolve
            )
        return self._fetchers[home]


def _source(sighting: Sighting, credential: Credential) -> tuple[str, str]:
    """The URL, and the key where it is to be shown."""
    if sighting.video_url:
        return sighting.video_url, ""
    ask: Ask | None = sighting.content
    if ask is None:
        raise invalid("The upstream has finished and names no result.")
    url = credential.url(ask.path)
    if ask.query:
        url = f"{url}?{urlencode(ask.query)}"
    return url, credential.key if ask.has_key and "://" not in ask.path else ""


def invalid(message: str) -> UpstreamError:
    """The error for a result that was paid for and is of no use."""
    return UpstreamError(ErrorCode.RESULT_INVALID, message, is_charged=True)
