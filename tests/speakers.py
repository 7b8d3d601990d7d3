"""How each dialect is spoken: where its members lie, and what its replies say.

Typed in from the specification and never read from the code under test, so that the same table can
drive the contract suite of all dialects.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from factories import a_call
from kinogate.dialects import build_dialects
from kinogate.dialects.base import Action, Call, Dialect

Pointer = tuple[str | int, ...]
PREFIXES = ("", "/qwen", "/wan")
DIALECTS = {dialect.name: dialect for dialect in build_dialects(dashscope_prefixes=PREFIXES)}


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """One dialect from the caller's side.

    Attributes:
        create: Path of a create call for wan2.6-t2v.
        poll: Path of a query, with `{id}`.
        places: Canonical member to its place in the create body.
        id_at, status_at, message_at: Places in replies.
        words: Status words by canonical state (spec §0.2).
        headers: Beside content type and key.
        model_param: Whether the model stands in the path.
    """

    name: str
    create: str
    poll: str
    places: Mapping[str, Pointer]
    id_at: Pointer
    status_at: Pointer
    message_at: Pointer
    words: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    model_param: bool = False

    @property
    def dialect(self) -> Dialect:
        """The implementation."""
        return DIALECTS[self.name]

    def body(self, **members: object) -> dict[str, Any]:
        """A create body: wan2.6-t2v with a prompt, and `members` by canonical names."""
        found: dict[str, Any] = {}
        for name, value in {"model": "wan2.6-t2v", "prompt": "a cat", **members}.items():
            if name == "model" and self.model_param:
                continue
            put(found, self.places[name], value)
        return found

    def call(self, body: object, **changes: Any) -> Call:
        """A create call with a JSON body."""
        return self.raw_call(json.dumps(body).encode(), **changes)

    def raw_call(self, body: bytes, *, model: str = "wan2.6-t2v", **changes: Any) -> Call:
        """A create call with any bytes."""
        params = {"vendor": "alibaba", "model": model} if self.model_param else {}
        return a_call(
            path=self.create.replace("wan2.6-t2v", model),
            action=Action.CREATE,
            params=params,
            headers={"content-type": "application/json", **self.headers},
            body=body,
            **changes,
        )

    def poll_path(self, task_id: str) -> str:
        """Where a task is asked for, with its id in this dialect's spelling."""
        return self.poll.replace("{id}", self.spelled(task_id))

    def spelled(self, task_id: str) -> str:
        """A task's id as this dialect writes it."""
        return f"video_{task_id.replace('-', '')}" if self.name == "openai" else task_id


def put(body: dict[str, Any], place: Pointer, value: object) -> None:
    """Set a member, making the objects and lists on the way."""
    at: Any = body
    for step, following in itertools.pairwise(place):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(at, list):
            while len(at) <= int(step):
                at.append(None)
            if at[int(step)] is None:
                at[int(step)] = empty
            at = at[int(step)]
        else:
            at = at.setdefault(step, empty)
    if isinstance(at, list):
        at.append(value)
    else:
        at[place[-1]] = value


def dig(body: Any, place: Pointer) -> Any:
    """The member of a reply at a place."""
    for step in place:
        body = body[step]
    return body


def flat(*names: str, **others: str) -> dict[str, Pointer]:
    """Places in a flat body."""
    return {**{name: (name,) for name in names}, **{name: (at,) for name, at in others.items()}}


_HALVES: dict[str, Pointer] = {
    "model": ("model",),
    "prompt": ("input", "prompt"),
    "first_frame": ("input", "img_url"),
    "last_frame": ("input", "last_frame_url"),
    "audio_url": ("input", "audio_url"),
    "template": ("input", "template"),
    "size": ("parameters", "size"),
    "resolution": ("parameters", "resolution"),
    "duration": ("parameters", "duration"),
    "audio": ("parameters", "audio"),
    "prompt_extend": ("parameters", "prompt_extend"),
    "shot_type": ("parameters", "shot_type"),
    "watermark": ("parameters", "watermark"),
    "seed": ("parameters", "seed"),
}
_STATES = ("queued", "running", "succeeded", "failed", "canceled")


def _words(text: str) -> dict[str, str]:
    return dict(zip(_STATES, text.split(), strict=True))


SPEAKERS = {
    speaker.name: speaker
    for speaker in (
        Speaker(
            name="unified",
            create="/v2/videos/generations",
            poll="/v2/videos/generations/{id}",
            places={
                **flat("model", "prompt", "negative_prompt", "audio_url", "template", "size"),
                **flat("resolution", "duration", "audio", "prompt_extend", "watermark", "seed"),
                "first_frame": ("images", 0),
                "last_frame": ("images", 1),
            },
            id_at=("task_id",),
            status_at=("status",),
            message_at=("message",),
            words=_words("NOT_START IN_PROGRESS SUCCESS FAILURE FAILURE"),
        ),
        Speaker(
            name="dashscope",
            create="/api/v1/services/aigc/video-generation/video-synthesis",
            poll="/api/v1/tasks/{id}",
            places={**_HALVES, "negative_prompt": ("input", "negative_prompt")},
            id_at=("output", "task_id"),
            status_at=("output", "task_status"),
            message_at=("message",),
            words=_words("PENDING RUNNING SUCCEEDED FAILED CANCELED"),
            headers={"x-dashscope-async": "enable"},
        ),
        Speaker(
            name="vtrix",
            create="/model/v1/generation",
            poll="/model/v1/generation/task/{id}",
            places={**_HALVES, "negative_prompt": ("parameters", "negative_prompt")},
            id_at=("id",),
            status_at=("status",),
            message_at=("error", "message"),
            words=_words("in_progress in_progress completed failed failed"),
        ),
        Speaker(
            name="mulerouter",
            create="/vendors/alibaba/v1/wan2.6-t2v/generation",
            poll="/vendors/alibaba/v1/wan2.2-i2v-plus/generation/{id}",
            places={
                **flat("model", "prompt", "negative_prompt", "last_frame", "audio_url", "template"),
                **flat("size", "resolution", "duration", "audio", "prompt_extend", "seed"),
                **flat(first_frame="image", shot_type="multi_shots"),
            },
            id_at=("task_info", "id"),
            status_at=("task_info", "status"),
            message_at=("detail",),
            words=_words("pending processing completed failed failed"),
            model_param=True,
        ),
        Speaker(
            name="openai",
            create="/v1/videos",
            poll="/v1/videos/{id}",
            places={
                **flat("model", "prompt", "negative_prompt", "last_frame", "audio_url", "template"),
                **flat("size", "resolution", "audio", "prompt_extend", "shot_type", "watermark"),
                **flat("seed", first_frame="input_reference", duration="seconds"),
            },
            id_at=("id",),
            status_at=("status",),
            message_at=("error", "message"),
            words=_words("queued in_progress completed failed failed"),
        ),
        Speaker(
            name="native",
            create="/kinogate/v1/tasks",
            poll="/kinogate/v1/tasks/{id}",
            places={
                **flat("model", "prompt", "negative_prompt", "last_frame", "audio_url", "template"),
                **flat("size", "resolution", "duration", "audio", "prompt_extend", "shot_type"),
                **flat("watermark", "seed", first_frame="image"),
            },
            id_at=("id",),
            status_at=("status",),
            message_at=("detail",),
            words=_words("queued running succeeded failed canceled"),
        ),
    )
}
