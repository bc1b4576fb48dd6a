"""The melody: a motif, its repetition and its variation, over the chords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .form import Form
from .harmony import Span
from .instruments import DOWN, UP, Instrument
from .metre import group_starts, stress
from .parts import Note
from .streams import Streams, pick
from .theory import melody_scale, nearest

__all__ = ["Beat", "Singer", "contour", "play_melody"]


@dataclass(frozen=True)
class Beat:
    """A note of a motif: place and length in beats from its start, and height in scale steps from its anchor."""

    place: float
    length: float
    height: int


Motif = tuple[Beat, ...]


@dataclass(frozen=True)
class Riff:
    """A manner of melody.

    How many notes; which motif (a, b, a' varied, c the cadence, or a rest) fills each place of a phrase, of which plans
    a piece has one; and how far notes are held towards the next.
    """

    busy: float
    plans: tuple[tuple[str, ...], ...]
    legato: float


SONG = (("a", "b", "a'", "c"), ("a", "a'", "b", "c"), ("a", "b", "b", "c"), ("a", "b", "a", "c"))
RIFFS: dict[str, Riff] = {
    "song": Riff(0.5, SONG, 0.92),
    "sparse": Riff(
        0.3,
        (("a", "c", "a'", "rest"), ("a", "b", "rest", "c"), ("a", "rest", "b", "c"), ("a", "b", "a'", "rest")),
        0.98,
    ),
    "hook": Riff(0.6, (("a", "a", "a'", "b"), ("a", "b", "a", "b"), ("a", "a'", "a", "b"), ("a", "b", "a", "a'")), 0.7),
    "solo": Riff(0.75, SONG, 0.85),
    "grand": Riff(0.35, SONG, 0.98),
}

LEAST = 3
"""Notes of a motif at least, where it lasts as many beats: fewer make no figure that could be known again."""

ARCH = (0, 1, 3, 0)
"""How far, in scale steps, each place of a phrase lies above its beginning."""


def _rhythm(length: float, busy: float, stream: np.random.Generator) -> list[float]:
    """Places of notes: for each beat one of a few figures, the last beat left open to breathe."""
    figures: tuple[tuple[float, ...], ...] = (
        (), (0.0,), (0.0, 0.5), (0.5,), (0.0, 0.75), (0.0, 0.25, 0.5), (0.75,), (0.5, 0.75), (0.0, 0.5, 0.75),
    )  # fmt: skip
    fast = max(busy - 0.45, 0.0)
    weights = (
        1.0 - 0.8 * busy, 1.0, 0.25 + 1.1 * busy, 0.3, 0.25 * busy, 0.18 * fast, 0.1, 0.12 * busy, 0.18 * fast,
    )  # fmt: skip
    places: list[float] = []
    for beat in range(int(length)):
        figure = pick(stream, figures, weights)
        if beat == 0 and not figure:
            figure = (0.0,)
        if beat == int(length) - 1 and length > 2 and stream.random() < 0.6:
            figure = ()
        places.extend(beat + f for f in figure)
    return places


def contour(count: int, stream: np.random.Generator) -> list[int]:
    """Draw heights in scale steps: mostly steps, a leap now and then, answered by a step back."""
    heights, height, leap, move = [], 0, 0, 1
    for _ in range(count):
        heights.append(height)
        # a note comes again once at most
        move = pick(stream, (-2, -1, 0, 1, 2, 3, -3), (0.14, 0.28, 0.12 if move else 0.0, 0.3, 0.16, 0.07, 0.05))
        if abs(leap) > 1:
            move = -1 if leap > 0 else 1
        height, leap = height + move, move
    return heights


def _motif(length: float, busy: float, legato: float, stream: np.random.Generator) -> Motif:
    """Draw a rhythm and a contour."""
    places = _rhythm(length, busy, stream)
    for _ in range(4):
        if len(places) < min(LEAST, int(length)):
            places = _rhythm(length, busy, stream)
    ends = [*places[1:], length]
    return tuple(
        Beat(place, min((end - place) * legato, 2.5), height)
        for place, end, height in zip(places, ends, contour(len(places), stream), strict=True)
    )


def _varied(motif: Motif, stream: np.random.Generator) -> Motif:
    """Keep the beginning and give the end another turn."""
    turn = pick(stream, (-2, -1, 1, 2))
    cut = max(1, len(motif) * 2 // 3)
    return (*motif[:cut], *(replace(beat, height=beat.height + turn) for beat in motif[cut:]))


def _cadence(motif: Motif, length: float, stream: np.random.Generator) -> Motif:
    """Take the motif's first gesture, then one long note, with or without a note that leads to it."""
    start = [beat for beat in motif if beat.place < min(1.0, length / 2)]
    rest = max(1.0, length / 2 - length / 2 % 1)
    lead = pick(stream, (0, 0, 1, 2, -1))
    if lead and start[-1].place <= rest - 1:
        start = [*(replace(b, length=min(b.length, rest - 0.5 - b.place)) for b in start), Beat(rest - 0.5, 0.45, lead)]
    return (*start, Beat(rest, max(length - rest - 0.5, 0.5), 0))


class Singer:
    """Turns motifs into pitches within a register."""

    def __init__(self, form: Form, sound: Instrument, scale: str) -> None:
        self.form, self.scale = form, scale
        low, high = max(sound.low + 3, sound.bottom + DOWN), min(sound.high - 4, sound.top - UP)
        slack = max(0, 14 - (high - low))
        self.low = max(low - slack // 2, sound.bottom + DOWN)
        self.high = min(high + (slack + 1) // 2, sound.top - UP)

    def sing(self, motif: Motif, span: Span, centre: float, weight: float, closing: bool) -> list[Note]:
        """Strong and long notes fall on chord tones, others on the scale."""
        steps = melody_scale(span.chord, self.scale)
        ladder = [p for p in range(self.low, self.high + 1) if p % 12 in steps]
        anchor = nearest(centre, span.chord.classes[:3])
        base = min(range(len(ladder)), key=lambda i: abs(ladder[i] - anchor))
        notes: list[Note] = []
        for index, beat in enumerate(motif):
            if beat.place >= span.length - 1e-9:
                break
            place = span.start + beat.place
            rung = base + beat.height
            top = len(ladder) - 1
            rung = -rung if rung < 0 else 2 * top - rung if rung > top else rung
            pitch = ladder[min(max(rung, 0), top)]
            inner = place % self.form.metre
            if index == 0 or beat.length >= 0.9 or inner in group_starts(self.form.metre):
                pitch = self.settled(pitch, span.chord.classes)
            if closing and index == len(motif) - 1:
                pitch = self.settled(pitch, (0, 7))
            length = min(beat.length, span.length - beat.place)
            force = (0.68 + 0.2 * weight) * (0.85 + 0.15 * stress(inner, self.form.metre))
            notes.append(Note(place, length, pitch, force))
        return notes

    def settled(self, pitch: int, classes: tuple[int, ...]) -> int:
        """Move a pitch to the nearest of some classes within the register."""
        found = nearest(pitch, classes)
        return found if self.low <= found <= self.high else found + (12 if found < self.low else -12)


def play_melody(
    form: Form,
    spans: tuple[Span, ...],
    singer: Singer,
    riff: str,
    density: float,
    streams: Streams,
    *,
    alone: bool = False,
    pace: float = 1.0,
    sung: Sequence[Note] = (),
    taken: Sequence[tuple[float, float]] = (),
) -> tuple[Note, ...]:
    """Sing verse and chorus, hint in break and outro, and come home on the last chord.

    Where lyrics are ``sung``, in the stretches of beats that are ``taken``, the melody is theirs.

    Verse and chorus have motifs of their own, which return whenever their section does. The second phrase of a pair
    answers the first: it ends on the tonic or its fifth.
    """
    manner = RIFFS[riff]
    pattern = pick(streams.of("melody", "plan"), manner.plans)
    # as many notes a second in half time and in double time, more or less
    busy = min(max((manner.busy + 0.5 * (density - 0.5)) * (0.7 + 0.3 * pace), 0.1), 0.9)
    centre = (singer.low + singer.high) / 2 - 2
    longest = max((span.length for span in spans[:-1]), default=1.0)
    notes: list[Note] = []
    for span in spans[:-1]:
        section = form.sections[span.section]
        tune = "chorus" if section.kind == "chorus" else "verse"
        sparse = section.kind in ("break", "outro")
        if any(start <= span.start < end for start, end in taken):
            continue
        if (section.kind == "intro" and not alone) or (sparse and span.place in (1, 3) and not alone):
            continue
        name = pattern[span.place]
        motifs = {
            letter: _motif(
                longest, busy * (0.85 if tune == "chorus" else 1.0), manner.legato, streams.of("melody", tune, letter)
            )
            for letter in "ab"
        }
        if name == "rest" and span.phrase % 2 == 0 and not alone:
            continue
        motif = {
            "a": motifs["a"],
            "b": motifs["b"],
            "a'": _varied(motifs["a"], streams.of("melody", tune, "turn", span.phrase % 2)),
            "c": _cadence(motifs["b"], span.length, streams.of("melody", tune, "cadence", span.phrase % 2)),
            "rest": _cadence(motifs["a"], span.length, streams.of("melody", tune, "rest", span.phrase % 2)),
        }[name]
        height = centre + 1.7 * ARCH[span.place] + (3 if tune == "chorus" else 0)
        notes.extend(singer.sing(motif, span, height, section.weight, closing=span.phrase % 2 == 1 and span.place == 3))
    home = spans[-1]
    notes = sorted([*notes, *sung], key=lambda n: n.start)
    last = notes[-1].pitch if notes else round(centre)
    return (*notes, Note(home.start, min(home.length, max(form.coda, 3.0)), singer.settled(last, (0,)), 0.72))
