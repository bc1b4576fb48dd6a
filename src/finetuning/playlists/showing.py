"""Plans as text and as HTML: what a curator sees at a glance, whatever the titles hold."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["counted", "outcomes_html", "plan_html", "plan_text"]

#: Of one kind so many rows are shown; the frames have them all.
_ROWS: Final = 100
#: The sign, the word and the colour of each kind: legible on light and on dark, and told apart without colour.
_KINDS: Final = {
    "refused": ("✕", "refused", "#c4442b"),
    "add": ("+", "to add", "#2a8a4a"),
    "remove": ("−", "to remove", "#b8731a"),
    "keep": ("=", "kept", "#808080"),
}
_CELL: Final = "text-align: left; vertical-align: top; padding: 1px 10px 1px 0; border: 0; background: none"


def counted(reasons: Iterable[str]) -> list[tuple[str, int]]:
    """Count reasons, the most frequent first."""
    return Counter(reasons).most_common()


def plan_text(summary: str, notes: Sequence[str], end: str) -> str:
    """Say a plan in a few lines."""
    return "\n  ".join([summary, *notes, end])


def plan_html(summary: str, notes: Sequence[str], tables: Mapping[str, pd.DataFrame], end: str) -> str:
    """Show a plan: its line, its notes, and what becomes of each track; what stays as it is is folded away."""
    told = "".join(f"<li dir='auto'>{html.escape(note)}</li>" for note in notes)
    parts = [_table(kind, tables[kind]) for kind in _KINDS if len(tables[kind])]
    return (
        f"<div><b dir='auto'>{html.escape(summary)}</b>{f'<ul>{told}</ul>' if told else ''}"
        f"{''.join(parts)}<div style='opacity: .75' dir='auto'>{html.escape(end)}</div></div>"
    )


def outcomes_html(parts: Iterable[str]) -> str:
    """Put pieces of HTML under one another."""
    return f"<div>{''.join(parts)}</div>"


def _table(kind: str, frame: pd.DataFrame) -> str:
    sign, word, colour = _KINDS[kind]
    rows = "".join(
        f"<tr style='background: none'><td style='{_CELL}; color: {colour}; font-weight: bold' title='{word}'>"
        f"{sign} {word}</td><td style='{_CELL}'><bdi>{html.escape(title or '(no title)')}</bdi></td>"
        f"<td style='{_CELL}'><code>{html.escape(id_[:8])}</code></td>"
        f"<td style='{_CELL}'><bdi>{html.escape(reason)}</bdi></td></tr>"
        for id_, title, reason in frame.head(_ROWS).itertuples(index=False)
    )
    more = f"<div>… and {len(frame) - _ROWS:,} more: .{kind}</div>" if len(frame) > _ROWS else ""
    opened = "" if kind == "keep" else " open"
    return (
        f"<details{opened}><summary>{len(frame):,} {word}</summary>"
        f"<table style='border-collapse: collapse'><tbody>{rows}</tbody></table>{more}</details>"
    )
