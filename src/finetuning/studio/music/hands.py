"""The hand of a player: small habits that one piece keeps throughout and the next one has otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .metre import STEPS

__all__ = ["free", "freed", "ghosted", "moved"]

WEAK = (1, 2, 3, 5, 6, 7)
"""Steps of a cell between its two beats. Only these change: the beats are what tempo and metre are heard by."""


def _beaten(cell: str, step: int) -> bool:
    """Say whether the beat that a step belongs to is struck."""
    return cell[step // 4 * 4] in STEPS


def free(cell: str, stream: np.random.Generator, drop: float = 0.4, add: float = 0.22, mark: str = "g") -> str:
    """Leave out strokes between the beats, and put soft ones where there were none.

    Parameters
    ----------
    cell : str
        Two beats in sixteenths.
    stream : Generator
        Eight draws are taken.
    drop, add : float
        How likely each weak stroke goes, where its beat is struck, and how likely each rest is filled.
    mark : str
        What rests are filled with.
    """
    marks = list(cell)
    draws = stream.random(len(cell))
    for step in WEAK:
        if cell[step] == ".":
            # a sixteenth of its own is heard as a stumble: it needs a stroke beside it
            near = step % 2 == 0 or cell[step - 1] in STEPS or cell[(step + 1) % 8] in STEPS
            if draws[step] < add * (1.0 if step % 2 == 0 else 0.6) * near:
                marks[step] = mark
        elif cell[step] != "X" and _beaten(cell, step) and draws[step] < drop:
            marks[step] = "."
    return "".join(marks)


def freed(
    cells: Sequence[str], stream: np.random.Generator, drop: float = 0.4, add: float = 0.22, mark: str = "g"
) -> tuple[str, ...]:
    """Free a row of cells; what goes on unchanged through the row goes on unchanged still."""
    if len(set(cells)) == 1:
        return (free(cells[0], stream, drop, add, mark),) * len(cells)
    return tuple(free(cell, stream, drop, add, mark) for cell in cells)


def ghosted(cells: Sequence[str], stream: np.random.Generator, add: float = 0.18) -> tuple[str, ...]:
    """Add soft strokes around a backbeat, each cell of the row for itself."""
    return tuple(free(cell, stream, drop=0.25, add=add) for cell in cells)


def moved(cells: Sequence[str], stream: np.random.Generator, much: float = 0.45, add: float = 0.1) -> tuple[str, ...]:
    """Move the weak strokes of a row of cells to a neighbouring step, or leave them out; add one now and then."""
    found = []
    for cell in cells:
        marks = list(cell)
        draws = stream.random((len(cell), 2))
        for step in WEAK:
            here, (chance, way) = cell[step], draws[step]
            if here in "xog" and chance < much:
                other = step + (1 if way < 0.35 else -1 if way < 0.7 else 0)
                if other % 4 and marks[other % 8] == ".":
                    marks[other % 8], marks[step] = here, "."
                elif way >= 0.7:
                    marks[step] = "."
            elif here == "." and step % 2 == 0 and chance < add:
                marks[step] = "o"
        found.append("".join(marks))
    return tuple(found)
