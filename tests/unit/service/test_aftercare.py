"""What the gateway adds to the files of engines that do not do everything themselves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factories import a_task, a_wav
from kinogate.domain.abilities import Abilities
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Produced, Role
from kinogate.media.encode import Mp4Writer
from kinogate.media.finish_job import FinishJob, Sound
from kinogate.media.finisher import Finisher
from kinogate.media.probe import audio_windows_db, first_frame, probe_video
from kinogate.service.aftercare import Aftercare, engine_order, finish_job

TAGS = (("artist", "Kinogate"), ("AIGC", '{"Label":"1"}'))
ABLE = Abilities()
SERVICE = Abilities(draws_mark=False, writes_tags=False, takes_audio=False, is_measured=True)


def an_order(**changes: Any) -> Order:
    order = Order(
        task_id="t",
        mode=Mode.T2V,
        model="wan2.6-t2v",
        prompt="a boat",
        width=320,
        height=192,
        fps=24,
        frame_count=48,
        duration_s=2.0,
        audio=AudioMode.OFF,
        seed=7,
        tags=TAGS,
    )
    return replace(order, **changes)


def with_file(**changes: Any) -> Order:
    given = InputFile(role=Role.AUDIO, path="/given.wav")
    return an_order(audio=AudioMode.FILE, inputs=(given,), **changes)


# -- what is the engine's, and what ours ----------------------------------------------------------


def test_an_able_engine_gets_the_whole_order_and_its_file_is_left_alone() -> None:
    order = with_file(watermark="AI", watermark_s=2.0, is_label=True)

    assert engine_order(order, ABLE) == order
    assert finish_job(order, ABLE, Path("clip.mp4")) is None


@pytest.mark.parametrize(
    ("abilities", "order", "engines", "ours"),
    [
        (
            Abilities(draws_mark=False),
            an_order(watermark="AI", watermark_s=2.0, is_label=True),
            {"watermark": None, "watermark_s": None, "is_label": False},
            {"mark": "AI", "mark_s": 2.0, "is_label": True},
        ),
        (
            Abilities(draws_mark=False, mark_text="AI"),
            an_order(watermark="AI", is_label=True),
            {"watermark": None, "is_label": False},
            {"mark": "AI", "is_label": True},
        ),
        (
            Abilities(draws_mark=False, mark_text="AI", writes_tags=False),
            an_order(watermark="AI"),
            {"tags": ()},
            {"mark": None, "tags": TAGS},
        ),
        (Abilities(writes_tags=False), an_order(), {"tags": ()}, {"tags": TAGS}),
        (
            Abilities(takes_audio=False),
            with_file(),
            {"audio": AudioMode.OFF, "inputs": ()},
            {"sound": Sound.GIVEN, "sound_path": "/given.wav"},
        ),
        (
            Abilities(silence=False),
            an_order(),
            {"audio": AudioMode.AUTO},
            {"sound": Sound.DROP},
        ),
        (
            Abilities(silence=False, takes_audio=False),
            with_file(),
            {"audio": AudioMode.AUTO, "inputs": ()},
            {"sound": Sound.GIVEN, "sound_path": "/given.wav"},
        ),
    ],
    ids=[
        "mark",
        "label",
        "mark of its own",
        "tags",
        "file",
        "silence",
        "file on an engine that is never silent",
    ],
)
def test_what_an_engine_cannot_do_is_taken_from_its_order_and_done_here(
    abilities: Abilities, order: Order, engines: dict[str, Any], ours: dict[str, Any]
) -> None:
    clip = Path("/scratch/clip.mp4")
    plain = FinishJob(clip=str(clip), out="/scratch/finished-clip.mp4", longest_s=2.6)

    assert engine_order(order, abilities) == replace(order, **engines)
    job = finish_job(order, abilities, clip)
    assert job is not None
    meant = {"mark_s": job.mark_s, "is_label": job.is_label} if job.mark is None else {}
    assert job == replace(plain, **(meant | ours))


def test_a_mark_that_the_engine_has_itself_is_drawn_once() -> None:
    able, order = Abilities(draws_mark=False, mark_text="AI"), an_order(watermark="AI")

    assert engine_order(order, able) == order
    assert finish_job(order, able, Path("clip.mp4")) is None


def test_an_engine_without_any_sound_is_not_told_to_make_one() -> None:
    order = an_order()

    assert engine_order(order, Abilities(silence=False, auto_audio=False)) == order


@pytest.mark.parametrize(
    ("order", "abilities", "sound"),
    [
        (an_order(), Abilities(is_measured=True), Sound.DROP),
        (an_order(audio=AudioMode.AUTO), Abilities(is_measured=True), Sound.KEEP),
        (with_file(), Abilities(is_measured=True), Sound.SPARE),
        (with_file(), SERVICE, Sound.GIVEN),
    ],
)
def test_a_services_clip_is_always_looked_at(
    order: Order, abilities: Abilities, sound: Sound
) -> None:
    job = finish_job(order, abilities, Path("clip.mp4"))

    assert job is not None
    assert job.sound is sound


# -- the file -------------------------------------------------------------------------------------


def a_clip(path: Path, *, fps: int = 24, count: int = 48, has_audio: bool = False) -> Produced:
    """A grey clip, and what an engine that knows nothing of it says."""
    with Mp4Writer(
        path, width=320, height=192, fps=fps, audio_rate=48_000 if has_audio else None, tags=()
    ) as writer:
        for index in range(count):
            writer.write(np.full((192, 320, 3), 90 + index, dtype=np.uint8))
            if has_audio:
                writer.write_audio(np.full((2, 48_000 // fps), 0.2, dtype=np.float32))
    return Produced(
        path=str(path),
        width=320,
        height=192,
        fps=24,
        frame_count=48,
        duration_s=2.0,
        has_audio=has_audio,
        fingerprint="service/1",
    )


def completed(produced: Produced, order: Order, abilities: Abilities) -> Produced:
    async def run() -> Produced:
        finisher = Finisher()
        try:
            care = Aftercare(finisher=finisher)
            return await care.complete(a_task(), order, produced, abilities)
        finally:
            await finisher.close()

    return asyncio.run(run())


def test_mark_tags_and_sound_are_added_to_a_services_clip_at_once(tmp_path: Path) -> None:
    sound = tmp_path / "given.wav"
    sound.write_bytes(a_wav(1.0))
    order = an_order(
        audio=AudioMode.FILE,
        inputs=(InputFile(role=Role.AUDIO, path=str(sound)),),
        watermark="AI Generated",
    )
    clip = tmp_path / "clip.mp4"

    made = completed(a_clip(clip), order, SERVICE)

    facts = probe_video(clip)
    assert set(TAGS) <= set(facts.tags)
    assert (facts.has_audio, made.has_audio, facts.frame_count) == (True, True, 48)
    assert first_frame(clip)[170:, 200:].std() > 5
    assert made.warnings == ()


def test_a_services_clip_is_given_as_it_measures(tmp_path: Path) -> None:
    made = completed(a_clip(tmp_path / "clip.mp4", fps=16, count=33), an_order(), SERVICE)

    assert (made.fps, made.frame_count, made.duration_s) == (16, 33, pytest.approx(33 / 16))
    assert made.warnings == (
        "fps is 16 instead of 24.",
        "duration is 2.06 s instead of 2 s.",
    )


def test_sound_that_nobody_asked_for_is_taken_away(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"

    made = completed(a_clip(clip, has_audio=True), an_order(), Abilities(silence=False))

    assert not made.has_audio
    assert len(audio_windows_db(clip)) == 0


def test_a_file_that_an_exact_engine_misdescribes_is_refused(tmp_path: Path) -> None:
    produced = a_clip(tmp_path / "clip.mp4", count=47)

    with pytest.raises(InternalError) as caught:
        completed(produced, an_order(), Abilities(writes_tags=False))

    assert caught.value.code is ErrorCode.RESULT_INVALID


@pytest.mark.parametrize("content", [b"", b"<html>Gone</html>"], ids=["empty", "html"])
def test_what_is_no_clip_fails_clearly_and_leaves_no_file_of_ours(
    tmp_path: Path, content: bytes
) -> None:
    clip = tmp_path / "clip.mp4"
    produced = a_clip(clip)
    clip.write_bytes(content)

    with pytest.raises(InternalError) as caught:
        completed(produced, an_order(watermark="AI"), SERVICE)

    assert caught.value.code is ErrorCode.RESULT_INVALID
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_picture_that_breaks_off_inside_is_no_clip(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    produced = a_clip(clip)
    data = bytearray(clip.read_bytes())
    data[-400:] = b"\xff" * 400
    clip.write_bytes(data)

    with pytest.raises(InternalError) as caught:
        completed(produced, an_order(), SERVICE)

    assert caught.value.code is ErrorCode.RESULT_INVALID
    assert not list(tmp_path.glob("finished*"))
