"""Takes whose place can be read from their sound: a click on each beat, and a quiet tone that says which take it is."""

from __future__ import annotations

import functools
import io

import numpy as np
import soundfile

RATE = 48_000
CLICK = 0.006  # seconds


def pilot(number: int) -> float:
    """The frequency of a take's tone, in Hz; 300 apart."""
    return 2500.0 + 300.0 * number


@functools.cache
def click_track(number: int, bpm: float, seconds: float, *, meter: int = 4, level: float = 0.5) -> bytes:
    """A take as MP3: 1 kHz on the first beat of each bar, 1.6 kHz on the others, under it the pilot tone."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = 0.12 * level * np.sin(2 * np.pi * pilot(number) * time)
    burst = np.arange(round(CLICK * RATE)) / RATE
    for beat in range(int(seconds * bpm / 60) + 1):
        start = round(beat * 60 / bpm * RATE)
        click = np.sin(2 * np.pi * (1000 if beat % meter == 0 else 1600) * burst) * np.exp(-burst / 0.002)
        room = sound[start : start + len(click)]
        room += 1.2 * level * click[: len(room)]
    stereo = np.repeat(np.clip(sound, -1, 1)[:, None], 2, axis=1).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, stereo, RATE, format="MP3")
    return file.getvalue()
