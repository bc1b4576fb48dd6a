"""Warnings that point at the line of the user's which caused them."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]


def warn(warning: Warning) -> None:
    """Issue a warning as of the first line outside this package.

    Where warnings are errors the instance itself is raised, so what it carries (an outcome, a record) is not lost.
    """
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "finetuning":
        frame = frame.f_back
        level += 1
    warnings.warn(warning, stacklevel=level)
