"""A fingerprint of a take: its wave below 1.2 kHz, and how the pitch classes share it.

Two takes are the same where their waves run together at some lag: an encoder leaves low frequencies as they are, the
level is divided out, and a cut at the beginning is a lag. Two pieces of one style may share tempo, key, drums and
chords, but hardly the phase of every note. (Onsets and pitch classes alone do not tell them apart: over a few seconds
two seeds of one style may agree in both as well as a take does with its own copy.)

References
----------
The share of the pitch classes is `finetuning.audio.tonality.chroma`. The lag is found by cross-correlation in the
frequency domain, each lag normalised by the energy that overlaps: J. P. Lewis (1995), "Fast normalized
cross-correlation", Vision Interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from finetuning.audio.sound import Sound, mono
from finetuning.audio.tonality import chroma
from finetuning.errors import MeasureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXCERPT", "LAG", "Print", "fingerprint", "likeness"]

#: Seconds: the most by which one may begin later than the other.
LAG: Final = 1.0
#: Seconds from the beginning that are compared.
EXCERPT: Final = 20.0
#: Hz: the rate at which waves are compared, and what is left of them. More than the sampling theorem asks for, so that
#: a lag between two samples costs little.
_RATE, _HIGHEST = 4000, 1200.0
#: Seconds that must overlap for a comparison to mean anything.
_LEAST: Final = 2.0
#: Seconds by which the lengths of two copies may differ, and what their pitch classes have in common at the least.
_LENGTHS, _PITCHES = 2.0, 0.7


class Print(NamedTuple):
    """A fingerprint.

    Attributes
    ----------
    wave
        Shape (samples,): float32, 4,000 a second, of the first 20 s.
    spectrum
        Of the wave, padded with as much silence as the longest wave has.
    energy
        Shape (samples + 1,): of the wave up to each sample.
    pitches
        Shape (12,): shares of the pitch classes.
    duration
        Seconds, of the whole.
    """

    wave: NDArray[np.float32]
    spectrum: NDArray[np.complex64]
    energy: NDArray[np.float64]
    pitches: NDArray[np.float64]
    duration: float


def fingerprint(sound: Sound) -> Print:
    """Take the fingerprint of a sound.

    Raises
    ------
    MeasureError
        It is shorter than 2 s, or silent.
    """
    if sound.duration < _LEAST:
        raise MeasureError(
            f"{sound.duration:.1f} s of sound are too short to be told apart; {_LEAST:.0f} s are needed.",
            hint="Listen to it.",
        )
    signal = mono(sound)[: round(EXCERPT * sound.rate)]
    samples = round(len(signal) * _RATE / sound.rate)
    spectrum = np.fft.rfft(signal)
    kept = min(len(spectrum), round(_HIGHEST * len(signal) / sound.rate))
    low = np.zeros(samples // 2 + 1, dtype=complex)
    low[1:kept] = spectrum[1:kept]  # without the offset, which some encoders add
    wave = np.fft.irfft(low, samples)
    energy = np.concatenate([[0.0], np.cumsum(wave**2)])
    if energy[-1] <= np.finfo(np.float32).eps:
        raise MeasureError("It is silent.", hint="There is nothing to compare.")
    wave = wave / np.sqrt(energy[-1])
    size = 2 * round(EXCERPT * _RATE)
    return Print(
        wave.astype(np.float32),
        np.fft.rfft(wave, size).astype(np.complex64),
        energy / energy[-1],
        chroma(signal, sound.rate),
        sound.duration,
    )


def likeness(one: Print, other: Print) -> float:
    """Say how alike two takes are, from 0 to 1.

    Returns
    -------
    float
        The correlation of their waves at the lag within ±1 s at which it is greatest: 1 for the same sound, above 0.98
        for copies that were encoded again, made louder or cut by some tenths of a second, mostly below 0.8 for two
        pieces. 0 where their lengths differ by more than 2 s, where their pitch classes have little in common, or
        where less than 2 s, or half of the shorter one, overlap.
    """
    if abs(one.duration - other.duration) > _LENGTHS or _agreement(one.pitches, other.pitches) < _PITCHES:
        return 0.0
    size = 2 * round(EXCERPT * _RATE)
    products = np.fft.irfft(one.spectrum * other.spectrum.conj(), size)
    reach = round(LAG * _RATE)
    lags = np.arange(-reach, reach + 1)
    late, early = np.maximum(lags, 0), np.maximum(-lags, 0)
    lengths = np.minimum(len(one.wave) - late, len(other.wave) - early)
    enough = lengths >= max(_LEAST * _RATE * 0.5, min(len(one.wave), len(other.wave)) / 2)
    lags, late, early, lengths = lags[enough], late[enough], early[enough], lengths[enough]
    if not len(lags):
        return 0.0
    here = one.energy[late + lengths] - one.energy[late]
    there = other.energy[early + lengths] - other.energy[early]
    found = products[lags] / np.sqrt(np.maximum(here * there, np.finfo(np.float32).eps))
    return float(np.clip(_summit(found), 0, 1))


def _summit(values: NDArray[np.float64]) -> float:
    """Return the greatest value of the parabola through the greatest one and its neighbours: lags lie in between."""
    at = int(values.argmax())
    if not 0 < at < len(values) - 1:
        return float(values[at])
    before, here, after = values[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(here - (before - after) ** 2 / (8 * bend)) if bend < 0 else float(here)


def _agreement(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the cosine between two shares; 1 where neither has any pitch."""
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else float(a.any() == b.any())
