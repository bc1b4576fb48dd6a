"""Where a download goes, settled before anything is fetched or paid for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from finetuning.errors import FinetuningError

from .session import Session

__all__ = ["NotReadyError", "agree", "is_folder", "place", "writable"]


class NotReadyError(FinetuningError):
    """A generation that has no sound, yet or ever."""


def is_folder(output: str) -> bool:
    """Whether `-o` names a folder: one that is there, or a name that ends as a folder's does."""
    return output.endswith(("/", os.sep)) or Path(output).expanduser().is_dir()


def place(output: str | None, name: str) -> Path:
    """Return the file that `-o` means, where the default name is `name`."""
    if output is None:
        return Path(name)
    path = Path(output).expanduser()
    return path / name if is_folder(output) else path


def writable(output: str | None) -> None:
    """Check that `-o` can be written to.

    Raises
    ------
    click.UsageError
        It cannot.
    """
    if output is None:
        folder = Path()
    elif not output:
        raise click.UsageError("-o '' is not a path; name a file or a folder.")
    else:
        path = Path(output).expanduser()
        folder = path if is_folder(output) else path.parent
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        tempfile.TemporaryFile(dir=there).close()  # what may be written, and what only looks so, shows by trying
    except OSError as problem:
        raise click.UsageError(
            f"{there} cannot be written to ({problem.strerror}); choose another place with -o."
        ) from None


def agree(session: Session, paths: Iterable[Path], *, force: bool) -> bool:
    """Ask before files are replaced.

    Raises
    ------
    click.UsageError
        One is there, and nobody can be asked.
    """
    taken = [] if force else [path for path in paths if path.exists()]
    if taken and not session.io.in_is_terminal:
        raise click.UsageError(f"{taken[0]} is there already; --force replaces it, -o names another.")
    for path in taken:
        if session.io.line(f"{path} is there already. Replace it? [y/N] ").strip().lower() not in ("y", "yes"):
            session.tell("Nothing was replaced.")
            return False
    return True
