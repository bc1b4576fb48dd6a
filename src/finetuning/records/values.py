"""The service's words, and its texts as what they mean: moments, keys, bars, names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

__all__ = [
    "KEYS",
    "LANGUAGES",
    "SCALES",
    "STATUSES",
    "TIME_SIGNATURES",
    "beats",
    "parse_time",
    "snake_case",
    "split_keyscale",
]

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SCALES = ("major", "minor")
STATUSES = ("pending", "processing", "completed", "failed")
LANGUAGES = ("en", "ja", "de", "fr", "es", "zh", "ko", "pt", "it", "ru")
TIME_SIGNATURES = (2, 3, 4, 5, 6, 7)


def parse_time(text: str | None) -> datetime | None:
    """Read any of the service's three timestamp shapes, all of which mean UTC.

    Parameters
    ----------
    text
        `2025-01-15 10:30:00`, `2025-01-15T10:30:00Z`, `2025-01-15T10:30:17.623Z`, or None.

    Returns
    -------
    datetime or None
        Aware, in UTC. None where there is no text, or none that is a time.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # not a time, or one that is in no year of UTC
        return None


@lru_cache(maxsize=256)
def split_keyscale(keyscale: str | None) -> tuple[str | None, str | None]:
    """Split `"C minor"` into key and scale; either may be missing."""
    key, _, scale = (keyscale or "").strip().partition(" ")
    return key or None, scale.strip() or None


def beats(value: int | float | str | None) -> int | None:
    """Read a time signature that is `4`, `"4"` or `"4/4"`."""
    if value is None:
        return None
    head = str(value).partition("/")[0].strip()
    return int(float(head)) if re.fullmatch(r"[0-9]{1,9}(\.0+)?", head) else None


_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """Turn a name of the wire (`playCount`) into a column name (`play_count`)."""
    return _BOUNDARY.sub("_", name).replace("-", "_").replace(" ", "_").lower()
