"""In which key: how the twelve pitch classes share the sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from finetuning.audio.spectrum import magnitudes
from finetuning.records import KEYS, SCALES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Tonality", "chroma", "tonality_of"]

# Weights of the scale degrees, from the tonic upwards by semitones. Albrecht and Shanahan (2013), table 1.
_PROFILES = np.array(
    [
        [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081],
        [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052],
    ]
)
_A4 = 440.0
_LOW, _HIGH = 55.0, 2000.0  # Hz: fundamentals and their first partials, below cymbals and hiss
_FRAME = 0.37  # seconds: tells semitones apart down to 55 Hz


class Tonality(NamedTuple):
    """Tonic (one of `KEYS`), `major` or `minor`, and the confidence from 0 to 1. None, None, 0 without pitch."""

    key: str | None
    scale: str | None
    confidence: float


def chroma(signal: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Share of each pitch class in the sound, whatever it is tuned to.

    Spectral peaks only, so that drums and noise count for little; their common distance from the nearest
    semitone is taken for the tuning.

    Parameters
    ----------
    signal
        Shape (samples,), float32, one channel.
    rate
        Hz.

    Returns
    -------
    ndarray of float64, shape (12,)
        From C upwards; the sum is 1, or 0 where there is no pitch.

    References
    ----------
    E. Gómez (2006), "Tonal description of polyphonic audio for music content processing", INFORMS Journal on
    Computing 18 (3).
    """
    size = 1 << round(np.log2(rate * _FRAME))
    found = [_peaks(block, rate, size) for block in magnitudes(signal, size, size // 2)]
    if not found:
        return np.zeros(12)
    pitches = np.concatenate([pitch for pitch, _ in found])
    weights = np.concatenate([weight for _, weight in found])
    if not weights.sum():
        return np.zeros(12)
    # The mean direction on a circle of one semitone: a little sharp and a little flat are neighbours there.
    turn = np.angle((weights * np.exp(2j * np.pi * pitches)).sum()) / (2 * np.pi)
    semitones = pitches - turn
    nearest = np.rint(semitones)
    # What falls between two semitones belongs to neither.
    weights = weights * np.cos(np.pi * (semitones - nearest)) ** 2
    shares = np.bincount(nearest.astype(int) % 12, weights, minlength=12)
    from_c: NDArray[np.float64] = np.roll(shares, 9) / shares.sum()  # they were counted from A
    return from_c


def tonality_of(signal: NDArray[np.float32], rate: int) -> Tonality:
    """Estimate the key, taken to be one for the whole piece.

    Parameters
    ----------
    signal
        Shape (samples,), float32, one channel.
    rate
        Hz.

    Returns
    -------
    Tonality
        The confidence is the correlation with the winning profile, times its lead over the next best of the 24
        keys (a lead of 0.2 counts as full).

    References
    ----------
    J. Albrecht and D. Shanahan (2013), "The use of large corpora to train a new type of key-finding
    algorithm: an improved treatment of the minor mode", Music Perception 31 (1).
    """
    shares = chroma(signal, rate)
    if not shares.any():
        return Tonality(None, None, 0.0)
    rotations = np.array([np.roll(profile, tonic) for profile in _PROFILES for tonic in range(12)])
    fits = np.corrcoef(shares, rotations)[0, 1:]
    second, best = np.argsort(fits)[-2:]
    confidence = np.clip(fits[best], 0, 1) * min(1.0, (fits[best] - fits[second]) / 0.2)
    scale, tonic = divmod(int(best), 12)
    return Tonality(KEYS[tonic], SCALES[scale], float(confidence))


def _peaks(block: NDArray[np.float32], rate: int, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pitches (semitones from A4) and weights of the spectral peaks of some frames, each frame weighing alike."""
    first, last = int(_LOW * size / rate), min(int(_HIGH * size / rate) + 1, block.shape[1] - 2)
    part = block[:, first - 1 : last + 2]
    middle, left, right = part[:, 1:-1], part[:, :-2], part[:, 2:]
    loudest = part.max(axis=1, keepdims=True)
    rows, columns = np.nonzero((middle > left) & (middle >= right) & (middle > 0.01 * loudest))
    here = middle[rows, columns]
    below, above = (np.log(np.maximum(side[rows, columns], 1e-12)) for side in (left, right))
    bend = below - 2 * np.log(here) + above
    shift = np.where(bend < 0, 0.5 * (below - above) / np.where(bend < 0, bend, -1), 0.0)
    hertz = (columns + first + np.clip(shift, -0.5, 0.5)) * rate / size
    weight = np.sqrt(here / loudest[rows, 0])
    return 12 * np.log2(hertz / _A4), weight.astype(np.float64)
