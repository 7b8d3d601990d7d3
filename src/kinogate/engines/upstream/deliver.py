"""Gives an order's inputs to the upstream: in the body, by links of ours, or by its own uploads.

A caller's URL is never passed on: what the upstream reads is what we have checked.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import cast

import pybase64

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.domain.media import IMAGE_KINDS, MIB, Kind
from kinogate.domain.order import InputFile, Order
from kinogate.engines.upstream.client import Client, NoAnswer, NotSent
from kinogate.engines.upstream.credentials import Credential
from kinogate.engines.upstream.fit import require_fit
from kinogate.engines.upstream.pace import Pace
from kinogate.engines.upstream.wire import Answer, Ask, Delivery, Given, UploadingWire, Wire
from kinogate.media.header import SNIFF_BYTES, sniff
from kinogate.media.inspector import Inspector
from kinogate.net import FetchPolicy, Resolver, SystemResolver, is_public_address
from kinogate.net.urls import parse_url

_TYPES = {
    Kind.JPEG: "image/jpeg",
    Kind.PNG: "image/png",
    Kind.BMP: "image/bmp",
    Kind.WEBP: "image/webp",
    Kind.GIF: "image/gif",
    Kind.WAV: "audio/wav",
    Kind.MP3: "audio/mpeg",
    Kind.MP4: "video/mp4",
}
_IMAGE_BYTES = 10 * MIB
"""What every vendor takes at least (seeds 002, 003, 004), where the catalogue does not say."""

_TRIES = 3
_OK = 200


class Deliverer:
    """Prepares inputs for one upstream."""

    def __init__(
        self,
        wire: Wire,
        client: Client,
        inspector: Inspector,
        *,
        pace: Pace,
        policy: FetchPolicy,
        resolve: Resolver | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            wire: The upstream's API.
            client: Sends the uploads.
            inspector: Packs pictures in a child process.
            pace: Waiting times.
            policy: Which hosts an upload may go to beside the credential's own.
            resolve: Replaces the system's resolver, for tests.
        """
        self._wire = wire
        self._client = client
        self._inspector = inspector
        self._pace = pace
        self._policy = policy
        self._resolve = resolve or SystemResolver()

    async def give(self, order: Order, credential: Credential, folder: Path) -> tuple[Given, ...]:
        """The order's inputs as the create call is to name them; costs nothing at the upstream.

        May be called again, for another credential too: what was uploaded belongs to one account.

        Args:
            order: With local paths.
            credential: Whose account gets the uploads.
            folder: Where smaller copies of images may be kept until the order is done.

        Raises:
            CallerError: An image cannot be packed small enough, or has another shape than the
                size asked for, which the upstream would not make of it.
            UpstreamError: UPSTREAM_REFUSED for the key; else retriable. Nothing is charged.
            InternalError: UNAVAILABLE: the upstream takes only URLs, and this server has no
                public address.
        """
        await require_fit(self._wire, order)
        given: list[Given] = []
        for index, item in enumerate(order.inputs):
            file, kind = await self._small(order, item, folder / f"packed-{index}.jpg")
            content_type = _TYPES.get(kind, "application/octet-stream") if kind else _UNKNOWN
            text = await self._text(order, item, file, content_type, credential)
            given.append(Given(role=item.role, text=text, file=file, content_type=content_type))
        return tuple(given)

    async def _small(self, order: Order, item: InputFile, packed: Path) -> tuple[Path, Kind | None]:
        """The file, or a JPEG of it where a normalised PNG has grown beyond what is taken."""
        path = Path(item.path)
        kind = await asyncio.to_thread(_kind_of, path)
        limit = _image_limit(order.model)
        if kind not in IMAGE_KINDS or path.stat().st_size <= limit:
            return path, kind
        await self._inspector.shrink(path, packed, limit)
        return packed, Kind.JPEG

    async def _text(
        self, order: Order, item: InputFile, file: Path, content_type: str, credential: Credential
    ) -> str:
        if self._wire.delivery is Delivery.PARTS:
            return ""
        if self._wire.delivery is Delivery.POLICY:
            return await self._upload(order.model, file, content_type, credential)
        family = content_type.partition("/")[0]
        if family == "image" or (family == "audio" and self._wire.inlines_audio):
            return await asyncio.to_thread(_data_uri, file, content_type)
        if item.link is None:
            raise InternalError(
                ErrorCode.UNAVAILABLE,
                f"The upstream takes {family} only by URL, and this server has no public address.",
            )
        return item.link

    async def _upload(
        self, model: str, file: Path, content_type: str, credential: Credential
    ) -> str:
        # By its delivery such a wire has the calls for uploading.
        wire = cast("UploadingWire", self._wire)
        policy = wire.read_policy(await self._ask(wire.policy(model), credential))
        upload = wire.upload(policy, file, content_type)
        await self._require_fit(credential.url(upload.ask.path), credential)
        answer = await self._ask(upload.ask, credential)
        if answer.status != _OK:
            raise _failed(f"answered an upload with {answer.status}")
        return upload.text

    async def _require_fit(self, url: str, credential: Credential) -> None:
        """Refuse to send a caller's file into a private network because an upstream says so.

        Raises:
            UpstreamError: UPSTREAM_FAILED.
        """
        hosts = self._policy.allow_hosts | {credential.authority}
        try:
            target = parse_url(url, replace(self._policy, allow_hosts=hosts))
            found = [] if target.trusted else await self._resolve(target.host, target.port)
        except (CallerError, OSError) as exc:
            raise _failed("names no place where files may go") from exc
        if not all(map(is_public_address, found)):
            raise _failed("names no place where files may go")

    async def _ask(self, ask: Ask, credential: Credential) -> Answer:
        """Send, and again after network trouble: an upload more costs nothing."""
        pause = 0.5
        for _ in range(_TRIES - 1):
            try:
                return await self._client.send(ask, credential, timeout_s=self._pace.create_s)
            except (NotSent, NoAnswer):
                await asyncio.sleep(pause)
                pause *= 2
        try:
            return await self._client.send(ask, credential, timeout_s=self._pace.create_s)
        except (NotSent, NoAnswer) as exc:
            raise _failed("could not be given the inputs") from exc


_UNKNOWN = "application/octet-stream"


def _kind_of(path: Path) -> Kind | None:
    with path.open("rb") as file:
        return sniff(file.read(SNIFF_BYTES))


def _data_uri(file: Path, content_type: str) -> str:
    return f"data:{content_type};base64,{pybase64.b64encode(file.read_bytes()).decode('ascii')}"


def _image_limit(model: str) -> int:
    spec = CATALOGUE.get(model)
    return _IMAGE_BYTES if spec is None or spec.image is None else spec.image.max_bytes


def _failed(what: str) -> UpstreamError:
    return UpstreamError(ErrorCode.UPSTREAM_FAILED, f"The upstream {what}.", retriable=True)
