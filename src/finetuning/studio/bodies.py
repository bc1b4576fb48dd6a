"""Reading requests: every field checked, the first that is wrong named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from finetuning.records import KEYS, LANGUAGES, SCALES, STATUSES, TIME_SIGNATURES

from .answers import Fault, invalid
from .targets import check_target

__all__ = [
    "BPM", "DURATION", "LYRICS", "MAX_IDS", "MAX_PAGE", "PAGE", "SEED", "SOMETHING", "TAGS",
    "Draft", "Page", "read_create", "read_ids", "read_move", "read_page",
]  # fmt: skip

BPM = (60, 200)
DURATION = (5.0, 210.0)
SEED = (-(2**63), 2**63 - 1)
MAX_IDS = 100
TAGS, LYRICS = 700, 2000
SOMETHING = r"[^ \t\r\n]"
"""What tags must hold somewhere. Spelled out, since regular expressions disagree on what white space is."""
PAGE, MAX_PAGE = 20, 99
FIELDS = ("tags", "lyrics", "duration", "bpm", "key", "scale", "timesignature", "language", "seed", "webhook")


@dataclass(frozen=True)
class Draft:
    """A request for a generation, checked and clamped; None where the service is to choose."""

    tags: str
    lyrics: str
    duration: float
    bpm: int
    key: str | None
    scale: str | None
    time_signature: int
    language: str | None
    seed: int | None
    webhook: str | None


@dataclass(frozen=True)
class Page:
    """Which part of the library is asked for."""

    limit: int
    offset: int
    status: str | None


def _object(body: bytes, allowed: Sequence[str]) -> dict[str, Any]:
    if not body:
        raise Fault("VALIDATION_ERROR", "The request has no body; send a JSON object.")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # What the decoder says of the bytes is left out: they may hold anything.
        raise Fault("VALIDATION_ERROR", "The request's body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Fault("VALIDATION_ERROR", "The request's body must be a JSON object.")
    for name in value:
        if name not in allowed:
            raise invalid(name[:80], f"Unknown field {name[:80]!r}; allowed: {', '.join(allowed)}.")
    return value


def _text(fields: dict[str, Any], name: str, longest: int) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise invalid(name, f"{name} must be a string.")
    if len(value) > longest:
        raise invalid(name, f"{name} has {len(value)} characters; at most {longest} are allowed.", max=longest)
    return value


def _choice(fields: dict[str, Any], name: str, allowed: Sequence[str]) -> str | None:
    if name not in fields:
        return None
    value = fields[name]
    if not isinstance(value, str) or value not in allowed:
        raise invalid(name, f"{name} must be one of {', '.join(allowed)}, as a string.", allowed=list(allowed))
    return value


def _whole(fields: dict[str, Any], name: str, default: int | None) -> int | None:
    value = fields.get(name, default)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON has one kind of number: 85.0 is 85
    if name in fields and (isinstance(value, bool) or not isinstance(value, int)):
        raise invalid(name, f"{name} must be a whole number.")
    return value


def _duration(fields: dict[str, Any], longest: float) -> float:
    value = fields.get("duration", 60)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid("duration", "duration must be a number of seconds.")
    return float(min(max(value, DURATION[0]), longest))


def read_create(body: bytes, *, longest: float) -> Draft:
    """Read the body of `POST /v1/generations`.

    Parameters
    ----------
    body
        JSON, UTF-8.
    longest
        Longest duration of the account's tier, in seconds.

    Raises
    ------
    Fault
        `VALIDATION_ERROR`, with the field in `details`. Out-of-range `bpm` and `duration` are moved into range
        instead, as the service does.
    """
    fields = _object(body, FIELDS)
    if "tags" not in fields:
        raise invalid("tags", "tags is required: say what to make, in 1 to 700 characters.", min=1, max=TAGS)
    tags = _text(fields, "tags", TAGS)
    if not re.search(SOMETHING, tags):
        raise invalid("tags", "tags is empty: say what to make, in 1 to 700 characters.", min=1, max=TAGS)
    bpm = _whole(fields, "bpm", 120)
    seed = _whole(fields, "seed", None)
    if seed is not None and not SEED[0] <= seed <= SEED[1]:
        raise invalid("seed", "seed must fit into 64 bits.", min=SEED[0], max=SEED[1])
    webhook = fields.get("webhook")
    if "webhook" in fields:
        check_target(webhook)
    return Draft(
        tags=tags,
        lyrics=_text(fields, "lyrics", LYRICS),
        duration=_duration(fields, longest),
        bpm=min(max(bpm or 0, BPM[0]), BPM[1]),
        key=_choice(fields, "key", KEYS),
        scale=_choice(fields, "scale", SCALES),
        time_signature=int(_choice(fields, "timesignature", [str(n) for n in TIME_SIGNATURES]) or 4),
        language=_choice(fields, "language", LANGUAGES),
        seed=seed,
        webhook=webhook,
    )


def _ids(fields: dict[str, Any], name: str) -> list[str]:
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(name, f"{name} must be a list of 1 to {MAX_IDS} ids, as strings.", max=MAX_IDS)
    if not 1 <= len(value) <= MAX_IDS:
        raise invalid(name, f"{name} has {len(value)} ids; 1 to {MAX_IDS} are allowed.", max=MAX_IDS)
    return value


def read_ids(body: bytes, name: str) -> list[str]:
    """Read a bulk request: `{"ids": [1–100]}` or `{"trackIds": [1–100]}`."""
    return _ids(_object(body, (name,)), name)


def read_move(body: bytes, source: str) -> tuple[list[str], str]:
    """Read `{"trackIds": [1–100], "targetPlaylistId"}`; the target must differ from the source."""
    fields = _object(body, ("trackIds", "targetPlaylistId"))
    tracks = _ids(fields, "trackIds")
    target = fields.get("targetPlaylistId")
    if not isinstance(target, str) or not target:
        raise invalid("targetPlaylistId", "targetPlaylistId must be the id of a playlist, as a string.")
    if target == source:
        raise invalid("targetPlaylistId", "targetPlaylistId is the source; name another playlist.")
    return tracks, target


def _count(query: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, str(default))
    # Nineteen digits fit into 64 bits, and Python refuses to read very long numbers.
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or not low <= int(text) <= high:
        raise invalid(name, f"{name} must be a whole number from {low} to {high}.", min=low, max=high)
    return int(text)


def read_page(query: dict[str, str]) -> Page:
    """Read the query of `GET /v1/generations`: `limit`, `offset`, `status`."""
    status = query.get("status")
    if status is not None and status not in STATUSES:
        raise invalid("status", f"status must be one of {', '.join(STATUSES)}.", allowed=list(STATUSES))
    return Page(
        limit=_count(query, "limit", PAGE, 1, MAX_PAGE),
        offset=_count(query, "offset", 0, 0, SEED[1]),
        status=status,
    )
