"""Typed records of what travels on the wire, and how the service's own texts are read."""

from __future__ import annotations

from .structs import (
    Account,
    BulkAnswer,
    Created,
    Generation,
    GenerationPage,
    ItemError,
    Limits,
    Parameters,
    Playlist,
    PlaylistList,
    Record,
)
from .values import KEYS, LANGUAGES, SCALES, STATUSES, TIME_SIGNATURES, beats, parse_time, snake_case, split_keyscale

__all__ = [
    "KEYS",
    "LANGUAGES",
    "SCALES",
    "STATUSES",
    "TIME_SIGNATURES",
    "Account",
    "BulkAnswer",
    "Created",
    "Generation",
    "GenerationPage",
    "ItemError",
    "Limits",
    "Parameters",
    "Playlist",
    "PlaylistList",
    "Record",
    "beats",
    "parse_time",
    "snake_case",
    "split_keyscale",
]
