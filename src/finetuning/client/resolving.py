"""From whatever names a playlist to the playlist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from finetuning import errors
from finetuning.records import Playlist

__all__ = ["PlaylistLike", "resolve_playlist"]

#: An id, a name (any case), a record, or a row of the playlists frame.
PlaylistLike: TypeAlias = Any

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


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
    found = [each for each in playlists if (each.name or "").casefold() == name.casefold()]
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
        else "There are none; playlists are made in the web application (in the studio: studio.create_playlist(name)).",
    )


def _id_of(playlist: Any) -> str:
    """Read the id of a record, a view, or a row of the frame."""
    value = getattr(playlist, "id", None)
    if value is None and hasattr(playlist, "get"):
        value = playlist.get("id")
    if not isinstance(value, str) or not value.strip():
        raise errors.ParameterError(
            f"A {type(playlist).__name__} does not name a playlist.",
            parameter="playlist",
            value=playlist,
            hint="Pass its name, its id, or what client.playlist() returned.",
        )
    return value
