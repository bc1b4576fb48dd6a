"""The engine of a run: one task sends the points, another follows what is in flight.

Every step is in the journal before the next one rests on it: the intent before the request, the answer after it. So
whatever ends a run, the journal says which points are surely unpaid, which are paid, and which are neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec

from finetuning import errors, protocol
from finetuning.client.aio import AsyncClient
from finetuning.records import Created, Generation

from .events import Accepted, Declined, Finished, Intent, Lost, PointEvent, Refused, Stopped
from .ledger import Ledger, now
from .tracking import interval, look
from .verdicts import Verdict, is_passing, judge

__all__ = ["CANCELLED", "Runner"]

CANCELLED: Final = "cancelled"
#: Answers lost in a row, after which something is wrong that more requests will not mend.
_LOST_MAX: Final = 3
#: Looks that failed in a row, after which the run pauses; with the growing pauses between them, about five minutes.
_BLIND_MAX: Final = 10
#: How often a generation must be missing before it counts as gone: a listing may lag behind a create.
_GONE_AFTER: Final = 3
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


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

    Attributes
    ----------
    reason : str or None
        Why the run paused before its end.
    error : FinetuningError or None
        What made it pause, where that was an exception.
    """

    def __init__(self, client: AsyncClient, ledger: Ledger, *, at_once: int) -> None:
        self._client = client
        self._clock = client.transport.clock
        self._ledger = ledger
        self._at_once = at_once
        state = ledger.state
        self._todo = state.points("waiting")
        self._flying = {
            cell.generation.id: point
            for point, cell in enumerate(state.cells)
            if cell.state == "generating" and cell.generation is not None
        }
        self._missing: dict[str, int] = {}
        self._lost = 0
        self._sending = True
        self._no_more = asyncio.Event()
        self._leave = asyncio.Event()
        self._moved = asyncio.Event()
        self._waiting: tuple[str, float] | None = None
        self.reason: str | None = None
        self.error: errors.FinetuningError | None = None

    @property
    def doing(self) -> str:
        """What it is waiting for, with the seconds left; empty where nothing is in the way."""
        waiting = self._waiting
        if waiting is None:
            return ""
        why, until = waiting
        return f"{why}, going on in {max(0.0, until - self._clock.monotonic()):.0f} s"

    async def run(self) -> None:
        """Go on until every point is done, or none can be.

        Raises
        ------
        JournalError
            The journal takes nothing more.
        """
        tasks = [asyncio.create_task(self._send_all()), asyncio.create_task(self._follow())]
        try:
            await asyncio.gather(*tasks)
            if self.reason is not None:
                self._ledger.record(Stopped(at=now(), reason=self.reason))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._ledger.release()

    async def stop(self) -> None:
        """Send no more and look no more; a request that has left is awaited, and what is paid for goes on."""
        self._pause_run(CANCELLED)
        self._leave.set()
        self._moved.set()

    # Sending

    async def _send_all(self) -> None:
        plan, local = self._ledger.state.began.plan, self._client.transport.local
        try:
            for point in self._todo:
                body = plan.body(point, local=local)
                turn = _Turn()
                while turn.open:
                    await self._until(lambda: len(self._flying) < self._at_once or self._no_more.is_set())
                    if self._no_more.is_set():
                        return
                    await self._send(point, body, turn)
        finally:
            self._sending = False
            self._moved.set()

    async def _send(self, point: int, body: dict[str, Any], turn: _Turn) -> None:
        self._ledger.record(Intent(at=now(), point=point))
        try:
            answer = await self._client.transport.send(protocol.create_generation(body), wait=False)
        except errors.FinetuningError as error:
            await self._declined(point, error, turn)
            return
        except BaseException as problem:
            what = "the client was closed" if isinstance(problem, asyncio.CancelledError) else repr(problem)
            self._ledger.record(Lost(at=now(), point=point, reason=f"Before the answer came, {what}."))
            raise
        turn.open = False
        self._lost = 0
        self._accept(point, _generation(answer.value))

    def _accept(self, point: int, generation: Generation) -> None:
        events: list[PointEvent] = [Accepted(at=now(), point=point, generation=generation)]
        if generation.finished:
            events.append(Finished(at=now(), point=point, generation=generation))
        try:
            self._ledger.record(*events)
        except errors.JournalError as problem:
            problem.add_note(f"The service had accepted point {point} as {generation.id}.")
            raise
        if not generation.finished:
            self._flying[generation.id] = point
            self._moved.set()

    async def _declined(self, point: int, error: errors.FinetuningError, turn: _Turn) -> None:
        verdict = judge(error)
        reason = _said(error)
        if verdict is Verdict.REFUSE:
            turn.open = False
            self._ledger.record(Refused(at=now(), point=point, reason=reason))
        elif verdict is Verdict.UNCERTAIN:
            turn.open = False
            self._ledger.record(Lost(at=now(), point=point, reason=reason))
            self._lost += 1
            if self._lost >= _LOST_MAX:
                self._pause_run(f"{self._lost} answers in a row were lost, the last: {reason}", error)
        else:
            self._ledger.record(Declined(at=now(), point=point, reason=reason))
            if verdict is Verdict.STOP:
                self._pause_run(reason, error)
            elif verdict is Verdict.QUEUE and self._flying:
                await self._for_room()
            else:
                await self._wait_a_turn(reason, error, turn)

    async def _for_room(self) -> None:
        """Wait until one of ours has finished: the queue is the account's, and ours are in it."""
        before = len(self._flying)
        await self._until(lambda: len(self._flying) < before or self._no_more.is_set())

    async def _wait_a_turn(self, reason: str, error: errors.FinetuningError, turn: _Turn) -> None:
        seconds = turn.next_pause(getattr(error, "retry_after", None))
        # Others' generations leave the queue in their own time; everything else has a bound.
        endless = isinstance(error, errors.QueueFullError)
        if not endless and turn.waited + seconds > self._client.transport.policy.max_wait:
            self._pause_run(reason, error)
            return
        turn.waited += seconds
        await self._pause(seconds, self._no_more, why=reason)

    # Following

    async def _follow(self) -> None:
        blind = 0
        while True:
            await self._until(lambda: bool(self._flying) or not self._sending or self._leave.is_set())
            if not self._flying or self._leave.is_set():
                return
            pause = min(_LONGEST_PAUSE, interval(self._client) * 2**blind)
            await self._pause(pause, self._leave)
            if self._leave.is_set():
                return
            cells = self._ledger.state.cells
            known = {id_: cells[point].generation for id_, point in self._flying.items()}
            try:
                found = await look(self._client, {id_: row for id_, row in known.items() if row is not None})
            except errors.FinetuningError as error:
                blind += 1
                if blind >= _BLIND_MAX or not is_passing(error):
                    self._pause_run(_said(error), error)
                    return
            else:
                blind = 0
                self._settle(found)

    def _settle(self, found: dict[str, Generation | None]) -> None:
        """Take in what a look has shown, in one write."""
        finished: list[Finished] = []
        for id_, row in found.items():
            point = self._flying[id_]
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
                del self._flying[event.generation.id]
            self._moved.set()

    def _gone(self, id_: str, point: int) -> Generation | None:
        self._missing[id_] = self._missing.get(id_, 0) + 1
        known = self._ledger.state.cells[point].generation
        if self._missing[id_] < _GONE_AFTER or known is None:
            return None
        return msgspec.structs.replace(known, status="failed", error_message="It is no longer in the library.")

    # Waiting

    def _pause_run(self, reason: str, error: errors.FinetuningError | None = None) -> None:
        if self.reason is None:
            self.reason, self.error = reason, error
        self._no_more.set()
        self._moved.set()

    async def _until(self, condition: Callable[[], bool]) -> None:
        # One loop, one thread: nothing can move between the question and the wait.
        while not condition():
            self._moved.clear()
            await self._moved.wait()

    async def _pause(self, seconds: float, unless: asyncio.Event, why: str | None = None) -> None:
        if why is not None:
            self._waiting = why, self._clock.monotonic() + seconds
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        waking = asyncio.ensure_future(unless.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if why is not None:
                self._waiting = None
            for each in (sleeping, waking):
                each.cancel()
            await asyncio.gather(sleeping, waking, return_exceptions=True)


class _Turn:
    """How one point's attempts are going."""

    def __init__(self) -> None:
        self.open = True
        self.waited = 0.0
        self._pause = _FIRST_PAUSE

    def next_pause(self, asked: float | None) -> float:
        """Return the seconds to wait: what the service asked for, else a pause that doubles each time."""
        if asked is not None:
            return max(asked, 0.1)
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        return pause


def _said(error: errors.FinetuningError) -> str:
    code = f" [{error.status} {error.code}]" if isinstance(error, errors.APIError) else ""
    return error.message + code


def _generation(created: Created) -> Generation:
    """Return what was created as any other generation, without what is left to spend."""
    fields = {name: getattr(created, name) for name in Generation.__struct_fields__}
    return Generation(**fields)
