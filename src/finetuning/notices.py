"""Warnings that point at the line of the user's which caused them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["gathered", "warn"]

_gathered: ContextVar[list[Warning] | None] = ContextVar("_gathered", default=None)


@contextmanager
def gathered() -> Iterator[list[Warning]]:
    """Keep the warnings of this package instead of issuing them, on this thread and within the block.

    For whoever shows them where they belong; Python's own way of catching warnings is one for all threads.
    """
    kept: list[Warning] = []
    token = _gathered.set(kept)
    try:
        yield kept
    finally:
        _gathered.reset(token)


def warn(warning: Warning) -> None:
    """Issue a warning as of the first line outside this package.

    Where warnings are errors the instance itself is raised, so what it carries (an outcome, a record) is not lost.
    """
    kept = _gathered.get()
    if kept is not None:
        kept.append(warning)
        return
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "finetuning":
        frame = frame.f_back
        level += 1
    warnings.warn(warning, stacklevel=level)
