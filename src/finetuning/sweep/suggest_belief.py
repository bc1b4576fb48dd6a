"""What is believed of points from what was heard of others, and which to try next."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Belief", "Scale", "believe", "choose", "spread"]

#: Observations a column from which on each may have a length of its own.
_ENOUGH: Final = 2
_LENGTHS: Final = (0.2, 4.0)  # of the unit of `Space.places`
_NOISE: Final = (0.02, 1.5)  # variance of chance, of the variance of all


@dataclass(frozen=True, slots=True)
class Scale:
    """How values are turned into numbers around 0, more of which is better."""

    mean: float
    unit: float
    sign: float

    @classmethod
    def of(cls, values: NDArray[np.float64], *, rated: bool, maximise: bool) -> Scale:
        """Find the scale of some values.

        Ratings have a middle and a spread of their own, so that a few of them, all alike, still say something: what is
        rejected everywhere is worse than what nobody heard.
        """
        if rated:
            return cls(float((values.sum() + 3) / (len(values) + 1)), 1.2, 1.0 if maximise else -1.0)
        unit = float(values.std()) if len(values) > 1 else 0.0
        return cls(
            float(values.mean()),
            unit if unit > 1e-12 * max(1.0, float(np.abs(values).max())) else 1.0,
            1.0 if maximise else -1.0,
        )


class Belief:
    """A Gaussian process over places: Matérn covariance (ν = 5/2), and white noise for what the seed does.

    Parameters
    ----------
    places
        Shape (observations, columns).
    heard
        Shape (observations,): on the scale.
    noise
        Shape (observations,): variance of each beyond the noise that is common to all.
    kernel
        A fitted one, whose parameters are kept; by default they are fitted (by maximum likelihood).

    References
    ----------
    C. E. Rasmussen and C. K. I. Williams (2006), "Gaussian Processes for Machine Learning", algorithm 2.1; the Matérn
    covariance for what is not endlessly smooth after M. Stein (1999), "Interpolation of Spatial Data".
    """

    def __init__(
        self,
        places: NDArray[np.float64],
        heard: NDArray[np.float64],
        noise: NDArray[np.float64],
        *,
        random_state: int,
        kernel: Any = None,
    ) -> None:
        try:
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.gaussian_process import GaussianProcessRegressor
            from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
            from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
        except ImportError as error:
            raise MissingExtraError("What suggestions are reckoned with (scikit-learn)", "analysis") from error
        columns = places.shape[1]
        own = len(heard) >= _ENOUGH * columns
        fresh = ConstantKernel(1.0, (0.1, 4.0)) * Matern(
            np.full(columns, 0.5) if own else 0.5, _LENGTHS, nu=2.5
        ) + WhiteKernel(0.3, _NOISE)
        fit = kernel is None and len(heard) > 2
        self._process = GaussianProcessRegressor(
            fresh if kernel is None else kernel,
            alpha=noise + 1e-8,
            optimizer="fmin_l_bfgs_b" if fit else None,
            n_restarts_optimizer=1 if fit else 0,
            random_state=random_state,
        )
        # Matrices as small as these are only delayed by sharing them among threads.
        with threadpool_limits(1), warnings.catch_warnings():
            # A length or the noise at its bound is an answer here: few observations say no more.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._process.fit(places, heard)
        self.places, self.heard, self.noise = places, heard, noise
        self._random_state = random_state

    def at(self, places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation, on the scale; what the seed adds is not among it.

        Returns
        -------
        mean, std : ndarray of float64, shape (places,)
        """
        kernel = self._process.kernel_
        smooth = kernel.k1  # without the white noise
        across = smooth(places, self._process.X_train_)
        mean = across @ self._process.alpha_
        solved = np.linalg.solve(self._process.L_, across.T)
        variance = smooth.diag(places) - (solved**2).sum(axis=0)
        return mean.ravel(), np.sqrt(np.maximum(variance, 0))

    def with_points(self, places: NDArray[np.float64]) -> Belief:
        """Return what would be believed had these points been heard just as expected."""
        if not len(places):
            return self
        return Belief(
            np.concatenate([self.places, places]),
            np.concatenate([self.heard, self.at(places)[0]]),
            np.concatenate([self.noise, np.zeros(len(places))]),
            random_state=self._random_state,
            kernel=self._process.kernel_,
        )


def believe(
    places: NDArray[np.float64], heard: NDArray[np.float64], noise: NDArray[np.float64], random_state: int
) -> Belief:
    """Learn from what was heard; see `Belief`."""
    return Belief(places, heard, noise, random_state=random_state)


def choose(belief: Belief, candidates: NDArray[np.float64], count: int) -> list[int]:
    """Choose what to try next: the greatest expected improvement, one after the other.

    After each choice it is believed to be heard just as expected, so that the next is looked for elsewhere. What is to
    be improved on is the best mean among the points heard so far, since the heard values themselves are noisy.

    Returns
    -------
    list of int
        Places among the candidates, each once while there are others.

    References
    ----------
    D. R. Jones, M. Schonlau and W. J. Welch (1998), "Efficient global optimization of expensive black-box functions",
    J. Global Optimization 13, for the expected improvement; D. Ginsbourger, R. Le Riche and L. Carraro (2010),
    "Kriging is well-suited to parallelize optimization", for the believer.
    """
    chosen: list[int] = []
    for _ in range(count):
        mean, std = belief.at(candidates)
        best = float(belief.at(belief.places)[0].max())
        gain = _improvement(mean, std, best)
        gain[_taken(chosen, len(candidates))] = -np.inf
        chosen.append(int(np.argmax(gain)))
        belief = belief.with_points(candidates[chosen[-1:]])
    return chosen


def spread(taken: NDArray[np.float64], candidates: NDArray[np.float64], count: int) -> list[int]:
    """Choose what is farthest from all that there is, one after the other.

    References
    ----------
    R. W. Kennard and L. A. Stone (1969), "Computer aided design of experiments", Technometrics 11.
    """
    centre = candidates.mean(axis=0, keepdims=True)
    # Of nothing at all the first is the one in the middle.
    near = np.linalg.norm(candidates - centre, axis=1) if not len(taken) else None
    away = np.full(len(candidates), np.inf)
    for place in taken:
        away = np.minimum(away, np.linalg.norm(candidates - place, axis=1))
    chosen: list[int] = []
    for _ in range(count):
        score = -near if near is not None and not chosen else away.copy()
        score[_taken(chosen, len(candidates))] = -np.inf
        chosen.append(int(np.argmax(score)))
        away = np.minimum(away, np.linalg.norm(candidates - candidates[chosen[-1]], axis=1))
    return chosen


def _taken(chosen: Sequence[int], count: int) -> list[int]:
    """Return what is not to be chosen again; once all were chosen, all may be."""
    return list(chosen[len(chosen) // count * count :])


def _improvement(mean: NDArray[np.float64], std: NDArray[np.float64], best: float) -> NDArray[np.float64]:
    wide = np.maximum(std, 1e-9)
    z = (mean - best) / wide
    below = np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in z])
    found: NDArray[np.float64] = (mean - best) * below + wide * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return found
