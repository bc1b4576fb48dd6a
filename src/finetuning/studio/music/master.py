"""The master: loudness, a look-ahead limiter on true peaks, and the end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyloudnorm
from scipy.ndimage import binary_closing, maximum_filter1d, minimum_filter1d, uniform_filter1d
from scipy.signal import butter, firwin, sosfilt, upfirdn

from .render import PIECE, RATE, Sound, filtered

__all__ = ["BLOCK", "amplify", "control", "fade_out", "gated", "loudness", "master", "powers", "true_peaks"]

BLOCK = 32
"""Samples a control block of the limiter: 0.67 ms."""

OVER = 4
TAPS = firwin(12 * OVER + 1, 1.0 / OVER, window=("kaiser", 7.0)).astype(np.float32) * OVER
GAP, STRETCH = 9, 64
"""Blocks between two loud places that are not worth a pause, and blocks oversampled at a time."""

LOOK_AHEAD, RELEASE = 4, 0.08
"""Control blocks that the gain falls before a peak, and seconds in which it climbs by one neper after it."""

RUMBLE = butter(2, 28, "highpass", fs=RATE, output="sos")
"""What lies below 28 Hz is not heard, and would only drive the limiter."""

K_WEIGHTING = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""The two filters of BS.1770, at 48 kHz: the shelf of a head, and a high-pass."""

WINDOW, OFFSET = 600, 0.691
"""Blocks in 400 ms, over which loudness is gated, and what BS.1770 takes off the level in dB."""

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
    margin = len(TAPS) // (2 * OVER) + 1
    # a peak may lie on the edge to a neighbour; stretches closer than their margins are worth are done in one
    near = maximum_filter1d(peaks, 3, mode="nearest") * reach >= floor
    edges = np.flatnonzero(np.diff(binary_closing(np.pad(near, 1 + GAP), np.ones(GAP))[GAP:-GAP]))
    for run, end_of_run in zip(edges[::2], edges[1::2], strict=True):
        for first in range(run, end_of_run, STRETCH):
            last = min(first + STRETCH, end_of_run)
            begin, end = first * BLOCK, min(last * BLOCK, samples)
            piece = sound[:, max(0, begin - margin) : end + margin]
            fine = np.abs(upfirdn(TAPS, piece, up=OVER, axis=1))
            skip = (begin - max(0, begin - margin)) * OVER + len(TAPS) // 2
            fine = fine[:, skip : skip + (end - begin) * OVER].max(axis=0)
            whole = np.zeros((last - first) * BLOCK * OVER)
            whole[: len(fine)] = fine
            peaks[first:last] = np.maximum(peaks[first:last], whole.reshape(last - first, -1).max(axis=1))
    return peaks


def control(gain: float, ceiling: float, peaks: FloatArray) -> FloatArray:
    """Find the gain of each block that amplifies and yet keeps every peak below the ceiling.

    It falls in time (a running minimum over the look-ahead, then its running mean, so that it is never above what a
    peak allows), and comes back at a steady rate in decibels.

    Parameters
    ----------
    gain : float
        Linear amplification.
    ceiling : float
        Linear ceiling for true peaks.
    peaks : ndarray of float64, shape (blocks,)
        What ``true_peaks`` says of the sound.

    Returns
    -------
    ndarray of float64, shape (blocks,)
        Linear gain at the middle of each block.
    """
    allowed = np.minimum(1.0, ceiling / np.maximum(peaks * gain, 1e-12))
    # a block's neighbours too: gain is drawn straight between the middles of blocks
    width = 2 * LOOK_AHEAD + 1
    need = minimum_filter1d(np.log(allowed), width + 2, mode="nearest")
    climb = np.arange(len(need)) * (BLOCK / RATE / RELEASE)
    held = np.minimum.accumulate(need - climb) + climb
    curve: FloatArray = gain * np.exp(uniform_filter1d(held, width, mode="nearest"))
    return curve


def amplify(sound: Sound, curve: FloatArray) -> Sound:
    """Amplify by a gain that is given at the middle of each block and drawn straight between."""
    done = np.empty_like(sound)
    places = (np.arange(len(curve)) + 0.5) * BLOCK
    for first in range(0, sound.shape[1], PIECE):
        last = min(first + PIECE, sound.shape[1])
        done[:, first:last] = sound[:, first:last] * np.interp(np.arange(first, last), places, curve)
    return done


def powers(sound: Sound) -> FloatArray:
    """Sum the K-weighted energy of each block over both channels (ITU-R BS.1770-4, annex 1, tables 1 and 2).

    Returns
    -------
    ndarray of float64, shape (ceil(samples / 32),)
    """
    blocks = -(-sound.shape[1] // BLOCK)
    energy = np.zeros(blocks)
    state = np.zeros((len(K_WEIGHTING), len(sound), 2))
    for first in range(0, sound.shape[1], PIECE):
        heard, state = sosfilt(K_WEIGHTING, sound[:, first : first + PIECE], axis=1, zi=state)
        heard = np.pad((heard * heard).sum(axis=0), (0, -heard.shape[1] % BLOCK))
        place = first // BLOCK
        energy[place : place + len(heard) // BLOCK] = heard.reshape(-1, BLOCK).sum(axis=1)
    return energy


def gated(energy: FloatArray) -> float:
    """Integrated loudness from the energies of blocks, with the gates of ITU-R BS.1770-4, annex 1.

    Parameters
    ----------
    energy : ndarray of float64
        What ``powers`` says, of at least 0.4 s; times the square of a gain, the loudness after that gain.

    Returns
    -------
    float
        LUFS; minus infinity where nothing passes the gates.
    """
    total = np.concatenate([[0.0], np.cumsum(energy)])
    starts = np.arange(0, len(energy) - WINDOW + 1, WINDOW // 4)
    means = (total[starts + WINDOW] - total[starts]) / (WINDOW * BLOCK)
    heard = means[means > 10 ** ((-70 + OFFSET) / 10)]
    if not len(heard):
        return -np.inf
    heard = heard[heard > heard.mean() / 10]
    return float(10 * np.log10(heard.mean()) - OFFSET)


def fade_out(sound: Sound, start: float) -> Sound:
    """Let the sound sink to nothing from ``start`` (seconds) to its end, ever more gently."""
    first = round(start * RATE)
    length = sound.shape[1] - first
    curve = np.cos(np.linspace(0.0, np.pi / 2, length, dtype=np.float32)) ** 2
    faded = sound.copy()
    faded[:, first:] *= curve
    return faded


def master(sound: Sound, target: float, ceiling: float) -> Sound:
    """Bring a mix to a loudness under a ceiling.

    The loudness is not measured on what the limiter makes, but reckoned from the energy of each block and the gain it
    gets: gain changes little within a block, so that the two agree within a few hundredths.

    Parameters
    ----------
    sound : ndarray of float32, shape (2, samples)
        The mix, any level but silence, at least 0.4 s.
    target : float
        LUFS.
    ceiling : float
        dBTP.

    Raises
    ------
    ValueError
        If the mix is silent.
    """
    clean = filtered(RUMBLE, sound)
    energy = powers(clean)
    level = gated(energy)
    if not np.isfinite(level):
        raise ValueError("the mix is silent; there is nothing to master")
    top = 10 ** (ceiling / 20)
    gain = 10 ** ((target - level) / 20)
    # where the samples' own peaks lead to is almost there, and tells how far down true peaks matter
    gain, _ = _settle(energy, true_peaks(clean, floor=np.inf), gain, target, top)
    _, curve = _settle(energy, true_peaks(clean, floor=top / gain / 1.25), gain, target, top)
    return amplify(clean, curve)


def _settle(
    energy: FloatArray, peaks: FloatArray, gain: float, target: float, ceiling: float
) -> tuple[float, FloatArray]:
    """Find the amplification that reaches a loudness behind the limiter, and the limiter's curve with it."""
    for _ in range(16):
        curve = control(gain, ceiling, peaks)
        miss = target - gated(energy * curve * curve)
        if abs(miss) < 0.02:
            break
        gain *= 10 ** (1.15 * miss / 20)
    return gain, curve
