"""Notes and parts: what every player writes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Note", "Part"]


@dataclass(frozen=True, slots=True)
class Note:
    """One note.

    Attributes
    ----------
    start, length : float
        Beats from the start of the piece.
    pitch : int
        MIDI pitch as if C were the tonic; for drums the General MIDI drum note.
    force : float
        0 to 1.
    syllable : str
        What is sung on it; a hyphen at its end where the word goes on.
    """

    start: float
    length: float
    pitch: int
    force: float
    syllable: str = ""


@dataclass(frozen=True)
class Part:
    """One player.

    Attributes
    ----------
    role : str
        drums, bass, chords, pad, arp or lead.
    instrument : str
        Name in ``INSTRUMENTS``, or in ``KITS`` for drums.
    notes : tuple of Note
        In any order.
    """

    role: str
    instrument: str
    notes: tuple[Note, ...]
