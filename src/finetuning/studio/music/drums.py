"""The kit: grooves by style and metre, fills at the ends of sections, and the kick that the bass follows."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from .form import Form, Section
from .hands import free, freed, ghosted, moved
from .metre import GROUPS, group_starts, paced_hits, stress
from .parts import Note
from .streams import Streams, pick

__all__ = ["DRUMS", "Groove", "choose_groove", "play_drums"]

DRUMS = {
    "concert": 35, "kick": 36, "rim": 37, "snare": 38, "clap": 39, "hat": 42, "low_tom": 45, "pedal": 44, "open": 46,
    "mid_tom": 47, "crash": 49, "high_tom": 50, "ride": 51, "tambourine": 54, "conga": 63, "timbale": 65, "shaker": 70,
    "triangle": 81,
}  # fmt: skip
"""General MIDI drum notes."""

GROOVES = tomllib.loads(files(__package__).joinpath("grooves.toml").read_text("utf-8"))

TREADING = frozenset({"triangle", "tambourine", "shaker", "concert"})
"""Time keepers that may mark a beat more; for the others the foot does."""

BACKBONE = frozenset({"kick", "snare", "clap"})


@dataclass(frozen=True)
class Groove:
    """One groove, ready for a metre.

    Attributes
    ----------
    metre : int
        Beats a bar.
    beat : dict
        Cells by voice.
    keep : tuple of str
        Cells of the time keeper, from sparse to dense.
    time, fill : str
        The voice that keeps time; the kind of fill.
    more : dict
        Cells that join in where the piece is fullest.
    crash : bool
        Whether sections open with a cymbal.
    rolls : float
        How often a stroke of the time keeper becomes a roll, 0 to 1.
    pace : float
        0.5 in half time, 2.0 in double time, else 1.0.
    """

    metre: int
    beat: dict[str, tuple[str, ...]]
    keep: tuple[str, ...]
    time: str
    fill: str
    more: dict[str, tuple[str, ...]]
    crash: bool
    rolls: float = 0.0
    pace: float = 1.0

    def hits(self, voice: str, bar: int) -> tuple[tuple[float, float], ...]:
        """Places in the bar and strengths of a voice of the beat.

        In the odd metres of five and seven the kick marks every group: that is how their accents are heard. In half
        time it leaves out the last, which is the backbeat's.
        """
        found = self.spread(self.beat[voice], bar) if voice in self.beat else ()
        if voice == "kick" and self.metre in (5, 7):
            places = {place for place, _ in found}
            starts = group_starts(self.metre)[: -1 if self.pace < 1 else None]
            found = tuple(sorted((*found, *((float(s), 0.9) for s in starts if s not in places))))
        return found

    def spread(self, cells: tuple[str, ...], bar: int) -> tuple[tuple[float, float], ...]:
        """Places and strengths of any rhythm in a bar, at the groove's pace."""
        found = paced_hits(cells, self.metre, bar, self.pace)
        if self.metre not in (5, 7):
            return found
        # the beat more that the group of three has keeps still between the beats, in every bar: so the group is heard
        wide = group_starts(self.metre)[GROUPS[self.metre].index(3)] + 1
        return tuple((place, force) for place, force in found if not wide < place < wide + 1)


def choose_groove(name: str, metre: int, streams: Streams, pace: float = 1.0) -> Groove:
    """One of the grooves of that name, in half time or double time where ``pace`` is 0.5 or 2.0."""
    table = GROOVES[name]
    beat = pick(streams.of("drums", "groove"), table["beats"])
    return Groove(
        metre=metre,
        beat={voice: _played(voice, cells, streams) for voice, cells in beat.items()},
        keep=tuple(free(cell, streams.of("drums", "keep", table["time"], n)) for n, cell in enumerate(table["keep"])),
        time=table["time"],
        fill=table["fill"],
        more={voice: _played(voice, cells, streams) for voice, cells in table["more"].items()},
        crash=table["crash"],
        rolls=table.get("rolls", 0.0),
        pace=pace,
    )


def _played(voice: str, cells: Sequence[str], streams: Streams) -> tuple[str, ...]:
    """Give a row of cells the habits of this piece's drummer: the same in every bar, so that the bar is recognised."""
    stream = streams.of("drums", "hand", voice)
    if voice in ("kick", "pedal"):
        return moved(cells, stream) if voice == "kick" else tuple(cells)
    if voice in ("snare", "rim"):
        return ghosted(cells, stream)
    if voice in ("clap", "crash"):
        return tuple(cells)
    return freed(cells, stream)


def play_drums(form: Form, groove: Groove, density: float, streams: Streams) -> tuple[Note, ...]:
    """Play the whole piece: less in intro and break, all in the chorus, a fill at the end of each phrase.

    The fill into a new section takes a whole group, the one between two phrases a beat.
    """
    notes: list[Note] = []
    for index, section in enumerate(form.sections):
        full = section.kind in ("verse", "chorus")
        notes.extend(_section(form, groove, section, density, streams))
        last = index + 1 == len(form.sections)
        for phrase in range(form.phrase_bars, section.bars, form.phrase_bars):
            stream = streams.of("drums", "turn", section.kind, section.number, phrase)
            _fill(notes, form, groove, section, section.first + phrase, 0.0, stream)
        if not last or not form.coda:
            stream = streams.of("drums", "fill", section.kind, section.number)
            _fill(notes, form, groove, section, section.first + section.bars, density, stream)
        if groove.crash and full and (index or form.bars == section.bars):
            notes.append(Note(float(section.first * form.metre), 2.0, DRUMS["crash"], 0.6 + 0.25 * section.weight))
    played = [note for note in notes if note.start < form.close]
    end = [Note(form.close, 2.0, DRUMS["kick"], 0.85)]
    if groove.crash:
        end.append(Note(form.close, 3.0, DRUMS["crash"], 0.7))
    return (*played, *end)


def _section(form: Form, groove: Groove, section: Section, density: float, streams: Streams) -> list[Note]:
    """Play the beat of a section."""
    full = section.kind in ("verse", "chorus")
    level = min(max(int(3 * (density + 0.25 * (section.weight - 0.7))), 0), 2)
    spared = () if full or groove.time == "shaker" else BACKBONE - {"kick"} if section.kind == "intro" else BACKBONE
    voices = {voice: cells for voice, cells in groove.beat.items() if voice not in spared}
    keeper = (groove.keep[level],) * 2
    if groove.time not in spared or not voices:
        voices[groove.time] = keeper
    if section.weight >= 0.85 and density > 0.35:
        voices |= {v: c for v, c in groove.more.items() if v not in voices}
    if section.kind == "outro":
        voices["kick"] = groove.beat.get("kick", ("x.......",) * 2)
    rolling = streams.of("drums", "rolls", section.kind, section.number) if groove.rolls else None
    notes: list[Note] = []
    for bar in range(section.first, section.first + section.bars):
        for voice, cells in voices.items():
            hits = groove.hits(voice, bar) if voice == "kick" else groove.spread(cells, bar)
            for place, strength in hits:
                weight = stress(place * groove.pace % form.metre if groove.pace > 1 else place, form.metre)
                force = strength * (0.55 + 0.45 * weight) * (0.72 + 0.28 * section.weight)
                force *= 0.75 if form.plain and place % 1 and voice != "kick" else 1.0
                at = bar * form.metre + place
                notes.append(Note(at, 0.2, DRUMS[voice], force))
                if rolling is not None and voice == groove.time and rolling.random() < groove.rolls:
                    notes.extend(_roll(at, DRUMS[voice], force, groove.pace, rolling))
    return notes + _pulse(form, section, groove, notes) if form.plain else notes


def _pulse(form: Form, section: Section, groove: Groove, notes: list[Note]) -> list[Note]:
    """Tread every beat that the time keeper does not mark."""
    kept = {n.start for n in notes if n.pitch == DRUMS[groove.time]}
    first, last = section.first * form.metre, (section.first + section.bars) * form.metre
    voice = groove.time if groove.time in TREADING else "pedal"
    return [
        Note(float(beat), 0.2, DRUMS[voice], 0.75 * stress(beat % form.metre, form.metre))
        for beat in range(first, last)
        if beat not in kept
    ]


def _roll(start: float, pitch: int, force: float, pace: float, stream: np.random.Generator) -> list[Note]:
    """Repeat a stroke three or four times within half a beat of the groove, fading in."""
    count = pick(stream, (3, 4))
    step = 0.5 / pace / count
    return [Note(start + k * step, 0.1, pitch, force * (0.6 + 0.1 * k)) for k in range(1, count)]


TOMS = ("snare", "high_tom", "mid_tom", "low_tom")


def _fill(
    notes: list[Note],
    form: Form,
    groove: Groove,
    section: Section,
    bar: int,
    density: float,
    stream: np.random.Generator,
) -> None:
    """Write a fill up to the beginning of a bar, in place of what marks the beat there."""
    if groove.fill == "none" or section.bars < 2 or section.kind == "intro":
        return
    size = GROUPS[form.metre][-1] if density > 0.45 else 1
    end = min(float(bar * form.metre), form.close)
    start = end - size
    spared = {DRUMS[v] for v in ("kick", "rim", "snare", "clap")}
    notes[:] = [n for n in notes if n.start < start or n.start >= end or n.pitch not in spared]
    grid = (0.25 if density > 0.5 and groove.fill != "soft" else 0.5) / groove.pace
    places = np.arange(start, end - 1e-6, grid)
    # of a fill of a beat nothing can be left out
    kept = places[(stream.random(len(places)) < 0.8) | (places % 1 == 0) | (size == 1)]
    for place in kept.tolist():
        through = (place - start) / size
        force = 0.5 + 0.4 * through
        if groove.fill == "toms":
            voice = TOMS[min(int(4 * through), 3)]
        elif groove.fill == "roll":
            voice = "snare"
        elif groove.fill == "drop":
            voice = "clap" if through >= 0.5 else "hat"
        elif groove.fill == "thunder":
            voice = "concert" if through < 0.5 else "kick"
        elif groove.fill == "timbales":
            voice = "timbale"
        elif groove.fill == "swell":
            voice, force = "snare", 0.3 + 0.3 * through
        else:
            voice, force = "rim", 0.35 + 0.2 * through
        notes.append(Note(place, 0.2, DRUMS[voice], force))
    if groove.fill in ("toms", "soft", "timbales"):
        notes.append(Note(start, 0.2, DRUMS["kick"], 0.75))
