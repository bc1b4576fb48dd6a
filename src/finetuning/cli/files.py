"""Where a download goes, settled before anything is fetched or paid for."""

from __future__ import annotations

import errno
import os
import shlex
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
    """Check that `-o` can be written to. Of folders only one that is named as such, `takes/`, is made later.

    Raises
    ------
    click.UsageError
        It cannot.
    """
    if output == "":
        raise click.UsageError("-o '' is not a path; name a file or a folder.")
    if output == "-":
        raise click.UsageError("-o - is not the standard output here; name a file, or a folder.")
    path = Path(output or ".").expanduser()
    try:
        path.stat()
        there = True
    except (FileNotFoundError, NotADirectoryError):
        there = False
    except (OSError, ValueError) as problem:  # too long, a loop of links, a folder that may not be entered, a NUL
        reason = getattr(problem, "strerror", None) or str(problem)
        raise click.UsageError(f"-o {str(path)[:60]!r} cannot be used: {reason.lower()}.") from None
    if there and not path.is_dir() and (not path.is_file() or str(output).endswith(("/", os.sep))):
        kind = "a file, not a folder" if path.is_file() else "neither a file nor a folder"
        raise click.UsageError(f"-o {output} is {kind}; choose another place with -o.")
    folder = path if there and path.is_dir() else path.parent
    if not folder.is_dir():
        if folder.exists() or any(above.is_file() for above in folder.parents):
            raise click.UsageError(f"{folder} is not a folder; choose another place with -o.")
        raise click.UsageError(f"The folder {folder} is not there; make it first: mkdir -p {shlex.quote(str(folder))}")
    try:
        tempfile.TemporaryFile(dir=folder).close()  # what may be written, and what only looks so, shows by trying
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "has no room left" if full else "is not writable"
        raise click.UsageError(f"{folder} {reason}; choose another place with -o.") from None


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
        if not session.agrees(f"{path} is there already. Replace it?"):
            session.tell("Nothing was replaced.")
            return False
    return True
