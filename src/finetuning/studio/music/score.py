"""From played notes to a MIDI file."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mido

from .form import Form
from .instruments import INSTRUMENTS, KITS
from .parts import Note, Part

__all__ = ["CHANNELS", "Fader", "write_midi"]

CHANNELS = {"bass": 0, "chords": 1, "pad": 2, "arp": 3, "lead": 4, "drums": 9}
TICKS = 480
AFTERMATH = 2.5
"""Seconds between the end of the piece and the end of the track, which the renderer needs to let notes die away."""


@dataclass(frozen=True)
class Fader:
    """A part's place in the mix, as MIDI controller values (0 to 127)."""

    volume: int
    pan: int
    reverb: int
    chorus: int


def _track(
    part: Part, fader: Fader, pump: Sequence[tuple[float, float]]
) -> list[tuple[int, int, mido.Message | mido.MetaMessage]]:
    """Messages as (tick, order, message); of equal ticks releases come before strokes."""
    channel = CHANNELS[part.role]
    program = KITS[part.instrument] if part.role == "drums" else INSTRUMENTS[part.instrument].program
    settings = {7: fader.volume, 10: fader.pan, 11: 127, 91: fader.reverb, 93: fader.chorus}
    rows: list[tuple[int, int, mido.Message | mido.MetaMessage]] = [
        (0, 0, mido.Message("program_change", channel=channel, program=program))
    ]
    rows += [(0, 0, mido.Message("control_change", channel=channel, control=c, value=v)) for c, v in settings.items()]
    for beat, gain in pump if part.role != "drums" else ():
        # the renderer squares expression, as General MIDI recommends
        level = round(127 * math.sqrt(gain))
        rows.append((round(beat * TICKS), 0, mido.Message("control_change", channel=channel, control=11, value=level)))
    for note in part.notes:
        start = round(note.start * TICKS)
        end = max(round((note.start + note.length) * TICKS), start + 1)
        velocity = max(1, min(127, round(28 + 92 * note.force)))
        if note.syllable:
            rows.append((start, 1, mido.MetaMessage("lyrics", text=note.syllable)))
        rows.append((start, 2, mido.Message("note_on", channel=channel, note=note.pitch, velocity=velocity)))
        rows.append((end, 1, mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)))
    return rows


def write_midi(
    parts: Sequence[Part],
    faders: Mapping[str, Fader],
    form: Form,
    key: str,
    scale: str,
    title: str = "",
    pump: Sequence[tuple[float, float]] = (),
) -> bytes:
    """Write a MIDI file of type 1: a track of tempo, metre and key, then a track a part.

    Parameters
    ----------
    parts : sequence of Part
        Performed parts, at most one a role.
    faders : mapping of str to Fader
        The mix by role.
    form : Form
        For tempo, metre and length.
    key, scale : str
        For the key signature.
    title : str
        Name of the first track.
    pump : sequence of (float, float)
        Beats and gains (1 leaves the level as it is) that all but the drums follow.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS, charset="utf-8")
    end = round((form.end + AFTERMATH / form.beat) * TICKS)
    head = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=title),
            mido.MetaMessage("set_tempo", tempo=round(form.beat * 1e6)),
            mido.MetaMessage("time_signature", numerator=form.metre, denominator=4),
            mido.MetaMessage("key_signature", key=_signature(key, scale)),
            mido.MetaMessage("end_of_track", time=end),
        ]
    )
    file.tracks.append(head)
    for part in parts:
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=f"{part.role}: {part.instrument}")])
        now = 0
        for tick, _, message in sorted(_track(part, faders[part.role], pump), key=lambda row: row[:2]):
            message.time = tick - now
            track.append(message)
            now = tick
        track.append(mido.MetaMessage("end_of_track", time=max(end - now, 0)))
        file.tracks.append(track)
    held = io.BytesIO()
    file.save(file=held)
    return held.getvalue()


SIGNATURES = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm"),
}
"""The usual spelling of each key signature: C# major would need seven sharps where D flat needs five flats."""


def _signature(key: str, scale: str) -> str:
    from .theory import KEYS

    return SIGNATURES[scale][KEYS.index(key)]


def shifted(part: Part, start: float, stop: float, to: float) -> Part:
    """Cut out the notes that begin within a stretch and move them so that it begins at ``to`` (beats)."""
    notes = tuple(
        Note(n.start - start + to, min(n.length, stop - n.start), n.pitch, n.force)
        for n in part.notes
        if start <= n.start < stop
    )
    return Part(part.role, part.instrument, notes)
