"""Tracks as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from finetuning.records import Generation

from .columns import Column, Row

__all__ = ["FATES", "LIBRARY", "PLAYLIST", "fate", "library_row", "playlist_row", "title_of"]

_TITLE: Final = 120  # characters; the service's prompts have up to 700, and a row is to stay a line

LIBRARY: Final = (
    Column("title", "Title", always=True),
    Column("rating", "Rating", "stars", "Given in a deck"),
    Column("status", "Status", "status", always=True),
    Column("bpm", "BPM", "number", "Beats a minute, as asked for", always=True),
    Column("key", "Key", help="Tonic and scale"),
    Column("scale", "Scale"),
    Column("time_signature", "Beats", "number", "In a bar"),
    Column("duration", "Length", "length", "Minutes and seconds", always=True),
    Column("seed", "Seed", "number"),
    Column("is_public", "Visible", "flag", "Public tracks may go into public playlists"),
    Column("created_at", "Created", "time", "In UTC", always=True),
    Column("generation_time", "Made in", "number", "Seconds that the service took"),
    Column("prompt", "Tags", help="What was asked for"),
)
PLAYLIST: Final = (
    Column("title", "Title", always=True),
    Column("bpm", "BPM", "number", always=True),
    Column("key", "Key"),
    Column("is_public", "Visible", "flag"),
    Column("duration", "Length", "length", always=True),
)
FATES: Final = (
    Column("title", "Title", always=True),
    Column("fate", "Outcome", "status", always=True),
    Column("reason", "Why"),
    Column("id", "Id", always=True),
)


def library_row(record: Generation, rating: int | None = None) -> Row:
    """Write a track as a row of the library."""
    return (
        title_of(record),
        rating,
        record.status,
        record.bpm,
        record.key,
        record.scale,
        record.time_signature,
        record.duration if record.duration is not None else record.requested_duration,
        _exact(record.seed),
        record.is_public,
        _moment(record.created_at),
        None if record.generation_time is None else round(record.generation_time, 1),
        _line(record.prompt),
    )


def playlist_row(record: Generation) -> Row:
    """Write a track as a row of a playlist."""
    key = " ".join(filter(None, (record.key, record.scale)))
    return title_of(record), record.bpm, key or None, record.is_public, record.duration


def fate(id_: str, records: Mapping[str, Generation], what: str, why: str | None = None) -> tuple[str, Row]:
    """Write what will or did become of a track as a row, with its id."""
    record = records.get(id_)
    return id_, (title_of(record) if record else id_, what, why, id_)


def title_of(record: Generation) -> str:
    """Name a track on one line: its title, else its prompt, else its id."""
    return _line(record.title) or _line(record.prompt) or record.id


def _line(text: str | None) -> str | None:
    one = " ".join((text or "").split())
    return (one if len(one) <= _TITLE else one[: _TITLE - 1].rstrip() + "…") or None


def _exact(number: int | None) -> int | str | None:
    return str(number) if number is not None and abs(number) >= 2**53 else number  # JavaScript would round it


def _moment(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else None
