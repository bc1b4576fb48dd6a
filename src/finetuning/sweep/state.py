"""Where each point of a run stands: the journal's events, one after the other, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from finetuning.records import Generation

from .events import (
    Accepted,
    Began,
    Declined,
    Event,
    Finished,
    Intent,
    Lost,
    Noted,
    PointEvent,
    Rated,
    Refused,
    Stopped,
)

__all__ = ["FINAL", "STATES", "Cell", "State", "brief"]

#: `waiting`: not sent. `sent`: left, no answer yet. `generating`: the service has it. `uncertain`: the answer was
#: lost, and it may have been paid for. `refused`: the service will not make it.
STATES: Final = ("waiting", "sent", "generating", "completed", "failed", "refused", "uncertain")
#: Nothing more happens to these by itself.
FINAL: Final = frozenset({"completed", "failed", "refused", "uncertain"})
_WORDS: Final = {"waiting": "to send", "sent": "sent without an answer yet", "generating": "in flight"}


@dataclass(slots=True)
class Cell:
    """What is known of one point.

    Attributes
    ----------
    since
        When it came into its state; the clock of this machine, UTC.
    reason
        Why it is refused, uncertain, or waiting once more.
    """

    state: str = "waiting"
    since: datetime | None = None
    generation: Generation | None = None
    reason: str | None = None
    rating: int | None = None
    note: str | None = None


class State:
    """The points of a run, and why it paused.

    Parameters
    ----------
    began
        The first event of the journal.
    """

    def __init__(self, began: Began) -> None:
        self.began = began
        self.cells = [Cell() for _ in began.plan.points]
        self.stopped: str | None = None
        self.updated_at = began.at

    def apply(self, event: Event) -> None:
        """Take one event in.

        Raises
        ------
        ValueError
            It speaks of a point that the run does not have, or begins the run again.
        """
        if isinstance(event, Began):
            raise ValueError("the run begins a second time")
        self.updated_at = max(self.updated_at, event.at)
        if isinstance(event, Stopped):
            self.stopped = event.reason
            return
        if not 0 <= event.point < len(self.cells):
            raise ValueError(f"there is no point {event.point}; there are {len(self.cells)}")
        self._move(self.cells[event.point], event)

    def _move(self, cell: Cell, event: PointEvent) -> None:
        match event:
            case Rated():
                cell.rating = event.rating
                return
            case Noted():
                cell.note = event.note
                return
            case Intent():
                cell.state, cell.reason = "sent", None
                self.stopped = None
            case Accepted():
                cell.state, cell.generation = _of(event.generation), event.generation
            case Finished():
                cell.state, cell.generation = _of(event.generation), event.generation
                cell.reason = event.generation.error_message
            case Declined():
                cell.state, cell.reason = "waiting", event.reason
            case Refused():
                cell.state, cell.reason = "refused", event.reason
            case Lost():
                cell.state, cell.reason = "uncertain", event.reason
        cell.since = event.at

    def points(self, *states: str) -> list[int]:
        """Return the points in any of these states, in order."""
        return [point for point, cell in enumerate(self.cells) if cell.state in states]

    @property
    def counts(self) -> dict[str, int]:
        """How many points are in each state, those that are none left out."""
        found = Counter(cell.state for cell in self.cells)
        return {state: found[state] for state in STATES if found[state]}

    @property
    def done(self) -> bool:
        """Whether nothing is left to send, or to wait for."""
        return all(cell.state in FINAL for cell in self.cells)


def brief(counts: Mapping[str, int]) -> str:
    """Say counts of states in words: `8 completed, 1 failed, 3 in flight`."""
    order = ("completed", "failed", "refused", "uncertain", "generating", "sent", "waiting")
    return ", ".join(f"{counts[state]:,} {_WORDS.get(state, state)}" for state in order if counts.get(state))


def _of(generation: Generation) -> str:
    return generation.status if generation.status in ("completed", "failed") else "generating"
