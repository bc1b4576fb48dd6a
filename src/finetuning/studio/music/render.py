"""From MIDI to sound, through a SoundFont."""

from __future__ import annotations

import io
from typing import cast

import midirenderer
import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import sosfilt

from ..soundfonts import Font, find_font
from .cutting import cut, programs_of

__all__ = ["RATE", "Sound", "filtered", "render"]

RATE = 48_000
"""Samples a second, fixed by the renderer."""

Sound = npt.NDArray[np.float32]
"""Stereo sound, shape (2, samples), full scale 1."""


def render(midi: bytes, font: Font | None = None) -> Sound:
    """Play a MIDI file.

    Parameters
    ----------
    midi : bytes
    font : Font or None
        The SoundFont; None for the one that ``find_font`` finds.

    Returns
    -------
    ndarray of float32, shape (2, samples)
        At 48 kHz, as long as the longest track. The renderer has sixteen bits: it is for the mix to stay below full
        scale.

    Raises
    ------
    FileNotFoundError, ValueError
        If the SoundFont is missing or is none.
    """
    path = (font or find_font()).path
    needed = cut(path, path.stat().st_mtime_ns, programs_of(midi))
    wave = midirenderer.render_wave_from(needed, midi)
    sound, _ = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
    return cast(Sound, np.ascontiguousarray(sound.T))


PIECE = 16_384
"""Samples that are filtered at a time: they stay in the cache, and only they are held in double precision."""


def filtered(sections: npt.NDArray[np.float64], sound: Sound) -> Sound:
    """Pass both channels through a filter.

    Parameters
    ----------
    sections : ndarray of float64, shape (n, 6)
        Second-order sections, as scipy writes them.
    sound : ndarray of float32, shape (2, samples)
    """
    done = np.empty_like(sound)
    state = np.zeros((len(sections), len(sound), 2))
    for first in range(0, sound.shape[1], PIECE):
        stretch = slice(first, first + PIECE)
        done[:, stretch], state = sosfilt(sections, sound[:, stretch], axis=1, zi=state)
    return done
