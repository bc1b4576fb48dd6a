"""A measure over two parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.charts.grouping import By, groups
from finetuning.charts.reading import Rows, label, plural
from finetuning.charts.style import bar, finish, nothing, one_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["draw_grid", "heat_map"]

_MOST: Final = 24
_WRITTEN: Final = 240  # cells whose numbers can be read


def heat_map(source: Any, x: By, y: By, value: str = "rating", *, ax: Axes | None = None) -> Axes:
    """Draw the mean of any measure over two parameters, with the numbers in the cells.

    Parameters
    ----------
    source
        A run, or a frame.
    x, y
        Columns; several, whose combinations count; or `hour`, `weekday`, `day` of `created_at`.
    value
        A column of numbers.
    ax
        Where to draw. The colour bar takes a part of its room.

    Returns
    -------
    Axes
        Takes without that number are left out and counted; a cell without takes stays empty. The colours are
        cividis, which those who see no red or no green see too.

    Raises
    ------
    ParameterError
        A column is missing.
    """
    rows = Rows(source, (value,))
    rows.drop(np.isnan(rows.numbers(value)), f"without {value}")
    across, up = groups(rows, x, most=_MOST), groups(rows, y, most=_MOST)
    ax = one_axes(ax)
    title = f"{label(value)[:1].upper()}{label(value)[1:]}"
    if not len(rows):
        nothing(ax, f"no take with {value}; {rows.reason}")
        return finish(ax, title, across.title, up.title, rows.notes)
    shape = len(up.names), len(across.names)
    place = up.codes * shape[1] + across.codes
    number = np.bincount(place, minlength=shape[0] * shape[1])
    total = np.bincount(place, rows.numbers(value), minlength=len(number))
    mean = np.where(number > 0, total / np.maximum(number, 1), np.nan).reshape(shape)
    draw_grid(ax, mean, across.names, up.names, label(value))
    filled = number[number > 0]
    each = f"{filled.min():,}" if filled.min() == filled.max() else f"{filled.min():,} to {filled.max():,}"
    said = f"Mean of {each} {'take' if each == '1' else 'takes'} a cell; {plural(len(rows), 'take')} in all."
    return finish(ax, title, across.title, up.title, [said, *rows.notes])


def draw_grid(ax: Axes, values: NDArray[np.float64], across: list[str], up: list[str], name: str) -> Any:
    """Draw a matrix from below upwards, with a colour bar, and numbers where they can be read.

    Parameters
    ----------
    ax
        Where.
    values
        Shape (up, across); NaN stays empty.
    across, up
        The names of columns and rows.
    name
        Of what is drawn, with its unit.
    """
    picture = ax.pcolormesh(np.ma.masked_invalid(values), cmap="cividis")
    turned = max(map(len, across)) * len(across) > 60
    ax.set_xticks(
        np.arange(len(across)) + 0.5, across, rotation=40 if turned else 0, ha="right" if turned else "center"
    )
    for text in ax.get_xticklabels():
        text.set_rotation_mode("anchor" if turned else "default")
    ax.set_yticks(np.arange(len(up)) + 0.5, up, fontsize=7 if len(up) > 12 else None)
    ax.tick_params(length=0)
    bar(ax, picture, name, pad=0.02)
    if values.size <= _WRITTEN:
        middle = np.nanmean([np.nanmin(values), np.nanmax(values)])
        size = 9 if max(values.shape) <= 12 else 6.5
        for (row, column), each in np.ndenumerate(values):
            if not np.isnan(each):
                # Cividis goes from a dark blue to a light yellow: what is written on it changes sides half-way.
                text = ax.text(
                    column + 0.5, row + 0.5, f"{each:.3g}", ha="center", va="center", fontsize=size,
                    color="white" if each <= middle else "black",
                )  # fmt: skip
                text.set_in_layout(False)  # it lies within the cell; to find that out anew takes long
    return picture
