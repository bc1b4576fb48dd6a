"""What the deck must know of a sound before it is heard: how loud it is, and what it looks like."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, NamedTuple

from finetuning.audio.loudness import integrated_loudness, true_peak
from finetuning.audio.sound import read_sound
from finetuning.errors import MeasureError

from .waveform import peaks

__all__ = ["Heard", "heard", "listeners"]

_KEPT: Final = 2000  # of 1.2 kB each
_known: OrderedDict[tuple[str, int], Heard] = OrderedDict()
_lock = threading.Lock()


class Heard(NamedTuple):
    """Measures of a sound.

    Attributes
    ----------
    loudness, peak
        LUFS and dBTP; None where there is none to tell, as of silence.
    duration
        Seconds; None where it could not be read.
    picture
        `waveform.peaks` as bytes; empty where it could not be read.
    """

    loudness: float | None
    peak: float | None
    duration: float | None
    picture: bytes


def heard(name: str, audio: bytes) -> Heard:
    """Measure encoded sound, once for each name and size; sound that cannot be read is told apart by having nothing.

    Parameters
    ----------
    name
        What the sound is known by: a generation's id, whose sound never changes.
    audio
        The encoded bytes.
    """
    key = (name, len(audio))
    with _lock:
        found = _known.get(key)
        if found is not None:
            _known.move_to_end(key)
            return found
    measured = _measured(audio)
    with _lock:
        _known[key] = measured
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return measured


@cache
def listeners() -> ThreadPoolExecutor:
    """Return the threads on which all decks of this process measure."""
    return ThreadPoolExecutor(2, thread_name_prefix="finetuning-deck")


def _measured(audio: bytes) -> Heard:
    try:
        sound = read_sound(audio)
    except MeasureError:  # a browser may still decode it
        return Heard(None, None, None, b"")
    try:
        loudness = integrated_loudness(sound)
    except MeasureError:  # shorter than a loudness is defined for
        loudness = -math.inf
    return Heard(_finite(loudness), _finite(true_peak(sound)), sound.duration, peaks(sound).tobytes())


def _finite(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None
