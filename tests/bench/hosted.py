"""A hosted day in seconds: the real studio at the hosted limits, over real HTTP, on a clock that jumps.

The clock stands still while a request is under way, and jumps to the next moment that anyone waits for when none is.
Generations end by a drawn time instead of being rendered: what is measured is the waiting.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import math
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finetuning.studio import Studio, generations, jobs
from finetuning.studio.generations import Made
from finetuning.studio.store import Store

__all__ = ["Day", "drawn", "opened"]

EPOCH = 1_770_000_000.0
MEDIAN, SPREAD = 48.0, 0.3
"""Of the generation times: seconds, and the standard deviation of their logarithm (two of three in 36 to 65 s)."""

_SAID = re.compile(r"^(GET|POST) (\S+)(?: \{.*\}| \?\S*)? -> (\d+)")


def drawn(count: int) -> list[float]:
    """Draw so many generation times."""
    source = random.Random(20)
    return [source.lognormvariate(math.log(MEDIAN), SPREAD) for _ in range(count)]


class Day(logging.Handler):
    """The clock, the generations that end by it, and what was asked when.

    Parameters
    ----------
    folder
        Of the studio.
    times
        How long the generation with each seed takes, from 0.
    """

    def __init__(self, folder: Path, times: list[float]) -> None:
        super().__init__(logging.DEBUG)
        self.now = 0.0
        self.under_way = 0
        self.ended: dict[int, float] = {}
        self.asked: list[tuple[float, str, str, int]] = []
        self._store = Store(folder)
        self._times = times
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._driver: asyncio.Task[None] | None = None

    # The client's clock

    def monotonic(self) -> float:
        """Seconds since the day began."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has jumped so far."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + max(seconds, 0.0), next(self._numbers), future))
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive())
        await future

    def wall(self) -> float:
        """Seconds since the epoch, for the studio."""
        return EPOCH + self.now

    async def _drive(self) -> None:
        while self._sleepers:
            await self._quiet()
            if not self._sleepers:
                return
            until, _, future = heapq.heappop(self._sleepers)
            if future.done():  # whoever slept was told otherwise
                continue
            self.now = max(self.now, until)
            self._end_what_is_due()
            future.set_result(None)

    async def _quiet(self) -> None:
        """Wait until no request is under way and nothing is left to run."""
        still = 0
        while still < 12:
            await asyncio.sleep(0)
            if self.under_way:
                await asyncio.sleep(0.0003)
            still = 0 if self.under_way else still + 1

    def _end_what_is_due(self) -> None:
        with self._store.read() as connection:
            making = connection.execute(
                "SELECT g.id, g.seed, g.created_at FROM jobs j JOIN generations g ON g.id = j.generation_id"
            ).fetchall()
        due = [(row["id"], row["seed"], row["created_at"] + self._times[row["seed"]]) for row in making]
        due = [each for each in due if each[2] <= self.wall()]
        if due:
            with self._store.write() as connection:
                for id_, seed, end in due:
                    made = Made("A take", 60.0, b"", "{}", 1, "etag", self._times[seed])
                    generations.complete(connection, id_, made, end)
                    jobs.discard(connection, id_)
                    self.ended[seed] = end - EPOCH

    # What was asked, by the client's own log

    def emit(self, record: logging.LogRecord) -> None:
        """Count requests as they leave and come back."""
        text = record.getMessage()
        if found := _SAID.match(text):
            self.under_way -= 1
            self.asked.append((self.now, found[1], found[2].partition("?")[0], int(found[3])))
        elif ", key " in text:
            self.under_way += 1

    def count(self, method: str, status: int | None = None) -> int:
        """Count the requests of a method, or its answers of a status."""
        return sum(each[1] == method and status in (None, each[3]) for each in self.asked)

    def delays(self) -> list[float]:
        """Return by how many seconds each end was seen late: at the first read of the library or the track after it."""
        reads = [at for at, method, _, status in self.asked if method == "GET" and status == 200]
        return [next(at for at in reads if at >= end) - end for end in self.ended.values()]


@contextmanager
def opened(times: list[float]) -> Iterator[tuple[Studio, Day]]:
    """Open a studio for a day."""
    logger = logging.getLogger("finetuning")
    before = logger.level
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Store(folder).close()
        day = Day(folder, times)
        logger.addHandler(day)
        logger.setLevel(logging.DEBUG)
        try:
            with Studio(folder, "hosted", clock=day.wall, workers=0, credits=10 * len(times)) as studio:
                yield studio, day
        finally:
            logger.removeHandler(day)
            logger.setLevel(before)
