"""Rows by the values of a parameter: few enough groups to draw, and no row without one."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from finetuning.charts.reading import Rows, label, numbers_of
from finetuning.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["By", "Groups", "groups", "named"]

By = str | Sequence[str] | None

_MOST: Final = 12
_BINS: Final = 8
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONGEST: Final = 26


class Groups(NamedTuple):
    """Which group each row is of.

    Attributes
    ----------
    names
        In the order in which they are drawn; the last is `not given` where some rows have no value.
    codes
        For each row, the place of its group in `names`.
    title
        The parameter, with its unit.
    values
        For numeric groups that are not ranges, their values; else None.
    edges
        For ranges, where each begins and the last ends; else None.
    """

    names: list[str]
    codes: NDArray[np.intp]
    title: str
    values: NDArray[np.float64] | None
    edges: NDArray[np.float64] | None = None

    @property
    def sizes(self) -> NDArray[np.intp]:
        """How many rows each has."""
        return np.bincount(self.codes, minlength=len(self.names))


def groups(rows: Rows, by: By, *, most: int = _MOST) -> Groups:
    """Sort rows into groups.

    Parameters
    ----------
    rows
        Which.
    by
        A column; several of them, whose combinations count; `hour`, `weekday` or `day` of `created_at`; or None: one
        group. Numbers of more than `most` values become ranges with about as many rows each; of as many words the
        most frequent are kept, and the rest is one group.

    Raises
    ------
    ParameterError
        There is no such column.
    """
    if by is None:
        return Groups(["all"], np.zeros(len(rows), dtype=np.intp), "", None)
    names = [by] if isinstance(by, str) else list(by)
    if not names:
        raise ParameterError("by names no column.", parameter="by", value=by, hint='For example by="bpm".')
    if len(names) > 1:
        rows.need(names)
        joined = pd.Series([" ".join(parts) for parts in zip(*(rows.texts(name) for name in names), strict=True)])
        return _words(joined.astype(object), " and ".join(map(label, names)), most, in_order=True)
    (name,) = names
    if name in ("hour", "weekday", "day") and name not in rows:
        return _of_time(rows, name)
    rows.need(names)
    values = rows.column(name)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _categories(values, label(name), most)
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return _numbers(numbers_of(values), label(name), most)
    return _words(values.astype(object), label(name), most, in_order=True)


def named(ax: Axes, by: Groups) -> None:
    """Write the names of groups, and how many rows each has, along the lower side."""
    names = by.names
    if len(names) <= 6:  # there is room for lines
        names = [textwrap.fill(name, max(9, 66 // len(names))) for name in names]
    long = max(len(line) for name in names for line in name.split("\n")) * len(names) > 70
    words = [
        f"{name} ({size:,})" if long else f"{name}\n({size:,})" for name, size in zip(names, by.sizes, strict=True)
    ]
    ax.set_xticks(
        range(len(words)), words, rotation=40 if long else 0, ha="right" if long else "center",
        fontsize=7 if len(words) > 12 else None,
    )  # fmt: skip
    if long:
        for text in ax.get_xticklabels():
            text.set_rotation_mode("anchor")


def _of_time(rows: Rows, part: str) -> Groups:
    rows.need(["created_at"])
    moments = rows.moments("created_at")
    missing = np.isnat(moments)
    days = moments.astype("datetime64[D]")
    title = label(part)
    if part == "day":
        words = pd.Series(np.datetime_as_string(days), dtype=object).mask(missing, None)
        return _words(words, title, 40, in_order=True)
    if part == "hour":
        codes = (moments - days).astype("timedelta64[h]").astype(np.int64)
        names = [f"{hour:02}" for hour in range(24)]
    else:
        codes = (days.astype(np.int64) + 3) % 7  # the first of January 1970 was a Thursday
        names = list(_WEEKDAYS)
    return _closed(np.where(missing, -1, codes), names, title, None)


def _closed(codes: NDArray[Any], names: list[str], title: str, values: Any) -> Groups:
    """Give rows without a group, whose code is -1, one of their own."""
    if (codes < 0).any():
        codes = np.where(codes < 0, len(names), codes)
        names, values = [*names, "not given"], None
    return Groups([_short(name) for name in names], codes.astype(np.intp), title, values)


def _numbers(values: NDArray[np.float64], title: str, most: int) -> Groups:
    missing = np.isnan(values)
    known = values[~missing]
    levels = np.unique(known)
    codes = np.full(len(values), -1)
    if len(levels) <= most:
        codes[~missing] = np.searchsorted(levels, known)
        return _closed(codes, [f"{level:,.10g}" for level in levels], title, levels)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, min(_BINS, most) + 1)))
    codes[~missing] = np.searchsorted(edges[1:-1], known, side="right")
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return _closed(codes, names, title, None)._replace(edges=edges)


def _categories(values: pd.Series[Any], title: str, most: int) -> Groups:
    codes = values.cat.codes.to_numpy(dtype=np.intp)
    present = np.unique(codes[codes >= 0])
    place = np.full(len(values.cat.categories) + 1, -1)
    place[present] = np.arange(len(present))
    names = [str(values.cat.categories[code]) for code in present]
    if len(names) > 2 * most:
        return _words(values.astype(object), title, most, in_order=False)
    return _closed(place[codes], names, title, None)


def _words(values: pd.Series[Any], title: str, most: int, *, in_order: bool) -> Groups:
    missing = values.isna().to_numpy()
    codes, found = pd.factorize(values.astype(str).mask(missing, None), sort=in_order)
    names = [str(name) for name in found]
    if len(names) > most:
        kept = np.sort(np.argsort(-np.bincount(codes[codes >= 0]), kind="stable")[: most - 1])
        place = np.full(len(names), len(kept))
        place[kept] = np.arange(len(kept))
        codes = np.where(codes < 0, -1, place[codes])
        names = [*(names[at] for at in kept), f"{len(names) - len(kept):,} others"]
    return _closed(codes, names, title, None)


def _short(name: str) -> str:
    # A dollar sign would begin a formula in matplotlib.
    name = " ".join(name.split()).replace("$", r"\$")
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
