"""The library panel: a library to look through, to choose from, and to put in order."""

from __future__ import annotations

import html
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from finetuning.bulk import BulkOutcome
from finetuning.client.reading import check_limit
from finetuning.errors import MissingExtraError, SelectionError
from finetuning.selections import Tracks, ids_of

try:
    import ipywidgets
except ImportError as error:
    raise MissingExtraError("The library panel", "lab") from error

from finetuning.records import Generation, Playlist

from ..trouble import Trouble, shown
from .desk import Desk
from .doing import Doing, Done
from .filterbar import FilterBar
from .holdings import Holdings
from .intents import Intent, Verb, count
from .maker import Maker
from .pair import Pair
from .rows import LIBRARY, library_row
from .table import Table
from .tasks import Tasks

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client

__all__ = ["LibraryPanel"]

#: Seconds that showing the panel waits for the first page, so that what is saved of it is not empty.
_FIRST_PAGE: Final = 2.0
_STATIC_ROWS: Final = 10


class LibraryPanel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The library as a table, with filters, listening, bulk actions and playlists side by side.

    Whatever changes something is previewed before it is sent, shows what became of each track, and can be taken back
    where the API allows it. Nothing here makes the kernel wait.

    Parameters
    ----------
    client
        Whose library.
    limit
        At most so many tracks are read, the newest; None for all.

    Raises
    ------
    ParameterError
        `limit` is not a whole number from 1.
    FinetuningError
        The client is closed.
    MissingExtraError
        ipywidgets or anywidget is not installed.

    Examples
    --------
    >>> panel = ft.LibraryPanel(client)  # doctest: +SKIP
    >>> panel.selected  # doctest: +SKIP
    """

    def __init__(self, client: Client, *, limit: int | None = 500) -> None:
        limit = check_limit(limit)
        self._client = client
        self._lock = threading.RLock()
        self._holdings = Holdings(client.asynchronous, limit)
        self._doing = Doing(client.asynchronous, self._holdings, client.studio)
        self._ratings: dict[str, int] = {}
        self._drawn: dict[str, tuple[Generation, int | None]] = {}
        self._next_draw = 0.0
        self._outcome: BulkOutcome | None = None
        self._reading: Future[None] | None = None
        self._first = threading.Event()
        self._shown_as: Any = None
        self._stand_in = f"ft-{uuid.uuid4().hex}"
        self.deck: Any = None
        self.trouble = Trouble()
        self._tasks = Tasks(client, self.trouble)

        self.filters = FilterBar(self._filter)
        self.table = Table(LIBRARY, label="Library", nothing="No track is as the filters ask.", stand_in=self._stand_in)
        self.table.on_choose(self._chosen)
        self.table.on_open(lambda id_: self._play([id_]))
        self.desk = Desk(self._doing, self._tasks, self.trouble, self._changed)
        self.pair = Pair(self._doing, self._tasks, self.trouble, lambda intent: self.desk.propose(intent, fixed=True))
        self.maker = Maker(client.studio, self._tasks, self.trouble, self._offer_playlists)
        self.buttons: dict[str, ipywidgets.Button] = {}
        self._deck_box = ipywidgets.VBox([])
        self._head = ipywidgets.HTML(layout=ipywidgets.Layout(flex="1 1 auto"))
        self._progress = ipywidgets.IntProgress(
            min=0, max=limit or 1, layout=ipywidgets.Layout(width="8rem", visibility="hidden")
        )
        super().__init__(self._lay_out())
        self.add_class("ft-library")
        self.reload()

    # What a program reads and does

    @property
    def frame(self) -> pd.DataFrame:
        """All tracks that were read, newest first: the columns of `client.generations()`, and `rating`."""
        return self._framed(None)

    @property
    def shown(self) -> pd.DataFrame:
        """The tracks that the filters leave, newest first."""
        return self._framed(self.table.order)

    @property
    def selected(self) -> pd.DataFrame:
        """The tracks that are chosen, whether the filters leave them or not."""
        return self._framed(self.table.chosen)

    @property
    def outcome(self) -> BulkOutcome | None:
        """What became of each track in the last bulk action; None before the first."""
        return self._outcome

    def select(self, tracks: Tracks | None) -> None:
        """Choose these tracks and no others; None for none.

        Raises
        ------
        SelectionError, ParameterError
            It is no selection; a track of it was not read.
        """
        self.table.choose([] if tracks is None else ids_of(tracks))

    def refresh(self) -> None:
        """Read what is new, and how those stand that were not finished. Returns at once."""
        self._read(self._holdings.refresh)

    def reload(self) -> None:
        """Read everything anew. Returns at once; `wait` waits."""
        self._read(self._holdings.load)
        self._offer_playlists()

    def wait(self, timeout: float | None = 60.0) -> bool:
        """Wait until nothing is under way; False where something still is after `timeout` seconds."""
        return self._tasks.wait(timeout)

    def propose(self, verb: str, tracks: Tracks | None = None) -> None:
        """Open the form of a bulk action, as its button does; nothing is sent.

        Parameters
        ----------
        verb
            add, remove, move, download, delete; in the studio also publish and hide.
        tracks
            With which; those that are selected by default.
        """
        ids = self.table.chosen if tracks is None else ids_of(tracks)
        self.desk.propose(Intent(Verb(verb), tuple(ids)))

    # Layout

    def _lay_out(self) -> list[ipywidgets.Widget]:
        wrap = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        head = ipywidgets.HBox(
            [
                self._head,
                self._progress,
                self._button("Stop reading", "Keep what was read so far", self._stop_reading),
                self._button("Refresh", "Read what is new", self.refresh),
                self._button("Reload", "Read everything anew", self.reload),
            ],
            layout=ipywidgets.Layout(align_items="center"),
        )
        self.buttons["Stop reading"].layout.display = "none"
        self._count = ipywidgets.HTML()
        choice = [
            self._count,
            self._button("All shown", "Choose all that the filters leave", lambda: self.table.choose(self.table.order)),
            self._button("None", "Choose none", lambda: self.table.choose([])),
            self._button("Invert", "Choose those that are shown and not chosen", self._invert),
            self._button("▶ Play", "Hear what is chosen", lambda: self._play(self.table.chosen)),
        ]
        verbs = [
            self._verb("Add…", "Add to a playlist", Verb.ADD),
            self._verb("Remove…", "Remove from a playlist", Verb.REMOVE),
            self._verb("Move…", "Move between playlists", Verb.MOVE),
            self._verb("Download…", "Download to a folder", Verb.DOWNLOAD),
            self._verb("Delete…", "Delete for good", Verb.DELETE),
        ]
        if self._client.studio is not None:
            verbs += [
                self._verb("Make public…", "Let all see them", Verb.PUBLISH),
                self._verb("Make private…", "Let nobody else see them", Verb.HIDE),
            ]
        choice_row = ipywidgets.HBox(choice, layout=wrap)
        verb_row = ipywidgets.HBox(verbs, layout=wrap)
        bar = ipywidgets.HBox(
            [choice_row, verb_row], layout=ipywidgets.Layout(flex_flow="row wrap", justify_content="space-between")
        )
        self.tabs = ipywidgets.Tab(
            [
                ipywidgets.VBox([self.filters, self.table, bar]),
                ipywidgets.VBox([self.pair, self.maker]),
            ],
            titles=("Library", "Playlists"),
        )
        return [head, self.tabs, self.desk, self.trouble, self._deck_box]

    def _button(self, text: str, help_: str, act: Callable[[], object]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, tooltip=help_, layout=ipywidgets.Layout(width="auto"))

        def press(_button: object) -> None:
            with shown(self.trouble):
                act()

        button.on_click(press)
        self.buttons[text] = button
        return button

    def _verb(self, text: str, help_: str, verb: Verb) -> ipywidgets.Button:
        return self._button(text, help_, lambda: self.propose(verb))

    # Reading

    def _read(self, how: Callable[[Callable[[int], None]], Any]) -> None:
        with self._lock:
            if self._reading is not None and not self._reading.done():
                return
            self._next_draw = 0.0
            self._progress.layout.visibility = "visible"
            self.buttons["Stop reading"].layout.display = ""
            self._reading = self._tasks.begin(how(self._arrived), lambda _: self._read_all(), otherwise=self._read_all)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    def _arrived(self, number: int) -> None:
        """Show what has come so far; called on the loop's thread after each page."""
        self._progress.max = max(self._progress.max, number)
        self._progress.value = number
        if number >= self._next_draw:  # in steps that grow, so that thousands of rows are not sorted for each page
            self._next_draw = number * 1.2
            self._draw()
        self._first.set()

    def _read_all(self) -> None:
        self._progress.layout.visibility = "hidden"
        self.buttons["Stop reading"].layout.display = "none"
        self._draw()
        self._first.set()
        self._show_static()

    def _offer_playlists(self) -> None:
        def arrived(playlists: list[Playlist]) -> None:
            self.desk.offer(playlists)
            self.pair.offer(playlists)

        self._tasks.begin(self._doing.playlists(), arrived)

    # Showing

    def _draw(self) -> None:
        with self._lock:
            records = self._holdings.records
            drawn = {id_: (record, self._ratings.get(id_)) for id_, record in records.items()}
            new = {id_: each for id_, each in drawn.items() if self._drawn.get(id_) != each}
            self.table.drop(self._drawn.keys() - drawn.keys())
            self.table.put((id_, library_row(*each)) for id_, each in new.items())
            self._drawn = drawn
            self._filter(records)

    def _filter(self, records: dict[str, Generation] | None = None) -> None:
        with shown(self.trouble):
            criteria = self.filters.criteria
            known = self._holdings.records if records is None else records
            self.table.show(id_ for id_, record in known.items() if criteria.keeps(record))
            self._say()

    def _chosen(self) -> None:
        with shown(self.trouble):
            self._say()
            self.desk.follow(self.table.chosen)

    def _say(self) -> None:
        known, order, chosen = len(self._holdings.records), self.table.order, self.table.chosen
        all_ = "" if self._holdings.whole else " read so far" if self._busy() else ", the newest"
        numbers = f"{len(order):,} of {count(known)}{all_}" if len(order) != known else f"{count(known)}{all_}"
        self._head.value = f"<span role='status'><b>Library</b> · {html.escape(numbers)}</span>"
        hidden = len(set(chosen) - set(order))
        besides = f" ({hidden:,} not shown)" if hidden else ""
        self._count.value = f"<span role='status'>{len(chosen):,} chosen{besides}</span>"
        for name in ("None", "▶ Play"):
            self.buttons[name].disabled = not chosen

    def _busy(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def _framed(self, ids: Iterable[str] | None) -> pd.DataFrame:
        import pandas as pd

        frame = self._holdings.frame(ids)
        frame["rating"] = pd.array([self._ratings.get(id_) for id_ in frame["id"]], dtype="Int64")
        return frame

    # Acting

    def _invert(self) -> None:
        chosen = set(self.table.chosen)
        self.table.choose(id_ for id_ in self.table.order if id_ not in chosen)

    def _play(self, ids: Sequence[str]) -> None:
        with shown(self.trouble):
            if not ids:
                raise SelectionError("No track is chosen.", hint="Choose rows in the table.")
            from ..deck.widget import Deck

            deck = Deck(self._client, self._framed(ids))
            before, self.deck = self.deck, deck
            deck.on_change(self._heard)
            self._deck_box.children = (deck,)
            self._take_ratings(deck)
            if before is not None:
                before.close()

    def _heard(self, change: dict[str, Any]) -> None:
        with shown(self.trouble):
            if change.get("what") == "rating" and self.deck is not None:
                self._take_ratings(self.deck)

    def _take_ratings(self, deck: Any) -> None:
        import pandas as pd

        ratings = deck.ratings
        for id_, rating in zip(ratings["id"], ratings["rating"], strict=True):
            if pd.isna(rating):
                self._ratings.pop(id_, None)
            else:
                self._ratings[id_] = int(rating)
        self._draw()

    def _changed(self, done: Done) -> None:
        """Take over what was done; called on the loop's thread."""
        self._outcome = done.outcome
        self._draw()
        self.pair.take(each.after for each in done.differences)
        if done.differences:
            self._offer_playlists()
        if done.preview.intent.verb in (Verb.DELETE, Verb.HIDE, Verb.PUBLISH):
            self.pair.read()
            self._offer_playlists()
        self._show_static()

    # As an output

    def __repr__(self) -> str:
        return f"LibraryPanel({count(len(self._holdings.records))}, {len(self.table.chosen):,} selected)"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = _pair(super()._repr_mimebundle_(**kwargs))
        return {**data, "text/plain": repr(self), "text/html": self._static()}, metadata

    def _ipython_display_(self) -> None:
        # Two outputs: of one with both, JupyterLab would take the widget, and show only an error when it is gone.
        from IPython.display import display

        show: Callable[..., Any] = display  # its parameters are typed in some versions of IPython only
        self._first.wait(_FIRST_PAGE)
        still = {"text/html": self._static(), "text/plain": repr(self)}
        self._shown_as = show(still, raw=True, display_id=True)
        if self.comm is not None:
            data, metadata = _pair(super()._repr_mimebundle_())
            live = {**data, "text/plain": "(The panel appears where this notebook runs.)"}
            show(live, metadata=metadata, raw=True)

    def _static(self) -> str:
        more = "… and {:,} more: run this cell to see them."
        table = self.table.static(rows=_STATIC_ROWS, more=more)
        return f"<div id='{self._stand_in}'><p>{count(len(self._holdings.records))} in the library</p>{table}</div>"

    def _show_static(self) -> None:
        """Bring what a saved notebook shows up to date."""
        if self._shown_as is not None:
            self._shown_as.update({"text/html": self._static(), "text/plain": repr(self)}, raw=True)


def _pair(bundle: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a mime bundle with or without metadata."""
    if isinstance(bundle, tuple):
        return bundle
    return bundle or {}, {}
