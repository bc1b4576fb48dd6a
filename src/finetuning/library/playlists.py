"""Keeping the playlists, and the order of their tracks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning.errors import NotFoundError
from finetuning.frames import generations_frame, playlists_frame
from finetuning.protocol import get_playlist, list_playlists
from finetuning.records import Generation, Playlist

from . import tables
from .steps import Steps
from .tables import GONE, Facts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PLAYLISTS", "TRACKS", "no_playlists", "no_tracks", "read_playlists"]

PLAYLISTS = "playlists"
TRACKS = "playlist_tracks"
#: What differs once a playlist's tracks do.
_SIGNS = ("track_count", "total_duration", "updated_at")


def no_playlists() -> pa.Table:
    """Make the table of playlists without a row."""
    return tables.with_gone(tables.arrow_of(playlists_frame([])))


def no_tracks() -> pa.Table:
    """Make the table of tracks without a row: a row a track, in order, `position` from 1."""
    return _tracks_of("", [])


def read_playlists(folder: Path, at: datetime, *, full: bool) -> Steps[int]:
    """Read the playlists, and the tracks of those that changed, or of all.

    Whatever happens, those that were read are written. A playlist that is gone keeps its row, with a mark, and its
    tracks as they were.

    Returns
    -------
    int
        Playlists whose tracks were read.
    """
    shelf = _Shelf(folder)
    listed = (yield list_playlists()).playlists
    rows = shelf.rows_of(listed)
    done: dict[str, list[Generation] | None] = {}
    try:
        for row in rows:
            if full or shelf.differs(row):
                try:
                    playlist: Playlist = yield get_playlist(row["id"])
                except NotFoundError:  # deleted since it was listed; the next sync says so
                    done[row["id"]] = None
                else:
                    done[row["id"]] = playlist.tracks or []
        shelf.mark_gone({row["id"] for row in rows}, at)
    finally:
        shelf.save(rows, done)
    return len(done)


class _Shelf:
    """The two tables, and what was known before."""

    def __init__(self, folder: Path) -> None:
        self._paths = folder / f"{PLAYLISTS}.parquet", folder / f"{TRACKS}.parquet"
        kept, tracks = (tables.read(path) for path in self._paths)
        self._written = kept, tracks
        self._kept = no_playlists() if kept is None else kept
        self._tracks = no_tracks() if tracks is None else tracks
        # Without the one file the other cannot say what was read.
        self._old = {row["id"]: row for row in self._kept.to_pylist()} if tracks is not None else {}
        self._gone: dict[str, datetime] = {}

    def rows_of(self, listed: list[Playlist]) -> list[dict[str, Any]]:
        """Turn what was listed into rows of the table."""
        self._listed = tables.with_gone(tables.arrow_of(playlists_frame(listed)))
        rows: list[dict[str, Any]] = self._listed.to_pylist()
        return rows

    def differs(self, row: dict[str, Any]) -> bool:
        """Whether a playlist's tracks may be others than those that are kept."""
        old = self._old.get(row["id"])
        return old is None or old[GONE] is not None or any(old[sign] != row[sign] for sign in _SIGNS)

    def mark_gone(self, listed: set[str], at: datetime) -> None:
        """Note which are not listed any more."""
        self._gone = {id_: at for id_, row in self._old.items() if id_ not in listed and row[GONE] is None}

    def save(self, rows: list[dict[str, Any]], done: dict[str, list[Generation] | None]) -> None:
        """Write both tables, where they differ; the tracks first, by which the playlists are known to be read."""
        import pyarrow as pa
        import pyarrow.compute as pc

        read = {id_: tracks for id_, tracks in done.items() if tracks is not None}
        kept_rows = [
            # One whose tracks are still to be read stays as it was, and is read by the next sync.
            row if row["id"] in read or not self.differs(row) else self._old.get(row["id"])
            for row in rows
        ]
        listed = {row["id"] for row in rows}
        rest = [{**row, GONE: self._gone.get(id_, row[GONE])} for id_, row in self._old.items() if id_ not in listed]
        schema = tables.joined([self._kept.slice(0, 0), self._listed.slice(0, 0)]).schema
        playlists = pa.Table.from_pylist([row for row in [*kept_rows, *rest] if row], schema=schema)
        others = self._tracks.filter(pc.invert(pc.is_in(self._tracks["playlist_id"], value_set=_array(list(read)))))
        tracks = tables.joined([others, *(_tracks_of(id_, found) for id_, found in read.items())])
        for path, table, before in zip(
            reversed(self._paths), (tracks, playlists), reversed(self._written), strict=True
        ):
            if before is None or not table.equals(before):
                tables.write(path, table, Facts(path.stem))


def _tracks_of(playlist: str, tracks: list[Generation]) -> pa.Table:
    import pandas as pd

    frame = generations_frame(tracks)[["id", "title"]]
    frame.insert(0, "playlist_id", pd.Series([playlist] * len(tracks), dtype="str", index=frame.index))
    frame.insert(1, "position", pd.Series(range(1, len(tracks) + 1), dtype="Int64", index=frame.index))
    return tables.arrow_of(frame)


def _array(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, type=pa.large_string())
