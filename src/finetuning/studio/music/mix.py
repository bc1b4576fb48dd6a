"""The mix: a sound check that sets the faders, the rendering, and what is done to the sound before mastering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyloudnorm
from scipy.signal import butter

from .composer import Piece
from .drums import DRUMS
from .eras import ERAS, Era
from .parts import Part
from .render import RATE, Sound, filtered, render
from .score import Fader, shifted, write_midi
from .streams import pick

__all__ = ["mix", "pump", "set_faders"]

LEVELS = {"drums": -3.0, "bass": -4.0, "chords": -7.0, "pad": -12.0, "arp": -11.0, "lead": -4.0}
"""Loudness of each role beside the others, in LU."""

SENDS = {"drums": 0.35, "bass": 0.05, "chords": 0.8, "pad": 1.0, "arp": 1.0, "lead": 0.9}
CHORUS = {"chords": 30, "pad": 60, "arp": 20}
CHECK, GAP = 2.0, 0.5
"""Seconds that a part plays at the sound check, and of pause for it to die away."""

AIR, LIFT = 4000.0, 3.0
"""Hz above which every mix is lifted, and by how many dB: General MIDI samples are dull."""

LIGHT, SHADE = 3.0, 1 / 3
"""How a mood of 1 lights a mix, and one of -1 darkens it: dB above ``AIR``, or octaves of a low pass."""

DEPTH = 150.0
"""Hz below which the style's lower shelf works."""

FAR = 0.4
"""How loud a band is that a swell has drawn back, beside itself."""

REFERENCE = -24.0
"""LUFS of a part at level 0: low enough that the sum stays within the renderer's sixteen bits."""


def _busiest(part: Part, seconds: float, beat: float) -> float:
    """Find the beat from which on the part plays most within so many seconds."""
    starts = np.array([n.start for n in part.notes])
    weights = np.array([min(n.length, seconds / beat) * n.force for n in part.notes])
    bars = np.arange(0.0, starts.max() + 1e-9, 1.0)
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    played = sums[np.searchsorted(starts, bars + seconds / beat)] - sums[np.searchsorted(starts, bars)]
    return float(bars[int(np.argmax(played))])


def set_faders(piece: Piece, parts: tuple[Part, ...]) -> dict[str, Fader]:
    """Let every part play its busiest two seconds alone, measure it, and set its fader.

    So the balance follows what was written and not how loud a SoundFont happens to have recorded an instrument.
    """
    beat, style = piece.form.beat, piece.style
    era = ERAS[piece.heard.era] if piece.heard.era else Era()
    side = pick(piece.streams.of("mix", "pan"), (-1, 1))
    pans = {"chords": 64 - 24 * side, "arp": 64 + 36 * side, "pad": 64 + 12 * side, "lead": 64 + 6 * side}

    def fader(role: str, volume: int) -> Fader:
        reverb = round(min(127.0, 127 * max(style.room + era.room, 0.0) * SENDS[role]))
        return Fader(volume, pans.get(role, 64), reverb, CHORUS.get(role, 0))

    stretch = min(CHECK, piece.form.end * beat) / beat
    gap = GAP / beat
    queue = []
    for index, part in enumerate(parts):
        start = _busiest(part, stretch * beat, beat)
        queue.append(shifted(part, start, start + stretch, index * (stretch + gap)))
    flat = {part.role: fader(part.role, 100) for part in parts}
    brief = piece.brief
    # the check ends with its last part, and not as late as the piece: silence, too, costs time to render
    short = replace(piece.form, end=min(piece.form.end, len(parts) * (stretch + gap)))
    sound = render(write_midi(queue, flat, short, brief.key, brief.scale))
    meter = pyloudnorm.Meter(RATE)
    wanted: dict[str, float] = {}
    for index, part in enumerate(parts):
        first = round(index * (stretch + gap) * beat * RATE)
        heard = meter.integrated_loudness(sound[:, first : first + round(stretch * beat * RATE)].T)
        level = LEVELS[part.role] + style.levels.get(part.role, 0.0)
        if part.role == "drums":
            level += 4.0 * (piece.heard.energy - style.energy)
        # a part too faint to measure keeps the fader where it was
        wanted[part.role] = REFERENCE + level - heard if heard > -55 else 0.0
    # volume is squared: 40 log10(value / 127) dB (General MIDI Level 1 Developer Guidelines). A controller has no more
    # than 127: lower them all where one would need it
    spare = 40 * np.log10(127 / 100)
    excess = max(0.0, max(wanted.values()) - spare)
    return {role: fader(role, max(1, round(100 * 10 ** ((gain - excess) / 40)))) for role, gain in wanted.items()}


def mix(piece: Piece, midi: bytes) -> Sound:
    """Render the piece from its score, exactly as long as was asked, and colour it.

    The style and the era have shelves of their own, and a low pass where they are dull; the mood moves either.
    """
    samples = round(piece.brief.duration * RATE)
    sound = render(midi)[:, :samples]
    era = ERAS[piece.heard.era] if piece.heard.era else Era()
    low = piece.style.low + era.low
    if low:
        sound += _gain(low) * _filtered(sound, DEPTH, "lowpass")
    corners = [corner for corner in (piece.style.treble, era.treble) if corner]
    if corners:
        return _filtered(sound, min(corners) * 2 ** (SHADE * piece.heard.mood), "lowpass")
    sound += _gain(LIFT + piece.style.high + era.high + LIGHT * piece.heard.mood) * _filtered(sound, AIR, "highpass")
    return sound


def _gain(decibels: float) -> np.float32:
    """Say how much of what a filter passes is to be added for a shelf of so many decibels."""
    return np.float32(10 ** (decibels / 20) - 1)


def _filtered(sound: Sound, corner: float, kind: str) -> Sound:
    """Pass the sound through a gentle filter of the first order."""
    return filtered(butter(1, corner, kind, fs=RATE, output="sos"), sound)


def pump(piece: Piece, parts: tuple[Part, ...]) -> tuple[tuple[float, float], ...]:
    """Draw the band's level as (beat, gain) points: a dip with every kick where the style has it, and the swells.

    After a kick the gain comes back within a third of a second, or within most of a beat where beats are shorter. A
    swell draws the band back within a beat and lets it grow to its end.
    """
    points: list[tuple[float, float]] = []
    if piece.style.duck:
        kicks = sorted(
            {
                n.start
                for p in parts
                if p.role == "drums"
                for n in p.notes
                if n.pitch == DRUMS["kick"] and n.start < piece.form.close
            }
        )
        back = min(0.32 / piece.form.beat, 0.8)
        floor = 10 ** (-piece.style.duck / 20)
        steps = [(k / 8, floor + (1 - floor) * (0.5 - 0.5 * np.cos(np.pi * k / 8))) for k in range(9)]
        for kick, following in zip(kicks, [*kicks[1:], np.inf], strict=True):
            points.extend((kick + back * at, float(gain)) for at, gain in steps if kick + back * at < following)
    for start, end in piece.swells:
        # between the dips, where there are any, the swell has points of its own
        own = np.arange(start, end + 1e-9, 0.25).tolist()
        if points:
            beats, gains = map(np.array, zip(*points, strict=True))
            points += [(at, float(np.interp(at, beats, gains))) for at in own]
        else:
            points = [(at, 1.0) for at in own]
        points = sorted((at, gain * _swelling(at, start, end)) for at, gain in points)
    return tuple(points)


def _swelling(at: float, start: float, end: float) -> float:
    """Say how loud the band is within a swell: back within a beat, and then up to its end; 1 outside."""
    turn = min(1.0, (end - start) / 4)
    return float(np.interp(at, [start, start + turn, end], [1.0, FAR, 1.0]))
