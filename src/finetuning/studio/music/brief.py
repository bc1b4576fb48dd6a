"""What the composer is asked for, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field

from .theory import KEYS, SCALES

__all__ = ["Brief", "Take"]


@dataclass(frozen=True)
class Brief:
    """A request for one piece of music.

    Parameters
    ----------
    tags : str
        Free prose in any language; known words choose style, mood, energy and instruments, unknown ones steer the seed.
    lyrics : str
        Words for the melody: a note a syllable, a line a breath. Labels in square brackets, such as ``[Chorus]``, call
        for sections. No voice is heard; an instrument plays them, and the score and the file's tags carry the words.
    bpm : int
        Quarter notes a minute, 60 to 200.
    key : str
        Tonic, one of ``C C# D D# E F F# G G# A A# B``.
    scale : str
        ``"major"`` or ``"minor"``.
    time_signature : int
        Quarter notes a bar, 2 to 7.
    duration : float
        Seconds, 5 to 210.
    language : str or None
        ISO 639-1; tells how the lyrics are split into syllables.
    seed : int
        Any integer, negative or wide. Another seed is another piece in the same style.

    Raises
    ------
    ValueError
        If a field lies outside what is written above.
    """

    tags: str
    lyrics: str = ""
    bpm: int = 120
    key: str = "C"
    scale: str = "minor"
    time_signature: int = 4
    duration: float = 60.0
    language: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.key not in KEYS:
            raise ValueError(f"key is {self.key!r}; choose one of {', '.join(KEYS)}")
        if self.scale not in SCALES:
            raise ValueError(f"scale is {self.scale!r}; choose major or minor")
        for name, value, low, high, unit in (
            ("bpm", self.bpm, 60, 200, "quarter notes a minute"),
            ("time_signature", self.time_signature, 2, 7, "quarter notes a bar"),
            ("duration", self.duration, 5, 210, "seconds"),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; choose {low} to {high} {unit}")


@dataclass(frozen=True)
class Take:
    """One finished piece.

    Attributes
    ----------
    title : str
        At most 80 characters.
    mp3, midi : bytes
        The piece as sound (48 kHz stereo, -14 LUFS) and as a score.
    duration : float
        Length of the MP3 in seconds.
    understood : dict
        What was read in the tags and decided from them; fit for JSON. Among it ``style``, ``mood``, ``energy``,
        ``density``, ``era``, ``instruments``, ``refused``, ``unknown`` words, ``feel``, ``devices`` and ``lyrics``.
    """

    title: str
    mp3: bytes = field(repr=False)
    midi: bytes = field(repr=False)
    duration: float
    understood: dict[str, object]
