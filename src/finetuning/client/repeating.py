"""Why each bulk verb may be repeated after a lost answer, and how to tell afterwards what it did.

No bulk verb does more when it is sent twice: a playlist holds a track once or not at all, and a deleted id is never
given again. So none can spend, double or destroy anything by a repetition, whether the first request was carried out
wholly, in part, later than the second, or never. What differs is the answer, which refuses what the first request has
done; `Verb` says what to make of each refusal. (What somebody else changes between the two requests, the second
changes back: that is what was asked for, and asking by hand would do the same.)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from finetuning import errors, protocol
from finetuning.patience import jittered
from finetuning.records import BulkAnswer
from finetuning.transport import Transport

__all__ = ["ADD", "DELETE", "MOVE", "REMOVE", "Repeating", "Verb"]

log = logging.getLogger("finetuning")


@dataclass(frozen=True, slots=True)
class Verb:
    """What a bulk verb asks for, and what its refusals mean when it is repeated.

    Attributes
    ----------
    harmless
        Why a repetition is.
    so
        The service's reasons that say that what was asked for is so.
    not_so
        The reasons that say that it is not, whatever the first request did. Any other text leaves it open: the id is
        looked for in the playlists.
    present
        Whether the track is in each playlist of the request, in order, when what was asked for is so.
    """

    harmless: str
    so: frozenset[str] = frozenset()
    not_so: frozenset[str] = frozenset()
    present: tuple[bool, ...] = ()


_BARRED: Final = frozenset({
    "Playlist not found", "Not authorized to modify this playlist", "Cannot add private track to public playlist",
})  # fmt: skip

#: "Track not found" is said of a track that does not exist (or may not be seen), which is then in no playlist.
ADD: Final = Verb(
    harmless="a playlist holds a track once, however often it is added",
    so=frozenset({"Track already in playlist"}),
    not_so=_BARRED | {"Track not found"},
    present=(True,),
)
#: Its one text is said of a track that is out and of a playlist that is somebody else's, so the playlist is read.
REMOVE: Final = Verb(harmless="what is out of a playlist stays out, and in the library", present=(False,))
#: A track that was moved is refused as not found (in the source) or as already there (in the target); so is one that
#: was never in the source, or in both. Source and target are read.
MOVE: Final = Verb(
    harmless="a track that has left the source is not moved again", not_so=_BARRED, present=(False, True)
)
#: Its one text is said of what is gone and of what was never the account's: neither is in the library now, and no
#: request tells them apart, since asking for either is answered with 404. The outcome names them as inferred.
DELETE: Final = Verb(
    harmless="what is deleted is gone, and its id is never given again",
    so=frozenset({"Track not found or not owned by you"}),
)


class Repeating:
    """Repeats the requests of one bulk call, with the patience of the client's policy.

    Parameters
    ----------
    transport
        Whose policy, clock and `on_wait` are used, and which reads the playlists.
    verb
        What is asked for.
    playlists
        Ids of the playlists that it changes, in the order of `Verb.present`.
    """

    def __init__(self, transport: Transport, verb: Verb, *playlists: str) -> None:
        self._transport = transport
        self._verb = verb
        self._playlists = playlists

    async def pause(self, tries: int, request: protocol.Request[BulkAnswer], problem: errors.FinetuningError) -> bool:
        """Wait before repetition number `tries`, from 1; False where the policy allows no such repetition."""
        policy = self._transport.policy
        if tries > policy.retries:
            return False
        seconds = jittered(policy, tries)
        reason = f"{type(problem).__name__} on {request}"
        log.info(
            "%s: repeating it in %.1f s, %d of %d; harmless: %s",
            reason, seconds, tries, policy.retries, self._verb.harmless,
        )  # fmt: skip
        if self._transport.on_wait:
            self._transport.on_wait(reason, seconds)
        await self._transport.clock.sleep(seconds)
        return True

    def told(self, reason: str) -> bool | None:
        """Say whether an id that a repetition refuses for this reason is as was asked; None: the text cannot tell."""
        return True if reason in self._verb.so else False if reason in self._verb.not_so else None

    async def look(self) -> Callable[[str], bool | None]:
        """Read each playlist of the request once; what comes back says whether an id is as was asked, where it can."""
        shelves = [await self._shelf(playlist) for playlist in self._playlists]

        def holds(id_: str) -> bool | None:
            verdicts = [shelf.verdict(id_, present) for shelf, present in zip(shelves, self._verb.present, strict=True)]
            if False in verdicts:
                return False
            return None if None in verdicts or not verdicts else True

        return holds

    async def _shelf(self, playlist: str) -> _Shelf:
        try:
            found = (await self._transport.send(protocol.get_playlist(playlist))).value
        except errors.NotFoundError:
            return _Shelf(own=False)
        except errors.FinetuningError as problem:
            log.info("playlist %s could not be looked at after a lost answer: %s", playlist, problem.message)
            return _Shelf()
        if found.tracks is None:
            return _Shelf(own=found.is_owner is not False)
        ids = frozenset(track.id for track in found.tracks)
        # A playlist of which not all was shown proves what is in it, not what is out of it.
        whole = len(found.tracks) >= (found.track_count or 0)
        return _Shelf(ids, whole=whole, own=found.is_owner is not False)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What was seen of a playlist: the ids in it, whether these are all, and whether this account may change it."""

    ids: frozenset[str] = frozenset()
    whole: bool = False
    own: bool = True

    def verdict(self, id_: str, present: bool) -> bool | None:
        """Say whether an id is in it, or out of it, as asked; None where that was not seen."""
        if not self.own:
            return False  # no request of ours has changed it, and the service's reason stands
        if id_ in self.ids:
            return present
        return not present if self.whole else None
