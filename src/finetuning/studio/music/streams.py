"""Independent streams of chance: one for each feature of a piece.

A feature that draws from its own stream can be added, or draw more often, without changing what older features made of
the same seed. Tempo, key and duration are left out of the derivation on purpose: a sweep over them must keep the piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

__all__ = ["Streams", "pick"]

VERSION = 1
"""Raise it to declare that old seeds make new music."""

T = TypeVar("T")


@dataclass(frozen=True)
class Streams:
    """The streams of one piece.

    Parameters
    ----------
    seed : int
        Any integer.
    text : str
        The tags, normalised.
    """

    seed: int
    text: str

    def of(self, *feature: object) -> np.random.Generator:
        """Open the stream of a feature, always at its beginning."""
        name = "\x1f".join(str(part) for part in (VERSION, *feature, self.seed, self.text))
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def pick(stream: np.random.Generator, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """One of the options, by weight where weights are given."""
    if weights is None:
        return options[int(stream.random() * len(options))]
    edges = np.cumsum(weights)
    return options[int(np.searchsorted(edges, stream.random() * edges[-1], side="right"))]
