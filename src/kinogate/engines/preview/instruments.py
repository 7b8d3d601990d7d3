"""Sounds made from nothing: noise beds, pads, plucked strings, drums and small calls.

Each function returns short float32 pieces that `sound` lays out over a clip. Beds and pads are
loops made in the frequency domain, which makes them seamless and costs one inverse FFT each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Mono = npt.NDArray[np.float32]
"""`[N]` float32 samples."""

Stereo = npt.NDArray[np.float32]
"""`[2, N]` float32 samples, planar."""

LOOP: Final = 1 << 17
"""Samples in a loop, 2.7 s at 48 kHz: long enough that its return is not noticed."""

_TAU: Final = 2.0 * math.pi


def noise_loop(
    rng: np.random.Generator, rate: int, curve: Callable[[npt.NDArray[np.float32]], Mono]
) -> Stereo:
    """Noise of a given colour, `[2, LOOP]`, RMS 1; `curve` maps frequencies in Hz to amplitude."""
    count = LOOP // 2 + 1
    hertz = np.linspace(0.0, rate / 2.0, count, dtype=np.float32)
    spectrum = rng.standard_normal((count, 2), dtype=np.float32).view(np.complex64)[:, 0]
    spectrum *= curve(hertz)
    spectrum[0] = 0.0
    return _widened(spectrum)


def pad_loop(
    rng: np.random.Generator, rate: int, notes_hz: Sequence[float], warmth: float
) -> Stereo:
    """A soft chord, `[2, LOOP]`, RMS 1.

    Every partial is a narrow band and not a line, which sounds like many players at once.

    Args:
        rng: Gives the phases.
        rate: Samples a second.
        notes_hz: The chord.
        warmth: How fast partials fade with their number, 1.0 bright to 3.0 dull.
    """
    count = LOOP // 2 + 1
    spectrum = np.zeros(count, dtype=np.complex64)
    for note in notes_hz:
        for number in range(1, 8):
            center = note * number * LOOP / rate
            spread = max(1.2, center * 0.0025)
            first, last = int(center - 4 * spread), int(center + 4 * spread) + 1
            if last >= count:
                break
            bins = np.arange(first, last, dtype=np.float32)
            shape = np.exp(-0.5 * ((bins - center) / spread) ** 2) / math.sqrt(spread)
            phases = rng.random(bins.size, dtype=np.float32) * np.float32(_TAU)
            strength = number**-warmth
            spectrum[first:last] += (strength * shape * np.exp(1j * phases)).astype(np.complex64)
    return _widened(spectrum)


def _widened(spectrum: npt.NDArray[np.complex64]) -> Stereo:
    """Turn a spectrum into a stereo loop: the right side is the left one, half a loop later."""
    left = np.fft.irfft(spectrum, LOOP).astype(np.float32, copy=False)
    left /= max(1e-9, float(np.sqrt(np.mean(np.square(left)))))
    return np.stack((left, np.roll(left, LOOP // 2)))


def band(
    low_hz: float, high_hz: float, slope: float = 2.0
) -> Callable[[npt.NDArray[np.float32]], Mono]:
    """An amplitude curve that passes `low_hz` to `high_hz` and falls off beyond, for `noise_loop`."""

    def curve(hertz: npt.NDArray[np.float32]) -> Mono:
        safe = np.maximum(hertz, 1.0)
        below = np.minimum(1.0, safe / low_hz) ** slope
        above = np.minimum(1.0, high_hz / safe) ** slope
        return np.asarray(below * above, dtype=np.float32)

    return curve


def pluck(hertz: float, rate: int, length_s: float, brightness: float, sustain_s: float) -> Mono:
    """A plucked string, peak 1.

    A string's period is repeated while each of its partials dies away by itself, the high ones
    first; the pitch is rounded to whole samples, which stays below 3 cents under 1 kHz.

    Args:
        hertz: Pitch.
        rate: Samples a second.
        length_s: Seconds to give.
        brightness: 0.0 (a bell-like hum) to 1.0 (steel).
        sustain_s: Seconds in which the lowest partial falls to a third.
    """
    period = max(8, round(rate / hertz))
    turns = max(1, math.ceil(length_s * rate / period))
    partials = np.arange(period // 2 + 1, dtype=np.float32)
    strength = np.zeros_like(partials)
    inner = partials[1:]
    # Plucked at a seventh of its length, as a zither is near its bridge.
    strength[1:] = np.abs(np.sin(np.pi * inner / 7.0)) * inner ** (-2.2 + 1.2 * brightness)
    damping = (1.0 + (0.9 - 0.7 * brightness) * partials + 0.02 * partials**2) / sustain_s
    decay = np.exp(-damping * np.float32(period / rate))
    ages = np.arange(turns, dtype=np.float32)[:, None]
    spectra = (-1j * strength * decay[None, :] ** ages).astype(np.complex64)
    sound = np.fft.irfft(spectra, period, axis=1).astype(np.float32, copy=False).reshape(-1)
    attack = min(sound.size, round(0.002 * rate))
    sound[:attack] *= np.linspace(0.0, 1.0, attack, dtype=np.float32)
    release = min(sound.size, round(0.05 * rate))
    sound[-release:] *= np.linspace(1.0, 0.0, release, dtype=np.float32)
    sound /= max(1e-9, float(np.abs(sound).max()))
    return sound


def sweep(
    rate: int, length_s: float, from_hz: float, to_hz: float, *, sharpness: float = 1.0
) -> Mono:
    """A sine that glides from one pitch to another and fades in and out, peak 1."""
    count = max(2, round(length_s * rate))
    share = np.linspace(0.0, 1.0, count, dtype=np.float32)
    pitch = from_hz + (to_hz - from_hz) * share**sharpness
    phase = np.cumsum(pitch, dtype=np.float64) * (_TAU / rate)
    shape = np.sin(np.pi * share) ** 2
    return np.asarray(np.sin(phase) * shape, dtype=np.float32)


def kick(rate: int) -> Mono:
    """A bass drum of a quarter second, peak about 1."""
    time = np.arange(round(0.25 * rate), dtype=np.float32) / np.float32(rate)
    phase = _TAU * (48.0 * time + 3.2 * (1.0 - np.exp(-time / 0.028)))
    shape = np.exp(-time / 0.075) * np.minimum(1.0, time / 0.002)
    return np.asarray(np.sin(phase) * shape, dtype=np.float32)


def burst(noise: Mono, rate: int, length_s: float, decay_s: float) -> Mono:
    """A short hit cut from `noise` (hi-hat, clap, crackle, bang), peak 1; shorter if noise is."""
    count = min(noise.size, round(length_s * rate))
    time = np.arange(count, dtype=np.float32) / np.float32(rate)
    sound = noise[:count] * np.exp(-time / np.float32(decay_s)) * np.minimum(1.0, time / 0.001)
    return np.asarray(sound / max(1e-9, float(np.abs(sound).max())), dtype=np.float32)


def chirp(rate: int, hertz: float, pulses: int) -> Mono:
    """A cricket's call: a few pulses of one high note, peak 1."""
    pulse = sweep(rate, 0.017, hertz, hertz * 1.01)
    gap = np.zeros(round(0.016 * rate), dtype=np.float32)
    return np.concatenate([piece for _ in range(pulses) for piece in (pulse, gap)])
