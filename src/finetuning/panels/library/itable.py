"""The same table, drawn by itables: sorting by several columns, hiding columns, copying and saving as CSV."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any, Final

import ipywidgets
import pandas as pd

from finetuning.errors import MissingExtraError, ParameterError

from .choice import Choice
from .columns import Column, Kind, Row, shown
from .table import Table

__all__ = ["DRAWN_BY", "InteractiveTable", "table_for"]

#: Who can draw the library.
DRAWN_BY: Final = ("auto", "itables", "own")
#: The columns after those of the row: whether it is shown, and at which place.
_HIDDEN: Final = ("shown", "place")
_YES: Final = "y"
#: With more rows, sending all of them at every letter of a filter would be felt (200 bytes a row).
_MOST: Final = 5000
#: A long title leaves the other columns their room.
_STYLE: Final = ".ft-itable td { max-width: 16rem; overflow: hidden; text-overflow: ellipsis; }"
#: So the whole of it is shown where the pointer rests, as in our own table.
_CELL: Final = "function (cell) { cell.title = cell.textContent; cell.dir = 'auto'; }"


class InteractiveTable(Choice, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Rows with ids, to look at and to choose from, drawn by itables.

    A click chooses a row, shift extends to a range.

    Parameters
    ----------
    columns
        What is shown.
    nothing
        Shown where there are no rows.
    stand_in
        Id of the static table in the page, which is hidden for as long as this one is there.

    Raises
    ------
    MissingExtraError
        itables is not installed.

    Notes
    -----
    itables tells of rows by their place. So every row keeps the place that it was given first, and no other is ever
    given that place: what is filtered out is hidden in the page and not left out, and a click that is still on its way
    while rows come, go or are filtered means the row that was clicked.
    """

    def __init__(self, columns: Iterable[Column], *, nothing: str = "Nothing here.", stand_in: str = "") -> None:
        try:
            from itables import JavascriptFunction
            from itables.widget import ITable
        except ImportError as error:
            raise MissingExtraError("Tables by itables", "tables") from error
        Choice.__init__(self, columns)
        self._places: dict[str, int] = {}
        self._lines: list[list[Any]] = []
        self._sent = 0
        count = len(self._columns)
        self._heads = [*(column.label for column in self._columns), *_HIDDEN]
        self._blank: Final[list[Any]] = [*[""] * count, "", 0]
        # A title that begins with "=" is to be text in a spreadsheet as well.
        export = {"footer": False, "exportOptions": {"columns": ":visible", "escapeExcelFormula": True}}
        self._options: Final[dict[str, Any]] = {
            "maxBytes": 0,  # without it rows are left out beyond 64 KB
            "showIndex": False,
            "select": {"style": "multi+shift"},
            "columnDefs": [
                {"targets": [count, count + 1], "visible": False},
                {
                    "targets": [place for place, column in enumerate(self._columns) if column.kind == "text"],
                    "createdCell": JavascriptFunction(_CELL),
                },
            ],
            "searchCols": [*[None] * count, {"search": _YES}, None],
            "order": [],
            "orderFixed": {"post": [[count + 1, "asc"]]},
            "stateSave": True,  # or every change of the rows would undo the sorting
            # By each view for itself: in the browser's storage all panels of a page would share one place, and what is
            # kept there is of whichever notebook is in front.
            "stateDuration": 0,
            "stateSaveCallback": JavascriptFunction("function (settings, state) { settings.nTable.ftState = state; }"),
            "stateLoadCallback": JavascriptFunction("function (settings) { return settings.nTable.ftState ?? null; }"),
            # What is chosen comes from the kernel; restored from here, it would be told of before the table is there.
            "stateLoadParams": JavascriptFunction("function (settings, state) { delete state.select; }"),
            "layout": {"topStart": "buttons", "topEnd": None},
            "buttons": [
                {"extend": "colvis", "text": "Columns", "columns": list(range(count))},
                {"extend": "copyHtml5", "title": None, **export},
                {"extend": "csvHtml5", "filename": "library", **export},
            ],
            "pageLength": 25,
            "lengthMenu": [25, 50, 100, 250],
            # Not how many there are in all: those that were deleted would be counted with them.
            "language": {"zeroRecords": nothing, "emptyTable": nothing, "infoFiltered": ""},
            "classes": "display nowrap compact",
            "scrollX": True,
            "text_in_header_can_be_selected": False,  # a click on it sorts
            "warn_on_undocumented_option": False,  # DataTables knows more of them than itables does
        }
        self.drawn = ITable(self._data(), **self._options)
        self.drawn.observe(self._clicked, "selected_rows")
        away = f"#{stand_in} {{ display: none; }}" if stand_in else ""
        hidden = ipywidgets.HTML(f"<style>{_STYLE}{away}</style>")
        hidden.layout.display = "none"
        ipywidgets.VBox.__init__(self, [hidden, self.drawn])
        self.add_class("ft-itable")

    def _has_put(self, changed: Mapping[str, Row]) -> None:
        for id_, row in changed.items():
            place = self._places.setdefault(id_, len(self._lines))
            if place == len(self._lines):
                self._lines.append([*self._blank])
            line = self._lines[place]
            line[: len(row)] = map(_written, row, (column.kind for column in self._columns))
        if not changed.keys().isdisjoint(self._order):  # others are drawn once they are shown
            self._draw()

    def _has_ordered(self) -> None:
        self._draw()

    def _has_dropped(self, gone: list[str]) -> None:
        for id_ in gone:
            self._lines[self._places.pop(id_)] = [*self._blank]
        self._draw()

    def _has_chosen(self) -> None:
        places = self._chosen_places()
        if any(place >= self._sent for place in places):  # the page does not have these rows yet
            self._draw()
        else:
            self.drawn.selected_rows = places

    def _draw(self) -> None:
        self._sent = len(self._lines)
        for line in self._lines:
            line[-2:] = "", 0
        for number, id_ in enumerate(self._order):
            self._lines[self._places[id_]][-2:] = _YES, number
        self.drawn.update(self._data(), selected_rows=self._chosen_places(), **self._options)

    def _data(self) -> pd.DataFrame:
        # As they are: of a column with a type of its own, itables would write what is missing as "<NA>".
        return pd.DataFrame(self._lines, columns=self._heads, dtype=object)

    def _chosen_places(self) -> list[int]:
        return [self._places[id_] for id_ in self._chosen]

    def _clicked(self, change: Mapping[str, Any]) -> None:
        with self._lock:
            clicked = set(change["new"])
            ids = {id_: None for id_, place in self._places.items() if place in clicked}
            changed = ids.keys() != self._chosen.keys()
            self._chosen = {**{id_: None for id_ in self._chosen if id_ in ids}, **ids}
            # Where a row was taken away, or rows were drawn anew, while the click was on its way.
            if set(self.drawn.selected_rows) != set(self._chosen_places()):
                self._has_chosen()
        if changed:
            self._tell()


def table_for(
    columns: Iterable[Column], *, label: str, nothing: str, stand_in: str, limit: int | None, drawn_by: str = "auto"
) -> Table | InteractiveTable:
    """Make a table: by itables where it is installed and rows are few, else our own.

    Parameters
    ----------
    columns, label, nothing, stand_in
        Of either.
    limit
        How many rows there will be at most; None where nobody knows.
    drawn_by
        `itables`, `own`, or `auto` for what fits.

    Raises
    ------
    ParameterError
        `drawn_by` is none of these.
    MissingExtraError
        itables is asked for and not installed.
    """
    if drawn_by not in DRAWN_BY:
        raise ParameterError(
            f"No table is drawn by {drawn_by!r}.",
            parameter="table",
            value=drawn_by,
            hint=f"Choose one of {', '.join(DRAWN_BY)}.",
        )
    fits = limit is not None and limit <= _MOST and importlib.util.find_spec("itables") is not None
    if drawn_by == "itables" or (drawn_by == "auto" and fits):
        return InteractiveTable(columns, nothing=nothing, stand_in=stand_in)
    return Table(columns, label=label, nothing=nothing, stand_in=stand_in)


def _written(value: str | int | float | bool | None, kind: Kind) -> str | int | float:
    if value is None:
        return ""
    if kind == "length" and isinstance(value, int | float):
        return shown(value, kind).rjust(5, "0")  # itables sorts what it shows
    return value if kind == "number" and not isinstance(value, bool) else shown(value, kind)
