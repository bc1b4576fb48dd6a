"""What was measured, remembered by the content of the sound: in this process, and in a file for the next one."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec

__all__ = ["Memory", "digest"]

T = TypeVar("T")

_KEPT: Final = 50_000  # on the disk: some 15 MB
_HELD: Final = 5_000  # in this process
_PATIENCE: Final = 5.0  # seconds to wait while another process writes
_ASKED: Final = 500  # keys in one query
_FILES: Final = 16  # one, but for tests that go from folder to folder
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS measured (
    key BLOB NOT NULL, version INTEGER NOT NULL, result BLOB NOT NULL, place INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (key, version)
)
"""

_opened: dict[tuple[Path, int], Memory[Any]] = {}
_opening: Final = threading.Lock()


def digest(data: bytes) -> bytes:
    """Return what tells these bytes from all others: BLAKE2b, 16 bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


class Memory(Generic[T]):
    """Results by the digest of what they were made from; safe for any thread and any number of processes.

    It only ever saves work: a file that is damaged is begun anew, one that cannot be written is done without.

    Parameters
    ----------
    path
        Of an SQLite database; its folder is made.
    version
        Of the algorithms; what another version made is not returned, and forgotten.
    result
        The type of the results, which msgspec can write.
    kept, held
        How many are kept on the disk and in this process, the ones that were added first forgotten first.
    """

    def __init__(self, path: Path, version: int, result: type[T], *, kept: int = _KEPT, held: int = _HELD) -> None:
        self.path = path
        self._version = version
        self._kept, self._most = kept, held
        self._held: OrderedDict[bytes, T] = OrderedDict()
        self._lock = threading.Lock()
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(result)  # NaN and infinities survive it

    @classmethod
    def at(cls, path: Path, version: int, result: type[T]) -> Memory[T]:
        """Return the one memory of this process for a file."""
        with _opening:
            known = _opened.get((path, version))
            if known is None:
                if len(_opened) >= _FILES:
                    _opened.clear()
                known = _opened[path, version] = cls(path, version, result)
            return known

    def get(self, keys: Iterable[bytes]) -> dict[bytes, T]:
        """Return the results of those keys that are known."""
        wanted = list(dict.fromkeys(keys))
        with self._lock:
            found = {key: self._held[key] for key in wanted if key in self._held}
        read = self._read([key for key in wanted if key not in found])
        self._hold(read)
        return found | read

    def put(self, results: Mapping[bytes, T]) -> None:
        """Remember results."""
        self._hold(results)
        rows = [(key, self._version, msgspec.msgpack.encode(result)) for key, result in results.items()]
        if not rows:
            return
        with suppress(OSError, sqlite3.Error):  # a full disk, a folder that cannot be written
            try:
                self._write(rows)
            except sqlite3.OperationalError:  # another process has been writing for long
                return
            except sqlite3.DatabaseError:
                self._forget()
                self._write(rows)

    def _hold(self, results: Mapping[bytes, T]) -> None:
        with self._lock:
            self._held.update(results)
            while len(self._held) > self._most:
                self._held.popitem(last=False)

    def _read(self, keys: list[bytes]) -> dict[bytes, T]:
        found: dict[bytes, T] = {}
        if not keys or not self.path.exists():
            return found
        try:
            with closing(self._connect()) as base:
                for start in range(0, len(keys), _ASKED):
                    part = keys[start : start + _ASKED]
                    places = ", ".join("?" * len(part))
                    query = f"SELECT key, result FROM measured WHERE version = ? AND key IN ({places})"  # noqa: S608 - question marks
                    for key, result in base.execute(query, (self._version, *part)):
                        with suppress(msgspec.DecodeError):
                            found[key] = self._decoder.decode(result)
        except sqlite3.OperationalError:  # not there yet, or held by another process for long
            pass
        except sqlite3.DatabaseError:
            self._forget()
        return found

    def _forget(self) -> None:
        """Take a damaged file away; what it held is measured again when it is asked for."""
        with suppress(OSError):
            for path in (self.path, self.path.with_name(f"{self.path.name}-journal")):
                path.unlink(missing_ok=True)

    def _write(self, rows: list[tuple[bytes, int, bytes]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as base, base:
            base.execute(_TABLE)
            base.executemany("INSERT OR REPLACE INTO measured (key, version, result) VALUES (?, ?, ?)", rows)
            base.execute("DELETE FROM measured WHERE version < ?", (self._version,))
            base.execute(
                "DELETE FROM measured WHERE place <= (SELECT max(place) FROM measured) - ?",
                (self._kept,),
            )

    def _connect(self) -> Any:
        base = sqlite3.connect(self.path, timeout=_PATIENCE)
        with suppress(sqlite3.Error):
            base.execute("PRAGMA synchronous = OFF")  # what a crash of the machine loses is measured again
        return base
