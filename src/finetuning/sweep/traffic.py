"""What is in flight in a run, and the signals between the one who sends and the one who follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from finetuning import errors
from finetuning.clock import Clock
from finetuning.records import Generation

from .ledger import Ledger, now

__all__ = ["Traffic"]

T = TypeVar("T")


class Traffic:
    """The state that sender and follower share, on one loop.

    Parameters
    ----------
    clock
        The client's.
    ledger
        Of the run.

    Attributes
    ----------
    flying : dict
        Point by id of what the service is making.
    since : dict
        When each of these was accepted, as the clock has it, or as near to it as is known.
    newest : datetime or None
        The latest moment of the service's own clock that is known.
    sending : bool
        Whether more may come into flight.
    no_more, leave : asyncio.Event
        Nothing is to be sent any more; nothing is to be looked at any more.
    news : asyncio.Event
        There is a reason to look at once.
    reason, error
        Why the run paused before its end, and the exception where it was one.
    """

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self.clock = clock
        self.flying: dict[str, int] = {}
        self.since: dict[str, float] = {}
        self.newest: datetime | None = None
        self.sending = True
        self.no_more = asyncio.Event()
        self.leave = asyncio.Event()
        self.news = asyncio.Event()
        self.reason: str | None = None
        self.error: errors.FinetuningError | None = None
        self._moved = asyncio.Event()
        self._waiting: tuple[str, float] | None = None
        moment = now()
        for point, cell in enumerate(ledger.state.cells):
            if cell.generation is None:
                continue
            self.saw(cell.generation)
            if cell.state == "generating":
                age = (moment - cell.since).total_seconds() if cell.since else 0.0
                self.takes_off(cell.generation.id, point, age=max(age, 0.0))

    def takes_off(self, id_: str, point: int, *, age: float = 0.0) -> None:
        """Take in that the service is making this, and for how many seconds already."""
        self.flying[id_] = point
        self.since[id_] = self.clock.monotonic() - age
        self.moved()

    def lands(self, id_: str) -> None:
        """Take in that it has ended."""
        del self.flying[id_], self.since[id_]
        self.moved()

    def saw(self, generation: Generation) -> None:
        """Take in what a record says of the service's clock."""
        made = generation.created_at
        if made is not None and (self.newest is None or made > self.newest):
            self.newest = made

    def pause_run(self, reason: str, error: errors.FinetuningError | None = None) -> None:
        """Send no more, and say why; the first reason stands."""
        if self.reason is None:
            self.reason, self.error = reason, error
        self.no_more.set()
        self.moved()

    def stop(self, reason: str) -> None:
        """Send no more and look no more."""
        self.pause_run(reason)
        self.leave.set()
        self.news.set()

    def moved(self) -> None:
        """Say that something has changed that others may wait for."""
        self._moved.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        # One loop, one thread: nothing can move between the question and the wait.
        while not condition():
            self._moved.clear()
            await self._moved.wait()

    async def pause(self, seconds: float, unless: asyncio.Event, why: str | None = None) -> None:
        """Wait for so long, or until told otherwise; `why` is shown meanwhile."""
        if why is not None:
            self.shown(why, seconds)
        try:
            await self.unless(self.clock.sleep(seconds), unless.wait())
        finally:
            if why is not None:
                self.shown("")

    async def unless(self, work: Coroutine[Any, Any, T], sign: Coroutine[Any, Any, object]) -> T | None:
        """Await something that may be given up at any moment; None where a sign of that came first.

        What it raises is raised here. Where both have come to their end, the work counts.
        """
        working, waking = asyncio.ensure_future(work), asyncio.ensure_future(sign)
        try:
            await asyncio.wait((working, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (working, waking):
                each.cancel()
            await asyncio.gather(working, waking, return_exceptions=True)
        return None if working.cancelled() else working.result()

    @property
    def doing(self) -> str:
        """What is being waited for, with the seconds left; empty where nothing is in the way."""
        waiting = self._waiting
        if waiting is None:
            return ""
        why, until = waiting
        return f"{why}, going on in {max(0.0, until - self.clock.monotonic()):.0f} s"

    def shown(self, why: str, seconds: float = 0.0) -> None:
        """Show what is being waited for and for how long; nothing any longer where it is empty."""
        self._waiting = (why, self.clock.monotonic() + seconds) if why else None
