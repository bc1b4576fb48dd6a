"""What a take's MIDI says: the metre that its patterns repeat in, and how much two takes are alike."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise

import mido
import numpy as np

from finetuning.studio.music import Brief
from finetuning.studio.music.composer import compose
from finetuning.studio.music.performance import perform
from finetuning.studio.music.score import Fader, write_midi

__all__ = ["Score", "Stroke", "melodic_likeness", "read_score", "rhythmic_likeness", "write_score"]

GRAM = 4
"""Intervals in a row that are taken for a melodic figure."""

GRID = 4
"""Places in a quarter note that onsets are counted in."""


@dataclass(frozen=True)
class Stroke:
    """One note: its beginning in quarter notes, its MIDI pitch and velocity."""

    start: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Score:
    """A read MIDI file.

    Attributes
    ----------
    bpm : float
        Quarter notes a minute.
    metre : int
        Quarter notes a bar, as the file says.
    parts : dict
        Strokes by role, in order.
    """

    bpm: float
    metre: int
    parts: dict[str, tuple[Stroke, ...]]

    @property
    def melody(self) -> tuple[Stroke, ...]:
        """The lead; where there is none, the highest of what sounds at once in the chords or the arpeggio."""
        for role in ("lead", "arp", "chords", "pad"):
            if role in self.parts:
                highest: dict[int, Stroke] = {}
                for stroke in self.parts[role]:
                    place = round(stroke.start * GRID)
                    if place not in highest or stroke.pitch > highest[place].pitch:
                        highest[place] = stroke
                return tuple(highest[place] for place in sorted(highest))
        return ()

    def agreements(self) -> dict[int, float]:
        """Measure how well strokes agree with those so many beats later, for 2 to 7 beats: at most 1."""
        places = round(max(s.start for strokes in self.parts.values() for s in strokes) * GRID) + 1
        grids: dict[Hashable, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
        for role, strokes in self.parts.items():
            for stroke in strokes:
                # each piece of the kit has its own pattern; the other parts' pitches follow the chords
                grid = grids.setdefault((role, stroke.pitch if role == "drums" else 0), np.zeros(places))
                place = round(stroke.start * GRID)
                grid[place] = max(grid[place], stroke.velocity)
        table = np.array(list(grids.values()))
        found = {}
        for beats in range(2, 8):
            here, there = table[:, : -beats * GRID], table[:, beats * GRID :]
            power = float((here * here).sum() * (there * there).sum())
            found[beats] = float((here * there).sum()) / power**0.5 if power else 0.0
        return found

    def keeps_metre(self) -> bool:
        """Tell whether it repeats in bars of its metre, or in equal parts or multiples of them, as well as in any."""
        found = self.agreements()
        kin = [value for beats, value in found.items() if beats % self.metre == 0 or self.metre % beats == 0]
        return max(kin) >= max(found.values()) - 0.05


def read_score(midi: bytes) -> Score:
    """Read a take's MIDI."""
    file = mido.MidiFile(file=io.BytesIO(midi), charset="utf-8")
    meta = {message.type: message for message in file.tracks[0]}
    parts: dict[str, tuple[Stroke, ...]] = {}
    for track in file.tracks[1:]:
        now, strokes, name = 0, [], ""
        for message in track:
            now += message.time
            if message.type == "track_name":
                name = message.name.partition(":")[0]
            elif message.type == "note_on" and message.velocity:
                strokes.append(Stroke(now / file.ticks_per_beat, message.note, message.velocity))
        if strokes:
            parts[name] = tuple(strokes)
    return Score(60e6 / meta["set_tempo"].tempo, meta["time_signature"].numerator, parts)


def write_score(brief: Brief) -> Score:
    """Make the score alone, as it is written before anything is mixed."""
    piece = compose(brief)
    parts = perform(piece)
    flat = {part.role: Fader(100, 64, 0, 0) for part in parts}
    return read_score(write_midi(parts, flat, piece.form, brief.key, brief.scale))


def _dice(one: Counter[Hashable], other: Counter[Hashable]) -> float:
    """Share what two bags have in common: 1 where they are equal, 0 where nothing is in both (Dice)."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


def _figures(score: Score) -> Counter[Hashable]:
    melody = score.melody
    steps = [b.pitch - a.pitch for a, b in pairwise(melody)]
    return Counter(tuple(steps[at : at + GRAM]) for at in range(len(steps) - GRAM + 1))


def melodic_likeness(one: Score, other: Score) -> float:
    """Share the figures of two melodies: four intervals in a row, in semitones, whatever their rhythm.

    Keys do not matter. 1 for the same melody, 0 where no figure is in both.
    """
    return _dice(_figures(one), _figures(other))


def _onsets(score: Score) -> Counter[Hashable]:
    return Counter(
        (role, stroke.pitch if role == "drums" else 0, round(stroke.start * GRID))
        for role, strokes in score.parts.items()
        for stroke in strokes
    )


def rhythmic_likeness(one: Score, other: Score) -> float:
    """Share the onsets of two pieces: the same part, or the same drum, in the same sixteenth of the piece.

    1 for the same rhythm throughout. Pieces of one style share their groove, and so much of their onsets.
    """
    return _dice(_onsets(one), _onsets(other))
