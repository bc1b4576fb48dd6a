"""Which parameters span the deck's matrix, and where in it each take has its place."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from finetuning.errors import ParameterError
from finetuning.records import KEYS, SCALES
from finetuning.sweep.axes import ENERGIES

from .takes import PARAMETERS, Take, shortened

__all__ = ["Axis", "Layout", "axes_of", "spread"]

#: Values that have an order of their own.
_ORDERS: Final[dict[str, Sequence[Any]]] = {"key": KEYS, "scale": SCALES, "energy": tuple(ENERGIES)}
#: These repeat the same question; several answers to it lie in one cell.
_REPEATS: Final = frozenset({"seed", "replicate"})
_WIDEST: Final = 10  # columns that are chosen without being asked for
_FULLEST: Final = 0.3  # of a matrix that is chosen without being asked for: the share of cells that are not empty
_LABEL: Final = 40  # characters


class Axis(NamedTuple):
    """A parameter with its distinct values among the takes, in their order."""

    name: str
    values: tuple[Any, ...]

    @property
    def labels(self) -> list[str]:
        """The values as they are shown."""
        return [shortened(f"{value:g}" if isinstance(value, float) else str(value), _LABEL) for value in self.values]

    def place(self, take: Take) -> int:
        """Where the take stands on this axis; -1 where it has no such value."""
        value = take.values.get(self.name)
        return -1 if value is None else self.values.index(value)


class Layout(NamedTuple):
    """The parameters along the rows, the columns and the pages; an empty name for none."""

    rows: str = ""
    columns: str = ""
    page: str = ""


def axes_of(takes: Sequence[Take]) -> list[Axis]:
    """Return the parameters in which the takes differ, in the order of `PARAMETERS`."""
    found = []
    for name in PARAMETERS:
        values = list(dict.fromkeys(take.values[name] for take in takes if name in take.values))
        if len(values) > 1:
            found.append(Axis(name, tuple(_ordered(name, values))))
    return found


def spread(
    takes: Sequence[Take],
    axes: Sequence[Axis],
    *,
    rows: str | None = None,
    columns: str | None = None,
    page: str | None = None,
) -> Layout:
    """Choose what spans the matrix where it is not given.

    The two parameters with most values do, unless so few of the cells would be filled that a list is the better
    picture. A further one makes pages; seeds and replicates lie in the cells as stacks.

    Parameters
    ----------
    takes, axes
        What there is, and `axes_of` it.
    rows, columns, page
        Names of `PARAMETERS`; an empty one for none, None to have it chosen.

    Raises
    ------
    ParameterError
        No such parameter, or one is named twice.
    """
    for place, name in (("rows", rows), ("columns", columns), ("page", page)):
        if name and name not in PARAMETERS:
            raise ParameterError(
                f"{place}={name!r} is not a parameter that takes are spread over.",
                parameter=place,
                value=name,
                hint=f"Name one of {', '.join(PARAMETERS)}, or '' for none.",
            )
    named = [name for name in (rows, columns, page) if name]
    twice = [name for name, count in Counter(named).items() if count > 1]
    if twice:
        raise ParameterError(
            f"{twice[0]!r} cannot span two sides of the deck.",
            parameter="rows",
            value=twice[0],
            hint="Name another parameter, or leave one of them out.",
        )
    free = _free(takes, axes, named)
    if rows is None and columns is None:
        rows, columns = _sides(takes, free)
    elif rows is None:
        rows = free[0].name if free else ""
    elif columns is None:
        columns = free[0].name if free else ""
    if page is None:
        spanning = [axis for axis in axes if axis.name in (rows, columns)]
        others = [axis for axis in free if axis not in spanning and axis.name not in _REPEATS]
        telling = [axis.name for axis in others if _splits(takes, axis, spanning)]
        page = telling[0] if telling and spanning else ""
    return Layout(rows or "", columns or "", page)


def _free(takes: Sequence[Take], axes: Sequence[Axis], named: Sequence[str]) -> list[Axis]:
    """Return what may be chosen, the parameter with most values first; one that never repeats spreads nothing."""
    telling = [axis for axis in axes if axis.name not in named and (len(axis.values) < len(takes) or len(axes) == 1)]
    return sorted(telling, key=lambda axis: -len(axis.values))


def _splits(takes: Sequence[Take], axis: Axis, spanning: Sequence[Axis]) -> bool:
    """Whether takes of one cell differ in this; a scale that goes with the key makes no pages."""
    cells = {tuple(side.place(take) for side in spanning) for take in takes}
    return len({(*(side.place(take) for side in spanning), axis.place(take)) for take in takes}) > len(cells)


def _sides(takes: Sequence[Take], free: Sequence[Axis]) -> tuple[str, str]:
    if not free:
        return "", ""
    if len(free) == 1:
        return ("", free[0].name) if len(free[0].values) <= _WIDEST else (free[0].name, "")
    first, second = free[:2]
    cells = {(first.place(take), second.place(take)) for take in takes}
    if len(cells) < _FULLEST * math.prod((len(first.values), len(second.values))):
        return "", ""
    return (second.name, first.name) if len(first.values) <= _WIDEST else (first.name, second.name)


def _ordered(name: str, values: list[Any]) -> list[Any]:
    order = _ORDERS.get(name)
    if order is not None:
        places = {value: place for place, value in enumerate(order)}
        return sorted(values, key=lambda value: (places.get(value, len(places)), str(value)))
    return values if name == "tags" else sorted(values)
