"""How far two tracks are apart, as harmonic mixing counts it: steps on a wheel of keys, and a change of tempo."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from finetuning.camelot import camelot
from finetuning.errors import ParameterError
from finetuning.parameters import tonic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Place", "key_steps", "place_of", "tempo_changes", "tempo_steps"]


class Place(NamedTuple):
    """Where a track stands: number on the wheel (1 to 12), whether it is minor, and beats a minute."""

    number: int
    minor: bool
    bpm: float

    @property
    def code(self) -> str:
        """As DJs write it: `8A`."""
        return f"{self.number}{'A' if self.minor else 'B'}"


def place_of(bpm: object, key: object, scale: object) -> Place | str:
    """Return where a track stands, or why that is not known."""
    try:
        tempo = float(bpm)  # type: ignore[arg-type]  # whether it is a number is the question
    except (TypeError, ValueError):
        tempo = math.nan
    if not (math.isfinite(tempo) and tempo > 0):
        return "no tempo"
    try:
        name = tonic(key)
    except ParameterError:
        return "no key"
    spot = camelot(name, scale) if isinstance(scale, str) else None
    if spot is None:
        return "no scale"
    number, letter = spot
    return Place(number, letter == "A", tempo)


def key_steps(places: list[Place]) -> NDArray[np.float64]:
    """Count the steps between all pairs: along the wheel, and one more between its rings.

    Returns
    -------
    ndarray of float64, shape (n, n)
        0 to 7.
    """
    numbers = np.array([place.number for place in places])
    minor = np.array([place.minor for place in places])
    around = np.abs(numbers[:, None] - numbers[None, :])
    steps: NDArray[np.float64] = np.minimum(around, 12 - around) + (minor[:, None] != minor[None, :]).astype(np.float64)
    return steps


def tempo_changes(places: list[Place]) -> NDArray[np.float64]:
    """Return the change of tempo from each to each, where half and double tempo count as the same.

    Returns
    -------
    ndarray of float64, shape (n, n)
        In semitones, that is twelfths of a doubling, from −6 to 6: what a turntable's pitch would move by. One is 6 %.
    """
    octaves = np.log2([place.bpm for place in places])
    change = octaves[None, :] - octaves[:, None]
    folded: NDArray[np.float64] = 12 * (change - np.rint(change))
    return folded


def tempo_steps(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn semitones into the share by which the tempo changes: 0.06 is 6 % faster."""
    share: NDArray[np.float64] = 2 ** (changes / 12) - 1
    return share
