"""One sync at a time: an exclusive lock on a file, which the system releases when a process dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finetuning import locks
from finetuning.errors import LibraryError, LibraryHeldError

__all__ = ["held"]


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
            locks.lock(descriptor)
        except OSError:
            pid = locks.owner(descriptor)
            who = "this process" if pid == os.getpid() else f"process {pid}" if pid else "another process"
            raise LibraryHeldError(
                f"The library in {folder} is being synced by {who}.",
                pid=pid,
                hint="Wait until that has ended; what it has read so far can be read here already.",
            ) from None
        try:
            locks.sign(descriptor)
            yield
        finally:
            locks.unlock(descriptor)
    finally:
        os.close(descriptor)
