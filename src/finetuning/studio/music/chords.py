"""The harmony instruments: chords in a rhythm, pads that hold, figures that break the chord up."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from .comping import COMPING, Comping
from .drums import Groove
from .form import Form
from .hands import freed
from .harmony import Span
from .instruments import DOWN, UP, Instrument
from .metre import stress
from .parts import Note
from .streams import Streams, pick
from .theory import voice

__all__ = ["play_arp", "play_chords", "play_pad"]


WINDOW = {"chords": (53, 74), "pad": (50, 71), "arp": (60, 81)}
"""Registers by role, as MIDI pitches."""


def voicings(
    spans: tuple[Span, ...], role: str, sound: Instrument, most: int = 4, lower: int = 0
) -> list[tuple[int, ...]]:
    """Set the chords of the piece one after another, each close to the one before, ``lower`` semitones down."""
    low, high = sound.register(*(pitch - lower for pitch in WINDOW[role]))
    found: list[tuple[int, ...]] = []
    for span in spans:
        found.append(voice(span.chord, found[-1] if found else None, low, high, most))
    return found


def _power(span: Span, sound: Instrument) -> tuple[int, ...]:
    """Set a root, its fifth and its octave on the lowest strings."""
    low = max(sound.bottom + DOWN, 40)
    root = low + (span.chord.root - low) % 12
    return (root, root + (7 if 7 in span.chord.intervals else 6), root + 12)


BOWS = (0.0, 0.0, 2.0, 1.0, 0.5)
"""Beats before the next chord at which a held chord is struck once more; at 0 it is not."""


def _tenth(span: Span, low: int, sound: Instrument) -> tuple[int, ...]:
    """Set the third above a power chord that stands on ``low``, if the instrument goes so high.

    Without it minor is taken for major: the fifth partial of every root is a major third.
    """
    top = low + 12 + span.chord.intervals[1]
    return (top,) if top <= sound.top - UP else ()


POWER = frozenset({"power", "chug"})
THIN = frozenset({"ostinato", "drive"})


def play_chords(
    form: Form,
    spans: tuple[Span, ...],
    sound: Instrument,
    comping: str,
    lower: int,
    groove: Groove,
    streams: Streams,
) -> tuple[Note, ...]:
    """Play chords in the style's rhythm, hold them in the break, and ring them out at the end.

    ``lower`` semitones make room for a low melody.
    """
    settings = (
        [_power(s, sound) for s in spans]
        if comping in POWER
        else voicings(spans, "chords", sound, 3 if comping in THIN else 4, lower)
    )
    notes: list[Note] = []
    for span, pitches in zip(spans[:-1], settings, strict=False):
        section = form.sections[span.section]
        calm = section.kind == "break" or (section.kind == "intro" and comping in {"power", "chug", "chank"})
        manner = COMPING["held" if calm else comping]
        cells = pick(streams.of("chords", section.kind), manner.cells)
        if not calm:
            cells = freed(cells, streams.of("chords", "hand", section.kind), 0.3, 0.1, "o")
        crown = _tenth(span, pitches[0], sound) if comping in POWER else ()
        notes.extend(_struck(form, span, pitches, cells, manner, groove, calm, crown))
    last = settings[-1]
    if comping in POWER:
        last = (*last, *_tenth(spans[-1], last[0], sound))
    return (*notes, *_close(form, spans[-1], last, sound))


def _struck(
    form: Form,
    span: Span,
    pitches: tuple[int, ...],
    cells: tuple[str, ...],
    manner: Comping,
    groove: Groove,
    calm: bool,
    crown: tuple[int, ...] = (),
) -> list[Note]:
    """Strike a chord in a rhythm for as long as it lasts, on strong beats with its ``crown`` on top."""
    section = form.sections[span.section]
    first = int(span.start // form.metre)
    hits = [
        (bar * form.metre + place, strength)
        for bar in range(first, int(-(-span.end // form.metre)))
        for place, strength in groove.spread(cells, bar)
    ]
    places = [(p, s) for p, s in hits if span.start - 1e-9 <= p < span.end - 1e-9]
    if not places or (calm and places[0][0] > span.start):
        places.insert(0, (span.start, 0.8))
    notes: list[Note] = []
    roll = manner.roll / groove.pace
    for (place, strength), (until, _) in pairwise([*places, (span.end, 0.0)]):
        force = strength * (0.62 + 0.2 * section.weight) * (0.8 + 0.2 * stress(place % form.metre, form.metre))
        # a strum goes down on the beat and up between
        full = (*pitches, *crown) if strength >= 0.8 and place % 1 == 0 else pitches
        order = full if place % 1 == 0 else full[::-1]
        for k, pitch in enumerate(order):
            at = place + roll * k
            soft = 0.75 if form.plain and at % 1 else 1.0
            notes.append(Note(at, max((until - place) * manner.gate - roll * k, 0.1), pitch, force * soft))
    return notes


def _close(form: Form, home: Span, pitches: tuple[int, ...], sound: Instrument) -> list[Note]:
    """Roll the last chord; where beats are left over, break it up in eighths before a last soft touch."""
    if not form.coda:
        return [Note(home.start + 0.04 * k, home.length, p, 0.72) for k, p in enumerate(pitches)]
    notes = [Note(home.start + 0.04 * k, 0.95, p, 0.72) for k, p in enumerate(pitches)]
    ladder = [*pitches, *(p + 12 for p in pitches if p + 12 <= sound.top - UP)]
    wave = [*ladder, *ladder[-2:0:-1]]
    notes.extend(
        Note(home.start + 1 + 0.5 * k, 0.48, wave[k % len(wave)], 0.52 - 0.012 * k) for k in range(2 * (form.coda - 1))
    )
    touch = home.start + form.coda
    return notes + [Note(touch + 0.06 * k, home.end - touch, p, 0.5) for k, p in enumerate(pitches)]


def play_pad(
    form: Form, spans: tuple[Span, ...], sound: Instrument, padding: str, entry: int, groove: Groove, streams: Streams
) -> tuple[Note, ...]:
    """Hold chords, or strike them where the style has it, from the section numbered ``entry`` to the end."""
    notes: list[Note] = []
    settings = voicings(spans, "pad", sound, 3)
    bows = pick(streams.of("pad", "bows"), BOWS)
    for index, (span, pitches) in enumerate(zip(spans, settings, strict=True)):
        section = form.sections[span.section]
        if span.section < entry:
            continue
        if padding == "held" or index + 1 == len(spans) or section.kind in ("intro", "break"):
            turn = span.length - bows
            turn = turn if turn > 0 and index + 1 < len(spans) else span.length
            force = 0.5 + 0.2 * section.weight
            notes.extend(Note(span.start, turn * 0.99, p, force) for p in pitches)
            if turn < span.length:
                notes.extend(Note(span.start + turn, (span.length - turn) * 0.99, p, 0.8 * force) for p in pitches)
        else:
            manner = COMPING[padding]
            cells = pick(streams.of("pad", section.kind), manner.cells)
            cells = freed(cells, streams.of("pad", "hand", section.kind), 0.3, 0.1, "o")
            notes.extend(_struck(form, span, pitches, cells, manner, groove, False))
    return tuple(notes)


def _gaps(grid: float, streams: Streams) -> Callable[[float], bool]:
    """Choose which of the notes of two beats are left out: the same in every bar, and never one on a beat."""
    stream = streams.of("arp", "gaps")
    kept = stream.random(8) >= 0.3
    if grid >= 1:
        # slow figures leave out a beat or none of every four, but not the first
        rest = pick(stream, (0, 1, 2, 3))
        return lambda place: not rest or round(place) % 4 != rest
    return lambda place: place % 1 < 1e-6 or bool(kept[round(place * 4) % 8])


def play_arp(
    form: Form, spans: tuple[Span, ...], sound: Instrument, grid: float, entry: int, streams: Streams
) -> tuple[Note, ...]:
    """Break the chords up in notes of ``grid`` beats, from the section numbered ``entry`` to the close."""
    stream = streams.of("arp")
    sounding = _gaps(grid, streams)
    shape = pick(stream, ((0, 1, 2, 3), (0, 2, 1, 3), (3, 2, 1, 0), (0, 1, 2, 1), (0, 2, 3, 2), (0, 3, 1, 2)))
    notes: list[Note] = []
    for span, setting in zip(spans[:-1], voicings(spans, "arp", sound), strict=False):
        section = form.sections[span.section]
        if span.section < entry:
            continue
        above = setting[0] + 12
        ladder = setting if len(setting) > 3 else (*setting, above if above <= sound.top - UP else setting[1])
        heard = [k for k in range(int(span.length / grid)) if sounding((span.start + k * grid) % form.metre)]
        for step, place in enumerate(span.start + k * grid for k in heard):
            force = (0.5 + 0.18 * section.weight) * (0.75 + 0.25 * stress(place % form.metre, form.metre))
            notes.append(Note(place, grid * 1.3, ladder[shape[step % len(shape)]], force))
    return tuple(notes)
