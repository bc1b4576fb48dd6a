"""What a suggester believes of points that nobody has heard, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from finetuning.charts.grids import draw_grid
from finetuning.charts.grouping import Groups, groups, named
from finetuning.charts.reading import Rows, label, numbers_of, plural
from finetuning.charts.style import COLOURS, finish, ink, nothing, one_axes
from finetuning.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["belief"]

_TOLD: Final = ("mean", "std", "suggested")
#: Columns that tell points apart without being a parameter whose effect is believed in.
_ASIDE: Final = ("point", "seed", "id", "replicate", "rating")
_MOST: Final = 24


def belief(
    suggestion: Any, x: str | None = None, y: str | None = None, *, value: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw what is believed along one parameter, or over two.

    Parameters
    ----------
    suggestion
        What `run.suggest(n)` returns: its `belief` is a frame of points (a column for each parameter) with `mean`,
        `std` and `suggested`, its `measured` a frame of the points that were rated. Or such a frame of points.
    x, y
        Parameters. By default those along which the mean moves most; where one alone varies, or `x` alone is given,
        a line.
    value
        What is believed in, for the labels, and its column in `measured` if that has one of this name; by default
        what the suggestion says (`.value`), else the rating.
    ax
        Where to draw.

    Returns
    -------
    Axes
        Along one parameter the mean, and one standard deviation either way; over two the mean in colours, with both
        in the cells. Other parameters are averaged over (the standard deviation is the root of the mean variance: the
        uncertainty of one point). Crosses are measured points, stars suggested ones.

    Raises
    ------
    ParameterError
        It is no suggestion, or has no such parameter.
    """
    frame, measured = _given(suggestion)
    if value is None:
        value = str(getattr(suggestion, "value", "rating")) if frame is not suggestion else "rating"
    if measured is not None and value not in measured.columns and "rating" in measured.columns:
        measured = measured.rename(columns={"rating": value})
    rows = Rows(frame, ("mean", "std"), once=False)
    parameters = [str(name) for name in frame.columns if name not in (*_TOLD, *_ASIDE)]
    for name in (x, y):
        if name is not None:
            rows.need([name])
    rows.drop_missing("mean", "std")
    ax = one_axes(ax)
    title = f"What is believed of the {value}"
    if not len(rows) or not (parameters or x):
        nothing(ax, f"no point with a mean and a std; {rows.reason}" if parameters else "no parameter varies.")
        return finish(ax, title, "" if x is None else label(x), label(value), rows.notes)
    if x is None:
        moving = _moving(rows, [name for name in parameters if name != y])
        x = moving[0] if moving else parameters[0]
        y = y if y is not None or len(moving) < 2 else moving[1]
    heard = None if measured is None or not {x, *([y] if y else []), value} <= set(measured.columns) else measured
    if y is None or y == x:
        return _line(ax, rows, heard, x, value, title)
    return _plane(ax, rows, heard, x, y, value, title)


def _given(suggestion: Any) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    frame = suggestion if isinstance(suggestion, pd.DataFrame) else getattr(suggestion, "belief", None)
    if not isinstance(frame, pd.DataFrame):
        raise ParameterError(
            f"suggestion is a {type(suggestion).__name__}, not what run.suggest(n) returns.",
            parameter="suggestion",
            hint="Pass that, or its .belief.",
        )
    measured = None if frame is suggestion else getattr(suggestion, "measured", None)
    return frame, measured if isinstance(measured, pd.DataFrame) else None


def _moving(rows: Rows, names: list[str]) -> list[str]:
    """Return the parameters that vary, those along which the mean moves most first."""
    mean = rows.numbers("mean")
    ranges = {}
    for name in names:
        by = groups(rows, name, most=_MOST)
        if len(by.names) > 1:
            ranges[name] = float(np.ptp(np.bincount(by.codes, mean) / np.maximum(by.sizes, 1)))
    return sorted(ranges, key=lambda name: -ranges[name])


def _averaged(rows: Rows, place: NDArray[np.intp], cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    number = np.bincount(place, minlength=cells)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, rows.numbers("mean"), minlength=cells) / np.where(number, number, np.nan)
        std = np.sqrt(np.bincount(place, rows.numbers("std") ** 2, minlength=cells) / np.where(number, number, np.nan))
    return mean, std


def _suggested(rows: Rows) -> NDArray[np.bool_]:
    if "suggested" not in rows:
        return np.zeros(len(rows), dtype=bool)
    found: NDArray[np.bool_] = rows.column("suggested").fillna(False).to_numpy(dtype=bool)
    return found


def _line(ax: Axes, rows: Rows, heard: pd.DataFrame | None, x: str, value: str, title: str) -> Axes:
    by = _fine(rows, x)
    places = by.values if by.values is not None else np.arange(len(by.names), dtype=float)
    mean, std = _averaged(rows, by.codes, len(by.names))
    there = ~np.isnan(mean)
    at, mean, std = places[there], mean[there], std[there]
    if by.values is not None and len(at) > 1:
        ax.fill_between(at, mean - std, mean + std, color=COLOURS[0], alpha=0.25, linewidth=0, label="± one std")
        ax.plot(at, mean, "-", color=COLOURS[0], linewidth=2, label="believed mean")
    else:
        ax.errorbar(at, mean, yerr=std, fmt="o", color=COLOURS[0], capsize=4, label="believed mean ± one std")
    stars = np.unique(by.codes[_suggested(rows)])
    heights = _averaged(rows, by.codes, len(by.names))[0][stars]
    if len(stars):
        ax.plot(places[stars], heights, "*", color=COLOURS[1], markersize=13, zorder=4, label="suggested")
    seen = 0
    if heard is not None:
        where, found = _where(heard, x, by), numbers_of(heard[value])
        shown = ~np.isnan(where) & ~np.isnan(found)
        seen = int(shown.sum())
        ax.plot(where[shown], found[shown], "x", color=ink(), markersize=6, alpha=0.8, label="measured")
    if by.values is None:
        named(ax, by)
    ax.legend(loc="best")
    return finish(ax, title, label(x), label(value), [_said(rows, seen), *rows.notes])


def _plane(ax: Axes, rows: Rows, heard: pd.DataFrame | None, x: str, y: str, value: str, title: str) -> Axes:
    across, up = groups(rows, x, most=_MOST), groups(rows, y, most=_MOST)
    shape = len(up.names), len(across.names)
    place = up.codes * shape[1] + across.codes
    mean, std = (each.reshape(shape) for each in _averaged(rows, place, shape[0] * shape[1]))
    draw_grid(ax, mean, across.names, up.names, f"believed {label(value)}")
    if mean.size <= 64:
        for text in list(ax.texts):
            column, row = (int(part) for part in text.get_position())
            text.set_text(f"{text.get_text()}\n±{std[row, column]:.2g}")
    stars = np.unique(place[_suggested(rows)])
    if len(stars):
        ax.plot(
            stars % shape[1] + 0.14, stars // shape[1] + 0.84, "*", color=COLOURS[1], markersize=12,
            markeredgecolor="white", label="suggested",
        )  # fmt: skip
    seen = 0
    if heard is not None:
        right, above, found = _where(heard, x, across), _where(heard, y, up), numbers_of(heard[value])
        right, above = (_nearest(each, by) for each, by in ((right, across), (above, up)))
        shown = ~np.isnan(right) & ~np.isnan(above) & ~np.isnan(found)
        seen = int(shown.sum())
        spots = np.unique(np.column_stack([right[shown], above[shown]]), axis=0)
        ax.plot(
            spots[:, 0] + 0.86, spots[:, 1] + 0.84, "X", color="white", markersize=7, markeredgecolor="black",
            label="measured",
        )  # fmt: skip
    if len(stars) or seen:
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return finish(ax, title, label(x), label(y), [_said(rows, seen), *rows.notes])


def _said(rows: Rows, seen: int) -> str:
    return f"{plural(len(rows), 'point')}, {int(_suggested(rows).sum()):,} suggested, {plural(seen, 'measured take')}."


def _fine(rows: Rows, name: str) -> Groups:
    """Group points without ranges: a line may have many places."""
    return groups(rows, name, most=10_000 if pd.api.types.is_numeric_dtype(rows.column(name).dtype) else _MOST)


def _where(heard: pd.DataFrame, name: str, by: Groups) -> NDArray[np.float64]:
    """Return where measured points lie along a parameter; NaN for what is not among the groups."""
    if by.values is not None or by.edges is not None:
        return numbers_of(heard[name])
    place = {word: float(at) for at, word in enumerate(by.names)}
    return np.array([place.get(str(each), np.nan) for each in heard[name]], dtype=np.float64)


def _nearest(where: NDArray[np.float64], by: Groups) -> NDArray[np.float64]:
    """Turn values along a numeric parameter into the number of the range that holds them, or of the nearest value."""
    known = ~np.isnan(where)
    found = np.full(len(where), np.nan)
    if by.values is not None:
        found[known] = np.abs(where[known][:, None] - by.values[None, :]).argmin(axis=1)
    elif by.edges is not None:
        found[known] = np.searchsorted(by.edges[1:-1], where[known], side="right")
    else:  # words, whose numbers they are already
        found = where
    return found
