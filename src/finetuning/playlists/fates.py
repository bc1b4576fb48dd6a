"""What becomes of each track, told from records alone: who may be in, what goes in and out. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from finetuning.records import Generation, Playlist

__all__ = ["Knowledge", "Reason", "Steps", "Verdicts", "held", "in_order", "judge", "steps"]


class Reason(StrEnum):
    """Why a track is refused."""

    PRIVATE = "private track into a public playlist: make it public in the web application first"
    FOREIGN = "another user's track into a private playlist"
    GONE = "not in the library: unknown, deleted, or another user's"
    FAILED = "failed, so there is nothing to play"
    UNFINISHED = "not completed yet"


_STRANGE = "not in the library: another user's public track is taken, a deleted one is not"
_UNSEEN = "whether it is public is not known"


@dataclass(frozen=True)
class Knowledge:
    """What is known of tracks.

    Attributes
    ----------
    library
        The account's own, by id, as far as they were looked for.
    elsewhere
        Records that playlists showed, whoever's they are.
    public
        Ids that the selection itself says are public.
    unreadable
        Ids that cannot be asked for, with the reason.
    titles
        What the selection itself calls tracks of which nothing else is known.
    """

    library: Mapping[str, Generation]
    elsewhere: Mapping[str, Generation] = field(default_factory=dict)
    public: Collection[str] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def record(self, id_: str) -> Generation | None:
        """Return what is known of a track."""
        return self.library.get(id_) or self.elsewhere.get(id_)


@dataclass(frozen=True)
class Verdicts:
    """Who may be in a playlist.

    Attributes
    ----------
    accepted
        The ids that may be or are in it, in the order wanted.
    refused
        The others, with the reason.
    doubts
        Of those accepted, what cannot be told from here.
    """

    accepted: list[str]
    refused: dict[str, str]
    doubts: dict[str, str]


@dataclass(frozen=True)
class Steps:
    """What leads from what a playlist holds to what it should hold; each id is in one of the four.

    Attributes
    ----------
    add
        New in it, in the order wanted.
    again
        In it already, but taken out and added again for the sake of the order.
    remove
        Taken out.
    keep
        In it, and left where they are.
    arriving
        `add` and `again` together, in the order in which they are added.
    """

    add: list[str]
    again: list[str]
    remove: list[str]
    keep: list[str]
    arriving: list[str]

    def __bool__(self) -> bool:
        return bool(self.arriving or self.remove)


def held(playlist: Playlist) -> list[str]:
    """Return the ids of a playlist's tracks, in its order."""
    return list(dict.fromkeys(track.id for track in playlist.tracks or []))


def judge(wanted: Iterable[str], playlist: Playlist, known: Knowledge) -> Verdicts:
    """Say who may be in a playlist.

    The service's rules are that a public playlist holds only public tracks, and a private one only its owner's. That
    a track should be completed is ours: nobody can listen to the others.

    Parameters
    ----------
    wanted
        Each id once.
    playlist
        With its tracks; what is in it stays acceptable.
    known
        What is known of the tracks.
    """
    inside = set(held(playlist))
    verdicts = Verdicts([], {}, {})
    for id_ in wanted:
        verdict = None if id_ in inside else _verdict(id_, playlist, known)
        if isinstance(verdict, Reason) or id_ in known.unreadable:
            verdicts.refused[id_] = known.unreadable.get(id_) or str(verdict)
            continue
        verdicts.accepted.append(id_)
        if verdict:
            verdicts.doubts[id_] = verdict
    return verdicts


def _verdict(id_: str, playlist: Playlist, known: Knowledge) -> str | None:
    """Return a `Reason` against a track, a doubt, or None."""
    record = known.record(id_)
    if record is None:
        return _STRANGE if playlist.is_public and id_ in known.public else Reason.GONE
    if id_ not in known.library and not playlist.is_public:
        return Reason.FOREIGN
    if record.status == "failed":
        return Reason.FAILED
    if record.status != "completed":
        return Reason.UNFINISHED
    if playlist.is_public and record.is_public is None:
        return _UNSEEN
    return Reason.PRIVATE if playlist.is_public and not record.is_public else None


def steps(
    inside: Sequence[str], wanted: Sequence[str], *, exact: bool, order: bool, leaving: Collection[str] = ()
) -> Steps:
    """Say what goes in and out.

    Parameters
    ----------
    inside
        What the playlist holds, in its order.
    wanted
        What it should hold, in the order wanted.
    exact
        Whether nothing else may stay.
    order
        Whether the tracks wanted are to come in the order wanted. The service appends, and that is all: the longest
        beginning of `wanted` that stands in order stays, and the rest is taken out and added again.
    leaving
        What goes in any case.
    """
    here, wish = set(inside), set(wanted)
    remove = [id_ for id_ in inside if id_ not in wish and (exact or id_ in leaving)]
    standing = _standing(inside, wanted) if order else len(wanted)
    again = [id_ for id_ in wanted[standing:] if id_ in here]
    add = [id_ for id_ in wanted if id_ not in here]
    moved, gone = set(again), set(remove)
    keep = [id_ for id_ in inside if id_ not in moved and id_ not in gone]
    arriving = [id_ for id_ in wanted if id_ not in here or id_ in moved]
    return Steps(add, again, remove, keep, arriving)


def _standing(inside: Sequence[str], wanted: Sequence[str]) -> int:
    """Count how many of the first tracks wanted are inside and in order, so that the rest can be appended to them."""
    places = {id_: place for place, id_ in enumerate(inside)}
    last = -1
    for count, id_ in enumerate(wanted):
        if places.get(id_, -1) <= last:
            return count
        last = places[id_]
    return len(wanted)


def in_order(wanted: Sequence[str], done: Steps) -> bool:
    """Say whether the tracks wanted will stand in the order wanted when the steps are done."""
    wish = set(wanted)
    return [id_ for id_ in (*done.keep, *done.arriving) if id_ in wish] == list(wanted)
