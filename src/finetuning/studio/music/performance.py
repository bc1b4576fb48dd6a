"""How the notes are played: swing, small human imprecision, and no two notes in one another's way."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from .composer import Piece
from .metre import swing
from .parts import Note, Part
from .theory import tonic_offset

__all__ = ["perform"]

LOOSENESS = {"drums": 0.003, "bass": 0.004, "chords": 0.006, "pad": 0.006, "arp": 0.004, "lead": 0.008}
"""Standard deviation of a note's place, in beats."""


def perform(piece: Piece) -> tuple[Part, ...]:
    """Play every part in the key of the brief.

    All that the kit strikes at one place shares one deviation, as it would from one pair of hands; the others keep to
    themselves. Deviations are counted in beats, so that they grow smaller as the piece grows faster.
    """
    return tuple(_play(part, piece) for part in piece.parts)


def _play(part: Part, piece: Piece) -> Part:
    style, form = piece.style, piece.form
    stream = piece.streams.of("performance", part.role)
    shift = 0 if part.role == "drums" else tonic_offset(piece.brief.key)
    lean = 0.8 + 0.4 * piece.heard.energy
    amount, unit = style.swung(piece.brief.bpm), style.unit / piece.pace
    ordered = sorted(part.notes, key=lambda n: (n.start, n.pitch))
    late = np.clip(stream.normal(0.0, LOOSENESS[part.role], len(ordered)), -0.02, 0.02)
    touch = np.clip(stream.normal(1.0, 0.05, len(ordered)), 0.85, 1.15)
    played: list[Note] = []
    at, offset = -1.0, 0.0
    for note, slip, press in zip(ordered, late.tolist(), touch.tolist(), strict=True):
        if part.role != "drums" or note.start != at:
            at, offset = note.start, slip
        start = max(swing(note.start, amount, unit) + (offset if note.start else 0.0), 0.0)
        end = min(swing(note.start + note.length, amount, unit), form.end)
        force = min(note.force * press * (lean if part.role == "drums" else 0.5 + 0.5 * lean), 1.0)
        if end - start > 0.02:
            played.append(replace(note, start=start, length=end - start, pitch=note.pitch + shift, force=force))
    return Part(part.role, part.instrument, _untangled(played))


def _untangled(notes: list[Note]) -> tuple[Note, ...]:
    """End a note before the same pitch sounds again, and drop a note struck twice at once."""
    by_pitch: dict[int, list[Note]] = defaultdict(list)
    for note in sorted(notes, key=lambda n: (n.pitch, n.start, -n.force)):
        row = by_pitch[note.pitch]
        if row and note.start - row[-1].start < 0.05:
            continue
        if row and row[-1].start + row[-1].length > note.start - 0.01:
            row[-1] = replace(row[-1], length=note.start - 0.01 - row[-1].start)
        row.append(note)
    return tuple(sorted((n for row in by_pitch.values() for n in row), key=lambda n: (n.start, n.pitch)))
