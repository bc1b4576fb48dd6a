"""Whether the service plays what it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from finetuning.charts.intervals import wilson
from finetuning.charts.reading import Rows, label
from finetuning.charts.style import COLOURS, HATCHES, background, finish, ink, note, nothing, one_axes, two_axes
from finetuning.charts.wheel import near, spots_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["RELATIONS", "adherence", "key_relations"]

_NEAR: Final = 0.04  # of the tempo, as the measure's own accuracy is told
_UNSURE: Final = 0.3  # confidence below which a point is hollow
#: How a measured key may stand to the one asked for; each error is one that ears, and measures, make too.
RELATIONS: Final = ("exact", "relative", "fifth", "parallel", "other")


def adherence(
    df: Any, of: Literal["tempo", "key"] | None = None, *, ax: Axes | None = None
) -> Axes | tuple[Axes, Axes]:
    """Draw measured tempo and key against those that were asked for.

    Parameters
    ----------
    df
        A frame as `df.ft.measure()` returns it: `bpm`, `measured_bpm`; `key`, `scale`, `measured_key`,
        `measured_scale`; `bpm_confidence` where known.
    of
        `tempo` or `key` alone; by default both.
    ax
        Where to draw; for both it is divided in two.

    Returns
    -------
    Axes, or tuple of two Axes
        Tempo in bpm, with lines for as asked, half and double, hollow where the measure's confidence is below 0.3;
        and how often the key is exact, relative (the same notes), a fifth away, parallel (the same tonic), or
        another, with Wilson's interval of 95 % (E. B. Wilson, 1927). Tracks without measures, or which were asked
        for nothing, are left out and counted.

    Raises
    ------
    ParameterError
        A column is missing; no such `of`.
    """
    from finetuning.errors import ParameterError

    if of not in ("tempo", "key", None):
        raise ParameterError(f"of={of!r} is neither 'tempo' nor 'key'.", parameter="of", value=of, hint="None: both.")
    needs = {"tempo": ("bpm", "measured_bpm"), "key": ("key", "scale", "measured_key", "measured_scale")}
    for part in needs if of is None else (of,):
        Rows(df, needs[part])
    if of == "tempo":
        return _draw_tempo(df, one_axes(ax))
    if of == "key":
        return _draw_key(df, one_axes(ax))
    left, right = two_axes(ax, (1.15, 1), beside=True, size=(10.0, 4.4))
    return _draw_tempo(df, left), _draw_key(df, right)


def _draw_tempo(df: Any, ax: Axes) -> Axes:
    rows = Rows(df, ("bpm", "measured_bpm"))
    rows.drop_missing("bpm", "measured_bpm")
    asked, found = rows.numbers("bpm"), rows.numbers("measured_bpm")
    rows.drop((asked <= 0) | (found <= 0), "with a tempo of 0 or less")
    asked, found = rows.numbers("bpm"), rows.numbers("measured_bpm")
    title, where = "Tempo", "requested tempo (bpm)"
    if not len(rows):
        nothing(ax, f"no track with bpm and measured_bpm; {rows.reason}")
        return finish(ax, title, where, label("measured_bpm"), rows.notes)
    ends = np.array([asked.min(), asked.max()]) + np.array([-1, 1]) * max(4.0, 0.06 * float(np.ptp(asked)))
    ends = np.maximum(ends, 1.0)
    low, high = 0.92 * float(found.min()), 1.08 * float(found.max())
    ax.fill_between(ends, ends * (1 - _NEAR), ends * (1 + _NEAR), color=COLOURS[2], alpha=0.3, linewidth=0)
    for factor, dash, name in ((2.0, ":", "double"), (1.0, "-", "as asked, ±4 %"), (0.5, "--", "half")):
        if low <= factor * ends[1] and factor * ends[0] <= high:
            shown = np.minimum(ends, max(high, 1.08 * ends[1]) / factor)  # the legend is above
            ax.plot(shown, factor * shown, dash, color=COLOURS[2], linewidth=1.4, label=name)
    confidence = rows.numbers("bpm_confidence") if "bpm_confidence" in rows else np.full(len(rows), np.nan)
    unsure = confidence < _UNSURE
    few = len(rows) <= 2000
    if few:  # a sweep asks for few tempi: takes of the same one would lie on each other
        asked = asked + np.random.default_rng(0).uniform(-0.008, 0.008, len(asked)) * (ends[1] - ends[0])
    dot: Any = {"marker": "o", "markersize": 5, "alpha": 0.6} if few else {"marker": ",", "alpha": 0.5}
    ax.plot(
        asked[~unsure], found[~unsure], linestyle="none", color=COLOURS[0], rasterized=not few, label="a track", **dot
    )
    if unsure.any():
        ax.plot(
            asked[unsure], found[unsure], linestyle="none", rasterized=not few, label="measure unsure",
            **(dot | {"markerfacecolor": background(), "markeredgecolor": COLOURS[1], "alpha": 0.9}),
        )  # fmt: skip
    ax.set_xlim(ends[0], ends[1])
    bottom, top = max(0.0, min(low, 0.92 * ends[0])), max(high, 1.08 * ends[1])
    ax.set_ylim(bottom, top + 0.22 * (top - bottom))  # room for the legend
    ax.legend(loc="upper left", ncols=2)
    asked = rows.numbers("bpm")
    octaves = np.log2(found / asked)
    hits, folded = np.abs(found / asked - 1) <= _NEAR, np.abs(octaves - np.rint(octaves)) <= np.log2(1 + _NEAR)
    others = int((folded & ~hits).sum())
    said = f"{_share(int(hits.sum()), len(rows))} within {_NEAR:.0%}; {others:,} more an octave away."
    return finish(ax, title, where, label("measured_bpm"), [said, *rows.notes])


def _share(hits: int, trials: int) -> str:
    low, high = wilson(hits, trials)
    share = hits / trials
    return f"{hits:,} of {trials:,} ({share:.0%}; 95 %: {float(low):.0%} to {float(high):.0%})"


def _draw_key(df: Any, ax: Axes) -> Axes:
    rows = Rows(df, ("key", "scale", "measured_key", "measured_scale"))
    rows.drop(spots_of(rows, "key", "scale") < 0, "asked for no key")
    rows.drop(spots_of(rows, "measured_key", "measured_scale") < 0, "without a measured key")
    title, share = "Key", "tracks (%)"
    if not len(rows):
        nothing(ax, f"no track with a key and a measured key; {rows.reason}")
        return finish(ax, title, share, "", rows.notes)
    relation = key_relations(spots_of(rows, "key", "scale"), spots_of(rows, "measured_key", "measured_scale"))
    counts = np.bincount(relation, minlength=len(RELATIONS))
    low, high = wilson(counts, np.full(len(RELATIONS), len(rows)))
    part = counts / len(rows)
    places = np.arange(len(RELATIONS))[::-1]
    for at, width, colour, hatch in zip(places, part, COLOURS, HATCHES, strict=False):
        ax.barh(at, 100 * width, color=colour, alpha=0.9, hatch=hatch, edgecolor=ink(), linewidth=0)
    reach = 100 * np.abs(np.array([low - part, high - part]))
    ax.errorbar(100 * part, places, xerr=reach, fmt="none", ecolor=ink(), capsize=3)
    for at, most, count in zip(places, high, counts, strict=True):
        note(ax, f" {count:,}", 100 * most + 1, at, va="center")
    ax.set_yticks(places, RELATIONS)
    ax.set_xlim(0, 112)
    ax.set_xticks(range(0, 101, 20))
    return finish(ax, title, share, "", [f"{_share(int(counts[0]), len(rows))} exact.", *rows.notes])


def key_relations(asked: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Say how keys, by their `wheel.spots_of`, stand to each other.

    Returns
    -------
    ndarray of int64
        The place in `RELATIONS`.
    """
    same = asked // 12 == found // 12
    # A minor key's number is three fifths below that of the major key of the same tonic.
    above = np.where(asked // 12 == 1, asked - found, found - asked) % 12
    chosen = [asked == found, asked % 12 == found % 12, near(asked, found), ~same & (above == 3)]
    relation: NDArray[np.int64] = np.select(chosen, [0, 1, 2, 3], default=4).astype(np.int64)
    return relation
