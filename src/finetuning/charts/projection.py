"""When credits run out, if they go on being used as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FARTHEST", "days_until", "paths"]

_DRAWS: Final = 500
#: Ten years; nobody's allowance is planned for longer.
FARTHEST: Final = 3650


def paths(daily: NDArray[np.float64], left: float, *, draws: int = _DRAWS) -> NDArray[np.float64]:
    """Draw ways in which use may go on.

    Each way gives the known days random weights (the Bayesian bootstrap, which stands for not knowing the rate) and
    then draws its days from them (which stands for days being unlike each other). Nothing is assumed of how use is
    distributed; what never happened among the known days, such as a holiday, is not foreseen.

    Parameters
    ----------
    daily
        Credits used on each known day, none left out.
    left
        Credits that are left: the ways are as long as it takes to use three times as many, ten years at most.
    draws
        How many ways.

    Returns
    -------
    ndarray of float64, shape (draws, days)
        Credits used from now on, by the end of each day. No days where none were used.

    References
    ----------
    D. B. Rubin (1981), "The Bayesian bootstrap", The Annals of Statistics 9 (1).
    """
    mean = float(daily.mean()) if len(daily) else 0.0
    if mean <= 0:
        return np.zeros((draws, 0))
    days = int(min(FARTHEST, np.ceil(3 * left / mean) + 14))
    draw = np.random.default_rng(0)
    heaps = np.cumsum(draw.dirichlet(np.ones(len(daily)), draws), axis=1)
    picks = draw.random((draws, days))
    used = np.empty((draws, days))
    for way in range(draws):
        place = np.searchsorted(heaps[way], picks[way], side="right")
        used[way] = daily[np.minimum(place, len(daily) - 1)]
    summed: NDArray[np.float64] = np.cumsum(used, axis=1)
    return summed


def days_until(ways: NDArray[np.float64], left: float) -> NDArray[np.float64]:
    """Say after how many days each way has used so many credits; infinity where it has not.

    Returns
    -------
    ndarray of float64, shape (draws,)
    """
    if not ways.shape[1]:
        return np.full(len(ways), np.inf)
    reached = ways >= left
    return np.where(reached[:, -1], reached.argmax(axis=1) + 1.0, np.inf)
