"""How busy: onsets of sound a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["onsets"]

_AROUND = 0.03  # seconds on either side in which an onset is the highest
_BEFORE, _AFTER = 0.10, 0.07  # seconds whose mean it has to rise above
_ABOVE = 1.5  # nepers summed over all bands: beats of two held tones stay below, a soft piano does not
_APART = 0.03  # seconds: what follows sooner is heard as the same


def onsets(strength: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """Find the moments at which a sound begins.

    Parameters
    ----------
    strength
        Shape (frames,): onset strength, as `tempo.onset_strength` gives it.
    fps
        Frames a second.

    Returns
    -------
    ndarray of float64, shape (onsets,)
        Seconds, ascending.

    References
    ----------
    S. Böck, F. Krebs and M. Schedl (2012), "Evaluating the online capabilities of onset detection methods", Proc.
    ISMIR, section 3.2: the highest in its neighbourhood, a threshold above the local mean, and a least distance.
    """
    if not len(strength):
        return np.zeros(0)
    around, before, after = (max(1, round(seconds * fps)) for seconds in (_AROUND, _BEFORE, _AFTER))
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(strength, around), 2 * around + 1).max(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(strength)])
    places = np.arange(len(strength))
    low, high = np.maximum(places - before, 0), np.minimum(places + after + 1, len(strength))
    level = (sums[high] - sums[low]) / (high - low)
    found: list[int] = []
    for place in np.flatnonzero((strength == highest) & (strength >= level + _ABOVE)):
        if not found or place - found[-1] > _APART * fps:
            found.append(int(place))
    return np.array(found, dtype=np.float64) / fps
