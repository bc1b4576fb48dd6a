"""Lyrics on a melody: a breath of the music for each line, a note for each syllable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from .form import Form
from .harmony import Span
from .lyrics import Block, Line
from .melody import Beat, Singer, contour
from .metre import stress
from .parts import Note, Part
from .streams import Streams

__all__ = ["assign", "sing_lyrics", "timed"]

FASTEST, EASY = 0.17, 0.4
"""Seconds that a syllable needs, and those that it likes to have."""

GRIDS = (1.0, 0.5, 0.25, 0.125)
"""Beats between the places where syllables may fall, the calmest first."""


def assign(form: Form, blocks: Sequence[Block]) -> dict[int, tuple[Line, ...]]:
    """Give each section, by its index, the lines that are sung in it.

    Labelled blocks meet the sections that were made for them. Lyrics without labels run through verses and choruses:
    the sections get all the lines that are left, and sing what they have time for.
    """
    if not any(block.kind for block in blocks):
        lines = tuple(line for block in blocks for line in block.lines)
        return {i: lines for i, s in enumerate(form.sections) if s.kind in ("verse", "chorus")} if lines else {}
    found: dict[int, tuple[Line, ...]] = {}
    waiting = list(blocks)
    for index, section in enumerate(form.sections):
        while waiting and (waiting[0].kind or "verse") in ("intro", "outro") and waiting[0].kind != section.kind:
            if section.kind == "intro":
                break
            waiting.pop(0)
        if waiting and (waiting[0].kind or "verse") == section.kind:
            found[index] = waiting.pop(0).lines
    return found


def _breaths(spans: Sequence[Span], lines: Sequence[Line], beat: float) -> list[tuple[Line, tuple[Span, ...]]]:
    """Give each line two chords where there are enough, one where not, and more where it is long."""
    found: list[tuple[Line, tuple[Span, ...]]] = []
    at = 0
    for number, line in enumerate(lines):
        left = len(lines) - number
        size = 2 if len(spans) - at >= 2 * left and spans[at].place % 2 == 0 else 1
        need = FASTEST * len(line.syllables) / beat
        while at + size < len(spans) and spans[at + size - 1].end - spans[at].start < need:
            size += 1
        if at >= len(spans) or spans[min(at + size, len(spans)) - 1].end - spans[at].start < need:
            break
        found.append((line, tuple(spans[at : at + size])))
        at += size
        if at >= len(spans):
            break
    return found


def _places(count: int, length: float, form: Form, start: float, streams: Streams, *name: object) -> list[float]:
    """Choose places for so many syllables: the strong ones first, and a pause for breath at the end."""
    room = length - min(1.0, length / 4)
    window = min(room, max(count * EASY / form.beat, 2.0))
    grid = next((g for g in GRIDS if int(window / g) >= count), None)
    if grid is None:
        return [room * k / count for k in range(count)]
    slots = [k * grid for k in range(int(window / grid))]
    chance = streams.of("lyrics", *name, count).random(len(slots))
    weights = [stress((start + p) % form.metre, form.metre) + 0.35 * c for p, c in zip(slots, chance, strict=True)]
    inner = sorted(range(1, len(slots)), key=lambda k: -weights[k])[: count - 1]
    return [slots[k] for k in sorted((0, *inner))]


def sing_lyrics(
    form: Form,
    spans: Sequence[Span],
    singer: Singer,
    lines: dict[int, tuple[Line, ...]],
    streams: Streams,
    through: bool,
) -> tuple[list[Note], list[tuple[float, float]]]:
    """Sing.

    Parameters
    ----------
    form : Form
    spans : sequence of Span
        The chords before the close.
    singer : Singer
    lines : dict
        What ``assign`` gave each section.
    streams : Streams
    through : bool
        Whether the sections share one run of lines, each going on where the one before ended.

    Returns
    -------
    list of Note, list of (float, float)
        Notes with syllables in order, and the stretches in beats that they fill.
    """
    notes: list[Note] = []
    taken: list[tuple[float, float]] = []
    sung = 0
    for index in sorted(lines):
        section = form.sections[index]
        here = [span for span in spans if span.section == index]
        waiting = lines[index][sung if through else 0 :]
        tune = "chorus" if section.kind == "chorus" else "verse"
        for number, (line, breath) in enumerate(_breaths(here, waiting, form.beat)):
            notes.extend(_line(form, singer, line, breath, streams, tune, section.weight, number))
            taken.append((breath[0].start, breath[-1].end))
            sung += 1
    return notes, taken


def _line(
    form: Form,
    singer: Singer,
    line: Line,
    breath: tuple[Span, ...],
    streams: Streams,
    tune: str,
    weight: float,
    number: int,
) -> list[Note]:
    """Sing a line over its chords; every second line answers the one before with the same contour."""
    start, end = breath[0].start, breath[-1].end
    count = len(line.syllables)
    places = _places(count, end - start, form, start, streams, tune, number)
    heights = contour(count, streams.of("lyrics", "contour", tune, number // 2))
    lengths = [min(b - a, 2.5) * 0.95 for a, b in pairwise([*places, end - start])]
    centre = (singer.low + singer.high) / 2 - 2 + (3 if tune == "chorus" else 0)
    notes: list[Note] = []
    for span in breath:
        inside = [k for k, p in enumerate(places) if span.start <= start + p + 1e-9 < span.end]
        if inside:
            # the contour goes on over the change of chord
            motif = tuple(Beat(start + places[k] - span.start, lengths[k], heights[k] - heights[0]) for k in inside)
            closing = number % 2 == 1 and inside[-1] + 1 == count
            notes.extend(singer.sing(motif, span, centre, weight, closing))
    return [
        Note(note.start, note.length, note.pitch, note.force, syllable)
        for note, syllable in zip(notes, line.syllables, strict=True)
    ]


def timed(parts: Iterable[Part], beat: float) -> tuple[tuple[float, str], ...]:
    """List the syllables of performed parts with the seconds at which they are heard.

    A syllable that begins a line begins with a line break, one that begins another word with a space: so ID3 has it.
    """
    found: list[tuple[float, str]] = []
    before = "\r"
    for note in sorted((n for part in parts for n in part.notes if n.syllable), key=lambda n: n.start):
        lead = {"\r": "\n" if found else "", " ": " "}.get(before[-1], "")
        found.append((round(note.start * beat, 3), lead + note.syllable.rstrip(" \r")))
        before = note.syllable
    return tuple(found)
