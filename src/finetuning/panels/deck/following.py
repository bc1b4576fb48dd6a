"""Following a run on a thread of its own, until it is done or nobody looks any more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from weakref import ref

from finetuning.errors import FinetuningError

if TYPE_CHECKING:
    from finetuning.sweep.run import SweepRun

    from .widget import Deck

__all__ = ["Follower"]

#: Seconds between two glances; one reads a number, and what is new of a file.
_GLANCE: Final = 0.25
#: Glances after which a take that has been in the making for long is noticed, though nothing was recorded.
_ANYWAY: Final = 120


class Follower:
    """Tells a deck of its run.

    The thread holds the deck only while it tells it something, so a deck that nobody holds goes, and the thread with
    it.
    """

    def __init__(self, deck: Deck, run: SweepRun) -> None:
        self._deck = ref(deck)
        self._run = run
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="finetuning-follow", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still follows."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Follow no more; returns at once."""
        self._stopped.set()

    def _follow(self) -> None:
        seen, glances = -1, 0
        while not self._stopped.is_set():
            try:
                done, version = self._run.done, self._run.version
                glances += 1
                if (version != seen or glances % _ANYWAY == 0) and not self._tell():
                    return
                if done and version == self._run.version:
                    self._settle()
                    return
            except FinetuningError as problem:  # the journal is gone, say
                deck = self._deck()
                if deck is not None:
                    deck.complain(problem)
                return
            seen = version
            self._stopped.wait(_GLANCE)

    def _settle(self) -> None:
        deck = self._deck()
        if deck is not None:
            deck.settle()

    def _tell(self) -> bool:
        deck = self._deck()
        if deck is None:
            return False
        deck.look_again()
        return True
