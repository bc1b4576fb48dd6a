"""Bringing the generations up to date in as few pages as can be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from finetuning.errors import NotFoundError
from finetuning.protocol import PAGE_MAX, get_generation
from finetuning.records import Generation

from .deletions import look_for_deletions
from .mirror import Mirror
from .steps import Steps
from .walking import Walk

__all__ = ["Listing"]

#: What has not ended after so long has failed silently: looking for it at each sync would cost a request for ever.
_RECENT: Final = timedelta(days=1)
#: How often the whole listing is looked through for deletions, unless asked otherwise.
_VERIFIED_EVERY: Final = 86400.0
#: Pages after which, at least, what was read is written.
_PAGES_KEPT: Final = 10
#: Generations asked for by themselves after which they are written.
_DETAILS_KEPT: Final = 100


class Listing:
    """Reads what is new in the listing into a mirror.

    Everything above a row that is known is read from the top; where an earlier sync was interrupted, it goes on at the
    gap. Whatever happens, what was read is written, with the gap below it.

    Parameters
    ----------
    mirror
        What is kept.
    at
        Now.
    tell
        Called with the number of rows that were read and, where it is known, of those to read.
    """

    def __init__(self, mirror: Mirror, at: datetime, tell: Callable[[int, int | None], None]) -> None:
        self._mirror = mirror
        self._at = at
        self._tell = tell
        self._seen: set[str] = set()
        self._unfinished = mirror.unfinished(at - _RECENT)

    def read(self, *, full: bool, verify: bool | None, details: bool) -> Steps[bool]:
        """Read; returns whether the whole listing was looked through for deletions."""
        mirror = self._mirror
        try:
            verified = yield from self._fill(None, full=full)
            while mirror.gaps:
                yield from self._fill(mirror.gaps[0], full=False)
            yield from self._look_up()
            last = mirror.verified_at
            due = last is None or not 0 <= self._at.timestamp() - last < _VERIFIED_EVERY
            if not verified and (due if verify is None else verify):
                verified = yield from self._verify()
            if verified:
                mirror.verified_at = self._at.timestamp()
            if details:
                yield from self._ask_for_details()
        finally:
            mirror.save()
        return verified

    def _verify(self) -> Steps[bool]:
        found = yield from look_for_deletions(self._mirror, self._at)
        if found.below is not None:  # rows at the end that nobody knew
            self._mirror.gaps = [found.below]
            yield from self._fill(found.below, full=False)
            found = yield from look_for_deletions(self._mirror, self._at)
        return found.settled

    def _fill(self, anchor: str | None, *, full: bool) -> Steps[bool]:
        """Read down from a row, or from the top, until everything is known; returns whether that was all there is."""
        mirror = self._mirror
        start = 0 if anchor is None else mirror.at[anchor] + 1
        above = set(mirror.live(0, start))
        below = set(mirror.live(start))
        walk = Walk(max(0, len(above) - 1), set(above))
        unsaved: list[Generation] = []
        last: str | None = None
        end = False
        pages = 0

        def keep() -> None:
            nonlocal unsaved
            mirror.merge(unsaved)
            unsaved = []
            if end:
                mirror.gaps = []
            elif last is not None and last not in above:
                # Below a row that was known before, all is known down to the next gap.
                gaps = [gap for gap in mirror.gaps if mirror.at[gap] > mirror.at[last]]
                mirror.gaps = gaps if last in below else [last, *gaps]

        try:
            while not end:
                rows, ends = yield from walk.next()
                if not walk.straight:
                    keep()  # what comes now stands further up; put below what was read, it would change places
                end = ends
                unsaved += rows
                last = rows[-1].id if rows else last
                self._count(len(walk.seen), full=full)
                if not full and last in below and not self._worth_reading_on(last, walk.seen):
                    break
                pages += 1
                if pages >= max(_PAGES_KEPT, len(mirror.ids) // PAGE_MAX // 10):
                    keep()
                    mirror.save()
                    pages = 0
        finally:
            keep()
        self._seen |= walk.seen
        stop = None if end or last is None else mirror.at[last] + 1
        mirror.mark_gone((id_ for id_ in mirror.live(start, stop) if id_ not in walk.seen), self._at)
        return end and anchor is None

    def _count(self, rows: int, *, full: bool) -> None:
        known, read = len(self._mirror.ids), len(self._seen) + rows
        self._tell(read, max(known, read) if full and known else None)

    def _worth_reading_on(self, last: str | None, seen: set[str]) -> bool:
        """Whether pages are a cheaper way to what was unfinished than a request for each."""
        at = self._mirror.at
        here = at.get(last or "", -1)
        left = [at[id_] for id_ in self._unfinished if id_ not in seen and at[id_] > here]
        return bool(left) and left[0] - here < PAGE_MAX * len(left) and len(left) > 1

    def _look_up(self) -> Steps[None]:
        """Ask for what was unfinished and was on no page."""
        for id_ in self._unfinished:
            if id_ not in self._seen and self._mirror.is_live(id_):
                try:
                    row = yield get_generation(id_)
                except NotFoundError:
                    self._mirror.mark_gone([id_], self._at)
                else:
                    self._mirror.merge([row])

    def _ask_for_details(self) -> Steps[None]:
        """Ask for each generation that was never asked for by itself, the newest first."""
        mirror = self._mirror
        wanted = mirror.undetailed()
        unsaved: list[Generation] = []
        try:
            for number, id_ in enumerate(wanted, 1):
                try:
                    unsaved.append((yield get_generation(id_)))
                except NotFoundError:
                    mirror.mark_gone([id_], self._at)
                self._tell(number, len(wanted))
                if len(unsaved) >= _DETAILS_KEPT:
                    mirror.merge(unsaved)
                    mirror.save()
                    unsaved = []
        finally:
            mirror.merge(unsaved)
