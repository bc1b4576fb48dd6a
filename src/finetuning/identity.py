"""Which generation answers which create body: (tags, all parameters, seed) identifies it.

A generation costs a credit and the service has no idempotency key. When an answer is lost, the generation that it told
of is recognised by what was asked for, as far as the service echoes it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from finetuning.parameters import BPM_RANGE, DURATION_RANGE
from finetuning.records import Generation

__all__ = ["Match", "compare"]

#: Seconds to which the free tier is capped.
_FREE_DURATION: Final = 120


class Match(Enum):
    """Whether a generation is what a body asked for."""

    YES = auto()
    NO = auto()
    UNKNOWN = auto()
    """It may be: nothing speaks against it, and the seed or the prompt, which would decide, is not echoed as sent."""


def compare(body: Mapping[str, Any], row: Generation) -> Match:
    """Compare a generation with a create body that carries a seed.

    Parameters
    ----------
    body
        As it was sent; a tempo or duration out of range is compared as the service clamps it.
    row
        From the listing, or better the whole record. What it leaves out speaks neither for nor against it, but for
        the seed and the prompt, without which there is no certainty; nor is there with a prompt that differs in case,
        space or punctuation, which a service may tidy.
    """
    if row.seed is not None and row.seed != body["seed"]:
        return Match.NO
    duration = _clamped(body.get("duration"), DURATION_RANGE)
    wanted = {
        "bpm": (_clamped(body.get("bpm"), BPM_RANGE),),
        "requested_duration": (duration, duration and min(duration, _FREE_DURATION)),
        "key": (body.get("key"),),
        "scale": (body.get("scale"),),
        "time_signature": (int(body["timesignature"]) if "timesignature" in body else None,),
        "language": (body.get("language"),),
    }
    for name, values in wanted.items():
        said = getattr(row, name)
        if values[0] is not None and said is not None and said not in values:
            return Match.NO
    if row.prompt is not None and _letters(row.prompt) != _letters(body["tags"]):
        return Match.NO
    if row.seed is None or row.prompt is None or row.prompt.split() != body["tags"].split():
        return Match.UNKNOWN
    return Match.YES


def _letters(text: str) -> str:
    """Return what no tidying takes away; all of a text that has neither letters nor digits."""
    letters = "".join(character for character in unicodedata.normalize("NFKC", text) if character.isalnum())
    return letters.casefold() or "".join(text.split())


def _clamped(value: float | None, within: tuple[int, int]) -> float | None:
    return None if value is None else min(max(value, within[0]), within[1])
