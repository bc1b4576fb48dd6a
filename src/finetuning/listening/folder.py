"""The folder of a page: what was written there is known by a manifest, so that nothing else is ever removed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from finetuning.errors import ParameterError
from finetuning.replacement import replacing

__all__ = ["AUDIO", "INDEX", "PageFolder"]

INDEX: Final = "index.html"
#: Where the sounds are, beside the page.
AUDIO: Final = "audio"
_MANIFEST: Final = "listening-page.json"
#: What a page writes; a manifest that names anything else does not get it removed.
_OURS: Final = re.compile(rf"{AUDIO}/[A-Za-z0-9_-][A-Za-z0-9_.-]*|{re.escape(INDEX)}")


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """Names and sizes in bytes of what the page wrote."""

    finetuning_page: int
    files: dict[str, int]


class PageFolder:
    """A folder that holds one page.

    Parameters
    ----------
    folder
        Made if it is not there.

    Raises
    ------
    ParameterError
        It is a file, cannot be written, or holds a page that is not ours.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = Path(folder).expanduser()
        try:
            (self.path / AUDIO).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise self._refused(f"{self.path} cannot be a folder: {problem.strerror or problem}.") from problem
        self.before = self._read()
        if not self.before and (self.path / INDEX).exists():
            raise self._refused(f"{self.path / INDEX} is there already, and no listening page wrote it.")

    def _refused(self, message: str) -> ParameterError:
        return ParameterError(message, parameter="folder", value=str(self.path), hint="Choose another folder.")

    def _read(self) -> dict[str, int]:
        try:
            found = msgspec.json.decode((self.path / _MANIFEST).read_bytes(), type=_Manifest)
        except (OSError, msgspec.MsgspecError):
            return {}
        return {name: size for name, size in found.files.items() if _OURS.fullmatch(name)}

    def holds(self, name: str) -> bool:
        """Whether a file that an earlier page wrote is there, as long as it was."""
        path = self.path / name
        return name in self.before and path.is_file() and path.stat().st_size == self.before[name]

    def expect(self, names: Collection[str]) -> None:
        """Note what will be written, before it is: what an interrupted page leaves is known to be its own.

        A file that somebody else put there under one of these names stays theirs.
        """
        ours = {name: 0 for name in names if not (self.path / name).exists()}
        self._write_manifest(ours | self.before)
        self.before = ours | self.before

    def put(self, name: str, content: bytes | Path) -> int:
        """Write a file under its name only when it is whole; return its size in bytes."""
        target = self.path / name
        with replacing(target, mode=0o644) as file:  # to be shared: a web server must be able to read it
            if isinstance(content, bytes):
                file.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file)
        return target.stat().st_size

    def finish(self, names: Collection[str]) -> dict[str, int]:
        """Remove what earlier pages wrote and this one does not hold; return the names and sizes of what it holds."""
        sizes = {name: (self.path / name).stat().st_size for name in names}
        for name in self.before:
            if name not in sizes:
                (self.path / name).unlink(missing_ok=True)
        self._write_manifest({name: size for name, size in sizes.items() if name in self.before or name == INDEX})
        return sizes

    def _write_manifest(self, files: dict[str, int]) -> None:
        self.put(_MANIFEST, msgspec.json.format(msgspec.json.encode(_Manifest(1, files)), indent=1))
