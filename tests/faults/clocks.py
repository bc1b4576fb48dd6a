"""Time that costs little: one clock that jumps, one that hurries."""

from __future__ import annotations

import asyncio
import time

__all__ = ["HurriedClock", "VirtualClock"]


class VirtualClock:
    """Time that goes on to the next moment that somebody waits for.

    Before it jumps it gives way for a millisecond, so that answers which are on their way arrive first; whoever waits
    for the earlier moment wakes first. Several loops may share it.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._awaited: list[float] = []

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until it is the earliest moment that is waited for."""
        moment = self._now + max(0.0, seconds)
        self._awaited.append(moment)
        try:
            await asyncio.sleep(0.001)
            while min(self._awaited) < moment:  # noqa: ASYNC110 - those who wait may be on several loops
                await asyncio.sleep(0.001)
            self._now = max(self._now, moment)
        finally:
            self._awaited.remove(moment)


class HurriedClock:
    """The machine's time, a few times as fast: what really happens keeps its pace, and who waits waits less.

    Parameters
    ----------
    pace
        How many seconds pass in one.
    """

    def __init__(self, pace: float) -> None:
        self._pace = pace

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic() * self._pace

    async def sleep(self, seconds: float) -> None:
        """Wait a part of it."""
        await asyncio.sleep(seconds / self._pace)
