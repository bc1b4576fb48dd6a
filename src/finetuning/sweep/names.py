"""Names of runs, and the files that they stand for."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Final

from finetuning import settings
from finetuning.errors import ParameterError

__all__ = ["default_name", "folder", "journal_path", "slug"]

_LONGEST: Final = 60
#: Windows takes these for devices, whatever the ending.
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


def folder() -> Path:
    """Return the folder of the journals, in the user's data folder."""
    return settings.data_dir() / "sweeps"


def journal_path(name: str) -> Path:
    """Return the file of the run of that name; it need not be there."""
    return folder() / f"{slug(name)}.jsonl"


def slug(name: str) -> str:
    """Turn a name into one that is safe as a file's: letters and digits of any script, hyphens, at most 60.

    Raises
    ------
    ParameterError
        Nothing of it would be left.
    """
    if not isinstance(name, str):
        raise ParameterError(f"name is a {type(name).__name__}, not text.", parameter="name", value=name)
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", name.casefold()))
    safe = plain.strip("-")[:_LONGEST].strip("-")
    if not safe:
        raise ParameterError(
            f"name={name!r} has no letter or digit.", parameter="name", value=name, hint="Name the run, say, 'lofi'."
        )
    return f"{safe}-sweep" if _DEVICES.fullmatch(safe) else safe


def default_name(tags: str, moment: datetime) -> str:
    """Name a run after its tags and the time (UTC), with a number where that name is taken."""
    words = re.sub(r"[\W_]+", "-", tags)[:32].rpartition("-")[0] if len(tags) > 32 else tags
    name = slug(f"{words or 'sweep'} {moment:%Y%m%d %H%M%S}")
    taken = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next((each for each in taken if not journal_path(each).exists()), name)
