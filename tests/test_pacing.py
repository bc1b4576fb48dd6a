"""Pacing against little services of three kinds, in virtual time."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.pacing import Bucket, Pacer

LIMIT = 10


class _Jumping(selectors.SelectSelector):
    """Nothing happens but by time, so waiting is jumping."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everybody waits, and nobody for a moment")
        self.passed += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time goes on to the next moment that somebody waits for."""

    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.passed


class LoopClock:
    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def virtually(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


class Service(Protocol):
    limit: int

    def draw(self, now: float) -> tuple[int, float | None]:
        """Return what remains, and where there was no room in how many seconds there is."""


class FixedWindow:
    """A window is opened by the first request that finds none open."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self._opened, self._used = limit, -math.inf, 0

    def draw(self, now: float) -> tuple[int, float | None]:
        if now - self._opened >= 60:
            self._opened, self._used = now, 0
        if self._used >= self.limit:
            return 0, self._opened + 60 - now
        self._used += 1
        return self.limit - self._used, None


class SlidingLog:
    """So many in any sixty seconds."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._log: deque[float] = deque()

    def draw(self, now: float) -> tuple[int, float | None]:
        while self._log and self._log[0] + 60 <= now:
            self._log.popleft()
        if len(self._log) >= self.limit:
            return 0, self._log[0] + 60 - now
        self._log.append(now)
        return self.limit - len(self._log), None


class TokenBucket:
    """As many as fit, refilled evenly."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self._tokens, self._at = limit, float(limit), 0.0

    def draw(self, now: float) -> tuple[int, float | None]:
        self._tokens = min(self.limit, self._tokens + (now - self._at) * self.limit / 60)
        self._at = now
        if self._tokens < 1:
            return 0, (1 - self._tokens) * 60 / self.limit
        self._tokens -= 1
        return int(self._tokens), None


class Client:
    """Sends to a service over a line that takes a while each way."""

    def __init__(self, service: Service, *, says_when: bool = True) -> None:
        self.service = service
        self.bucket = Bucket(LoopClock(), LIMIT)
        self.accepted: list[float] = []
        self.refused: list[tuple[float, float]] = []
        self.arrived: list[float] = []
        self._says_when = says_when

    async def send(self, there: float = 0.1, back: float = 0.1) -> None:
        """Send one request, again and again until it is taken."""
        while True:
            place = await self.bucket.take(lambda _: None)
            await asyncio.sleep(there)
            now = asyncio.get_running_loop().time()
            self.arrived.append(now)
            remaining, wait = self.service.draw(now)
            await asyncio.sleep(back)
            if wait is None:
                self.accepted.append(now)
                place.answered(self.service.limit, remaining)
                return
            self.refused.append((asyncio.get_running_loop().time(), math.ceil(wait)))
            place.refused(math.ceil(wait) if self._says_when else None, self.service.limit)


KINDS = [FixedWindow, SlidingLog, TokenBucket]
ways = st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3), st.floats(0, 20)), min_size=1, max_size=60)


@pytest.mark.parametrize("kind", KINDS)
@given(legs=ways)
def test_one_after_the_other_is_never_refused(kind: Callable[[], Service], legs: list[tuple[float, ...]]) -> None:
    async def work() -> Client:
        client = Client(kind())
        for there, back, pause in legs:
            await client.send(there, back)
            await asyncio.sleep(pause)
        return client

    assert virtually(work()).refused == []


def all_at_once(service: Service, legs: list[tuple[float, float, float]]) -> Client:
    async def one(client: Client, there: float, back: float, pause: float) -> None:
        await asyncio.sleep(pause)
        await client.send(there, back)

    async def work() -> Client:
        client = Client(service)
        await asyncio.gather(*(one(client, *leg) for leg in legs))
        return client

    return virtually(work())  # type: ignore[no-any-return]


limits = st.sampled_from([LIMIT, 25])
pauses = st.lists(st.floats(0, 20), min_size=1, max_size=60)


@pytest.mark.parametrize("kind", KINDS)
@given(there=st.floats(0, 3), back=st.floats(0, 3), pauses=pauses, limit=limits)
def test_all_at_once_is_never_refused(
    kind: Callable[[int], Service], there: float, back: float, pauses: list[float], limit: int
) -> None:
    client = all_at_once(kind(limit), [(there, back, pause) for pause in pauses])
    assert client.refused == []
    assert len(client.accepted) == len(pauses)


@pytest.mark.parametrize("kind", KINDS)
@given(legs=ways, limit=limits)
def test_requests_that_overtake_each_other_may_be_refused_and_are_all_taken(
    kind: Callable[[int], Service], legs: list[tuple[float, float, float]], limit: int
) -> None:
    """Where one takes 3 s longer than another, nobody can know in which of the service's windows it arrives."""
    client = all_at_once(kind(limit), legs)
    assert len(client.accepted) == len(legs)
    assert len(client.refused) < len(legs)


@pytest.mark.parametrize("at_once", [1, 4, 40])
def test_a_fixed_window_is_used_to_the_full(at_once: int) -> None:
    async def work() -> Client:
        client = Client(FixedWindow())
        gate = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with gate:
                await client.send()

        await asyncio.gather(*(one() for _ in range(240)))
        return client

    client = virtually(work())
    best = (240 // LIMIT - 1) * 60
    assert client.accepted[-1] - client.accepted[0] <= 1.02 * best
    assert client.refused == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_is_reached_whatever_counts_it(kind: Callable[[], Service]) -> None:
    async def work() -> Client:
        client = Client(kind())
        for _ in range(200):
            await client.send()
        return client

    client = virtually(work())
    assert client.accepted[-1] <= 1.02 * (200 / LIMIT - 1) * 60 + 5
    assert client.refused == []


@pytest.mark.parametrize("kind", KINDS)
@given(greed=st.floats(1, 12), at_once=st.integers(1, 6), says_when=st.booleans())
def test_a_stranger_is_met_politely(kind: Callable[[], Service], greed: float, at_once: int, says_when: bool) -> None:
    async def stranger(service: Service) -> None:
        while True:
            await asyncio.sleep(60 / greed)
            service.draw(asyncio.get_running_loop().time())

    async def work() -> tuple[Client, float]:
        client = Client(kind(), says_when=says_when)
        other = asyncio.create_task(stranger(client.service))
        gate = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with gate:
                await client.send()

        await asyncio.gather(*(one() for _ in range(60)))
        other.cancel()
        return client, asyncio.get_running_loop().time()

    client, lasted = virtually(work())
    assert len(client.accepted) == 60
    # Once in a window nobody could have known; those that were on the line together count as one.
    occasions = 1 + sum(
        later - sooner > 1 for (sooner, _), (later, _) in zip(client.refused, client.refused[1:], strict=False)
    )
    assert occasions <= (1 if says_when else 7) * (lasted / 60 + 1)
    if says_when:
        for at, wait in client.refused:
            assert not any(at + 0.1 < arrived < at + wait for arrived in client.arrived)


def test_a_service_without_limits_is_not_paced() -> None:
    async def work() -> float:
        bucket = Bucket(LoopClock(), LIMIT)
        for _ in range(200):
            place = await bucket.take(lambda _: None)
            place.answered(None, None)
        return asyncio.get_running_loop().time()

    assert virtually(work()) == 0.0


def test_a_place_is_told_once_and_given_back() -> None:
    async def work() -> None:
        pacer = Pacer(LoopClock())
        bucket = pacer["create"]
        for _ in range(3 * LIMIT):
            (await bucket.take(lambda _: None)).unused()
        places = [await bucket.take(lambda _: None) for _ in range(LIMIT)]
        assert bucket.ready_in() is None
        places[0].unused()
        places[0].lost()
        assert bucket.ready_in() == 0.0
        places.append(await bucket.take(lambda _: None))
        for place in places:
            place.lost()
            place.unused()
        assert bucket.ready_in() == pytest.approx(60.05)
        assert pacer.limits == {}

    virtually(work())


def test_who_gives_up_waiting_takes_no_place() -> None:
    async def work() -> None:
        bucket = Bucket(LoopClock(), LIMIT)
        for _ in range(LIMIT):
            (await bucket.take(lambda _: None)).answered(LIMIT, 0)
        waiting = [asyncio.create_task(bucket.take(lambda _: None)) for _ in range(3)]
        await asyncio.sleep(1)
        for task in waiting[:2]:
            task.cancel()
        await asyncio.gather(*waiting[:2], return_exceptions=True)
        place = await waiting[2]
        assert asyncio.get_running_loop().time() >= 60
        place.answered(LIMIT, LIMIT - 1)
        assert bucket.ready_in() == 0.0

    virtually(work())


def test_answers_out_of_order_are_believed_in_the_worse_sense() -> None:
    async def work() -> None:
        bucket = Bucket(LoopClock(), LIMIT)
        places = [await bucket.take(lambda _: None) for _ in range(4)]
        places[3].answered(LIMIT, 9)  # counted first, and three are under way
        assert bucket.ready_in() == 0.0
        more = [await bucket.take(lambda _: None) for _ in range(6)]
        assert bucket.ready_in() is None
        for place, remaining in zip(places[:3], (6, 7, 8), strict=True):
            place.answered(LIMIT, remaining)
        assert bucket.ready_in() is None
        for place, remaining in zip(more, range(5, -1, -1), strict=True):
            place.answered(LIMIT, remaining)
        assert bucket.ready_in() == pytest.approx(60.05)

    virtually(work())


def test_a_window_that_others_used_up_is_asked_about_by_one_at_a_time() -> None:
    async def work() -> None:
        bucket = Bucket(LoopClock(), LIMIT)
        (await bucket.take(lambda _: None)).answered(LIMIT, 0)
        await asyncio.sleep(61)
        place = await bucket.take(lambda _: None)
        place.answered(LIMIT, 0)
        waits: list[float] = []
        first = asyncio.create_task(bucket.take(waits.append))
        second = asyncio.create_task(bucket.take(waits.append))
        await asyncio.sleep(120)
        assert first.done()
        assert not second.done()
        first.result().answered(LIMIT, 5)
        await asyncio.wait_for(second, 1)

    virtually(work())


def test_refusals_without_a_word_of_when_are_answered_with_growing_pauses() -> None:
    async def work() -> list[float]:
        bucket = Bucket(LoopClock(), LIMIT)
        waits: list[float] = []
        for _ in range(9):
            (await bucket.take(waits.append)).refused(None, None)
        (await bucket.take(waits.append)).answered(None, None)
        (await bucket.take(waits.append)).refused(None, None)
        await bucket.take(waits.append)
        return waits

    assert virtually(work()) == [1, 2, 4, 8, 16, 32, 60, 60, 60, 1]


def test_patience_that_ends_is_raised_and_leaves_the_line_to_others() -> None:
    async def work() -> None:
        bucket = Bucket(LoopClock(), LIMIT)
        (await bucket.take(lambda _: None)).refused(3600, LIMIT)

        def hasty(seconds: float) -> None:
            raise TimeoutError(f"{seconds:.0f} s")

        with pytest.raises(TimeoutError, match="3600 s"):
            await bucket.take(hasty)
        await bucket.take(lambda _: None)
        assert asyncio.get_running_loop().time() == 3600

    virtually(work())
