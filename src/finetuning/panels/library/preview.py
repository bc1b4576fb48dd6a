"""What will become of each track, told from what is known here before anything is sent.

The rules are the service's own (see `Reason`): a public playlist holds only public tracks, a private one only its
owner's; a playlist holds a track once. What cannot be told from here is not guessed: such tracks are `unsure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from finetuning.audio.names import file_names
from finetuning.records import Generation, Playlist

from .intents import Intent, Verb, count, label_of

__all__ = ["Preview", "Reason", "Shelf", "paths_of", "preview"]


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
Verdict = Reason | str | None


@dataclass(frozen=True)
class Preview:
    """The fate of each track of an intent; every id is in exactly one of the three.

    Attributes
    ----------
    intent
        What was looked at.
    will
        The ids that will be changed.
    refused
        The ids that will not, with the reason.
    unsure
        The ids of which it cannot be told from here, with why.
    notes
        What else to know before it is done.
    """

    intent: Intent
    will: list[str]
    refused: dict[str, Reason]
    unsure: dict[str, str]
    notes: list[str]

    @property
    def possible(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.will or self.unsure)

    @property
    def sent(self) -> list[str]:
        """The ids that are sent when it is done.

        The playlists' verbs and deletion send all, and let the service say why not: it may know better by now. Where
        it has no say for each track, what is refused is left out.
        """
        if self.intent.verb in (Verb.DOWNLOAD, Verb.PUBLISH, Verb.HIDE):
            return [id_ for id_ in self.intent.ids if id_ not in self.refused]
        return list(self.intent.ids)

    @property
    def sentence(self) -> str:
        """One line, such as `12 tracks: 10 will be added to “Focus”, 2 will be refused: private into public`."""
        total = len(self.intent.ids)
        parts = [f"{'none' if not self.will else f'{len(self.will):,}'} will be {self.intent.verb.done}{self._where}"]
        if self.refused:
            reasons = _counted(list(self.refused.values()))
            parts.append(f"{len(self.refused):,} will be refused: {reasons}")
        if self.unsure:
            parts.append(f"{len(self.unsure):,} cannot be told from here: {_counted(list(self.unsure.values()))}")
        return f"{count(total)}: {', '.join(parts)}"

    @property
    def _where(self) -> str:
        intent = self.intent
        if intent.verb == Verb.MOVE:
            return f" from {label_of(intent.source)} to {label_of(intent.target)}"
        if intent.verb == Verb.ADD:
            return f" to {label_of(intent.target)}"
        if intent.verb == Verb.REMOVE:
            return f" from {label_of(intent.source)}"
        return f" to {intent.folder}" if intent.verb == Verb.DOWNLOAD else ""

    def fate(self, id_: str) -> str:
        """Say what will become of one track."""
        if id_ in self.refused:
            return f"refused: {self.refused[id_]}"
        return f"cannot be told: {self.unsure[id_]}" if id_ in self.unsure else f"will be {self.intent.verb.done}"


def preview(intent: Intent, shelf: Shelf) -> Preview:
    """Tell what an intent will do, without asking the service.

    Parameters
    ----------
    intent
        With its playlists as they were last read, tracks included.
    shelf
        What is known of tracks.

    Returns
    -------
    Preview
    """
    judge = _JUDGES[intent.verb](intent, shelf)
    will: list[str] = []
    refused: dict[str, Reason] = {}
    unsure: dict[str, str] = {}
    for id_ in intent.ids:
        verdict = judge(id_)
        if verdict is None:
            will.append(id_)
        elif isinstance(verdict, Reason):
            refused[id_] = verdict
        else:
            unsure[id_] = verdict
    return Preview(intent, will, refused, unsure, _notes(intent, shelf, will))


def paths_of(intent: Intent, shelf: Shelf) -> dict[str, Path]:
    """Say where each track of a download goes: the names are those that `client.download` gives."""
    records = [record for id_ in intent.ids if (record := shelf.record(id_))]
    folder = (intent.folder or Path()).expanduser()
    return {id_: folder / name for id_, name in file_names(records).items()}


def _adding(intent: Intent, shelf: Shelf) -> Callable[[str], Verdict]:
    target = _the(intent.target)
    inside, whole = _held(target)

    def judge(id_: str) -> Verdict:
        record = shelf.record(id_)
        own = id_ in shelf.library
        if record is None:
            if shelf.whole:  # a stranger's public track may go into a public playlist, and only there
                return (
                    "not in the library; another user's public track would be taken"
                    if target.is_public
                    else Reason.GONE
                )
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


def _removing(intent: Intent, _shelf: Shelf) -> Callable[[str], Verdict]:
    inside, whole = _held(_the(intent.source))

    def judge(id_: str) -> Verdict:
        if id_ in inside:
            return None
        return Reason.NOT_IN if whole else "not all of the playlist was shown"

    return judge


def _moving(intent: Intent, shelf: Shelf) -> Callable[[str], Verdict]:
    leaves, arrives = _removing(intent, shelf), _adding(intent, shelf)

    def judge(id_: str) -> Verdict:
        leaving = leaves(id_)
        if isinstance(leaving, Reason):
            return leaving
        arriving = arrives(id_)
        return arriving if isinstance(arriving, Reason) else leaving or arriving

    return judge


def _deleting(_intent: Intent, shelf: Shelf) -> Callable[[str], Verdict]:
    def judge(id_: str) -> Verdict:
        if id_ in shelf.library:
            return None
        return Reason.GONE if shelf.whole else _UNREAD

    return judge


def _downloading(intent: Intent, shelf: Shelf) -> Callable[[str], Verdict]:
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


def _showing(public: bool) -> Callable[[Intent, Shelf], Callable[[str], Verdict]]:
    already = Reason.ALREADY_PUBLIC if public else Reason.ALREADY_PRIVATE

    def judging(_intent: Intent, shelf: Shelf) -> Callable[[str], Verdict]:
        def judge(id_: str) -> Verdict:
            record = shelf.library.get(id_)
            if record is None:
                return Reason.GONE if shelf.whole else _UNREAD
            return already if record.is_public is public else None

        return judge

    return judging


_JUDGES: Final[dict[Verb, Callable[[Intent, Shelf], Callable[[str], Verdict]]]] = {
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


def _notes(intent: Intent, shelf: Shelf, will: list[str]) -> list[str]:
    notes = []
    if intent.verb == Verb.DELETE:
        public = sum(1 for id_ in will if (record := shelf.library.get(id_)) and record.is_public)
        notes.append("Deleted tracks are gone for good: from the library, every playlist and public pages.")
        if public:
            notes.append(f"{count(public)} of these {'is' if public == 1 else 'are'} public.")
    if intent.verb == Verb.HIDE:
        notes.append("A track that is hidden leaves the public playlists that it is in; undo does not put it back.")
    if intent.undoing and intent.verb in (Verb.ADD, Verb.MOVE):
        notes.append("They come to the end of the playlist, whatever their place was before.")
    return notes


def _counted(reasons: list[str]) -> str:
    """Say reasons: alone without a number, otherwise each with its own."""
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    if len(counts) == 1:
        return str(next(iter(counts)))
    return ", ".join(f"{number:,} {reason}" for reason, number in sorted(counts.items(), key=lambda pair: -pair[1]))
