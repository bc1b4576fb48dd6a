"""The parts of a finished take, each as sound of its own."""

from __future__ import annotations

import io
from collections.abc import Iterator

import mido
import soundfile

from .brief import Brief
from .composer import Piece, compose
from .master import fade_out
from .mix import mix
from .render import RATE, Sound

__all__ = ["faded", "make_stems"]


def faded(piece: Piece, sound: Sound) -> Sound:
    """Let the mix sink to nothing; it begins when the last chord has spoken."""
    duration, form = piece.brief.duration, piece.form
    ring = duration - (form.close + form.coda) * form.beat
    return fade_out(sound, duration - 0.8 * ring)


def make_stems(brief: Brief, midi: bytes) -> Iterator[tuple[str, bytes]]:
    """Play the parts of a score one by one, with the faders, effects, colour and fade of the whole.

    Everything between the score and the master is linear, so that the parts add up to the mix before it was mastered:
    what is left over is rounding to sixteen bits, by the renderer and in the files, some -80 dBFS; and where more than
    64 voices sound at once, the notes that the renderer drops from the whole.

    Parameters
    ----------
    brief : Brief
        What the take was made from.
    midi : bytes
        Its score.

    Yields
    ------
    name : str
        The part: ``drums``, ``bass``, ``chords``, ``pad``, ``arp`` or ``lead``, those that the take has.
    wave : bytes
        A WAV file, 48 kHz, stereo, 16 bits, as long as the take. Nothing is mastered: a mix lies near -20 LUFS.
    """
    piece = compose(brief)
    whole = mido.MidiFile(file=io.BytesIO(midi), charset="utf-8")
    for track in whole.tracks[1:]:
        if not any(message.type == "note_on" for message in track):
            continue
        lone = mido.MidiFile(type=1, ticks_per_beat=whole.ticks_per_beat, charset="utf-8")
        lone.tracks.extend([whole.tracks[0], track])
        held = io.BytesIO()
        lone.save(file=held)
        yield track.name.partition(":")[0], _wave(faded(piece, mix(piece, held.getvalue())))


def _wave(sound: Sound) -> bytes:
    """Write a WAV file."""
    held = io.BytesIO()
    soundfile.write(held, sound.T, RATE, subtype="PCM_16", format="WAV")
    return held.getvalue()
