"""How fast: the period at which onsets of sound repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from finetuning.audio.spectrum import Outline, outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FASTEST", "SLOWEST", "Tempo", "fold_tempo", "onset_strength", "rises", "tempo_from", "tempo_of"]

SLOWEST, FASTEST = 50.0, 220.0
"""Beats a minute: the range that is searched."""

_SHORTEST = 3.0  # seconds: two beats at the slowest tempo, with something left over to compare
_BEATS = (1, 2, 3, 4)  # multiples of the period that must agree
_DIVIDED = (0.5, *_BEATS)  # beats are divided in two far more often than into the 2/3 that would compete with them
_CENTRE, _OCTAVES = 120.0, 1.2  # of the prior
_FAINTEST = 0.5  # of an onset, in nepers summed over all bands: the ripple of a held tone stays below
_STEPS = 96  # candidates an octave: 0.7 %, refined afterwards


class Tempo(NamedTuple):
    """Beats a minute, NaN where nothing repeats, and the confidence from 0 to 1."""

    bpm: float
    confidence: float


def onset_strength(signal: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], float]:
    """How much louder the bands of the spectrum become from frame to frame.

    Parameters
    ----------
    signal
        Shape (samples,), float32, one channel.
    rate
        Hz.

    Returns
    -------
    strength : ndarray of float64, shape (frames,)
        Not negative.
    frames_per_second : float
        About 100.

    References
    ----------
    S. Dixon (2006), "Onset detection revisited", Proc. DAFx, for the spectral flux; on logarithmic bands as in
    S. Böck and G. Widmer (2013), "Maximum filter vibrato suppression for onset detection", Proc. DAFx.
    """
    seen = outline(signal, rate)
    return rises(seen), seen.fps


def rises(seen: Outline) -> NDArray[np.float64]:
    """Return the onset strength, one value a frame; see `onset_strength`."""
    bands = seen.bands
    loudest = float(bands.max(initial=0.0))
    if not loudest:
        return np.zeros(len(bands))
    # Relative to the loudest moment, so that the answer does not hang on the level of the master.
    levels = np.log1p(bands * np.float32(30 / loudest))
    risen = np.clip(levels[1:] - levels[:-1], 0, None)
    return np.concatenate([[0.0], risen.sum(axis=1, dtype=np.float64)])


def tempo_of(signal: NDArray[np.float32], rate: int) -> Tempo:
    """Estimate the tempo, taken to be steady.

    The autocorrelation of the onset strength is read by a comb of a period, its half and its multiples, weighted
    by a preference for tempi around 120 beats a minute, in which people tap; the peak is then followed out to
    its farther multiples for precision.

    Parameters
    ----------
    signal
        Shape (samples,), float32, one channel.
    rate
        Hz.

    Returns
    -------
    Tempo
        Between `SLOWEST` and `FASTEST`; half or double of what a listener taps is possible. The confidence is the
        autocorrelation at the period and its multiples: about 1 for a metronome, 0 for noise. NaN and 0 where the
        sound is shorter than 3 s or without onsets.

    References
    ----------
    D. P. W. Ellis (2007), "Beat tracking by dynamic programming", J. New Music Research 36 (1), for the prior;
    E. D. Scheirer (1998), "Tempo and beat analysis of acoustic musical signals", JASA 103 (1), for the comb.
    """
    return tempo_from(*onset_strength(signal, rate))


def tempo_from(strength: NDArray[np.float64], fps: float) -> Tempo:
    """Estimate the tempo from the onset strength; see `tempo_of`."""
    if len(strength) < _SHORTEST * fps:
        return Tempo(np.nan, 0.0)
    similarity = _autocorrelation(strength, fps)
    if similarity is None:
        return Tempo(np.nan, 0.0)
    octaves = np.log2(FASTEST / SLOWEST)
    candidates = SLOWEST * 2 ** np.linspace(0, octaves, int(octaves * _STEPS) + 1)
    support = _comb(similarity, 60 * fps / candidates, _DIVIDED)
    prior = np.exp(-0.5 * (np.log2(candidates / _CENTRE) / _OCTAVES) ** 2)
    best = int(np.argmax(np.clip(support, 0, None) * prior))
    if support[best] <= 0:
        return Tempo(np.nan, 0.0)
    lag = _refine(similarity, 60 * fps / candidates[best])
    confidence = _comb(similarity, np.array([lag]), _BEATS)[0]
    return Tempo(float(60 * fps / lag), float(np.clip(confidence, 0, 1)))


def fold_tempo(bpm: float, expected: float) -> float:
    """Move a tempo by octaves (halving or doubling) as near as possible to the expected one.

    Parameters
    ----------
    bpm, expected
        Beats a minute.
    """
    return float(bpm * 2.0 ** np.round(np.log2(expected / bpm))) if np.isfinite(bpm) else bpm


def _autocorrelation(strength: NDArray[np.float64], fps: float) -> NDArray[np.float64] | None:
    """Autocorrelation by lag in frames, 1 at lag 0; lags to three quarters of the piece. None without onsets."""
    width = max(1, round(fps))
    kernel = np.ones(width)
    level = np.convolve(strength, kernel, "same") / np.convolve(np.ones(len(strength)), kernel, "same")
    # A crescendo is not a beat: only what stands out of its own second counts.
    pulses = np.clip(strength - level, 0, None)
    if pulses.max() < _FAINTEST:
        return None
    pulses = np.convolve(pulses, np.hanning(7)[1:-1], "same")  # forgives 20 ms of human timing
    pulses -= pulses.mean()
    size = 2 * len(pulses)
    power = np.abs(np.fft.rfft(pulses, size)) ** 2
    lags = len(pulses) * 3 // 4
    products = np.fft.irfft(power, size)[:lags] / (len(pulses) - np.arange(lags))
    similarity: NDArray[np.float64] = products / products[0]
    return similarity


def _comb(similarity: NDArray[np.float64], lags: NDArray[np.float64], teeth: tuple[float, ...]) -> NDArray[np.float64]:
    """Mean of the autocorrelation at these multiples of each lag, as far as the piece reaches."""
    multiples = lags[:, None] * np.array(teeth)
    inside = multiples <= len(similarity) - 1
    values = np.interp(multiples, np.arange(len(similarity)), similarity)
    mean: NDArray[np.float64] = (values * inside).sum(axis=1) / inside.sum(axis=1)
    return mean


def _refine(similarity: NDArray[np.float64], lag: float) -> float:
    """Follow the peak to 2, 4, 8, … times the lag: each doubling halves the error of one frame."""
    found = lag
    for multiple in (1, 2, 4, 8, 16, 32):
        centre = round(found * multiple)
        reach = max(2, round(0.015 * centre)) if multiple == 1 else 3
        if centre + reach + 1 >= len(similarity):
            break
        peak = centre - reach + int(np.argmax(similarity[centre - reach : centre + reach + 1]))
        if similarity[peak] < 0.5 * similarity[round(found)]:
            break  # the tempo drifts, or the piece changes: farther out there is only noise
        before, here, after = similarity[peak - 1 : peak + 2]
        bend = before - 2 * here + after
        shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
        found = (peak + float(np.clip(shift, -0.5, 0.5))) / multiple
    return found
