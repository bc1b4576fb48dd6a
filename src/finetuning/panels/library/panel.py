"""The library panel: a library to look through, to choose from, and to put in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Literal

from finetuning.bulk import BulkOutcome
from finetuning.client.reading import check_limit
from finetuning.errors import MissingExtraError, SelectionError
from finetuning.selections import Tracks, ids_of

try:
    import ipywidgets
except ImportError as error:
    raise MissingExtraError("The library panel", "lab") from error

from finetuning.records import Generation, Playlist

from ..still import Still, new_id
from ..trouble import Trouble, shown
from .bar import Bar
from .buttons import Buttons
from .desk import Desk
from .doing import Doing, Done
from .filterbar import FilterBar
from .head import Head
from .holdings import Holdings
from .intents import Intent, Verb, count
from .itable import table_for
from .listening import Listening
from .maker import Maker
from .pair import Pair
from .rows import LIBRARY, library_row
from .tasks import Tasks

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client

    from ..deck.widget import Deck

__all__ = ["LibraryPanel"]

#: Seconds that showing the panel waits for the first page, so that what is saved of it is not empty.
_FIRST_PAGE: Final = 2.0
_STATIC_ROWS: Final = 10


class LibraryPanel(Still, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The library as a table, with filters, listening, bulk actions and playlists side by side.

    Whatever changes something is previewed before it is sent, shows what became of each track, and can be taken back
    where the API allows it. Nothing here makes the kernel wait.

    Parameters
    ----------
    client
        Whose library.
    limit
        At most so many tracks are read, the newest; None for all.
    table
        Who draws the library: `itables`, `own`, or by default itables where it is installed, up to 5,000 tracks.

    Raises
    ------
    ParameterError
        `limit` is not a whole number from 1; `table` is none of these.
    FinetuningError
        The client is closed.
    MissingExtraError
        ipywidgets or anywidget is not installed; itables is asked for and not installed.

    Notes
    -----
    itables (``pip install 'finetuning[tables]'``) brings sorting by several columns, hiding columns, and copying and
    CSV of what is shown, or of what is chosen there. The panel's own table can be used by keyboard alone, plays a track
    at a double click, renews one row without the others, and leaves nothing in a notebook that is saved with its
    widgets. In either, rows are chosen by id, stay so under other filters, and none is left out.

    Examples
    --------
    >>> panel = ft.LibraryPanel(client)  # doctest: +SKIP
    >>> panel.selected  # doctest: +SKIP
    """

    def __init__(
        self, client: Client, *, limit: int | None = 500, table: Literal["auto", "itables", "own"] = "auto"
    ) -> None:
        limit = check_limit(limit)
        self._client = client
        self._lock = threading.RLock()
        self._holdings = Holdings(client.asynchronous, limit)
        self._doing = Doing(client.asynchronous, self._holdings, client.studio)
        self._drawn: dict[str, tuple[Generation, int | None]] = {}
        self._next_draw = 0.0
        self._outcome: BulkOutcome | None = None
        self._reading: Future[None] | None = None
        self._first = threading.Event()
        self._stand_in = new_id()
        self.trouble = Trouble()
        self._tasks = Tasks(client, self.trouble)

        self.filters = FilterBar(self._filter)
        self.table = table_for(
            LIBRARY,
            label="Library",
            nothing="No track is as the filters ask.",
            stand_in=self._stand_in,
            limit=limit,
            drawn_by=table,
        )
        self.table.on_choose(self._chosen)
        self.table.on_open(lambda id_: self._play([id_]))
        self.desk = Desk(self._doing, self._tasks, self.trouble, self._changed)
        self.pair = Pair(self._doing, self._tasks, self.trouble, lambda intent: self.desk.propose(intent, fixed=True))
        self.maker = Maker(client.studio, self._tasks, self.trouble, self._offer_playlists)
        self.buttons = Buttons(self.trouble)
        self._listening = Listening(client, self.trouble, self._draw)
        self.head = Head(self.buttons, limit, stop=self._stop_reading, refresh=self.refresh, reload=self.reload)
        studio = client.studio is not None
        self.bar = Bar(self.buttons, self.table, play=self._play, propose=self.propose, studio=studio)
        self.tabs = ipywidgets.Tab(
            [ipywidgets.VBox([self.filters, self.table, self.bar]), ipywidgets.VBox([self.pair, self.maker])],
            titles=("Library", "Playlists"),
        )
        super().__init__([self.head, self.tabs, self.desk, self.trouble, self._listening])
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

    @property
    def deck(self) -> Deck | None:
        """Where tracks were played last; None before the first."""
        return self._listening.deck

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
        self._offer_playlists()

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

    # Reading

    def _read(self, how: Callable[[Callable[[int], None]], Any]) -> None:
        with self._lock:
            if self._reading is not None and not self._reading.done():
                return
            self._next_draw = 0.0
            self.head.begin()
            self._reading = self._tasks.begin(how(self._arrived), lambda _: self._read_all(), otherwise=self._read_all)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    def _arrived(self, number: int) -> None:
        """Show what has come so far; called on the loop's thread after each page."""
        self.head.advance(number)
        if number >= self._next_draw:  # in steps that grow, so that thousands of rows are not sorted for each page
            self._next_draw = number * 1.2
            self._draw()
        self._first.set()

    def _read_all(self) -> None:
        self.head.end()
        self._draw()
        self._first.set()
        self._renew_page()

    def _offer_playlists(self) -> None:
        def arrived(playlists: list[Playlist]) -> None:
            self.desk.offer(playlists)
            self.pair.offer(playlists)

        self._tasks.begin(self._doing.playlists(), arrived)

    # Showing

    def _draw(self) -> None:
        with self._lock:
            records = self._holdings.records
            drawn = {id_: (record, self._listening.ratings.get(id_)) for id_, record in records.items()}
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
        known, order = len(self._holdings.records), self.table.order
        all_ = "" if self._holdings.whole else " read so far" if self._busy() else ", the newest"
        self.head.say(f"{len(order):,} of {count(known)}{all_}" if len(order) != known else f"{count(known)}{all_}")
        self.bar.say()

    def _busy(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def _framed(self, ids: Iterable[str] | None) -> pd.DataFrame:
        import pandas as pd

        frame = self._holdings.frame(ids)
        frame["rating"] = pd.array([self._listening.ratings.get(id_) for id_ in frame["id"]], dtype="Int64")
        return frame

    # Acting

    def _play(self, ids: Sequence[str]) -> None:
        with shown(self.trouble):
            if not ids:
                raise SelectionError("No track is chosen.", hint="Choose rows in the table.")
            self._listening.play(self._framed(ids))

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
        self._renew_page()

    # As an output

    def __repr__(self) -> str:
        return f"LibraryPanel({count(len(self._holdings.records))}, {len(self.table.chosen):,} selected)"

    def _ipython_display_(self) -> None:
        self._first.wait(_FIRST_PAGE)
        super()._ipython_display_()

    def _page(self) -> str:
        more = "… and {:,} more: run this cell to see them."
        table = self.table.static(rows=_STATIC_ROWS, more=more)
        return f"<div id='{self._stand_in}'><p>{count(len(self._holdings.records))} in the library</p>{table}</div>"
