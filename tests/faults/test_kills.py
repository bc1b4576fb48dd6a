"""Composer and studio killed with SIGKILL at random moments: nothing is paid twice, lost or left half-written."""

from __future__ import annotations

import itertools
from pathlib import Path

from .killing import Outcome, Stage
from .plots import draw

#: Kills in all. `python -m tests.faults` does many more.
KILLS = 40


def test_forty_kills(tmp_path: Path) -> None:
    total = Outcome()
    with Stage(tmp_path / "stage") as stage:
        for seed in itertools.count(1000):
            if total.kills >= KILLS:
                break
            total.add(stage.play(draw(seed, most=8)))
            assert total.clean, "\n".join(total.problems)
    assert total.runs < KILLS, "most of the plots came to nothing"
