"""The second account: the house, with a public playlist, so that privacy is real."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from . import accounts, generations, playlists
from .bodies import Draft
from .generations import Settled

__all__ = ["House", "furnish", "look_up"]


@dataclass(frozen=True)
class House:
    """What belongs to the other account.

    Attributes
    ----------
    playlist : str
        Id of its public playlist.
    private_playlist : str
        Id of its private playlist.
    tracks : tuple of str
        Ids of its public tracks, rendered when somebody first listens.
    private_track : str
        Id of its private track.
    """

    playlist: str
    private_playlist: str
    tracks: tuple[str, ...]
    private_track: str


# title, tags, bpm, key, scale, beats in a bar, seconds, seed, public
_CATALOGUE = (
    ("Slow Harbour", "calm ambient pads and soft piano", 70, "D", "major", 4, 30.0, 11, True),
    ("Paper Lanterns", "warm lofi beat with mellow keys and vinyl warmth", 82, "F", "minor", 4, 30.0, 23, True),
    ("Waltz for an Empty Room", "gentle waltz, strings and piano", 96, "A", "minor", 3, 30.0, 37, True),
    ("Night Train", "driving synthwave with an arpeggio bass", 118, "E", "minor", 4, 30.0, 41, True),
    ("Unfinished", "sketch for solo piano", 88, "G", "major", 4, 20.0, 53, False),
)


def furnish(connection: sqlite3.Connection, now: float) -> None:
    """Make the house's account, tracks and playlists."""
    house = accounts.create(connection, "house", "The House")
    public = playlists.create(connection, house.id, "House Selection", True, "Made by the studio's composer.", now)
    private = playlists.create(connection, house.id, "Drafts", False, None, now)
    for title, tags, bpm, key, scale, beats, seconds, seed, is_public in _CATALOGUE:
        draft = Draft(tags, "", seconds, bpm, key, scale, beats, None, seed, None)
        settled = Settled(title, seed, key, scale)
        row = generations.insert(connection, house.id, draft, settled, now, completed=True, public=is_public)
        playlists.add(connection, public if is_public else private, house.id, [row["id"]], now)


def look_up(connection: sqlite3.Connection) -> House:
    """Find what `furnish` made."""
    tracks = connection.execute(
        """SELECT g.id, g.is_public FROM generations g JOIN accounts a ON a.id = g.account_id
            WHERE a.role = 'house' ORDER BY g.seq"""
    ).fetchall()
    lists = {
        bool(row["is_public"]): row["id"]
        for row in connection.execute(
            "SELECT p.id, p.is_public FROM playlists p JOIN accounts a ON a.id = p.account_id WHERE a.role = 'house'"
        )
    }
    return House(
        playlist=lists[True],
        private_playlist=lists[False],
        tracks=tuple(row["id"] for row in tracks if row["is_public"]),
        private_track=next(row["id"] for row in tracks if not row["is_public"]),
    )
