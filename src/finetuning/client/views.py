"""Records as notebooks show them."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from finetuning.frames import generations_frame
from finetuning.records import Playlist

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PlaylistView", "seconds"]


@dataclass(frozen=True)
class PlaylistView:
    """A playlist and its tracks as a DataFrame.

    Attributes
    ----------
    total_duration
        Seconds.
    tracks
        With the columns of `frames.GENERATION_COLUMNS`, in the playlist's order.
    record
        What the service sent.
    """

    record: Playlist = field(repr=False)
    id: str
    name: str | None
    description: str | None
    is_public: bool | None
    is_owner: bool | None
    track_count: int
    total_duration: float | None
    created_at: datetime | None = field(repr=False)
    updated_at: datetime | None = field(repr=False)
    tracks: pd.DataFrame = field(repr=False, compare=False)

    @classmethod
    def of(cls, record: Playlist) -> PlaylistView:
        """Make the view of a record."""
        tracks = record.tracks or []
        return cls(
            record=record,
            id=record.id,
            name=record.name,
            description=record.description,
            is_public=record.is_public,
            is_owner=record.is_owner,
            track_count=len(tracks) if record.track_count is None else record.track_count,
            total_duration=record.total_duration,
            created_at=record.created_at,
            updated_at=record.updated_at,
            tracks=generations_frame(tracks),
        )

    def _repr_html_(self) -> str:
        visible = {True: "public", False: "private", None: ""}[self.is_public]
        head = " · ".join(filter(None, [visible, f"{self.track_count} track(s)", seconds(self.total_duration)]))
        columns = ["title", "status", "bpm", "key", "scale", "duration", "created_at"]
        table = self.tracks[columns].to_html(index=False, border=0, na_rep="")
        note = f"<p>{html.escape(self.description)}</p>" if self.description else ""
        return f"<h4>{html.escape(self.name or self.id)}</h4><p>{html.escape(head)}</p>{note}{table}"


def seconds(value: float | None) -> str:
    """Say a duration as the command does: `42s`, `3m`, `3m 20s`."""
    if value is None:
        return ""
    minutes, rest = divmod(round(value), 60)
    return f"{rest}s" if not minutes else f"{minutes}m {rest}s" if rest else f"{minutes}m"
