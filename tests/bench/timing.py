"""How the bench takes and prints its figures."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any


def best(function: Callable[[], Any], repeat: int = 3) -> float:
    """Least seconds of several calls: what the machine can do when nothing else disturbs it."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def paired(first: str, second: str, repeat: int = 15) -> tuple[float, float, float]:
    """Median seconds of two programs, each in fresh interpreters run in turn, and the median of the pairs' ratios."""
    for code in (first, second):  # once unseen, so that both find their files in the cache
        _seconds(code)
    pairs = [(_seconds(first), _seconds(second)) for _ in range(repeat)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def _seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def line(what: str, figure: str, beside: str, ratio: float, bound: str) -> None:
    """Print one figure: what, how much, beside what, the ratio, and the bound that it is held against."""
    print(f"{what:<58} {figure:>12}   {beside:<54} ratio {ratio:6.2f}   {bound}", flush=True)
