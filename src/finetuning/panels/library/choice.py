"""Rows with ids, which of them are shown, and which are chosen: the kernel's half of every table."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable, Mapping

from finetuning.errors import ParameterError

from .columns import Column, Row, static_table

__all__ = ["Choice"]


class Choice:
    """What a table knows, whatever widget draws it; stands before the widget's own class among the bases.

    A row is known by its id, never by its place: what is chosen stays so whatever is shown, and in whatever order.
    Every method may be called on any thread.

    Parameters
    ----------
    columns
        Of each row, in this order.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = tuple(columns)
        self._rows: dict[str, Row] = {}
        self._order: list[str] = []
        self._chosen: dict[str, None] = {}
        self._lock = threading.RLock()
        self._choosers: list[Callable[[], None]] = []
        self._openers: list[Callable[[str], None]] = []

    @property
    def known(self) -> list[str]:
        """The ids of all rows, shown or not."""
        with self._lock:
            return list(self._rows)

    @property
    def order(self) -> list[str]:
        """The ids that are shown, in the order in which the kernel gave them."""
        with self._lock:
            return list(self._order)

    @property
    def chosen(self) -> list[str]:
        """The ids that are chosen, shown or not: those shown first, in their order."""
        with self._lock:
            seen = [id_ for id_ in self._order if id_ in self._chosen]
            known = set(seen)
            return seen + [id_ for id_ in self._chosen if id_ not in known]

    def put(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Add rows, or renew them; what is shown stays as it is."""
        with self._lock:
            changed = {id_: values for id_, values in rows if self._rows.get(id_) != values}
            self._rows |= changed
            if changed:
                self._has_put(changed)

    def show(self, ids: Iterable[str]) -> None:
        """Show these of the rows, in this order."""
        with self._lock:
            order = [id_ for id_ in ids if id_ in self._rows]
            if order != self._order:
                self._order = order
                self._has_ordered()

    def drop(self, ids: Iterable[str]) -> None:
        """Take rows away, also out of what is chosen."""
        with self._lock:
            gone = self._rows.keys() & set(ids)
            if not gone:
                return
            self._rows = {id_: values for id_, values in self._rows.items() if id_ not in gone}
            self._order = [id_ for id_ in self._order if id_ not in gone]
            changed = bool(self._chosen.keys() & gone)
            self._chosen = {id_: None for id_ in self._chosen if id_ not in gone}
            self._has_dropped(sorted(gone))
        if changed:
            self._tell()

    def fill(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Show these rows and no others; what is chosen of them stays chosen."""
        with self._lock:
            new = dict(rows)
            self.drop(self._rows.keys() - new.keys())
            self.put(new.items())
            self.show(new)

    def choose(self, ids: Iterable[str]) -> None:
        """Choose these rows and no others.

        Raises
        ------
        ParameterError
            The table has no row with one of the ids.
        """
        with self._lock:
            wanted = dict.fromkeys(ids)
            unknown = [id_ for id_ in wanted if id_ not in self._rows]
            if unknown:
                raise ParameterError(
                    f"{len(unknown)} of {len(wanted)} ids are not in the table; the first is {unknown[0]!r}.",
                    parameter="ids",
                    value=unknown[0],
                    hint="Choose among those of .frame.",
                )
            self._chosen = wanted
            self._has_chosen()
        self._tell()

    def on_choose(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever what is chosen has changed, on the thread where it did."""
        self._choosers.append(callback)

    def on_open(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the id of a row that is double-clicked."""
        self._openers.append(callback)

    def static(self, *, rows: int = 10, more: str = "") -> str:
        """Write the first rows as an HTML table, which needs neither kernel nor script.

        Parameters
        ----------
        rows
            How many at most.
        more
            Said below it where there are more.
        """
        with self._lock:
            lines = [self._rows[id_] for id_ in self._order[:rows]]
            left = len(self._order) - len(lines)
        rest = f"<p>{html.escape(more.format(left))}</p>" if left and more else ""
        return f"{static_table(self._columns, lines)}{rest}"

    def _tell(self) -> None:
        for chooser in self._choosers:
            chooser()

    # What brings a change to the page, which is the widget's part; called with the lock held.

    def _has_put(self, changed: Mapping[str, Row]) -> None:
        """Rows are new, or have other values."""

    def _has_ordered(self) -> None:
        """Other rows are shown, or in another order."""

    def _has_dropped(self, gone: list[str]) -> None:
        """Rows are gone, and no longer shown or chosen."""

    def _has_chosen(self) -> None:
        """Others are chosen, and not by a click."""
