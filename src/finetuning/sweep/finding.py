"""Looking in the listing for generations whose answers were lost."""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from finetuning import errors
from finetuning.client.aio import AsyncClient
from finetuning.identity import Match, compare
from finetuning.protocol import PAGE_MAX
from finetuning.records import Generation

__all__ = ["SKEW", "Wanted", "find"]

#: How far the clocks of a service's machines may be apart, and its moments be rounded: what was created so long
#: before a moment may have been created after it.
SKEW: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request whose answer was lost.

    Attributes
    ----------
    body
        As it was sent.
    after
        A moment of the service's clock before it; None where the library was empty, or nothing is known.
    before
        Ids that were in the library before it, those that a comparison of moments could not tell from it among them.
    doubtful
        What was created before this, by the service's clock, may be it or one that was there already; None where
        `after` decides.
    """

    body: Mapping[str, Any]
    after: datetime | None = None
    before: Set[str] = frozenset()
    doubtful: datetime | None = None

    def excludes(self, row: Generation) -> bool:
        """Whether this was there before the request left."""
        if row.id in self.before:
            return True
        return self.after is not None and row.created_at is not None and row.created_at < self.after - SKEW

    def matches(self, row: Generation) -> Match:
        """Whether this is what was asked for."""
        match = compare(self.body, row)
        if match is Match.YES and self.doubtful and row.created_at is not None and row.created_at < self.doubtful:
            return Match.UNKNOWN
        return match


async def find(
    client: AsyncClient, wanted: Mapping[int, Wanted], known: Set[str]
) -> dict[int, Generation | str | None]:
    """Look for the generations of lost requests.

    Parameters
    ----------
    client
        On its own loop.
    wanted
        By point.
    known
        Ids that are the answer to other requests.

    Returns
    -------
    dict
        For each point the generation; None where the listing shows that there is none; or in words why it cannot tell.

    Raises
    ------
    APIError, TransportError
        The listing could not be read.
    """
    moments = [each.after for each in wanted.values()]
    oldest = None if None in moments else min(each for each in moments if each is not None) - SKEW
    rows = await _rows(client, oldest)
    if len(rows) >= PAGE_MAX:
        # What is deleted between two pages moves a row from the later to the earlier one, unseen.
        rows |= await _rows(client, oldest)
    search = _Search(client, [row for id_, row in rows.items() if id_ not in known])
    found: dict[int, Generation | str | None] = {}
    # Of twins whoever has the least to choose from chooses first: what left later has more that was there before it.
    for point in sorted(wanted, key=lambda point: sum(not wanted[point].excludes(row) for row in rows.values())):
        if (row := await search.claim(wanted[point])) is not None:
            found[point] = row
    # Whoever could be told for certain came first: what they have claimed leaves less doubt for the others.
    for point, each in wanted.items():
        if point not in found:
            doubt = search.doubt(each)
            found[point] = doubt and f"{doubt.id} may be it, and does not say enough to tell."
    return {point: found[point] for point in wanted}


async def _rows(client: AsyncClient, oldest: datetime | None) -> dict[str, Generation]:
    """Return what is in the library by id, and is not older than that."""
    found: dict[str, Generation] = {}
    async with aclosing(client.iter_generations()) as rows:
        async for row in rows:
            if oldest is not None and row.created_at is not None and row.created_at < oldest:
                break  # newest first: what follows is older still
            found[row.id] = row
    return found


class _Search:
    """The rows that are nobody's yet; the listing is not said to carry the seed in each, the whole record may."""

    def __init__(self, client: AsyncClient, rows: list[Generation]) -> None:
        self._client = client
        self._rows = {row.id: row for row in rows}
        self._whole: set[str] = set()

    async def claim(self, wanted: Wanted) -> Generation | None:
        """Take the oldest row that is certainly this; None where none is.

        The oldest, since what was sent later may be a twin that is looked for at another time.
        """
        for row in reversed(list(self._rows.values())):
            if wanted.excludes(row):
                continue
            match = wanted.matches(row)
            if match is Match.UNKNOWN and row.id not in self._whole and (row.seed is None or row.prompt is None):
                self._whole.add(row.id)
                with suppress(errors.NotFoundError):  # deleted since; that it may be it stays so
                    self._rows[row.id] = await self._client.generation(row.id)
                match = wanted.matches(self._rows[row.id])
            if match is Match.YES:
                return self._rows.pop(row.id)
        return None

    def doubt(self, wanted: Wanted) -> Generation | None:
        """Return a row that may be this, or may not."""
        for row in self._rows.values():
            if not wanted.excludes(row) and wanted.matches(row) is Match.UNKNOWN:
                return row
        return None
