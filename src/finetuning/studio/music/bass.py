"""The bass: roots and fifths, locked to the kick."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .drums import Groove
from .form import Form
from .hands import freed
from .harmony import Span
from .instruments import DOWN, UP, Instrument
from .metre import group_starts, stress
from .parts import Note
from .streams import Streams, pick
from .theory import melody_scale

__all__ = ["play_bass"]

FIGURES: dict[str, tuple[tuple[str, str], ...]] = {
    "eighths": (
        ("x.x.x.x.", "x.x.x.x."), ("x.x.x.xx", "x.x.x.x."), ("x...x.x.", "x.x.x.x."), ("x.x.x...", "x.x.x.x."),
        ("x.x.x.x.", "x...x.xx"), ("x..xx.x.", "x.x.x.x."),
    ),
    "offbeat": (
        ("..X...X.", "..X...X."), ("..X...Xo", "..X...X."), ("..Xo..X.", "..X...Xo"), ("..X..oX.", "..X...X."),
        ("..X...X.", "..Xo..Xo"),
    ),
    "rumble": (
        ("o.xxo.xx", "o.xxo.xx"), ("o.x.o.xx", "o.x.o.xx"), ("oxx.oxx.", "oxx.oxx."), ("o.xxoxx.", "o.xxoxx."),
        ("oxxxo.x.", "oxxxo.x."),
    ),
    "roots": (
        ("X.......", "X......."), ("X.....o.", "X......."), ("X.......", "X...o..."), ("X...o...", "X......."),
        ("X.......", "X.....o."), ("X...o...", "X...o..."),
    ),
    "surdo": (("X.....x.", "X.....x."), ("X.....x.", "X......."), ("X......x", "X.....x."), ("X.....x.", "X...o.x.")),
    "walk": (
        ("X...x...", "X...x..."), ("X...x.o.", "X...x..."), ("X...x...", "X...x.o."), ("X.o.x...", "X...x..."),
        ("X...x...", "X.o.x..."), ("X.o.x...", "X...x.o."),
    ),
    "syncopated": (
        ("X..x..x.", "..x...xx"), ("X..x..x.", "x..x..x."), ("X.x..x..", "..x..xx."), ("X..xx...", "..xx..x."),
        ("X.....xx", "..x..x.."), ("X..x...x", "..x.x.x."),
    ),
    "sixteenths": (
        ("XoxoXoxo", "XoxoXoxo"), ("X.xoX.xo", "X.xoX.xo"), ("Xox.Xox.", "Xox.Xox."), ("X.x.X.xo", "X.x.X.xo"),
        ("X.xoXox.", "X.xoXox."), ("XoxoX.x.", "XoxoX.x."),
    ),
    "alternate": (
        ("X.......", "o......."), ("X.....o.", "o......."), ("X.......", "o.....o."), ("X...g...", "o......."),
        ("X.......", "o...g..."),
    ),
    "motown": (
        ("X..x..xo", "x..x.xo."), ("X..x..x.", "x.x..xo."), ("X.x...xo", "x..x..x."), ("X..xx.x.", "..xo.x.o"),
        ("X.....xo", "x.x.x.o."),
    ),
    "dub": (
        ("X.....xx", "x...x..."), ("X..x..x.", "..x.x..."), ("X.....x.", "x..x...."), ("X.x.x...", "....x.x."),
        ("X...x..x", "x......."), ("X..x....", "x.x...x."), ("X.....x.", "..x...x."),
    ),
    "reese": (
        ("X.......", "..x....."), ("X.....x.", "..x....."), ("X.......", "x.....x."), ("X..x....", "..x....."),
        ("X.......", "..x..x.."), ("X.x.....", "....x..."),
    ),
}  # fmt: skip
"""Rhythms of their own, of which a piece has one; ``kick``, ``drive`` and ``hold`` take theirs from the drums and the
chords."""

DRIVES = (
    "x.x.x.x.", "x.x.x.xx", "x...x.x.", "x.x.x...", "x..xx.x.", "x.xxx.x.",
)  # fmt: skip
"""What ``drive`` plays between the kicks."""

MANNERS = ("strong", "whole", "beat", "eighth")
"""How ``hold`` is struck: see ``_held``."""

SPICE = {"kick": 0.25, "syncopated": 0.45, "motown": 0.35, "eighths": 0.08} | dict.fromkeys(
    ("surdo", "roots", "alternate", "sixteenths", "reese"), 0.0
)
"""How often a figure leaves the root for its octave or its fifth."""

LONGEST = {"rumble": 0.22, "sixteenths": 0.24, "reese": 4.0}
"""Beats that a note of a figure lasts at most."""

FLOOR, REACH = 33, 21
"""The lowest root, A1, unless the instrument ends above it; and how far above it the line may go."""


@dataclass(frozen=True)
class Neck:
    """Where on the instrument the bass plays: pitches as if C were the tonic."""

    low: int
    high: int

    def root(self, span: Span) -> int:
        """Place the root in the lowest octave."""
        return self.low + (span.chord.root - self.low) % 12

    def fits(self, pitch: int) -> bool:
        """Say whether a pitch can be played."""
        return self.low <= pitch <= self.high


def _cells(figure: str, streams: Streams) -> tuple[str, ...]:
    """Choose the rhythm that the piece's bass keeps to."""
    stream = streams.of("bass", "figure")
    if figure in FIGURES:
        return freed(pick(stream, FIGURES[figure]), stream, 0.15, 0.06, "o")
    return (pick(stream, DRIVES), pick(stream, DRIVES)) if figure == "drive" else ()


def _places(cells: tuple[str, ...], figure: str, groove: Groove, bar: int) -> list[tuple[float, float]]:
    hits = dict(groove.hits("kick", bar))
    if figure == "syncopated":
        return sorted((dict(groove.spread(cells, bar)) | hits).items())
    if figure in FIGURES:
        return list(groove.spread(cells, bar))
    if cells:
        # eighths that lean where the kick falls
        hits = {place: max(s, hits.get(place, 0.0)) for place, s in groove.spread(cells, bar)} | hits
    return sorted({0.0: 1.0, **hits}.items())


def play_bass(
    form: Form,
    spans: tuple[Span, ...],
    groove: Groove,
    sound: Instrument,
    figure: str,
    scale: str,
    streams: Streams,
) -> tuple[Note, ...]:
    """Move with the groove in verse and chorus; hold in intro and break, and on the last chord."""
    low = max(FLOOR, sound.bottom + DOWN)
    neck = Neck(low, min(low + REACH, sound.top - UP))
    cells = _cells(figure, streams)
    manner = pick(streams.of("bass", "hold"), MANNERS)
    *moving, home = spans
    notes: list[Note] = []
    for number, span in enumerate(moving):
        section = form.sections[span.section]
        after = spans[number + 1]
        if section.kind in ("intro", "break") or figure == "hold":
            notes.extend(_held(span, form, neck, manner))
            continue
        stream = streams.of("bass", section.kind, span.place, span.phrase % 2)
        bars = range(int(span.start // form.metre), int(np.ceil(span.end / form.metre)))
        places = [(bar * form.metre + p, s) for bar in bars for p, s in _places(cells, figure, groove, bar)]
        inside = [(p, s) for p, s in places if span.start - 1e-9 <= p < span.end - 1e-9]
        if figure != "offbeat" and (not inside or inside[0][0] > span.start):
            inside.insert(0, (span.start, 0.9))
        choice = _walk if figure == "walk" else _groove
        notes.extend(choice(span, after, inside, scale, figure, form, neck, stream))
    root = neck.root(home)
    notes.append(Note(home.start, (form.coda or home.length) - 0.05, root, 0.8))
    if form.coda:
        notes.append(Note(home.start + form.coda, home.length - form.coda, root, 0.6))
    return tuple(notes)


def _held(span: Span, form: Form, neck: Neck, manner: str) -> list[Note]:
    """Hold the root on the strong beats of the span, or throughout; or lead on from the last beat or half beat.

    Where the beat is to be plain, it is struck on every one.
    """
    bar = span.start // form.metre * form.metre
    starts = [
        s
        for s in (bar + g + k * form.metre for k in (0, 1) for g in group_starts(form.metre))
        if span.start < s < span.end
    ]
    if form.plain:
        starts = [span.start + beat for beat in range(1, int(np.ceil(span.length)))]
    elif manner == "whole":
        starts = []
    upbeat = {"beat": 1.0, "eighth": 0.5}.get(manner, 0.0)
    if upbeat and span.length > 2:
        starts.append(span.end - upbeat)
    edges = [span.start, *sorted(set(starts)), span.end]
    return [
        Note(
            a,
            b - a - 0.05,
            neck.root(span) + (7 if index % 2 and 7 in span.chord.intervals else 0),
            0.72 if index == 0 else 0.6,
        )
        for index, (a, b) in enumerate(pairwise(edges))
    ]


def _groove(
    span: Span,
    after: Span,
    places: list[tuple[float, float]],
    scale: str,
    figure: str,
    form: Form,
    neck: Neck,
    stream: np.random.Generator,
) -> list[Note]:
    """Roots, with fifths and octaves between, and now and then a step towards the next root."""
    root = neck.root(span)
    fifth = root + 7 if 7 in span.chord.intervals else root + 6
    spice = SPICE.get(figure, 0.12)
    notes = []
    for index, (place, strength) in enumerate(places):
        following = places[index + 1][0] if index + 1 < len(places) else span.end
        pitch = root
        if figure in ("surdo", "roots", "alternate") and index % 2:
            pitch = fifth - 12 if figure == "alternate" and neck.fits(fifth - 12) else fifth
        elif index and stream.random() < spice:
            pitch = pick(stream, (root + 12, fifth, root + 12) if neck.fits(root + 12) else (fifth, root))
        elif (
            index
            and index == len(places) - 1
            and span.end - place <= 1
            and stream.random() < 0.5
            and figure in ("kick", "drive", "syncopated", "motown", "dub")
        ):
            pitch = _approach(root, neck.root(after), scale, span, neck)
        sounding = min(following - place, LONGEST.get(figure, 2.0))
        gate = 0.9 if figure in ("kick", "roots", "surdo", "dub", "reese") else 0.75
        notes.append(
            Note(place, sounding * gate, pitch, strength * (0.8 + 0.2 * stress(place % form.metre, form.metre)))
        )
    return notes


def _approach(root: int, target: int, scale: str, span: Span, neck: Neck) -> int:
    """Find the scale step just below or above the next root, whichever lies on the way."""
    steps = melody_scale(span.chord, scale)
    ladder = [p for p in range(target - 3, target + 4) if p != target and p % 12 in steps and neck.fits(p)]
    side = [p for p in ladder if (p < target) == (root <= target)]
    return min(side or ladder, key=lambda p: abs(p - target))


def _walk(
    span: Span,
    after: Span,
    places: list[tuple[float, float]],
    scale: str,
    figure: str,
    form: Form,
    neck: Neck,
    stream: np.random.Generator,
) -> list[Note]:
    """Play a note a beat: the root, chord and scale tones on the way, and a step into the next root."""
    steps = melody_scale(span.chord, scale)
    here, there = neck.root(span), neck.root(after)
    if there == here:
        there += 12 if neck.fits(here + 12) and stream.random() < 0.5 else 0
    notes, last = [], here
    for index, (place, strength) in enumerate(places):
        if index == 0:
            pitch = here
        elif index == len(places) - 1:
            pitch = _approach(last, there, scale, span, neck)
        else:
            goal = here + (there - here) * index / len(places) + stream.normal(0.0, 2.5)
            tones = span.chord.classes if index % 2 == 0 else steps
            near = [p for p in range(neck.low, neck.low + 18) if p % 12 in tones and p != last]
            pitch = min(near, key=lambda p: (abs(p - goal) + 0.4 * abs(p - last), p))
        until = places[index + 1][0] if index + 1 < len(places) else span.end
        sounding = min(0.9, 0.95 * (until - place))
        notes.append(Note(place, sounding, pitch, strength * (0.85 + 0.15 * stress(place % form.metre, form.metre))))
        last = pitch
    return notes
