"""The picture of a sound: how far it swings in each of so many stretches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from finetuning.audio.extremes import extremes
from finetuning.audio.sound import Sound

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BUCKETS", "peaks"]

#: Stretches of a picture: about one a pixel.
BUCKETS: Final = 600


def peaks(sound: Sound, buckets: int = BUCKETS) -> NDArray[np.int8]:
    """Return the lowest and the highest sample of each stretch of the sound.

    Parameters
    ----------
    sound
        At least one sample.
    buckets
        How many stretches, all of the same length to a sample.

    Returns
    -------
    ndarray of int8, shape (buckets, 2)
        Relative to full scale at ±127, the channels averaged. A sound that has fewer samples than buckets repeats
        some.
    """
    scaled: NDArray[np.int8] = np.rint(np.clip(extremes(sound, buckets), -1, 1) * 127).astype(np.int8)
    return scaled
