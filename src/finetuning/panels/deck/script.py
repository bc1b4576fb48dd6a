"""The page's half of the deck: several files of JavaScript, joined into the one module that a widget may have."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["PARTS", "script", "style"]

_FOLDER: Final = Path(__file__).parent / "static"
#: In the order in which one may use another; each defines names and does nothing else, but for the last.
PARTS: Final = (
    "page", "elements", "time", "loudness", "voices", "engine", "store", "layout", "matrix", "waveform", "blind",
    "ranking", "toolbar", "keys", "deck", "acts", "render",
)  # fmt: skip


@cache
def script() -> str:
    """Return the module."""
    return "\n".join((_FOLDER / f"{part}.js").read_text("utf-8") for part in PARTS)


@cache
def style() -> str:
    """Return the style sheet."""
    return (_FOLDER / "deck.css").read_text("utf-8")
