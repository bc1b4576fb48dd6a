"""How sure a figure is: intervals for shares, means and lines, each with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Line", "line_of", "mean_of", "rating_intervals", "wilson"]

_Z: Final = 1.959963984540054  # of 95 %
_DRAWS: Final = 4000


def wilson(hits: ArrayLike, trials: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of 95 % for a share.

    Parameters
    ----------
    hits, trials
        Counts, of the same shape.

    Returns
    -------
    low, high : ndarray of float64
        From 0 to 1; NaN where there were no trials.

    References
    ----------
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (158).
    """
    n = np.where(np.asarray(trials) > 0, trials, np.nan).astype(np.float64)
    p = np.asarray(hits, dtype=np.float64) / n
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def rating_intervals(counts: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of 95 % for the mean of ratings from 1 upwards.

    Drawn from the Dirichlet posterior of the shares under one pseudo-rating spread evenly over the levels, so that
    three fives are not taken for certainty, as a bootstrap would. It always holds the mean itself.

    Parameters
    ----------
    counts
        Shape (groups, levels): how often each rating was given.

    Returns
    -------
    low, high : ndarray of float64, shape (groups,)
        NaN where there are no ratings.

    References
    ----------
    W. Perks (1947), "Some observations on inverse probability including a new indifference rule", Journal of the
    Institute of Actuaries 73, for the prior.
    """
    levels = np.arange(1, counts.shape[1] + 1)
    draw = np.random.default_rng(0)
    low, high = np.full((2, len(counts)), np.nan)
    for group, row in enumerate(counts):
        if row.sum():
            means = draw.dirichlet(row + 1 / len(levels), _DRAWS) @ levels
            mean = row @ levels / row.sum()
            low[group], high[group] = np.minimum(np.quantile(means, 0.025), mean), max(np.quantile(means, 0.975), mean)
    return low, high


def mean_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean, and half the width of its interval of 95 %: NaN where there is one value or none.

    References
    ----------
    Student (1908), "The probable error of a mean", Biometrika 6 (1).
    """
    n = len(values)
    if n < 2:
        return (float(values[0]) if n else np.nan), np.nan
    return float(values.mean()), _student(n - 1) * float(values.std(ddof=1)) / float(np.sqrt(n))


class Line(NamedTuple):
    """A fitted line; `margin` is half the width of the slope's interval of 95 %, NaN from fewer than 3 points."""

    slope: float
    level: float
    margin: float


def line_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> Line | None:
    """Fit a line by least squares; None where `x` does not vary.

    The interval of the slope is Student's, from the residuals (A. C. Davison (2003), "Statistical Models", 8.3).
    """
    spread = x - x.mean() if len(x) else x
    square = float(spread @ spread)
    if square <= 0:
        return None
    slope = float(spread @ (y - y[0])) / square  # exactly 0 where `y` does not vary either
    level = float(y.mean() - slope * x.mean())
    free = len(x) - 2
    rest = y - level - slope * x
    margin = _student(free) * float(np.sqrt(rest @ rest / free / square)) if free > 0 else np.nan
    return Line(slope, level, margin)


def _student(free: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(free, 0.975))
