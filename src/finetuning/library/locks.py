"""One sync at a time: an exclusive lock on a file, which the system releases when a process dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from finetuning.errors import LibraryError, LibraryHeldError

__all__ = ["held"]

#: Where the locked byte is on Windows: far behind the process id, which must stay readable.
_BYTE: Final = 2**30

if sys.platform == "win32":  # pragma: no cover - the tests run where fcntl is
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # By open file, not by process: two syncs in one process exclude each other too.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        # Said, not left to closing: a process forked meanwhile would keep the lock alive.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. Its file stays: removing it would let two processes lock two files of one name.

    Raises
    ------
    LibraryHeldError
        Another sync holds it; `.pid` is its process, where it can be read.
    LibraryError
        The folder cannot be written.
    """
    path = folder / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise LibraryError(f"{path} cannot be opened: {problem.strerror}.") from None
    try:
        try:
            _lock(descriptor)
        except OSError:
            text = os.read(descriptor, 32).strip()
            pid = int(text) if text.isdigit() else None
            who = "this process" if pid == os.getpid() else f"process {pid}" if pid else "another process"
            raise LibraryHeldError(
                f"The library in {folder} is being synced by {who}.",
                pid=pid,
                hint="Wait until that has ended; what it has read so far can be read here already.",
            ) from None
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            yield
        finally:
            _unlock(descriptor)
    finally:
        os.close(descriptor)
