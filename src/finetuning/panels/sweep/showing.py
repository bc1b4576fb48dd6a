"""The run that a sweep panel shows: its points in the sheet, its takes in a deck, as they are made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from finetuning.sweep.run import SweepRun

from ..trouble import Trouble, shown
from .board import board, letters
from .estimate import Pace, rest_line
from .pulse import Pulse
from .sheet import Sheet
from .verdict import Standing

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

    from ..deck.widget import Deck

__all__ = ["Showing"]


class Showing:
    """Shows one run after the other.

    Parameters
    ----------
    client
        Whose takes they are.
    sheet
        Where the points are shown.
    place
        The box that the deck stands in.
    trouble
        Where errors are shown.
    pace
        Asked how fast takes are made.
    ended
        Called when a run has ended, on the thread that watched it.
    """

    def __init__(
        self,
        client: Client,
        sheet: Sheet,
        place: Any,
        trouble: Trouble,
        pace: Callable[[], Pace],
        ended: Callable[[SweepRun], Any],
    ) -> None:
        self._client = client
        self._sheet = sheet
        self._place = place
        self._trouble = trouble
        self._pace = pace
        self._ended = ended
        self._lock = threading.RLock()
        self._deck: Deck | None = None
        self.run: SweepRun | None = None
        self.pulse: Pulse | None = None
        self.closed = False

    @property
    def deck(self) -> Deck:
        """The deck of the run; an empty one before there is a run."""
        from ..deck.widget import Deck

        with self._lock:
            if self._deck is None:
                self._deck = Deck(self._client, self.run)
            return self._deck

    @property
    def standing(self) -> Standing | None:
        """Where the run stands."""
        run = self.run
        if run is None:
            return None
        uncertain = run.states.count("uncertain")
        return Standing(run.name, run.plan, running=run.running, done=run.done, uncertain=uncertain)

    @property
    def waiting(self) -> int:
        """How many credits the run will still spend, where it goes on."""
        run = self.run
        return run.states.count("waiting") if run is not None and run.running else 0

    def adopt(self, run: SweepRun) -> None:
        """Show another run, in a deck of its own."""
        with self._lock:
            before, self._deck, self.run = self._deck, None, run
        self._lay(run)
        self._place.children = (self.deck,)
        if before is not None:
            before.close()
        self._follow(run)

    def go_on(self, run: SweepRun) -> None:
        """Show that the run has other points, or goes on, or does not."""
        self._lay(run)
        self.deck.add(run)
        self._follow(run)

    def close(self) -> None:
        """Show nothing any more. The run goes on."""
        self.closed = True
        if self.pulse is not None:
            self.pulse.stop()
        if self._deck is not None:
            self._deck.close()

    def _follow(self, run: SweepRun) -> None:
        with self._lock:
            if self.pulse is not None:
                self.pulse.stop()
            self.pulse = None if self.closed else Pulse(run, self._beat)

    def _beat(self, run: SweepRun, last: bool) -> None:
        if run is not self.run or self.closed:
            return
        with shown(self._trouble):
            if len(run.states) != len(self._sheet.states):
                self._lay(run)
            self._tell(run)
        if last:
            self._ended(run)

    def _lay(self, run: SweepRun) -> None:
        self._sheet.board = board(run.plan)
        self._tell(run)

    def _tell(self, run: SweepRun) -> None:
        states, running = run.states, run.running
        self._sheet.states = letters(states)
        rest = rest_line(states.count("waiting"), self._pace()) if running else ""
        self._sheet.run = {"name": run.name, "summary": run.summary, "running": running, "rest": rest}
