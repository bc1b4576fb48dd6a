"""File names for takes, which no title can lead out of the folder."""

from __future__ import annotations

import re
from collections.abc import Iterable

from finetuning.records import Generation

__all__ = ["file_name", "file_names"]

_SLUG_MAX = 40


def slug(text: str) -> str:
    """Lower-case `text`, turn every run of other than a–z and 0–9 into a hyphen, trim, and cut at 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_SLUG_MAX].strip("-")


def file_name(generation: Generation, *, whole_id: bool = False) -> str:
    """Return the default name of a take: `<slug>-<first 8 characters of the id>.mp3`.

    The slug is the title's, else the prompt's, else `generation`. Characters of the id that could mean something
    to a file system are dropped.
    """
    stem = slug(generation.title or "") or slug(generation.prompt or "") or "generation"
    safe = re.sub(r"[^A-Za-z0-9_-]", "", generation.id)
    return f"{stem}-{safe if whole_id else safe[:8]}.mp3"


def file_names(generations: Iterable[Generation]) -> dict[str, str]:
    """Name several takes by id; where two would share a name (on any file system), the whole id tells them apart."""
    takes = list(generations)
    names = {take.id: file_name(take) for take in takes}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name.lower()] = counts.get(name.lower(), 0) + 1
    return {
        take.id: file_name(take, whole_id=True) if counts[names[take.id].lower()] > 1 else names[take.id]
        for take in takes
    }
