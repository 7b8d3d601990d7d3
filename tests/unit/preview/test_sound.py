import tracemalloc

import numpy as np
import pytest

from kinogate.engines.preview.cues import Bed, Cues, Music, cues_of_prompt, cues_of_scene
from kinogate.engines.preview.instruments import pluck
from kinogate.engines.preview.scene import plan_scene
from kinogate.engines.preview.sound import PEAK, soundtrack

_EVERY_BED = [Cues(beds=(bed,), music=Music.CALM) for bed in Bed]
_EVERY_TUNE = [Cues(beds=(), music=music) for music in Music]


def _rms_db(samples):
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples))))


def _power_between(samples, low_hz, high_hz):
    power = np.square(np.abs(np.fft.rfft(samples[0])))
    hertz = np.linspace(0, 24_000, power.size)
    return float(power[(hertz >= low_hz) & (hertz < high_hz)].sum() / power.sum())


@pytest.mark.parametrize("cues", [*_EVERY_BED, *_EVERY_TUNE], ids=str)
def test_every_sound_is_stereo_and_of_a_pleasant_level(cues):
    samples = soundtrack("", None, 3, 5.0, cues=cues)
    assert samples.shape == (2, 240_000)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= PEAK
    assert -24.0 < _rms_db(samples) < -18.0
    assert not np.array_equal(samples[0], samples[1])
    assert abs(_rms_db(samples[0]) - _rms_db(samples[1])) < 3.0


@pytest.mark.parametrize("cues", [*_EVERY_BED, *_EVERY_TUNE], ids=str)
def test_no_stretch_of_a_second_is_silent(cues):
    samples = soundtrack("", None, 4, 8.0, cues=cues)
    seconds = samples[:, 48_000:-96_000].reshape(2, 5, 48_000)
    assert np.sqrt(np.square(seconds).mean(axis=(0, 2))).min() > 0.005


def test_it_begins_and_ends_softly():
    samples = soundtrack("a woman dancing on stage", None, 1, 5.0)
    assert np.abs(samples[:, :240]).max() < 0.01
    assert np.abs(samples[:, -240:]).max() < 0.01


def test_the_same_arguments_give_the_same_samples():
    assert np.array_equal(soundtrack("rain", None, 7, 2.0), soundtrack("rain", None, 7, 2.0))


def test_another_seed_gives_another_tune():
    assert not np.array_equal(soundtrack("rain", None, 7, 2.0), soundtrack("rain", None, 8, 2.0))


@pytest.mark.parametrize("duration_s", [0.001, 0.04, 0.5, 2.0, 5.04])
def test_it_has_the_length_asked_for(duration_s):
    assert soundtrack("sea", None, 1, duration_s).shape == (2, round(duration_s * 48_000))


def test_another_rate_keeps_the_pitch():
    string = {rate: pluck(440.0, rate, 1.0, 0.0, 0.5) for rate in (24_000, 48_000)}
    for rate, samples in string.items():
        loudest = int(np.abs(np.fft.rfft(samples[:rate])).argmax())
        assert loudest * rate / min(rate, samples.size) == pytest.approx(440, abs=5)


def test_half_a_minute_needs_little_memory():
    tracemalloc.start()
    soundtrack("rainy city at night", None, 1, 30.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6


@pytest.mark.parametrize(
    ("bed", "low_hz", "high_hz"),
    [
        (Bed.CRICKETS, 3_500, 5_000),
        (Bed.BIRDS, 2_500, 5_500),
        (Bed.RAIN, 2_000, 8_000),
        (Bed.THUNDER, 15, 100),
        (Bed.UNDERWATER, 20, 180),
        (Bed.FIRE, 1_500, 6_000),
    ],
)
def test_a_bed_can_be_heard_through_the_music_where_it_belongs(bed, low_hz, high_hz):
    alone, joined = (
        soundtrack("", None, 5, 5.0, cues=Cues(beds=beds, music=Music.NIGHT))
        for beds in ((), (bed,))
    )
    share = _power_between(joined, low_hz, high_hz)
    assert share > 0.01
    assert share > 3 * _power_between(alone, low_hz, high_hz)


@pytest.mark.parametrize(
    ("prompt", "bed"),
    [
        ("a rainy street", Bed.RAIN),
        ("雨夜的城市", Bed.RAIN),
        ("waves on a beach", Bed.SEA),
        ("海边的日落", Bed.SEA),
        ("a meadow at night", Bed.CRICKETS),
        ("a forest at dawn", Bed.BIRDS),
        ("snowy mountains", Bed.WIND),
        ("an astronaut in outer space", Bed.SPACE),
        ("a coral reef underwater", Bed.UNDERWATER),
        ("downtown skyline", Bed.CITY),
        ("a thunderstorm", Bed.THUNDER),
        ("friends around a campfire", Bed.FIRE),
        ("fireworks above the river", Bed.FIREWORKS),
    ],
)
def test_a_prompt_is_heard(prompt, bed):
    assert bed in cues_of_prompt(prompt, None).beds


@pytest.mark.parametrize(
    ("prompt", "music"),
    [
        ("a girl dances", Music.UPBEAT),
        ("竹林里的亭子", Music.CHINESE),
        ("a dog running", Music.CHASE),
        ("the galaxy", Music.DRONE),
        ("a quiet village at night", Music.NIGHT),
        ("a couple under cherry blossoms", Music.TENDER),
        ("", Music.CALM),
    ],
)
def test_a_prompt_chooses_the_tune(prompt, music):
    assert cues_of_prompt(prompt, None).music is music


def test_what_a_prompt_denies_is_not_heard():
    assert Bed.RAIN not in cues_of_prompt("a street without rain", None).beds


def test_a_template_is_heard_instead_of_the_prompt():
    cues = cues_of_prompt("rain over the sea", "dance3")
    assert cues == Cues(beds=(), music=Music.UPBEAT)


def test_an_effect_without_a_sound_of_its_own_still_has_one():
    assert cues_of_prompt("", "no-such-effect").music is Music.UPBEAT


def test_there_are_at_most_three_beds():
    prompt = "a storm with fireworks and a campfire by the sea in a windy city, snow, a forest"
    assert len(cues_of_prompt(prompt, None).beds) == 3


def test_what_the_seed_adds_to_a_scene_is_heard_too():
    spec = plan_scene("rain over the sea", "", 1)
    assert {Bed.RAIN, Bed.SEA} <= set(cues_of_scene(spec).beds)
