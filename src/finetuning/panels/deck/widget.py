"""The audition deck: takes side by side, heard at the same musical place.

What the page needs at once travels as traits; sound, and what a person does, as custom messages.

Page to kernel: `load` (`key`), `rate` (`keys, rating`), `reject` (`keys, rejected`), `select` (`keys, on`), `current`
(`key`), `blind` (`on`), `answer` (`number, outcome`). What changes something carries a `seq`, which is answered by
`done` or `refused` when it is recorded.
Kernel to page: `audio` (`key, loudness, peak`) with two buffers, sound and picture; `failed` (`key, message, hint`);
`question`, `stands`, `done`, `refused`, `trouble`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from finetuning.errors import MissingExtraError
from finetuning.sweep.run import SweepRun

from ..parts import script, style
from ..still import Still, new_id
from ..trouble import explained
from .collection import Collection, frame_of
from .conversation import Conversation
from .following import Follower
from .judges import Judge
from .layout import axes_of, spread
from .memory import Memory
from .standing import table, text
from .takes import Take

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("The audition deck", "lab") from error

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client

__all__ = ["Deck"]

_STATIC: Final = Path(__file__).parent / "static"
_PARTS: Final = (
    "page", "elements", "time", "loudness", "voices", "engine", "store", "layout", "matrix", "waveform", "blind",
    "ranking", "toolbar", "keys", "deck", "acts", "render",
)  # fmt: skip


class Deck(Still, anywidget.AnyWidget):
    """Takes to compare, in the notebook: a matrix of two swept parameters, or a list.

    Space plays and stops, the arrows go from take to take, and the sound goes along to the same bar and beat. `?`
    shows all keys.

    Parameters
    ----------
    client
        Whose takes they are.
    tracks
        Any selection of takes, or a `SweepRun`, whose takes then appear as they are made; none for an empty deck.
    rows, columns, page
        What spans the matrix: bpm, key, scale, time_signature, duration, energy, tags, seed or replicate, or an
        empty string for none. Chosen by what there is where it is not given; the deck has menus to change it.
    title
        Shown above.

    Raises
    ------
    SelectionError, ParameterError
        It is no selection; no such parameter.
    MissingExtraError
        ipywidgets or anywidget is not installed.
    """

    _noun = "deck"
    _follower: Follower | None = None
    _esm = script(_STATIC, *_PARTS)
    _css = style(_STATIC, "deck")

    takes = traitlets.List(
        traitlets.Dict(),
        help="What is shown: k(ey), t(itle), s(tate) and (r)e(ason) where it is not completed, d(uration) in seconds, "
        "b(pm), m(eter), and a(t): its place on each of the axes.",
    ).tag(sync=True)
    axes = traitlets.List(
        traitlets.Dict(), help="The parameters in which the takes differ: name and labels, in their order."
    ).tag(sync=True)
    rows = traitlets.Unicode(help="The parameter along the rows; empty for none.").tag(sync=True)
    columns = traitlets.Unicode(help="The parameter along the columns; empty for none.").tag(sync=True)
    page = traitlets.Unicode(help="The parameter that makes pages; empty for none.").tag(sync=True)
    title = traitlets.Unicode(help="Shown above the takes.").tag(sync=True)
    marks = traitlets.Dict(help="Key: rating (0 for none) and whether it is rejected.").tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode(), help="The keys of the selected takes.").tag(sync=True)
    ranking = traitlets.List(
        traitlets.List(), help="What was compared, the best first: key, rank, from, to, number of comparisons."
    ).tag(sync=True)
    begin = traitlets.Bool(
        False, help="Whether its first take sounds as soon as it is shown; taken back by the page that does so."
    ).tag(sync=True)
    stand_in = traitlets.Unicode(
        help="Id of the static table in the page, which is hidden for as long as the deck itself is there."
    ).tag(sync=True)

    def __init__(
        self,
        client: Client,
        tracks: Any = None,
        *,
        rows: str | None = None,
        columns: str | None = None,
        page: str | None = None,
        title: str | None = None,
    ) -> None:
        self._client = client
        self._asked: Mapping[str, str | None] = {"rows": rows, "columns": columns, "page": page}
        self._collection = Collection()
        self._memory = Memory(client, self._collection, self.show_judgements, self.complain)
        self._callbacks: list[Callable[[dict[str, Any]], object]] = []
        spread([], [], **self._asked)  # refuse before anything is asked or shown
        super().__init__(title=title or "", stand_in=new_id())
        self._conversation = Conversation(self, self._collection, client)
        self.on_msg(self._conversation.hear)
        if tracks is not None:
            self.add(tracks)

    # What is in it

    def add(self, tracks: Any) -> None:
        """Show more takes; those that are there already are brought up to date where they stand.

        Parameters
        ----------
        tracks
            As for the deck. A run takes the place of the one before.
        """
        if isinstance(tracks, SweepRun):
            if self._follower is not None:
                self._follower.stop()
            self._memory.run = tracks
            self.look_again()
            if not tracks.done:
                self._follower = Follower(self, tracks)
            return
        new = self._collection.put(frame_of(self._client, tracks))
        self._draw()
        self._memory.recall([take for take in new if take.id is not None])

    def remove(self, ids: Any) -> None:
        """Take these out of the deck, by any selection; nothing else happens to them."""
        from finetuning.selections import ids_of

        self._collection.drop(ids_of(ids))
        self._draw()

    def look_again(self) -> None:
        """Read the run anew; called where it has changed, on any thread."""
        run = self._memory.run
        if run is not None:
            new = self._collection.put(run.frame, points=True)
            self._draw()
            self._memory.recall(new)

    def settle(self) -> None:
        """Bring what a saved notebook will show up to date; called when the run has ended, on any thread."""
        self._renew_page()

    @property
    def frame(self) -> pd.DataFrame:
        """What is in the deck, with `rating`, `rejected`, `rank`, `rank_low`, `rank_high`, `compared` beside it."""
        self._memory.catch_up()
        return self._collection.judged(all_columns=True)

    @property
    def selected(self) -> pd.DataFrame:
        """The rows of `frame` that are selected in the deck; feeds `add_tracks` and the like."""
        return self._collection.selected()

    @property
    def current(self) -> str | None:
        """The id of the take under the cursor."""
        take = self._collection.take(self._conversation.current)
        return None if take is None else take.id

    @property
    def ratings(self) -> pd.DataFrame:
        """Judgements: `id`, `rating` (1 to 5), `rejected`, and of blind comparisons `rank`, `rank_low`, `rank_high`.

        The rank lies between the last two with a probability of 90 %; `compared` counts answers.
        """
        self._memory.catch_up()
        return self._collection.judged(all_columns=False)

    def on_change(self, callback: Callable[[dict[str, Any]], object]) -> Callable[[], None]:
        """Be told of ratings, selections and the cursor, on any thread.

        Parameters
        ----------
        callback
            Called with `{"what": "rating" | "selection" | "current", "ids": [...]}`.

        Returns
        -------
        callable
            Ends it.
        """
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    def close(self) -> None:
        """Take the deck from the page and follow its run no more."""
        if self._follower is not None:
            self._follower.stop()
        super().close()

    # For the conversation with the page

    def judge_of(self, take: Take | None) -> Judge:
        """Return who keeps judgements of a take."""
        return self._memory.judge_of(take)

    def announce(self, what: str, takes: list[Take]) -> None:
        """Tell whoever wants to know."""
        for callback in tuple(self._callbacks):
            try:
                callback({"what": what, "ids": [take.id for take in takes if take.id is not None]})
            except Exception as problem:  # noqa: BLE001 - it is shown under the deck, and harms nobody else
                self.complain(problem)

    def complain(self, problem: BaseException) -> None:
        """Show what went wrong under the deck."""
        message, hint = explained(problem)
        self.send({"type": "trouble", "message": message, "hint": hint})

    def show_judgements(self) -> None:
        """Bring marks, selection and ranking in the page up to date."""
        with self._collection.lock:
            marks = {key: [mark.rating or 0, int(mark.rejected)] for key, mark in self._collection.marks.items()}
            with self.hold_sync():
                self.marks = marks
                self.chosen = self._collection.chosen
                if not self._conversation.blind:  # what is being found out is not shown meanwhile
                    self.ranking = [list(standing) for standing in self._collection.standings()]

    # Within

    def _draw(self) -> None:
        with self._collection.lock:
            takes = self._collection.takes
            axes = axes_of(takes)
            if not self.takes or not (self.rows or self.columns):
                layout = spread(takes, axes, **self._asked)
            else:  # what a person chose meanwhile stays
                layout = spread(takes, axes, rows=self.rows, columns=self.columns, page=self.page)
            with self.hold_sync():
                self.axes = [{"name": axis.name, "labels": axis.labels} for axis in axes]
                self.takes = [_row(take, [axis.place(take) for axis in axes]) for take in takes]
                self.rows, self.columns, self.page = layout
            self.show_judgements()

    # As an output

    def __repr__(self) -> str:
        return text(self._collection.takes, self.title)

    def _page(self) -> str:
        return table(self._collection.takes, self.stand_in, self.title)


def _row(take: Take, at: list[int]) -> dict[str, Any]:
    row: dict[str, Any] = {"k": take.key, "t": take.title, "a": at}
    if take.id is None or take.state != "completed":
        row["s"] = take.state if take.state != "completed" else "waiting"
    more = {"e": take.reason, "d": take.duration, "b": take.bpm, "m": take.beats if take.beats != 4 else None}
    return row | {name: value for name, value in more.items() if value}
