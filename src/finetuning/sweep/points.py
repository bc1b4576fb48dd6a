"""The points of a sweep, as they are journaled, shown and sent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from finetuning.parameters import create_body

from .axes import energetic

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "Plan", "Row", "UnknownFieldError", "points_frame"]

#: What a point may set, in the order of its columns, and how a DataFrame holds it.
COLUMNS: Final[dict[str, str]] = {
    "tags": "str",
    "energy": "str",
    "bpm": "int64",
    "key": "category",
    "scale": "category",
    "time_signature": "int64",
    "duration": "int64",
    "language": "str",
    "lyrics": "str",
    "seed": "int64",
    "webhook": "str",
    "replicate": "int64",
}


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a sweep is to make, decided to the last seed.

    Attributes
    ----------
    fixed
        What all points share.
    axes
        The values of each axis, the slowest first.
    points
        What tells the points apart, one mapping each, the seed among it.
    """

    fixed: dict[str, Any]
    axes: dict[str, list[Any]]
    points: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def sound(self) -> bool:
        """Whether there are points, and each has tags and a seed, without which nothing may be sent."""
        named = "tags" in self.fixed
        return bool(self.points) and all("seed" in point and (named or "tags" in point) for point in self.points)

    @property
    def title(self) -> str:
        """The tags, or the first of them where they are an axis."""
        return str(self.values(0)["tags"])

    def values(self, point: int) -> dict[str, Any]:
        """Return all that one point sets, in the order of `COLUMNS`."""
        given = self.fixed | self.points[point]
        return {name: given[name] for name in COLUMNS if name in given}

    def body(self, point: int, *, local: bool) -> dict[str, Any]:
        """Return the create body of one point; `local` where the service is on this machine.

        Raises
        ------
        ParameterError
            The service would refuse it: tags that are too long with the energy, a webhook that it cannot reach.
        """
        given = self.values(point)
        given.pop("replicate", None)  # told apart here, and the same to the service
        return create_body(energetic(given.pop("tags"), given.pop("energy", None)), local=local, **given)

    def with_defaults(self, **defaults: Any) -> Plan:
        """Return the plan with values for what no point sets; None sets nothing."""
        missing = {
            name: value
            for name, value in defaults.items()
            if value is not None and name not in self.fixed and name not in self.axes
        }
        return msgspec.structs.replace(self, fixed=self.fixed | missing)

    def extended(self, axes: dict[str, list[Any]], points: list[dict[str, Any]]) -> Plan:
        """Return the plan with more points behind its own.

        Parameters
        ----------
        axes
            All axes as they are afterwards; what all points shared before becomes a value of each of them.
        points
            The new ones.
        """
        freed = {name: value for name, value in self.fixed.items() if name in axes}
        if "replicate" in axes:
            freed["replicate"] = 1  # what was not counted was the first
        fixed = {name: value for name, value in self.fixed.items() if name not in axes}
        return Plan(fixed=fixed, axes=axes, points=[freed | point for point in self.points] + points)

    @property
    def formula(self) -> str:
        """`12 points = 2 bpm × 2 key × 3 seed`, or `9 of 12 points = …` where some were dropped."""
        sides = [(len(values), name) for name, values in self.axes.items() if len(values) > 1]
        product = math.prod(count for count, _ in sides)
        count = f"{len(self):,}" if len(self) == product else f"{len(self):,} of {product:,}"
        noun = "point" if product == 1 else "points"
        return f"{count} {noun}" + (f" = {' × '.join(f'{n} {name}' for n, name in sides)}" if sides else "")


class UnknownFieldError(AttributeError, KeyError):
    """A point was asked for what it does not have, as an attribute or as an item.

    Attributes
    ----------
    field : str
        What was asked for.
    """

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Row(Mapping[str, Any]):
    """A point as the function of `where=` sees it: `p.bpm` and `p["bpm"]`."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise UnknownFieldError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __repr__(self) -> str:
        return f"point({', '.join(f'{name}={value!r}' for name, value in self.items())})"


def points_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put points into a DataFrame: one row each, the columns that they set in the order and dtypes of `COLUMNS`."""
    import pandas as pd

    from finetuning.records import KEYS, SCALES

    categories: Any = {"key": KEYS, "scale": SCALES}
    columns: dict[str, Any] = {}
    for name, dtype in COLUMNS.items():
        if rows and name in rows[0]:
            values = [row[name] for row in rows]
            typed: Any = pd.CategoricalDtype(categories[name]) if dtype == "category" else dtype
            columns[name] = pd.array(values, dtype=typed)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows), name="point"))
