"""What of a SoundFont a piece needs: the same presets, without the samples that nothing plays.

The renderer takes a SoundFont whole and unpacks it for every piece. FluidR3 has 148 MB, of which a band of six uses a
tenth. The layout is that of the SoundFont Technical Specification 2.04, sections 4 to 7.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cut", "programs_of"]

Table = npt.NDArray[Any]

PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")])
INSTRUMENT = np.dtype([("name", "S20"), ("bag", "<u2")])
BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
GENERATOR = np.dtype([("operator", "<u2"), ("amount", "<u2")])
SAMPLE = np.dtype(
    [("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop", "<u4"), ("again", "<u4"), ("rest", "V10")]
)
USES_INSTRUMENT, USES_SAMPLE = 41, 53
"""Generators whose amount is the index of an instrument, and of a sample."""

GUARD = 46
"""Zeros that the specification wants after each sample, over which players may read."""

DRUMS = 128
"""The bank of the kits."""


def _chunks(data: memoryview, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Walk through RIFF chunks: name, and where the content begins and ends."""
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > end:
            raise ValueError(f"the SoundFont is cut short: its chunk {name!r} at byte {at} has {size} bytes")
        yield name, at + 8, at + 8 + size
        at += 8 + size + size % 2


def _chunk(name: bytes, *content: bytes) -> bytes:
    size = sum(map(len, content))
    return b"".join((struct.pack("<4sI", name, size), *content, bytes(size % 2)))


class _Bank:
    """The tables of a SoundFont, and where its samples lie."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.info = b""
        self.sound = 0
        self.lists: dict[bytes, bytes] = {}
        for name, start, end in _chunks(data, 12, len(data)):
            kind = bytes(data[start : start + 4]) if name == b"LIST" else b""
            if kind == b"INFO":
                self.info = bytes(data[start:end])
            elif kind in (b"sdta", b"pdta"):
                for inner, first, last in _chunks(data, start + 4, end):
                    if inner == b"smpl":
                        self.sound = first
                    elif kind == b"pdta":
                        self.lists[inner] = bytes(data[first:last])

    def table(self, name: bytes, shape: np.dtype[Any]) -> Table:
        return np.frombuffer(self.lists[name], shape)

    def _owners(self, which: Iterable[int], bags: Table, zones: Table, generators: Table, operator: int) -> set[int]:
        """Collect what the generators of one kind name in the zones of some presets or instruments."""
        found: set[int] = set()
        for one in which:
            first, last = zones["generator"][bags["bag"][[one, one + 1]]]
            own = generators[first:last]
            found.update(own["amount"][own["operator"] == operator].tolist())
        return found

    def samples_of(self, wanted: Iterable[tuple[int, int]]) -> list[int]:
        """Find the samples that presets, by bank and program, are made of."""
        presets = self.table(b"phdr", PRESET)
        places: dict[tuple[int, int], int] = {}
        for index, (bank, program) in enumerate(zip(presets["bank"][:-1], presets["program"][:-1], strict=True)):
            places.setdefault((int(bank), int(program)), index)
        chosen = {places[_substitute(preset, places)] for preset in wanted}
        instruments = self._owners(
            chosen, presets, self.table(b"pbag", BAG), self.table(b"pgen", GENERATOR), USES_INSTRUMENT
        )
        heads = self.table(b"inst", INSTRUMENT)
        return sorted(
            self._owners(instruments, heads, self.table(b"ibag", BAG), self.table(b"igen", GENERATOR), USES_SAMPLE)
        )

    def reduced(self, wanted: Iterable[tuple[int, int]]) -> bytes:
        """Write it without the samples that some presets do not use."""
        used = self.samples_of(wanted)
        heads = self.table(b"shdr", SAMPLE).copy()
        kept = heads[used]
        pieces: list[bytes] = []
        for name in ("start", "end", "loop", "again"):
            heads[name] = 0
        at = 0
        for index, head in zip(used, kept, strict=True):
            start, end = int(head["start"]), int(head["end"])
            piece = bytes(self.data[self.sound + 2 * start : self.sound + 2 * (end + GUARD)])
            pieces.append(piece)
            for name in ("start", "end", "loop", "again"):
                heads[name][index] = int(head[name]) - start + at
            at += len(piece) // 2
        lists = {**self.lists, b"shdr": heads.tobytes()}
        return _chunk(
            b"RIFF",
            b"sfbk",
            _chunk(b"LIST", self.info),
            _chunk(b"LIST", b"sdta", _chunk(b"smpl", *pieces)),
            _chunk(b"LIST", b"pdta", *(_chunk(name, content) for name, content in lists.items())),
        )


def _substitute(preset: tuple[int, int], there: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Name what the renderer plays for a preset that is not there: the standard kit, else the very first preset."""
    known = set(there)
    choices = (preset, (DRUMS, 0)) if preset[0] == DRUMS else (preset,)
    return next((choice for choice in choices if choice in known), min(known))


@lru_cache(maxsize=1)
def cut(path: Path, changed: int, wanted: frozenset[tuple[int, int]]) -> bytes:
    """Write a SoundFont that plays some presets exactly as the whole does.

    Every table stays as it is, so that presets, instruments and samples keep their numbers; samples that the presets
    do not use become empty.

    Parameters
    ----------
    path : Path
    changed : int
        When the file was changed: a file that changed is read again. The last answer is kept.
    wanted : frozenset of (int, int)
        Bank and program; bank 128 has the kits.

    Raises
    ------
    ValueError
        If the file is cut short, lacks a table, or has tables that do not fit one another.
    """
    # no view may outlive the map: what is kept is copied
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as data,
    ):
        try:
            return _Bank(data).reduced(wanted)
        except (KeyError, IndexError) as error:
            raise ValueError(f"{path} is a damaged SoundFont: {type(error).__name__} {error} in its tables") from None


def programs_of(midi: bytes) -> frozenset[tuple[int, int]]:
    """List the presets that a MIDI file calls for, as bank and program: kits on the tenth channel, else bank 0.

    A channel on which something sounds before a program is chosen plays program 0.
    """
    found: set[tuple[int, int]] = set()
    at = 8 + int.from_bytes(midi[4:8], "big")
    while at + 8 <= len(midi):
        end = at + 8 + int.from_bytes(midi[at + 4 : at + 8], "big")
        at, status, chosen = at + 8, 0, set[int]()
        while at < end:
            _, at = _length(midi, at)  # the time
            if midi[at] & 0x80:
                status, at = midi[at], at + 1
            if status in (0xFF, 0xF0, 0xF7):
                size, at = _length(midi, at + (status == 0xFF))
                at += size
                continue
            kind, channel = status & 0xF0, status & 0x0F
            if kind == 0xC0:
                found.add((DRUMS if channel == 9 else 0, midi[at]))
                chosen.add(channel)
            elif kind == 0x90 and channel not in chosen:
                found.add((DRUMS if channel == 9 else 0, 0))
            at += 1 if kind in (0xC0, 0xD0) else 2
        at = end
    return frozenset(found)


def _length(midi: bytes, at: int) -> tuple[int, int]:
    """Read a number of variable length, and where what follows begins."""
    value = 0
    while True:
        value = value << 7 | midi[at] & 0x7F
        at += 1
        if not midi[at - 1] & 0x80:
            return value, at
