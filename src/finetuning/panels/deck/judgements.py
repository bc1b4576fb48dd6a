"""What a person thought of takes that belong to no run: a file of lines, on the disk before it is believed.

A line counts once it is whole; what a crash or another process left of one is passed over. Nothing is ever rewritten,
so several processes may add to the file at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from finetuning import settings
from finetuning.errors import JournalError

__all__ = ["Compared", "Judgement", "Judgements", "Rated", "Rejected"]


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="kind", tag=str.lower):
    """Who judged what, and when.

    Attributes
    ----------
    account
        The service's id of it, which also tells services apart.
    id
        Of the generation.
    """

    at: datetime
    base_url: str
    account: str
    id: str


class Rated(_Line):
    """A rating, 1 to 5, or None to take it back."""

    rating: int | None = None


class Rejected(_Line):
    """Whether the take is out of the question."""

    rejected: bool = True


class Compared(_Line):
    """The take was preferred over another, or was as good: an answer given blindly."""

    over: str
    same: bool = False


Judgement: TypeAlias = Rated | Rejected | Compared

_decoder: Final = msgspec.json.Decoder(Judgement)


class Judgements:
    """The file `judgements.jsonl`; safe to use from any thread and any number of processes.

    Parameters
    ----------
    path
        By default in the user's data folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings.data_dir() / "judgements.jsonl"

    def __repr__(self) -> str:
        return f"Judgements({str(self.path)!r})"

    def read(self, account: str, ids: Iterable[str]) -> list[Judgement]:
        """Return what one account thought of these generations, in the order in which it was written.

        Raises
        ------
        JournalError
            The file cannot be read.
        """
        wanted = set(ids)
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise JournalError(f"{self.path} cannot be read: {problem.strerror}.") from None
        found = []
        for line in content.split(b"\n"):
            try:
                judgement: Judgement = _decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):  # torn, or of a newer version
                continue
            if judgement.account == account and judgement.id in wanted:
                found.append(judgement)
        return found

    def add(self, *judgements: Judgement) -> None:
        """Write, and wait until the disk has it.

        Raises
        ------
        JournalError
            The disk is full, say.
        """
        data = b"".join(msgspec.json.encode(judgement) + b"\n" for judgement in judgements)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            descriptor = os.open(self.path, flags, 0o600)
            try:
                # One write, which the system appends as a whole; behind what a crash cut short a new line is begun.
                rest = memoryview(data if _ended(descriptor) else b"\n" + data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise JournalError(
                f"{self.path} cannot be written: {problem.strerror}.",
                hint="What it holds is safe; make room, then judge again.",
            ) from None


def _ended(descriptor: int) -> bool:
    """Whether the file is empty, or ends with the end of a line."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if not size:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"
