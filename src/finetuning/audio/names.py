"""File names for takes, which no title can lead out of the folder."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from finetuning.records import Generation

__all__ = ["file_name", "file_names"]

_SLUG_MAX = 40
_ID_MAX = 64


def slug(text: str) -> str:
    """Lower-case `text`, turn every run of other than a–z and 0–9 into a hyphen, trim, and cut at 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_SLUG_MAX].strip("-")


def file_name(generation: Generation, *, tail: str | None = None) -> str:
    """Return the default name of a take: `<slug>-<first 8 characters of the id>.mp3`.

    The slug is the title's, else the prompt's, else `generation`. Characters of the id that could mean something
    to a file system are dropped. `tail` stands in for the part of the id.
    """
    stem = slug(generation.title or "") or slug(generation.prompt or "") or "generation"
    return f"{stem}-{_plain(generation.id)[:8] if tail is None else tail}.mp3"


def file_names(generations: Iterable[Generation]) -> dict[str, str]:
    """Name several takes by id; where two would share a name (on any file system), more of the id tells them apart."""
    names: dict[str, str] = {}
    takes = {take.id: take for take in generations}
    for tail in (None, _plain, _digest):
        counts = Counter(name.lower() for name in names.values())
        for id_, take in takes.items():
            if id_ not in names or counts[names[id_].lower()] > 1:
                names[id_] = file_name(take, tail=tail and tail(id_))
    return names


def _plain(id_: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "", id_)[:_ID_MAX]


def _digest(id_: str) -> str:
    """For ids that differ only in what a file system may not see: in case, or in characters that are dropped."""
    return hashlib.sha256(id_.encode()).hexdigest()[:16]
