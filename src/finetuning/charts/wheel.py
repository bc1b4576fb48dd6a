"""The flow of a playlist on the Camelot wheel: which keys follow each other, and how the tempo moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.camelot import camelot
from finetuning.charts.reading import Rows, plural
from finetuning.charts.style import COLOURS, MARKERS, bar, finish, ink, note, nothing, one_axes
from finetuning.records import KEYS, SCALES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["key_flow", "near", "spots_of"]

_RINGS: Final = (0.62, 0.92)  # minor within, major without
_NUMBERED: Final = 60  # tracks that can be told apart
_LEAP: Final = 0.06  # of the tempo: about what a turntable's pitch control bridges


def key_flow(df: Any, *, measured: bool = False, ax: Axes | None = None) -> Axes:
    """Draw the way that a playlist takes over the Camelot wheel, in the order of its rows.

    Parameters
    ----------
    df
        A playlist's tracks, with `key` and `scale`; with `bpm` colours tell the tempo.
    measured
        Whether to draw `measured_key`, `measured_scale` and `measured_bpm` instead.
    ax
        Where to draw: a polar Axes.

    Returns
    -------
    Axes
        Keys that share their notes, or all but one (the same number, or the next with the same letter), are joined
        by a solid line; a jump by a dashed one with a cross half-way. A tempo that leaps by more than 6 % (an octave
        aside) is counted in the caption. From 61 tracks on places and lines are as wide as they are frequent.

    Raises
    ------
    ParameterError
        A column is missing, or `ax` is not polar.
    """
    before = "measured_" if measured else ""
    rows = Rows(df, (f"{before}key", f"{before}scale"), once=False)
    spots = spots_of(rows, f"{before}key", f"{before}scale")
    rows.drop(spots < 0, "without key and scale")
    spots = spots[spots >= 0]
    ax = one_axes(ax, size=(6.4, 6.4), polar=True)
    title = "Key flow"
    if not len(rows):
        nothing(ax, f"no track with {before}key and {before}scale; {rows.reason}")
        return finish(ax, title, notes=rows.notes)
    _draw_wheel(ax)
    tempo = rows.numbers(f"{before}bpm") if f"{before}bpm" in rows else np.full(len(rows), np.nan)
    close = near(spots[:-1], spots[1:])
    if len(rows) <= _NUMBERED:
        _draw_way(ax, spots, close, tempo)
    else:
        _draw_frequent(ax, spots)
    jumps, leaps = int((~close).sum()), _leaps(tempo)
    said = f"{plural(len(rows), 'track')}, {plural(jumps, 'jump')} of key"
    if not np.isnan(tempo).all():
        said += f", {plural(leaps, 'leap')} of tempo over {_LEAP:.0%}"
    return finish(
        ax, title, notes=[said + ". Minor within, major without; solid: neighbouring keys, dashed: jumps.", *rows.notes]
    )


def spots_of(rows: Rows, key: str, scale: str) -> NDArray[np.int64]:
    """Give each row the number of its key, of 24: the wheel's number from 0, and 12 more in major; -1 for none."""
    table = np.full((len(KEYS) + 1, len(SCALES) + 1), -1)
    for tonic, name in enumerate(KEYS):
        for mode, word in enumerate(SCALES):
            number, letter = camelot(name, word) or (0, "")
            table[tonic, mode] = number - 1 + (12 if letter == "B" else 0)
    spots: NDArray[np.int64] = table[_places(rows, key, KEYS), _places(rows, scale, SCALES)].astype(np.int64)
    return spots


def _places(rows: Rows, name: str, known: tuple[str, ...]) -> NDArray[np.intp]:
    codes, found = rows.codes(name)
    places = [known.index(str(word)) if str(word) in known else -1 for word in found]
    return np.array([*places, -1], dtype=np.intp)[codes]


def near(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether two keys share their notes, or all but one."""
    around = (first - second) % 12
    found: NDArray[np.bool_] = (around == 0) | ((first // 12 == second // 12) & ((around == 1) | (around == 11)))
    return found


def _leaps(tempo: NDArray[np.float64]) -> int:
    good = tempo[:-1] * tempo[1:] > 0
    octaves = np.log2(tempo[1:][good] / tempo[:-1][good])
    return int((np.abs(octaves - np.rint(octaves)) > np.log2(1 + _LEAP)).sum())


def _polar(spots: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angles: NDArray[np.float64] = np.multiply(spots % 12 + 1, np.pi / 6, dtype=np.float64)
    return angles, np.asarray(_RINGS, dtype=np.float64)[spots // 12]


def _draw_wheel(ax: Any) -> None:
    ax.set_theta_zero_location("N")
    ax.set_theta_direction(-1)
    ax.set_ylim(0, 1.16)
    ax.set_yticks([])
    names = {camelot(key, scale): f"{key}{'m' if scale == 'minor' else ''}" for key in KEYS for scale in SCALES}
    ax.set_xticks(np.arange(1, 13) * np.pi / 6, [f"{n}\n{names[n, 'A']} · {names[n, 'B']}" for n in range(1, 13)])
    ax.grid(visible=False)
    for edge in (0.46, 0.77, 1.08):
        ax.plot(np.linspace(0, 2 * np.pi, 181), np.full(181, edge), color=ink(), alpha=0.25, linewidth=0.8, zorder=0)
    for turn in np.arange(12):
        ax.plot([(turn + 0.5) * np.pi / 6] * 2, [0.46, 1.08], color=ink(), alpha=0.2, linewidth=0.8, zorder=0)
    ax.tick_params(axis="x", pad=13)


def _draw_way(ax: Axes, spots: NDArray[np.int64], nears: NDArray[np.bool_], tempo: NDArray[np.float64]) -> None:
    angles, radii = _spread(spots)
    for step, close in enumerate(nears):
        _join(ax, angles[step : step + 2], radii[step : step + 2], bool(close), linewidth=1.6, alpha=0.8)
    known = ~np.isnan(tempo)
    size = 150 if len(spots) <= 30 else 90
    if known.any():
        dots = ax.scatter(
            angles[known], radii[known], c=tempo[known], cmap="cividis", s=size, edgecolors=ink(), zorder=3
        )
        bar(ax, dots, "tempo (bpm)", pad=0.1, shrink=0.6)
    ax.scatter(angles[~known], radii[~known], s=size, marker=MARKERS[1], color="#999999", edgecolors=ink(), zorder=3)
    middle = np.nanmean([np.nanmin(tempo), np.nanmax(tempo)]) if known.any() else 0.0
    for number, (angle, radius, beat) in enumerate(zip(angles, radii, tempo, strict=True), 1):
        tone = "white" if beat <= middle else "black"
        note(ax, f"{number}", angle, radius, color=tone, fontsize=7, ha="center", va="center", zorder=4)


def _spread(spots: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put tracks of the same key beside each other within its field."""
    angles, radii = _polar(spots)
    order = np.argsort(spots, kind="stable")
    sizes = np.bincount(spots)[spots]
    seen = np.empty(len(spots), dtype=np.int64)
    seen[order] = np.arange(len(spots)) - np.searchsorted(spots[order], spots[order])
    rows = np.minimum(np.ceil(np.sqrt(sizes)), 3)
    lines = np.ceil(sizes / rows)
    across, along = seen % rows, seen // rows
    angles = angles + np.where(rows > 1, (across - (rows - 1) / 2) * 0.36 / np.maximum(rows - 1, 1), 0.0)
    radii = radii + np.where(lines > 1, ((lines - 1) / 2 - along) * 0.24 / np.maximum(lines - 1, 1), 0.0)
    return angles, radii


def _join(ax: Axes, angles: NDArray[np.float64], radii: NDArray[np.float64], close: bool, **options: Any) -> None:
    """Draw the way from one key to another, straight over the wheel; a jump is crossed half-way."""
    colour, dash = (COLOURS[0], "-") if close else (COLOURS[1], "--")
    (line,) = ax.plot(angles, radii, dash, color=colour, zorder=2, **options)
    line.set_gid("near" if close else "jump")
    line.set_in_layout(False)  # it lies within the wheel; to find that out anew takes long
    if not close:
        x, y = (radii * np.sin(angles)).mean(), (radii * np.cos(angles)).mean()
        (cross,) = ax.plot(np.arctan2(x, y), np.hypot(x, y), "x", color=colour, markersize=5, zorder=2)
        cross.set_in_layout(False)


def _draw_frequent(ax: Axes, spots: NDArray[np.int64]) -> None:
    steps = np.bincount(spots[:-1] * 24 + spots[1:], minlength=576).reshape(24, 24)
    both = np.triu(steps + steps.T, 1)
    first, second = np.nonzero(both)
    often = both[first, second] / both.max(initial=1)
    for one, other, share, close in zip(first, second, often, near(first, second), strict=True):
        angles, radii = _polar(np.array([one, other]))
        _join(ax, angles, radii, bool(close), linewidth=0.4 + 5 * share, alpha=0.15 + 0.6 * share)
    counts = np.bincount(spots, minlength=24)
    there = np.flatnonzero(counts)
    angles, radii = _polar(there)
    ax.scatter(angles, radii, s=60 + 500 * counts[there] / counts.max(), color=COLOURS[2], edgecolors=ink(), zorder=3)
    for angle, radius, count in zip(angles, radii, counts[there], strict=True):
        note(ax, f"{count:,}", angle, radius, color="black", fontsize=7, ha="center", va="center", zorder=4)
