"""When the next request may leave: what the service has announced, believed over our own count.

The documented limits are two buckets of requests a minute. Whether a service counts them in fixed windows, in a
sliding minute or by tokens it does not say, so nothing here rests on one of them: a request of ours is held to be
counted until it is a minute old or the service shows that it has forgotten it (it announces more room than our own
count leaves). Where there is no room left, the next leaves when the oldest that still counts is a minute old. That is
the first moment in a fixed window that our own request opened, and in a sliding minute; it is never too early in
either.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from finetuning.clock import Clock

__all__ = ["DOCUMENTED_LIMITS", "WINDOW", "Bucket", "Pacer", "Place"]

#: Seconds that a request counts.
WINDOW: Final = 60.0
#: Requests a minute; believed until the first answer says otherwise.
DOCUMENTED_LIMITS: Final = {"create": 10, "other": 60}
#: Seconds to wait after a refusal at least: a service that says 0 again and again must not be asked without end.
_SHORTEST_WAIT: Final = 1.0
#: Seconds beyond the minute: two clocks that count sixty seconds do not count the same sixty.
_MARGIN: Final = 0.05


@dataclass(eq=False, slots=True)
class Place:
    """One request's place in a bucket: taken before it leaves, and told once what became of it.

    A place that is told nothing is taken for under way for ever, so tell it; what is told later is passed over.
    """

    _bucket: Bucket
    _number: int
    _open: bool = True

    def answered(self, limit: int | None, remaining: int | None) -> None:
        """Tell that the service counted it, and what its headers announced."""
        if self._closed():
            self._bucket.answered(self._number, limit, remaining)

    def refused(self, seconds: float | None, limit: int | None) -> None:
        """Tell that there was no room, and in how many seconds there will be, where the service said so."""
        if self._closed():
            self._bucket.refused(self._number, seconds, limit)

    def lost(self) -> None:
        """Tell that it left and nobody knows whether it was counted; it is taken for counted."""
        if self._closed():
            self._bucket.lost(self._number)

    def unused(self) -> None:
        """Tell that it never left."""
        if self._closed():
            self._bucket.unused(self._number)

    def _closed(self) -> bool:
        was, self._open = self._open, False
        return was


@dataclass(slots=True)
class _Seen:
    """What an answer announced.

    Attributes
    ----------
    number
        The last place that had been taken when it came. Whoever took one later was surely counted after it; of those
        before nobody knows.
    remaining
        The room that it announced.
    under_way
        Those before it that were not answered yet: each may or may not be counted in it.
    at
        When it came.
    """

    number: int
    remaining: int
    under_way: set[int]
    at: float


@dataclass(eq=False, slots=True)
class Bucket:
    """What is known of one bucket.

    Attributes
    ----------
    limit : int or None
        Requests a minute as announced; None while nothing was, or where the service announces none.
    """

    clock: Clock
    documented: int
    limit: int | None = None
    _told: bool = False
    _numbers: int = 0
    _flying: set[int] = field(default_factory=set)
    _counted: deque[tuple[float, int]] = field(default_factory=deque)
    _seen: _Seen | None = None
    _shared: bool = False
    _closed_until: float = 0.0
    _pause: float = _SHORTEST_WAIT
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def ready_in(self) -> float | None:
        """Return the seconds until a request may leave, 0 for now; None where an answer must come first."""
        now = self.clock.monotonic()
        if now < self._closed_until:
            return self._closed_until - now
        if self._told and self.limit is None and self._seen is None:
            return 0.0  # a service without limits, or one that does not tell them
        self._forget(now)
        limit = self.limit if self.limit is not None else self.documented
        if self._room(limit) > 0:
            return 0.0
        if self._flying and (self._seen is None or self._seen.remaining > 0):
            return None  # their answers will say more, and sooner than a minute
        if self._counted:
            return max(self._counted[0][0] + WINDOW + _MARGIN - now, 0.0)
        if self._flying:
            return None
        # Others on this account have used it up, and when they began nobody knows: ask at the limit's own pace.
        return max((self._seen.at if self._seen else now) + max(WINDOW / max(limit, 1), 1.0) - now, 0.0)

    async def take(self, waiting: Callable[[float], None]) -> Place:
        """Wait for room, first come first served, and take a place.

        Parameters
        ----------
        waiting
            Called with the seconds before each wait; what it raises is raised here.
        """
        async with self._turn:
            while (seconds := self.ready_in()) != 0.0:
                if seconds is None:
                    self._news.clear()
                    await self._news.wait()
                else:
                    waiting(seconds)
                    await self.clock.sleep(seconds)
                    self._probe()
            return self.place()

    def place(self) -> Place:
        """Take a place without asking for room."""
        self._numbers += 1
        self._flying.add(self._numbers)
        return Place(self, self._numbers)

    def answered(self, number: int, limit: int | None, remaining: int | None) -> None:
        """Take in an answer's headers."""
        self.lost(number)
        self._told = True
        self._pause = _SHORTEST_WAIT
        self.limit = limit if limit is not None else self.limit
        if remaining is None or self.limit is None:
            self._seen = None  # our own count must do
            return
        now = self.clock.monotonic()
        # What the service does not count any more is not counted here either.
        while len(self._counted) > max(self.limit - remaining, 1):
            self._counted.popleft()
        self._shared = remaining < self.limit - len(self._counted) - len(self._flying)
        seen = self._seen
        if seen is None or number > seen.number:
            self._seen = _Seen(self._numbers, remaining, set(self._flying), now)
        elif number in seen.under_way:
            # Counted before or after that other; the less room is the safer to believe.
            seen.under_way.discard(number)
            seen.remaining = min(seen.remaining, remaining)

    def refused(self, number: int, seconds: float | None, limit: int | None) -> None:
        """Take in a refusal: the service counted nothing, and may say when to come back."""
        now = self.clock.monotonic()
        if seconds is None and now >= self._closed_until:
            # Those that were under way together are refused together, and count as one refusal.
            seconds, self._pause = self._pause, min(self._pause * 2, WINDOW)
        self._flying.discard(number)
        self._news.set()
        self._told = True
        self.limit = limit if limit is not None else self.limit
        self._shared = True
        self._closed_until = max(self._closed_until, now + max(seconds or 0.0, _SHORTEST_WAIT))
        # By then it will have forgotten what it counts now; one request then asks how much room there is.
        self._counted.clear()
        self._seen = _Seen(self._numbers, 1, set(), self._closed_until)

    def lost(self, number: int) -> None:
        """Take a request for counted, from now on: the service counted it at this moment at the latest."""
        self._flying.discard(number)
        self._counted.append((self.clock.monotonic(), number))
        self._news.set()

    def unused(self, number: int) -> None:
        """Give a place back."""
        self._flying.discard(number)
        if self._seen is not None:
            self._seen.under_way.discard(number)
        self._news.set()

    def _room(self, limit: int) -> int:
        seen = self._seen
        if seen is None:
            return limit - len(self._counted) - len(self._flying)
        later = sum(number > seen.number for number in self._flying)
        later += sum(number > seen.number for _, number in self._counted)
        return seen.remaining - later - len(seen.under_way)

    def _forget(self, now: float) -> None:
        while self._counted and self._counted[0][0] + WINDOW + _MARGIN <= now:
            self._counted.popleft()
        if self._seen is not None and self._seen.at + WINDOW + _MARGIN <= now:
            self._seen = None

    def _probe(self) -> None:
        """After a wait: what was announced before it is not believed any longer.

        Where others draw on this bucket too, one request asks how much room there is before more leave.
        """
        if self._shared:
            self._seen = _Seen(self._numbers, 1, set(), self.clock.monotonic())
        else:
            self._seen = None


class Pacer:
    """The buckets of one client, shared by all that it does.

    Parameters
    ----------
    clock
        Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._buckets = {name: Bucket(clock, limit) for name, limit in DOCUMENTED_LIMITS.items()}

    def __getitem__(self, bucket: str) -> Bucket:
        return self._buckets[bucket]

    @property
    def limits(self) -> dict[str, int]:
        """The announced requests a minute, by bucket, where any were."""
        return {name: bucket.limit for name, bucket in self._buckets.items() if bucket.limit is not None}
