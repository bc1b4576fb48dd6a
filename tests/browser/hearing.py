"""What is to be heard on a recording of click tracks: which take sounds when, where its beats are, where nothing is."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from .clicks import pilot

_BAND = 110.0  # Hz on either side of a pilot tone
_QUIET = 0.0008  # of full scale: a tenth of the quietest pilot that the tests use


class Tape(NamedTuple):
    """A recording; `begun` is the moment of the page's audio clock of its first sample."""

    samples: NDArray[np.float32]
    rate: float
    begun: float


def tape(recorded: list[Any]) -> Tape:
    """Read what `stage.TAPE` returns."""
    begun, rate, text = recorded
    return Tape(np.frombuffer(base64.b64decode(text), dtype=np.float32), float(rate), float(begun))


def strength(sound: Tape, number: int) -> NDArray[np.float64]:
    """How strong the tone of a take is at each sample."""
    edges = [pilot(number) - _BAND, pilot(number) + _BAND]
    band = sosfiltfilt(butter(2, edges, "bandpass", fs=sound.rate, output="sos"), sound.samples)
    low = butter(2, 60.0, "lowpass", fs=sound.rate, output="sos")
    level: NDArray[np.float64] = np.sqrt(np.maximum(sosfiltfilt(low, band**2), 0))
    return level


def clicks(sound: Tape) -> NDArray[np.float64]:
    """Seconds into the recording at which clicks begin."""
    low = butter(4, 2000.0, "lowpass", fs=sound.rate, output="sos")
    level = np.abs(sosfiltfilt(low, sound.samples))
    loud = np.flatnonzero(level > 0.35 * np.quantile(level, 0.9995))
    first = loud[np.diff(loud, prepend=-sound.rate) > 0.05 * sound.rate]
    return first / sound.rate


def longest_silence(sound: Tape, start: float, end: float) -> float:
    """Seconds of the longest stretch between two moments in which nothing sounds."""
    part = np.abs(sound.samples[round(start * sound.rate) : round(end * sound.rate)])
    window = max(1, round(0.001 * sound.rate))
    level = np.sqrt(np.convolve(part**2, np.ones(window) / window, "same"))
    quiet = np.concatenate([[0], (level < _QUIET).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(quiet))
    runs = edges[1::2] - edges[::2]
    return float(runs.max(initial=0) / sound.rate)


def switch(sound: Tape, before: int, after: int) -> float:
    """Seconds into the recording at which the tones of two takes are equally strong on the way to the second."""
    ahead = strength(sound, after) > strength(sound, before)
    end = len(ahead) - round(0.1 * sound.rate)  # filters ring at the end
    return float((np.flatnonzero(~ahead[:end])[-1] + 1) / sound.rate)


def misplaced(sound: Tape, at: float, before: float, after: float) -> float:
    """By how many seconds the first click after a switch comes too late, or too early where it is negative.

    Parameters
    ----------
    at
        The moment of the switch.
    before, after
        Tempi.
    """
    found = clicks(sound)
    last, first = found[found < at - 0.01][-1], found[found > at + 0.012]
    beats = (at - last) * before / 60  # since the last click, at the old tempo
    expected = at + (np.ceil(beats + 0.02) - beats) * 60 / after + np.arange(3) * 60 / after
    return float(min((click - each for click in first[:2] for each in expected), key=abs))
