"""The band: General MIDI sounds with the registers in which they do well, and the words that call for them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import msgspec

__all__ = ["CALLS", "INSTRUMENTS", "KITS", "ROLES", "Instrument"]

ROLES = ("bass", "chords", "pad", "arp", "lead")
"""Pitched roles, from the ground up. Drums stand apart."""


@dataclass(frozen=True)
class Instrument:
    """A sound.

    Attributes
    ----------
    program : int
        General MIDI program, from 0.
    low, high : int
        MIDI pitches between which it carries a melody well.
    roles : tuple of str
        What it can do, the most natural first.
    """

    program: int
    low: int
    high: int
    roles: tuple[str, ...]


class _Band(msgspec.Struct, frozen=True):
    sounds: dict[str, Instrument]
    kits: dict[str, int]
    calls: dict[str, tuple[str, ...]]


_BAND = msgspec.toml.decode(files(__package__).joinpath("instruments.toml").read_bytes(), type=_Band)

INSTRUMENTS = _BAND.sounds
KITS = _BAND.kits
CALLS = _BAND.calls
"""Sounds by the word that calls for them, the plainest first."""
