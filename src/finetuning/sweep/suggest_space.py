"""The points that could be tried next, and how near one is to another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.errors import ParameterError
from finetuning.records import KEYS

from .axes import read_axis, warn_of_clamping
from .points import COLUMNS, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Space", "space_of"]

#: Parameters with an order, along which what lies between two values can be believed in.
_NUMERIC: Final = ("bpm", "duration")
#: Chance, or not sent at all: nothing to hold a belief about.
_NOISE: Final = ("seed", "replicate", "webhook")
#: Values of a numeric axis at most, those that were tried apart.
_BETWEEN: Final = 25
#: Candidates at most; of more, some are drawn.
_CANDIDATES: Final = 2000


class Space:
    """Candidates, as they are said and as places.

    Parameters
    ----------
    values
        The values of each axis that may be tried.
    tried
        What was tried: of each point the values of all axes.

    Attributes
    ----------
    names
        The axes.
    candidates
        Of each the values, in the order of `names`.
    """

    def __init__(
        self, values: Mapping[str, Sequence[Any]], tried: Sequence[tuple[Any, ...]], random: np.random.Generator
    ) -> None:
        self.names = list(values)
        #: All that is tried or may be, which is what places are reckoned from.
        self._known = {
            name: list(dict.fromkeys([*values[name], *(point[place] for point in tried)]))
            for place, name in enumerate(self.names)
        }
        self.candidates = _candidates(list(values.values()), tried, random)

    def places(self, points: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
        """Turn points into places.

        A numeric axis runs from 0 to 1. A key lies on the circle of fifths, where C and G are neighbours and C and
        F♯ are 1 apart. Of what has no order each value is 1 from each other.

        Returns
        -------
        ndarray of float64, shape (points, columns)
        """
        columns = [self._columns(name, [point[place] for point in points]) for place, name in enumerate(self.names)]
        return np.concatenate([np.zeros((len(points), 0)), *columns], axis=1)

    def _columns(self, name: str, values: list[Any]) -> NDArray[np.float64]:
        known = self._known[name]
        if name in _NUMERIC:
            low, high = min(known), max(known)
            along: NDArray[np.float64] = np.array(values, dtype=np.float64)[:, None]
            scaled: NDArray[np.float64] = (along - low) / max(high - low, 1)
            return scaled
        if name == "key":
            turn = np.array([2 * math.pi * (7 * KEYS.index(value) % 12) / 12 for value in values])
            return 0.5 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        if len(known) == 2:
            return np.array([[float(known.index(value))] for value in values]).reshape(-1, 1)
        return np.array([[value == each for each in known] for value in values], dtype=np.float64).reshape(
            -1, len(known)
        ) / math.sqrt(2)


def space_of(plan: Plan, given: Mapping[str, Any], random: np.random.Generator) -> tuple[Space, list[tuple[Any, ...]]]:
    """Find what may be tried next.

    Parameters
    ----------
    plan
        The run's.
    given
        Values to choose from instead of those of an axis; a parameter that was the same for all points becomes one.

    Returns
    -------
    Space, list of tuple
        And where the run's points lie in it, in the order of its names.

    Raises
    ------
    ParameterError
        There is nothing to choose along, or a parameter that the run leaves to the service.
    """
    names = [name for name in COLUMNS if name not in _NOISE and (name in plan.axes or name in given)]
    wrong = [name for name in given if name not in COLUMNS or name in _NOISE]
    if wrong:
        raise ParameterError(
            f"Suggestions cannot be made along {wrong[0]!r}.",
            parameter=wrong[0],
            hint=f"They can along {', '.join(name for name in COLUMNS if name not in _NOISE)}.",
        )
    rows = [plan.values(point) for point in range(len(plan))]
    values: dict[str, list[Any]] = {}
    for name in names:
        if any(name not in row for row in rows):
            raise ParameterError(
                f"The points of this run leave {name} to the service, so nothing is known along it.",
                parameter=name,
                hint="Begin another sweep that says it.",
            )
        if name in given:
            axis = read_axis(name, given[name])
            warn_of_clamping(axis)
            values[name] = list(axis.values)
        else:
            tried = list(dict.fromkeys(row[name] for row in rows))
            values[name] = _filled(tried) if name in _NUMERIC else tried
    if not any(len(each) > 1 for each in values.values()):
        raise ParameterError(
            "The points of this run differ by nothing that could be chosen differently.",
            parameter="n",
            hint="Say what may be tried: run.suggest(8, bpm=range(60, 181)).",
        )
    points = [tuple(row[name] for name in names) for row in rows]
    return Space(values, points, random), points


def _filled(values: list[int]) -> list[int]:
    """Put whole numbers between the least and the greatest, in even steps, beside the values themselves."""
    between = np.linspace(min(values), max(values), _BETWEEN)
    return sorted({*values, *(int(value) for value in np.rint(between))})


def _candidates(
    values: list[Sequence[Any]], tried: Sequence[tuple[Any, ...]], random: np.random.Generator
) -> list[tuple[Any, ...]]:
    count = math.prod(map(len, values))
    if count <= _CANDIDATES:
        return list(product(*values))
    # What was tried stays among them, as far as it may be tried again; the rest is drawn.
    again = [point for point in dict.fromkeys(tried) if all(map(_among, point, values))][: _CANDIDATES // 2]
    drawn = dict.fromkeys(again)
    while len(drawn) < _CANDIDATES:
        drawn[tuple(each[int(random.integers(len(each)))] for each in values)] = None
    return list(drawn)


def _among(value: Any, values: Sequence[Any]) -> bool:
    return value in values
