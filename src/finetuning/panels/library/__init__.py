"""The library panel: a library to look through, to choose from, and to put in order."""

from .panel import LibraryPanel as LibraryPanel

__all__ = ["LibraryPanel"]
