"""The OpenAPI 3.1 document of the studio, put together from tables."""

from __future__ import annotations

from functools import cache

from finetuning.records import STATUSES

from .bodies import MAX_PAGE, PAGE, SEED
from .schemas import COUNT, SCHEMAS, Json, record, ref

__all__ = ["document"]

_REASONS = {
    400: "The body or a parameter is invalid, or no item of the batch succeeded.",
    401: "The API key is missing or unknown, or its account has been deleted.",
    402: "No credits are left.",
    403: "The account's plan has no access to the API.",
    404: "There is no such thing, or none that this account may see.",
    405: "The method is not allowed on this path.",
    413: "The body is too large.",
    421: "The Host header does not name this machine; nothing was drawn on any bucket.",
    429: "Too many requests, or too many generations in flight.",
    500: "The service failed.",
}
_RATE = {
    "X-RateLimit-Limit": {"schema": COUNT, "required": True, "description": "Requests a minute of this bucket."},
    "X-RateLimit-Remaining": {"schema": COUNT, "required": True, "description": "What is left of them."},
}
_RETRY = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait."}}


#: What the answers announce; one for another host draws on no bucket.
_HEADERS = {421: {}, 429: {**_RATE, **_RETRY}}


def _answer(status: int, schema: Json, description: str, links: dict[str, Json] | None = None) -> Json:
    answer: Json = {
        "description": description,
        "headers": _HEADERS.get(status, _RATE),
        "content": {"application/json": {"schema": schema}},
    }
    if links:
        answer["links"] = links
    return answer


def _operation(
    name: str,
    summary: str,
    data: str,
    *,
    status: int = 200,
    request: str | None = None,
    refusals: tuple[int, ...] = (),
    parameters: tuple[Json, ...] = (),
    links: dict[str, Json] | None = None,
    open_to_all: bool = False,
) -> Json:
    schema = ref(data) if open_to_all else record({"data": ref(data)})
    common = (405, 413, 421, 500) if open_to_all else (401, 403, 405, 413, 421, 429, 500)
    operation: Json = {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {str(status): _answer(status, schema, summary, links)},
        "security": [] if open_to_all else [{"ApiKey": []}],
    }
    for refusal in sorted({*common, *refusals}):
        operation["responses"][str(refusal)] = _answer(refusal, ref("Error"), _REASONS[refusal])
    if request:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref(request)}}}
    return operation


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_PAGING = (
    _query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE}),
    _query("offset", {"type": "integer", "minimum": 0, "maximum": SEED[1], "default": 0}),
    _query("status", {"type": "string", "enum": list(STATUSES)}),
)


def _link(operation: str, source: str) -> Json:
    return {"operationId": operation, "parameters": {"id": f"$response.body#{source}"}}


@cache
def document() -> Json:
    """Put the whole document together."""
    first_playlist = "/data/playlists/0/id"
    paths = {
        "/health": {"get": _operation("health", "Whether the service answers.", "Health", open_to_all=True)},
        "/v1/me": {"get": _operation("me", "The account and its credits.", "Account")},
        "/v1/generations": {
            "get": _operation(
                "listGenerations",
                "The library, newest first.",
                "GenerationPage",
                parameters=_PAGING,
                refusals=(400,),
                links={"First": _link("getGeneration", "/data/generations/0/id")},
            ),
            "post": _operation(
                "createGeneration",
                "Ask for a piece of music. Costs one credit.",
                "Created",
                status=202,
                request="CreateRequest",
                refusals=(400, 402),
                # No link to the bulk delete: a tester that follows it takes the piece for created, and misses it.
                links={"Get": _link("getGeneration", "/data/id")},
            ),
        },
        "/v1/generations/bulk-delete": {
            "post": _operation(
                "deleteGenerations",
                "Delete pieces for good.",
                "Deleted",
                request="DeleteRequest",
                refusals=(400,),
            )
        },
        "/v1/generations/{id}": {
            "get": _operation("getGeneration", "One piece.", "GenerationDetail", parameters=(_ID,), refusals=(404,))
        },
        "/v1/playlists": {
            "get": _operation(
                "listPlaylists",
                "Every playlist of the account.",
                "PlaylistList",
                links={
                    "First": _link("getPlaylist", first_playlist),
                    "Add": _link("addTracks", first_playlist),
                    "Remove": _link("removeTracks", first_playlist),
                    "Move": _link("moveTracks", first_playlist),
                },
            )
        },
        "/v1/playlists/{id}": {
            "get": _operation(
                "getPlaylist", "One playlist and its tracks.", "PlaylistDetail", parameters=(_ID,), refusals=(404,)
            )
        },
    }
    for path, name, summary, data, request in (
        ("tracks", "addTracks", "Add tracks.", "Added", "TracksRequest"),
        ("tracks/bulk-remove", "removeTracks", "Take tracks out.", "Removed", "TracksRequest"),
        ("tracks/move", "moveTracks", "Move tracks to another playlist.", "Moved", "MoveRequest"),
    ):
        paths[f"/v1/playlists/{{id}}/{path}"] = {
            "post": _operation(name, summary, data, request=request, parameters=(_ID,), refusals=(400,))
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Finetuning studio",
            "version": "1.2",
            "description": "A stand-in for the hosted service, with a rule-based composer that does not sing.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }
