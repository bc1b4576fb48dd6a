"""The studio's own books: what was made, what was paid, and what the journal of a run says beside it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetuning.studio import generations, jobs

__all__ = ["Books", "Kiln", "Row", "acknowledged", "events"]


@dataclass(frozen=True)
class Row:
    """A generation as the studio has it."""

    id: str
    status: str
    bpm: int
    seed: int
    file_size: int | None
    etag: str | None
    identity: tuple[Any, ...]


class Books:
    """Reads the database of a studio that may be running, or may just have been killed.

    Parameters
    ----------
    folder
        The studio's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "studio.sqlite3"

    @property
    def key(self) -> str:
        """The key of the user's account."""
        [[key]] = self._query("SELECT key FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE a.role = 'user'")
        return str(key)

    @property
    def spent(self) -> int:
        """Credits spent so far."""
        [[count]] = self._query("SELECT count(*) FROM spending")
        return int(count)

    def rows(self, tags: str) -> list[Row]:
        """Return all generations with these tags, the oldest first.

        `Row.identity` is what tells deliberate requests apart: the tags, every parameter and the seed.
        """
        found = self._query(
            """SELECT id, status, bpm, seed, file_size, etag, tags, lyrics, requested_duration, key, scale,
                time_signature, language FROM generations WHERE tags = ? ORDER BY seq""",
            tags,
        )
        return [
            Row(id_, status, bpm, seed, size, etag, (bpm, seed, *rest))
            for id_, status, bpm, seed, size, etag, *rest in found
        ]

    def _query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with _opened(self._path) as connection:
            return connection.execute(sql, values).fetchall()


class Kiln:
    """Finishes generations in the database, a few at each look at the library: the sound is not the matter here.

    Parameters
    ----------
    folder
        Of a studio without workers.
    pace
        How many are finished before each look.
    """

    def __init__(self, folder: Path, pace: int = 2) -> None:
        self._path = folder / "studio.sqlite3"
        self._pace = pace

    def fire(self, method: str, path: str) -> None:
        """Finish what is next, before the request is delivered."""
        if method != "GET" or not path.startswith("/v1/generations"):
            return
        now = time.time()
        made = generations.Made("A Take", 5.0, b"", "{}", 1000, "0" * 32, 42.0)
        with _opened(self._path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            queue = connection.execute("SELECT generation_id FROM jobs ORDER BY seq LIMIT ?", (self._pace,)).fetchall()
            for (id_,) in queue:
                generations.complete(connection, id_, made, now)
                jobs.discard(connection, id_)
            connection.execute("COMMIT")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        yield connection


def events(journal: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal, but for what a crash left of the last one."""
    lines = journal.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1] if line]


def acknowledged(journal: Path) -> dict[int, set[str]]:
    """Return by point the ids that the journal has ever named."""
    named: dict[int, set[str]] = {}
    for event in events(journal):
        if "generation" in event:
            named.setdefault(event["point"], set()).add(event["generation"]["id"])
    return named
