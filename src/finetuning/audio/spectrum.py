"""Short-time spectra, a block of frames at a time so that long pieces need little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Outline", "centroid", "magnitudes", "mel_bands", "outline"]

_BLOCK = 1 << 21  # samples in a block of frames: 8 MB
_FRAMES = 100  # a second
_BANDS = 32


class Outline(NamedTuple):
    """What tempo, onsets and brightness need of a sound, from one pass over it.

    Attributes
    ----------
    bands : ndarray of float32, shape (frames, 32)
        Magnitudes summed over mel bands from 30 Hz to 12 kHz.
    total : ndarray of float64, shape (bins,)
        Magnitudes summed over the frames; the last bin is at half the rate.
    fps : float
        Frames a second, about 100.
    """

    bands: NDArray[np.float32]
    total: NDArray[np.float64]
    fps: float


def outline(signal: NDArray[np.float32], rate: int) -> Outline:
    """Go over a sound in frames of about 23 ms.

    Parameters
    ----------
    signal
        Shape (samples,), float32, one channel.
    rate
        Hz.
    """
    hop = max(1, round(rate / _FRAMES))
    size = 1 << max(6, round(np.log2(rate / 40)))  # 1024 samples at 44.1 kHz
    bank = mel_bands(rate, size, bands=_BANDS, low=30.0, high=12_000.0)
    bands, total = [np.zeros((0, _BANDS), dtype=np.float32)], np.zeros(size // 2 + 1)
    for block in magnitudes(signal, size, hop):
        bands.append(block @ bank)
        total += block.sum(axis=0, dtype=np.float64)
    return Outline(np.concatenate(bands), total, rate / hop)


def centroid(total: NDArray[np.float64], rate: int) -> float:
    """Centre of gravity of a magnitude spectrum: where a sound is dull or bright.

    Parameters
    ----------
    total
        Shape (bins,): magnitudes from 0 Hz to half the rate. Summed over a piece, loud moments count for more than
        soft ones, and silence for nothing.
    rate
        Hz, of the samples.

    Returns
    -------
    float
        Hz; NaN where there is no sound.

    References
    ----------
    G. Peeters (2004), "A large set of audio features for sound description", IRCAM, section 6.1.1. That it is what
    listeners call brightness: E. Schubert and J. Wolfe (2006), "Does timbral brightness scale with frequency and
    spectral centroid?", Acta Acustica 92.
    """
    weight = float(total.sum())
    return float(total @ np.linspace(0, rate / 2, len(total)) / weight) if weight else np.nan


def magnitudes(signal: NDArray[np.float32], size: int, hop: int) -> Iterator[NDArray[np.float32]]:
    """Magnitudes of the short-time Fourier transform under a Hann window.

    Parameters
    ----------
    signal
        Shape (samples,), float32.
    size
        Samples in a frame.
    hop
        Samples from one frame to the next.

    Yields
    ------
    ndarray of float32, shape (frames, size // 2 + 1)
        Some frames, in order; nothing at all where the signal is shorter than one frame. A sine of
        amplitude 1 that falls on a bin reads 1 there.
    """
    if len(signal) < size:
        return
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    window = np.hanning(size + 1)[:size].astype(np.float32)
    window *= 2 / window.sum()
    step = max(1, _BLOCK // size)
    for start in range(0, len(frames), step):
        yield np.abs(np.fft.rfft(frames[start : start + step] * window, axis=1))


def mel_bands(rate: int, size: int, bands: int, low: float, high: float) -> NDArray[np.float32]:
    """Overlapping triangles, evenly spaced in mel.

    Parameters
    ----------
    rate
        Hz.
    size
        Samples in a frame of the transform.
    bands
        How many triangles.
    low, high
        Hz: the feet of the first and the last; `high` is lowered to the Nyquist frequency.

    Returns
    -------
    ndarray of float32, shape (size // 2 + 1, bands)
        To multiply a spectrum with. Every band holds at least one bin.

    References
    ----------
    D. O'Shaughnessy (1987), "Speech Communication: Human and Machine", for the scale.
    """

    def mel(hertz: float) -> float:
        return float(2595 * np.log10(1 + hertz / 700))

    corners = 700 * (10 ** (np.linspace(mel(low), mel(min(high, rate / 2)), bands + 2) / 2595) - 1)
    centres = np.arange(size // 2 + 1) * rate / size
    # A triangle narrower than a bin would catch nothing: it is widened to one.
    reach = np.maximum(np.diff(corners), rate / size)
    rising = (centres[:, None] - (corners[1:-1] - reach[:-1])) / reach[:-1]
    falling = ((corners[1:-1] + reach[1:]) - centres[:, None]) / reach[1:]
    bank: NDArray[np.float32] = np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
    return bank
