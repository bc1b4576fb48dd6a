"""The OpenAPI 3.1 document of the studio, put together from tables."""

from __future__ import annotations

from functools import cache
from typing import Any

from finetuning.records import KEYS, LANGUAGES, SCALES, STATUSES, TIME_SIGNATURES

from .answers import CODES
from .bodies import BPM, DURATION, LYRICS, MAX_IDS, MAX_PAGE, PAGE, SEED, SOMETHING, TAGS
from .limits import TIERS
from .targets import LONGEST, TARGET

__all__ = ["document"]

Json = dict[str, Any]

SPACED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
COMPACT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
COUNT: Json = {"type": "integer", "minimum": 0}
TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _record(fields: dict[str, Any], optional: tuple[str, ...] = ()) -> Json:
    return {
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def _list(item: Json) -> Json:
    return {"type": "array", "items": item}


def _nullable(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


def _ids(field: str, **more: Json) -> Json:
    ids = {"type": "array", "items": TEXT, "minItems": 1, "maxItems": MAX_IDS}
    return _record({field: ids, **more})


def _parameters(time_signature: Json) -> Json:
    return _record(
        {
            "bpm": {"type": "integer", "minimum": BPM[0], "maximum": BPM[1]},
            "duration": {"type": "number", "minimum": DURATION[0], "maximum": DURATION[1]},
            "keyscale": {"type": "string", "enum": [f"{key} {scale}" for key in KEYS for scale in SCALES]},
            "timesignature": time_signature,
            "seed": {"type": "integer"},
            "language": {"type": "string", "enum": list(LANGUAGES)},
        },
        optional=("language",),
    )


_SIGNATURES = [str(number) for number in TIME_SIGNATURES]
_GENERATION = {
    "id": TEXT,
    "title": TEXT,
    "prompt": TEXT,
    "type": {"type": "string", "const": "music"},
    "status": {"type": "string", "enum": list(STATUSES)},
    "audioUrl": _nullable({"type": "string", "format": "uri"}),
    "duration": COUNT,
    "isPublic": FLAG,
    "playCount": COUNT,
    "likeCount": COUNT,
    "parameters": _parameters({"type": "integer", "enum": list(TIME_SIGNATURES)}),
    "createdAt": {"type": "string", "pattern": SPACED},
    "completedAt": _nullable({"type": "string", "pattern": INSTANT}),
}
_PLAYLIST = {
    "id": TEXT,
    "name": TEXT,
    "description": _nullable(TEXT),
    "trackCount": COUNT,
    "totalDuration": COUNT,
    "isPublic": FLAG,
    "createdAt": {"type": "string", "pattern": SPACED},
    "updatedAt": {"type": "string", "pattern": SPACED},
}
_TRACK_ERRORS = _list(_record({"trackId": TEXT, "error": TEXT}))

SCHEMAS: dict[str, Json] = {
    "Health": _record({"status": TEXT, "service": TEXT}),
    "Account": _record(
        {
            "id": TEXT,
            "email": TEXT,
            "name": TEXT,
            "tier": {"type": "string", "enum": list(TIERS)},
            "limits": _record(
                dict.fromkeys(
                    (
                        "monthlyGenerations",
                        "generationsUsed",
                        "monthlyRemaining",
                        "packCredits",
                        "totalRemaining",
                        "queueDepth",
                    ),
                    COUNT,
                )
            ),
        }
    ),
    "CreateRequest": _record(
        {
            "tags": {"type": "string", "minLength": 1, "maxLength": TAGS, "pattern": SOMETHING},
            "lyrics": {"type": "string", "maxLength": LYRICS, "default": ""},
            "duration": {"type": "number", "default": 60, "description": "Seconds, clamped to 5–210 (free: 5–120)."},
            "bpm": {"type": "integer", "default": 120, "description": "Clamped to 60–200."},
            "key": {"type": "string", "enum": list(KEYS)},
            "scale": {"type": "string", "enum": list(SCALES)},
            "timesignature": {"type": "string", "enum": _SIGNATURES, "default": "4"},
            "language": {"type": "string", "enum": list(LANGUAGES)},
            "seed": {"type": "integer", "minimum": SEED[0], "maximum": SEED[1]},
            "webhook": {"type": "string", "maxLength": LONGEST, "pattern": f"^{TARGET}$"},
        },
        optional=("lyrics", "duration", "bpm", "key", "scale", "timesignature", "language", "seed", "webhook"),
    ),
    "Created": _record(
        {
            "id": TEXT,
            "status": {"type": "string", "enum": list(STATUSES)},
            "prompt": TEXT,
            "parameters": _parameters({"type": "string", "enum": _SIGNATURES}),
            "webhook": _nullable(TEXT),
            "creditsRemaining": COUNT,
            "createdAt": {"type": "string", "pattern": COMPACT},
        }
    ),
    "Generation": _record(_GENERATION),
    "GenerationDetail": _record(
        {
            **_GENERATION,
            "fileSize": _nullable(COUNT),
            "downloadCount": COUNT,
            "errorMessage": _nullable(TEXT),
            "generationTime": {"type": ["number", "null"], "minimum": 0},
            "webhook": _nullable(TEXT),
        }
    ),
    "GenerationPage": _record(
        {"generations": _list(_ref("Generation")), "hasMore": FLAG, "nextOffset": _nullable(COUNT)}
    ),
    "Playlist": _record(_PLAYLIST),
    "PlaylistDetail": _record({**_PLAYLIST, "isOwner": FLAG, "tracks": _list(_ref("Generation"))}),
    "PlaylistList": _record({"playlists": _list(_ref("Playlist"))}),
    "DeleteRequest": _ids("ids"),
    "TracksRequest": _ids("trackIds"),
    "MoveRequest": _ids("trackIds", targetPlaylistId={"type": "string", "minLength": 1}),
    "Deleted": _record(
        {"deleted": _list(TEXT), "errors": _list(_record({"id": TEXT, "error": TEXT}))}, optional=("errors",)
    ),
    "Added": _record({"added": _list(TEXT), "errors": _TRACK_ERRORS}, optional=("errors",)),
    "Removed": _record({"removed": _list(TEXT), "errors": _TRACK_ERRORS}, optional=("errors",)),
    "Moved": _record({"moved": _list(TEXT), "errors": _TRACK_ERRORS}, optional=("errors",)),
    "Error": _record(
        {
            "error": _record(
                {
                    "code": {"type": "string", "enum": list(CODES)},
                    "message": TEXT,
                    "details": {"oneOf": [{"type": "object"}, _TRACK_ERRORS]},
                    "retryAfter": {"type": "integer", "minimum": 1},
                },
                optional=("details", "retryAfter"),
            )
        }
    ),
}

_REASONS = {
    400: "The body or a parameter is invalid, or no item of the batch succeeded.",
    401: "The API key is missing or unknown, or its account has been deleted.",
    402: "No credits are left.",
    403: "The account's plan has no access to the API.",
    404: "There is no such thing, or none that this account may see.",
    405: "The method is not allowed on this path.",
    413: "The body is too large.",
    429: "Too many requests, or too many generations in flight.",
    500: "The service failed.",
}
_RATE = {
    "X-RateLimit-Limit": {"schema": COUNT, "required": True, "description": "Requests a minute of this bucket."},
    "X-RateLimit-Remaining": {"schema": COUNT, "required": True, "description": "What is left of them."},
}
_RETRY = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait."}}


def _answer(schema: Json, description: str, links: dict[str, Json] | None = None, **headers: Json) -> Json:
    answer: Json = {
        "description": description,
        "headers": {**_RATE, **headers},
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
    schema = _ref(data) if open_to_all else _record({"data": _ref(data)})
    common = (405, 413, 500) if open_to_all else (401, 403, 405, 413, 429, 500)
    operation: Json = {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {str(status): _answer(schema, summary, links)},
        "security": [] if open_to_all else [{"ApiKey": []}],
    }
    for refusal in sorted({*common, *refusals}):
        headers: Json = _RETRY if refusal == 429 else {}
        operation["responses"][str(refusal)] = _answer(_ref("Error"), _REASONS[refusal], **headers)
    if request:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(request)}}}
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
