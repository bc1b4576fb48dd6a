"""A file that takes the place of another as a whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["replacing"]

#: As much of a file's name as the one before it bears, so that what a killed process leaves can be told.
_NAMED: Final = 20
_PRIVATE: Final = 0o600


@contextmanager
def replacing(path: Path, *, mode: int = _PRIVATE, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file to write, which stands at `path` once the block has ended; where that fails, nothing is left of it.

    Until then it is beside it, under a name of its own, and its owner's alone whatever the umask: several may write at
    once, and the last to end wins.

    Parameters
    ----------
    path
        In a folder that is there.
    mode
        The permissions that it has at the end, where the system knows any.
    durable
        Whether to wait until the disk has its content before it takes its place.

    Yields
    ------
    BinaryIO

    Raises
    ------
    OSError
        The disk is full, say; what was there is as it was.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:_NAMED]}-", suffix=".part", dir=path.parent)  # 0600
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if mode != _PRIVATE:
            new.chmod(mode)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
