"""Exclusive locks on open files, which the system releases when a process dies; the file says who holds it."""

from __future__ import annotations

import os
import sys
from typing import Final

__all__ = ["lock", "owner", "sign", "unlock"]

#: Where the locked byte is on Windows: far behind the process id, which must stay readable.
_BYTE: Final = 2**30

if sys.platform == "win32":  # pragma: no cover - the tests run where fcntl is
    import msvcrt

    def lock(descriptor: int) -> None:
        """Take the lock, or raise OSError at once where another holds it."""
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def unlock(descriptor: int) -> None:
        """Give the lock back."""
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Take the lock, or raise OSError at once where another holds it."""
        # By open file, not by process: two holders in one process exclude each other too.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(descriptor: int) -> None:
        """Give the lock back."""
        # Said, not left to closing: a process forked meanwhile would keep the lock alive.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def sign(descriptor: int) -> None:
    """Write this process's id into the file, in place of what is there."""
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, f"{os.getpid()}\n".encode())


def owner(descriptor: int) -> int | None:
    """Return the process id that the file was last signed with; None where it holds none."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32).strip()
    return int(text) if text.isdigit() else None
