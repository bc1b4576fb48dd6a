"""The endpoints as pure functions: a `Request` out, and from what came back a record or an exception.

Nothing here does I/O, so that the same rules serve the asynchronous client, the blocking one and the tests.
"""

from __future__ import annotations

from .answers import read, retry_after
from .requests import (
    BULK_MAX,
    PAGE_MAX,
    Request,
    add_tracks,
    create_generation,
    delete_generations,
    get_generation,
    get_playlist,
    health,
    list_generations,
    list_playlists,
    me,
    move_tracks,
    remove_tracks,
)

__all__ = [
    "BULK_MAX",
    "PAGE_MAX",
    "Request",
    "add_tracks",
    "create_generation",
    "delete_generations",
    "get_generation",
    "get_playlist",
    "health",
    "list_generations",
    "list_playlists",
    "me",
    "move_tracks",
    "read",
    "remove_tracks",
    "retry_after",
]
