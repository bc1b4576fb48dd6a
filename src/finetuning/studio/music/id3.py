"""Labels for MP3 files: ID3v2.4 tags, in UTF-8 (id3.org, "ID3 tag version 2.4.0 - Native Frames")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Label", "write_id3"]

UTF_8 = b"\x03"
MILLISECONDS, LYRICS = b"\x02", b"\x01"
LONGEST = 2**28
"""Bytes that a frame or a tag can have: sizes are written in four times seven bits."""


@dataclass(frozen=True)
class Label:
    """What is written on a piece. Empty fields are left out.

    Parameters
    ----------
    title, artist, comment : str
        Free text; line breaks are kept in the comment.
    bpm : int or None
        Quarter notes a minute.
    key : str
        Musical key, at most three characters: ``"Cm"``, ``"F#"``.
    own : mapping of str to str
        Texts under names that the standard does not know.
    lyrics : str
        Words without times.
    timed : sequence of (float, str)
        Words with the seconds at which they are heard.
    language : str
        ISO 639-2, three letters, of comment and lyrics; ``"und"`` where it is not known.
    """

    title: str = ""
    artist: str = ""
    comment: str = ""
    bpm: int | None = None
    key: str = ""
    own: Mapping[str, str] = field(default_factory=dict)
    lyrics: str = ""
    timed: Sequence[tuple[float, str]] = ()
    language: str = "und"


def _text(text: str, lines: bool = False) -> bytes:
    """Encode a text: no NUL (it would end it), no lone surrogate, control characters become spaces."""
    kept = "\n" if lines else ""
    clean = "".join(c if c in kept or not (ord(c) < 32 or 127 <= ord(c) < 160) else " " for c in _unbroken(text))
    return clean.encode("utf-8", "replace")


def _unbroken(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _size(count: int) -> bytes:
    """Write a size in four bytes of seven bits, which cannot be mistaken for the beginning of an MP3 frame."""
    if count >= LONGEST:
        raise ValueError(
            f"{count} bytes are too many for an ID3 tag, which holds less than {LONGEST}; shorten the texts"
        )
    return bytes(count >> shift & 0x7F for shift in (21, 14, 7, 0))


def _frame(name: str, body: bytes) -> bytes:
    return name.encode("ascii") + _size(len(body)) + bytes(2) + body


def write_id3(label: Label) -> bytes:
    """Write the tag that goes in front of an MP3.

    Returns
    -------
    bytes
        TIT2, TPE1, TBPM, TKEY, COMM, TXXX, USLT and SYLT as far as there is something to write.

    Raises
    ------
    ValueError
        If the language is not three letters, the key longer than three characters, a time negative or beyond what 32
        bits of milliseconds hold, or if all of it is 256 MiB or more.
    """
    if not (len(label.language) == 3 and label.language.isascii() and label.language.isalpha()):
        raise ValueError(f"language is {label.language!r}; give three letters of ISO 639-2, such as eng, or und")
    if len(label.key) > 3:
        raise ValueError(f"key is {label.key!r}; give at most three characters, such as Cm or F#m")
    language = label.language.lower().encode("ascii")
    frames = []
    bpm = "" if label.bpm is None else str(label.bpm)
    for name, text in (("TIT2", label.title), ("TPE1", label.artist), ("TBPM", bpm), ("TKEY", label.key)):
        if text:
            frames.append(_frame(name, UTF_8 + _text(text)))
    if label.comment:
        frames.append(_frame("COMM", UTF_8 + language + b"\0" + _text(label.comment, lines=True)))
    for name, text in label.own.items():
        if text:
            frames.append(_frame("TXXX", UTF_8 + _text(name) + b"\0" + _text(text)))
    if label.lyrics:
        frames.append(_frame("USLT", UTF_8 + language + b"\0" + _text(label.lyrics, lines=True)))
    if label.timed:
        # the standard wants the times in order
        lines = b"".join(_text(text, lines=True) + b"\0" + _time(at) for at, text in sorted(label.timed, key=_moment))
        frames.append(_frame("SYLT", UTF_8 + language + MILLISECONDS + LYRICS + b"\0" + lines))
    body = b"".join(frames)
    return b"ID3\x04\0\0" + _size(len(body)) + body if body else b""


def _moment(line: tuple[float, str]) -> float:
    return line[0]


def _time(seconds: float) -> bytes:
    if not 0 <= seconds < 2**32 / 1000 - 1:
        raise ValueError(f"a line of lyrics at {seconds} s cannot be written; times are 0 to {2**32 // 1000 - 2} s")
    return round(seconds * 1000).to_bytes(4, "big")
