"""From whatever names a playlist to the playlist."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from finetuning import errors
from finetuning.records import Generation, Playlist

__all__ = ["PlaylistLike", "resolve_playlist"]

#: An id, a name (any case), a record, or a row of the playlists frame.
PlaylistLike: TypeAlias = Any

#: What the service's ids look like: a UUID, or `pl_…`.
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|pl_\w+", re.IGNORECASE)


async def resolve_playlist(listing: Callable[[], Awaitable[Sequence[Playlist]]], playlist: PlaylistLike) -> str:
    """Find the id of the playlist that is meant.

    A record, a view or a row has its id, and what is shaped like the service's ids is taken as one: neither
    costs a request. Anything else is looked up in the listing, as an id first and then, whatever its case, as a
    name.

    Parameters
    ----------
    listing
        Fetches all playlists; called only when a name must be looked up.
    playlist
        What was given.

    Raises
    ------
    PlaylistNotFoundError
        There is none; the nearest names are in the hint.
    AmbiguousPlaylistError
        Two or more have that name; their ids are in the hint.
    ParameterError
        It is neither text nor a playlist.
    """
    if not isinstance(playlist, str):
        return _id_of(playlist)
    name = playlist.strip()
    if not name:
        raise errors.ParameterError("An empty name does not name a playlist.", parameter="playlist")
    if _ID.fullmatch(name):
        return name
    playlists = await listing()
    if any(each.id == name for each in playlists):
        return name
    found = [each for each in playlists if _folded(each.name or "") == _folded(name)]
    if len(found) == 1:
        return found[0].id
    if found:
        raise errors.AmbiguousPlaylistError(
            f"{len(found)} playlists are named {name!r}.",
            candidates=[each.id for each in found],
            hint="Pass the id of the one you mean: "
            + "; ".join(f"{each.id} ({each.track_count or 0} tracks)" for each in found),
        )
    names = [each.name for each in playlists if each.name]
    near = difflib.get_close_matches(name, names, n=3) or names[:5]
    raise errors.PlaylistNotFoundError(
        f"No playlist is named {name!r}.",
        hint=f"There are: {', '.join(map(repr, near))}."
        if near
        else "There are none; playlists are made in the web application "
        "(in the studio: client.studio.create_playlist(name)).",
    )


def _folded(name: str) -> str:
    """Fold case, and the two ways in which Unicode writes an accented letter."""
    return unicodedata.normalize("NFC", name.strip().casefold())


def _id_of(playlist: Any) -> str:
    """Read the id of a record, a view, a row of the frame, or a frame of one row."""
    value: Any = None if isinstance(playlist, Generation) else getattr(playlist, "id", None)  # not a track's
    if value is None and isinstance(playlist, Mapping):
        value = playlist.get("id")
    if type(value).__name__ == "Series" and len(value) == 1:
        value = value.iloc[0]
    if not isinstance(value, str) or not value.strip():
        raise errors.ParameterError(
            f"A value of type {type(playlist).__name__} does not name one playlist.",
            parameter="playlist",
            value=playlist,
            hint="Pass its name, its id, its row, or what client.playlist() returned.",
        )
    return value.strip()
