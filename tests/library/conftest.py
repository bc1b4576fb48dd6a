from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import finetuning as ft
from finetuning.library.clients import SyncedLibrary
from finetuning.studio import Studio, generations
from finetuning.studio.bodies import Draft
from finetuning.studio.generations import Settled
from finetuning.studio.store import Store


class Archive:
    """A studio that renders nothing, a client of it, and what happens to its library behind the client's back."""

    def __init__(self, folder: Path) -> None:
        self.studio = Studio(folder, workers=0)
        self.client = ft.Client(self.studio.api_key, self.studio.url, progress=False, studio=self.studio)
        self.now = datetime.now(UTC)
        self.library = SyncedLibrary(self.client, lambda: self.now)
        self._made = 0

    def add(self, count: int, *, completed: bool = True, age: timedelta = timedelta(0)) -> list[str]:
        """Put generations on top of the library; returns their ids, newest first."""
        store = Store(self.studio.data_dir)
        ids = []
        with store.write() as connection:
            owner = connection.execute("SELECT id FROM accounts WHERE role = 'user'").fetchone()["id"]
            for _ in range(count):
                self._made += 1
                draft = Draft("piano", "", 30.0, 90, "C", "minor", 4, None, self._made, None)
                settled = Settled(f"Take {self._made}", self._made, "C", "minor")
                now = (self.now - age).timestamp()
                ids.append(generations.insert(connection, owner, draft, settled, now, completed=completed)["id"])
        store.close()
        return ids[::-1]

    def execute(self, statement: str, *values: object) -> None:
        """Change the studio's database."""
        with closing(sqlite3.connect(self.studio.data_dir / "studio.sqlite3", timeout=20)) as connection, connection:
            connection.execute(statement, values)

    def delete(self, ids: list[str]) -> None:
        self.client.delete_tracks(ids, yes=True)

    def listed(self) -> list[str]:
        return list(self.client.generations(limit=None)["id"])

    def close(self) -> None:
        self.client.close()
        self.studio.close()


@pytest.fixture
def open_archive(tmp_path: Path) -> Iterator[Callable[..., Archive]]:
    opened: list[Archive] = []

    def open_one(name: str = "studio") -> Archive:
        opened.append(Archive(tmp_path / name))
        return opened[-1]

    yield open_one
    for archive in opened:
        archive.close()


@pytest.fixture
def archive(open_archive: Callable[..., Archive]) -> Archive:
    return open_archive()
