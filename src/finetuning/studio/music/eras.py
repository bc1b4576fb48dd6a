"""What a time does to a piece: its instruments, its kit and the sound of its records."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files

import msgspec

__all__ = ["ERAS", "Era"]


@dataclass(frozen=True)
class Era:
    """The habits of a time, laid over those of a style.

    Attributes
    ----------
    roles : dict
        Instrument by role, in the place of the style's.
    kit : str or None
        Drum kit in the place of the style's.
    drums : bool
        Whether there is a kit at all.
    treble : float
        Corner of a gentle low pass in Hz; 0 for none.
    low, high : float
        Shelves in dB, added to the style's.
    room : float
        Added to the style's reverberation.
    """

    roles: dict[str, str] = field(default_factory=dict)
    kit: str | None = None
    drums: bool = True
    treble: float = 0.0
    low: float = 0.0
    high: float = 0.0
    room: float = 0.0


ERAS: dict[str, Era] = msgspec.toml.decode(files(__package__).joinpath("eras.toml").read_bytes(), type=dict[str, Era])
"""All eras, by the names that the words in ``words.toml`` stand for."""
