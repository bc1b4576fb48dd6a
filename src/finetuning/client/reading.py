"""The verbs that read: account, library, playlists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from finetuning import errors, parameters, protocol
from finetuning.records import Account, Generation, Playlist

from .resolving import PlaylistLike, resolve_playlist
from .sender import Progress, Sender

__all__ = ["Reading", "check_limit"]

#: So many are looked up one by one, before the listing is cheaper.
_FEW = 3
_AT_ONCE = 8
#: So many pages without a new row are a listing that has no end.
_BARREN = 5


class Reading(Sender):
    """Reads the account, the library and the playlists."""

    async def health(self) -> dict[str, Any]:
        """Ask whether the service is up; needs no key."""
        return await self._value(protocol.health())

    async def me(self) -> Account:
        """Return the account: tier and what is left to spend."""
        return await self._value(protocol.me())

    async def generation(self, id: str) -> Generation:  # noqa: A002 - the wire's name
        """Return one generation.

        Raises
        ------
        NotFoundError
            There is none with this id in the library.
        """
        return await self._value(protocol.get_generation(id))

    async def iter_generations(
        self, *, status: str | None = None, limit: int | None = None
    ) -> AsyncGenerator[Generation]:
        """Go through the library, newest first, page by page; no row comes twice.

        Parameters
        ----------
        status
            Only those: pending, processing, completed or failed.
        limit
            At most so many; None for all.

        Notes
        -----
        A track that is created meanwhile moves every later row on by one, so that a page begins with a row that
        the page before ended with. Such rows are skipped, and another page is fetched where they leave a gap.
        """
        limit = check_limit(limit)
        seen: set[str] = set()
        offset = barren = 0
        while limit is None or len(seen) < limit:
            # Whole pages, even for the last one: the surplus absorbs rows that moved.
            size = limit if limit is not None and limit <= protocol.PAGE_MAX else protocol.PAGE_MAX
            page = await self._value(protocol.list_generations(size, offset, status))
            before = len(seen)
            for generation in page.generations:
                if generation.id not in seen:
                    seen.add(generation.id)
                    yield generation
                    if len(seen) == limit:
                        return
            if not page.has_more or not page.generations:
                return
            barren = barren + 1 if len(seen) == before else 0
            if barren == _BARREN:
                raise errors.InvalidAnswerError(
                    f"The listing repeats itself: {barren} pages in a row held no new generation, and more are said "
                    "to follow.",
                    request="GET /v1/generations",
                    hint="Pass limit= to read only so many.",
                )
            following = page.next_offset
            offset = following if following is not None and following > offset else offset + len(page.generations)

    async def generations(
        self, *, status: str | None = None, limit: int | None = 20, progress: Progress | None = None
    ) -> list[Generation]:
        """Return the newest generations.

        Parameters
        ----------
        status
            Only those: pending, processing, completed or failed.
        limit
            At most so many; None for all.
        progress
            Called with the number of rows so far.
        """
        found: list[Generation] = []
        async for generation in self.iter_generations(status=status, limit=limit):
            found.append(generation)
            if progress and len(found) % protocol.PAGE_MAX == 0:
                progress(len(found), limit)
        return found

    async def detailed(
        self, generations: Sequence[Generation], *, progress: Progress | None = None
    ) -> list[Generation]:
        """Ask for each generation by itself, for the fields that the listing leaves out.

        One that was deleted meanwhile stays as it was given.
        """
        gate = asyncio.Semaphore(_AT_ONCE)
        done = 0

        async def look(generation: Generation) -> Generation:
            nonlocal done
            async with gate:
                try:
                    return await self.generation(generation.id)
                except errors.NotFoundError:
                    return generation
                finally:
                    done += 1
                    if progress:
                        progress(done, len(generations))

        return await asyncio.gather(*map(look, generations))

    async def find_generations(self, ids: Sequence[str]) -> list[Generation | errors.FinetuningError]:
        """Look several generations up, in as few requests as the listing allows.

        A page of the listing shows 99 where a request for one shows one, so pages are read first, for as long as
        they can be cheaper; what they did not show is asked for one by one.

        Returns
        -------
        list
            In the order of `ids`: the record, or the exception that says why there is none.
        """
        found: dict[str, Generation | errors.FinetuningError] = {}
        wanted = set(ids)
        rows = 0
        if len(wanted) > _FEW:
            async with aclosing(self.iter_generations()) as library:
                async for generation in library:
                    rows += 1
                    if generation.id in wanted:
                        found[generation.id] = generation
                    if len(found) == len(wanted) or rows >= protocol.PAGE_MAX * (len(wanted) - len(found)):
                        break
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(id_: str) -> None:
            async with gate:
                try:
                    found[id_] = await self.generation(id_)
                except (errors.APIError, errors.TransportError, errors.ParameterError) as error:
                    found[id_] = error

        await asyncio.gather(*(look(id_) for id_ in wanted if id_ not in found))
        return [found[id_] for id_ in ids]

    async def playlists(self) -> list[Playlist]:
        """Return all playlists of the account, without their tracks."""
        return (await self._value(protocol.list_playlists())).playlists

    async def playlist(self, playlist: PlaylistLike) -> Playlist:
        """Return one playlist with its tracks, by id, name, record or row of the frame.

        Raises
        ------
        PlaylistNotFoundError, AmbiguousPlaylistError
            No playlist, or more than one, has that name.
        """
        return await self._value(protocol.get_playlist(await resolve_playlist(self.playlists, playlist)))


def check_limit(limit: int | None) -> int | None:
    """Check a `limit`: a whole number from 1, or None for all."""
    if limit is None:
        return None
    number = parameters.whole("limit", limit)
    if number < 1:
        raise errors.ParameterError(f"limit={limit} is not 1 or more; None means all.", parameter="limit", value=limit)
    return number
