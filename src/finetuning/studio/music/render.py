"""From MIDI to sound, through a SoundFont."""

from __future__ import annotations

import importlib.util
import io
import os
from functools import cache
from pathlib import Path
from typing import cast

import midirenderer
import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import sosfilt

__all__ = ["RATE", "Sound", "filtered", "render", "soundfont"]

RATE = 48_000
"""Samples a second, fixed by the renderer."""

VARIABLE = "FINETUNING_SOUNDFONT"

Sound = npt.NDArray[np.float32]
"""Stereo sound, shape (2, samples), full scale 1."""


def soundfont() -> Path:
    """Find the SoundFont: the one that ``FINETUNING_SOUNDFONT`` names, else TimGM6mb, which pretty_midi ships.

    Raises
    ------
    FileNotFoundError
        If there is none at that place.
    """
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise FileNotFoundError(
                f"{VARIABLE} names {named!r}, which is no file; set it to an .sf2 SoundFont or unset it"
            )
        return path
    # found, not imported: importing pretty_midi would cost half a second
    package = importlib.util.find_spec("pretty_midi")
    places = [Path(p) / "TimGM6mb.sf2" for p in (package.submodule_search_locations or ())] if package else []
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(
        f"no SoundFont: install pretty_midi (pip install 'finetuning[studio]') or set {VARIABLE} to an .sf2 file"
    )


@cache
def _contents(path: Path, changed: int) -> bytes:
    """Read the file, once for as long as it does not change."""
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError(f"{path} is not a SoundFont 2 file; {VARIABLE} must name an .sf2 (SF3 and SFZ are not read)")
    return data


def render(midi: bytes) -> Sound:
    """Play a MIDI file.

    Returns
    -------
    ndarray of float32, shape (2, samples)
        At 48 kHz, as long as the longest track. The renderer has sixteen bits: it is for the mix to stay below full
        scale.
    """
    path = soundfont()
    wave = midirenderer.render_wave_from(_contents(path, path.stat().st_mtime_ns), midi)
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
