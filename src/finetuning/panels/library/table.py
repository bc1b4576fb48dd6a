"""A table whose rows have ids: chosen by id, whatever is shown, and in whatever order.

Rows go to the page by custom messages, not by traits, so none of them is saved in a notebook. Sorting, paging and
choosing happen in the page; they go on working while the kernel computes.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from finetuning.errors import MissingExtraError, ParameterError

from ..parts import script, style

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("What the panels are made of", "lab") from error

__all__ = ["Column", "Row", "Table"]

_STATIC: Final = Path(__file__).parent / "static"
#: How many rows go in one message; a library of thousands then begins to show at once.
_PART: Final = 500

Kind: TypeAlias = Literal["text", "number", "length", "time", "flag", "status", "stars"]
#: The values of one row, in the order of the columns: text, numbers, truth, or None.
Row: TypeAlias = Sequence[str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name
        In frames.
    label
        At its head.
    kind
        How its values are shown: `length` is seconds shown as minutes and seconds, `flag` public or private, `stars` a
        rating, `status` a word with a coloured mark.
    help
        Shown when the pointer rests on the head.
    always
        Whether it is there even when nothing is known in it.
    """

    name: str
    label: str
    kind: Kind = "text"
    help: str = ""
    always: bool = False


class Table(anywidget.AnyWidget):
    """Rows with ids, to look at and to choose from.

    A click or the space bar chooses a row, shift extends to a range, Ctrl-A is all, Escape none; arrows, Home, End and
    the page keys move; a double click or Enter opens. A click on a column's head sorts.

    Parameters
    ----------
    columns
        What is shown; the first also names a row to a screen reader.
    label
        What the table is, for a screen reader.
    choosing
        Whether rows can be chosen.
    height
        The most that it takes, as CSS has it.
    nothing
        Shown where there are no rows.
    """

    _esm = script(_STATIC, "values", "store", "table")
    _css = style(_STATIC, "table")

    columns = traitlets.List(
        traitlets.Dict(), help="The columns: dictionaries of name, label, kind, help, always."
    ).tag(sync=True)
    label = traitlets.Unicode(help="What the table is, for a screen reader.").tag(sync=True)
    choosing = traitlets.Bool(True, help="Whether rows can be chosen.").tag(sync=True)
    height = traitlets.Unicode("24rem", help="The most that it takes, as CSS has it.").tag(sync=True)
    nothing = traitlets.Unicode("Nothing here.", help="Shown where there are no rows.").tag(sync=True)
    stand_in = traitlets.Unicode(
        help="Id of the static table in the page, which is hidden for as long as this one is there."
    ).tag(sync=True)

    def __init__(
        self,
        columns: Iterable[Column],
        *,
        label: str,
        choosing: bool = True,
        height: str = "24rem",
        nothing: str = "Nothing here.",
        stand_in: str = "",
    ) -> None:
        self._columns = tuple(columns)
        self._rows: dict[str, Row] = {}
        self._order: list[str] = []
        self._chosen: dict[str, None] = {}
        self._lock = threading.RLock()
        self._choosers: list[Callable[[], None]] = []
        self._openers: list[Callable[[str], None]] = []
        super().__init__(
            columns=[
                {"name": each.name, "label": each.label, "kind": each.kind, "help": each.help, "always": each.always}
                for each in self._columns
            ],
            label=label,
            choosing=choosing,
            height=height,
            nothing=nothing,
            stand_in=stand_in,
        )
        self.on_msg(self._on_message)

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
        """Add rows, or renew them; what is shown stays as it is. May be called on any thread."""
        with self._lock:
            changed = {id_: values for id_, values in rows if self._rows.get(id_) != values}
            self._rows |= changed
            self._send_rows(changed)

    def show(self, ids: Iterable[str]) -> None:
        """Show these of the rows, in this order."""
        with self._lock:
            order = [id_ for id_ in ids if id_ in self._rows]
            if order != self._order:
                self._order = order
                self.send({"type": "order", "ids": order})

    def drop(self, ids: Iterable[str]) -> None:
        """Take rows away, also out of what is chosen."""
        with self._lock:
            gone = self._rows.keys() & set(ids)
            if not gone:
                return
            self._rows = {id_: values for id_, values in self._rows.items() if id_ not in gone}
            self._order = [id_ for id_ in self._order if id_ not in gone]
            self.send({"type": "drop", "ids": sorted(gone)})
            changed = bool(self._chosen.keys() & gone)
            self._chosen = {id_: None for id_ in self._chosen if id_ not in gone}
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
            self.send({"type": "chosen", "ids": list(wanted)})
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
            ids = self._order[:rows]
            lines = [self._rows[id_] for id_ in ids]
            left = len(self._order) - len(ids)
        places = [
            place
            for place, column in enumerate(self._columns)
            if column.always or any(line[place] not in (None, "") for line in lines)
        ]
        cell = '<{0} style="text-align: left">{1}</{0}>'
        head = "".join(cell.format("th", html.escape(self._columns[place].label)) for place in places)
        body = "".join(
            "<tr>"
            + "".join(
                cell.format("td", html.escape(_shown(line[place], self._columns[place].kind))) for place in places
            )
            + "</tr>"
            for line in lines
        )
        rest = f"<p>{html.escape(more.format(left))}</p>" if left and more else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"

    def _send_rows(self, rows: Mapping[str, Row]) -> None:
        listed = [[id_, *values] for id_, values in rows.items()]
        for start in range(0, len(listed), _PART):
            self.send({"type": "rows", "rows": listed[start : start + _PART]})

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "ready":
            with self._lock:
                self._send_rows(self._rows)
                self.send({"type": "order", "ids": self._order})
                self.send({"type": "chosen", "ids": list(self._chosen)})
        elif kind == "choose" and self.choosing:
            on, off = _texts(content.get("on")), _texts(content.get("off"))
            with self._lock:
                # A row that went away while the click was under way is not chosen.
                self._chosen |= dict.fromkeys(id_ for id_ in on if id_ in self._rows)
                for id_ in off:
                    self._chosen.pop(id_, None)
                # To every page: one has it already, others may be open.
                self.send(
                    {
                        "type": "chose",
                        "page": content.get("page"),
                        "number": content.get("number"),
                        "on": on,
                        "off": off,
                    }
                )
            self._tell()
        elif kind == "open" and content.get("id") in self._rows:
            for opener in self._openers:
                opener(content["id"])

    def _tell(self) -> None:
        for chooser in self._choosers:
            chooser()


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _shown(value: str | int | float | bool | None, kind: Kind) -> str:
    """Write a value as the page does."""
    if value is None:
        return ""
    if kind == "length" and isinstance(value, int | float):
        minutes, rest = divmod(round(value), 60)
        return f"{minutes}:{rest:02d}"
    if kind == "flag":
        return "public" if value else "private"
    return "★" * int(value) if kind == "stars" else str(value)
