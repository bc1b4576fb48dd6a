"""What a run shows of itself, at any moment and from any thread."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from .ledger import Ledger
from .points import points_frame
from .state import FINAL, brief
from .table import run_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Looking"]


class Looking(ABC):
    """A run as its journal tells it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._drawn: tuple[int, pd.DataFrame] | None = None

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether it goes on in this process."""

    @property
    @abstractmethod
    def doing(self) -> str:
        """What it is waiting for, in words."""

    @property
    def name(self) -> str:
        """The name to load it by."""
        return self._ledger.name

    @property
    def path(self) -> Path:
        """The journal."""
        return self._ledger.path

    @property
    def points(self) -> pd.DataFrame:
        """What was to be made, one row a point; see `Sweep.points`."""
        plan = self._ledger.state.began.plan
        return points_frame([plan.values(point) for point in range(len(plan))])

    @property
    def frame(self) -> pd.DataFrame:
        """The run as a DataFrame, as it stands: one row a point; see `table.run_frame` for the columns."""
        self._ledger.refresh()
        version, cells = self._ledger.snapshot()
        drawn = self._drawn
        if drawn is None or drawn[0] != version:
            drawn = self._drawn = version, run_frame(self._ledger.state.began.plan, cells)
        return drawn[1].copy(deep=False)  # pandas copies what is written to

    @property
    def done(self) -> bool:
        """Whether nothing is left to send, or to wait for."""
        self._ledger.refresh()
        return self._ledger.state.done

    @property
    def stopped(self) -> str | None:
        """Why it paused before its end, where it did."""
        if self.running:
            return None
        reason = self._ledger.state.stopped
        return None if self._ledger.state.done else reason

    @property
    def summary(self) -> str:
        """One line: `9 of 12 points finished: 8 completed, 1 failed, 3 in flight`."""
        self._ledger.refresh()
        state = self._ledger.state
        counts = state.counts
        finished = sum(count for name, count in counts.items() if name in FINAL)
        line = f"{finished:,} of {len(state.cells):,} point{'' if len(state.cells) == 1 else 's'} finished"
        why = self.doing or (f"paused: {self.stopped}" if self.stopped else "")
        return f"{line}: {brief(counts)}" + (f"; {why}" if why else "")

    def __repr__(self) -> str:
        return f"SweepRun({self.name!r}: {self.summary})"

    def _repr_html_(self) -> str:
        hint = "" if self.done or self.running else "<br><code>run.resume()</code> goes on with it"
        return f"<div><b>{html.escape(self.name)}</b>: {html.escape(self.summary)}{hint}</div>"
