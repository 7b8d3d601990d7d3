import hashlib
import subprocess
import sys
import wave
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Role, ShotType
from kinogate.domain.templates import TEMPLATE_NAMES
from kinogate.engines.preview.capabilities import CAPABILITIES, fingerprint, unsupported
from kinogate.engines.preview.engine import COMMENT, render
from kinogate.engines.preview.footage import loudness
from kinogate.engines.preview.templates import TEMPLATES
from kinogate.media.encode import Mp4Writer
from kinogate.media.probe import audio_windows_db, first_frame, frames, probe_video, ssim
from kinogate.media.still_paths import still_paths
from kinogate.media.watermark import Watermark


def an_order(**changes):
    values = {
        "task_id": "task",
        "mode": Mode.T2V,
        "model": "wan2.6-t2v",
        "prompt": "a red balloon over snowy mountains at sunset",
        "width": 416,
        "height": 240,
        "fps": 24,
        "frame_count": 24,
        "duration_s": 1.0,
        "audio": AudioMode.OFF,
        "seed": 5,
    }
    return Order(**{**values, **changes})


def quietly(_stage, _share):
    """A report that nobody reads."""


def rendered(tmp_path, **changes):
    out = tmp_path / "out.mp4"
    return out, render(an_order(**changes), out, quietly)


def a_picture(width=640, height=480, hue=0):
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[:, :, hue] = np.linspace(40, 220, width, dtype=np.uint8)
    picture[:, :, (hue + 1) % 3] = np.linspace(30, 200, height, dtype=np.uint8)[:, None]
    cv2.circle(picture, (width // 2, height // 2), height // 5, (240, 220, 200), -1)
    return picture


def an_image(tmp_path, role, name="a.png", **options):
    path = tmp_path / name
    cv2.imwrite(str(path), a_picture(**options)[:, :, ::-1])
    return InputFile(role=role, path=str(path))


def a_clip(tmp_path, role, name="clip.mp4", count=16, value=200):
    path = tmp_path / name
    with Mp4Writer(path, width=320, height=240, fps=16, audio_rate=None, tags=()) as writer:
        for index in range(count):
            writer.write(np.full((240, 320, 3), value - index, dtype=np.uint8))
    return InputFile(role=role, path=str(path))


def a_tone(tmp_path, seconds, role=Role.AUDIO):
    path = tmp_path / "tone.wav"
    samples = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 48_000)) / 48_000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return InputFile(role=role, path=str(path))


@pytest.mark.parametrize(
    ("width", "height", "fps", "seconds"),
    [
        (832, 480, 30, 2),
        (480, 832, 30, 2),
        (624, 624, 24, 2),
        (832, 480, 16, 2.5),
        (1920, 1080, 30, 2),
        (1080, 1920, 24, 2),
        (1104, 832, 24, 3),
    ],
)
def test_the_file_measures_what_was_asked(tmp_path, width, height, fps, seconds):
    count = round(fps * seconds)
    out, produced = rendered(
        tmp_path, width=width, height=height, fps=fps, frame_count=count, duration_s=seconds
    )
    facts = probe_video(out)
    assert (facts.width, facts.height, facts.fps, facts.frame_count) == (width, height, fps, count)
    assert facts.duration_s == pytest.approx(seconds, abs=1e-4)
    assert facts.faststart
    assert (facts.color_matrix, facts.color_range) == (6, 1)
    measured = (produced.width, produced.height, produced.fps, produced.frame_count)
    assert measured == (width, height, fps, count)
    assert produced.duration_s == facts.duration_s
    assert produced.path == str(out)
    assert produced.fingerprint == fingerprint()


def test_audio_off_means_no_audio_stream(tmp_path):
    out, produced = rendered(tmp_path, audio=AudioMode.OFF)
    assert not produced.has_audio
    assert not probe_video(out).has_audio


def test_auto_audio_sounds_and_is_as_long_as_the_picture(tmp_path):
    out, produced = rendered(tmp_path, audio=AudioMode.AUTO, frame_count=48, duration_s=2.0)
    facts = probe_video(out)
    assert produced.has_audio
    assert facts.audio_duration_s == pytest.approx(2.0, abs=1024 / 48_000)
    assert np.median(audio_windows_db(out)) > -35


def test_a_shorter_sound_is_followed_by_silence(tmp_path):
    out, _ = rendered(
        tmp_path,
        audio=AudioMode.FILE,
        inputs=(a_tone(tmp_path, 3),),
        frame_count=120,
        duration_s=5.0,
    )
    levels = audio_windows_db(out)
    assert levels[:29].min() > -50
    assert levels[31:].max() < -60


def test_a_longer_sound_is_cut_at_the_end(tmp_path):
    out, _ = rendered(tmp_path, audio=AudioMode.FILE, inputs=(a_tone(tmp_path, 3),))
    assert probe_video(out).audio_duration_s == pytest.approx(1.0, abs=1024 / 48_000)
    assert audio_windows_db(out)[:9].min() > -20


def test_a_sound_asked_for_and_not_given_is_our_failure(tmp_path):
    with pytest.raises(InternalError) as caught:
        rendered(tmp_path, audio=AudioMode.FILE)
    assert caught.value.code is ErrorCode.ENGINE_FAILED
    assert list(tmp_path.iterdir()) == []


def test_a_sound_that_is_none_is_the_callers_failure(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"this is no sound")
    item = InputFile(role=Role.AUDIO, path=str(tmp_path / "a.wav"))
    with pytest.raises(CallerError) as caught:
        rendered(tmp_path, audio=AudioMode.FILE, inputs=(item,))
    assert caught.value.code is ErrorCode.MEDIA_FORMAT


def test_the_same_order_gives_the_same_bytes_and_another_seed_others(tmp_path):
    digests = []
    for seed in (5, 5, 6):
        out, _ = rendered(tmp_path, seed=seed, audio=AudioMode.AUTO, watermark="AI Generated")
        digests.append(hashlib.sha256(out.read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_the_mark_is_on_every_frame_and_only_in_the_lower_right(tmp_path):
    plain, _ = rendered(tmp_path)
    unmarked = list(frames(plain))
    out, _ = rendered(tmp_path, watermark="AI Generated")
    left, top, right, bottom = Watermark("AI Generated", 416, 240).region
    for before, after in zip(unmarked, frames(out), strict=True):
        change = np.abs(after.astype(int) - before).max(axis=2)
        assert change[top:bottom, left:right].max() > 80
        change[top - 4 :, left - 4 :] = 0
        assert change.max() < 50  # what the encoder does elsewhere because of it
        assert change.mean() < 1.0


def test_tags_are_written_with_the_words_that_it_is_no_model(tmp_path):
    out, _ = rendered(tmp_path, tags=(("AIGC", '{"Label":"1"}'), ("title", "t")))
    tags = dict(probe_video(out).tags)
    assert tags["AIGC"] == '{"Label":"1"}'
    assert tags["title"] == "t"
    assert tags["comment"] == COMMENT
    assert "not the output of a Wan model" in COMMENT


def test_a_mark_for_the_first_seconds_goes_when_they_are_over(tmp_path):
    order = {"frame_count": 48, "duration_s": 2.0, "seed": 3}
    (tmp_path / "plain").mkdir()
    plain = list(frames(rendered(tmp_path / "plain", **order)[0]))
    label = {"watermark": "AI-generated", "watermark_s": 1.0, "is_label": True}
    marked = list(frames(rendered(tmp_path, **order, **label)[0]))
    changed = [
        np.abs(a.astype(int) - b)[-40:, -160:].max() > 60
        for a, b in zip(marked, plain, strict=True)
    ]
    assert changed == [True] * 24 + [False] * 24


def test_every_still_lies_beside_the_clip_and_none_after_a_failure(tmp_path):
    out, _ = rendered(tmp_path)
    assert all(path.exists() for path in still_paths(out).all())

    with pytest.raises(InternalError):
        render(an_order(audio=AudioMode.FILE), out, quietly)
    assert list(tmp_path.iterdir()) == []


def test_while_it_draws_a_small_picture_shows_how_it_will_look(tmp_path):
    seen = []
    live = still_paths(tmp_path / "out.mp4").live

    def look(stage, _share):
        if stage == "drawing":
            seen.append(cv2.imread(str(live)))

    render(an_order(width=832, height=480), tmp_path / "out.mp4", look)

    assert seen[0].shape == (277, 480, 3)
    assert seen[0].std() > 5
    assert not live.exists()


def test_a_live_picture_changes_no_byte_of_the_clip_and_is_done_without(tmp_path):
    (tmp_path / "seen").mkdir()
    (tmp_path / "blind").mkdir()
    (tmp_path / "blind" / "out.live.jpg").mkdir()  # nothing can be put in its place

    seen, _ = rendered(tmp_path / "seen")
    blind, _ = rendered(tmp_path / "blind")

    assert seen.read_bytes() == blind.read_bytes()


def test_a_poster_lies_beside_the_clip(tmp_path):
    out, _ = rendered(tmp_path)
    poster = cv2.imread(str(still_paths(out).poster))
    assert poster.shape == (240, 416, 3)
    assert ssim(poster[:, :, ::-1].copy(), list(frames(out))[8]) > 0.9


def test_reports_rise_to_one_and_come_often(tmp_path):
    heard = []
    render(
        an_order(frame_count=120, duration_s=5.0, audio=AudioMode.AUTO),
        tmp_path / "a.mp4",
        lambda stage, share: heard.append((stage, share)),
    )
    shares = [share for _, share in heard]
    assert len(shares) >= 10
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert np.diff(shares).max() < 0.05
    assert list(dict.fromkeys(stage for stage, _ in heard)) == [
        "preparing",
        "drawing",
        "finishing",
    ]


@pytest.mark.parametrize("moment", [0.0, 0.03, 0.4, 0.9, 0.97, 1.0])
def test_a_cancel_at_any_moment_leaves_nothing_behind(tmp_path, moment):
    def report(_stage, share):
        if share >= moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(an_order(audio=AudioMode.AUTO), tmp_path / "a.mp4", report)
    assert list(tmp_path.iterdir()) == []


def test_an_image_order_starts_with_its_image(tmp_path):
    item = an_image(tmp_path, Role.FIRST_FRAME, width=832, height=480)
    out, _ = rendered(tmp_path, mode=Mode.I2V, inputs=(item,), width=832, height=480)
    seen = first_frame(out)
    assert ssim(a_picture(832, 480), seen) >= 0.98
    shift = (seen.astype(float) - a_picture(832, 480)).mean(axis=(0, 1))
    assert np.abs(shift).max() <= 3.0


def test_a_keyframe_order_ends_with_its_last_image(tmp_path):
    first = an_image(tmp_path, Role.FIRST_FRAME, "a.png", width=416, height=240)
    last = an_image(tmp_path, Role.LAST_FRAME, "b.png", width=416, height=240, hue=1)
    out, _ = rendered(tmp_path, mode=Mode.KF2V, inputs=(first, last))
    seen = list(frames(out))
    assert ssim(a_picture(416, 240), seen[0]) > 0.95
    assert ssim(a_picture(416, 240, hue=1), seen[-1]) > 0.95


def test_a_keyframe_order_without_a_last_image_plays_from_the_first(tmp_path):
    first = an_image(tmp_path, Role.FIRST_FRAME, width=416, height=240)
    out, _ = rendered(tmp_path, mode=Mode.KF2V, inputs=(first,))
    assert ssim(a_picture(416, 240), first_frame(out)) > 0.95


def test_a_reference_order_gives_each_reference_a_shot(tmp_path):
    inputs = (
        an_image(tmp_path, Role.REFERENCE_IMAGE, "a.png", width=416, height=240),
        a_clip(tmp_path, Role.REFERENCE_VIDEO),
    )
    out, produced = rendered(tmp_path, mode=Mode.R2V, inputs=inputs, prompt="")
    seen = list(frames(out))
    assert produced.frame_count == 24
    assert ssim(a_picture(416, 240), seen[0]) > 0.9
    assert np.abs(seen[13].astype(int) - 199).mean() < 6


def test_reference_voices_are_passed_over_with_a_warning(tmp_path):
    inputs = (
        an_image(tmp_path, Role.REFERENCE_IMAGE),
        a_tone(tmp_path, 1, role=Role.REFERENCE_AUDIO),
    )
    _, produced = rendered(tmp_path, mode=Mode.R2V, inputs=inputs)
    assert any("voices" in warning for warning in produced.warnings)


def test_a_clip_order_plays_the_clip_and_goes_on(tmp_path):
    inputs = (a_clip(tmp_path, Role.FIRST_CLIP),)
    out, _ = rendered(
        tmp_path, mode=Mode.CLIP, inputs=inputs, frame_count=48, duration_s=2.0, prompt=""
    )
    seen = [float(frame.mean()) for frame in frames(out)]
    assert len(seen) == 48
    assert seen[0] == pytest.approx(200, abs=3)
    assert seen[22] == pytest.approx(185, abs=3)


def test_a_portrait_order_speaks_the_given_sound(tmp_path):
    inputs = (an_image(tmp_path, Role.FIRST_FRAME), a_tone(tmp_path, 1))
    out, produced = rendered(tmp_path, mode=Mode.S2V, inputs=inputs, audio=AudioMode.FILE)
    assert produced.has_audio
    assert audio_windows_db(out)[:9].min() > -20


@pytest.mark.parametrize("template", ["squish", "dance1", "rose", "dragon"])
def test_an_effect_starts_with_the_image_and_moves(tmp_path, template):
    item = an_image(tmp_path, Role.FIRST_FRAME, width=416, height=240)
    out, _ = rendered(tmp_path, mode=Mode.I2V, inputs=(item,), template=template)
    seen = list(frames(out))
    assert ssim(a_picture(416, 240), seen[0]) > 0.95
    assert ssim(seen[0], seen[-1]) < 0.98


def test_every_effect_of_the_catalogue_is_drawn():
    assert set(TEMPLATE_NAMES) <= set(TEMPLATES)


def test_several_shots_are_cut(tmp_path):
    changes = {"frame_count": 96, "duration_s": 4.0}
    single, _ = rendered(tmp_path, **changes)
    calm = [frame[::4, ::4].astype(int) for frame in frames(single)]
    several, _ = rendered(tmp_path, shot_type=ShotType.MULTI, **changes)
    cut = [frame[::4, ::4].astype(int) for frame in frames(several)]
    steps = [max(np.abs(b - a).mean() for a, b in pairwise(clip)) for clip in (calm, cut)]
    assert steps[1] > 2 * steps[0]


@pytest.mark.parametrize(
    ("mode", "roles"),
    [
        (Mode.I2V, [Role.FIRST_FRAME]),
        (Mode.KF2V, [Role.FIRST_FRAME]),
        (Mode.R2V, [Role.REFERENCE_IMAGE]),
        (Mode.CLIP, [Role.FIRST_CLIP]),
        (Mode.S2V, [Role.FIRST_FRAME]),
    ],
)
def test_a_missing_input_is_our_failure_and_a_broken_one_the_callers(tmp_path, mode, roles):
    with pytest.raises(InternalError):
        rendered(tmp_path, mode=mode)
    (tmp_path / "broken").write_bytes(b"neither picture nor video")
    items = tuple(InputFile(role=role, path=str(tmp_path / "broken")) for role in roles)
    with pytest.raises(CallerError) as caught:
        rendered(tmp_path, mode=mode, inputs=items)
    assert caught.value.code is ErrorCode.MEDIA_FORMAT
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


@pytest.mark.parametrize("mode", [Mode.EDIT, Mode.ANIMATE, Mode.DOCUMENT])
def test_other_work_is_refused_before_anything_is_reported(tmp_path, mode):
    heard = []
    with pytest.raises(CallerError) as caught:
        render(an_order(mode=mode), tmp_path / "a.mp4", lambda *told: heard.append(told))
    assert caught.value.code is ErrorCode.FEATURE_UNSUPPORTED
    assert heard == []


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_is_either_rendered_or_has_a_reason(mode):
    assert (unsupported(mode) is None) == (mode in CAPABILITIES)


def test_what_cannot_be_used_has_a_reason():
    assert unsupported(Mode.R2V, "image_reference") is None
    assert unsupported(Mode.CLIP, "video_extension") is None
    assert unsupported(Mode.EDIT, "video_repainting") is not None
    assert "mask_image" in (unsupported(Mode.R2V, roles=[Role.MASK_IMAGE]) or "")
    assert unsupported(Mode.T2V, template="squish") is not None
    assert unsupported(Mode.I2V, template="squish") is None


def test_capabilities_load_nothing_heavy():
    code = (
        "import sys, kinogate.engines.preview.capabilities as c; c.fingerprint();"
        "print(sorted({'av', 'cv2', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_loudness_follows_the_sound_frame_by_frame():
    time = np.arange(48_000) / 48_000
    tone = 0.5 * np.sin(2 * np.pi * 200 * time).astype(np.float32)
    samples = np.stack([np.concatenate((np.zeros(48_000, np.float32), tone))] * 2)
    levels = loudness(samples, 24, 72)
    assert levels.shape == (72,)
    assert levels[:24].max() == 0.0
    assert levels[25:47].min() > 0.9
    assert levels[48:].max() == 0.0


def test_a_silent_order_has_no_loudness():
    assert not loudness(None, 24, 10).any()


def test_an_order_says_the_same_whatever_its_task_id(tmp_path):
    first, _ = rendered(tmp_path)
    before = first.read_bytes()
    order = replace(an_order(), task_id="another")
    render(order, tmp_path / "b.mp4", quietly)
    assert (tmp_path / "b.mp4").read_bytes() == before
