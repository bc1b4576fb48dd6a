"""Carrying out what was planned: looked at once more, added before removed, and every id accounted for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from finetuning import notices
from finetuning.bulk import BulkOutcome
from finetuning.client.blocking import Client
from finetuning.errors import FinetuningError, PartialWarning, PlaylistChangedError
from finetuning.protocol import BULK_MAX
from finetuning.records import Playlist

from .fates import Steps, held

__all__ = ["Applied", "Errand", "carry_out", "changed_since", "requests_of"]


@dataclass(eq=False, repr=False)
class Applied(BulkOutcome):
    """What became of one playlist; every id that was to go in or out is accounted for once.

    Attributes
    ----------
    playlist : str
        Its name.
    added, removed : list of str
        The ids that are in it now and were not before, and the other way round.
    reordered : list of str
        The ids that were taken out and added again.
    already : list of str
        Those of `succeeded` that needed nothing: they were so when it was looked at once more.
    """

    playlist: str = ""
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """One line: `“Focus Beats”: 10 added, 2 removed, 1 of 13 track(s) not changed`."""
        parts = [
            f"{len(ids):,} {word}"
            for ids, word in (
                (self.added, "added"),
                (self.removed, "removed"),
                (self.reordered, "put in order"),
                (self.already, "so already"),
            )
            if ids
        ]
        left = len(self.requested) - len(self.succeeded)
        if left:
            parts.append(f"{left:,} of {len(self.requested):,} track(s) not changed")
        return f"“{self.playlist}”: {', '.join(parts) or 'nothing to change'}"


@dataclass(frozen=True)
class Errand:
    """What is to be done to one playlist.

    Attributes
    ----------
    playlist
        As it was just read.
    name
        For the outcome.
    steps
        From what it holds now.
    asked
        All ids that the plan was to change: those that need nothing any more are reported too.
    bound
        Of ids that leave because they move: the ids of the playlists that must have them first.
    refused
        Ids that were to come and may not any more, with the reason.
    """

    playlist: Playlist
    name: str
    steps: Steps
    asked: Sequence[str]
    bound: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


def requests_of(todo: Steps) -> int:
    """Count the requests that change a playlist, and the one that looks at it first."""
    sizes = [len(todo.again), len(todo.arriving), len(todo.remove)]
    return 1 + sum(-(-size // BULK_MAX) for size in sizes) if todo else 0


def changed_since(before: Playlist, now: Playlist, todo: Steps, *, order: bool) -> PlaylistChangedError | None:
    """Say what happened to a playlist that the plan, carried out in part or in full, does not explain."""
    was, is_ = held(before), held(now)
    came = [id_ for id_ in is_ if id_ not in {*was, *todo.add}]
    went = [id_ for id_ in was if id_ not in {*is_, *todo.remove, *todo.again}]
    parts = [f"{len(ids):,} track(s) {word}" for ids, word in ((came, "came"), (went, "went")) if ids]
    if before.is_public != now.is_public:
        parts.append(f"it is {'public' if now.is_public else 'private'} now")
    stayed, moved = set(was) & set(is_), {*todo.again, *todo.add}
    if order and [i for i in was if i in stayed - moved] != [i for i in is_ if i in stayed - moved]:
        parts.append("its order is another")
    if not parts:
        return None
    return PlaylistChangedError(
        f"“{before.name or before.id}” has changed since the plan was made: {', '.join(parts)}. Nothing was sent.",
        playlist=before.id,
        came=came,
        went=went,
        hint="Plan again and look, or apply(anyway=True) to go from what it holds now to what was wanted.",
    )


class _StoppedError(Exception):
    """An error ended the work; what is left is not attempted."""


class _Work:
    """One errand under way."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        todo = errand.steps
        asked = list(dict.fromkeys([*errand.asked, *todo.arriving, *todo.remove]))
        open_ = {*todo.arriving, *todo.remove, *errand.refused}
        already = [id_ for id_ in asked if id_ not in open_]
        self.outcome = Applied("Changed", asked, playlist=errand.name, already=already)
        self.outcome.refused = {id_: why for id_, why in errand.refused.items() if id_ in asked}
        self.out: dict[str, None] = {}

    @property
    def touched(self) -> bool:
        """Whether anything was changed, or refused track by track."""
        done = self.outcome
        return bool(self.out or done.added or done.removed or done.reordered or done.refused)

    def has(self, id_: str) -> bool:
        """Whether a track that was to come is here now."""
        done = self.outcome
        return id_ in done.added or id_ in done.already or id_ in done.reordered or id_ in self.errand.steps.keep

    def send(self, verb: Callable[[Playlist, list[str]], BulkOutcome], ids: Sequence[str], word: str) -> None:
        """Send one verb, and note what it did."""
        if not ids:
            return
        try:
            answer = verb(self.errand.playlist, list(ids))
        except FinetuningError as error:
            self.outcome.error = error
            raise _StoppedError from error
        self.outcome.refused |= {id_: f"not {word}: {reason}" for id_, reason in answer.refused.items()}
        self.outcome.inferred += answer.inferred
        for id_ in answer.succeeded:
            if word == "taken out":
                self.out[id_] = None
            elif word == "removed":
                self.outcome.removed.append(id_)
            elif id_ in self.out:
                del self.out[id_]
                self.outcome.reordered.append(id_)
            else:
                self.outcome.added.append(id_)
        if answer.error:
            self.outcome.error = answer.error
            raise _StoppedError from answer.error

    def close(self, stopped: FinetuningError | None) -> Applied:
        """Put every id into exactly one of the outcome's three lists, in the order in which they were asked for."""
        done = self.outcome
        finished = {*done.added, *done.removed, *done.reordered, *done.already}
        done.succeeded = [id_ for id_ in done.requested if id_ in finished]
        for id_ in self.out:
            reason = done.refused.get(id_) or (stopped.message if stopped else "the service did not say why")
            done.refused[id_] = f"taken out, and not added again: {reason}"
        done.refused = {id_: reason for id_, reason in done.refused.items() if id_ not in finished}
        done.inferred = [id_ for id_ in dict.fromkeys(done.inferred) if id_ in finished]
        done.not_attempted = [id_ for id_ in done.requested if id_ not in finished and id_ not in done.refused]
        if done.not_attempted:
            done.error = done.error or stopped
        return done


def carry_out(client: Client, errands: Sequence[Errand]) -> list[Applied]:
    """Do what is to be done to each playlist.

    Everything is added before anything is removed, and a track that moves leaves only when it has arrived: whatever
    fails on the way, no track is lost to all playlists. (The exception is what is taken out to be added again, for
    the order: it goes out first, since a playlist holds a track once.)

    Warns
    -----
    PartialWarning
        An error stopped it part-way.

    Raises
    ------
    FinetuningError
        The first request was declined as a whole; nothing was changed.
    """
    works = [_Work(errand) for errand in errands]
    stopped: FinetuningError | None = None
    try:
        with notices.gathered():  # one warning at the end says it all
            _carry_out(client, works)
    except _StoppedError as stop:
        stopped = next(work.outcome.error for work in works if work.outcome.error)
        if not any(work.touched for work in works):
            raise stopped from stop.__cause__
    done = [work.close(stopped) for work in works]
    if stopped:
        said = "; ".join(outcome.summary for outcome in done)
        outcome: Applied | list[Applied] = done[0] if len(done) == 1 else done
        notices.warn(PartialWarning(f"{said}. Stopped by: {stopped.message}", outcome=outcome))
    return done


def _carry_out(client: Client, works: Sequence[_Work]) -> None:
    by_id = {work.errand.playlist.id: work for work in works}
    for work in works:
        todo = work.errand.steps
        work.send(client.remove_tracks, todo.again, "taken out")
        fresh = set(todo.add)
        work.send(client.add_tracks, [i for i in todo.arriving if i in fresh or i in work.out], "added")
    for work in works:
        stuck = {
            id_
            for id_, playlists in work.errand.bound.items()
            if not all(by_id[playlist].has(id_) for playlist in playlists)
        }
        work.outcome.refused |= dict.fromkeys(sorted(stuck), "stays here, since it could not be added where it goes")
        work.send(client.remove_tracks, [i for i in work.errand.steps.remove if i not in stuck], "removed")
