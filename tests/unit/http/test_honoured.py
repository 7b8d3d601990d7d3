"""What an engine is told, proven from the order that it receives, in every dialect.

Each row is a wish that some engine cannot honour (design §4.4): sent through the real edge, submit
and run, to an engine that honours everything and to one that does not. Adapted wishes are told to
the caller; what the gateway does in the engine's place is told to nobody; inputs, size, duration and
template are refused.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from factories import a_png, a_wav
from harness import Harness, IdleEngine, StillClock, wait_for
from kinogate.domain.abilities import Abilities
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import ReportProgress
from kinogate.domain.knobs import NO_KNOBS, Knobs
from kinogate.domain.media import AudioFacts, Kind
from kinogate.domain.order import AudioMode, Mode, Order, Produced, Role, ShotType
from kinogate.domain.ports import Principal, TaskFilter
from kinogate.domain.request import GenerationRequest, Submission
from kinogate.domain.spec import AudioFileRule
from kinogate.domain.task import Plan, Task
from kinogate.media.finish_job import ClipFacts, FinishJob, Sound
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.aftercare import Aftercare
from kinogate.service.prepare import Preparer
from kinogate.service.run import Runner
from kinogate.service.submit import Origin
from speakers import SPEAKERS, Pointer, Speaker, dig

ABLE = Abilities()
A_PNG = f"data:image/png;base64,{base64.b64encode(a_png()).decode()}"
A_WAV = f"data:audio/wav;base64,{base64.b64encode(a_wav(3.0)).decode()}"


# -- a server whose engine remembers what it was given ---------------------------------------------


class RememberingEngine(IdleEngine):
    """Keeps its orders and says that it made what they ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[Order] = []

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        self.orders.append(order)
        out.write_bytes(b"mp4")
        return Produced(
            path=str(out),
            width=order.width,
            height=order.height,
            fps=order.fps,
            frame_count=order.frame_count,
            duration_s=order.duration_s,
            has_audio=order.audio is not AudioMode.OFF,
            fingerprint="remembering/1",
        )


class RememberingFinisher:
    """Keeps its jobs; what they do to files is proven in `test_conform` and `test_aftercare`."""

    def __init__(self, engine: RememberingEngine) -> None:
        self._engine = engine
        self.jobs: list[FinishJob] = []

    async def finish(self, job: FinishJob) -> ClipFacts:
        self.jobs.append(job)
        order = self._engine.orders[-1]
        return ClipFacts(
            width=order.width,
            height=order.height,
            rate=float(order.fps),
            frame_count=order.frame_count,
            duration_s=order.duration_s,
            has_audio=job.sound is Sound.GIVEN,
            is_changed=False,
        )

    async def stills(self, clip: Path) -> None:
        """None are needed."""


class TrustingInspector:
    """Believes every sound."""

    async def audio(self, path: Path, rule: AudioFileRule) -> AudioFacts:
        return AudioFacts(
            kind=Kind.WAV, duration_s=3.0, sample_rate=8_000, channels=1, size_bytes=1
        )


class Theatre:
    """The harness, and a runner over its store."""

    def __init__(self, harness: Harness, engine: RememberingEngine, scratch: Path) -> None:
        self.harness, self.engine = harness, engine
        self.finisher = RememberingFinisher(engine)
        self._runner = Runner(
            store=harness.store,
            blobs=harness.blobs,
            preparer=Preparer(
                blobs=harness.blobs,
                fetcher=Fetcher(FetchPolicy()),
                inspector=TrustingInspector(),  # type: ignore[arg-type]
                catalogue=CATALOGUE,
            ),
            router=harness.router,
            clock=StillClock(),
            scratch=scratch,
            result_ttl_s=3_600,
            aftercare=Aftercare(finisher=self.finisher),  # type: ignore[arg-type]
        )

    def submit(self, speaker: Speaker, model: str = "wan2.6-t2v", **members: object) -> Any:
        body = speaker.body(**{"model": model, **members})
        headers = {**self.harness.auth(), **speaker.headers}
        path = speaker.create.replace("wan2.6-t2v", model)
        return self.harness.client.post(path, json=body, headers=headers)

    def run(self) -> tuple[Order, Task]:
        """Run the task that was accepted last: the engine's order, and how the task ended."""
        task = self.harness.last_task()

        async def through() -> None:
            await self.harness.store.claim("x-1", 100, task.created_ms, lane=self.engine.name)
            ready = await self._runner.prepare(task.id)
            await self._runner.finish(task.id, await self._runner.render(task.id, ready))

        asyncio.run(through())
        return self.engine.orders[-1], self.harness.task(task.id)


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    engine = RememberingEngine()
    with Harness(engine) as harness:
        yield Theatre(harness, engine, tmp_path)


# -- adapted, and told ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One thing that a caller may ask for.

    Attributes:
        members: By canonical names, as `speakers` places them; {} for what every call has.
        poor: An engine that cannot do it.
        meant: What is in the order of an engine that can, beside `told`.
        instead: What is in the order of the poor one.
        told: Words of the sentence that the caller reads, or None for none.
        spelled: Members that a dialect writes in another way.
    """

    members: Mapping[str, object]
    poor: Abilities
    meant: Mapping[str, object]
    instead: Mapping[str, object]
    told: str | None
    spelled: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


ADAPTED = {
    "prompt_extend": Wish(
        members={"prompt_extend": False},
        poor=Abilities(prompt_extend=False),
        meant={"prompt": "a cat", "prompt_extend": False},
        instead={"prompt": "a cat", "prompt_extend": False},
        told="prompt_extend=false is not honoured",
    ),
    "shot_type": Wish(
        members={"shot_type": "multi", "prompt_extend": True},
        poor=Abilities(shot_type=False),
        meant={"shot_type": ShotType.MULTI},
        instead={"shot_type": ShotType.SINGLE},
        told="shot_type is not honoured",
    ),
    "seed": Wish(
        members={"seed": 0},
        poor=Abilities(seed=False),
        meant={"seed": 0},
        instead={"seed": 0},
        told="seed is not honoured",
    ),
    "negative_prompt": Wish(
        members={"negative_prompt": "rain"},
        poor=Abilities(negative_prompt=False),
        meant={"negative_prompt": "rain"},
        instead={"negative_prompt": ""},
        told="negative_prompt is not honoured",
    ),
    "fps": Wish(
        members={"duration": 5},
        spelled={"openai": {"duration": "5"}},
        poor=Abilities(fps=16),
        meant={"duration_s": 5.0},
        instead={"fps": 16, "frame_count": 80, "duration_s": 5.0},
        told="fps is 16",
    ),
    "auto audio": Wish(
        members={"audio": True},
        poor=Abilities(auto_audio=False),
        meant={"audio": AudioMode.AUTO},
        instead={"audio": AudioMode.OFF},
        told="makes no sound; the clip is silent",
    ),
    "silence": Wish(
        members={"audio": False},
        poor=Abilities(silence=False),
        meant={"audio": AudioMode.OFF},
        instead={"audio": AudioMode.AUTO},
        told=None,
    ),
    "an audio file": Wish(
        members={"audio": True, "audio_url": A_WAV},
        poor=Abilities(takes_audio=False),
        meant={"audio": AudioMode.FILE},
        instead={"audio": AudioMode.OFF, "inputs": ()},
        told=None,
    ),
    "watermark": Wish(
        members={"watermark": True},
        poor=Abilities(draws_mark=False),
        meant={},
        instead={"watermark": None},
        told=None,
    ),
    "tags": Wish(
        members={}, poor=Abilities(writes_tags=False), meant={}, instead={"tags": ()}, told=None
    ),
}

# What no member says (frame rate, tags) or all dialects can say is sent in all six.
CASES = [
    pytest.param(speaker, wish, id=f"{speaker.name}-{name}")
    for name, wish in ADAPTED.items()
    for speaker in SPEAKERS.values()
    if set(wish.members) <= set(speaker.places)
]


def told(reply: Any) -> str:
    header: str = reply.headers.get("x-kinogate-warnings", "")
    return header


def asked(theatre: Theatre, speaker: Speaker, wish: Wish, abilities: Abilities) -> Any:
    theatre.engine.able = abilities
    reply = theatre.submit(speaker, **wish.spelled.get(speaker.name, wish.members))
    assert reply.status_code in (200, 201, 202), reply.text
    return reply


def members_of(order: Order, names: Mapping[str, object]) -> dict[str, object]:
    return {name: getattr(order, name) for name in names}


@pytest.mark.parametrize(("speaker", "wish"), CASES)
def test_an_able_engine_receives_the_wish_and_nothing_is_told(
    theatre: Theatre, speaker: Speaker, wish: Wish
) -> None:
    reply = asked(theatre, speaker, wish, ABLE)
    order, task = theatre.run()

    assert members_of(order, wish.meant) == wish.meant
    assert told(reply) == ""
    assert task.warnings == ()
    assert task.outcome is not None
    assert task.outcome.warnings == ()
    assert theatre.finisher.jobs == []


@pytest.mark.parametrize(("speaker", "wish"), CASES)
def test_a_poor_engine_receives_what_it_can_do_and_the_caller_is_told_once(
    theatre: Theatre, speaker: Speaker, wish: Wish
) -> None:
    reply = asked(theatre, speaker, wish, wish.poor)
    order, task = theatre.run()

    assert members_of(order, wish.instead) == wish.instead
    assert task.outcome is not None
    assert task.outcome.warnings == ()
    if wish.told is None:
        assert (told(reply), task.warnings) == ("", ())
    else:
        assert wish.told in told(reply)
        assert len(task.warnings) == 1
        assert wish.told in task.warnings[0]


def test_every_adapted_wish_can_be_had_in_several_dialects() -> None:
    speakers = {name: [] for name in ADAPTED}  # type: dict[str, list[str]]
    for case in CASES:
        speaker, _, name = str(case.id).partition("-")
        speakers[name].append(speaker)

    assert all(len(found) >= 5 for found in speakers.values()), speakers


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("silence", {"sound": Sound.DROP}),
        ("an audio file", {"sound": Sound.GIVEN}),
        ("watermark", {"mark": "Generated by AI", "mark_s": None}),
    ],
)
def test_what_nobody_is_told_the_gateway_does(
    theatre: Theatre, name: str, job: dict[str, object]
) -> None:
    asked(theatre, SPEAKERS["unified"], ADAPTED[name], ADAPTED[name].poor)
    _, task = theatre.run()

    (found,) = theatre.finisher.jobs
    assert {member: getattr(found, member) for member in job} == job
    assert task.outcome is not None
    assert task.outcome.has_audio is (name == "an audio file")


def test_tags_that_an_engine_does_not_write_are_written_by_the_gateway(theatre: Theatre) -> None:
    asked(theatre, SPEAKERS["unified"], ADAPTED["tags"], ADAPTED["tags"].poor)
    theatre.run()

    (found,) = theatre.finisher.jobs
    assert {"artist", "AIGC"} <= {key for key, _ in found.tags}


@pytest.mark.parametrize(
    ("known", "arrives", "words"),
    [
        (frozenset({"steps", "guidance"}), Knobs(steps=8, guidance=3.0), ()),
        (frozenset({"steps"}), Knobs(steps=8), ("guidance is not honoured",)),
        (frozenset(), NO_KNOBS, ("steps, guidance are not honoured",)),
    ],
    ids=["all", "one", "none"],
)
def test_only_the_knobs_that_an_engine_has_arrive(
    theatre: Theatre, known: frozenset[str], arrives: Knobs, words: tuple[str, ...]
) -> None:
    theatre.engine.able = Abilities(knobs=known)
    request = GenerationRequest(
        model="wan2.6-t2v", prompt="a cat", knobs=Knobs(steps=8, guidance=3.0)
    )
    submitter = theatre.harness._services().submitter
    house = SPEAKERS["native"].dialect.house
    wait_for(
        submitter.submit(
            Principal(account_id="acme", key_id="key_1"),
            Submission(request=request),
            house,
            Origin(dialect="native"),
        )
    )

    order, task = theatre.run()

    assert order.knobs == arrives
    assert len(task.warnings) == len(words)
    assert all(word in text for word, text in zip(words, task.warnings, strict=True))


# -- refused --------------------------------------------------------------------------------------


# Typed in from docs/errors.md and the specification of each dialect.
CODES: dict[str, tuple[int, Pointer, object]] = {
    "unified": (400, ("code",), "invalid_request"),
    "dashscope": (400, ("code",), "UnsupportedOperation"),
    "vtrix": (400, ("error", "code"), "001027099"),
    "mulerouter": (400, ("error_code",), 2001),
    "openai": (400, ("error", "code"), "unsupported_feature"),
    "native": (400, ("code",), "feature_unsupported"),
}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One thing that an engine may be unable to do, and must never be adapted.

    Attributes:
        cannot: Whether a plan asks for it.
        model: A model that can be asked.
        beyond: Members that ask for it.
        within: Members that do not.
    """

    cannot: Callable[[Plan, frozenset[Role]], bool]
    model: str = "wan2.6-t2v"
    beyond: Mapping[str, object]
    within: Mapping[str, object]


REFUSED = {
    "inputs": Limit(
        cannot=lambda _, roles: Role.AUDIO in roles,
        beyond={"audio": True, "audio_url": A_WAV},
        within={"audio": True},
    ),
    "size": Limit(
        cannot=lambda plan, _: plan.size is not None and plan.size.pixels > 1280 * 720,
        beyond={"size": "1920*1080"},
        within={"size": "1280*720"},
    ),
    "duration": Limit(
        cannot=lambda plan, _: plan.duration_s > 5,
        beyond={"duration": 10},
        within={"duration": 5},
    ),
    "template": Limit(
        cannot=lambda plan, _: plan.template is not None,
        model="wan2.6-i2v",
        beyond={"first_frame": A_PNG, "template": "squish"},
        within={"first_frame": A_PNG},
    ),
    "mode": Limit(
        cannot=lambda plan, _: plan.mode is Mode.I2V,
        model="wan2.6-i2v",
        beyond={"first_frame": A_PNG},
        within={},
    ),
}


class LimitedEngine(RememberingEngine):
    """Refuses one kind of plan."""

    def __init__(self) -> None:
        super().__init__()
        self.limit: Limit | None = None

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        if self.limit is not None and self.limit.cannot(plan, roles):
            return "The engine cannot do this."
        return None


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Theatre]:
    engine = LimitedEngine()
    with Harness(engine) as harness:
        yield Theatre(harness, engine, tmp_path)


def spelled(speaker: Speaker, members: Mapping[str, object]) -> dict[str, object]:
    """The members as this dialect writes them."""
    found = dict(members)
    if speaker.name == "openai" and "size" in found:
        found["size"] = str(found["size"]).replace("*", "x")
    if speaker.name == "openai" and "duration" in found:
        found["duration"] = str(found["duration"])
    return found


@pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=SPEAKERS)
@pytest.mark.parametrize("limit", REFUSED.values(), ids=REFUSED)
def test_what_must_not_be_adapted_is_refused_in_the_dialects_code(
    limited: Theatre, speaker: Speaker, limit: Limit
) -> None:
    engine = limited.engine
    assert isinstance(engine, LimitedEngine)
    engine.limit = limit
    reply = limited.submit(speaker, limit.model, **spelled(speaker, limit.beyond))

    status, place, code = CODES[speaker.name]
    assert reply.status_code == status, reply.text
    assert dig(reply.json(), place) == code
    assert "The engine cannot do this." in reply.text
    page = wait_for(limited.harness.store.list("acme", TaskFilter(), limit=1))
    assert page.tasks == ()


@pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=SPEAKERS)
@pytest.mark.parametrize("name", [name for name in REFUSED if REFUSED[name].within])
def test_what_is_within_the_limit_arrives_as_asked(
    limited: Theatre, speaker: Speaker, name: str
) -> None:
    engine, limit = limited.engine, REFUSED[name]
    assert isinstance(engine, LimitedEngine)
    engine.limit = limit
    reply = limited.submit(speaker, limit.model, **spelled(speaker, limit.within))

    assert reply.status_code in (200, 201, 202), reply.text
    plan = limited.harness.last_task().plan
    assert not limit.cannot(plan, frozenset(item.role for item in plan.media))


@pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=SPEAKERS)
@pytest.mark.parametrize("name", ["size", "duration"])
def test_size_and_duration_arrive_exactly(limited: Theatre, speaker: Speaker, name: str) -> None:
    limit = replace(REFUSED[name], cannot=lambda *_: False)
    limited.submit(speaker, **spelled(speaker, limit.beyond))

    order, task = limited.run()

    if name == "size":
        assert (order.width, order.height) == (1920, 1080)
    else:
        assert (order.duration_s, order.frame_count) == (10.0, 10 * order.fps)
    assert task.warnings == ()
