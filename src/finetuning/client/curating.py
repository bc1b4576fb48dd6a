"""The bulk verbs: playlists and deletion, for any selection of any size.

A request whose answer is lost is repeated, as often as the policy says: `repeating` has the reasons why that is
harmless for each verb, and tells from the answers, or by reading, what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from finetuning import errors, protocol
from finetuning.bulk import BulkOutcome, run_bulk
from finetuning.records import BulkAnswer, Playlist
from finetuning.selections import Tracks, ids_of

from .reading import Reading
from .repeating import ADD, DELETE, MOVE, REMOVE, Repeating
from .resolving import PlaylistLike, resolve_playlist
from .sender import Progress

__all__ = ["Curating"]


class Curating(Reading):
    """Changes playlists and deletes tracks."""

    async def add_tracks(
        self, playlist: PlaylistLike, tracks: Tracks, *, progress: Progress | None = None
    ) -> BulkOutcome:
        """Add tracks to a playlist of yours."""
        ids = ids_of(tracks)
        target = await resolve_playlist(self.playlists, playlist)
        again = Repeating(self._transport, ADD, target)
        return await self._bulk("Added", ids, lambda chunk: protocol.add_tracks(target, chunk), again, progress)

    async def remove_tracks(
        self, playlist: PlaylistLike, tracks: Tracks, *, progress: Progress | None = None
    ) -> BulkOutcome:
        """Remove tracks from a playlist of yours; they stay in the library."""
        ids = ids_of(tracks)
        source = await resolve_playlist(self.playlists, playlist)
        again = Repeating(self._transport, REMOVE, source)
        return await self._bulk("Removed", ids, lambda chunk: protocol.remove_tracks(source, chunk), again, progress)

    async def move_tracks(
        self, source: PlaylistLike, target: PlaylistLike, tracks: Tracks, *, progress: Progress | None = None
    ) -> BulkOutcome:
        """Move tracks from one playlist to another: each is added there, and only then removed here."""
        ids = ids_of(tracks)
        listed: list[Playlist] | None = None

        async def listing() -> list[Playlist]:
            nonlocal listed
            if listed is None:
                listed = await self.playlists()
            return listed

        same = isinstance(source, str) and isinstance(target, str) and source == target
        origin = source if same else await resolve_playlist(listing, source)
        goal = source if same else await resolve_playlist(listing, target)
        if origin == goal:
            raise errors.ParameterError("Source and target are the same playlist.", parameter="target", value=target)
        again = Repeating(self._transport, MOVE, origin, goal)
        return await self._bulk("Moved", ids, lambda chunk: protocol.move_tracks(origin, goal, chunk), again, progress)

    async def delete_tracks(
        self, tracks: Tracks, *, yes: bool = False, progress: Progress | None = None
    ) -> BulkOutcome:
        """Delete tracks for good: from the library, every playlist and public pages.

        Raises
        ------
        ConfirmationError
            Without `yes=True`; nothing was sent.
        """
        ids = ids_of(tracks)
        if yes is not True:
            raise errors.ConfirmationError(
                f"This permanently deletes {len(ids)} track(s) from your library — everywhere, not just playlists.",
                hint="Pass yes=True to do it.",
            )
        again = Repeating(self._transport, DELETE)
        return await self._bulk("Deleted", ids, protocol.delete_generations, again, progress)

    async def _bulk(
        self,
        verb: str,
        ids: list[str],
        request: Callable[[Sequence[str]], protocol.Request[BulkAnswer]],
        again: Repeating,
        progress: Progress | None,
    ) -> BulkOutcome:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if progress:
                progress(done, len(ids))

        return await run_bulk(verb, ids, request, self._value, advance, again)
