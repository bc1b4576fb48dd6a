"""The rhythms that chords are struck in, several a manner: a piece has one of them in verses and one in choruses."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COMPING", "Comping"]


@dataclass(frozen=True)
class Comping:
    """A chord rhythm.

    Cells to choose from, how much of the time between strokes a stroke lasts, and how far apart (in beats) its notes
    are struck.
    """

    cells: tuple[tuple[str, ...], ...]
    gate: float = 0.9
    roll: float = 0.0


COMPING: dict[str, Comping] = {
    "pulse": Comping(
        (
            ("X...x...", "x...x..."), ("X.....x.", "..x.x..."), ("X.o.x.o.", "x.o.x.o."), ("X...x.o.", "x...x.o."),
            ("X.....x.", "x...x..."), ("X...x...", "..x...x."), ("X..x..x.", "x...x..."),
        ), 0.92,
    ),
    "lazy": Comping(
        (
            ("X.......", "..x....."), ("X.....x.", "........"), ("X..x....", "........"), ("X.......", "x.....o."),
            ("X.....x.", "..x....."), ("X......x", "........"), ("X.......", "...x...."),
        ), 0.96, 0.015,
    ),
    "stabs": Comping(
        (
            ("..x...x.", "..x...x."), ("X..x..x.", "..x..x.."), ("..x..x..", "..x...x."), ("X..x....", "X..x..x."),
            ("..x....x", "..x..x.."), ("X.....x.", "..x..x.."), ("...x..x.", "..x...x."),
        ), 0.55,
    ),
    "charleston": Comping(
        (
            ("X.....x.", "........"), ("....x...", "..x....."), ("..x.....", "x.....x."), ("X.....x.", "....x..."),
            ("......x.", "..x....."), ("..x...x.", "........"), ("X.......", "..x...x."),
        ), 0.7,
    ),
    "power": Comping(
        (
            ("X.x.x.x.", "x.x.x.x."), ("X.....x.", "x...x.x."), ("X...x.x.", "x...x.x."), ("X..x..x.", "x.x.x..."),
            ("X.x.x...", "x.x.x.x."), ("X.....x.", "..x.x.x."), ("X.xxx.x.", "x.xxx.x."),
        ), 0.85,
    ),
    "strum": Comping((("X...x.xo", "x...x.xo"), ("X...x.x.", "..x.x.x."), ("X...xox.", "x...xox.")), 0.95, 0.02),
    "ostinato": Comping(
        (
            ("X.x.x.x.", "x.x.x.x."), ("X..x..x.", "x..x..x."), ("X.xox.xo", "x.xox.xo"), ("X...x.x.", "x...x.x."),
            ("X.x.x...", "x.x.x..."), ("X.xxx.x.", "x.x.x.x."), ("X..xx.x.", "x..xx.x."),
        ), 0.6,
    ),
    "chank": Comping(
        (
            ("..xo..x.", "..x..ox."), ("..x..x.x", ".x..x.x."), ("x..x..x.", "..x.ox.."), ("..x.xo..", "..xo..x."),
            ("x.xo...x", "..x..x.."), ("...x..xo", "x..x..x."),
        ), 0.4,
    ),
    "bossa": Comping(
        (
            ("x.....x.", "..x.x..."), ("x..x..x.", "....x..."), ("x.....x.", "....x.x."), ("..x...x.", "....x..."),
            ("x..x....", "x..x...."), ("x...x...", "..x...x."),
        ), 0.8, 0.01,
    ),
    "four": Comping(
        (
            ("X...X...", "X...X..."), ("X...X.o.", "X...X..."), ("X...X...", "X...X.o."), ("X...X..o", "X...X..o"),
            ("X.o.X...", "X...X..."),
        ), 0.5,
    ),
    "shout": Comping(
        (
            ("......X.", "X..x...."), ("X..x....", "......x."), ("......x.", "..X...x."), ("..x...X.", "......x."),
            ("X.....x.", "....X..."), ("....X.x.", "........"), ("..X.....", "x.....X."),
        ), 0.6,
    ),
    "loop": Comping(
        (
            ("X.....x.", "..x....."), ("X..x....", "x.....x."), ("X.......", "x..x...."), ("X......x", "..x....."),
            ("X.....x.", "....x..."), ("X...x...", "..x....."),
        ), 0.9,
    ),
    "chug": Comping(
        (
            ("XxxxXxxx", "XxxxXxxx"), ("X.xxX.xx", "X.xxX.xx"), ("XxxxX.x.", "XxxxX.x."), ("Xxx.Xxx.", "Xxx.Xxx."),
            ("X.x.X.xx", "X.x.X.xx"), ("X.xxX.x.", "X.xxX.x."),
        ), 0.6,
    ),
    "boomchick": Comping(
        (
            ("....X.o.", "....X.o."), ("....X...", "....X.o."), ("..o.X.o.", "..o.X.o."), ("....X...", "....X..."),
            ("....X..o", "....X..o"), ("..o.X...", "....X.o."),
        ), 0.55, 0.02,
    ),
    "fingers": Comping(
        (
            ("X...x...", "x...x..."), ("X...x...", "x......."), ("X.....x.", "x...x..."), ("X...x.o.", "x...x..."),
            ("X...x...", "x...x.o."), ("X.......", "x...x..."), ("X..x....", "x...x..."),
        ), 0.98, 0.25,
    ),
    "drive": Comping(
        (
            ("XoxoXoxo", "XoxoXoxo"), ("X.xoX.xo", "X.xoX.xo"), ("XoxxX.x.", "XoxxX.x."), ("Xox.Xox.", "Xox.Xox."),
            ("X.x.Xoxo", "X.x.Xoxo"), ("XooxXo.x", "XooxXo.x"), ("X.x.X.xo", "X.x.X.xo"),
        ), 0.7,
    ),
    "skank": Comping(
        (
            ("..X...X.", "..X...X."), ("..Xo..X.", "..Xo..X."), ("..X...Xo", "..X...X."), ("..X...X.", "..X...Xo"),
            ("..X...Xo", "..X...Xo"), ("..Xo..Xo", "..Xo..Xo"), ("..Xo..X.", "..X...X."),
        ), 0.4,
    ),
    "held": Comping((("X.......", "........"),), 0.98),
    "sustained": Comping(
        (
            ("X.......", "........"), ("X.......", "x......."), ("X.......", "....o..."), ("X.....x.", "........"),
            ("X.......", "..x....."), ("X..x....", "........"), ("X.......", "......o."),
        ), 0.98,
    ),
    "swell": Comping(
        (
            ("x.......", "........"), ("x.......", "o......."), ("x.......", "....o..."), ("x...o...", "........"),
            ("x.......", "..o....."), ("x.....o.", "........"),
        ), 1.0,
    ),
}  # fmt: skip
