"""JSON schemas of what the API takes and gives."""

from __future__ import annotations

from typing import Any

from finetuning.records import KEYS, LANGUAGES, SCALES, STATUSES, TIME_SIGNATURES

from .answers import CODES
from .bodies import BPM, DURATION, LYRICS, MAX_IDS, SEED, SOMETHING, TAGS
from .limits import TIERS
from .targets import LONGEST, TARGET

__all__ = ["COUNT", "SCHEMAS", "Json", "record", "ref"]

Json = dict[str, Any]

SPACED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
COMPACT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
COUNT: Json = {"type": "integer", "minimum": 0}
TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}


def ref(name: str) -> Json:
    """Point to one of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(fields: dict[str, Any], optional: tuple[str, ...] = ()) -> Json:
    """Describe an object that has these fields and no others."""
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
    return record({field: ids, **more})


def _parameters(time_signature: Json) -> Json:
    return record(
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
    "backfilled": {"type": "boolean", "const": True, "description": "Made up by the studio; the service has it not."},
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
_TRACK_ERRORS = _list(record({"trackId": TEXT, "error": TEXT}))

SCHEMAS: dict[str, Json] = {
    "Health": record({"status": TEXT, "service": TEXT, "soundfont": _nullable(record({"name": TEXT, "sha256": TEXT}))}),
    "Account": record(
        {
            "id": TEXT,
            "email": TEXT,
            "name": TEXT,
            "tier": {"type": "string", "enum": list(TIERS)},
            "limits": record(
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
    "CreateRequest": record(
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
    "Created": record(
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
    "Generation": record(_GENERATION, optional=("backfilled",)),
    "GenerationDetail": record(
        {
            **_GENERATION,
            "fileSize": _nullable(COUNT),
            "downloadCount": COUNT,
            "errorMessage": _nullable(TEXT),
            "generationTime": {"type": ["number", "null"], "minimum": 0},
            "webhook": _nullable(TEXT),
        },
        optional=("backfilled",),
    ),
    "GenerationPage": record(
        {"generations": _list(ref("Generation")), "hasMore": FLAG, "nextOffset": _nullable(COUNT)}
    ),
    "Playlist": record(_PLAYLIST),
    "PlaylistDetail": record({**_PLAYLIST, "isOwner": FLAG, "tracks": _list(ref("Generation"))}),
    "PlaylistList": record({"playlists": _list(ref("Playlist"))}),
    "DeleteRequest": _ids("ids"),
    "TracksRequest": _ids("trackIds"),
    "MoveRequest": _ids("trackIds", targetPlaylistId={"type": "string", "minLength": 1}),
    "Deleted": record(
        {"deleted": _list(TEXT), "errors": _list(record({"id": TEXT, "error": TEXT}))}, optional=("errors",)
    ),
    "Added": record({"added": _list(TEXT), "errors": _TRACK_ERRORS}, optional=("errors",)),
    "Removed": record({"removed": _list(TEXT), "errors": _TRACK_ERRORS}, optional=("errors",)),
    "Moved": record({"moved": _list(TEXT), "errors": _TRACK_ERRORS}, optional=("errors",)),
    "Error": record(
        {
            "error": record(
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
