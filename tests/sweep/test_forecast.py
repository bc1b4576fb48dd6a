from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.sweep.forecast import Forecast


def taught(median: float, spread: float, count: int = 400) -> tuple[Forecast, random.Random]:
    chance = random.Random(7)
    forecast = Forecast()
    for _ in range(count):
        forecast.learn(chance.lognormvariate(math.log(median), spread))
    return forecast, chance


@pytest.mark.parametrize(("median", "spread"), [(48, 0.5), (6, 0.3), (120, 0.9)])
def test_what_is_expected_is_what_happens(median: float, spread: float) -> None:
    forecast, chance = taught(median, spread, 4000)
    assert forecast.median == pytest.approx(median, rel=0.05)
    # Those that began 0 to 60 s ago, have not ended at 60 s, and may have at 80 s; of what takes six seconds nothing
    # is left after a minute, and nobody would live to see one drawn.
    since = [float(begun) for begun in range(0, 60, 2) if 60 - begun < 2 * median]
    happened = []
    for _ in range(2000):
        ends = []
        for begun in since:
            while (end := begun + chance.lognormvariate(math.log(median), spread)) <= 60.0:
                pass
            ends.append(end)
        happened.append(sum(60.0 < end <= 80.0 for end in ends))
    assert forecast.expected(since, 60.0, 80.0) == pytest.approx(sum(happened) / len(happened), rel=0.05)


@given(
    since=st.lists(st.floats(0, 500), min_size=1, max_size=30),
    learnt=st.lists(st.floats(0, 1000), max_size=20),
    later=st.floats(0, 500),
)
def test_a_look_is_never_sooner_than_a_second_nor_later_than_fifteen(
    since: list[float], learnt: list[float], later: float
) -> None:
    forecast = Forecast()
    for seconds in learnt:
        forecast.learn(seconds)
    looked = min(since) + later
    moment = forecast.next_look(since, looked)
    assert 1.0 <= moment - looked <= 15.0 + 1e-6
    sooner, expected = forecast.expected(since, looked, looked + 1), forecast.expected(since, looked, moment)
    assert 0.0 <= sooner <= expected + 1e-9 <= len(since) + 1e-6


def test_it_is_looked_when_about_one_has_ended() -> None:
    forecast, _ = taught(48, 0.5)
    since = [float(begun) for begun in range(0, 48, 6)]
    looked = 48.0
    moment = forecast.next_look(since, looked)
    assert forecast.expected(since, looked, moment) == pytest.approx(1.2, abs=0.05)
    assert forecast.next_look([looked], looked) == looked + 15.0  # it has only just begun


def test_before_anything_is_known_half_a_minute_is_believed() -> None:
    assert Forecast().median == pytest.approx(30.0)
