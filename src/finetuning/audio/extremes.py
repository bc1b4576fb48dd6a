"""How far a sound swings in each of so many stretches: what pictures of it are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sound import Sound, mono

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["extremes"]


def extremes(sound: Sound, stretches: int) -> NDArray[np.float32]:
    """Return the lowest and the highest sample of each stretch of the sound.

    Parameters
    ----------
    sound
        At least one sample.
    stretches
        How many, all of the same length to a sample.

    Returns
    -------
    ndarray of float32, shape (stretches, 2)
        The channels averaged; full scale is ±1. A sound that has fewer samples than stretches repeats some.
    """
    signal = mono(sound)
    edges = np.linspace(0, len(signal), stretches, endpoint=False).astype(np.intp)
    # reduceat needs starts inside the signal; an empty stretch gives the sample that it starts at.
    starts = np.minimum(edges, len(signal) - 1)
    return np.stack([np.minimum.reduceat(signal, starts), np.maximum.reduceat(signal, starts)], axis=1)
