"""How loud: programme loudness, true peak, what was cut off at full scale, silence at either end."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from finetuning.errors import MeasureError, MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from finetuning.audio.sound import Sound

__all__ = ["FULL_SCALE", "GATE", "SILENCE", "clipping", "integrated_loudness", "silences", "true_peak"]

GATE = 0.4
"""Seconds: the gating block of ITU-R BS.1770, and so the shortest sound that has a loudness."""

SILENCE = -60.0
"""dBFS: what never rises above this is taken for silence (MP3 coders leave a faint haze before an attack)."""

FULL_SCALE = 1 - 2**-15
"""What counts as full scale: the highest step but one of 16 bits, and all above it."""

_RUN = 3  # samples at full scale in a row that are taken for a crest cut off; one or two may be a crest
_CHANNELS = 5  # as far as BS.1770 names weights
_REACH = 12  # input samples on either side of an interpolated one
_STRIDE = 16  # input samples answered by one row of the product below
_ROWS = 16_384  # rows at a time: 4 MB at fourfold oversampling, which stays in cache


def integrated_loudness(sound: Sound) -> float:
    """Gated programme loudness.

    Parameters
    ----------
    sound
        At least `GATE` seconds, at most five channels.

    Returns
    -------
    float
        LUFS; `-inf` where nothing passes the absolute gate at −70 LUFS.

    Raises
    ------
    MeasureError
        Too short, or too many channels.
    MissingExtraError
        pyloudnorm is not installed.

    References
    ----------
    ITU-R (2015), Recommendation BS.1770-4, annex 1. Computed by C. Steinmetz and J. Reiss (2021),
    "pyloudnorm: a simple yet flexible loudness meter in Python", 150th AES Convention.
    """
    try:
        from pyloudnorm import Meter
    except ImportError as error:
        raise MissingExtraError("The loudness meter", "studio") from error
    channels = sound.samples.shape[1]
    if channels > _CHANNELS:
        raise MeasureError(
            f"{channels} channels have no loudness in BS.1770.", hint="Mix down to stereo before measuring."
        )
    if sound.duration < GATE:
        raise MeasureError(
            f"{sound.duration:.3f} s is too short: loudness is defined from {GATE} s on.",
            hint="Measure a longer piece.",
        )
    if not sound.samples.any():
        return -np.inf
    with np.errstate(invalid="ignore"):  # a mean over no block, where everything is below the gate
        return float(Meter(sound.rate).integrated_loudness(sound.samples.astype(np.float64)))


@cache
def _interpolator(factor: int) -> NDArray[np.float32]:
    """Matrix that takes `_STRIDE + 2 * _REACH` samples to `_STRIDE * factor` interpolated ones."""
    offsets = np.arange(-_REACH + 1, _REACH + 1)
    rows = _STRIDE + 2 * _REACH
    matrix = np.zeros((rows, _STRIDE, factor))
    for phase in range(factor):
        distance = offsets - phase / factor
        # Kaiser (1974): beta 7 puts the images of a full-scale tone below -70 dB.
        inside = np.clip(1 - (distance / _REACH) ** 2, 0, None)
        taps = np.sinc(distance) * np.i0(7.0 * np.sqrt(inside))
        taps /= taps.sum()
        for output in range(_STRIDE):
            matrix[output + 1 : output + 1 + 2 * _REACH, output, phase] = taps
    flat: NDArray[np.float32] = matrix.reshape(rows, -1).astype(np.float32)
    return flat


def true_peak(sound: Sound) -> float:
    """Highest level of the waveform between the samples as well as on them.

    The sound is oversampled four times (twice from 96 kHz, not at all from 192 kHz on) by a windowed sinc of
    24 samples, which for speed is one matrix product.

    Returns
    -------
    float
        dBTP, decibels relative to full scale; `-inf` for digital silence.

    References
    ----------
    ITU-R (2015), Recommendation BS.1770-4, annex 2. Window: J. F. Kaiser (1974), "Nonrecursive digital filter
    design using the I0-sinh window function", IEEE Symp. Circuits and Systems.
    """
    peak = float(np.abs(sound.samples).max(initial=0.0))
    factor = 4 if sound.rate < 96_000 else 2 if sound.rate < 192_000 else 1
    if factor == 1 or not peak:
        return _decibels(peak)
    matrix = _interpolator(factor)
    for channel in sound.samples.T:
        rows = -(-len(channel) // _STRIDE)
        padded = np.zeros(rows * _STRIDE + 2 * _REACH, dtype=np.float32)
        padded[_REACH : _REACH + len(channel)] = channel
        windows = np.lib.stride_tricks.sliding_window_view(padded, _STRIDE + 2 * _REACH)[::_STRIDE]
        for start in range(0, rows, _ROWS):
            between = windows[start : start + _ROWS] @ matrix
            peak = max(peak, float(between.max()), -float(between.min()))
    return _decibels(peak)


def silences(sound: Sound, threshold: float = SILENCE) -> tuple[float, float]:
    """Seconds before the first and after the last sample above the threshold.

    Parameters
    ----------
    sound
        Any length.
    threshold
        dBFS.

    Returns
    -------
    leading, trailing : float
        Seconds. Both are the whole duration where nothing rises above the threshold.
    """
    heard = np.flatnonzero(np.abs(sound.samples) > 10 ** (threshold / 20)) // sound.samples.shape[1]
    if not len(heard):
        return sound.duration, sound.duration
    return float(heard[0] / sound.rate), float((len(sound.samples) - 1 - heard[-1]) / sound.rate)


def clipping(sound: Sound) -> float:
    """Share of the samples whose crest was cut off.

    Counted are samples at or over full scale, in runs of at least three in one channel: a single one may be a peak
    that was set there on purpose. What a coder decodes above full scale counts as well: it is cut off when played.

    Parameters
    ----------
    sound
        Any length.

    Returns
    -------
    float
        0 to 1, of the samples of all channels.
    """
    found = 0
    for channel in sound.samples.T:
        at = np.flatnonzero(np.abs(channel) >= FULL_SCALE)
        if len(at) >= _RUN:
            runs = np.diff(np.flatnonzero(np.diff(at, prepend=-2, append=at[-1] + 2) > 1))
            found += int(runs[runs >= _RUN].sum())
    return found / sound.samples.size


def _decibels(amplitude: float) -> float:
    return float(20 * np.log10(amplitude)) if amplitude > 0 else -np.inf
