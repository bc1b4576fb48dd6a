"""From rows to what travels on the wire."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

from .accounts import Account, Balance
from .limits import Limits

__all__ = ["account", "compact", "created", "generation", "instant", "playlist", "spaced", "webhook"]


def spaced(seconds: float) -> str:
    """Write `2025-01-15 10:30:00`, the shape of lists and details."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def compact(seconds: float) -> str:
    """Write `2025-01-15T10:30:00Z`, the shape of the answer to a create."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(seconds: float | None) -> str | None:
    """Write `2025-01-15T10:30:17.623Z`, the shape of completions and webhooks."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _parameters(row: sqlite3.Row, time_signature: int | str) -> dict[str, Any]:
    parameters = {
        "bpm": row["bpm"],
        "duration": _number(row["requested_duration"]),
        "keyscale": f"{row['key']} {row['scale']}",
        "timesignature": time_signature,
        "seed": row["seed"],
    }
    if row["language"] is not None:
        parameters["language"] = row["language"]
    return parameters


def _audio_url(row: sqlite3.Row, media_url: str) -> str | None:
    return f"{media_url}/media/{row['id']}.mp3" if row["status"] == "completed" else None


def created(row: sqlite3.Row, remaining: int) -> dict[str, Any]:
    """Show what `POST /v1/generations` accepted."""
    return {
        "id": row["id"],
        "status": row["status"],
        "prompt": row["tags"],
        "parameters": _parameters(row, str(row["time_signature"])),
        "webhook": row["webhook"],
        "creditsRemaining": remaining,
        "createdAt": compact(row["created_at"]),
    }


def generation(row: sqlite3.Row, media_url: str, *, detail: bool = False) -> dict[str, Any]:
    """Show a generation, as lists do or in full; its duration is what was asked for until it is known."""
    length = row["requested_duration"] if row["duration"] is None else row["duration"]
    view = {
        "id": row["id"],
        "title": row["title"],
        "prompt": row["tags"],
        "type": "music",
        "status": row["status"],
        "audioUrl": _audio_url(row, media_url),
        "duration": round(length),
        "isPublic": bool(row["is_public"]),
        "playCount": row["play_count"],
        "likeCount": row["like_count"],
        "parameters": _parameters(row, row["time_signature"]),
        "createdAt": spaced(row["created_at"]),
        "completedAt": instant(row["completed_at"]),
    }
    if row["backfilled"]:  # the service has no such field: what nobody asked for and waited for must say so
        view["backfilled"] = True
    if detail:
        view |= {
            "fileSize": row["file_size"],
            "downloadCount": row["download_count"],
            "errorMessage": row["error_message"],
            "generationTime": seconds if (seconds := row["generation_time"]) is None else round(seconds, 3),
            "webhook": row["webhook"],
        }
    return view


def webhook(row: sqlite3.Row, media_url: str) -> dict[str, Any]:
    """Show what a webhook is sent, outside the envelope."""
    return {
        "id": row["id"],
        "status": row["status"],
        "audioUrl": _audio_url(row, media_url),
        # SQLite keeps 5.0 as 5, and says so in a row that an UPDATE returns.
        "duration": float(row["duration"]) if row["status"] == "completed" else None,
        "prompt": row["tags"],
        "parameters": _parameters(row, row["time_signature"]),
        "createdAt": instant(row["created_at"]),
        "completedAt": instant(row["completed_at"]),
    }


def playlist(row: sqlite3.Row) -> dict[str, Any]:
    """Show a playlist without its tracks; `totalDuration` in whole seconds."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "trackCount": row["track_count"],
        "totalDuration": round(row["total_duration"]),
        "isPublic": bool(row["is_public"]),
        "createdAt": spaced(row["created_at"]),
        "updatedAt": spaced(row["updated_at"]),
    }


def account(who: Account, state: Balance, limits: Limits) -> dict[str, Any]:
    """Show an account and what it may spend."""
    return {
        "id": who.id,
        "email": who.email,
        "name": who.name,
        "tier": who.tier,
        "limits": {
            "monthlyGenerations": state.monthly,
            "generationsUsed": state.used,
            "monthlyRemaining": state.monthly_remaining,
            "packCredits": state.pack,
            "totalRemaining": state.total,
            "queueDepth": limits.queue_depth,
        },
    }
