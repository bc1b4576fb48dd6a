"""What a sweep waited for: each take's time in the queue and in the making, and how many were in flight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.charts.reading import Rows, plural, seconds
from finetuning.charts.style import COLOURS, HATCHES, finish, ink, nothing, two_axes, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["throughput"]

#: Unit of time: from how many seconds on, seconds in one.
_UNITS: Final = (("days", 3 * 86400, 86400), ("hours", 3 * 3600, 3600), ("minutes", 180, 60), ("seconds", 0, 1))
_FEW: Final = 400
_DOTS: Final = (600, 1000)  # of the picture that many takes become

_Kind = tuple[str, "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.bool_]", str, str]


def throughput(source: Any, *, ax: Axes | None = None) -> tuple[Axes, Axes]:
    """Draw the takes of a sweep as a Gantt chart, and how many were in flight at a time.

    Parameters
    ----------
    source
        A run, or a generations frame, with `created_at` and `completed_at`; with `generation_time` waiting and making
        are told apart: a take was made during the last `generation_time` seconds before `completed_at`.
    ax
        Where to draw; it is divided in two.

    Returns
    -------
    tuple of two Axes
        The takes, in the order of their requests, and those in flight; over the time since the first request.
        Takes that have not ended are left out of both, and counted; failed ones end in a cross. From 401 takes on a
        dot shows what most of the takes beneath it were at, and the most that were in flight.

    Raises
    ------
    ParameterError
        A column is missing.
    """
    rows = Rows(source, ("created_at", "completed_at"))
    rows.drop_timeless("created_at")
    rows.drop(np.isnat(rows.moments("completed_at")), "that have not ended")
    upper, lower = two_axes(ax, (3, 1.2), size=(7.0, 5.6))
    title = "Takes from request to end"
    if not len(rows):
        nothing(upper, f"no take with created_at and completed_at; {rows.reason}")
        nothing(lower, "no take.")
        finish(lower, "", "time since the first request", "in flight")
        return finish(upper, title, "", "take", rows.notes), lower
    begun = rows.moments("created_at")
    order = np.argsort(begun, kind="stable")
    first = begun.min()
    start = ((begun - first) / np.timedelta64(1, "s"))[order]
    # The service tells the moment of a request to the second only: a quick take may seem to end before it.
    end = np.maximum(((rows.moments("completed_at") - first) / np.timedelta64(1, "s"))[order], start)
    making = rows.numbers("generation_time")[order] if "generation_time" in rows else np.full(len(rows), np.nan)
    known = making >= 0
    ready = np.where(known, np.clip(end - making, start, end), start)
    failed = (rows.statuses() == "failed")[order] if "status" in rows else np.zeros(len(rows), dtype=bool)
    span = float(end.max())
    unit, scale = next((name, scale) for name, least, scale in _UNITS if span >= least)
    start, ready, end = start / scale, ready / scale, end / scale
    places = np.arange(1, len(rows) + 1)
    kinds = (
        ("waiting", start, ready, known, "#999999", HATCHES[0]),
        ("in the making", ready, end, known & ~failed, COLOURS[0], HATCHES[0]),
        ("waiting or in the making", start, end, ~known & ~failed, COLOURS[5], HATCHES[2]),
        ("" if len(rows) <= _FEW else "failed", ready, end, failed, COLOURS[1], HATCHES[1]),
    )
    upper.set_xlim(0, max(span / scale, 1e-6) * 1.02)
    if len(rows) > _FEW:
        _picture(upper, kinds, len(rows), float(max(end.max(), 1e-6)))
    for name, left, right, which, colour, hatch in kinds:
        if which.any() and len(rows) <= _FEW:
            _bars(upper, places[which], left[which], right[which], name, colour, hatch)
    if failed.any() and len(rows) <= _FEW:  # however short their making was
        upper.plot(end[failed], places[failed], "x", color=COLOURS[1], markersize=5, label="failed")
    upper.set_ylim(len(rows) + 0.8, 0.2)
    upper.legend(loc="upper right", ncols=2)
    moments, flying = _most(*in_flight(start, end))
    lower.step(moments, flying, where="post", color=COLOURS[0])
    lower.fill_between(moments, flying, step="post", color=COLOURS[0], alpha=0.25, linewidth=0)
    lower.set_ylim(0, 1.15 * max(1.0, float(flying.max())))
    for axes in (upper, lower):
        whole(axes.yaxis)
    rate = f", {len(rows) / span * 60:,.3g} takes a minute" if span else ""
    said = f"{plural(len(rows), 'take')} in {seconds(span)}{rate}, at most {int(flying.max()):,} in flight"
    if known.any():
        wait, made = np.median((ready - start)[known]) * scale, np.median(making[known])
        said += f"; median wait {seconds(float(wait))}, making {seconds(float(made))}"
    told = np.all(begun.astype("datetime64[s]") == begun)
    coarse = ["Requests are told to the second, so waits are too long by up to one."] if told else []
    when = f"{unit} since the first request, {str(first.astype('datetime64[s]')).replace('T', ' ')} UTC"
    finish(lower, "", when, "in flight")
    upper.tick_params(axis="x", labelbottom=False)
    return finish(upper, title, "", "take", [said + ".", *coarse, *rows.notes]), lower


def in_flight(start: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Count how many intervals hold each moment at which that number changes.

    Returns
    -------
    moments : ndarray of float64
        In order, without repetition.
    counts : ndarray of int64
        From that moment to the next.
    """
    moments, place = np.unique(np.concatenate([start, end]), return_inverse=True)
    changes = np.bincount(place[: len(start)], minlength=len(moments)).astype(np.int64)
    changes -= np.bincount(place[len(start) :], minlength=len(moments))
    return moments, np.cumsum(changes)


def _most(moments: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Keep the most of each dot, where there are more changes than dots."""
    if len(moments) <= 4 * _DOTS[1]:
        return moments, counts
    edges = np.linspace(moments[0], moments[-1], _DOTS[1] + 1)[:-1]
    every = np.union1d(moments, edges)
    held = counts[np.searchsorted(moments, every, side="right") - 1]
    peaks = np.maximum.reduceat(held, np.searchsorted(every, edges))
    return np.append(edges, moments[-1]), np.append(peaks, 0)


def _bars(ax: Axes, places: Any, left: NDArray[Any], right: NDArray[Any], name: str, colour: str, hatch: str) -> None:
    from matplotlib.collections import PolyCollection

    low, high = places - 0.4, places + 0.4
    # However short, what was there is seen.
    right = np.where(right > left, np.maximum(right, left + ax.get_xlim()[1] / 500), right)
    corners = np.stack([left, low, left, high, right, high, right, low], axis=1).reshape(-1, 4, 2)
    bars = PolyCollection(
        list(corners), facecolors=colour, edgecolors=ink(), linewidths=0, hatch=hatch, label=name or "_"
    )
    ax.add_collection(bars, autolim=False)


def _picture(ax: Axes, kinds: Sequence[_Kind], number: int, span: float) -> None:
    """Draw bars that are thinner than a pixel as a picture: in each of its dots what most takes there were at."""
    from matplotlib.colors import ListedColormap

    held = np.zeros((len(kinds) + 1, *_DOTS))
    held[0] = 1e-9  # nothing at all is what most were at where there were none
    for layer, (_, left, right, which, _, _) in zip(held[1:], kinds, strict=True):
        rows = np.flatnonzero(which) * _DOTS[0] // number
        # However short, it is there: each takes one dot at least.
        first = np.minimum((left[which] / span * _DOTS[1]).astype(np.int64), _DOTS[1] - 1)
        last = np.maximum(np.ceil(right[which] / span * _DOTS[1]).astype(np.int64), first + 1)
        change = np.zeros((_DOTS[0], _DOTS[1] + 1))
        np.add.at(change, (rows, first), 1)
        np.add.at(change, (rows, np.minimum(last, _DOTS[1])), -1)
        layer += np.cumsum(change, axis=1)[:, :-1]
    colours = ListedColormap(["none", *(kind[4] for kind in kinds)])
    ax.imshow(
        held.argmax(axis=0), cmap=colours, vmin=0, vmax=len(kinds), interpolation="nearest", aspect="auto",
        extent=(0, span, number + 0.5, 0.5),
    )  # fmt: skip
    for name, _, _, which, colour, _ in kinds:
        if name and which.any():
            ax.fill_between([], [], [], color=colour, label=name)  # for the legend
