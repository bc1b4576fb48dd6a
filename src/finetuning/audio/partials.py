"""A `.part` file: what has arrived so far of a file, held by one download at a time."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["part_of", "partial"]

#: Seconds between two tries to get hold of a file that another download holds.
_GLANCE: Final = 0.05


def part_of(path: Path) -> Path:
    """Return the name under which a file arrives."""
    return path.with_name(path.name + ".part")


@asynccontextmanager
async def partial(path: Path) -> AsyncGenerator[BinaryIO]:
    """Open `<name>.part`, with what an earlier attempt left in it, once no other download has it open.

    The other may be of this process or another one; what a process that was killed held is free at once.

    Parameters
    ----------
    path
        The final name.
    """
    part = part_of(path)
    while True:
        with _open(part) as file:
            if _hold(file) and _is_at(file, part):
                try:
                    yield file
                finally:
                    _drop_if_empty(file, part)
                return
        await asyncio.sleep(_GLANCE)


def _open(part: Path) -> BinaryIO:
    # O_CREAT without O_TRUNC: what an earlier attempt left is continued.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(part, flags, 0o666), "r+b")


def _drop_if_empty(file: BinaryIO, part: Path) -> None:
    """Remove a file in which nothing arrived, so that what cannot be fetched leaves no litter."""
    with suppress(OSError, ValueError):  # closed, or, where what is open cannot be removed, left there
        if file.seek(0, os.SEEK_END) == 0 and _is_at(file, part):
            part.unlink()


def _is_at(file: BinaryIO, part: Path) -> bool:
    """Whether the file that was opened still stands under this name: the other may have renamed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), part.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":

    def _hold(file: BinaryIO) -> bool:
        return True  # a file that is open cannot be renamed there, so the second of two fails and says so

else:
    import fcntl

    def _hold(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks; two downloads of one file are rare
        return True
