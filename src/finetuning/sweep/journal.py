"""The file of a run: append-only, one event a line, on the disk before anything rests on it.

A line counts once it is whole. What a crash left of a last line is passed over when reading and overwritten by the
next append; damage anywhere else is an error, which names the line.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from finetuning.errors import JournalError

from .events import VERSION, Began, Event, encode, parse, version_of

__all__ = ["Journal"]


class Journal:
    """Reads what is new in a journal, and appends to it. Who appends must hold the lock.

    Parameters
    ----------
    path
        The file; its folder is made with the first append.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._lines = 0
        self._ended = True

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r}, {self._lines} lines)"

    def read(self) -> list[Event]:
        """Return the events that were added since the last call, or since the beginning.

        Raises
        ------
        FileNotFoundError
            There is no such journal.
        JournalError
            A line is damaged, or the journal is of a newer version.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(str(self.path)) from None
        except OSError as problem:
            raise JournalError(f"{self.path} cannot be read: {problem.strerror}.") from None
        whole, newline, tail = content.rpartition(b"\n")
        found: list[Event] = []
        for line in whole.split(b"\n"):
            if line.strip():
                found.append(self._parse(line, self._lines + len(found) + 1))
        rest = self._unended(tail, first=not self._lines and not found)
        if rest is not None:
            found.append(rest)
        self._ended = rest is None and (bool(newline) or self._ended)
        self._offset += len(content) if rest is not None else len(whole) + len(newline)
        self._lines += len(found)
        return found

    def append(self, *events: Event) -> None:
        """Write events and wait until the disk has them.

        Raises
        ------
        JournalError
            The disk is full, say, or the file is not what was read; nothing is recorded then.
        """
        lines = b"".join(encode(event) + b"\n" for event in events)
        data = lines if self._ended else b"\n" + lines
        begins = not self._offset
        new = begins and not self.path.exists()
        try:
            if begins:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            # Only what begins is made: what is gone would come back without its beginning.
            how = os.O_RDWR | (os.O_CREAT if begins else 0) | getattr(os, "O_BINARY", 0)
            descriptor = os.open(self.path, how, 0o600)
            try:
                if os.fstat(descriptor).st_size < self._offset:
                    raise JournalError(
                        f"{self.path} is shorter than it was, so nothing more is written to it.",
                        hint="Restore it, then run.resume(): what was sent meanwhile is looked for.",
                    )
                # Whatever stands behind the last whole line is what a crash left of another.
                os.ftruncate(descriptor, self._offset)
                os.lseek(descriptor, self._offset, os.SEEK_SET)
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                _sync_folder(self.path.parent)
        except OSError as problem:
            raise JournalError(
                f"{self.path} cannot be written: {problem.strerror}.",
                hint="What it holds is safe; make room, then run.resume().",
            ) from None
        self._offset += len(data)
        self._lines += len(events)
        self._ended = True

    def _parse(self, line: bytes, number: int) -> Event:
        if number == 1:
            self._check_version(line)
        try:
            return parse(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise JournalError(
                f"{self.path}, line {number}: {problem}.",
                hint="Mend or remove that line; the others are sound as they are.",
            ) from None

    def _check_version(self, line: bytes) -> None:
        version = version_of(line)
        if version is not None and version > VERSION:
            raise JournalError(
                f"{self.path} is of version {version}; this finetuning reads up to {VERSION}.",
                hint="Upgrade it: pip install -U finetuning",
            )

    def _unended(self, tail: bytes, *, first: bool) -> Event | None:
        """Return the event of a last line that lacks only its end, as an editor may leave it; None where it is torn."""
        try:
            event = parse(tail)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return event if isinstance(event, Began) == first else None


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows keeps the entry with the file
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
