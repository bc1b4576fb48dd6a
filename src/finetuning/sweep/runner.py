"""The engine of a run: one task sends the points, another follows what is in flight.

Every step is in the journal before the next one rests on it: the intent before the request, the answer after it. So
whatever ends a run, the journal says which points are surely unpaid, which are paid, and which are neither.
"""

from __future__ import annotations

import asyncio
from typing import Final

from finetuning import errors
from finetuning.client.aio import AsyncClient

from .events import Bounded, Extended, Stopped
from .following import Follower, Told
from .ledger import Ledger, now
from .sending import Sender
from .traffic import Traffic

__all__ = ["CANCELLED", "Runner"]

CANCELLED: Final = "cancelled"


class Runner:
    """Sends the waiting points of a run and follows all that is in flight, on the client's own loop.

    Parameters
    ----------
    client
        On whose loop `run` is awaited.
    ledger
        Of the run, held; it is released when `run` ends.
    at_once
        How many generations may be in flight.
    told
        What the service calls at the end of each, instead of being asked.
    """

    def __init__(self, client: AsyncClient, ledger: Ledger, *, at_once: int, told: Told | None = None) -> None:
        self._ledger = ledger
        self._traffic = Traffic(client.transport.clock, ledger)
        webhook = told.url if told is not None else None
        self._sender = Sender(client, ledger, self._traffic, at_once=at_once, webhook=webhook)
        self._follower = Follower(client, ledger, self._traffic, told)

    @property
    def reason(self) -> str | None:
        """Why the run paused before its end."""
        return self._traffic.reason

    @property
    def error(self) -> errors.FinetuningError | None:
        """What made it pause, where that was an exception."""
        return self._traffic.error

    @property
    def doing(self) -> str:
        """What it is waiting for, with the seconds left; empty where nothing is in the way."""
        return self._traffic.doing

    async def run(self) -> None:
        """Go on until every point is done, or none can be.

        Raises
        ------
        JournalError
            The journal takes nothing more.
        """
        tasks = [asyncio.create_task(self._sender.run()), asyncio.create_task(self._follower.run())]
        try:
            await asyncio.gather(*tasks)
            if self.reason is not None:
                self._ledger.record(Stopped(at=now(), reason=self.reason))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._ledger.release()

    async def take_in(self, *events: Extended | Bounded) -> bool:
        """Record more points and send them too, or another bound; False, and nothing done, where no more is sent."""
        if not self._traffic.sending or self._traffic.no_more.is_set():
            return False
        first = len(self._ledger.state.cells)
        self._ledger.record(*events)
        self._sender.add(range(first, len(self._ledger.state.cells)))
        return True

    async def stop(self) -> None:
        """Send no more and look no more; a request that has left is awaited, and what is paid for goes on."""
        self._traffic.stop(CANCELLED)
