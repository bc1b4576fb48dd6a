"""From sound to MP3, checked on what a listener's decoder will make of it."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import soundfile
from scipy.ndimage import maximum_filter1d

from .master import BLOCK, loudness, master, true_peaks
from .render import RATE, Sound

__all__ = ["LOUDNESS", "PEAK", "decode", "encode", "finish"]

LOUDNESS, PEAK = -14.0, -1.0
"""What the finished MP3 must have: LUFS, and dBTP at most."""

HEADROOM = 1.5
"""dB kept below the peak from the start: coding seldom raises a peak by more (1.2 dB in 70 minutes of music)."""

ATTEMPTS, SPREAD = 8, 12
"""How often it is tried, and how many blocks to either side of a peak are held down with it."""

QUALITY = 0.2
"""On libsndfile's scale from 0, the best, to 1: some 200 kbit/s here."""


def encode(sound: Sound, tags: Mapping[str, str]) -> bytes:
    """Make an MP3 of variable bit rate, as long as the sound, with ID3 tags (title, artist, comment ...)."""
    held = io.BytesIO()
    with soundfile.SoundFile(held, "w", RATE, 2, format="MP3", compression_level=QUALITY) as file:
        for name, text in tags.items():
            setattr(file, name, text)
        file.write(sound.T)
    return held.getvalue()


def decode(mp3: bytes) -> Sound:
    """Read the sound of an MP3."""
    sound, _ = soundfile.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
    return np.ascontiguousarray(sound.T)


def finish(mix: Sound, tags: Mapping[str, str]) -> tuple[bytes, float]:
    """Master and encode a mix until the decoded MP3 keeps to loudness and peak; the MP3 and its seconds.

    Where coding raises a peak above what is allowed, the next master is held down at that place, a little more each
    time. A lower ceiling everywhere would not do: what coding adds to one transient does not follow from its level.
    """
    target = LOUDNESS
    strain = np.ones(-(-mix.shape[1] // BLOCK))
    for attempt in range(1, ATTEMPTS + 1):
        mp3 = encode(master(mix, target, PEAK - HEADROOM, strain), tags)
        heard = decode(mp3)
        excess = true_peaks(heard, floor=10 ** (PEAK / 20))[: len(strain)] / 10 ** (PEAK / 20)
        miss = LOUDNESS - loudness(heard)
        if excess.max() <= 1 and abs(miss) < 0.2:
            return mp3, heard.shape[1] / RATE
        pushed = np.where(excess > 1, excess * 10 ** (0.4 * attempt / 20), 1.0)
        strain *= maximum_filter1d(pushed, 2 * SPREAD + 1, mode="nearest")
        target += miss
    raise RuntimeError(
        f"after {ATTEMPTS} attempts the MP3 is still {miss:+.2f} LU from {LOUDNESS} LUFS or its peak "
        f"{20 * np.log10(excess.max()):+.2f} dB from {PEAK} dBTP; report the brief that made it"
    )
