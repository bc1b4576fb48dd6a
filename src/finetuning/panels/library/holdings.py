"""The library as far as it was read: filled page by page, renewed with as few requests as will do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from finetuning import errors
from finetuning.client.reading import Reading
from finetuning.frames import generations_frame
from finetuning.protocol import PAGE_MAX
from finetuning.records import Generation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Holdings"]

Arrived = Callable[[int], None]


class Holdings:
    """Records of an account's library, newest first; may be read on any thread while it fills.

    Parameters
    ----------
    reading
        The client that reads, whose coroutines run on its own loop; so do this one's.
    limit
        At most so many are read; None for all.
    """

    def __init__(self, reading: Reading, limit: int | None) -> None:
        self._reading = reading
        self._limit = limit
        self._records: dict[str, Generation] = {}
        self._whole = False
        self._lock = threading.RLock()

    @property
    def records(self) -> dict[str, Generation]:
        """What is known, by id, newest first."""
        with self._lock:
            return dict(self._records)

    @property
    def whole(self) -> bool:
        """Whether that is the whole library, as far as was seen when it was read last."""
        return self._whole

    def frame(self, ids: Iterable[str] | None = None) -> pd.DataFrame:
        """Return a DataFrame as `client.generations()` does, of some or of all records, in the order given."""
        records = self.records
        return generations_frame(records[id_] for id_ in (records if ids is None else ids) if id_ in records)

    def drop(self, ids: Iterable[str]) -> None:
        """Forget what was deleted."""
        with self._lock:
            for id_ in ids:
                self._records.pop(id_, None)

    def renew(self, records: Iterable[Generation]) -> None:
        """Take over newer readings of records that are known; others are ignored."""
        with self._lock:
            self._take(record for record in records if record.id in self._records)

    async def load(self, arrived: Arrived) -> None:
        """Read everything anew, as far as the limit.

        Parameters
        ----------
        arrived
            Called with the number of rows read, after each page; `records` has them then, and what was known before.
        """
        fresh: dict[str, None] = {}
        async with aclosing(self._reading.iter_generations(limit=self._limit)) as library:
            async for record in library:
                fresh[record.id] = None
                with self._lock:
                    self._take([record])
                if len(fresh) % PAGE_MAX == 0:
                    arrived(len(fresh))
        with self._lock:
            self._records = {id_: self._records[id_] for id_ in fresh if id_ in self._records}
            self._whole = self._limit is None or len(fresh) < self._limit
        arrived(len(fresh))

    async def refresh(self, arrived: Arrived) -> None:
        """Read what is new, and how those stand that were not finished.

        Pages are read until one has a row that is known; known rows that should have been on them and were not are
        looked up, and forgotten where they are gone. What was deleted or shown elsewhere further down is not noticed.
        """
        known = self.records
        if not known:
            await self.load(arrived)
            return
        fresh: dict[str, None] = {}
        last = -1  # the place, among those known, of the oldest that was seen
        places = {id_: place for place, id_ in enumerate(known)}
        async with aclosing(self._reading.iter_generations()) as library:
            async for record in library:
                fresh[record.id] = None
                last = max(last, places.get(record.id, -1))
                with self._lock:
                    self._take([record])
                if len(fresh) % PAGE_MAX == 0:
                    arrived(len(fresh))
                    if last >= 0:
                        break
            else:
                last, self._whole = len(known), True
        doubtful = [
            id_ for id_, record in known.items() if id_ not in fresh and (places[id_] <= last or not record.finished)
        ]
        found = await self._reading.find_generations(doubtful)
        gone = {id_ for id_, each in zip(doubtful, found, strict=True) if isinstance(each, errors.NotFoundError)}
        with self._lock:
            self._take(each for each in found if isinstance(each, Generation))
            ids = dict.fromkeys([*fresh, *(id_ for id_ in self._records if id_ not in gone)])
            self._records = {id_: self._records[id_] for id_ in ids if id_ in self._records}
        arrived(len(fresh))

    def _take(self, records: Iterable[Generation]) -> None:
        for record in records:
            before = self._records.get(record.id)
            if before is not None:
                _keep_details(record, before)
            self._records[record.id] = record


_DETAILS: Sequence[str] = ("generation_time", "file_size", "download_count", "error_message", "webhook")


def _keep_details(record: Generation, before: Generation) -> None:
    """Keep what a listing leaves out and an earlier look at the one generation had."""
    for name in _DETAILS:
        if getattr(record, name) is None:
            setattr(record, name, getattr(before, name))
