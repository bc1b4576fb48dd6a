"""What the columns of a table are, and how their values are written."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Column", "Kind", "Row", "shown", "static_table"]

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


def shown(value: str | int | float | bool | None, kind: Kind) -> str:
    """Write a value as the page does."""
    if value is None:
        return ""
    if kind == "length" and isinstance(value, int | float):
        minutes, rest = divmod(round(value), 60)
        return f"{minutes}:{rest:02d}"
    if kind == "flag":
        return "public" if value else "private"
    return "★" * int(value) if kind == "stars" else str(value)


def static_table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """Write rows as an HTML table, which needs neither kernel nor script."""
    places = [
        place
        for place, column in enumerate(columns)
        if column.always or any(row[place] not in (None, "") for row in rows)
    ]
    cell = '<{0} style="text-align: left">{1}</{0}>'
    head = "".join(cell.format("th", html.escape(columns[place].label)) for place in places)
    body = "".join(
        "<tr>"
        + "".join(cell.format("td", html.escape(shown(row[place], columns[place].kind))) for place in places)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
