"""Files that are whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from finetuning.errors import LibraryError

__all__ = ["replaced", "swept", "write_atomically"]

_SUFFIX = ".new"


def beside(path: Path) -> Path:
    """Name the file that is written before it takes the place of `path`; no pattern for Parquet files matches it."""
    return path.with_name(f".{path.name}{_SUFFIX}")


def replaced(path: Path) -> None:
    """Put what stands `beside` a file in its place, on the disk before this returns.

    Raises
    ------
    OSError
        The disk is full, say; the file is then as it was.
    """
    new = beside(path)
    descriptor = os.open(new, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
    if os.name == "posix":  # elsewhere the entry is kept with the file, and a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a small file.

    Raises
    ------
    LibraryError
        It cannot be written; what was there is as it was.
    """
    try:
        beside(path).write_bytes(content)
        replaced(path)
    except OSError as problem:
        raise LibraryError(f"{path} cannot be written: {problem.strerror}.") from None


def swept(folder: Path) -> None:
    """Remove what a killed sync had not put in its place."""
    for path in folder.glob(f".*{_SUFFIX}"):
        with suppress(OSError):
            path.unlink()
