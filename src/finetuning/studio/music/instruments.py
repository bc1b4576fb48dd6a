"""The band: General MIDI sounds with the registers in which they do well, and the words that call for them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import msgspec

__all__ = ["CALLS", "INSTRUMENTS", "KITS", "ROLES", "Instrument"]

ROLES = ("bass", "chords", "pad", "arp", "lead")
"""Pitched roles, from the ground up. Drums stand apart."""


DOWN, UP = 5, 6
"""Semitones by which the furthest keys lie below and above C."""

SPAN = 18


@dataclass(frozen=True)
class Instrument:
    """A sound.

    Attributes
    ----------
    program : int
        General MIDI program, from 0.
    low, high : int
        MIDI pitches between which it carries a melody well.
    bottom, top : int
        Its lowest and its highest pitch, beyond which nothing is written for it in any key.
    roles : tuple of str
        What it can do, the most natural first.
    """

    program: int
    low: int
    high: int
    bottom: int
    top: int
    roles: tuple[str, ...]

    def register(self, low: int, high: int) -> tuple[int, int]:
        """Fit a stretch of pitches, written as if C were the tonic, to what it reaches in every key.

        A key moves music down by five semitones at most and up by six. A stretch keeps the octave and a half that
        chords need to be set in.
        """
        lowest, highest = self.bottom + DOWN, self.top - UP
        low = max(low, lowest)
        high = min(max(high, low + SPAN), highest)
        return max(min(low, high - SPAN), lowest), high


class _Band(msgspec.Struct, frozen=True):
    sounds: dict[str, Instrument]
    kits: dict[str, int]
    calls: dict[str, tuple[str, ...]]


_BAND = msgspec.toml.decode(files(__package__).joinpath("instruments.toml").read_bytes(), type=_Band)

INSTRUMENTS = _BAND.sounds
KITS = _BAND.kits
CALLS = _BAND.calls
"""Sounds by the word that calls for them, the plainest first."""
