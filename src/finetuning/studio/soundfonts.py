"""Which SoundFont plays: the one that is named, else FluidR3 where it is installed, else the one of the dependency."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["BUNDLED", "VARIABLE", "Font", "find_font", "same_font"]

VARIABLE = "FINETUNING_SOUNDFONT"
BUNDLED = "bundled"
"""Names the SoundFont that comes with the dependency, wherever it lies: it is the same on every machine."""

LARGE, SMALL = "FluidR3_GM.sf2", "TimGM6mb.sf2"


@dataclass(frozen=True)
class Font:
    """A SoundFont file.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of its bytes, 64 hexadecimal digits: with the request it decides every byte of a take.
    """

    path: Path
    sha256: str

    def told(self) -> dict[str, str]:
        """Say which it is, fit for JSON, without saying where it lies."""
        return {"name": self.path.name, "sha256": self.sha256}


def _places() -> Iterator[Path]:
    """Folders in which SoundFonts are kept: of Debian, Fedora and Arch, Homebrew, macOS and Windows."""
    if sys.platform == "win32":
        for name in ("PROGRAMDATA", "LOCALAPPDATA", "PROGRAMFILES"):
            if os.environ.get(name):
                yield Path(os.environ[name], "soundfonts")
        yield Path("C:/soundfonts")
        return
    home = Path.home()
    yield from (home / ".local/share/soundfonts", home / ".local/share/sounds/sf2")
    yield from (home / "Library/Audio/Sounds/Banks", Path("/Library/Audio/Sounds/Banks"))
    for root in ("/usr/local", "/opt/homebrew", "/home/linuxbrew/.linuxbrew", "/usr"):
        for folder in ("share/sounds/sf2", "share/soundfonts", "share/fluid-synth/sf2"):
            yield Path(root, folder)


def _bundled() -> Path:
    # found, not imported: importing pretty_midi would cost half a second
    package = importlib.util.find_spec("pretty_midi")
    for folder in (package.submodule_search_locations or ()) if package else ():
        if (path := Path(folder, SMALL)).is_file():
            return path
    raise FileNotFoundError(
        f"no SoundFont: install pretty_midi (pip install 'finetuning[studio]') or set {VARIABLE} to an .sf2 file"
    )


def _installed() -> Path | None:
    return next((path for folder in _places() if (path := folder / LARGE).is_file()), None)


def find_font(named: str | os.PathLike[str] | None = None) -> Font:
    """Find the SoundFont to play with.

    Parameters
    ----------
    named : path, ``"bundled"`` or None
        What was asked for; None for what ``FINETUNING_SOUNDFONT`` says, and where that is not set, for
        ``FluidR3_GM.sf2`` in one of the usual places, and at last for TimGM6mb, which pretty_midi ships.

    Raises
    ------
    FileNotFoundError
        If there is none at the place that was named, or none at all.
    ValueError
        If the file is no SoundFont 2.
    """
    asked = os.fspath(named) if named is not None else os.environ.get(VARIABLE)
    if not asked:
        return _read(_installed() or _bundled())
    if asked == BUNDLED:
        return _read(_bundled())
    path = Path(asked).expanduser()
    if not path.is_file():
        said = VARIABLE if named is None else "soundfont"
        raise FileNotFoundError(
            f"{said} names {asked!r}, which is no file; set it to an .sf2 SoundFont or to {BUNDLED!r}, or unset it"
        )
    return _read(path)


def same_font(sha256: str, first: str | None = None) -> Font:
    """Find the SoundFont that a take was played with, wherever it lies now; ``first`` is looked at first.

    Raises
    ------
    FileNotFoundError
        If none of those that are found is that one.
    """
    seen = []
    for path in (first, os.environ.get(VARIABLE), _installed(), BUNDLED):
        try:
            font = find_font(path) if path else None
        except (FileNotFoundError, ValueError):
            continue
        if font and font.sha256 == sha256:
            return font
        seen += [font.path.name] if font else []
    raise FileNotFoundError(
        f"the SoundFont with the SHA-256 {sha256[:12]}… is not here ({', '.join(seen) or 'none'} is); set {VARIABLE} "
        "to where it lies"
    )


def _read(path: Path) -> Font:
    found = path.stat()
    return _hashed(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=8)
def _hashed(path: Path, size: int, changed: int) -> Font:
    """Check and hash the file, once for as long as it does not change."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"sfbk":
            raise ValueError(
                f"{path} is not a SoundFont 2 file; {VARIABLE} must name an .sf2 (SF3 and SFZ are not read)"
            )
        file.seek(0)
        return Font(path, hashlib.file_digest(file, "sha256").hexdigest())
