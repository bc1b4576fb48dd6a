"""What the desk says: heads, buttons, what is lacking, what was done."""

from __future__ import annotations

import html
from typing import Final

from finetuning.bulk import BulkOutcome
from finetuning.records import Playlist

from .difference import Difference
from .doing import Done
from .intents import Intent, Verb, count, label_of
from .rows import title_of

__all__ = ["ACTS", "HEADS", "goal_of", "lacking", "option_of", "summary_of"]

HEADS: Final = {
    Verb.ADD: "Add to a playlist",
    Verb.REMOVE: "Remove from a playlist",
    Verb.MOVE: "Move between playlists",
    Verb.DOWNLOAD: "Download to a folder",
    Verb.DELETE: "Delete for good",
    Verb.PUBLISH: "Make public",
    Verb.HIDE: "Make private",
}
ACTS: Final = {
    Verb.ADD: "Add",
    Verb.REMOVE: "Remove",
    Verb.MOVE: "Move",
    Verb.DOWNLOAD: "Download",
    Verb.DELETE: "Delete",
    Verb.PUBLISH: "Make public",
    Verb.HIDE: "Make private",
}
_SHOWN: Final = 8  # titles of a difference that are spelled out


def option_of(playlist: Playlist) -> str:
    """Write a playlist as an item of a menu."""
    visible = {True: "public", False: "private", None: ""}[playlist.is_public]
    name = " ".join((playlist.name or playlist.id).split())
    return " · ".join(filter(None, (name, visible, count(playlist.track_count or 0))))


def lacking(intent: Intent) -> str:
    """Say what is still to be chosen; empty where nothing is."""
    if not intent.ids:
        return "No track is chosen: choose rows in the table."
    if (intent.verb in (Verb.REMOVE, Verb.MOVE) and intent.source is None) or (
        intent.verb in (Verb.ADD, Verb.MOVE) and intent.target is None
    ):
        both = intent.verb == Verb.MOVE
        return f"{count(len(intent.ids))} chosen. Choose {'both playlists' if both else 'a playlist'}."
    if intent.source is not None and intent.target is not None and intent.source.id == intent.target.id:
        return "Source and target are the same playlist."
    return ""


def summary_of(done: Done) -> str:
    """Tell what was done, as HTML."""
    outcome: BulkOutcome = done.outcome
    lines = [f"<b>{html.escape(outcome.summary)}.</b>"]
    numbers = [
        f"{len(outcome.refused):,} failed" if outcome.refused else "",
        f"{len(outcome.not_attempted):,} not attempted" if outcome.not_attempted else "",
    ]
    lines += [html.escape(", ".join(filter(None, numbers)))] if any(numbers) else []
    lines += [_told(each) for each in done.differences]
    if outcome.verb == "Deleted" and outcome.succeeded:
        lines.append("This cannot be undone.")
    return "".join(f"<div>{line}</div>" for line in lines)


def _told(difference: Difference) -> str:
    parts = [html.escape(difference.summary)]
    for sign, word, tracks in (("+", "added", difference.added), ("−", "removed", difference.removed)):
        if tracks:
            names = ", ".join(html.escape(title_of(track)) for track in tracks[:_SHOWN])
            more = f" and {len(tracks) - _SHOWN:,} more" if len(tracks) > _SHOWN else ""
            parts.append(f"<div class='ft-{word}' dir='auto'>{sign} {names}{more}</div>")
    return "".join(parts)


def goal_of(intent: Intent) -> str:
    """Name the playlists of an intent: `“A” → “B”`."""
    return " → ".join(label_of(each) for each in intent.playlists)
