"""The table that stands where a deck was: what a saved notebook shows when no kernel answers."""

from __future__ import annotations

import html
from collections.abc import Sequence

from .takes import Take, clock

__all__ = ["table", "text"]

_LEFT = ' style="text-align: left"'


def table(takes: Sequence[Take], stand_in: str, title: str = "") -> str:
    """Write the takes as a table in HTML, with links where they work from another machine."""
    caption = f"<caption{_LEFT}>{html.escape(title)}</caption>" if title else ""
    names = ("take", "parameters", "length")
    head = "<thead><tr>" + "".join(f"<th{_LEFT}>{name}</th>" for name in names) + "</tr></thead>"
    rows = "".join(f"<tr>{''.join(f'<td{_LEFT}>{cell}</td>' for cell in _cells(take))}</tr>" for take in takes)
    return f'<table id="{stand_in}">{caption}{head}<tbody>{rows}</tbody></table>'


def text(takes: Sequence[Take], title: str = "") -> str:
    """Write them as plain text."""
    lines = [f"Deck{f' {title!r}' if title else ''} of {len(takes)} take{'' if len(takes) == 1 else 's'}"]
    lines += ["  " + "  ".join(filter(None, (take.title, take.label, clock(take.duration)))) for take in takes]
    return "\n".join(lines)


def _cells(take: Take) -> tuple[str, str, str]:
    title = html.escape(take.title)
    if take.link:
        title = f'<a href="{html.escape(take.link)}" target="_blank" rel="noopener noreferrer">{title}</a>'
    return title, html.escape(take.label), clock(take.duration)
