"""The database: one writer and one reader connection a process, and the folder around them."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from finetuning.errors import StudioError

from .schema import migrate

__all__ = ["Store"]

PATIENCE = 20.0
"""Seconds to wait for another process that holds the database."""


class Store:
    """SQLite in WAL mode, durable at every commit; any number of processes may open the same folder.

    Parameters
    ----------
    folder
        Made if missing, for the user alone (mode 0700).

    Raises
    ------
    StudioError
        If the folder cannot be used, or holds something else than a studio's database.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "media"
        path = folder / "studio.sqlite3"
        try:
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            self.media.mkdir(mode=0o700, exist_ok=True)
            # The file holds the API key. SQLite gives its journal the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StudioError(
                f"The studio cannot use the folder {folder}: {error.strerror}.",
                hint="Give Studio another data_dir, or set FINETUNING_DATA_HOME.",
            ) from error
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        with ExitStack() as undo:
            try:
                self._writer = undo.enter_context(closing(_connect(path)))
                self._reader = undo.enter_context(closing(_connect(path)))
                for connection in (self._writer, self._reader):
                    connection.row_factory = sqlite3.Row
                    connection.execute("PRAGMA foreign_keys = ON")
                    connection.execute("PRAGMA synchronous = FULL")
                self._enter_wal()
                migrate(self._writer)
            except sqlite3.DatabaseError as error:
                raise StudioError(
                    f"{path} cannot be read as a studio's database: {error}.",
                    hint="Move it away, or give Studio another data_dir.",
                ) from error
            undo.pop_all()
        self._open_for_use = True

    def _enter_wal(self) -> None:
        # Two processes that meet a new file at once: this pragma does not wait for a lock by itself.
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._writer.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that writes: durable when the block ends, undone when it raises."""
        with self._write_lock:
            self._check()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that reads: every statement in the block sees the same state."""
        with self._read_lock:
            self._check()
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.execute("COMMIT")

    def _check(self) -> None:
        if not self._open_for_use:
            raise StudioError("This studio is closed.", hint="Start another: Studio(data_dir=…).")

    def close(self) -> None:
        """Close the database. Safe to call twice."""
        with self._write_lock, self._read_lock:
            if self._open_for_use:
                self._open_for_use = False
                self._reader.close()
                self._writer.close()


def _connect(path: Path) -> sqlite3.Connection:
    # A connection may serve many threads, one at a time: the locks see to it.
    return sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
