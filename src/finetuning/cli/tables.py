"""Plain aligned tables and blocks, for letters of any width."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from .wording import plain

__all__ = ["block", "fit", "table", "width"]

_GAP: Final = 2
_LABEL_GAP: Final = 3
#: The least that a column is cut to, whatever the terminal.
_LEAST: Final = 12
#: The most where no terminal says how wide it is.
_MOST: Final = 60

Paint = Callable[[int, str, str], str]


def width(text: str) -> int:
    """Return the columns that a terminal needs: two for wide East Asian letters and emoji, none for marks."""
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def fit(text: str, most: int) -> str:
    """Cut `text` to `most` columns, the last of them an ellipsis where something was cut."""
    if width(text) <= most:
        return text
    kept, used = [], 0
    for letter in text:
        used += _columns(letter)
        if used > most - 1:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    columns: int | None = None,
    flexible: int | None = None,
    paint: Paint | None = None,
) -> Iterator[str]:
    """Lay out a table, a line after the other.

    Parameters
    ----------
    header, rows
        The cells.
    columns
        Of the terminal; None where there is none.
    flexible
        Which column gives way where the terminal is narrow.
    paint
        Called with column, cell and padded cell (row cells only); returns the cell with colour.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max([width(name), *(width(row[place]) for row in cells)]) for place, name in enumerate(header)]
    if flexible is not None:
        others = sum(widths) - widths[flexible] + _GAP * (len(widths) - 1)
        most = _MOST if columns is None else max(_LEAST, columns - others)
        widths[flexible] = min(widths[flexible], most)
        for row in cells:
            row[flexible] = fit(row[flexible], widths[flexible])
    yield _line(header, widths, None)
    for row in cells:
        yield _line(row, widths, paint)


def _line(cells: Sequence[str], widths: Sequence[int], paint: Paint | None) -> str:
    padded = []
    for place, (cell, most) in enumerate(zip(cells, widths, strict=True)):
        last = place == len(widths) - 1
        text = cell if last else cell + " " * (most - width(cell))
        padded.append(paint(place, cell, text) if paint else text)
    return (" " * _GAP).join(padded).rstrip()


def block(pairs: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """Lay out labels and values; a value that is None is left out."""
    known = [(label, value) for label, value in pairs if value is not None]
    column = max((width(label) for label, _ in known), default=0) + _LABEL_GAP
    for label, value in known:
        yield label + " " * (column - width(label)) + plain(value)
