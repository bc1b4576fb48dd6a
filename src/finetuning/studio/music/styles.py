"""What makes a style: its harmony, its groove, its instruments and its mix, all of it data in ``styles.toml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files

import msgspec

__all__ = ["STYLES", "Style"]


@dataclass(frozen=True)
class Style:
    """The habits of a style.

    Attributes
    ----------
    energy, density : float
        Where the style stands when the tags say nothing, 0 to 1.
    swing, unit : float
        Delay of off-beats in units of ``unit`` beats (1 swings eighths, 0.5 sixteenths).
    colour : int
        Tones a chord: 3 triads, 4 sevenths, 5 ninths.
    minor, major : tuple of str
        Progressions of four chords in Roman numerals, all beginning on the tonic.
    cadence : tuple of str
        Last chord before the end, in minor and in major.
    groove, bass_line, comping, padding, riff : str
        Names of the drum pattern, bass figure, chord rhythm, the pad's rhythm and manner of melody.
    half, double : float
        Tempo in bpm above which the groove is played in half time, and below which in double time; 0 for never.
    grid : float
        Beats between the notes of broken chords; 0 where the density decides.
    kits : tuple of str
        Drum kits that serve.
    bass, chords, pad, arp, lead : tuple of str
        Instruments that serve each role; none where the style has no such role.
    steady : tuple of str
        Roles that do not wait for their entry, but play from the start: what the style is known by.
    devices : tuple of str
        Devices of arrangement that it is fond of, named in ``devices.py``.
    levels : dict
        Loudness of each role in dB beside the others.
    room : float
        Reverberation, 0 to 1.
    duck : float
        How far the kick pushes the band down, in dB.
    treble : float
        Corner of a gentle low pass in Hz; 0 for none.
    low, high : float
        Shelves of the mix in dB, below 150 Hz and above 4 kHz.
    """

    energy: float
    density: float
    minor: tuple[str, ...]
    major: tuple[str, ...]
    groove: str
    bass_line: str
    comping: str
    riff: str
    kits: tuple[str, ...]
    bass: tuple[str, ...]
    chords: tuple[str, ...]
    pad: tuple[str, ...]
    arp: tuple[str, ...]
    lead: tuple[str, ...]
    cadence: tuple[str, str] = ("V", "V")
    swing: float = 0.0
    unit: float = 0.5
    colour: int = 3
    levels: dict[str, float] = field(default_factory=dict)
    room: float = 0.35
    duck: float = 0.0
    treble: float = 0.0
    low: float = 0.0
    high: float = 0.0
    padding: str = "held"
    half: float = 0.0
    double: float = 0.0
    grid: float = 0.0
    steady: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    def pace(self, bpm: float) -> float:
        """Say how fast the groove goes beside the beat: 0.5 in half time, 2.0 in double time, else 1.0."""
        return 0.5 if self.half and bpm > self.half else 2.0 if self.double and bpm < self.double else 1.0

    def swung(self, bpm: float) -> float:
        """Say how far off-beats are delayed at a tempo: all the way up to 110 bpm, and less the faster it goes."""
        pulse = bpm * self.pace(bpm)
        return round(self.swing * min(max(1.0 - (pulse - 110.0) / 180.0, 0.35), 1.0), 4)

    def sounds(self, role: str) -> tuple[str, ...]:
        """Name the instruments that serve a pitched role."""
        return {"bass": self.bass, "chords": self.chords, "pad": self.pad, "arp": self.arp, "lead": self.lead}[role]


STYLES: dict[str, Style] = msgspec.toml.decode(
    files(__package__).joinpath("styles.toml").read_bytes(), type=dict[str, Style]
)
"""All styles; ``pop`` is what music is when the tags do not say."""
