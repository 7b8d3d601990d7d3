"""The preview's own soundtrack: noises of the place and a small tune, made without recordings.

`cues` says what belongs to a scene, `instruments` makes the single sounds; here they are laid out
in time, mixed and brought to level. The same arguments give the same samples.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from kinogate.engines.preview import instruments as play
from kinogate.engines.preview.cues import Bed, Cues, Music, cues_of_prompt
from kinogate.engines.preview.instruments import LOOP, Mono, Stereo

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET_RMS: Final = 0.1  # -20 dBFS
PEAK: Final = 0.85  # -1.4 dBFS: AAC may overshoot a little
_FADE_IN_S: Final = 0.5
_FADE_OUT_S: Final = 0.9
_BLOCK_S: Final = 0.125
_PENTATONIC: Final = (0, 2, 4, 7, 9)
_CHORDS: Final = ((0, 7, 16), (-3, 4, 12), (5, 12, 16), (-5, 7, 14))  # semitones above the root


def soundtrack(
    prompt: str,
    template: str | None,
    seed: int,
    duration_s: float,
    rate: int = 48_000,
    *,
    cues: Cues | None = None,
) -> Stereo:
    """Make the sound of a clip.

    Args:
        prompt: What is seen.
        template: Effect name, or None; with one the prompt is not read.
        seed: Decides notes and moments; equal arguments give equal samples.
        duration_s: Seconds, above 0.
        rate: Samples a second.
        cues: What to play, when the caller knows better than the prompt.

    Returns:
        `[2, N]` float32, N the rounded product of length and rate; about -20 dBFS RMS, never
        above `PEAK`, faded in and out.
    """
    count = max(1, round(duration_s * rate))
    mix = _Mix(count, rate, np.random.default_rng(seed))
    chosen = cues if cues is not None else cues_of_prompt(prompt, template)
    for place, bed in enumerate(chosen.beds):
        _BEDS[bed](mix, 1.0 if place == 0 else 0.7)
    _TUNES[chosen.music](mix)
    return mix.finished()


class _Mix:
    """The growing soundtrack and the means to put sounds into it."""

    def __init__(self, count: int, rate: int, rng: np.random.Generator) -> None:
        self.out: Stereo = np.zeros((2, count), dtype=np.float32)
        self.rate = rate
        self.rng = rng
        self.length_s = count / rate
        self.root_hz = 110.0 * 2.0 ** (int(rng.integers(0, 8)) / 12.0)

    def note(self, semitones: float) -> float:
        """The pitch so many semitones above the root, in Hz."""
        return float(self.root_hz * 2.0 ** (semitones / 12.0))

    def stamp(self, sound: Mono, at_s: float, gain: float, pan: float = 0.0) -> None:
        """Add `sound` from `at_s` on; `pan` -1.0 left to 1.0 right, equal power."""
        start = round(at_s * self.rate)
        kept = min(sound.size, self.out.shape[1] - start)
        if start < 0 or kept <= 0:
            return
        angle = (pan + 1.0) * math.pi / 4.0
        heard = sound[:kept]
        self.out[0, start : start + kept] += heard * np.float32(gain * math.cos(angle))
        self.out[1, start : start + kept] += heard * np.float32(gain * math.sin(angle))

    def lay(self, loop: Stereo, gain_at: Callable[[float], float]) -> None:
        """Add a loop from start to end, its strength following `gain_at(seconds)` smoothly."""
        block = round(_BLOCK_S * self.rate)
        before = gain_at(0.0)
        for start in range(0, self.out.shape[1], block):
            end = min(start + block, self.out.shape[1])
            after = gain_at(end / self.rate)
            if before > 0.0 or after > 0.0:
                ramp = np.linspace(before, after, end - start, dtype=np.float32)
                first = start % LOOP
                piece = loop[:, first : first + end - start]
                if piece.shape[1] < end - start:
                    rest = end - start - piece.shape[1]
                    piece = np.concatenate((piece, loop[:, :rest]), axis=1)
                self.out[:, start:end] += piece * ramp
            before = after

    def moments(self, every_s: float) -> list[float]:
        """Random moments through the clip, `every_s` apart on average, in order."""
        count = max(1, round(self.length_s / every_s))
        slots = (np.arange(count) + self.rng.random(count)) * (self.length_s / count)
        return [float(slot) for slot in slots]

    def somewhere(self) -> float:
        """A random pan, not at the very edge."""
        return float(self.rng.uniform(-0.8, 0.8))

    def finished(self) -> Stereo:
        """Bring the mix to level and fade its ends; call once."""
        out = self.out
        out *= np.float32(TARGET_RMS / max(1e-6, math.sqrt(float(np.vdot(out, out)) / out.size)))
        parts = [out[:, start : start + LOOP] for start in range(0, out.shape[1], LOOP)]
        if max(float(np.abs(part).max()) for part in parts) > PEAK * 0.5:
            # Bends only what is loud: nearly straight below half of the peak.
            for part in parts:
                part[:] = np.tanh(part / np.float32(PEAK)) * np.float32(PEAK)
        fade_in = min(round(_FADE_IN_S * self.rate), out.shape[1] // 3)
        fade_out = min(round(_FADE_OUT_S * self.rate), out.shape[1] // 3)
        if fade_in and fade_out:
            out[:, :fade_in] *= _rise(fade_in)
            out[:, -fade_out:] *= _rise(fade_out)[::-1]
        return out


def _rise(count: int) -> Mono:
    return (0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, count, dtype=np.float32))).astype(
        np.float32
    )


# Beds.


def _swell(mix: _Mix, period_s: float, low: float, high: float) -> Callable[[float], float]:
    phase = float(mix.rng.random())

    def gain(time_s: float) -> float:
        wave = 0.5 - 0.5 * math.cos(2.0 * math.pi * (time_s / period_s + phase))
        slow = 0.5 - 0.5 * math.cos(2.0 * math.pi * (time_s / (period_s * 2.7) + 2.0 * phase))
        return low + (high - low) * (0.7 * wave + 0.3 * slow)

    return gain


def _noise(mix: _Mix, low_hz: float, high_hz: float, slope: float = 2.0) -> Stereo:
    return play.noise_loop(mix.rng, mix.rate, play.band(low_hz, high_hz, slope))


def _rain(mix: _Mix, gain: float) -> None:
    noise = _noise(mix, 900.0, 5000.0, 1.0)
    mix.lay(noise, _swell(mix, 6.0, 0.65 * gain, 0.85 * gain))
    drop = play.sweep(mix.rate, 0.03, 1800.0, 900.0)
    for moment in mix.moments(0.12):
        mix.stamp(drop, moment, float(mix.rng.uniform(0.2, 0.9)) * gain, mix.somewhere())


def _thunder(mix: _Mix, gain: float) -> None:
    rumble = _noise(mix, 25.0, 110.0)[0]
    for moment in mix.moments(7.0):
        mix.stamp(play.burst(rumble, mix.rate, 2.6, 0.9), moment * 0.7, 6.0 * gain, 0.0)


def _sea(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 60.0, 420.0, 1.3), _swell(mix, 5.2, 0.35 * gain, 1.1 * gain))
    mix.lay(_noise(mix, 1200.0, 5200.0, 1.2), _swell(mix, 4.1, 0.05 * gain, 0.4 * gain))


def _brook(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 400.0, 1900.0), _swell(mix, 3.0, 0.4 * gain, 0.6 * gain))
    for moment in mix.moments(0.09):
        pitch = float(mix.rng.uniform(500.0, 1300.0))
        bubble = play.sweep(mix.rate, 0.045, pitch, pitch * 1.5)
        mix.stamp(bubble, moment, 0.5 * gain, mix.somewhere())


def _wind(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 120.0, 480.0, 1.6), _swell(mix, 4.6, 0.35 * gain, 1.0 * gain))
    whistle = _noise(mix, 760.0, 900.0, 9.0)
    mix.lay(whistle, _swell(mix, 3.3, 0.0, 0.16 * gain))


def _city(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 50.0, 260.0, 1.2), _swell(mix, 7.0, 0.6 * gain, 0.9 * gain))
    for moment in mix.moments(3.1):
        horn = play.sweep(mix.rate, 0.5, 392.0, 388.0) + play.sweep(mix.rate, 0.5, 494.0, 489.0)
        mix.stamp(horn, moment, 0.11 * gain, mix.somewhere())


def _road(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 70.0, 340.0), _swell(mix, 5.0, 0.7 * gain, gain))
    mix.lay(_noise(mix, 600.0, 1500.0), _swell(mix, 3.2, 0.05 * gain, 0.25 * gain))


def _crickets(mix: _Mix, gain: float) -> None:
    for pitch, pan in ((4150.0, -0.7), (4480.0, 0.6), (3900.0, 0.1)):
        call = play.chirp(mix.rate, pitch, 4)
        offset = float(mix.rng.uniform(0.0, 0.6))
        beat = float(mix.rng.uniform(0.46, 0.66))
        for number in range(int(mix.length_s / beat) + 1):
            mix.stamp(call, offset + number * beat, 0.6 * gain, pan)
    mix.lay(_noise(mix, 90.0, 300.0), _swell(mix, 5.0, 0.12 * gain, 0.2 * gain))


def _birds(mix: _Mix, gain: float) -> None:
    for moment in mix.moments(0.8):
        pitch = float(mix.rng.uniform(2300.0, 4100.0))
        bend = float(mix.rng.uniform(0.78, 1.25))
        call = play.sweep(mix.rate, float(mix.rng.uniform(0.06, 0.13)), pitch, pitch * bend)
        pan = mix.somewhere()
        for number in range(int(mix.rng.integers(2, 5))):
            mix.stamp(call, moment + number * 0.15, 0.85 * gain * 0.85**number, pan)
    mix.lay(_noise(mix, 150.0, 700.0), _swell(mix, 6.0, 0.1 * gain, 0.2 * gain))


def _space(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 30.0, 90.0), _swell(mix, 6.5, 0.5 * gain, 0.9 * gain))
    mix.lay(_noise(mix, 2500.0, 2900.0, 8.0), _swell(mix, 5.5, 0.0, 0.07 * gain))


def _underwater(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 50.0, 230.0, 2.5), _swell(mix, 4.8, 0.6 * gain, gain))
    for moment in mix.moments(0.45):
        pitch = float(mix.rng.uniform(240.0, 520.0))
        pan = mix.somewhere()
        for number in range(int(mix.rng.integers(1, 5))):
            bubble = play.sweep(mix.rate, 0.07, pitch, pitch * 1.9)
            mix.stamp(bubble, moment + 0.085 * number, 0.6 * gain * 0.8**number, pan)
            pitch *= 1.07


def _fire(mix: _Mix, gain: float) -> None:
    hiss = _noise(mix, 300.0, 2600.0, 1.0)
    mix.lay(hiss, _swell(mix, 1.7, 0.35 * gain, 0.6 * gain))
    crackle = play.burst(hiss[0], mix.rate, 0.03, 0.006)
    for moment in mix.moments(0.09):
        mix.stamp(crackle, moment, float(mix.rng.random()) ** 2 * 3.0 * gain, mix.somewhere())


def _crowd(mix: _Mix, gain: float) -> None:
    mix.lay(_noise(mix, 260.0, 900.0), _swell(mix, 2.3, 0.35 * gain, 0.55 * gain))
    clink = play.pluck(2350.0, mix.rate, 0.4, 0.2, 0.12)
    for moment in mix.moments(1.3):
        mix.stamp(clink, moment, 0.35 * gain, mix.somewhere())


def _fireworks(mix: _Mix, gain: float) -> None:
    low, high = _noise(mix, 40.0, 380.0)[0], _noise(mix, 2500.0, 8000.0)[0]
    bang, glitter = play.burst(low, mix.rate, 0.9, 0.22), play.burst(high, mix.rate, 0.02, 0.005)
    for moment in mix.moments(0.9):
        pan = mix.somewhere()
        mix.stamp(bang, moment, 3.4 * gain, pan)
        for delay in mix.rng.random(14):
            mix.stamp(glitter, moment + 0.15 + 0.8 * float(delay), 0.7 * gain, pan)


_BEDS: Final[dict[Bed, Callable[[_Mix, float], None]]] = {
    Bed.RAIN: _rain,
    Bed.THUNDER: _thunder,
    Bed.SEA: _sea,
    Bed.BROOK: _brook,
    Bed.WIND: _wind,
    Bed.CITY: _city,
    Bed.ROAD: _road,
    Bed.CRICKETS: _crickets,
    Bed.BIRDS: _birds,
    Bed.SPACE: _space,
    Bed.UNDERWATER: _underwater,
    Bed.FIRE: _fire,
    Bed.CROWD: _crowd,
    Bed.FIREWORKS: _fireworks,
}


# Music.


def _chords(mix: _Mix, gain: float, warmth: float, bar_s: float) -> None:
    """Pad chords that melt into each other, at most three different ones."""
    bars = max(1, math.ceil(mix.length_s / bar_s))
    for which in range(min(3, bars)):
        notes = [mix.note(step + 12) for step in _CHORDS[which]]
        loop = play.pad_loop(mix.rng, mix.rate, notes, warmth)
        cycle = bar_s * min(3, bars)

        def strength(time_s: float, which: int = which, cycle: float = cycle) -> float:
            if bars == 1:
                return gain
            middle = (which + 0.5) * bar_s
            away = abs((time_s - middle + cycle / 2.0) % cycle - cycle / 2.0)
            return gain * max(0.0, min(1.0, 1.0 - (away - 0.4 * bar_s) / (0.25 * bar_s)))

        mix.lay(loop, strength)


def _melody(
    mix: _Mix,
    *,
    beat_s: float,
    rest: float,
    octave: int,
    gain: float,
    brightness: float,
    sustain_s: float,
) -> None:
    """A wandering pentatonic line of plucks, each with one soft echo on the other side."""
    made: dict[int, Mono] = {}
    degree = int(mix.rng.integers(3, 7))
    for beat in range(int(mix.length_s / beat_s) + 1):
        degree = min(9, max(0, degree + int(mix.rng.integers(-2, 3))))
        if beat % 4 and mix.rng.random() < rest:
            continue
        if degree not in made:
            octaves, step = divmod(degree, len(_PENTATONIC))
            pitch = mix.note(_PENTATONIC[step] + 12 * (octave + octaves))
            made[degree] = play.pluck(pitch, mix.rate, 2.6 * sustain_s, brightness, sustain_s)
        moment = beat * beat_s + 0.15 + float(mix.rng.uniform(0.0, 0.012))
        level = gain * (1.0 if beat % 4 == 0 else float(mix.rng.uniform(0.55, 0.85)))
        pan = 0.35 * (-1.0) ** beat
        mix.stamp(made[degree], moment, level, pan)
        mix.stamp(made[degree], moment + 0.29, 0.28 * level, -2.0 * pan)


def _calm(mix: _Mix) -> None:
    _chords(mix, 0.65, 1.9, 4.0)
    _melody(mix, beat_s=0.5, rest=0.5, octave=1, gain=2.0, brightness=0.35, sustain_s=0.6)


def _night(mix: _Mix) -> None:
    _chords(mix, 0.65, 2.4, 5.0)
    _melody(mix, beat_s=0.75, rest=0.55, octave=2, gain=1.3, brightness=0.0, sustain_s=0.8)


def _chinese(mix: _Mix) -> None:
    _chords(mix, 0.3, 2.2, 6.0)
    _melody(mix, beat_s=0.36, rest=0.3, octave=1, gain=2.6, brightness=0.85, sustain_s=0.75)


def _tender(mix: _Mix) -> None:
    _chords(mix, 0.75, 2.2, 3.2)
    _melody(mix, beat_s=0.4, rest=0.25, octave=2, gain=1.7, brightness=0.15, sustain_s=0.55)


def _drone(mix: _Mix) -> None:
    low = play.pad_loop(mix.rng, mix.rate, [mix.note(-12), mix.note(-5), mix.note(7)], 1.5)
    mix.lay(low, _swell(mix, 6.0, 0.7, 1.0))
    high = play.pad_loop(mix.rng, mix.rate, [mix.note(26), mix.note(31)], 2.5)
    mix.lay(high, _swell(mix, 4.4, 0.0, 0.35))


def _upbeat(mix: _Mix) -> None:
    beat_s = 0.5
    hiss = _noise(mix, 5000.0, 11000.0)[0]
    clap_noise = _noise(mix, 900.0, 2600.0)[0]
    drum = play.kick(mix.rate)
    hat = play.burst(hiss, mix.rate, 0.06, 0.015)
    clap = play.burst(clap_noise, mix.rate, 0.16, 0.04)
    bass = [play.pluck(mix.note(step), mix.rate, 0.45, 0.3, 0.22) for step in (0, -3, 5)]
    for beat in range(int(mix.length_s / beat_s) + 1):
        at_s = beat * beat_s
        mix.stamp(drum, at_s, 2.6)
        mix.stamp(hat, at_s + beat_s / 2.0, 0.8, 0.3)
        if beat % 2:
            mix.stamp(clap, at_s, 1.1, -0.1)
        mix.stamp(bass[beat // 8 % 3], at_s + beat_s / 2.0 * (beat % 2), 1.8)
    _chords(mix, 0.4, 1.7, 4.0)
    _melody(mix, beat_s=0.25, rest=0.45, octave=2, gain=1.3, brightness=0.5, sustain_s=0.3)


def _chase(mix: _Mix) -> None:
    beat_s = 0.4
    drum = play.kick(mix.rate)
    pulse = play.pluck(mix.note(0), mix.rate, 0.3, 0.45, 0.14)
    for beat in range(2 * int(mix.length_s / beat_s) + 2):
        mix.stamp(pulse, beat * beat_s / 2.0, 1.6 if beat % 2 == 0 else 1.0, 0.2 * (-1.0) ** beat)
        if beat % 4 == 0:
            mix.stamp(drum, beat * beat_s / 2.0, 2.2)
    _chords(mix, 0.6, 1.6, 3.2)
    _melody(mix, beat_s=0.4, rest=0.5, octave=1, gain=1.3, brightness=0.4, sustain_s=0.4)


_TUNES: Final[dict[Music, Callable[[_Mix], None]]] = {
    Music.CALM: _calm,
    Music.NIGHT: _night,
    Music.CHINESE: _chinese,
    Music.UPBEAT: _upbeat,
    Music.CHASE: _chase,
    Music.DRONE: _drone,
    Music.TENDER: _tender,
}
