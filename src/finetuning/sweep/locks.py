"""One writer a journal: an exclusive lock on a file beside it, which the system releases when a process dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from finetuning.errors import JournalError, JournalHeldError

__all__ = ["FileLock"]

#: Where the locked byte is on Windows: far behind the process id, which must stay readable.
_BYTE: Final = 2**30

if sys.platform == "win32":
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
        # By open file, not by process: two runs in one process exclude each other too.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        # Said, not left to closing: a process forked meanwhile would keep the lock alive.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class FileLock:
    """An exclusive lock, held from `acquire` to `release`.

    The file stays: removing it would let two processes lock two files of the same name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock.

        Raises
        ------
        JournalHeldError
            Another holds it; `.pid` is its process, where it can be read.
        JournalError
            The file cannot be opened.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise JournalError(f"{self.path} cannot be opened: {problem.strerror}.") from None
        try:
            _lock(descriptor)
        except OSError:
            pid = _read_pid(descriptor)
            os.close(descriptor)
            raise _held(self.path, pid) from None
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; harmless where it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _unlock(descriptor)
            os.close(descriptor)


def _read_pid(descriptor: int) -> int | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32).strip()
    return int(text) if text.isdigit() else None


def _held(path: Path, pid: int | None) -> JournalHeldError:
    if pid == os.getpid():
        who, hint = f"a run in this process ({pid})", "Wait for it, or run.cancel() it; SweepRun.load gives it back."
    else:
        who = f"process {pid}" if pid else "another process"
        hint = "Wait until it has ended, or end it; run.frame follows it meanwhile."
    return JournalHeldError(f"The run {path.stem!r} is in the hands of {who}.", pid=pid, hint=hint)
