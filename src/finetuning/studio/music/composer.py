"""From a brief to a piece: the order in which things are decided."""

from __future__ import annotations

from dataclasses import dataclass

from .bass import play_bass
from .brief import Brief
from .cast import Cast, choose_cast
from .chords import play_arp, play_chords, play_pad
from .drums import choose_groove, play_drums
from .form import Form, plan
from .harmony import Span, harmonise
from .instruments import INSTRUMENTS
from .layers import entries
from .melody import play_melody
from .parts import Note, Part
from .streams import Streams
from .styles import STYLES, Style
from .words import Understanding, understand

__all__ = ["Piece", "compose"]


FEELS = {0.5: "half time", 1.0: "straight", 2.0: "double time"}
"""What a groove's pace is called."""


@dataclass(frozen=True)
class Piece:
    """A composed piece, written as if C were the tonic."""

    brief: Brief
    heard: Understanding
    style: Style
    cast: Cast
    form: Form
    spans: tuple[Span, ...]
    pace: float
    parts: tuple[Part, ...]
    streams: Streams

    def understood(self) -> dict[str, object]:
        """Tell what was read in the tags and decided from it, fit for JSON."""
        return {
            "style": self.heard.style,
            "mood": self.heard.mood,
            "energy": self.heard.energy,
            "density": self.heard.density,
            "era": self.heard.era,
            "drums": self.cast.kit is not None,
            "kit": self.cast.kit,
            "instruments": {part.role: part.instrument for part in self.parts if part.role != "drums"},
            "refused": list(self.heard.refused),
            "sections": [f"{section.kind} {section.bars}" for section in self.form.sections],
            "chords": [span.chord.numeral for span in self.spans],
            "swing": self.style.swung(self.brief.bpm),
            "feel": FEELS[self.pace],
            "unknown": list(self.heard.unknown),
        }


def _room_below(cast: Cast) -> int:
    """Count the semitones that the chords move down for a melody in a low register."""
    lead = INSTRUMENTS.get(cast.roles.get("lead", ""))
    return 0 if lead is None else min(max(71 - (lead.low + lead.high) // 2, 0), 6)


def compose(brief: Brief) -> Piece:
    """Write the piece: form, harmony, drums, bass, chords, and the melody over them."""
    heard = understand(brief.tags)
    style = STYLES[heard.style]
    streams = Streams(brief.seed, heard.text)
    cast = choose_cast(heard, streams)
    form = plan(brief, streams)
    spans = harmonise(form, style, brief.scale, streams)
    pace = style.pace(brief.bpm)
    groove = choose_groove(style.groove, form.metre, streams, pace)
    entry = entries(form, cast, style, streams)
    sounds = {role: INSTRUMENTS[name] for role, name in cast.roles.items()}
    alone = "chords" not in cast.roles
    written: dict[str, tuple[Note, ...]] = {}
    if cast.kit is not None:
        written["drums"] = play_drums(form, groove, heard.density, streams)
    if "bass" in sounds:
        written["bass"] = play_bass(form, spans, groove, sounds["bass"], style.bass_line, brief.scale, streams)
    if "chords" in sounds:
        below = _room_below(cast)
        written["chords"] = play_chords(form, spans, sounds["chords"], style.comping, below, groove, streams)
    if "pad" in sounds:
        written["pad"] = play_pad(form, spans, sounds["pad"], style.padding, entry["pad"], groove, streams)
    if "arp" in sounds:
        grid = (style.grid or (0.25 if heard.density > 0.7 else 0.5)) / pace
        written["arp"] = play_arp(form, spans, sounds["arp"], grid, entry["arp"], streams)
    if "lead" in sounds:
        written["lead"] = play_melody(
            form, spans, sounds["lead"], style.riff, heard.density, brief.scale, streams, alone, pace
        )
    names = {**cast.roles, "drums": cast.kit or ""}
    parts = tuple(Part(role, names[role], notes) for role, notes in written.items() if notes)
    return Piece(brief, heard, style, cast, form, spans, pace, parts, streams)
