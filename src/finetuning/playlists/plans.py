"""`Plan`: what would be done to a playlist, shown before it is done, done, and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from finetuning import errors
from finetuning.client.blocking import Client
from finetuning.records import Playlist

from .carrying import Applied, Errand, carry_out, changed_since, requests_of
from .fates import Knowledge, Steps, held, in_order, judge, steps
from .showing import counted, plan_html, plan_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "Plan", "apply_all", "undo_all"]

#: Of the tables that say what becomes of each track.
COLUMNS = ("id", "title", "reason")


class Plan:
    """What would become of one playlist; made by `finetuning.playlists.plan`.

    Attributes
    ----------
    name : str
        The playlist's.
    playlist : Playlist
        As it was read, with its tracks.
    """

    def __init__(
        self,
        client: Client,
        playlist: Playlist,
        wanted: Sequence[str],
        known: Knowledge,
        *,
        exact: bool,
        order: bool,
        repeats: int = 0,
    ) -> None:
        self.name = playlist.name or playlist.id
        self.playlist = playlist
        self._client = client
        self._known = known
        self._wanted = list(wanted)
        self._exact, self._order, self._repeats = exact, order, repeats
        self._verdicts = judge(wanted, playlist, known)
        self._goes: dict[str, list[Plan]] = {}
        self._comes: dict[str, Plan] = {}
        self._did: dict[str, bool] = {}  # what this plan added (True) and removed (False), for `undo`
        self._last: Applied | None = None
        self._steps = self.steps_from(playlist)

    # What would be done

    @property
    def add(self) -> pd.DataFrame:
        """The tracks that would be added, in order: `id`, `title`, `reason` (what is to be known of them), text."""
        reasons = {id_: f"moves from “{source.name}”" for id_, source in self._comes.items()} | self._verdicts.doubts
        return self._frame(self._steps.add, reasons, "")

    @property
    def remove(self) -> pd.DataFrame:
        """The tracks that would be taken out; they stay in the library."""
        reasons = {id_: f"moves to {_names(plans)}" for id_, plans in self._goes.items()}
        return self._frame(self._steps.remove, reasons, "not among those wanted")

    @property
    def keep(self) -> pd.DataFrame:
        """The tracks that are in it and stay."""
        wanted = set(self._wanted)
        reasons = dict.fromkeys(self._steps.again, "taken out and added again, for the order")
        reasons |= {id_: "not among those wanted, but stays" for id_ in self._steps.keep if id_ not in wanted}
        stay = {*self._steps.keep, *self._steps.again}
        return self._frame([id_ for id_ in held(self.playlist) if id_ in stay], reasons, "in it already")

    @property
    def refused(self) -> pd.DataFrame:
        """The tracks that are wanted and may not be in it, with the reason."""
        return self._frame(list(self._verdicts.refused), self._verdicts.refused, "")

    @property
    def before(self) -> pd.DataFrame:
        """The playlist's tracks as they were read, with the columns of `frames.GENERATION_COLUMNS`."""
        from finetuning.frames import generations_frame

        return generations_frame(self.playlist.tracks or [])

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self._steps

    @property
    def ordered(self) -> bool:
        """Whether the tracks wanted will stand in the order wanted."""
        return in_order(self._verdicts.accepted, self._steps)

    @property
    def requests(self) -> int:
        """How many requests `apply` sends, the one that looks at the playlist again included."""
        return requests_of(self._steps)

    @property
    def summary(self) -> str:
        """One line: `“Focus Beats” (private, 12 tracks): 10 to add, 2 to remove, 10 kept, 3 refused; 3 requests`."""
        visible = {True: "public, ", False: "private, ", None: ""}[self.playlist.is_public]
        kept = len(self._steps.keep) + len(self._steps.again)
        parts = [
            f"{len(self._steps.add):,} to add",
            f"{len(self._steps.remove):,} to remove",
            f"{kept:,} kept" + (f" ({len(self._steps.again):,} put in order)" if self._steps.again else ""),
            f"{len(self._verdicts.refused):,} refused",
        ]
        sent = f"{self.requests:,} request(s)" if self.requests else "nothing to send"
        return f"“{self.name}” ({visible}{len(held(self.playlist)):,} track(s)): {', '.join(parts)}; {sent}"

    @property
    def notes(self) -> list[str]:
        """What else to know before it is done."""
        told = [f"{count:,} × refused: {reason}" for reason, count in counted(self._verdicts.refused.values())]
        told += [f"{count:,} × not certain: {reason}" for reason, count in counted(self._verdicts.doubts.values())]
        if self._repeats:
            told.append(f"{self._repeats:,} row(s) of the selection repeat a track, which is in a playlist once.")
        if (self.playlist.track_count or 0) > len(held(self.playlist)):
            told.append(f"The service shows {len(held(self.playlist)):,} of its {self.playlist.track_count:,} tracks.")
        if not self.ordered:
            other = self.steps_from(self.playlist, order=True)
            told.append(
                "The order will not be the selection's, since the API only appends. With order=True "
                f"{len(other.again):,} track(s) are taken out and added again: {requests_of(other):,} request(s)."
            )
        return told

    # Doing it

    def apply(self, *, anyway: bool = False) -> Applied:
        """Do it, after looking whether the playlist is still as it was.

        Applying again does no harm: what is done is only reported, and what was left undone is tried again.

        Parameters
        ----------
        anyway
            Go on where the playlist has changed since: from what it holds now to what was wanted.

        Returns
        -------
        Applied
            A `BulkOutcome` in which every id that was to go in or out is in one list.

        Raises
        ------
        PlaylistChangedError
            Somebody else changed the playlist since; what came and went is in it. Nothing was sent.
        FinetuningError
            The first request was declined as a whole; nothing was changed.
        """
        return apply_all(self._client, [self], anyway=anyway)[0]

    def undo(self) -> Applied:
        """Take back what this plan did: remove what it added, add what it removed.

        The order cannot be taken back, since the API only appends: what was removed comes to the end. To have that
        too, plan the old state: `plan(client, name, plan.before, exact=True, order=True)`.

        Raises
        ------
        UsageError
            There is nothing to take back.
        """
        if not self.changed:
            raise errors.UsageError(
                f"There is nothing to take back in “{self.name}”: this plan has changed nothing in it.",
                hint="plan.apply() carries it out.",
            )
        return undo_all(self._client, [self])[0]

    def __repr__(self) -> str:
        return plan_text(self.summary, self.notes, self._end)

    def _repr_html_(self) -> str:
        tables = {"refused": self.refused, "add": self.add, "remove": self.remove, "keep": self.keep}
        return plan_html(self.summary, self.notes, tables, self._end)

    @property
    def _end(self) -> str:
        if self._last is not None:
            return f"Done: {self._last.summary}."
        return "There is nothing to do." if self.empty else "Nothing was sent yet: .apply() does it."

    # For what plans several, and carries out

    @property
    def accepted(self) -> list[str]:
        """The ids that are wanted and may be in it."""
        return self._verdicts.accepted

    def steps_from(self, playlist: Playlist, *, order: bool | None = None) -> Steps:
        """Say what leads from a reading of the playlist to what is wanted."""
        accepted = judge(self._wanted, playlist, self._known).accepted
        order = self._order if order is None else order
        return steps(held(playlist), accepted, exact=self._exact, order=order, leaving=self._goes)

    def link(self, goes: Mapping[str, list[Plan]]) -> None:
        """Take over which tracks leave this playlist for others that are planned at the same time."""
        self._goes = {id_: list(plans) for id_, plans in goes.items()}
        self._steps = self.steps_from(self.playlist)
        for id_, plans in self._goes.items():
            for each in plans:
                each._comes[id_] = self

    def errand(self, *, anyway: bool) -> Errand:
        """Look at the playlist again and say what is left to do."""
        now = self._client.playlist(self.playlist.id).record
        problem = changed_since(self.playlist, now, self._steps, order=self._order)
        if problem and not anyway:
            raise problem
        todo = self.steps_from(now)
        asked = [*self._steps.add, *self._steps.again, *self._steps.remove]
        bound = {id_: [each.playlist.id for each in plans] for id_, plans in self._goes.items()}
        return Errand(now, self.name, todo, asked, bound, judge(self._wanted, now, self._known).refused)

    def note(self, done: Applied) -> None:
        """Remember what was done, to take it back."""
        inferred = set(done.inferred)  # may have been so before
        self._did |= {id_: True for id_ in done.added if id_ not in inferred}
        self._did |= {id_: False for id_ in done.removed if id_ not in inferred}
        self._last = done

    @property
    def changed(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._did)

    def errand_back(self) -> Errand:
        """Look at the playlist again and say what takes back what was done."""
        now = self._client.playlist(self.playlist.id).record
        inside = set(held(now))
        out = [id_ for id_, added in self._did.items() if added]
        back = [id_ for id_ in held(self.playlist) if self._did.get(id_) is False]
        add = [id_ for id_ in back if id_ not in inside]
        todo = Steps(add, [], [id_ for id_ in out if id_ in inside], [], add)
        return Errand(now, self.name, todo, [*out, *back])

    def note_back(self, done: Applied) -> None:
        """Forget what was taken back."""
        for id_ in done.succeeded:
            self._did.pop(id_, None)
        self._last = done

    def _frame(self, ids: Sequence[str], reasons: Mapping[str, str], otherwise: str) -> pd.DataFrame:
        import pandas as pd

        rows = [(id_, self._title(id_), reasons.get(id_, otherwise)) for id_ in ids]
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")

    def _title(self, id_: str) -> str:
        record = self._known.record(id_)
        return (record.title or record.prompt or "") if record else self._known.titles.get(id_, "")


def apply_all(client: Client, plans: Sequence[Plan], *, anyway: bool) -> list[Applied]:
    """Look at every playlist again, and only then begin with the first."""
    errands = [
        each.errand(anyway=anyway) if not each.empty else Errand(each.playlist, each.name, each._steps, [])
        for each in plans
    ]
    done = carry_out(client, errands)
    for each, one in zip(plans, done, strict=True):
        each.note(one)
    return done


def undo_all(client: Client, plans: Sequence[Plan]) -> list[Applied]:
    """Take back what several plans did."""
    done = carry_out(client, [each.errand_back() for each in plans])
    for each, one in zip(plans, done, strict=True):
        each.note_back(one)
    return done


def _names(plans: Sequence[Plan]) -> str:
    return ", ".join(f"“{each.name}”" for each in plans)
