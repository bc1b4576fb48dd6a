"""The `ft` command. What it does for a notebook's `%ft` is `running.run`."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command as a process does; returns its exit code."""
    from .process import main

    return main(argv)
