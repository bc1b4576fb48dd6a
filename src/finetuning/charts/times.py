"""How long generations take: how that is spread, how it changes, what the length of the music has to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.charts.grouping import By, Groups, groups, named
from finetuning.charts.intervals import line_of
from finetuning.charts.reading import Rows, label, plural, seconds
from finetuning.charts.style import COLOURS, QUIET, beside, dated, finish, ink, nothing, one_axes, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["generation_times", "generation_times_over_time", "time_by_duration"]

_SHARES: Final = (50, 90, 99)
_DASHES: Final = ("-", "--", ":")
_WHY: Final = "no completed generation with a generation_time"
_FEW: Final = 60  # points of a group that can be told apart


def _timed(df: Any, *needs: str) -> Rows:
    rows = Rows(df, ("generation_time", *needs))
    rows.drop_unfinished()
    rows.drop_missing("generation_time", negative=False)
    return rows


def generation_times(df: Any, by: By = None, *, ax: Axes | None = None) -> Axes:
    """Draw how generation times are spread, with the 50th, 90th and 99th percentile.

    Parameters
    ----------
    df
        A generations frame (with `details=True`, since the listing has no `generation_time`) or a run.
    by
        A column, several, or `hour`, `weekday`, `day` of `created_at`: a box for each value (quartiles, whiskers to
        the extremes, every take where there are few). By default a histogram of all.
    ax
        Where to draw.

    Returns
    -------
    Axes
        Seconds. Generations that are not completed, or have no time, are left out and counted.

    Raises
    ------
    ParameterError
        No such column.
    """
    rows = _timed(df)
    sorted_ = groups(rows, by)
    ax = one_axes(ax)
    times = rows.numbers("generation_time")
    if not len(rows):
        nothing(ax, f"{_WHY}; {rows.reason}")
        labels = (label("generation_time"), "generations") if by is None else (sorted_.title, label("generation_time"))
        return finish(ax, "Generation times", *labels, rows.notes)
    marks = np.percentile(times, _SHARES)
    said = ", ".join(f"p{share} {seconds(mark)}" for share, mark in zip(_SHARES, marks, strict=True))
    notes = [f"{plural(len(rows), 'generation')}: {said}.", *rows.notes]
    if by is not None:
        _boxes(ax, times, sorted_)
        return finish(ax, "Generation times", sorted_.title, label("generation_time"), notes)
    # A few long waits must not leave all others in two bars; what numbers cannot tell apart is one bar.
    bins = min(60, max(20, int(2 * len(times) ** (1 / 3))))
    bins = bins if np.all(np.diff(np.linspace(times.min(), times.max(), bins + 1)) > 0) else 1
    counts, edges = np.histogram(times, bins=bins)
    ax.stairs(counts, edges, fill=True, color=COLOURS[0], alpha=0.9)
    for share, mark, dash in zip(_SHARES, marks, _DASHES, strict=True):
        ax.axvline(mark, color=COLOURS[1], linestyle=dash, label=f"p{share}  {seconds(mark)}")
    ax.set_ylim(bottom=0)
    whole(ax.yaxis)
    beside(ax)
    return finish(ax, "Generation times", label("generation_time"), "generations", notes)


def _boxes(ax: Axes, times: NDArray[np.float64], by: Groups) -> None:
    order = np.argsort(by.codes, kind="stable")
    parts = np.split(times[order], np.cumsum(by.sizes)[:-1])
    places = [place for place, part in enumerate(parts) if len(part)]
    shares = np.array([np.percentile(parts[place], (0, 25, 50, 75, 90, 99, 100)) for place in places])
    stats = [
        {"whislo": low, "q1": q1, "med": middle, "q3": q3, "whishi": high, "fliers": []}
        for low, q1, middle, q3, _, _, high in shares
    ]
    tone = ink()
    ax.bxp(
        stats, positions=places, widths=0.55, showfliers=False, patch_artist=True, manage_ticks=False,
        boxprops={"facecolor": (*_rgb(COLOURS[0]), QUIET), "edgecolor": COLOURS[0]},
        medianprops={"color": COLOURS[0], "linewidth": 2.5},
        whiskerprops={"color": tone}, capprops={"color": tone},
    )  # fmt: skip
    draw = np.random.default_rng(0)
    for place in places:
        part = parts[place]
        if len(part) <= _FEW:
            spread = place + draw.uniform(-0.16, 0.16, len(part))
            ax.plot(spread, part, ".", color=tone, alpha=0.7, markersize=4, zorder=3)
    ax.plot([], [], "-", color=COLOURS[0], linewidth=2.5, label="p50")
    ax.plot(places, shares[:, 4], "^", color=COLOURS[1], markersize=6, label="p90", zorder=4)
    ax.plot(places, shares[:, 5], "D", color=COLOURS[2], markersize=5, label="p99", zorder=4)
    ax.set_xlim(-0.6, len(parts) - 0.4)
    ax.set_ylim(bottom=0)
    named(ax, by)
    beside(ax)


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def generation_times_over_time(df: Any, *, ax: Axes | None = None) -> Axes:
    """Draw generation times by the moment of the request, with the median and the span from p10 to p90.

    Parameters
    ----------
    df
        A generations frame with `generation_time` and `created_at`, or a run.
    ax
        Where to draw.

    Returns
    -------
    Axes
        Seconds over UTC. Percentiles are of up to 40 stretches with as many generations each, at least 8.

    Raises
    ------
    ParameterError
        A column is missing.
    """
    rows = _timed(df, "created_at")
    rows.drop_timeless("created_at")
    ax = one_axes(ax)
    title, where = "Generation times over time", label("created_at")
    if not len(rows):
        nothing(ax, f"{_WHY}; {rows.reason}")
        return finish(ax, title, where, label("generation_time"), rows.notes)
    moments = rows.moments("created_at")
    order = np.argsort(moments, kind="stable")
    moments, times = moments[order], rows.numbers("generation_time")[order]
    few = len(times) <= 2000
    dot: Any = {"marker": ".", "markersize": 5} if few else {"marker": ",", "alpha": 0.5}
    ax.plot(moments, times, linestyle="none", color=ink(), rasterized=not few, label="a generation", **dot)
    stretches = min(40, len(times) // 8)
    if stretches >= 2:
        parts = np.array_split(np.arange(len(times)), stretches)
        middles = np.array([moments[part[len(part) // 2]] for part in parts])
        low, median, high = np.array([np.percentile(times[part], (10, 50, 90)) for part in parts]).T
        ax.fill_between(middles, low, high, color=COLOURS[0], alpha=QUIET, linewidth=0, label="p10 to p90")
        ax.plot(middles, median, "-", color=COLOURS[0], linewidth=2, label="median")
    beside(ax)
    ax.set_ylim(bottom=0)
    dated(ax)
    return finish(ax, title, where, label("generation_time"), [f"{plural(len(rows), 'generation')}.", *rows.notes])


def time_by_duration(df: Any, *, ax: Axes | None = None) -> Axes:
    """Draw generation times against the length of the music, with a fitted line and its slope in words.

    Parameters
    ----------
    df
        A generations frame with `generation_time` and `duration` or `requested_duration`, or a run.
    ax
        Where to draw.

    Returns
    -------
    Axes
        Seconds over seconds. The line is fitted by least squares; the interval of its slope is Student's.

    Raises
    ------
    ParameterError
        A column is missing.
    """
    rows = _timed(df)
    length = "duration" if "duration" in rows or "requested_duration" not in rows else "requested_duration"
    rows.need([length])
    rows.drop_missing(length, negative=False)
    ax = one_axes(ax)
    title = "Generation time by duration"
    if not len(rows):
        nothing(ax, f"{_WHY} and a {length}; {rows.reason}")
        return finish(ax, title, label(length), label("generation_time"), rows.notes)
    x, y = rows.numbers(length), rows.numbers("generation_time")
    few = len(x) <= 2000
    dot: Any = {"marker": "o", "markersize": 5, "alpha": 0.75} if few else {"marker": ",", "alpha": 0.5}
    ax.plot(x, y, linestyle="none", color=COLOURS[0], markeredgewidth=0, rasterized=not few, **dot)
    ax.set_xlim(left=0, right=max(1.0, float(x.max()) * 1.05))
    ax.set_ylim(bottom=0, top=max(1.0, float(y.max()) * 1.08))
    line = line_of(x, y)
    if line is None:
        said = f"All last {seconds(float(x[0]))}: no slope can be told."
    else:
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, line.level + line.slope * ends, "--", color=COLOURS[1], linewidth=2)
        said = (
            f"Each second of music takes {line.slope:.2g} s more{_sure(line.slope, line.margin)}, "
            f"beside {seconds(abs(line.level))} {'' if line.level >= 0 else 'less '}whatever its length."
        )
    return finish(
        ax, title, label(length), label("generation_time"), [f"{plural(len(x), 'generation')}. {said}", *rows.notes]
    )


def _sure(value: float, margin: float) -> str:
    return "" if np.isnan(margin) else f" (95 %: {value - margin:.2g} to {value + margin:.2g} s)"
