"""From a brief to a piece: the order in which things are decided."""

from __future__ import annotations

from dataclasses import dataclass

from .bass import play_bass
from .brief import Brief
from .cast import Cast, choose_cast
from .chords import play_arp, play_chords, play_pad
from .devices import Scene, arrange
from .drums import choose_groove, play_drums
from .form import Form, plan
from .harmony import Span, harmonise
from .instruments import INSTRUMENTS
from .layers import entries
from .lyrics import Block, read_lyrics
from .melody import Singer, play_melody
from .parts import Note, Part
from .singing import assign, sing_lyrics
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
    blocks: tuple[Block, ...]
    devices: tuple[str, ...]
    swells: tuple[tuple[float, float], ...]
    parts: tuple[Part, ...]
    streams: Streams

    @property
    def sung(self) -> tuple[Note, ...]:
        """Notes that carry a syllable, in order."""
        return tuple(note for part in self.parts for note in part.notes if note.syllable)

    @property
    def lines_sung(self) -> int:
        """How many lines of the lyrics there was time for."""
        return sum(note.syllable.endswith("\r") for note in self.sung)

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
            "devices": list(self.devices),
            "lyrics": {"lines": sum(len(b.lines) for b in self.blocks), "sung": self.lines_sung},
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


def compose(brief: Brief, streams: Streams | None = None) -> Piece:
    """Write the piece: form, harmony, drums, bass, chords, the melody over them, and how it is arranged.

    ``streams`` are those of the brief's seed and tags where none are given.
    """
    heard = understand(brief.tags)
    style = STYLES[heard.style]
    streams = streams or Streams(brief.seed, heard.text)
    cast = choose_cast(heard, streams)
    blocks = read_lyrics(brief.lyrics, brief.language) if "voice" not in heard.refused else ()
    named = any(block.kind for block in blocks)
    asked = [(block.kind or "verse", len(block.lines)) for block in blocks] if named else []
    form = plan(brief, streams, asked)
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
        grid = style.grid or (0.25 if heard.density > 0.7 else 0.5)
        # half time does not make broken chords slower than eighths: they may be all that tells the beat
        grid = grid / pace if grid / pace <= 0.5 else grid
        written["arp"] = play_arp(form, spans, sounds["arp"], grid, entry["arp"], streams)
    if "lead" in sounds:
        singer = Singer(form, sounds["lead"], brief.scale)
        sung, taken = sing_lyrics(form, spans[:-1], singer, assign(form, blocks), streams, not named)
        written["lead"] = play_melody(
            form, spans, singer, style.riff, heard.density, streams, alone=alone, pace=pace, sung=sung, taken=taken
        )
    whole = {role: notes for role, notes in written.items() if notes}
    arranged = arrange(whole, Scene(form, spans, sounds, bool(blocks)), style.devices, streams)
    names = {**cast.roles, "drums": cast.kit or ""}
    parts = tuple(Part(role, names[role], notes) for role, notes in arranged.written.items() if notes)
    return Piece(brief, heard, style, cast, form, spans, pace, blocks, arranged.names, arranged.swells, parts, streams)
