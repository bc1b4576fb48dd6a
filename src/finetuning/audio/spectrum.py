"""Short-time spectra, a block of frames at a time so that long pieces need little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["magnitudes", "mel_bands"]

_BLOCK = 1 << 21  # samples in a block of frames: 8 MB


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
