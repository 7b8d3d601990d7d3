"""What a wire is: pure functions between our orders and an upstream's HTTP exchanges.

No I/O, no clock, no client: `flow.py` sends what a wire asks for and shows it what was answered.
The outgoing bodies are checked against literal JSON files typed from `spec/`, never against our
own dialects, which could hide the same mistake twice.

The class is named after its module (`DashscopeWire`, `MulerouterWire`, `VtrixWire`,
`UnifiedWire`, `OpenaiWire`) and built with `names=`, the operator's spellings of models by
canonical name; `OpenaiWire` also takes `profile=`. It is told canonical names only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from kinogate.domain.abilities import Abilities
from kinogate.domain.order import Mode, Order, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a multipart body: text in `value`, or a file on local disk in `file`."""

    name: str
    value: str | None = None
    file: Path | None = None
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One HTTP request, beside the credential, which the flow adds.

    Attributes:
        method: Upper-case.
        path: Below the credential's base URL, with a leading slash; or a whole URL.
        query: Members in order.
        headers: Beside Authorization, Content-Type and User-Agent.
        json: A JSON body, or None.
        parts: A multipart body; never together with `json`.
        has_key: Whether the credential's key is sent; never to a whole URL.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    json: Mapping[str, object] | None = None
    parts: tuple[Part, ...] = ()
    has_key: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names are lower-case, the body is at most a few MiB."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Delivery(StrEnum):
    """How an upstream is given our files."""

    INLINE = "inline"  # `data:` URIs in the JSON body, or our own links where it takes only those
    POLICY = "policy"  # DashScope's upload policy; the call then names `oss://` URLs
    PARTS = "parts"  # file parts of the multipart create call


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One input as the upstream is told of it.

    Attributes:
        role: What it is for.
        text: What stands in the body: a `data:` URI, an `https://` or an `oss://` URL; "" when
            the file is sent as a part.
        file: On local disk.
        content_type: `image/png` and the like.
    """

    role: Role
    text: str
    file: Path
    content_type: str


class Phase(StrEnum):
    """Where the upstream's task stands; GONE is an id that it does not know or no longer keeps."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one look at the upstream's task showed.

    Attributes:
        phase: Where it stands; a word that nobody knows counts as RUNNING.
        progress: 0.0–1.0 where the upstream tells; may fall, the flow keeps the highest.
        video_url: Where the result is, when succeeded and told.
        content: The call that downloads the result where there is no URL; with the key.
        code: The upstream's own code, verbatim, when failed.
        message: The upstream's own sentence, when failed; shortened, without secrets.
        is_content_refusal: Whether it failed because content was found improper.
        is_caller_fault: Whether it failed because of what the caller asked for.
        unknown_word: The status word that nobody knows, to be logged once.
        actual_prompt: As the upstream has rewritten it, or None.
        prompt: As we sent it, where the answer repeats it; tells our task from a stranger's.
    """

    phase: Phase
    progress: float | None = None
    video_url: str | None = None
    content: Ask | None = None
    code: str | None = None
    message: str | None = None
    is_content_refusal: bool = False
    is_caller_fault: bool = False
    unknown_word: str | None = None
    actual_prompt: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One task in an upstream's listing, for finding a create call whose answer was lost.

    Attributes:
        upstream_id: Its id.
        created_ms: Epoch milliseconds, or None where the listing does not say.
        model: As the upstream spells it, or None.
        prompt: The prompt, or None where the listing does not show it.
        seed: The seed, or None.
    """

    upstream_id: str
    created_ms: int | None = None
    model: str | None = None
    prompt: str | None = None
    seed: int | None = None


class Wire(Protocol):
    """One upstream API.

    Attributes:
        name: The engine kind: `dashscope`, `mulerouter`, `vtrix`, `unified`, `openai`.
        delivery: How it is given files.
        poll_s: Seconds between polls when the upstream does not say; grows with `flow`'s back-off.
        idempotency_header: Name of a header that makes a repeated create safe, or None.
        inlines_audio: Whether a sound may be a `data:` URI; else it goes as a link of ours.
        forgets: Whether an id that it no longer knows means that it was started anew, that the
            work is lost and was not charged; one more create call is then right.
        regions: Base URLs by the name of their region; empty where a key works everywhere.
    """

    name: str
    delivery: Delivery
    poll_s: float
    idempotency_header: str | None
    inlines_audio: bool
    forgets: bool
    regions: Mapping[str, str]

    def abilities(self, model: str) -> Abilities:
        """What it takes from an order."""
        ...

    def spelled(self, model: str) -> str:
        """The canonical name as the upstream spells it: the operator's way, else the wire's own."""
        ...

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """The kinds of work it can be asked for; empty for a model that it does not sell."""
        ...

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """What it cannot express, in one sentence, or None."""
        ...

    def keeps_ratio(self, order: Order) -> bool:
        """Whether the clip gets the first frame's ratio whatever size the order has."""
        ...

    def create(self, order: Order, media: tuple[Given, ...]) -> Ask:
        """The call that starts the work: every field that the wire can express, and no other."""
        ...

    def read_created(self, answer: Answer) -> str:
        """The upstream's id.

        Raises:
            CallerError: The upstream found the request wrong (FIELD_INVALID …), its content
                improper (CONTENT_REFUSED), or the model unknown (MODEL_UNKNOWN); not charged.
            UpstreamError: UPSTREAM_REFUSED for key, balance and permission; UPSTREAM_FAILED,
                retriable, for rate limits (with `retry_after_s`) and its own faults that are known
                not to have created anything; SUBMIT_AMBIGUOUS where it may have: a 5xx without a
                clear word, or a 2xx without an id.
        """
        ...

    def poll(self, upstream_id: str, model: str) -> Ask:
        """The call that looks at it; `model` is the order's, which some paths name, too."""
        ...

    def read_poll(self, answer: Answer) -> Sighting:
        """What the look showed.

        Raises:
            UpstreamError: The answer says nothing about the task (5xx, HTML, rate limit): look
                again later; `retry_after_s` when it said when.
        """
        ...

    def cancel(self, upstream_id: str) -> Ask | None:
        """The call that stops it, or None where the upstream has none."""
        ...

    def listing(self, since_ms: int, until_ms: int) -> Ask | None:
        """The call that lists what was created between two times, or None where there is none."""
        ...

    def read_listing(self, answer: Answer, since_ms: int) -> tuple[Listed, ...]:
        """What the listing showed; tasks from before `since_ms` may be among it.

        Raises:
            UpstreamError: It could not be read, or there may be more since then than it shows.
        """
        ...

    def probe(self) -> Ask | None:
        """A call that costs nothing and needs a valid key, or None where there is none."""
        ...

    def read_probe(self, answer: Answer) -> str | None:
        """Why the key does not work, or None when it does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file on its way: the call that hands it over, and what then stands in the create call.

    Attributes:
        ask: A form with the file as its last part; to a whole URL, without the key.
        text: An `oss://` URL.
    """

    ask: Ask
    text: str


class UploadingWire(Wire, Protocol):
    """A wire with `Delivery.POLICY`: leave to upload is asked for, then the file goes elsewhere."""

    def policy(self, model: str) -> Ask:
        """The call that asks for leave to upload one file, for the canonical name `model`."""
        ...

    def read_policy(self, answer: Answer) -> Mapping[str, str]:
        """The members of the leave.

        Raises:
            UpstreamError: As `Wire.read_created` says; nothing can have been charged.
        """
        ...

    def upload(self, policy: Mapping[str, str], file: Path, content_type: str) -> Upload:
        """The form that sends `file`; any answer with status 200 means that it is there."""
        ...
