"""The page's half of a widget: several files each, joined into the one module and the one style sheet it may have."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["script", "style"]


@cache
def script(folder: Path, *parts: str) -> str:
    """Join files of JavaScript into one module.

    A text, not a path: of a path anywidget keeps every widget alive, to tell it when the file changes.

    Parameters
    ----------
    folder
        Where they are.
    parts
        Their names without ending, in the order in which one may use another when it is read. Each defines names and
        does nothing else, but for the last, which exports.
    """
    return "\n".join((folder / f"{part}.js").read_text("utf-8") for part in parts)


@cache
def style(folder: Path, *parts: str) -> str:
    """Join style sheets into one; of two rules that say the same the later one holds."""
    return "\n".join((folder / f"{part}.css").read_text("utf-8") for part in parts)
