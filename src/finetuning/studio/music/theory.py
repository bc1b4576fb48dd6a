"""Keys, scales, chords and the way from one chord to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

__all__ = ["KEYS", "SCALES", "Chord", "chord", "melody_scale", "nearest", "tonic_offset", "voice"]

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
}

DEGREES = {"i": 0, "ii": 1, "iii": 2, "iv": 3, "v": 4, "vi": 5, "vii": 6}

NUMERAL = re.compile(r"(b?)([iv]+|[IV]+)(o?)")


def tonic_offset(key: str) -> int:
    """Semitones from C to the tonic by the shorter way (-5 to 6), so that every key stays in good registers."""
    return (KEYS.index(key) + 5) % 12 - 5


@dataclass(frozen=True)
class Chord:
    """A chord, counted from the tonic of the piece.

    Attributes
    ----------
    numeral : str
        Roman numeral.
    root : int
        Semitones of the root above the tonic, 0 to 11.
    intervals : tuple of int
        Semitones above the root, the root included, in thirds.
    """

    numeral: str
    root: int
    intervals: tuple[int, ...]

    @property
    def classes(self) -> tuple[int, ...]:
        """Pitch classes above the tonic, root first."""
        return tuple((self.root + interval) % 12 for interval in self.intervals)


@cache
def chord(numeral: str, scale: str, size: int = 3) -> Chord:
    """Read a Roman numeral; ``size`` of 4 or 5 adds the seventh and ninth that the scale holds.

    Upper case is a major triad, lower case a minor one, ``o`` a diminished one, ``b`` lowers the root. So ``V`` in
    minor brings the leading note, and ``v`` does not. A ninth a semitone above the root is left out: it is a clash,
    not a colour. The tonic takes none either: its seventh and ninth would be the dominant over again.
    """
    match = NUMERAL.fullmatch(numeral)
    if match is None or match[2].lower() not in DEGREES:
        raise ValueError(f"{numeral!r} is not a Roman numeral such as i, IV, bVII or iio")
    flat, degree, diminished = match.groups()
    steps = SCALES[scale]
    root = (steps[DEGREES[degree.lower()]] - (1 if flat else 0)) % 12
    third = 4 if degree.isupper() else 3
    intervals = [0, third, 6 if diminished else 7]
    if size > 3 and not flat:
        above = sorted((step - root) % 12 for step in steps)
        seventh = next((step for step in (11, 10) if step in above), None)
        if seventh is not None:
            intervals.append(seventh)
        if size > 4 and 2 in above and degree.lower() != "i":
            intervals.append(14)
    return Chord(numeral, root, tuple(intervals))


def melody_scale(harmony: Chord, scale: str) -> tuple[int, ...]:
    """Give the scale over a chord: that of the key, the chord's chromatic tones in place of what they clash with."""
    steps = set(SCALES[scale])
    for tone in harmony.classes:
        if tone not in steps:
            raised = scale == "minor" and tone in (9, 11)
            steps.discard((tone - 1 if raised else tone + 1) % 12)
            steps.add(tone)
    return tuple(sorted(steps))


def nearest(target: float, classes: tuple[int, ...]) -> int:
    """Find the pitch nearest to ``target`` whose class is among ``classes``; of two the lower."""
    centre = round(target)
    return min((p for p in range(centre - 7, centre + 8) if p % 12 in classes), key=lambda p: (abs(p - target), p))


@cache
def voicings(classes: tuple[int, ...], low: int, high: int) -> tuple[tuple[int, ...], ...]:
    """All ways to set the classes, one note each, between two pitches and within a span of seventeen semitones."""
    choices = [[p for p in range(low, high + 1) if p % 12 == c] for c in classes]
    found = {tuple(sorted(notes)) for notes in product(*choices)}
    return tuple(sorted(n for n in found if len(set(n)) == len(n) and n[-1] - n[0] <= 17))


def voice(harmony: Chord, previous: tuple[int, ...] | None, low: int, high: int, most: int = 4) -> tuple[int, ...]:
    """Set a chord so that its voices move as little as they can from the chord before.

    Parameters
    ----------
    harmony : Chord
        What to set. With more than ``most`` tones the fifth goes first, then the root (the bass has it).
    previous : tuple of int or None
        Pitches of the chord before, low to high; None at the start.
    low, high : int
        MIDI pitches to stay between; at least an octave and a half apart.
    most : int
        Voices at most.

    Returns
    -------
    tuple of int
        MIDI pitches, low to high, written as if C were the tonic.
    """
    intervals = list(harmony.intervals)
    for spare in (7, 0):
        if len(intervals) > most and spare in intervals:
            intervals.remove(spare)
    classes = tuple(sorted({(harmony.root + i) % 12 for i in intervals[:most]}))
    centre = (low + high) / 2

    def cost(notes: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        mud = sum(2.0 for a, b in pairwise(notes) if b - a < 3 and a < 57)
        rub = sum(1.5 for a, b in pairwise(notes) if b - a == 1)
        drift = 0.25 * abs(sum(notes) / len(notes) - centre)
        if previous is None:
            return mud + rub + 2 * drift, notes
        motion = sum(min(abs(n - p) for p in previous) for n in notes) + sum(
            min(abs(n - p) for n in notes) for p in previous
        )
        return motion + abs(notes[-1] - previous[-1]) + mud + rub + drift, notes

    return min(voicings(classes, low, high), key=cost)
