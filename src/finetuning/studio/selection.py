"""From whatever names tracks to their ids, without importing pandas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finetuning.errors import StudioError

__all__ = ["ids_of"]


def ids_of(tracks: Any) -> list[str]:
    """Read ids from an id, a record, an iterable of either, or a table with an `id` column.

    Raises
    ------
    StudioError
        If there is something else than ids.
    """
    if hasattr(tracks, "columns"):
        if "id" not in tracks.columns:
            raise StudioError("The table has no column `id`.", hint="Pass one that names the tracks in `id`.")
        tracks = tracks["id"]
    if isinstance(tracks, str) or hasattr(tracks, "audio_url") or not isinstance(tracks, Iterable):
        tracks = [tracks]
    ids = [track if isinstance(track, str) else getattr(track, "id", None) for track in tracks]
    wrong = [track for track, id in zip(tracks, ids, strict=True) if not isinstance(id, str)]  # noqa: A001 - the wire's name
    if wrong:
        raise StudioError(f"{wrong[0]!r} names no track.", hint="Pass ids, records, or a table with an `id` column.")
    return [id for id in ids if id is not None]  # noqa: A001 - the wire's name
