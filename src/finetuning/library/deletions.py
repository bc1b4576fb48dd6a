"""Finding what was deleted without reading everything.

The service says neither how many generations there are nor which are gone. But a row that is listed at another offset
than it has here was moved up by deletions above it, and by as many as it moved. So one page at the end tells whether
there are any, and halving finds the place of each in about ten pages of a library of 100,000.

A library that changes meanwhile gives itself away by offsets that do not fit, and is not called verified. As many made
as deleted in the moment between the top page and the last one would fit: then the next look finds those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from finetuning.protocol import PAGE_MAX, list_generations
from finetuning.records import Generation, GenerationPage

from .mirror import Mirror
from .steps import Steps

__all__ = ["Found", "look_for_deletions"]


@dataclass(frozen=True)
class Found:
    """What came of it.

    Attributes
    ----------
    settled
        Whether every row is now accounted for; not where the library changed meanwhile.
    below
        The last row, if others are listed below it that are not known.
    """

    settled: bool
    below: str | None = None


def look_for_deletions(mirror: Mirror, at: datetime) -> Steps[Found]:
    """Compare offsets, mark what is gone, and refresh the rows of the pages that were read on the way."""
    search = _Search(mirror.live())
    try:
        gone = yield from search.run()
        mirror.mark_gone(gone, at)
        found = Found(settled=True)
    except _Unsettled as stop:
        found = Found(settled=False, below=stop.below)
    finally:
        for rows in search.read:
            mirror.merge(rows)
    return found


class _Unsettled(Exception):  # noqa: N818 - the end of a search, not an error
    """Offsets that nothing but a change meanwhile explains, or rows that are not known."""

    def __init__(self, below: str | None = None) -> None:
        super().__init__()
        self.below = below


@dataclass
class _Search:
    """Pairs of an offset in the listing and the place here of the row that stands there close in on what is gone."""

    known: list[str]
    read: list[list[Generation]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._place = {id_: number for number, id_ in enumerate(self.known)}

    def run(self) -> Steps[list[str]]:
        """Return the ids that are not listed any more."""
        chain = yield from self._end()
        gone: list[str] = []
        spans = list(pairwise(chain))
        while spans:
            (offset, place), (next_offset, next_place) = spans.pop()
            listed, here = next_offset - offset - 1, next_place - place - 1
            if listed > here:
                raise _Unsettled
            if listed == here:
                continue
            if not listed:
                gone += self.known[place + 1 : next_place]
                continue
            middle = offset + 1 + max(0, listed - PAGE_MAX) // 2
            pairs, _ = yield from self._page(middle)
            within = [pair for pair in pairs if pair[0] < next_offset]
            if not within:
                raise _Unsettled
            spans += pairwise([(offset, place), *within, (next_offset, next_place)])
        return gone

    def _end(self) -> Steps[list[tuple[int, int]]]:
        """Find where the listing ends: in one page, unless as many as that were deleted."""
        chain = [(-1, -1)]
        offset, empty = max(0, len(self.known) - PAGE_MAX), len(self.known)
        while True:
            pairs, more = yield from self._page(offset)
            chain += pairs
            if pairs and not more:
                empty = pairs[-1][0] + 1
            elif not pairs:
                empty = offset
            if chain[-1][0] + 1 >= empty:
                return [*chain, (empty, len(self.known))]
            offset = (chain[-1][0] + 1 + empty) // 2

    def _page(self, offset: int) -> Steps[tuple[list[tuple[int, int]], bool]]:
        page: GenerationPage = yield list_generations(PAGE_MAX, offset)
        pairs: list[tuple[int, int]] = []
        last = len(self.known) - 1
        for number, row in enumerate(page.generations, offset):
            place = self._place.get(row.id)
            if place is None:
                raise _Unsettled(self.known[last] if pairs and pairs[-1][1] == last else None)
            if place < number:  # moved down: something was made meanwhile
                raise _Unsettled
            pairs.append((number, place))
        self.read.append(page.generations)
        if page.has_more and pairs and pairs[-1][1] == last:
            raise _Unsettled(self.known[last])
        return pairs, page.has_more
