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
from .melody import play_melody
from .parts import Note, Part
from .streams import Streams
from .styles import STYLES, Style
from .words import Understanding, understand

__all__ = ["Piece", "compose"]


@dataclass(frozen=True)
class Piece:
    """A composed piece, written as if C were the tonic."""

    brief: Brief
    heard: Understanding
    style: Style
    cast: Cast
    form: Form
    spans: tuple[Span, ...]
    parts: tuple[Part, ...]
    streams: Streams

    def understood(self) -> dict[str, object]:
        """Tell what was read in the tags and decided from it, fit for JSON."""
        return {
            "style": self.heard.style,
            "mood": self.heard.mood,
            "energy": self.heard.energy,
            "density": self.heard.density,
            "drums": self.cast.kit is not None,
            "kit": self.cast.kit,
            "instruments": {part.role: part.instrument for part in self.parts if part.role != "drums"},
            "refused": list(self.heard.refused),
            "sections": [f"{section.kind} {section.bars}" for section in self.form.sections],
            "chords": [span.chord.numeral for span in self.spans],
            "swing": self.style.swing,
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
    groove = choose_groove(style.groove, form.metre, streams)
    written: dict[str, tuple[Note, ...]] = {}
    if cast.kit is not None:
        written["drums"] = play_drums(form, groove, heard.density, streams)
    if "bass" in cast.roles:
        written["bass"] = play_bass(form, spans, groove, style.bass_line, brief.scale, streams)
    if "chords" in cast.roles:
        written["chords"] = play_chords(form, spans, style.comping, _room_below(cast), streams)
    alone = "chords" not in cast.roles
    if "pad" in cast.roles:
        written["pad"] = play_pad(form, spans, alone)
    if "arp" in cast.roles:
        written["arp"] = play_arp(form, spans, heard.density, alone or heard.style == "ambient", streams)
    if "lead" in cast.roles:
        sound = INSTRUMENTS[cast.roles["lead"]]
        written["lead"] = play_melody(form, spans, sound, style.riff, heard.density, brief.scale, streams, alone)
    names = {**cast.roles, "drums": cast.kit or ""}
    parts = tuple(Part(role, names[role], notes) for role, notes in written.items() if notes)
    return Piece(brief, heard, style, cast, form, spans, parts, streams)
