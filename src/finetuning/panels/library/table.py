"""A table whose rows have ids: chosen by id, whatever is shown, and in whatever order.

Rows go to the page by custom messages, not by traits, so none of them is saved in a notebook. Sorting, paging and
choosing happen in the page; they go on working while the kernel computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from finetuning.errors import MissingExtraError

from ..parts import script, style
from .choice import Choice
from .columns import Column, Row

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("What the panels are made of", "lab") from error

__all__ = ["Table"]

_STATIC: Final = Path(__file__).parent / "static"
#: How many rows go in one message; a library of thousands then begins to show at once.
_PART: Final = 500


class Table(Choice, anywidget.AnyWidget):
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
        Choice.__init__(self, columns)
        anywidget.AnyWidget.__init__(
            self,
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

    def _has_put(self, changed: Mapping[str, Row]) -> None:
        self._send_rows(changed)

    def _has_ordered(self) -> None:
        self.send({"type": "order", "ids": self._order})

    def _has_dropped(self, gone: list[str]) -> None:
        self.send({"type": "drop", "ids": gone})

    def _has_chosen(self) -> None:
        self.send({"type": "chosen", "ids": list(self._chosen)})

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


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
