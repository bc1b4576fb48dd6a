"""What each bulk action would become of a track, and why it would be refused.

The rules are the service's own (see `Reason`): a public playlist holds only public tracks, a private one only its
owner's; a playlist holds a track once. What cannot be told from here is not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from finetuning.audio.names import file_names
from finetuning.records import Generation, Playlist

from .intents import Intent, Verb

__all__ = ["Judge", "Reason", "Shelf", "Verdict", "judge_of", "paths_of"]


class Reason(StrEnum):
    """Why a track will be refused."""

    PRIVATE = "private into public"
    FOREIGN = "another user's track into a private playlist"
    ALREADY = "already in the playlist"
    NOT_IN = "not in the playlist"
    GONE = "not in the library"
    NO_AUDIO = "not completed, so there is no audio"
    FAILED = "failed, so there is no audio"
    ALREADY_PUBLIC = "public already"
    ALREADY_PRIVATE = "private already"


_STRANGE: Final = "not in the library; another user's public track would be taken"
_UNREAD: Final = "it may not be in the library; only a part of that is loaded"


@dataclass(frozen=True)
class Shelf:
    """What is known of tracks.

    Attributes
    ----------
    library
        The account's own tracks, by id.
    whole
        Whether these are all of them.
    others
        Records of tracks that were seen elsewhere, in a playlist: perhaps of another user.
    """

    library: Mapping[str, Generation]
    whole: bool = False
    others: Mapping[str, Generation] = field(default_factory=dict)

    def record(self, id_: str) -> Generation | None:
        """Return what is known of a track."""
        return self.library.get(id_) or self.others.get(id_)


#: What is known of one track's fate: nothing against it, a reason, or (as plain text) why it cannot be told.
Verdict: TypeAlias = Reason | str | None
#: Tells it of a track, by its id.
Judge: TypeAlias = Callable[[str], Verdict]


def judge_of(intent: Intent, shelf: Shelf) -> Judge:
    """Return who tells of each track what the intent would do to it.

    Parameters
    ----------
    intent
        With its playlists as they were last read, tracks included.
    shelf
        What is known of tracks.
    """
    return _JUDGES[intent.verb](intent, shelf)


def paths_of(intent: Intent, shelf: Shelf) -> dict[str, Path]:
    """Say where each track of a download goes: the names are those that `client.download` gives."""
    records = [record for id_ in intent.ids if (record := shelf.record(id_))]
    folder = (intent.folder or Path()).expanduser()
    return {id_: folder / name for id_, name in file_names(records).items()}


def _adding(intent: Intent, shelf: Shelf) -> Judge:
    target = _the(intent.target)
    inside, whole = _held(target)

    def judge(id_: str) -> Verdict:
        record = shelf.record(id_)
        own = id_ in shelf.library
        if record is None:
            if shelf.whole:  # a stranger's public track may go into a public playlist, and only there
                return _STRANGE if target.is_public else Reason.GONE
            return _UNREAD
        if target.is_public and record.is_public is False:
            return Reason.PRIVATE
        if not target.is_public and not own and shelf.whole:
            return Reason.FOREIGN
        if id_ in inside:
            return Reason.ALREADY
        if target.is_public and record.is_public is None:
            return "whether it is public is not known"
        if not own and not shelf.whole:
            return _UNREAD
        return None if whole else "not all of the playlist was shown"

    return judge


def _removing(intent: Intent, _shelf: Shelf) -> Judge:
    inside, whole = _held(_the(intent.source))

    def judge(id_: str) -> Verdict:
        if id_ in inside:
            return None
        return Reason.NOT_IN if whole else "not all of the playlist was shown"

    return judge


def _moving(intent: Intent, shelf: Shelf) -> Judge:
    leaves, arrives = _removing(intent, shelf), _adding(intent, shelf)

    def judge(id_: str) -> Verdict:
        leaving = leaves(id_)
        if isinstance(leaving, Reason):
            return leaving
        arriving = arrives(id_)
        return arriving if isinstance(arriving, Reason) else leaving or arriving

    return judge


def _deleting(_intent: Intent, shelf: Shelf) -> Judge:
    def judge(id_: str) -> Verdict:
        if id_ in shelf.library:
            return None
        return Reason.GONE if shelf.whole else _UNREAD

    return judge


def _downloading(intent: Intent, shelf: Shelf) -> Judge:
    there = {id_ for id_, path in paths_of(intent, shelf).items() if path.exists()}

    def judge(id_: str) -> Verdict:
        record = shelf.record(id_)
        if record is None:
            return Reason.GONE
        if record.status == "failed":
            return Reason.FAILED
        if record.status != "completed" or not record.audio_url:
            return Reason.NO_AUDIO
        if id_ in there:
            return "a file of that name is there, which is kept if it is whole"
        return None

    return judge


def _showing(public: bool) -> Callable[[Intent, Shelf], Judge]:
    already = Reason.ALREADY_PUBLIC if public else Reason.ALREADY_PRIVATE

    def judging(_intent: Intent, shelf: Shelf) -> Judge:
        def judge(id_: str) -> Verdict:
            record = shelf.library.get(id_)
            if record is None:
                return Reason.GONE if shelf.whole else _UNREAD
            return already if record.is_public is public else None

        return judge

    return judging


_JUDGES: Final[dict[Verb, Callable[[Intent, Shelf], Judge]]] = {
    Verb.ADD: _adding,
    Verb.REMOVE: _removing,
    Verb.MOVE: _moving,
    Verb.DELETE: _deleting,
    Verb.DOWNLOAD: _downloading,
    Verb.PUBLISH: _showing(True),
    Verb.HIDE: _showing(False),
}


def _held(playlist: Playlist) -> tuple[set[str], bool]:
    """Read which ids a playlist holds, and whether these are all."""
    tracks = playlist.tracks or []
    return {track.id for track in tracks}, len(tracks) >= (playlist.track_count or 0)


def _the(playlist: Playlist | None) -> Playlist:
    if playlist is None:
        raise AssertionError("an intent for a playlist has none")
    return playlist
