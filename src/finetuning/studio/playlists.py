"""Playlists, and the rules of who may put which track where."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from uuid import uuid4

from . import generations

__all__ = ["Outcome", "add", "create", "delete", "find", "listing", "move", "remove", "rename", "tracks", "visible"]

NOT_FOUND = "Playlist not found"
NOT_YOURS = "Not authorized to modify this playlist"
TRACK_NOT_FOUND = "Track not found"
PRIVATE_TRACK = "Cannot add private track to public playlist"
# The service's text for this case is not documented. A private playlist holds only its owner's tracks.
FOREIGN_TRACK = "Cannot add another user's track to private playlist"
ALREADY_IN = "Track already in playlist"
NOT_IN = "Track not found in playlist or not authorized"

_SELECT = """SELECT p.*, count(t.seq) AS track_count,
    coalesce(sum(coalesce(g.duration, g.requested_duration)), 0) AS total_duration
    FROM playlists p LEFT JOIN playlist_tracks t ON t.playlist_id = p.id
    LEFT JOIN generations g ON g.id = t.generation_id"""


def create(
    connection: sqlite3.Connection, account_id: str, name: str, public: bool, description: str | None, now: float
) -> str:
    """Make an empty playlist and return its id."""
    playlist_id = str(uuid4())
    connection.execute(
        """INSERT INTO playlists (id, account_id, name, description, is_public, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (playlist_id, account_id, name, description, public, now, now),
    )
    return playlist_id


def rename(connection: sqlite3.Connection, id: str, account_id: str, name: str, now: float) -> bool:  # noqa: A002 - the wire's name
    """Give an own playlist another name; whether there is such a playlist."""
    changed = connection.execute(
        "UPDATE playlists SET name = ?, updated_at = ? WHERE id = ? AND account_id = ?", (name, now, id, account_id)
    )
    return changed.rowcount == 1


def delete(connection: sqlite3.Connection, id: str, account_id: str) -> bool:  # noqa: A002 - the wire's name
    """Delete an own playlist, not its tracks; whether there was such a playlist."""
    gone = connection.execute("DELETE FROM playlists WHERE id = ? AND account_id = ?", (id, account_id))
    return gone.rowcount == 1


def listing(connection: sqlite3.Connection, account_id: str) -> list[sqlite3.Row]:
    """List every playlist of an account, newest first."""
    return connection.execute(
        f"{_SELECT} WHERE p.account_id = ? GROUP BY p.id ORDER BY p.seq DESC", (account_id,)
    ).fetchall()


def find(connection: sqlite3.Connection, id: str) -> sqlite3.Row | None:  # noqa: A002 - the wire's name
    """Find a playlist, whoever's it is."""
    row: sqlite3.Row | None = connection.execute(f"{_SELECT} WHERE p.id = ? GROUP BY p.id", (id,)).fetchone()
    return row


def visible(connection: sqlite3.Connection, id: str, account_id: str) -> sqlite3.Row | None:  # noqa: A002 - the wire's name
    """Find a playlist, if it is the account's own or public."""
    row = find(connection, id)
    return row if row is not None and (row["is_public"] or row["account_id"] == account_id) else None


def tracks(connection: sqlite3.Connection, id: str) -> list[sqlite3.Row]:  # noqa: A002 - the wire's name
    """List the tracks of a playlist, in the order in which they were added."""
    return connection.execute(
        """SELECT g.* FROM playlist_tracks t JOIN generations g ON g.id = t.generation_id
            WHERE t.playlist_id = ? ORDER BY t.seq""",
        (id,),
    ).fetchall()


def _refused(connection: sqlite3.Connection, id: str, account_id: str) -> str | None:  # noqa: A002 - the wire's name
    playlist = visible(connection, id, account_id)
    if playlist is None:
        return NOT_FOUND
    return None if playlist["account_id"] == account_id else NOT_YOURS


def _put(connection: sqlite3.Connection, id: str, track_id: str) -> str | None:  # noqa: A002 - the wire's name
    playlist = connection.execute("SELECT account_id, is_public FROM playlists WHERE id = ?", (id,)).fetchone()
    owner, is_public = playlist
    track = generations.find(connection, track_id)
    if track is None or (track["account_id"] != owner and not track["is_public"]):
        return TRACK_NOT_FOUND
    if is_public and not track["is_public"]:
        return PRIVATE_TRACK
    if not is_public and track["account_id"] != owner:
        return FOREIGN_TRACK
    added = connection.execute(
        "INSERT OR IGNORE INTO playlist_tracks (playlist_id, generation_id) VALUES (?, ?)", (id, track_id)
    )
    return None if added.rowcount else ALREADY_IN


def _touch(connection: sqlite3.Connection, id: str, now: float) -> None:  # noqa: A002 - the wire's name
    connection.execute("UPDATE playlists SET updated_at = ? WHERE id = ?", (now, id))


@dataclass
class Outcome:
    """The tracks that were changed, and the per-item errors of the others."""

    done: list[str] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)

    def note(self, track_id: str, error: str | None) -> None:
        """Enter one track."""
        if error is None:
            self.done.append(track_id)
        else:
            self.errors.append({"trackId": track_id, "error": error})


def add(connection: sqlite3.Connection, id: str, account_id: str, ids: list[str], now: float) -> Outcome:  # noqa: A002 - the wire's name
    """Add tracks to an own playlist, one by one."""
    outcome = Outcome()
    refused = _refused(connection, id, account_id)
    for track_id in ids:
        outcome.note(track_id, refused or _put(connection, id, track_id))
    if outcome.done:
        _touch(connection, id, now)
    return outcome


def remove(connection: sqlite3.Connection, id: str, account_id: str, ids: list[str], now: float) -> Outcome:  # noqa: A002 - the wire's name
    """Take tracks out of an own playlist, one by one; they stay in the library."""
    outcome = Outcome()
    own = _refused(connection, id, account_id) is None
    for track_id in ids:
        outcome.note(track_id, None if own and _take(connection, id, track_id) else NOT_IN)
    if outcome.done:
        _touch(connection, id, now)
    return outcome


def move(
    connection: sqlite3.Connection, source: str, target: str, account_id: str, ids: list[str], now: float
) -> Outcome:
    """Move tracks between own playlists: each is added to the target, and only then leaves the source."""
    outcome = Outcome()
    refused = _refused(connection, source, account_id) or _refused(connection, target, account_id)
    for track_id in ids:
        error = refused or _missing(connection, source, track_id) or _put(connection, target, track_id)
        if error is None:
            _take(connection, source, track_id)
        outcome.note(track_id, error)
    if outcome.done:
        _touch(connection, source, now)
        _touch(connection, target, now)
    return outcome


def _missing(connection: sqlite3.Connection, id: str, track_id: str) -> str | None:  # noqa: A002 - the wire's name
    row = connection.execute(
        "SELECT 1 FROM playlist_tracks WHERE playlist_id = ? AND generation_id = ?", (id, track_id)
    ).fetchone()
    return TRACK_NOT_FOUND if row is None else None


def _take(connection: sqlite3.Connection, id: str, track_id: str) -> bool:  # noqa: A002 - the wire's name
    gone = connection.execute("DELETE FROM playlist_tracks WHERE playlist_id = ? AND generation_id = ?", (id, track_id))
    return gone.rowcount == 1
