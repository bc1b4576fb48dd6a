"""What one knob does: takes that differ in it alone, the seed the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from finetuning.charts.grouping import Groups, groups
from finetuning.charts.intervals import mean_of
from finetuning.charts.reading import Rows, label, plural
from finetuning.charts.style import COLOURS, QUIET, beside, finish, ink, nothing, one_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["effect"]

#: What a take was asked for; `prompt` is made of tags and energy, so it stands for them where they are not known.
_ASKED: Final = (
    "tags", "energy", "bpm", "key", "scale", "time_signature", "requested_duration", "language", "lyrics", "seed",
    "replicate",
)  # fmt: skip
_MOST: Final = 12
_LINES: Final = 1000  # beyond, a band tells more


class _Pairs(NamedTuple):
    """The mean of each set of takes that differ in the knob alone, by its levels; NaN where there is no take."""

    table: NDArray[np.float64]  # shape (sets, levels)
    by: Groups


def effect(source: Any, by: str, value: str = "rating", *, ax: Axes | None = None) -> Axes:
    """Draw what one parameter changes, by takes that share the seed and all other parameters.

    Parameters
    ----------
    source
        A run, or a frame with `seed`.
    by
        The parameter, such as `bpm`. Of more than 12 values it becomes ranges.
    value
        A column of numbers: what it has an effect on.
    ax
        Where to draw.

    Returns
    -------
    Axes
        A thin line for each set of takes that differ in `by` alone; and the mean difference to the lowest (of words:
        the first) value over the sets that have both, with Student's interval of 95 % for paired differences
        (Student, 1908), drawn from where the first value's mean is. Takes without a partner are left out and counted.

    Raises
    ------
    ParameterError
        A column is missing.
    """
    rows = Rows(source, (by, value, "seed"))
    rows.drop(rows.column(by).isna().to_numpy(), f"without {by}")
    rows.drop(np.isnan(rows.numbers(value)), f"without {value}")
    if by != "seed":
        rows.drop(np.isnan(rows.numbers("seed")), "without seed")
    sets = _sets(rows, by)
    alone = _alone(sets, groups(rows, by, most=_MOST))
    rows.drop(alone, "with no partner that differs in this alone")
    title = f"Effect of {label(by)}"
    ax = one_axes(ax)
    if not len(rows):
        nothing(ax, f"no two takes that differ in {by} alone; {rows.reason}")
        return finish(ax, title, label(by), label(value), rows.notes)
    pairs = _table(sets[~alone], groups(rows, by, most=_MOST), rows.numbers(value))
    numeric = pairs.by.values
    places = numeric if numeric is not None else np.arange(len(pairs.by.names), dtype=float)
    _draw_sets(ax, places, pairs.table)
    said = _draw_differences(ax, places, pairs)
    ax.set_xticks(places, pairs.by.names)
    reach = float(places[-1] - places[0])
    ax.set_xlim(places[0] - 0.08 * reach, places[-1] + 0.08 * reach)
    beside(ax)
    about = f"{plural(len(pairs.table), 'set')} of takes that share all but {by}; {plural(len(rows), 'take')}."
    return finish(ax, title, label(by), label(value), [*said, about, *rows.notes])


def _sets(rows: Rows, by: str) -> NDArray[np.int64]:
    """Give a number to the sets of takes that agree in all that was asked for, but for the knob."""
    asked = [name for name in _ASKED if name in rows and name != by]
    if "prompt" in rows and by not in ("tags", "energy", "prompt"):
        asked.append("prompt")
    number = np.zeros(len(rows), dtype=np.int64)
    for name in asked:
        codes, found = rows.codes(name)
        number, _ = pd.factorize(number * (len(found) + 1) + codes + 1)
    return number


def _alone(sets: NDArray[np.int64], by: Groups) -> NDArray[np.bool_]:
    """Whether the set of a take holds one level only."""
    if not len(sets):
        return np.zeros(0, dtype=bool)
    met = np.unique(sets * len(by.names) + by.codes) // len(by.names)
    found: NDArray[np.bool_] = (np.bincount(met, minlength=int(sets.max()) + 1) < 2)[sets]
    return found


def _table(sets: NDArray[np.int64], by: Groups, values: NDArray[np.float64]) -> _Pairs:
    _, number = np.unique(sets, return_inverse=True)
    shape = int(number.max()) + 1, len(by.names)
    place = number * shape[1] + by.codes
    count = np.bincount(place, minlength=shape[0] * shape[1])
    total = np.bincount(place, values, minlength=len(count))
    return _Pairs(np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(shape), by)


def _draw_sets(ax: Axes, places: NDArray[np.float64], table: NDArray[np.float64]) -> None:
    from matplotlib.collections import LineCollection

    if len(table) > _LINES:
        there = ~np.isnan(table).all(axis=0)
        low, high = np.nanpercentile(table[:, there], (10, 90), axis=0)
        ax.fill_between(places[there], low, high, color=ink(), alpha=QUIET, linewidth=0, label="sets, p10 to p90")
        return
    lines = [np.column_stack([places[known], row[known]]) for row, known in zip(table, ~np.isnan(table), strict=True)]
    faint = max(0.04, min(0.5, 12 / len(lines)))
    ax.add_collection(LineCollection(lines, colors=ink(), linewidths=1, alpha=faint, label="one set"))
    # Ratings are whole: takes that agree lie on each other, and a faint point tells how many.
    at, height = np.broadcast_to(places, table.shape)[~np.isnan(table)], table[~np.isnan(table)]
    ax.plot(at, height, ".", color=ink(), alpha=faint, markersize=6)


def _draw_differences(ax: Axes, places: NDArray[np.float64], pairs: _Pairs) -> list[str]:
    table, names = pairs.table, pairs.by.names
    base = int(np.flatnonzero(~np.isnan(table).all(axis=0))[0])
    level = float(np.nanmean(table[:, base]))
    drawn: list[tuple[float, float, float]] = [(places[base], level, 0.0)]
    said = []
    for other in range(base + 1, len(names)):
        differences = table[:, other] - table[:, base]
        differences = differences[~np.isnan(differences)]
        if not len(differences):
            continue
        mean, half = mean_of(differences)
        drawn.append((places[other], level + mean, half))
        sure = "" if np.isnan(half) else f" (95 %: {mean - half:+.2g} to {mean + half:+.2g})"
        said.append(f"{names[other]} against {names[base]}: {mean:+.2g}{sure}, {plural(len(differences), 'pair')}")
    x, y, half = np.array(drawn).T
    ax.errorbar(
        x, y, yerr=np.nan_to_num(half), fmt="D-", color=COLOURS[1], linewidth=2, markersize=6, capsize=4,
        label="mean difference, 95 %", zorder=4,
    )  # fmt: skip
    return ["; ".join(said[:4]) + ("; …" if len(said) > 4 else "") + "."] if said else []
