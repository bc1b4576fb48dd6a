"""The Camelot wheel: the circle of fifths in the numbers that harmonic mixing uses.

References
----------
M. Davis's Camelot wheel ("Easymix"; Camelot Sound, 1990s) numbers the circle of fifths from 1 to 12, with B for major
and A for its relative minor. Tracks whose numbers are neighbours on the wheel share all but one note of their scales.
"""

from __future__ import annotations

from typing import Final

from finetuning.records import KEYS, SCALES

__all__ = ["camelot"]

#: Semitones of a step on the wheel.
_FIFTH: Final = 7
#: The number of C major, and of its relative minor.
_C_MAJOR: Final = 8


def camelot(key: str, scale: str) -> tuple[int, str] | None:
    """Return the place of a key on the Camelot wheel.

    Neighbouring numbers are a fifth apart; `A` is minor, `B` the major key of the same notes.

    Parameters
    ----------
    key
        One of `records.KEYS`.
    scale
        `major` or `minor`.

    Returns
    -------
    tuple of int and str, or None
        1 to 12, and `A` or `B`: C major is 8B, A minor 8A. None for what is no key.
    """
    if key not in KEYS or scale not in SCALES:
        return None
    minor = scale == "minor"
    major = KEYS.index(key) + (3 if minor else 0)  # the relative major is three semitones up
    return (_FIFTH * major + _C_MAJOR - 1) % 12 + 1, "A" if minor else "B"
