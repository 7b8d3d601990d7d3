"""Looks whether an upstream's credentials work, with calls that cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from kinogate.domain.engine import Finding, Health
from kinogate.domain.errors import UpstreamError
from kinogate.engines.upstream.client import Client, NoAnswer, NotSent
from kinogate.engines.upstream.credentials import Credential
from kinogate.engines.upstream.wire import Answer, Ask, Wire

_KEY_REFUSED = frozenset({401, 403})


async def check_credentials(
    wire: Wire,
    client: Client,
    credentials: Sequence[Credential],
    *,
    timeout_s: float,
    probe_regions: bool,
) -> Health:
    """One finding for each credential; ready when at least one works.

    Args:
        wire: Has the free call, or none.
        client: Sends it.
        credentials: To be tried, all at a time.
        timeout_s: For one call, seconds; a search through the regions takes as long again.
        probe_regions: Whether a key that one of the vendor's regions rejects may be shown to the
            others. What was meant for another host, a proxy or a reseller, is never shown to them.
    """
    checker = _Checker(wire, client, timeout_s, probe_regions=probe_regions)
    findings = await asyncio.gather(*(checker.check(item) for item in credentials))
    return Health(is_ready=any(item.is_ok for item in findings), findings=tuple(findings))


class _Checker:
    def __init__(
        self, wire: Wire, client: Client, timeout_s: float, *, probe_regions: bool
    ) -> None:
        self._wire = wire
        self._client = client
        self._timeout_s = timeout_s
        self._probe_regions = probe_regions

    async def check(self, credential: Credential) -> Finding:
        where = self._region_of(credential)
        ask = self._wire.probe()
        if ask is None:
            text = "This upstream has no free call by which a key could be tried."
            return Finding(what=credential.name, is_ok=True, text=text)
        answer = await self._ask(ask, credential)
        if isinstance(answer, str):
            return Finding(what=credential.name, is_ok=False, text=f"{where} {answer}.")
        reason = self._reason(answer)
        if reason is None:
            return Finding(what=credential.name, is_ok=True, text=f"{where} takes the key.")
        text = f"{where} does not take the key: {reason}"
        if answer.status in _KEY_REFUSED and self._wire.regions:
            text = f"{text} {await self._belongs(ask, credential)}"
        return Finding(what=credential.name, is_ok=False, text=text)

    async def _ask(self, ask: Ask, credential: Credential) -> Answer | str:
        """The answer, or in words why there is none."""
        try:
            return await self._client.send(ask, credential, timeout_s=self._timeout_s)
        except NotSent:
            return "cannot be reached"
        except NoAnswer as exc:
            return str(exc)

    def _reason(self, answer: Answer) -> str | None:
        try:
            return self._wire.read_probe(answer)
        except UpstreamError as error:
            return error.message

    def _region_of(self, credential: Credential) -> str:
        """The region as the operator or the wire's table names it, else the host."""
        host = urlsplit(credential.base_url).hostname or ""
        for region, base_url in self._wire.regions.items():
            if urlsplit(base_url).hostname == host:
                return f"The region {region} ({host})"
        return f"The region {credential.region} ({host})" if credential.region else f"{host}"

    async def _belongs(self, ask: Ask, credential: Credential) -> str:
        """Which region takes the key, where the operator lets us ask."""
        host = urlsplit(credential.base_url).hostname
        hosts = {urlsplit(url).hostname for url in self._wire.regions.values()}
        if not self._probe_regions or host not in hosts:
            return "It may be another region's."
        others = {
            region: replace(credential, base_url=url.rstrip("/"))
            for region, url in self._wire.regions.items()
            if urlsplit(url).hostname != host
        }
        answers = await asyncio.gather(*(self._ask(ask, item) for item in others.values()))
        homes = [
            region
            for region, answer in zip(others, answers, strict=True)
            if not isinstance(answer, str) and self._reason(answer) is None
        ]
        if not homes:
            return "No region that we know takes it."
        return f"It belongs to the region {' and '.join(homes)}."
