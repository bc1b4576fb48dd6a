"""One writer a journal: an exclusive lock on a file beside it, which the system releases when a process dies."""

from __future__ import annotations

import os
from pathlib import Path

from finetuning import locks
from finetuning.errors import JournalError, JournalHeldError

__all__ = ["FileLock"]


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
            locks.lock(descriptor)
        except OSError:
            pid = locks.owner(descriptor)
            os.close(descriptor)
            raise _held(self.path, pid) from None
        locks.sign(descriptor)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; harmless where it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            locks.unlock(descriptor)
            os.close(descriptor)


def _held(path: Path, pid: int | None) -> JournalHeldError:
    if pid == os.getpid():
        who, hint = f"a run in this process ({pid})", "Wait for it, or run.cancel() it; SweepRun.load gives it back."
    else:
        who = f"process {pid}" if pid else "another process"
        hint = "Wait until it has ended, or end it; run.frame follows it meanwhile."
    return JournalHeldError(f"The run {path.stem!r} is in the hands of {who}.", pid=pid, hint=hint)
