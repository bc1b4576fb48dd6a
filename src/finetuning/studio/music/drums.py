"""The kit: grooves by style and metre, fills at the ends of sections, and the kick that the bass follows."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from .form import Form, Section
from .metre import GROUPS, bar_hits, group_starts, stress
from .parts import Note
from .streams import Streams, pick

__all__ = ["DRUMS", "Groove", "choose_groove", "play_drums"]

DRUMS = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "hat": 42, "low_tom": 45, "pedal": 44, "open": 46, "mid_tom": 47,
    "crash": 49, "high_tom": 50, "ride": 51, "tambourine": 54, "conga": 63, "shaker": 70,
}  # fmt: skip
"""General MIDI drum notes."""

GROOVES = tomllib.loads(files(__package__).joinpath("grooves.toml").read_text("utf-8"))

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
    """

    metre: int
    beat: dict[str, tuple[str, ...]]
    keep: tuple[str, ...]
    time: str
    fill: str
    more: dict[str, tuple[str, ...]]
    crash: bool

    def hits(self, voice: str, bar: int) -> tuple[tuple[float, float], ...]:
        """Places in the bar and strengths of a voice of the beat.

        In the odd metres of five and seven the kick marks every group: that is how their accents are heard.
        """
        found = bar_hits(self.beat[voice], self.metre, bar) if voice in self.beat else ()
        if voice == "kick" and self.metre in (5, 7):
            places = {place for place, _ in found}
            found = tuple(sorted((*found, *((float(s), 0.9) for s in group_starts(self.metre) if s not in places))))
        return found


def choose_groove(name: str, metre: int, streams: Streams) -> Groove:
    """One of the grooves of that name."""
    table = GROOVES[name]
    beat = pick(streams.of("drums", "groove"), table["beats"])
    return Groove(
        metre=metre,
        beat={voice: tuple(cells) for voice, cells in beat.items()},
        keep=tuple(table["keep"]),
        time=table["time"],
        fill=table["fill"],
        more={voice: tuple(cells) for voice, cells in table["more"].items()},
        crash=table["crash"],
    )


def play_drums(form: Form, groove: Groove, density: float, streams: Streams) -> tuple[Note, ...]:
    """Play the whole piece: less in intro and break, all in the chorus, a fill into each new section."""
    notes: list[Note] = []
    for index, section in enumerate(form.sections):
        full = section.kind in ("verse", "chorus")
        level = min(max(int(3 * (density + 0.25 * (section.weight - 0.7))), 0), 2)
        spared = () if full or groove.time == "shaker" else BACKBONE - {"kick"} if section.kind == "intro" else BACKBONE
        voices = {voice: cells for voice, cells in groove.beat.items() if voice not in spared}
        voices[groove.time] = (groove.keep[level],) * 2
        if section.weight >= 0.85 and density > 0.35:
            voices |= {v: c for v, c in groove.more.items() if v not in voices}
        if section.kind == "outro":
            voices["kick"] = groove.beat.get("kick", ("x.......",) * 2)
        for bar in range(section.first, section.first + section.bars):
            for voice, cells in voices.items():
                hits = groove.hits(voice, bar) if voice == "kick" else bar_hits(cells, form.metre, bar)
                for place, strength in hits:
                    force = strength * (0.55 + 0.45 * stress(place, form.metre)) * (0.72 + 0.28 * section.weight)
                    notes.append(Note(bar * form.metre + place, 0.2, DRUMS[voice], force))
        if index + 1 < len(form.sections) or not form.coda:
            _fill(notes, form, groove, section, density, streams.of("drums", "fill", section.kind, section.number))
        if groove.crash and full and (index or form.bars == section.bars):
            notes.append(Note(float(section.first * form.metre), 2.0, DRUMS["crash"], 0.6 + 0.25 * section.weight))
    played = [note for note in notes if note.start < form.close]
    last = [Note(form.close, 2.0, DRUMS["kick"], 0.85)]
    if groove.crash:
        last.append(Note(form.close, 3.0, DRUMS["crash"], 0.7))
    return (*played, *last)


def _fill(
    notes: list[Note], form: Form, groove: Groove, section: Section, density: float, stream: np.random.Generator
) -> None:
    """Write a fill over the last group of the section, in place of what keeps the beat there."""
    if groove.fill == "none" or section.bars < 2 or section.kind == "intro":
        return
    size = GROUPS[form.metre][-1] if density > 0.45 else 1
    end = min(float((section.first + section.bars) * form.metre), form.close)
    start = end - size
    notes[:] = [n for n in notes if n.start < start or n.start >= end or n.pitch not in (36, 38, 39, 37)]
    grid = 0.25 if density > 0.5 and groove.fill != "soft" else 0.5
    places = np.arange(start, end - 1e-6, grid)
    kept = places[(stream.random(len(places)) < 0.8) | (places % 1 == 0)]
    for place in kept.tolist():
        through = (place - start) / size
        force = 0.5 + 0.4 * through
        if groove.fill == "toms":
            voice = ("snare", "high_tom", "mid_tom", "low_tom")[min(int(4 * through), 3)]
        elif groove.fill == "roll":
            voice = "snare"
        elif groove.fill == "drop":
            voice = "clap" if through >= 0.5 else "hat"
        else:
            voice, force = "rim", 0.35 + 0.2 * through
        notes.append(Note(place, 0.2, DRUMS[voice], force))
    if groove.fill in ("toms", "soft"):
        notes.append(Note(start, 0.2, DRUMS["kick"], 0.75))
