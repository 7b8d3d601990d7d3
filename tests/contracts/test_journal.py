"""What every `UpstreamJournal` promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from kinogate.db.journal import SqlJournal
from kinogate.db.memory_journal import MemoryJournal
from kinogate.db.open import Database, open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.engine import CallState, UpstreamCall
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.ports import NewTask

pytestmark = pytest.mark.anyio

Journal = MemoryJournal | SqlJournal
TASK = "00000000-0000-4000-8000-000000000001"
OTHER_TASK = "00000000-0000-4000-8000-000000000002"
FINAL = [CallState.REFUSED, CallState.ENDED]


class Ticks:
    """A clock that counts its readings."""

    def __init__(self) -> None:
        self.now = 1000

    def now_ms(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def journal(request: pytest.FixtureRequest) -> Iterator[Journal]:
    """Each journal in turn."""
    if request.param == "memory":
        yield MemoryJournal(Ticks())
        return
    database = open_database(request.getfixturevalue(f"{request.param}_url"))
    yield SqlJournal(database, Ticks())
    database.close()


async def created(journal: Journal, upstream_id: str, task_id: str = TASK) -> UpstreamCall:
    call = await journal.intend(task_id, "intl", "main")
    return await journal.mark(call, CallState.CREATED, upstream_id)


async def only(journal: Journal) -> UpstreamCall:
    (call,) = await journal.calls(TASK, "intl")
    return call


async def test_an_intent_is_kept_as_it_was_written(journal: Journal) -> None:
    call = await journal.intend(TASK, "intl", "main")
    assert call == UpstreamCall(
        task_id=TASK,
        engine="intl",
        number=1,
        credential="main",
        state=CallState.INTENT,
        created_ms=1001,
    )
    assert await journal.calls(TASK, "intl") == [call]


async def test_a_task_without_calls_has_none(journal: Journal) -> None:
    assert await journal.calls(TASK, "intl") == []


async def test_numbers_count_up_by_task_and_engine(journal: Journal) -> None:
    names = [(TASK, "intl"), (TASK, "intl"), (TASK, "eu"), (OTHER_TASK, "intl"), (TASK, "intl")]
    numbers = [(await journal.intend(*name, "main")).number for name in names]
    assert numbers == [1, 2, 1, 1, 3]
    assert [call.number for call in await journal.calls(TASK, "intl")] == [1, 2, 3]


async def test_intents_at_once_get_numbers_of_their_own(journal: Journal) -> None:
    calls = await asyncio.gather(*[journal.intend(TASK, "intl", f"c{n}") for n in range(40)])
    assert sorted(call.number for call in calls) == list(range(1, 41))
    assert sorted(calls, key=lambda call: call.number) == await journal.calls(TASK, "intl")


async def test_a_created_call_keeps_its_id(journal: Journal) -> None:
    call = await created(journal, "up-1")
    assert (call.state, call.upstream_id) == (CallState.CREATED, "up-1")
    assert await journal.mark(call, CallState.CREATED, "up-2") == call
    ended = await journal.mark(call, CallState.ENDED, "up-3")
    assert (ended.state, ended.upstream_id) == (CallState.ENDED, "up-1")
    assert await only(journal) == ended


@pytest.mark.parametrize("state", [CallState.CREATED, *FINAL])
async def test_marking_twice_changes_nothing(journal: Journal, state: CallState) -> None:
    call = await journal.intend(TASK, "intl", "main")
    first = await journal.mark(call, state, "up-1")
    assert await journal.mark(call, state, "up-1") == first
    assert await journal.mark(first, state) == first
    assert await journal.calls(TASK, "intl") == [first]


@pytest.mark.parametrize("final", FINAL)
@pytest.mark.parametrize("later", list(CallState))
async def test_the_end_of_a_call_is_final(
    journal: Journal, final: CallState, later: CallState
) -> None:
    call = await journal.intend(TASK, "intl", "main")
    ended = await journal.mark(call, final)
    assert await journal.mark(call, later, "up-1") == ended
    assert await only(journal) == ended


@pytest.mark.parametrize("earlier", [CallState.INTENT, CallState.REFUSED])
async def test_a_call_with_an_id_is_neither_sent_again_nor_refused(
    journal: Journal, earlier: CallState
) -> None:
    """The upstream has it: forgetting that would pay for it twice."""
    call = await created(journal, "up-1")
    assert await journal.mark(call, earlier) == call


async def test_an_intent_whose_answer_was_lost_can_end(journal: Journal) -> None:
    call = await journal.intend(TASK, "intl", "main")
    assert (await journal.mark(call, CallState.ENDED)).state is CallState.ENDED


async def test_a_mark_leaves_other_calls_alone(journal: Journal) -> None:
    calls = [await journal.intend(TASK, "intl", "main") for _ in range(2)]
    others = [
        await journal.intend(TASK, "eu", "main"),
        await journal.intend(OTHER_TASK, "intl", "main"),
    ]
    await journal.mark(calls[0], CallState.CREATED, "up-1")
    assert (await journal.calls(TASK, "intl"))[1] == calls[1]
    assert await journal.calls(TASK, "eu") == others[:1]
    assert await journal.calls(OTHER_TASK, "intl") == others[1:]


async def test_a_mark_on_a_call_that_was_never_intended_is_an_error(journal: Journal) -> None:
    call = UpstreamCall(
        task_id=TASK,
        engine="intl",
        number=1,
        credential="main",
        state=CallState.INTENT,
        created_ms=1,
    )
    with pytest.raises(InternalError) as caught:
        await journal.mark(call, CallState.CREATED, "up-1")
    assert caught.value.code is ErrorCode.INTERNAL
    assert await journal.calls(TASK, "intl") == []


async def test_known_ids_are_those_of_any_task_of_the_engine(journal: Journal) -> None:
    await created(journal, "up-1")
    await created(journal, "up-2", OTHER_TASK)
    call = await journal.intend(TASK, "eu", "main")
    await journal.mark(call, CallState.CREATED, "up-3")
    asked = ["up-2", "up-9", "up-1", "up-3", "up-1"]
    assert await journal.known("intl", asked) == {"up-1", "up-2"}
    assert await journal.known("eu", ["up-3"]) == {"up-3"}
    assert await journal.known("intl", []) == frozenset()


# In a database only


async def test_what_was_written_survives_closing_and_opening(database: Database) -> None:
    journal = SqlJournal(database, Ticks())
    calls = [await created(journal, "up-1"), await journal.intend(TASK, "intl", "main")]
    database.close()
    again = open_database(database.url)
    assert await SqlJournal(again, Ticks()).calls(TASK, "intl") == calls
    again.close()


async def test_two_processes_worth_of_writers_share_one_journal(
    database: Database, new_task: Callable[..., NewTask]
) -> None:
    task = (await SqlTaskStore(database).submit(new_task())).task
    other = open_database(database.url)
    journals = [SqlJournal(database, Ticks()), SqlJournal(other, Ticks())]
    calls = await asyncio.gather(
        *[journals[n % 2].intend(task.id, "intl", "main") for n in range(40)]
    )
    assert sorted(call.number for call in calls) == list(range(1, 41))
    marks = [(CallState.REFUSED, None), (CallState.CREATED, "up-1"), (CallState.ENDED, "up-2")]
    for call in calls[:10]:
        await asyncio.gather(
            *[journals[n % 2].mark(call, *mark) for n, mark in enumerate(marks * 2)]
        )
        kept = [(await journal.calls(task.id, "intl"))[call.number - 1] for journal in journals]
        assert kept[0] == kept[1]
        assert kept[0].state in FINAL
    other.close()
