"""Bulk actions from the preview to the difference that they made; nothing here is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from finetuning.bulk import BulkOutcome
from finetuning.errors import FinetuningError, ParameterError
from finetuning.records import Generation, Playlist

from .batches import Progress, Stop, fetch_all, send_all
from .difference import Difference
from .holdings import Holdings
from .intents import Intent, Verb
from .judges import Shelf, paths_of
from .preview import Preview, preview

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient

__all__ = ["Doing", "Done"]


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes
    ----------
    preview
        What was expected.
    outcome
        What became of each track.
    differences
        Of each playlist that was to change.
    undo
        What takes it back; None where nothing does.
    unread
        Why a playlist could not be read afterwards, where one could not.
    """

    preview: Preview
    outcome: BulkOutcome
    differences: list[Difference]
    undo: Intent | None
    unread: FinetuningError | None = None


class Doing:
    """Looks, does, and looks again.

    Parameters
    ----------
    client
        Who does it, on its own loop; so do the coroutines here.
    holdings
        What is known of the library; kept in step with what is done.
    studio
        The embedded service, where it is one: it shows and hides tracks, which the API never does.
    """

    def __init__(self, client: AsyncClient, holdings: Holdings, studio: Any = None) -> None:
        self._client = client
        self._holdings = holdings
        self._studio = studio
        self._seen: dict[str, Generation] = {}

    @property
    def shelf(self) -> Shelf:
        """What is known of tracks now."""
        return Shelf(self._holdings.records, self._holdings.whole, dict(self._seen))

    async def playlists(self) -> list[Playlist]:
        """Read the account's playlists, without their tracks."""
        return await self._client.playlists()

    async def playlist(self, id_: str) -> Playlist:
        """Read one playlist with its tracks."""
        found = await self._client.playlist(id_)
        tracks = found.tracks or []
        self._seen |= {track.id: track for track in tracks}
        self._holdings.renew(tracks)
        return found

    async def look(self, intent: Intent) -> Preview:
        """Read the playlists of an intent and tell what it will do."""
        fresh = [await self.playlist(each.id) for each in intent.playlists]
        return preview(intent.on(*fresh), self.shelf)

    async def do(self, expected: Preview, stop: Stop, progress: Progress) -> Done:
        """Do what was previewed.

        Raises
        ------
        FinetuningError
            Nothing was done at all.
        """
        intent = expected.intent
        outcome = await self._carry_out(expected, stop, progress)
        self._keep_in_step(intent.verb, outcome.succeeded)
        differences: list[Difference] = []
        unread: FinetuningError | None = None
        for before in intent.playlists:
            try:
                differences.append(Difference(before, await self.playlist(before.id)))
            except FinetuningError as error:  # what was done must be told all the same
                unread = error
        inferred = set(outcome.inferred)  # these may have been so before, and are not taken back
        undo = intent.on(*(each.after for each in differences)).undo(
            [id_ for id_ in outcome.succeeded if id_ not in inferred]
        )
        return Done(expected, outcome, differences, undo, unread)

    async def _carry_out(self, expected: Preview, stop: Stop, progress: Progress) -> BulkOutcome:
        intent = expected.intent
        if intent.verb == Verb.DOWNLOAD:
            return await self._download(expected, stop, progress)
        if intent.verb in (Verb.PUBLISH, Verb.HIDE):
            return await self._show(expected, public=intent.verb == Verb.PUBLISH)
        return await send_all(_word(intent.verb), expected.sent, self._sender(intent), stop=stop, progress=progress)

    def _sender(self, intent: Intent) -> Callable[[Sequence[str]], Awaitable[BulkOutcome]]:
        client, source, target = self._client, intent.source, intent.target
        if intent.verb == Verb.DELETE:
            return lambda ids: client.delete_tracks(list(ids), yes=True)
        if intent.verb == Verb.MOVE and source and target:
            return lambda ids: client.move_tracks(source, target, list(ids))
        if intent.verb == Verb.ADD and target:
            return lambda ids: client.add_tracks(target, list(ids))
        if intent.verb == Verb.REMOVE and source:
            return lambda ids: client.remove_tracks(source, list(ids))
        raise ParameterError("No playlist was chosen.", parameter="playlist")

    async def _download(self, expected: Preview, stop: Stop, progress: Progress) -> BulkOutcome:
        shelf = self.shelf
        records = [record for id_ in expected.sent if (record := shelf.record(id_))]
        paths = paths_of(expected.intent, shelf)
        outcome = await fetch_all(self._client.transport, records, paths, stop=stop, progress=progress)
        return self._with_refused(expected, outcome)

    async def _show(self, expected: Preview, *, public: bool) -> BulkOutcome:
        if self._studio is None:
            raise FinetuningError(
                "The API never changes who may see a track.", hint="Do it in the web application, then refresh."
            )
        await asyncio.to_thread(self._studio.set_public, expected.sent, public)
        return self._with_refused(
            expected, BulkOutcome(_word(expected.intent.verb), expected.sent, succeeded=list(expected.sent))
        )

    @staticmethod
    def _with_refused(expected: Preview, outcome: BulkOutcome) -> BulkOutcome:
        """Account for the tracks that were left out, too."""
        outcome.requested = list(expected.intent.ids)
        outcome.refused = {id_: str(reason) for id_, reason in expected.refused.items()} | outcome.refused
        return outcome

    def _keep_in_step(self, verb: Verb, ids: list[str]) -> None:
        if verb == Verb.DELETE:
            self._holdings.drop(ids)
            for id_ in ids:
                self._seen.pop(id_, None)
        if verb in (Verb.PUBLISH, Verb.HIDE):
            known = self._holdings.records
            self._holdings.renew(
                msgspec.structs.replace(known[id_], is_public=verb == Verb.PUBLISH) for id_ in ids if id_ in known
            )


def _word(verb: Verb) -> str:
    """Return the outcome's word: `Added`."""
    return verb.done.capitalize()
