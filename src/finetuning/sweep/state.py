"""Where each point of a run stands: the journal's events, one after the other, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from finetuning.records import Generation

from .events import (
    Absent,
    Accepted,
    Began,
    Bounded,
    Declined,
    Event,
    Extended,
    Finished,
    Intent,
    Lost,
    Noted,
    Oriented,
    PointEvent,
    Preferred,
    Rated,
    Refused,
    Rejected,
    Stopped,
    Undecided,
)

__all__ = ["FINAL", "SLOW", "STATES", "Cell", "State", "brief", "resuming"]

#: `waiting`: not sent. `sent`: left, no answer yet. `lost`: the answer was lost, and the listing will tell.
#: `generating`: the service has it. `uncertain`: the listing could not tell whether it was paid for. `refused`: the
#: service will not make it.
STATES: Final = ("waiting", "sent", "lost", "generating", "completed", "failed", "refused", "uncertain")
#: Nothing more happens to these by itself.
FINAL: Final = frozenset({"completed", "failed", "refused", "uncertain"})
_WORDS: Final = {
    "waiting": "to send",
    "sent": "sent without an answer yet",
    "lost": "to be looked for",
    "generating": "in flight",
}
_MAYBE_PAID: Final = frozenset({"sent", "lost", "uncertain"})
#: Seconds after which the service may have failed without saying so.
SLOW: Final = 300.0


@dataclass(slots=True)
class Cell:
    """What is known of one point.

    Attributes
    ----------
    since
        When it came into its state; the clock of this machine, UTC.
    reason
        Why it is refused, lost, uncertain, or waiting once more.
    after, before
        Of its last intent: a moment of the service's clock before it, and ids that were in the library already.
    """

    state: str = "waiting"
    since: datetime | None = None
    generation: Generation | None = None
    reason: str | None = None
    rating: int | None = None
    rejected: bool = False
    note: str | None = None
    after: datetime | None = None
    before: frozenset[str] = frozenset()

    def slow(self, moment: datetime) -> bool:
        """Whether it has been in the making for so long that it may have failed silently."""
        return self.state == "generating" and self.since is not None and (moment - self.since).total_seconds() > SLOW


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
        #: The answers that were given blindly, in their order.
        self.preferences: list[Preferred] = []
        self.stopped: str | None = None
        self.max_credits: int | None = None
        self.updated_at = began.at
        self._before: frozenset[str] = frozenset()

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
        if isinstance(event, Bounded):
            self.max_credits = event.max_credits
            return
        if isinstance(event, Oriented):
            self._before = frozenset(event.before)
            return
        if isinstance(event, Extended):
            self.began = replace(self.began, plan=self.began.plan.extended(event.axes, event.points))
            self.cells.extend(Cell() for _ in event.points)
            return
        if not 0 <= event.point < len(self.cells):
            raise ValueError(f"there is no point {event.point}; there are {len(self.cells)}")
        self._move(self.cells[event.point], event)

    def _move(self, cell: Cell, event: PointEvent) -> None:
        match event:
            case Rated():
                cell.rating = event.rating
                return
            case Rejected():
                cell.rejected = event.rejected
                return
            case Preferred():
                if not 0 <= event.over < len(self.cells):
                    raise ValueError(f"there is no point {event.over}; there are {len(self.cells)}")
                self.preferences.append(event)
                return
            case Noted():
                cell.note = event.note
                return
            case Intent():
                cell.state, cell.reason = "sent", None
                cell.after, cell.before = event.after, self._before
                self.stopped = None
            case Accepted():
                cell.state, cell.generation = _of(event.generation), event.generation
            case Finished():
                cell.state, cell.generation = _of(event.generation), event.generation
                cell.reason = event.generation.error_message
            case Declined() | Absent():
                cell.state, cell.reason = "waiting", event.reason
            case Refused():
                cell.state, cell.reason = "refused", event.reason
            case Lost():
                # As old as its intent: that long the service has had to carry it out.
                cell.state, cell.reason = "lost", event.reason
                return
            case Undecided():
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
    def spent(self) -> int:
        """How many credits went into this run, or may have gone."""
        return sum(cell.generation is not None or cell.state in _MAYBE_PAID for cell in self.cells)

    @property
    def bounded(self) -> bool:
        """Whether what is left to send is beyond `max_credits`, so that only a higher bound goes on."""
        return self.max_credits is not None and self.spent >= self.max_credits and bool(self.points("waiting"))

    @property
    def done(self) -> bool:
        """Whether nothing is left to send, or to wait for."""
        return all(cell.state in FINAL for cell in self.cells)


def resuming(state: State) -> str:
    """Return the call that goes on with a run that paused."""
    return "resume(max_credits=…)" if state.bounded else "resume()"


def brief(counts: Mapping[str, int]) -> str:
    """Say counts of states in words: `8 completed, 1 failed, 3 in flight`."""
    order = ("completed", "failed", "refused", "uncertain", "generating", "sent", "lost", "waiting")
    return ", ".join(f"{counts[state]:,} {_WORDS.get(state, state)}" for state in order if counts.get(state))


def _of(generation: Generation) -> str:
    return generation.status if generation.status in ("completed", "failed") else "generating"
