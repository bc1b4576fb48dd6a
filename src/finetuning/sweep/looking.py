"""What a run shows of itself, at any moment and from any thread."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from .ledger import Ledger, now
from .points import Plan, points_frame
from .state import FINAL, SLOW, brief, resuming
from .table import run_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Looking"]


class Looking(ABC):
    """A run as its journal tells it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._drawn: tuple[tuple[int, tuple[int, ...]], pd.DataFrame] | None = None

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
    def plan(self) -> Plan:
        """What is to be made, with what it was extended by, as it is journaled."""
        self._ledger.refresh()
        return self._ledger.state.began.plan

    @property
    def states(self) -> list[str]:
        """Where each point stands, one of `state.STATES`; cheaper than `frame`."""
        self._ledger.refresh()
        return [cell.state for cell in self._ledger.state.cells]

    @property
    def spent(self) -> int:
        """How many credits went into this run, or may have gone."""
        self._ledger.refresh()
        return self._ledger.state.spent

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
        slow = self._slow()
        drawn = self._drawn
        if drawn is None or drawn[0] != (version, slow):
            drawn = self._drawn = (version, slow), run_frame(self._ledger.state.began.plan, cells, slow)
        return drawn[1].copy(deep=False)  # pandas copies what is written to

    @property
    def preferences(self) -> list[tuple[int, int, bool]]:
        """The answers that were given blindly, in their order: the better point, the other, whether they were equal."""
        self._ledger.refresh()
        return [(each.point, each.over, each.same) for each in self._ledger.state.preferences]

    @property
    def version(self) -> int:
        """Grows with each thing that is learnt of the run; where it is the same, `frame` is."""
        self._ledger.refresh()
        return self._ledger.version

    def _slow(self) -> tuple[int, ...]:
        moment = now()
        return tuple(point for point, cell in enumerate(self._ledger.state.cells) if cell.slow(moment))

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
        slow = len(self._slow())
        late = f", {slow} of them for over {SLOW / 60:.0f} minutes: they may have failed silently" if slow else ""
        why = self.doing or (f"paused: {self.stopped}" if self.stopped else "")
        return f"{line}: {brief(counts)}{late}" + (f"; {why}" if why else "")

    def __repr__(self) -> str:
        return f"SweepRun({self.name!r}: {self.summary})"

    def _repr_html_(self) -> str:
        call = f"run.{resuming(self._ledger.state)}"
        hint = "" if self.done or self.running else f"<br><code>{call}</code> goes on with it"
        return f"<div><b>{html.escape(self.name)}</b>: {html.escape(self.summary)}{hint}</div>"
