"""The master: loudness, a look-ahead limiter on true peaks, and the end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyloudnorm
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import butter, firwin, sosfilt, upfirdn

from .render import RATE, Sound

__all__ = ["BLOCK", "fade_out", "limit", "loudness", "master", "true_peaks"]

BLOCK = 32
"""Samples a control block of the limiter: 0.67 ms."""

OVER = 4
TAPS = firwin(12 * OVER + 1, 1.0 / OVER, window=("kaiser", 7.0)).astype(np.float32) * OVER
LOOK_AHEAD, RELEASE = 4, 0.08
"""Control blocks that the gain falls before a peak, and seconds in which it climbs by one neper after it."""

FloatArray = npt.NDArray[np.float64]


def loudness(sound: Sound) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4, by pyloudnorm)."""
    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound.T))


def true_peaks(sound: Sound, floor: float = 0.0) -> FloatArray:
    """Find the true peak of each block of 32 samples, over both channels.

    Oversampled four times (ITU-R BS.1770-4, annex 2). Stretches whose samples stay so low that no interpolated peak can
    reach ``floor`` are not oversampled; their sample peak stands.

    Parameters
    ----------
    sound : ndarray of float32, shape (2, samples)
    floor : float
        Linear level below which a peak is of no interest.

    Returns
    -------
    ndarray of float64, shape (ceil(samples / 32),)
    """
    channels, samples = sound.shape
    blocks = -(-samples // BLOCK)
    padded = np.zeros((channels, blocks * BLOCK), np.float32)
    padded[:, :samples] = np.abs(sound)
    peaks: FloatArray = padded.reshape(channels, blocks, BLOCK).max(axis=(0, 2)).astype(np.float64)
    # the interpolator can raise a peak by the sum of its taps' magnitudes at most
    reach = max(float(np.abs(TAPS[phase::OVER]).sum()) for phase in range(OVER))
    stride = 64
    margin = len(TAPS) // (2 * OVER) + 1
    for first in range(0, blocks, stride):
        last = min(first + stride, blocks)
        if peaks[max(0, first - 1) : last + 1].max() * reach < floor:
            continue
        begin, end = first * BLOCK, min(last * BLOCK, samples)
        piece = sound[:, max(0, begin - margin) : end + margin]
        fine = np.abs(upfirdn(TAPS, piece, up=OVER, axis=1))
        skip = (begin - max(0, begin - margin)) * OVER + len(TAPS) // 2
        fine = fine[:, skip : skip + (end - begin) * OVER].max(axis=0)
        whole = np.zeros((last - first) * BLOCK * OVER)
        whole[: len(fine)] = fine
        peaks[first:last] = np.maximum(peaks[first:last], whole.reshape(last - first, -1).max(axis=1))
    return peaks


def limit(sound: Sound, gain: float, ceiling: float, peaks: FloatArray) -> Sound:
    """Amplify, and turn down ahead of every peak that would pass the ceiling.

    The gain is found once a block, from the true peaks: it falls in time (a running minimum over the look-ahead, then
    its running mean, so that it is never above what a peak allows), and comes back at a steady rate in decibels.

    Parameters
    ----------
    sound : ndarray of float32, shape (2, samples)
    gain : float
        Linear amplification.
    ceiling : float
        Linear ceiling for true peaks.
    peaks : ndarray of float64
        What ``true_peaks`` says of ``sound``.
    """
    allowed = np.minimum(1.0, ceiling / np.maximum(peaks * gain, 1e-12))
    if allowed.min() >= 1.0:
        return sound * np.float32(gain)
    # a block's neighbours too: gain is drawn straight between the middles of blocks
    width = 2 * LOOK_AHEAD + 1
    need = minimum_filter1d(np.log(allowed), width + 2, mode="nearest")
    climb = np.arange(len(need)) * (BLOCK / RATE / RELEASE)
    held = np.minimum.accumulate(need - climb) + climb
    smooth = uniform_filter1d(held, width, mode="nearest")
    control = gain * np.exp(smooth)
    places = (np.arange(len(control)) + 0.5) * BLOCK
    curve = np.interp(np.arange(sound.shape[1]), places, control).astype(np.float32)
    limited: Sound = sound * curve
    return limited


def fade_out(sound: Sound, start: float) -> Sound:
    """Let the sound sink to nothing from ``start`` (seconds) to its end, ever more gently."""
    first = round(start * RATE)
    length = sound.shape[1] - first
    curve = np.cos(np.linspace(0.0, np.pi / 2, length, dtype=np.float32)) ** 2
    faded = sound.copy()
    faded[:, first:] *= curve
    return faded


def master(sound: Sound, target: float, ceiling: float, strain: FloatArray | None = None) -> Sound:
    """Bring a mix to a loudness under a ceiling.

    Parameters
    ----------
    sound : ndarray of float32, shape (2, samples)
        The mix, any level but silence.
    target : float
        LUFS.
    ceiling : float
        dBTP.
    strain : ndarray of float64, shape (ceil(samples / 32),), optional
        By how much (linear) each block's peak is to be taken for higher than it is.

    Raises
    ------
    ValueError
        If the mix is silent.
    """
    clean = sosfilt(butter(2, 28, "highpass", fs=RATE, output="sos"), sound, axis=1).astype(np.float32)
    level = loudness(clean)
    if not np.isfinite(level):
        raise ValueError("the mix is silent; there is nothing to master")
    top = 10 ** (ceiling / 20)
    gain = 10 ** ((target - level) / 20)
    # a limiter may be driven some 4 dB further before it reaches the loudness: look that far down for peaks
    peaks = true_peaks(clean, floor=top / gain / 1.6)
    if strain is not None:
        peaks *= strain
    for _ in range(8):
        done = limit(clean, gain, top, peaks)
        miss = target - loudness(done)
        if abs(miss) < 0.12:
            break
        gain *= 10 ** (1.15 * miss / 20)
    return done
