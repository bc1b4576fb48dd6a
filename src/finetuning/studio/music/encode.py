"""From sound to MP3, checked on what a listener's decoder will make of it."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import soundfile

from .master import loudness, master, true_peaks
from .render import RATE, Sound

__all__ = ["LOUDNESS", "PEAK", "decode", "encode", "finish"]

LOUDNESS, PEAK = -14.0, -1.0
"""What the finished MP3 must have: LUFS, and dBTP at most."""

HEADROOM = 1.15
"""dB kept below the peak at first: coding was seen to raise peaks by up to 0.9 dB."""

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
    """Master and encode a mix until the decoded MP3 keeps to loudness and peak; the MP3 and its seconds."""
    target, ceiling = LOUDNESS, PEAK - HEADROOM
    for _ in range(4):
        mp3 = encode(master(mix, target, ceiling), tags)
        heard = decode(mp3)
        over = 20 * np.log10(max(float(true_peaks(heard, floor=10 ** (PEAK / 20)).max()), 1e-9)) - PEAK
        miss = LOUDNESS - loudness(heard)
        if over <= 0 and abs(miss) < 0.2:
            break
        ceiling -= max(0.0, over + 0.1) if over > 0 else 0.0
        target += miss
    return mp3, heard.shape[1] / RATE
