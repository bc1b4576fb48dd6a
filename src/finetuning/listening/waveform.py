"""The picture of a sound, as the path of an SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from finetuning.audio.extremes import extremes
from finetuning.audio.sound import Sound

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BARS", "HEIGHT", "WIDTH", "heights", "outline"]

#: Bars in a picture: each is still a millimetre wide on a telephone.
BARS: Final = 160
#: Of the picture, in its own units; a bar takes three, one of which is space.
WIDTH, HEIGHT = BARS * 3, 64


def heights(sound: Sound) -> NDArray[np.float64]:
    """Return how far the sound swings in each stretch of it.

    Returns
    -------
    ndarray of float64, shape (BARS,)
        0 to 1, where 1 is the loudest stretch of this sound; all 0 for silence.
    """
    peaks = np.abs(extremes(sound, BARS)).max(axis=1).astype(np.float64)
    loudest = float(peaks.max())
    relative: NDArray[np.float64] = peaks / loudest if loudest > 0 else peaks
    return relative


def outline(bars: NDArray[np.float64]) -> str:
    """Return the `d` of a path that draws the bars, each at least a line."""
    half = np.maximum(np.rint(np.asarray(bars) * (HEIGHT / 2 - 1)), 1).astype(int)
    return "".join(f"M{3 * place} {HEIGHT // 2 - size}h2v{2 * size}h-2z" for place, size in enumerate(half))
