"""Requests drawn from everything that can be asked for, the same ones every time."""

from __future__ import annotations

import random
from collections.abc import Sequence

from finetuning.studio.music import Brief
from finetuning.studio.music.styles import STYLES
from finetuning.studio.music.theory import KEYS, SCALES

__all__ = ["draw", "seeds_of"]


def draw(
    count: int, seconds: tuple[float, float] = (20.0, 20.0), styles: Sequence[str] = (), seed: int = 6
) -> list[Brief]:
    """Draw requests: styles in turn, the rest at random.

    Parameters
    ----------
    count : int
    seconds : (float, float)
        Shortest and longest duration, in tenths.
    styles : sequence of str
        Names of styles, which are tags of their own; all where none is given.
    seed : int
        Another seed draws other requests.
    """
    stream = random.Random(seed)
    names = tuple(styles) or tuple(STYLES)
    return [
        Brief(
            names[index % len(names)],
            bpm=stream.randint(60, 200),
            key=stream.choice(KEYS),
            scale=stream.choice(tuple(SCALES)),
            time_signature=stream.choice((2, 3, 4, 4, 4, 5, 6, 7)),
            duration=round(stream.uniform(*seconds), 1),
            seed=stream.randrange(2**31),
        )
        for index in range(count)
    ]


def seeds_of(style: str, count: int, seconds: float = 20.0) -> list[Brief]:
    """Ask for one style again and again with other seeds, and nothing else different."""
    return [Brief(style, bpm=120, duration=seconds, seed=seed) for seed in range(1, count + 1)]
