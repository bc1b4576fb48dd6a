"""Who is killed, and when: drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kill", "Plot", "draw"]

Target = Literal["client", "studio", "both"]
When = Literal["start", "up", "written", "made"]


@dataclass(frozen=True)
class Kill:
    """One kill.

    Attributes
    ----------
    target : str
        Who is killed.
    when : str
        What is waited for: `start` of the client's process, its being `up`, so many bytes `written` to the journal
        since then, or all takes being `made`, which is when the downloads begin.
    written : int
        Bytes.
    pause : float
        Seconds that pass after it. They are the experiment: a kill may fall on any moment.
    down : float
        Seconds that the studio stays down.
    """

    target: Target
    when: When
    written: int
    pause: float
    down: float


@dataclass(frozen=True)
class Plot:
    """What happens to one sweep."""

    seed: int
    points: int
    kills: tuple[Kill, ...]


def draw(seed: int, most: int = 5) -> Plot:
    """Draw a plot with 2 kills or more."""
    chance = random.Random(seed)
    kills = [_kill(chance) for _ in range(chance.randint(2, most))]
    # A sweep whose takes are all made has nothing left for the other moments.
    kills.sort(key=lambda kill: kill.when == "made")
    return Plot(seed, chance.randint(2, 3), tuple(kills))


def _kill(chance: random.Random) -> Kill:
    when: When = chance.choices(("start", "up", "written", "made"), (1, 2, 5, 1))[0]
    longest = {"start": 0.6, "up": 0.5, "written": 0.012, "made": 0.06}[when]
    return Kill(
        target="client" if when == "start" else chance.choices(("client", "studio", "both"), (6, 2, 2))[0],
        when=when,
        # A line is 70 to 600 bytes: an intent, an answer, a finished take.
        written=chance.randint(1, 1600),
        pause=chance.uniform(0, longest),
        down=chance.choice((0.0, 0.0, 0.3)),
    )
