"""When generations in flight will end, so that a look is worth its request."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

__all__ = ["Forecast"]

#: What is believed before the first has ended: half within 30 s, two of three between 16 and 55 s; worth four
#: observations.
_MEDIAN: Final = 30.0
_SPREAD: Final = 0.6
_WEIGHT: Final = 4
#: How many are expected to have ended at a look; fewer where few are in flight.
_AIM, _SHARE = 1.2, 0.5
_SHORTEST: Final = 1.0
_LONGEST: Final = 15.0


class Forecast:
    """Learns how long generations take; their times are taken for log-normal.

    Mean and variance of the logarithms are drawn together with what was believed before, which counts for so many
    observations (A. Gelman et al., "Bayesian Data Analysis", 3.3, with the means in place of the posterior).
    """

    def __init__(self) -> None:
        self._logs: list[float] = []

    def learn(self, seconds: float) -> None:
        """Take in how long one took."""
        self._logs.append(math.log(max(seconds, 0.05)))

    @property
    def median(self) -> float:
        """Seconds within which half of them end."""
        return math.exp(self._fit()[0])

    def expected(self, since: Collection[float], looked: float, until: float) -> float:
        """Return how many will have ended at a moment.

        Parameters
        ----------
        since
            When each began.
        looked
            When all that had begun were last seen not to have ended.
        until
            The moment. All are seconds of one clock.
        """
        mean, spread = self._fit()

        def ended(age: float) -> float:
            return _normal((math.log(age) - mean) / spread) if age > 0 else 0.0

        total = 0.0
        for begun in since:
            before = ended(looked - begun)
            total += (ended(until - begun) - before) / max(1.0 - before, 1e-9)
        return total

    def next_look(self, since: Collection[float], looked: float) -> float:
        """Return when to look next: 1 to 15 s after the last look, or the first beginning, when about one has ended."""
        start = max(looked, min(since, default=looked))
        aim = min(_AIM, _SHARE * len(since))
        low, high = start + _SHORTEST, start + _LONGEST
        if self.expected(since, looked, high) <= aim:
            return high
        while high - low > 0.05:
            middle = (low + high) / 2
            if self.expected(since, looked, middle) > aim:
                high = middle
            else:
                low = middle
        return high

    def _fit(self) -> tuple[float, float]:
        count = _WEIGHT + len(self._logs)
        prior = math.log(_MEDIAN)
        mean = (_WEIGHT * prior + sum(self._logs)) / count
        variance = (_WEIGHT * _SPREAD**2 + sum((each - mean) ** 2 for each in self._logs)) / count
        return mean, math.sqrt(variance)


def _normal(value: float) -> float:
    """Return the distribution function of the standard normal."""
    return 0.5 * math.erfc(-value / math.sqrt(2))
