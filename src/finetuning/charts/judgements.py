"""What people thought of takes, and what a take that was kept has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.charts.grouping import By, groups, named
from finetuning.charts.intervals import rating_intervals, wilson
from finetuning.charts.reading import Rows, label, plural
from finetuning.charts.style import COLOURS, HATCHES, QUIET, finish, ink, note, nothing, one_axes
from finetuning.errors import ParameterError
from finetuning.selections import Tracks, ids_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["cost_per_kept", "ratings"]

_LEVELS: Final = 5
_KEPT: Final = 4  # a rating from which on a take is kept


def ratings(df: Any, by: By = None, *, ax: Axes | None = None) -> Axes:
    """Draw ratings by any parameter: their mean with its interval, and how often each was given.

    Parameters
    ----------
    df
        A run, or a frame with `rating` (1 to 5).
    by
        A column, several, or `hour`, `weekday`, `day` of `created_at`; by default all in one.
    ax
        Where to draw.

    Returns
    -------
    Axes
        Ratings over the parameter's values. The interval of 95 % is that of the Dirichlet posterior under one
        pseudo-rating (W. Perks, 1947). Takes without a rating are left out and counted.

    Raises
    ------
    ParameterError
        A column is missing.
    """
    rows = Rows(df, ("rating",))
    given = rows.numbers("rating")
    rows.drop(np.isnan(given), "not rated")
    given = rows.numbers("rating")
    rows.drop((given < 1) | (given > _LEVELS) | (given % 1 != 0), "with a rating that is not one of 1 to 5")
    by_value = groups(rows, by)
    ax = one_axes(ax)
    title = "Ratings"
    if not len(rows):
        nothing(ax, f"no take with a rating; {rows.reason}")
        return finish(ax, title, by_value.title, label("rating"), rows.notes)
    levels = rows.numbers("rating").astype(int) - 1
    number = len(by_value.names)
    counts = np.bincount(by_value.codes * _LEVELS + levels, minlength=number * _LEVELS).reshape(number, _LEVELS)
    sizes = counts.sum(axis=1)
    place, level = np.nonzero(counts)
    often = counts[place, level] / counts.max()
    ax.scatter(
        place, level + 1, s=20 + 360 * often, color=COLOURS[0], alpha=QUIET, linewidths=0, label="how often", zorder=2
    )
    if counts.max() <= 99:
        for at, height in zip(place.tolist(), level.tolist(), strict=True):
            note(ax, f"{counts[at, height]}", at, height + 1, ha="center", va="center", alpha=0.9)
    some = np.flatnonzero(sizes)
    means = counts[some] @ np.arange(1, _LEVELS + 1) / sizes[some]
    low, high = rating_intervals(counts[some])
    ax.errorbar(
        some + 0.22, means, yerr=[means - low, high - means], fmt="D", color=COLOURS[1], markersize=6, capsize=4,
        linewidth=1.8, label="mean, 95 %", zorder=3,
    )  # fmt: skip
    ax.set_xlim(-0.6, number - 0.4)
    ax.set_ylim(0.5, _LEVELS + 0.5)
    ax.set_yticks(range(1, _LEVELS + 1))
    named(ax, by_value)
    handles, names = ax.get_legend_handles_labels()
    ax.legend(handles[-1:], names[-1:], loc="upper left", bbox_to_anchor=(1.0, 1.0))
    whole = counts.sum(axis=0) @ np.arange(1, _LEVELS + 1) / len(rows)
    said = f"{plural(len(rows), 'rating')}, mean {whole:.2f}; circles: how often each was given."
    return finish(ax, title, by_value.title, label("rating"), [said, *rows.notes])


def cost_per_kept(df: Any, by: By = None, *, kept: Tracks | None = None, ax: Axes | None = None) -> Axes:
    """Draw how many credits went into one take that was kept, by any parameter.

    Parameters
    ----------
    df
        A run or a frame; each row with an `id` (or each, without that column) has cost one credit, failed ones too.
    by
        A column, several, or `hour`, `weekday`, `day` of `created_at`; by default all in one.
    kept
        Which were kept: ids, or any selection of tracks, such as a playlist's. By default the column `kept` (true or
        false), else the takes rated 4 or 5; then takes that were neither rated nor rejected, nor failed, are left
        out and counted.
    ax
        Where to draw.

    Returns
    -------
    Axes
        Credits over the parameter's values, with the interval of 95 % that follows from Wilson's for the share
        that was kept (E. B. Wilson, 1927). Where none was kept an arrow shows the least that it would cost.

    Raises
    ------
    ParameterError
        A column is missing.
    SelectionError
        `kept` holds no tracks.
    """
    rows = Rows(df, ("id",) if kept is not None else ())
    if kept is None and "kept" not in rows and "rating" not in rows:
        raise ParameterError(
            "The frame tells of no take whether it was kept: it has neither a column 'kept' nor 'rating'.",
            parameter="kept",
            hint="Pass a run's frame with ratings, or the tracks that were kept as kept=.",
        )
    if "id" in rows:
        rows.drop(rows.texts("id") == "", "never sent, at no cost")
    if kept is None and "kept" not in rows:
        rows.drop(~_judged(rows), "not judged yet")
    by_value = groups(rows, by)
    ax = one_axes(ax)
    title, amount = "Cost of a take that is kept", "credits for each kept take"
    if not len(rows):
        nothing(ax, f"no take that was judged; {rows.reason}")
        return finish(ax, title, by_value.title, amount, rows.notes)
    good = _kept(rows, kept)
    sizes = by_value.sizes
    hits = np.bincount(by_value.codes[good], minlength=len(sizes))
    low, high = wilson(hits, sizes)
    with np.errstate(divide="ignore"):
        most, least = 1 / low, 1 / high
    some = np.flatnonzero(hits)
    none = np.flatnonzero((hits == 0) & (sizes > 0))
    cost = sizes[some] / hits[some]
    top = 1.25 * max([*cost, *least[none], 1.0]) + 0.5
    ax.bar(some, cost, width=0.6, color=COLOURS[2], alpha=0.9, hatch=HATCHES[0], edgecolor=ink(), linewidth=0)
    ax.errorbar(
        some, cost, yerr=[cost - least[some], np.minimum(most[some], 10 * top) - cost], fmt="o", color=ink(),
        markersize=4, capsize=3,
    )  # fmt: skip
    small = 6.5 if len(sizes) > 8 else 8.5  # each number stays off the next bar
    for at, height in zip(some, cost, strict=True):
        note(ax, f" {height:.3g}", at + 0.04, height, va="bottom", ha="left", fontsize=small)
    for at in none:
        ax.annotate(
            "",
            (at, top * 0.97),
            xytext=(at, least[at]),
            arrowprops={"arrowstyle": "->", "color": COLOURS[1], "lw": 1.6},
        )
        ax.plot([at - 0.2, at + 0.2], [least[at]] * 2, color=COLOURS[1], linewidth=2)
        note(ax, f" >{least[at]:.2g}", at + 0.04, least[at], va="bottom", ha="left", fontsize=small)
    ax.set_ylim(0, top)
    ax.set_xlim(-0.6, len(sizes) - 0.4)
    named(ax, by_value)
    total = int(good.sum())
    said = f"{plural(total, 'take')} kept of {plural(len(rows), 'credit')}"
    said += f": {len(rows) / total:.3g} each." if total else "."
    said += " Arrows: none kept; what one costs at least." if len(none) else ""
    return finish(ax, title, by_value.title, amount, [said, *rows.notes])


def _judged(rows: Rows) -> NDArray[np.bool_]:
    judged = ~np.isnan(rows.numbers("rating"))
    if "rejected" in rows:
        judged |= rows.column("rejected").fillna(False).to_numpy(dtype=bool)
    if "status" in rows:  # nobody will keep what was never made
        judged |= rows.statuses() == "failed"
    return judged


def _kept(rows: Rows, kept: Any) -> NDArray[np.bool_]:
    found: NDArray[np.bool_]
    if kept is not None:
        found = np.isin(rows.texts("id").astype(str), np.array(ids_of(kept), dtype=str))
        return found
    if "kept" in rows:
        found = rows.column("kept").fillna(False).to_numpy(dtype=bool)
        return found
    found = rows.numbers("rating") >= _KEPT
    if "rejected" in rows:
        found &= ~rows.column("rejected").fillna(False).to_numpy(dtype=bool)
    return found
