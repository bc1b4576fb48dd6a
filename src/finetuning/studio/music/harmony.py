"""Which chord sounds when."""

from __future__ import annotations

from dataclasses import dataclass

from .form import Form
from .streams import Streams, pick
from .styles import Style
from .theory import Chord, chord

__all__ = ["Span", "harmonise"]


@dataclass(frozen=True)
class Span:
    """A chord and its stretch in beats, with the section (by index) and the places of the slot that it fills."""

    start: float
    length: float
    chord: Chord
    section: int
    place: int
    phrase: int

    @property
    def end(self) -> float:
        """Beat on which the next chord begins."""
        return self.start + self.length


def harmonise(form: Form, style: Style, scale: str, streams: Streams) -> tuple[Span, ...]:
    """Give every slot a chord, and the last chord to the close.

    Verse and chorus have a progression each; intro, break and outro borrow the verse's. The slot before the close
    turns to the dominant. The last span is the tonic from the close to the end.
    """
    choices = style.major if scale == "major" else style.minor
    verse = pick(streams.of("harmony", "verse"), choices)
    others = [c for c in choices if c != verse] or [verse]
    chorus = pick(streams.of("harmony", "chorus"), others)
    spans = []
    for index, section in enumerate(form.sections):
        numerals = (chorus if section.kind == "chorus" else verse).split()
        for slot in section.slots:
            if slot.start < form.close:
                length = min(slot.length, form.close - slot.start)
                harmony = chord(numerals[slot.place], scale, style.colour)
                spans.append(Span(slot.start, length, harmony, index, slot.place, slot.phrase))
    if len(spans) > 1:
        last = spans[-1]
        turn = chord(style.cadence[scale == "major"], scale, max(style.colour, 4))
        spans[-1] = Span(last.start, last.length, turn, last.section, last.place, last.phrase)
    home = chord("I" if scale == "major" else "i", scale, 5 if style.colour == 5 else 3)
    return (*spans, Span(form.close, form.end - form.close, home, len(form.sections) - 1, 0, 0))
