"""Following what is in flight until it has ended, by listing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

import msgspec

from finetuning import errors
from finetuning.client.aio import AsyncClient
from finetuning.client.polling import generosity
from finetuning.records import Generation

from .events import Finished
from .forecast import Forecast
from .ledger import Ledger, now
from .sending import said
from .tracking import look
from .traffic import Traffic
from .verdicts import is_passing

__all__ = ["Follower", "Told"]

#: Looks that failed in a row, after which the run pauses; with the growing pauses between them, about five minutes.
_BLIND_MAX: Final = 10
#: How often a generation must be missing before it counts as gone: a listing may lag behind a create.
_GONE_AFTER: Final = 3
_QUICKEST: Final = 0.25
_LONGEST_PAUSE: Final = 60.0
#: Seconds between two looks where the service calls at each end; and from a call to the look that it is a reason for.
_TOLD_PAUSE: Final = 60.0
_GATHERING: Final = 0.2
#: Seconds between two thoughts of when to look.
_STEP: Final = 2.0
#: Times the documented limit, from which on single reads are cheap.
_GENEROUS: Final = 10.0


class Told(Protocol):
    """Something that the service tells of ends, such as `webhooks.Receiver`."""

    @property
    def url(self) -> str:
        """Where the service calls."""
        ...

    def subscribe(self, callback: Callable[[Generation], Any]) -> Callable[[], None]:
        """Call back with each generation that was told of, on any thread; returns what ends it."""
        ...


class Follower:
    """Looks at what is in flight, as seldom as will do, and writes down what has ended.

    Parameters
    ----------
    client
        On whose loop it runs.
    ledger, traffic
        Of the run.
    told
        What the service calls at each end. A call is only a reason to look: whoever forges one gains nothing.
    """

    def __init__(self, client: AsyncClient, ledger: Ledger, traffic: Traffic, told: Told | None = None) -> None:
        self._client = client
        self._ledger = ledger
        self._traffic = traffic
        self._told = told
        self._clock = client.transport.clock
        self._forecast = Forecast()
        self._missing: dict[str, int] = {}
        self._looked = self._clock.monotonic()
        for cell in ledger.state.cells:
            if cell.generation is not None and cell.state == "completed":
                self._learn(cell.generation, None)

    async def run(self) -> None:
        """Go on until nothing is in flight and nothing more will be, or nothing is to be looked at any more."""
        traffic = self._traffic
        blind = 0
        with self._listening():
            if traffic.flying:
                traffic.news.set()  # what ended before anybody listened is not told of again
            while True:
                await traffic.until(lambda: traffic.flying or not traffic.sending or traffic.leave.is_set())
                if not traffic.flying or traffic.leave.is_set():
                    return
                await self._rest(blind)
                if traffic.leave.is_set():
                    return
                try:
                    found = await traffic.unless(self._look(), traffic.leave.wait())
                except errors.FinetuningError as error:
                    blind += 1
                    if blind >= _BLIND_MAX or not is_passing(error):
                        traffic.pause_run(said(error), error)
                        return
                else:
                    blind = 0
                    self._settle(found or {})

    # Resting

    async def _rest(self, blind: int) -> None:
        """Pause until a look is worth its request."""
        traffic = self._traffic
        if blind:
            pause = min(_LONGEST_PAUSE, (self._due() - self._looked) * 2**blind)
            await traffic.pause(pause, traffic.leave, why="the library could not be read")
            return
        while traffic.flying and not traffic.leave.is_set():
            left = self._due() - self._clock.monotonic()
            if left <= 0:
                return
            if self._told is None:
                # What takes off meanwhile moves the next look forward, so it is asked again in a while.
                await traffic.pause(min(left, self._pace(_STEP)), traffic.leave)
                continue
            if not traffic.news.is_set():
                await traffic.pause(left, traffic.news)
            if traffic.news.is_set():
                traffic.news.clear()
                await traffic.pause(_GATHERING, traffic.leave)  # calls come in groups, and one look is for all
                return

    def _due(self) -> float:
        """Return when to look next."""
        since = self._traffic.since.values()
        start = max(self._looked, min(since, default=self._looked))
        if self._told is not None:
            return start + _TOLD_PAUSE
        return start + self._pace(self._forecast.next_look(since, self._looked) - start)

    def _pace(self, seconds: float) -> float:
        """Return the seconds that a pause may be where the service allows more than is documented."""
        return max(_QUICKEST, seconds / max(generosity(self._client.transport), 1.0))

    def _listening(self) -> AbstractContextManager[Any]:
        told = self._told
        if told is None:
            return nullcontext()
        loop = asyncio.get_running_loop()

        def tell(_: Generation) -> None:
            # The answer to a create may come after the call that its end is told by, so any call is a reason.
            loop.call_soon_threadsafe(self._traffic.news.set)

        return _Subscription(told.subscribe(tell))

    # Looking

    async def _look(self) -> dict[str, Generation | None]:
        cells = self._ledger.state.cells
        known = {id_: cells[point].generation for id_, point in self._traffic.flying.items()}
        try:
            return await look(
                self._client,
                {id_: row for id_, row in known.items() if row is not None},
                details=generosity(self._client.transport) >= _GENEROUS,
            )
        finally:
            self._looked = self._clock.monotonic()

    def _settle(self, found: dict[str, Generation | None]) -> None:
        """Take in what a look has shown, in one write."""
        traffic = self._traffic
        finished: list[Finished] = []
        for id_, row in found.items():
            point = traffic.flying[id_]
            row = row or self._gone(id_, point)
            if row is None:
                continue
            if row.finished:
                finished.append(Finished(at=now(), point=point, generation=row))
            else:
                self._missing.pop(id_, None)
                self._ledger.observe(point, row)
        if finished:
            self._ledger.record(*finished)
            for event in finished:
                self._learn(event.generation, self._looked - traffic.since[event.generation.id])
                traffic.lands(event.generation.id)

    def _learn(self, generation: Generation, seen: float | None) -> None:
        """Learn how long one took: as the service's own times say, else as it was seen."""
        made, ended = generation.created_at, generation.completed_at
        if made is not None and ended is not None and ended >= made:
            seconds: float | None = (ended - made).total_seconds()
        else:
            seconds = generation.generation_time or seen
        if generation.status == "completed" and seconds is not None:
            self._forecast.learn(seconds)

    def _gone(self, id_: str, point: int) -> Generation | None:
        self._missing[id_] = self._missing.get(id_, 0) + 1
        known = self._ledger.state.cells[point].generation
        if self._missing[id_] < _GONE_AFTER or known is None:
            return None
        return msgspec.structs.replace(known, status="failed", error_message="It is no longer in the library.")


class _Subscription:
    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def __enter__(self) -> None:
        return None

    def __exit__(self, *problem: object) -> None:
        self._end()
