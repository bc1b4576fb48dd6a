"""Sending the points of a run, each at most once.

The intent is in the journal before the request leaves, and what came of it after. Where the answer was lost, the
listing is asked for the generation before the point may leave again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from finetuning import errors, protocol
from finetuning.client.aio import AsyncClient
from finetuning.pacing import Place
from finetuning.records import Created, Generation

from .events import Absent, Accepted, Declined, Finished, Intent, Lost, Oriented, PointEvent, Refused, Undecided
from .finding import SKEW, Wanted, find
from .ledger import Ledger, now
from .shelf import known_ids
from .traffic import Traffic
from .verdicts import Verdict, is_passing, judge

__all__ = ["Sender"]

#: Answers lost in a row, after which nothing new is sent until the listing has said what became of those.
_LOST_MAX: Final = 3
#: How often one point is sent, after which something is wrong that more requests will not mend.
_TRIES_MAX: Final = 6
#: Looks that failed in a row, after which the run pauses.
_BLIND_MAX: Final = 8
_LIMITED: Final = "the rate limit is reached"
#: The first version of the journal that keeps moments of the service's clock; and by how much this machine's may
#: be wrong where an older one is all there is.
_ORIENTED: Final = 2
_DOUBT: Final = timedelta(hours=1)
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


class Sender:
    """Sends what is waiting, and finds out about what was lost.

    Parameters
    ----------
    client
        On whose loop it runs.
    ledger, traffic
        Of the run.
    at_once
        How many generations may be in flight.
    webhook
        URL that the service is to call at the end of each, where the points name none.
    """

    def __init__(
        self, client: AsyncClient, ledger: Ledger, traffic: Traffic, *, at_once: int, webhook: str | None = None
    ) -> None:
        self._client = client
        self._transport = client.transport
        self._ledger = ledger
        self._traffic = traffic
        self._at_once = at_once
        self._webhook = webhook
        self._clock = client.transport.clock
        state = ledger.state
        self._todo = deque(state.points("waiting"))
        #: When the listing may be asked, by point.
        self._lost: dict[int, float] = {}
        self._lost_in_row = 0
        self._blind = 0
        self._tries: Counter[int] = Counter()
        self._waited = 0.0
        self._pause = _FIRST_PAUSE
        self._why = _LIMITED
        moment = now()
        for point in state.points("lost", "uncertain"):
            since = state.cells[point].since
            age = (moment - since).total_seconds() if since else 0.0
            self._lost[point] = self._clock.monotonic() + self._transport.policy.settle - max(age, 0.0)

    def add(self, points: Iterable[int]) -> None:
        """Send these too."""
        self._todo.extend(points)
        self._traffic.moved()

    async def run(self) -> None:
        """Send until nothing is left to send, nor in flight, or nothing may be sent any more.

        Raises
        ------
        JournalError
            The journal takes nothing more.
        """
        traffic = self._traffic
        try:
            oriented = False
            while not traffic.no_more.is_set():
                clock = self._clock.monotonic()
                if due := [point for point, at in self._lost.items() if at <= clock]:
                    await self._look_for(due)
                elif self._may_send() and not oriented:
                    oriented = await self._orient()
                elif self._may_send():
                    await self._next()
                elif self._lost:
                    await self._until_due(min(self._lost.values()) - clock)
                elif traffic.flying:
                    await traffic.until(lambda: self._may_send() or not traffic.flying or traffic.no_more.is_set())
                else:
                    return
        finally:
            traffic.sending = False
            traffic.moved()

    def _may_send(self) -> bool:
        """Whether something is to be sent, and nothing is to be waited for before."""
        if not self._todo or (self._lost and (self._lost_in_row >= _LOST_MAX or self._spent)):
            return False
        return len(self._traffic.flying) + len(self._lost) < self._at_once

    @property
    def _spent(self) -> bool:
        """Whether the run may spend no more; what was lost may turn out not to have been spent."""
        state = self._ledger.state
        return state.max_credits is not None and state.spent >= state.max_credits

    async def _until_due(self, seconds: float) -> None:
        """Wait until a lost answer may be looked for, or there is something to send."""
        traffic = self._traffic
        traffic.shown("a lost answer is looked for", seconds)
        try:
            await traffic.unless(
                self._clock.sleep(seconds), traffic.until(lambda: self._may_send() or traffic.no_more.is_set())
            )
        finally:
            traffic.shown("")

    async def _orient(self) -> bool:
        """Learn a moment of the service's own clock, and what it has made about then; False where that failed.

        Whatever is sent from here on is created later, and is none of these.
        """
        traffic = self._traffic
        try:
            page = await traffic.unless(
                self._transport.send(protocol.list_generations(limit=protocol.PAGE_MAX)), traffic.no_more.wait()
            )
        except errors.FinetuningError as error:
            await self._after_blind(error)
            return False
        if page is None:
            return False
        self._blind = 0
        rows = page.value.generations
        for row in rows:
            traffic.saw(row)
        newest = traffic.newest
        young = [row.id for row in rows if not (newest and row.created_at and row.created_at < newest - SKEW)]
        if young:
            self._ledger.record(Oriented(at=now(), before=young))
        return True

    # One point

    async def _next(self) -> None:
        traffic = self._traffic
        if self._spent:
            bound = self._ledger.state.max_credits
            traffic.pause_run(f"max_credits={bound} are spent; run.resume(max_credits=…) goes on")
            return
        point = self._todo[0]
        request = protocol.create_generation(self._body(point))
        place = await self._place(request)
        if place is None:
            return
        self._todo.popleft()
        self._tries[point] += 1
        try:
            self._ledger.record(Intent(at=now(), point=point, after=traffic.newest))
        except BaseException:
            place.unused()
            raise
        try:
            answer = await self._transport.send(request, wait=False, place=place)
        except errors.FinetuningError as error:
            await self._declined(point, error)
            return
        except BaseException as problem:
            what = "the client was closed" if isinstance(problem, asyncio.CancelledError) else repr(problem)
            self._ledger.record(Lost(at=now(), point=point, reason=f"Before the answer came, {what}."))
            raise
        self._lost_in_row, self._waited, self._pause, self._why = 0, 0.0, _FIRST_PAUSE, _LIMITED
        self._accept(point, _generation(answer.value))

    def _body(self, point: int) -> dict[str, Any]:
        body = self._ledger.state.began.plan.body(point, local=self._transport.local)
        return body if self._webhook is None else {"webhook": self._webhook, **body}

    async def _place(self, request: protocol.Request[Any]) -> Place | None:
        """Wait until the limit lets a create leave; None where it is not to leave any more."""
        traffic = self._traffic
        place: Place | None = None

        async def take() -> None:
            nonlocal place
            place = await self._transport.place(request, lambda _, seconds: traffic.shown(self._why, seconds))

        try:
            await traffic.unless(take(), traffic.no_more.wait())
        except errors.FinetuningError as problem:
            traffic.pause_run(said(problem), problem)
        except BaseException:
            if place is not None:
                place.unused()
            raise
        finally:
            traffic.shown("")
        if place is not None and traffic.no_more.is_set():
            place.unused()
            return None
        return place

    def _accept(self, point: int, generation: Generation) -> None:
        events: list[PointEvent] = [Accepted(at=now(), point=point, generation=generation)]
        # One that has failed without a word is looked at once more, for the reason.
        finished = generation.status == "completed" or (generation.finished and bool(generation.error_message))
        if finished:
            events.append(Finished(at=now(), point=point, generation=generation))
        try:
            self._ledger.record(*events)
        except errors.JournalError as problem:
            problem.add_note(f"The service had accepted point {point} as {generation.id}.")
            raise
        self._traffic.saw(generation)
        if not finished:
            self._traffic.takes_off(generation.id, point)

    async def _declined(self, point: int, error: errors.FinetuningError) -> None:
        verdict, reason = judge(error), said(error)
        if verdict is Verdict.REFUSE:
            self._ledger.record(Refused(at=now(), point=point, reason=reason))
            return
        if verdict is Verdict.UNCERTAIN:
            self._ledger.record(Lost(at=now(), point=point, reason=reason))
            self._lost[point] = self._clock.monotonic() + self._transport.policy.settle
            self._lost_in_row += 1
            if self._tries[point] >= _TRIES_MAX:
                self._traffic.pause_run(f"point {point} was sent {self._tries[point]} times, the last: {reason}", error)
            return
        self._ledger.record(Declined(at=now(), point=point, reason=reason))
        self._todo.appendleft(point)
        self._tries[point] -= 1  # nothing was tried of it
        if verdict is Verdict.STOP:
            self._traffic.pause_run(reason, error)
        elif verdict is Verdict.QUEUE and self._traffic.flying:
            await self._for_room()
        elif verdict is Verdict.QUEUE or isinstance(error, errors.ConnectError):
            await self._wait_a_turn(reason, error)
        else:
            # A limit: the pacer keeps to what the service said. Again and again without an end is another matter.
            self._why = reason
            self._waited += self._transport.pacer["create"].ready_in() or 0.0
            if self._waited > self._transport.policy.max_wait:
                self._traffic.pause_run(reason, error)

    async def _for_room(self) -> None:
        """Wait until one of ours has finished: the queue is the account's, and ours are in it."""
        traffic = self._traffic
        before = len(traffic.flying)
        await traffic.until(lambda: len(traffic.flying) < before or traffic.no_more.is_set())

    async def _wait_a_turn(self, reason: str, error: errors.FinetuningError) -> None:
        announced = getattr(error, "retry_after", None) or 0.0
        seconds = max(announced or self._growing(), 0.1)
        # Others' generations leave the queue in their own time, of which each wait has a bound; of everything else
        # all waits together have it.
        full = isinstance(error, errors.QueueFullError)
        if (announced if full else self._waited + seconds) > self._transport.policy.max_wait:
            self._traffic.pause_run(reason, error)
            return
        if not full:
            self._waited += seconds
        await self._traffic.pause(seconds, self._traffic.no_more, why=reason)

    def _growing(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        return pause

    # What was lost

    async def _look_for(self, points: list[int]) -> None:
        cells = self._ledger.state.cells
        wanted = {point: self._wanted(point) for point in points}
        ours = {cell.generation.id for cell in cells if cell.generation is not None}
        looking = find(self._client, wanted, ours | known_ids(but=self._ledger.path))
        try:
            found = await self._traffic.unless(looking, self._traffic.no_more.wait())
        except errors.FinetuningError as error:
            await self._after_blind(error)
            return
        if found is None:
            return
        self._blind = self._lost_in_row = 0
        again = False
        for point, what in found.items():
            del self._lost[point]
            if isinstance(what, Generation):
                self._accept(point, what)
            elif what is None and cells[point].state == "uncertain":
                pass  # there was something that may have been it, so it stays unsent
            elif what is None:
                again = True
                reason = f"It was not made, as the listing shows ({cells[point].reason})"
                self._ledger.record(Absent(at=now(), point=point, reason=reason))
                self._todo.appendleft(point)
            elif cells[point].state != "uncertain" or cells[point].reason != what:
                self._ledger.record(Undecided(at=now(), point=point, reason=what))
        if again:
            # The same trouble may well be there still.
            await self._traffic.pause(self._growing(), self._traffic.no_more, why="sending again after a lost answer")

    def _wanted(self, point: int) -> Wanted:
        state = self._ledger.state
        cell = state.cells[point]
        doubtful = None
        if cell.after is None and cell.since is not None and state.began.version < _ORIENTED:
            # Nothing but this machine's clock tells of then, which is no reason to be sure of anything.
            doubtful = cell.since - _DOUBT
        return Wanted(self._body(point), cell.after, cell.before, doubtful)

    async def _after_blind(self, error: errors.FinetuningError) -> None:
        """Wait a while after a look that failed, or pause the run."""
        self._blind += 1
        if self._blind >= _BLIND_MAX or not is_passing(error):
            self._traffic.pause_run(said(error), error)
            return
        seconds = min(_FIRST_PAUSE * 2 ** (self._blind - 1), _LONGEST_PAUSE)
        await self._traffic.pause(seconds, self._traffic.no_more, why=said(error))


def said(error: errors.FinetuningError) -> str:
    """Say an exception in one line, with status and code where it has them."""
    code = f" [{error.status} {error.code}]" if isinstance(error, errors.APIError) else ""
    return error.message + code


def _generation(created: Created) -> Generation:
    """Return what was created as any other generation, without what is left to spend."""
    fields = {name: getattr(created, name) for name in Generation.__struct_fields__}
    return Generation(**fields)
