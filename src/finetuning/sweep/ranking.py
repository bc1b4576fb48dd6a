"""From "this one is better" to a ranking that says how sure it is.

Each take has a strength. Of two with strengths a and b the first is preferred with a probability in proportion to
exp(a), the second to exp(b), and no difference is heard in proportion to exp(tie + (a + b) / 2): the model of Bradley
and Terry, with ties as by Davidson. Strengths have a Gaussian prior, so that a few answers already give a ranking.

References
----------
R. A. Bradley and M. E. Terry (1952), "Rank analysis of incomplete block designs: I. The method of paired
comparisons", Biometrika 39, 324-345. R. R. Davidson (1970), "On extending the Bradley-Terry model to accommodate ties
in paired comparison experiments", J. Am. Stat. Assoc. 65, 317-328. The next question after D. V. Lindley (1956), "On
a measure of the information provided by an experiment", Ann. Math. Stat. 27, 986-1005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Comparison", "Outcome", "Ranking", "rank"]

#: Which of two was preferred, or neither.
Outcome = Literal["a", "b", "same"]

_SPREAD: Final = 1.5  # prior standard deviation of a strength, in logits
_TIE: Final = -0.7  # prior mean of the parameter of ties: a fifth of the answers between equals
_TIE_SPREAD: Final = 1.0  # its prior standard deviation
_STEPS: Final = 50
_PRECISE: Final = 1e-9
_DRAWS: Final = 4000
_TAIL: Final = 0.05  # at each end of an interval of ranks
_APART: Final = 0.9  # probability at which two neighbours count as told apart
_LITTLE: Final = 0.09  # nats: an answer that is expected to tell less is not worth a moment of a person's
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_OUTCOMES: Final[dict[str, int]] = {"a": 0, "b": 1, "same": 2}


class Comparison(NamedTuple):
    """One answer: the places of two takes, and which was preferred."""

    a: int
    b: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the answers so far say.

    Attributes
    ----------
    strength : ndarray of float64, shape (n,)
        In logits; 0 on average before anything is asked.
    covariance : ndarray of float64, shape (n, n)
        Of the strengths.
    tie : float
        In logits.
    ranks, low, high : ndarray of int64, shape (n,)
        1 is the best. Between `low` and `high` the rank lies with a probability of 90 %.
    compared : ndarray of int64, shape (n,)
        In how many answers each take took part.
    """

    strength: NDArray[np.float64]
    covariance: NDArray[np.float64]
    tie: float
    ranks: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    compared: NDArray[np.int64]

    def information(self) -> NDArray[np.float64]:
        """How much the answer to each question is expected to tell, in nats.

        Returns
        -------
        ndarray of float64, shape (n, n)
            Mutual information of the answer and the difference of strengths; symmetric, 0 on the diagonal.
        """
        variance = np.diag(self.covariance)
        spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * self.covariance, 0))
        mean = self.strength[:, None] - self.strength[None, :]
        weights = _WEIGHTS / _WEIGHTS.sum()
        chances = _chances(mean[..., None] + spread[..., None] * _NODES, self.tie)
        expected = np.einsum("ijkn,n->ijk", chances.transpose(0, 1, 3, 2), weights)
        known = np.einsum("ijn,n->ij", _entropy(chances), weights)
        told: NDArray[np.float64] = np.maximum(_entropy(expected) - known, 0)
        np.fill_diagonal(told, 0)
        return told

    def question(self, last: tuple[int, int] | None = None) -> tuple[int, int] | None:
        """Return the two takes to ask for next; None where the ranking stands.

        It stands when each take is told apart from its neighbour, or when no answer is expected to tell much.

        Parameters
        ----------
        last
            The pair of the last question, which is not asked twice in a row.
        """
        count = len(self.strength)
        if count < 2 or self.apart:
            return None
        told = self.information()
        if told.max() < _LITTLE:
            return None
        if last is not None and count > 2:
            told[last] = told[last[::-1]] = 0
        place = int(np.argmax(np.triu(told)))
        return place // count, place % count

    @property
    def apart(self) -> bool:
        """Whether each take is told apart from the next in the ranking."""
        order = np.argsort(self.ranks)
        upper, lower = order[:-1], order[1:]
        variance = self.covariance[upper, upper] + self.covariance[lower, lower] - 2 * self.covariance[upper, lower]
        step = self.strength[upper] - self.strength[lower]
        return bool(np.all(step >= _QUANTILE * np.sqrt(np.maximum(variance, 0))))


#: Standard deviations below which nine tenths of a Gaussian lie, for `_APART`.
_QUANTILE: Final = 1.2815515655446004


def rank(count: int, answers: Sequence[Comparison]) -> Ranking:
    """Rank takes by answers to questions about two of them.

    The most probable strengths are found by Newton's method (the posterior is log-concave); their uncertainty is the
    curvature there (Laplace's approximation), from which the intervals of ranks are drawn.

    Parameters
    ----------
    count
        How many takes there are, at least one.
    answers
        In any order.
    """
    first = np.array([answer.a for answer in answers], dtype=np.intp)
    second = np.array([answer.b for answer in answers], dtype=np.intp)
    chosen = np.array([_OUTCOMES[answer.outcome] for answer in answers], dtype=np.intp)
    at = np.stack([first, second, np.full(len(answers), count)], axis=1)
    mean = np.zeros(count + 1)
    mean[-1] = _TIE
    precision = np.full(count + 1, _SPREAD**-2)
    precision[-1] = _TIE_SPREAD**-2
    found, curvature = _climb(at, chosen, mean, precision)
    covariance: NDArray[np.float64] = np.linalg.inv(curvature).astype(np.float64)
    strength, covariance = found[:-1], covariance[:-1, :-1]
    ranks = _ranks(strength[None, :])[0]
    low, high = _intervals(strength, covariance)
    return Ranking(
        strength,
        covariance,
        float(found[-1]),
        ranks,
        np.minimum(low, ranks),
        np.maximum(high, ranks),
        np.bincount(np.concatenate([first, second]), minlength=count),
    )


#: What each outcome's logit takes of the two strengths and of the parameter of ties.
_TAKES: Final = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 1.0]])


def _climb(
    at: NDArray[np.intp], chosen: NDArray[np.intp], mean: NDArray[np.float64], precision: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the most probable parameters, and the curvature of the negative log posterior there."""

    def height(where: NDArray[np.float64]) -> float:
        logits = where[at] @ _TAKES.T
        likely = logits[np.arange(len(at)), chosen] - np.logaddexp.reduce(logits, axis=1)
        return float(likely.sum() - 0.5 * (precision * (where - mean) ** 2).sum())

    here = mean.copy()
    curvature = np.diag(precision)
    for _ in range(_STEPS):
        chances = _softmax(here[at] @ _TAKES.T)
        average = chances @ _TAKES
        slope = -precision * (here - mean)
        np.add.at(slope, at, _TAKES[chosen] - average)
        curvature = np.diag(precision)
        blocks = np.einsum("mk,ki,kj->mij", chances, _TAKES, _TAKES) - average[:, :, None] * average[:, None, :]
        np.add.at(curvature, (at[:, :, None], at[:, None, :]), blocks)
        step = np.linalg.solve(curvature, slope)
        before = height(here)
        while height(here + step) < before - _PRECISE:
            step /= 2
        here = here + step
        if np.abs(step).max() < _PRECISE:
            break
    return here, curvature


def _intervals(
    strength: NDArray[np.float64], covariance: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    generator = np.random.default_rng(0)  # the same answers give the same intervals
    factor = np.linalg.cholesky(covariance)
    drawn = _ranks(strength + generator.standard_normal((_DRAWS, len(strength))) @ factor.T)
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL], axis=0, method="nearest")
    return low.astype(np.int64), high.astype(np.int64)


def _ranks(strengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank each row, the strongest first; equals in the order in which they stand."""
    order = np.argsort(-strengths, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, strengths.shape[1] + 1)[None, :], axis=1)
    return ranks.astype(np.int64)


def _chances(difference: NDArray[np.float64], tie: float) -> NDArray[np.float64]:
    """Probabilities of the three outcomes by the difference of strengths, along a new last axis."""
    return _softmax(np.stack([difference / 2, -difference / 2, np.full_like(difference, tie)], axis=-1))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised: NDArray[np.float64] = np.exp(logits - logits.max(axis=-1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def _entropy(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    surprise: NDArray[np.float64] = -(chances * np.log(np.maximum(chances, 1e-300))).sum(axis=-1)
    return surprise
