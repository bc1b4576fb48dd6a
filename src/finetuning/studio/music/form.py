"""The shape of a piece: bars fitted to the duration, sections of different weight, and room to ring out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor

from .brief import Brief
from .metre import slots
from .streams import Streams, pick

__all__ = ["Form", "Section", "Slot", "plan"]

WEIGHTS = {"intro": 0.55, "verse": 0.7, "chorus": 1.0, "break": 0.45, "outro": 0.55}

BRISK = 0.45
"""Seconds a beat below which the beat of an uneven bar is taken for two thirds of it, unless it is stressed."""

PLANS: dict[int, tuple[str, ...]] = {
    1: ("verse",),
    2: ("verse", "chorus"),
    3: ("verse", "chorus", "verse"),
    4: ("verse", "chorus", "break", "chorus"),
    5: ("verse", "chorus", "verse", "break", "chorus"),
    6: ("verse", "chorus", "verse", "chorus", "break", "chorus"),
    7: ("verse", "verse", "chorus", "verse", "chorus", "break", "chorus"),
}


@dataclass(frozen=True)
class Slot:
    """A stretch that carries one chord.

    Start and length in beats, its place in the phrase (0 to 3), and the phrase's place in the section.
    """

    start: float
    length: float
    place: int
    phrase: int


@dataclass(frozen=True)
class Section:
    """A stretch of one kind.

    Attributes
    ----------
    kind : str
        intro, verse, chorus, break or outro.
    number : int
        How many of its kind came before.
    first, bars : int
        First bar and how many.
    weight : float
        0 to 1; how much is going on.
    slots : tuple of Slot
        Its chords' stretches.
    """

    kind: str
    number: int
    first: int
    bars: int
    weight: float
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Form:
    """The whole shape.

    Attributes
    ----------
    metre : int
        Beats a bar.
    beat : float
        Seconds a beat.
    sections : tuple of Section
        In order, without gaps.
    close : float
        Beat of the last chord.
    coda : int
        Beats after it in which the chord is still stirred: two or more, or 0 for none.
    end : float
        Beat at which the sound ends.
    """

    metre: int
    beat: float
    sections: tuple[Section, ...]
    close: float
    coda: int
    end: float

    @property
    def bars(self) -> int:
        """Bars begun before the close."""
        return sum(section.bars for section in self.sections)

    @property
    def plain(self) -> bool:
        """Whether the beat has to be made plain: in fast bars that do not halve, another is heard all too easily."""
        return self.beat < BRISK and self.metre not in (2, 4)

    @property
    def phrase_bars(self) -> int:
        """Bars of a full phrase of four chords."""
        return _phrase_bars(self.metre)


def _phrase_bars(metre: int) -> int:
    lengths, span = slots(metre)
    return 4 * span // len(lengths)


def _slots(metre: int, first: int, bars: int) -> tuple[Slot, ...]:
    lengths, _ = slots(metre)
    start, end = float(first * metre), float((first + bars) * metre)
    found = []
    place = 0
    while start < end:
        length = float(lengths[place % len(lengths)])
        found.append(Slot(start, min(length, end - start), place % 4, place // 4))
        start, place = start + length, place + 1
    return tuple(found)


def plan(brief: Brief, streams: Streams, asked: Sequence[tuple[str, int]] = ()) -> Form:
    """Fit a form to the duration.

    ``asked`` names the kinds of sections that the lyrics call for, in order, and how many lines each has to sing: they
    are taken as far as there is time for a phrase each, and longer where there is more to sing.

    Whole bars come first, as many as leave the last chord one to three seconds to ring. The odd bars that fill no
    phrase open the piece, or open and close it; the beats that fill no bar become a coda over the last chord. A
    request shorter than a bar is that much of a bar.
    """
    metre, beat = brief.time_signature, 60.0 / brief.bpm
    beats = brief.duration / beat
    ring = min(1.0 + 0.05 * brief.duration, 3.0) / beat
    bars = floor((beats - ring) / metre)
    if bars < 1:
        close = float(floor(beats - ring))
        return Form(metre, beat, (Section("verse", 0, 0, 1, WEIGHTS["verse"], _slots(metre, 0, 1)),), close, 0, beats)
    close = float(bars * metre)
    coda = floor(beats - ring - close)
    return Form(metre, beat, _sections(bars, metre, beat, streams, asked), close, coda if coda > 1 else 0, beats)


def _sections(
    bars: int, metre: int, beat: float, streams: Streams, asked: Sequence[tuple[str, int]]
) -> tuple[Section, ...]:
    unit = _phrase_bars(metre)
    phrases, odd = divmod(bars, unit)
    if not phrases:
        lengths = [("verse", odd)]
    else:
        tail = unit // 2 if odd > unit // 2 else 0
        head = odd - tail
        middle = phrases
        names = [name for name in asked if not (name[0] == "intro" and head) and not (name[0] == "outro" and tail)]
        if names:
            lengths = [("intro", head), *_called(names, phrases, unit), ("outro", tail)]
            return _numbered(lengths, metre)
        if not head and phrases >= 4:
            head, middle = unit, middle - 1
        if not tail and phrases >= 6:
            tail, middle = unit, middle - 1
        lengths = [("intro", head), *_middle(middle, unit, metre * beat, streams), ("outro", tail)]
    return _numbered(lengths, metre)


def _numbered(lengths: Sequence[tuple[str, int]], metre: int) -> tuple[Section, ...]:
    kept = [(kind, length) for kind, length in lengths if length]
    starts = accumulate((length for _, length in kept), initial=0)
    sections: list[Section] = []
    for (kind, length), first in zip(kept, starts, strict=False):
        number = sum(s.kind == kind for s in sections)
        weight = min(WEIGHTS[kind] + (0.08 * number if kind in ("verse", "chorus") else 0.0), 1.0) - (
            0.1 if kind == "chorus" and not number else 0.0
        )
        sections.append(Section(kind, number, first, length, weight, _slots(metre, first, length)))
    return tuple(sections)


def _called(names: Sequence[tuple[str, int]], phrases: int, unit: int) -> list[tuple[str, int]]:
    """Share the phrases out among the sections that were asked for: one each, then to whoever has most to sing."""
    names = names[:phrases]
    shares = [1] * len(names)
    for _ in range(phrases - len(names)):
        neediest = max(range(len(names)), key=lambda i: (max(names[i][1], 1) / shares[i], -i))
        shares[neediest] += 1
    return [(kind, unit * share) for (kind, _), share in zip(names, shares, strict=True)]


def _middle(phrases: int, unit: int, bar: float, streams: Streams) -> list[tuple[str, int]]:
    """Verses, choruses and breaks: sections of some fifteen seconds, what is left over given to the later ones."""
    size = min(max(round(15.0 / (unit * bar)), 1), 4)
    count = max(1, round(phrases / size))
    names = list(PLANS[min(count, 7)])
    while len(names) < count:
        names = ["verse", "chorus", *names] if len(names) + 2 <= count else ["verse", *names]
    if count == 3 and pick(streams.of("form"), (True, False)):
        names = ["verse", "break", "chorus"]
    share, extra = divmod(phrases, count)
    return [(name, unit * (share + (index >= count - extra))) for index, name in enumerate(names)]
