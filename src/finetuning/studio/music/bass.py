"""The bass: roots and fifths, locked to the kick."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .drums import Groove
from .form import Form
from .harmony import Span
from .metre import bar_hits, group_starts, stress
from .parts import Note
from .streams import Streams, pick
from .theory import melody_scale

__all__ = ["play_bass"]

FIGURES: dict[str, tuple[str, ...]] = {
    "eighths": ("x.x.x.x.", "x.x.x.x."),
    "offbeat": ("..X...X.", "..X...X."),
    "rumble": ("o.xxo.xx", "o.xxo.xx"),
    "roots": ("X.......", "X......."),
    "surdo": ("X.....x.", "X.....x."),
    "walk": ("X...x...", "X...x..."),
    "syncopated": ("X..x..x.", "..x...xx"),
}
"""Rhythms of their own; ``kick``, ``drive`` and ``hold`` take theirs from the drums and the chords."""

FLOOR, CEILING = 33, 50


def _root(span: Span) -> int:
    """Place the root between A1 and G#2: with every key it stays between E1 and D3."""
    return FLOOR + (span.chord.root - FLOOR) % 12


def _places(figure: str, groove: Groove, form: Form, bar: int) -> list[tuple[float, float]]:
    if figure in FIGURES:
        return list(bar_hits(FIGURES[figure], form.metre, bar))
    hits = dict(groove.hits("kick", bar))
    if figure == "drive":
        # straight eighths that lean where the kick falls
        hits = {
            place: max(s, hits.get(place, 0.0)) for place, s in bar_hits(FIGURES["eighths"], form.metre, bar)
        } | hits
    return sorted({0.0: 1.0, **hits}.items())


def play_bass(
    form: Form, spans: tuple[Span, ...], groove: Groove, figure: str, scale: str, streams: Streams
) -> tuple[Note, ...]:
    """Move with the groove in verse and chorus; hold in intro and break, and on the last chord."""
    *moving, home = spans
    notes: list[Note] = []
    for number, span in enumerate(moving):
        section = form.sections[span.section]
        after = spans[number + 1]
        if section.kind in ("intro", "break") or figure == "hold":
            notes.extend(_held(span, form))
            continue
        stream = streams.of("bass", section.kind, span.place, span.phrase % 2)
        bars = range(int(span.start // form.metre), int(np.ceil(span.end / form.metre)))
        places = [(bar * form.metre + p, s) for bar in bars for p, s in _places(figure, groove, form, bar)]
        inside = [(p, s) for p, s in places if span.start - 1e-9 <= p < span.end - 1e-9]
        if figure != "offbeat" and (not inside or inside[0][0] > span.start):
            inside.insert(0, (span.start, 0.9))
        choice = _walk if figure == "walk" else _groove
        notes.extend(choice(span, after, inside, scale, figure, form, stream))
    root = _root(home)
    notes.append(Note(home.start, (form.coda or home.length) - 0.05, root, 0.8))
    if form.coda:
        notes.append(Note(home.start + form.coda, home.length - form.coda, root, 0.6))
    return tuple(notes)


def _held(span: Span, form: Form) -> list[Note]:
    """Hold the root on the strong beats of the span."""
    bar = span.start // form.metre * form.metre
    starts = [
        s
        for s in (bar + g + k * form.metre for k in (0, 1) for g in group_starts(form.metre))
        if span.start < s < span.end
    ]
    edges = [span.start, *starts, span.end]
    return [
        Note(
            a,
            b - a - 0.05,
            _root(span) + (7 if index % 2 and 7 in span.chord.intervals else 0),
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
    stream: np.random.Generator,
) -> list[Note]:
    """Roots, with fifths and octaves between, and now and then a step towards the next root."""
    root = _root(span)
    fifth = root + 7 if 7 in span.chord.intervals else root + 6
    spice = {"kick": 0.25, "syncopated": 0.45, "surdo": 0.0, "roots": 0.0, "eighths": 0.08}.get(figure, 0.12)
    notes = []
    for index, (place, strength) in enumerate(places):
        following = places[index + 1][0] if index + 1 < len(places) else span.end
        pitch = root
        if figure in ("surdo", "roots") and index % 2:
            pitch = fifth if fifth <= CEILING else fifth - 12
        elif index and stream.random() < spice:
            pitch = pick(stream, (root + 12, fifth, root + 12) if root + 12 <= CEILING + 4 else (fifth, root))
        elif (
            index
            and index == len(places) - 1
            and span.end - place <= 1
            and stream.random() < 0.5
            and figure in ("kick", "drive", "syncopated")
        ):
            pitch = _approach(root, _root(after), scale, span)
        sounding = min(following - place, 2.0 if figure != "rumble" else 0.22)
        gate = 0.9 if figure in ("kick", "roots", "surdo") else 0.75
        notes.append(
            Note(place, sounding * gate, pitch, strength * (0.8 + 0.2 * stress(place % form.metre, form.metre)))
        )
    return notes


def _approach(root: int, target: int, scale: str, span: Span) -> int:
    """Find the scale step just below or above the next root, whichever lies on the way."""
    steps = melody_scale(span.chord, scale)
    ladder = [p for p in range(target - 3, target + 4) if p != target and p % 12 in steps]
    side = [p for p in ladder if (p < target) == (root <= target)]
    return min(side or ladder, key=lambda p: abs(p - target))


def _walk(
    span: Span,
    after: Span,
    places: list[tuple[float, float]],
    scale: str,
    figure: str,
    form: Form,
    stream: np.random.Generator,
) -> list[Note]:
    """Play a note a beat: the root, chord and scale tones on the way, and a step into the next root."""
    steps = melody_scale(span.chord, scale)
    here, there = _root(span), _root(after)
    if there == here:
        there += 12 if here + 12 <= CEILING and stream.random() < 0.5 else 0
    notes, last = [], here
    for index, (place, strength) in enumerate(places):
        if index == 0:
            pitch = here
        elif index == len(places) - 1:
            pitch = _approach(last, there, scale, span)
        else:
            goal = here + (there - here) * index / len(places) + stream.normal(0.0, 2.5)
            tones = span.chord.classes if index % 2 == 0 else steps
            near = [p for p in range(FLOOR - 2, CEILING + 3) if p % 12 in tones and p != last]
            pitch = min(near, key=lambda p: (abs(p - goal) + 0.4 * abs(p - last), p))
        notes.append(Note(place, 0.9, pitch, strength * (0.85 + 0.15 * stress(place % form.metre, form.metre))))
        last = pitch
    return notes
