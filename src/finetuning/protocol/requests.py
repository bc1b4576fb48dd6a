"""Each endpoint as a pure function: what is asked for, as a `Request`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from finetuning import errors, parameters
from finetuning.records import (
    Account,
    BulkAnswer,
    Created,
    Generation,
    GenerationPage,
    Playlist,
    PlaylistList,
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
    "remove_tracks",
]

T = TypeVar("T")

#: The most rows that one page of the listing carries.
PAGE_MAX = 99
#: The most ids that one bulk request carries.
BULK_MAX = 100


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request to the service, ready to send.

    Attributes
    ----------
    method, path, query, body
        What goes on the wire; `body` becomes JSON.
    kind
        The record that the answer's `data` becomes.
    bucket
        The rate limit that it draws on.
    repeatable
        Sending it twice does no more than sending it once, and the second answer says what the first would have, so
        a lost answer may simply be asked for again. A bulk request fulfils the first half only (its second answer
        refuses what the first has done), so it is repeated where that is known and reckoned with: in
        `bulk.run_bulk`.
    keyless
        It is sent without the key.
    """

    method: Literal["GET", "POST"]
    path: str
    kind: type[T]
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)  # long, and a webhook in it may hold a secret
    bucket: Literal["create", "other"] = "other"
    repeatable: bool = False
    keyless: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def health() -> Request[dict[str, Any]]:
    """`GET /health`, which needs no key."""
    return Request("GET", "/health", dict, repeatable=True, keyless=True)


def me() -> Request[Account]:
    """`GET /v1/me`."""
    return Request("GET", "/v1/me", Account, repeatable=True)


def create_generation(body: Mapping[str, Any]) -> Request[Created]:
    """`POST /v1/generations` with a body of `parameters.create_body`. Costs a credit: never sent twice blindly."""
    return Request("POST", "/v1/generations", Created, body=body, bucket="create")


def list_generations(limit: int = 20, offset: int = 0, status: str | None = None) -> Request[GenerationPage]:
    """`GET /v1/generations`: one page, newest first."""
    query: dict[str, str | int] = {"limit": limit, "offset": offset}
    if status is not None:
        query["status"] = parameters.status(status)
    return Request("GET", "/v1/generations", GenerationPage, query=query, repeatable=True)


def get_generation(id: str) -> Request[Generation]:  # noqa: A002 - the wire's name
    """`GET /v1/generations/:id`."""
    return Request("GET", f"/v1/generations/{_segment(id)}", Generation, repeatable=True)


def delete_generations(ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/generations/bulk-delete`: permanent, everywhere."""
    return Request("POST", "/v1/generations/bulk-delete", BulkAnswer, body={"ids": list(ids)})


def list_playlists() -> Request[PlaylistList]:
    """`GET /v1/playlists`: all at once."""
    return Request("GET", "/v1/playlists", PlaylistList, repeatable=True)


def get_playlist(id: str) -> Request[Playlist]:  # noqa: A002 - the wire's name
    """`GET /v1/playlists/:id`: one playlist with its tracks, own or public."""
    return Request("GET", f"/v1/playlists/{_segment(id)}", Playlist, repeatable=True)


def add_tracks(playlist: str, ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/playlists/:id/tracks`."""
    return _bulk(playlist, "", {"trackIds": list(ids)})


def remove_tracks(playlist: str, ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/playlists/:id/tracks/bulk-remove`."""
    return _bulk(playlist, "/bulk-remove", {"trackIds": list(ids)})


def move_tracks(source: str, target: str, ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/playlists/:id/tracks/move`: each track is added to the target, then removed from the source."""
    return _bulk(source, "/move", {"trackIds": list(ids), "targetPlaylistId": target})


def _bulk(playlist: str, verb: str, body: dict[str, Any]) -> Request[BulkAnswer]:
    return Request("POST", f"/v1/playlists/{_segment(playlist)}/tracks{verb}", BulkAnswer, body=body)


def _segment(id: object) -> str:  # noqa: A002 - the wire's name
    """Quote an opaque id so that it stays one segment of the path."""
    text = id.strip() if isinstance(id, str) else ""
    try:
        quoted = quote(text, safe="")
    except UnicodeEncodeError:  # half of a surrogate pair
        quoted = ""
    if quoted in ("", ".", ".."):
        raise errors.ParameterError(
            f"{parameters.shown(id)} is not an id.",
            parameter="id",
            value=id,
            hint="Pass the text in the `id` column, or in the .id of a record.",
        )
    return quoted
