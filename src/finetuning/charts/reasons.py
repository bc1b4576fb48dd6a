"""Which generations fail, and why."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from finetuning.charts.grouping import By, groups, named
from finetuning.charts.intervals import wilson
from finetuning.charts.reading import Rows, plural
from finetuning.charts.style import COLOURS, HATCHES, finish, ink, note, nothing, one_axes, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["failures"]

_MOST: Final = 10
_LONGEST: Final = 80


def failures(df: Any, by: By = "reason", *, ax: Axes | None = None) -> Axes:
    """Draw failures by their reason, or how often generations fail by any parameter.

    Parameters
    ----------
    df
        A generations frame with `status`, or a run.
    by
        `reason` (the column `error_message`): how many failed for each. Otherwise a column, several, or `hour`,
        `weekday`, `day` of `created_at`: the share of finished generations that failed, with Wilson's interval of
        95 % (E. B. Wilson, 1927).
    ax
        Where to draw.

    Returns
    -------
    Axes
        What is neither completed nor failed is left out and counted.

    Raises
    ------
    ParameterError
        A column is missing.
    """
    rows = Rows(df, ("status", "error_message") if by == "reason" else ("status",))
    rows.drop_unfinished(also=("failed",))
    failed = rows.statuses() == "failed"
    total = f"{int(failed.sum()):,} of {plural(len(rows), 'finished generation')} failed"
    if len(rows):
        total += f" ({failed.mean():.2g})" if failed.mean() < 0.0005 else f" ({failed.mean():.1%})"
    if by == "reason":
        return _reasons(rows, total, one_axes(ax))
    by_value = groups(rows, by, most=24)
    ax = one_axes(ax)
    title = "Share of generations that fail"
    if not len(rows):
        nothing(ax, f"no finished generation; {rows.reason}")
        return finish(ax, title, by_value.title, "failed (%)", rows.notes)
    trials = by_value.sizes
    hits = np.bincount(by_value.codes[failed], minlength=len(trials))
    low, high = wilson(hits, trials)
    places = np.flatnonzero(trials)
    share = hits[places] / trials[places]
    reach = 100 * np.abs(np.array([low[places] - share, high[places] - share]))
    ax.bar(places, 100 * share, width=0.7, color=COLOURS[1], alpha=0.9, hatch=HATCHES[1], edgecolor=ink(), linewidth=0)
    ax.errorbar(places, 100 * share, yerr=reach, fmt="o", color=ink(), markersize=4, capsize=3)
    ax.set_ylim(0, min(100.0, max(5.0, 108 * float(high[places].max()))))
    ax.set_xlim(-0.6, len(trials) - 0.4)
    named(ax, by_value)
    return finish(
        ax,
        title,
        by_value.title,
        "failed (%)",
        [f"{total}; 95 % intervals; in brackets: finished.", *rows.notes],
    )


def _reasons(rows: Rows, total: str, ax: Axes) -> Axes:
    title = "Failures by reason"
    finished = len(rows)
    rows.drop(rows.statuses() != "failed", "")
    if not len(rows):
        why = (
            f"of {plural(finished, 'finished generation')} none failed."
            if finished
            else f"none finished; {rows.reason}"
        )
        nothing(ax, why)
        return finish(ax, title, "failed generations", "", rows.notes)
    said = pd.Series(rows.texts("error_message")).str.split().str.join(" ").replace("", "no reason given")
    counts = said.value_counts(sort=True)
    if len(counts) > _MOST:
        rest = counts.iloc[_MOST - 1 :]
        counts = pd.concat([counts.iloc[: _MOST - 1], pd.Series({f"{len(rest):,} other reasons": int(rest.sum())})])
    places = np.arange(len(counts))[::-1]
    ax.barh(places, counts.to_numpy(), color=COLOURS[1], alpha=0.9, hatch=HATCHES[1], edgecolor=ink(), linewidth=0)
    for place, number in zip(places, counts, strict=True):
        note(ax, f" {number:,} ({number / len(rows):.0%})", number, place, va="center")
    names = [textwrap.fill(textwrap.shorten(text, _LONGEST, placeholder=" …"), 30) for text in map(str, counts.index)]
    ax.set_yticks(places, [name.replace("$", r"\$") for name in names])
    ax.set_xlim(0, 1.18 * float(counts.max()))
    ax.set_ylim(min(-0.6, len(counts) / 2 - 2), max(len(counts) - 0.4, len(counts) / 2 + 1))
    whole(ax.xaxis)
    return finish(ax, title, "failed generations", "", [f"{total}.", *rows.notes])
