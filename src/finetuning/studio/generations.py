"""The library: accepting, finding, completing and deleting generations."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from .bodies import Draft, Page

__all__ = [
    "Made", "Settled", "brief", "complete", "count_listen", "delete", "fail", "find", "insert", "page", "score",
    "set_public", "settle",
]  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What a worker made of a brief."""

    title: str
    duration: float
    midi: bytes
    understood: str
    size: int
    etag: str
    seconds: float


@dataclass(frozen=True)
class Settled:
    """What the service chose where the request left it open."""

    title: str
    seed: int
    key: str
    scale: str


def settle(draft: Draft) -> Settled:
    """Draw the seed, then choose key and scale where they are open."""
    # Imported at first use: the composer brings numpy, which a studio that only serves has no use for.
    from .music import choose_key, title_for

    # 31 bits survive every reader of JSON, JavaScript included, and are easy to write down.
    seed = secrets.randbelow(2**31) if draft.seed is None else draft.seed
    key, scale = draft.key, draft.scale
    if key is None or scale is None:
        chosen_key, chosen_scale = choose_key(draft.tags, seed)
        key, scale = key or chosen_key, scale or chosen_scale
    return Settled(title_for(draft.tags, seed), seed, key, scale)


def insert(
    connection: sqlite3.Connection,
    account_id: str,
    draft: Draft,
    settled: Settled,
    now: float,
    *,
    completed: bool = False,
    public: bool = False,
) -> sqlite3.Row:
    """Add a generation and return its row."""
    row: sqlite3.Row = connection.execute(
        """INSERT INTO generations (id, account_id, title, tags, lyrics, bpm, requested_duration, key, scale,
            time_signature, language, seed, webhook, status, is_public, created_at, completed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *""",
        (
            str(uuid4()),
            account_id,
            settled.title,
            draft.tags,
            draft.lyrics,
            draft.bpm,
            draft.duration,
            settled.key,
            settled.scale,
            draft.time_signature,
            draft.language,
            settled.seed,
            draft.webhook,
            "completed" if completed else "pending",
            public,
            now,
            now if completed else None,
        ),
    ).fetchone()
    return row


def brief(row: sqlite3.Row) -> dict[str, Any]:
    """Say what the composer was asked for: the fields of its `Brief`."""
    fields = ("tags", "lyrics", "bpm", "key", "scale", "time_signature", "language", "seed")
    return {**{name: row[name] for name in fields}, "duration": row["requested_duration"]}


def find(connection: sqlite3.Connection, id: str, account_id: str | None = None) -> sqlite3.Row | None:  # noqa: A002 - the wire's name
    """Find a generation, of one account or of any."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM generations WHERE id = ?", (id,)).fetchone()
    return row if row is not None and account_id in (None, row["account_id"]) else None


def page(connection: sqlite3.Connection, account_id: str, wanted: Page) -> tuple[list[sqlite3.Row], bool]:
    """Read a page of an account's library, newest first, and whether there is more."""
    where, values = "account_id = ?", [account_id]
    if wanted.status is not None:
        where, values = where + " AND status = ?", [account_id, wanted.status]
    rows = connection.execute(
        f"SELECT * FROM generations WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",  # noqa: S608 - constants
        (*values, wanted.limit + 1, wanted.offset),
    ).fetchall()
    return rows[: wanted.limit], len(rows) > wanted.limit


def delete(connection: sqlite3.Connection, id: str, account_id: str) -> bool:  # noqa: A002 - the wire's name
    """Remove a generation from the library, every playlist and the queue; the ledger keeps its credit."""
    now_gone = connection.execute("DELETE FROM generations WHERE id = ? AND account_id = ?", (id, account_id))
    return now_gone.rowcount == 1


def complete(connection: sqlite3.Connection, id: str, made: Made, now: float) -> None:  # noqa: A002 - the wire's name
    """Record a finished piece; one that was there before it was rendered keeps its title and its times."""
    connection.execute(
        """UPDATE generations SET status = 'completed', duration = ?, file_size = ?, etag = ?,
            generation_time = coalesce(generation_time, ?),
            title = CASE WHEN completed_at IS NULL THEN ? ELSE title END, completed_at = coalesce(completed_at, ?)
            WHERE id = ?""",
        (made.duration, made.size, made.etag, made.seconds, made.title, now, id),
    )
    connection.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?)", (id, made.midi, made.understood))


def fail(connection: sqlite3.Connection, id: str, message: str, seconds: float, now: float) -> None:  # noqa: A002 - the wire's name
    """Record that a piece was given up."""
    connection.execute(
        """UPDATE generations SET status = 'failed', error_message = ?, generation_time = ?, completed_at = ?
            WHERE id = ?""",
        (message, seconds, now, id),
    )


def set_public(connection: sqlite3.Connection, id: str, account_id: str, public: bool) -> bool:  # noqa: A002 - the wire's name
    """Show or hide a track. A public playlist holds only public tracks, so a hidden one leaves them."""
    changed = connection.execute(
        "UPDATE generations SET is_public = ? WHERE id = ? AND account_id = ?", (public, id, account_id)
    )
    if not public:
        connection.execute(
            """DELETE FROM playlist_tracks WHERE generation_id = ?
                AND playlist_id IN (SELECT id FROM playlists WHERE is_public)""",
            (id,),
        )
    return changed.rowcount == 1


def count_listen(connection: sqlite3.Connection, id: str, *, download: bool) -> None:  # noqa: A002 - the wire's name
    """Count a download or a play."""
    column = "download_count" if download else "play_count"
    connection.execute(f"UPDATE generations SET {column} = {column} + 1 WHERE id = ?", (id,))  # noqa: S608 - constants


def score(connection: sqlite3.Connection, id: str) -> sqlite3.Row | None:  # noqa: A002 - the wire's name
    """Find the score of a piece and what was understood of its tags."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM scores WHERE generation_id = ?", (id,)).fetchone()
    return row
