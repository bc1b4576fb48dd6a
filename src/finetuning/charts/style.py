"""How the charts look: tones that read on white and on black, captions, and what stands where there is nothing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from finetuning.errors import MissingExtraError, ParameterError

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.projections.polar import PolarAxes
except ImportError as error:
    raise MissingExtraError("matplotlib, which draws the charts,", "analysis") from error

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.cm import ScalarMappable
    from matplotlib.typing import ColorType

__all__ = [
    "COLOURS",
    "HATCHES",
    "MARKERS",
    "QUIET",
    "background",
    "bar",
    "beside",
    "dated",
    "finish",
    "ink",
    "note",
    "nothing",
    "one_axes",
    "two_axes",
    "whole",
]

#: M. Okabe and K. Ito (2008), "Color universal design", without black and yellow, which one of the themes swallows.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: Never colour alone: the same place in each of these goes with the same place in `COLOURS`.
MARKERS: Final = ("o", "s", "^", "D", "v", "P")
HATCHES: Final = ("", "///", "...", "xxx", "\\\\\\", "++")
#: Of what is there for orientation only: grids, single lines among many.
QUIET: Final = 0.35

#: The grey with nearly the same contrast to white (4.4) and to JupyterLab's dark #111 (4.3).
_INK: Final = "#797979"
#: Jupyter's inline backend lays a background of its own under a transparent picture whose tick labels are all dark,
#: or all light; a hair's breadth either side of the middle is neither.
_INK_OF_Y: Final = "#818181"
_SMALL: Final = 8.5
_UNIT: Final = re.compile(r"(?<=\d) (?=(?:s|kHz|ms|dBFS)\b|%)")


def _styled() -> bool:
    """Whether a style was chosen, whose tones then count for more than ours."""
    default = mpl.rcParamsDefault
    return bool(mpl.rcParams["text.color"] != default["text.color"])


def ink(of_y: bool = False) -> ColorType:
    """Return the tone of text and lines."""
    if _styled():
        return str(mpl.rcParams["text.color"])
    return _INK_OF_Y if of_y else _INK


def background() -> ColorType:
    """Return the tone of what is filled to look empty, such as the heart of a hollow marker."""
    return str(mpl.rcParams["axes.facecolor"]) if _styled() else "none"


def one_axes(ax: Axes | None, *, size: tuple[float, float] = (7.0, 4.2), polar: bool = False) -> Axes:
    """Return the Axes that was given, or one in a figure of its own.

    Raises
    ------
    ParameterError
        `ax` is not one Axes, or not a polar one where that is needed.
    """
    if ax is None:
        figure = _figure(size)
        return _clear(figure.add_subplot(projection="polar" if polar else None))
    if not isinstance(ax, Axes):
        raise ParameterError(
            f"ax is a {type(ax).__name__}, not a matplotlib Axes.",
            parameter="ax",
            hint="Of several made by plt.subplots, pass one: ax=axes[0].",
        )
    if polar and not isinstance(ax, PolarAxes):
        raise ParameterError(
            "ax is not polar, and this chart is round.",
            parameter="ax",
            hint='Make it with plt.subplot(projection="polar"), or leave ax out.',
        )
    return ax


def two_axes(
    ax: Axes | None, shares: tuple[float, float], *, beside: bool = False, size: tuple[float, float] = (7.0, 5.4)
) -> tuple[Axes, Axes]:
    """Return two Axes, one above the other or side by side: in a figure of their own, or within the one given."""
    if ax is None:
        figure = _figure(size)
        if beside:
            first, second = figure.subplots(1, 2, width_ratios=shares)
        else:
            first, second = figure.subplots(2, 1, height_ratios=shares, sharex=True)
        return _clear(first), _clear(second)
    ax = one_axes(ax)
    ax.set_axis_off()
    gap = 0.22 if beside else 0.16
    whole = sum(shares)
    one, other = ((1 - gap) * share / whole for share in shares)
    if beside:
        return ax.inset_axes((0, 0, one, 1)), ax.inset_axes((one + gap, 0, other, 1))
    above = ax.inset_axes((0, other + gap, 1, one))
    below = ax.inset_axes((0, 0, 1, other))
    above.sharex(below)
    return above, below


def _figure(size: tuple[float, float]) -> Any:
    import matplotlib.pyplot as plt  # only here: with an Axes of the caller's, pyplot is left alone

    # A loop over parameters makes many charts; whether to close figures is for the caller to know. No `rc_context`:
    # the first figure turns interaction on where a notebook wants it, which that would take back.
    most = mpl.rcParams["figure.max_open_warning"]
    mpl.rcParams["figure.max_open_warning"] = 0
    try:
        figure = plt.figure(figsize=size, layout="constrained")
    finally:
        mpl.rcParams["figure.max_open_warning"] = most
    if not _styled():
        figure.patch.set_alpha(0.0)
    return figure


def _clear(ax: Any) -> Axes:
    if not _styled():
        ax.patch.set_alpha(0.0)
    axes: Axes = ax
    return axes


def finish(ax: Axes, title: str, xlabel: str = "", ylabel: str = "", notes: Sequence[str] = ()) -> Axes:
    """Label an Axes and put its tones on.

    Parameters
    ----------
    ax
        Which has been drawn upon.
    title, xlabel, ylabel
        With units.
    notes
        What is said in small type between the title and the picture: what was left out, and what it comes to.
    """
    tone = ink()
    ax.set_xlabel(xlabel, color=tone)
    ax.set_ylabel(ylabel, color=tone)
    # A number and its unit stay on one line: `wrap` breaks at no space that is not to be broken at.
    held = [_UNIT.sub("\N{NO-BREAK SPACE}", text) for text in notes]
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for text in held for line in textwrap.wrap(text, _columns(ax))]
    caption = ax.annotate(
        "\n".join(lines), (0, 1), xytext=(0, 5), xycoords="axes fraction", textcoords="offset points",
        va="bottom", ha="left", fontsize=_SMALL, color=tone, linespacing=1.25, annotation_clip=False,
    )  # fmt: skip
    caption.set_gid("caption")
    if isinstance(ax, PolarAxes):
        caption.set_position((0, 40))  # above the words around the wheel
        ax.set_title(title, loc="left", color=tone, pad=44 + 1.42 * _SMALL * len(lines))
    else:
        ax.set_title(title, loc="left", color=tone, pad=8 + 1.42 * _SMALL * len(lines))
        ax.spines[["top", "right"]].set_visible(False)
    for spine in ax.spines.values():
        spine.set_color(tone)
        spine.set_alpha(0.7)
    ax.tick_params(axis="x", which="both", colors=tone)
    ax.tick_params(axis="y", which="both", colors=ink(of_y=True))
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_offset_text().set_color(tone)
    ax.set_axisbelow(True)
    legend = ax.get_legend()
    if legend is not None:
        legend.get_frame().set_alpha(0.0)
        legend.get_frame().set_edgecolor("none")
        for text in legend.get_texts():
            text.set_color(tone)
            text.set_fontsize(_SMALL)
    return ax


def _columns(ax: Axes) -> int:
    """How many small letters stand side by side over an Axes."""
    figure = ax.get_figure(root=True)
    across = 7.0 if figure is None else float(ax.get_window_extent().width / figure.dpi)
    return max(24, int(across * 72 / (_SMALL * 0.5)))


def note(ax: Axes, text: str, x: float, y: float, **options: Any) -> None:
    """Write small text at data coordinates; `options` go to matplotlib."""
    ax.text(x, y, text, **{"fontsize": _SMALL, "color": ink(), **options})


def beside(ax: Axes) -> None:
    """Put the legend to the right of the picture: it hides nothing, and finding a free place takes long."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def bar(ax: Axes, picture: ScalarMappable, name: str, **options: Any) -> None:
    """Put a colour bar beside an Axes; `options` go to matplotlib."""
    figure: Any = ax.get_figure(root=True)
    found = figure.colorbar(picture, ax=ax, **options)
    found.set_label(name, color=ink())
    found.ax.tick_params(colors=ink(of_y=True))
    found.outline.set_visible(False)


def dated(ax: Axes) -> None:
    """Write dates along the lower side briefly."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]  # matplotlib leaves it untyped
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # likewise


def whole(axis: Axis) -> None:
    """Mark an axis at whole numbers only: it counts things."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins="auto", integer=True, min_n_ticks=1))


def nothing(ax: Axes, why: str) -> None:
    """Say quietly, where the picture would be, that there is none and what is missing."""
    width = max(16, int(0.7 * _columns(ax)))
    text = ax.text(
        0.5, 0.5, "\n".join(textwrap.wrap(f"Nothing to show: {why}", width)), transform=ax.transAxes,
        ha="center", va="center", color=ink(), style="italic",
    )  # fmt: skip
    text.set_gid("nothing")
    ax.set_xticks([])
    ax.set_yticks([])
