from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetuning as ft
from finetuning.panels.sweep.board import LETTERS, board, letters
from finetuning.panels.sweep.estimate import (
    History,
    Pace,
    creates_a_minute,
    credits_line,
    duration,
    refusal,
    rest_line,
    time_line,
)
from finetuning.panels.sweep.form import Inputs, read
from finetuning.panels.sweep.verdict import Standing, judge
from finetuning.records import Account, Generation, Limits
from finetuning.sweep.state import STATES

PACE = Pace(a_minute=10, at_once=20, take=40.0)


@pytest.mark.parametrize(
    ("count", "pace", "said"),
    [
        (0, PACE, ""),
        (1, PACE, "about 40 s"),
        (10, PACE, "about 40 s: all 10 at once"),
        (11, PACE, "about 2 min: 1 min to send 11 at 10 a minute, 40 s for the last"),
        (30, PACE, "about 3 min: 2 min to send 30 at 10 a minute, 40 s for the last"),
        (1000, PACE, "about 1 h 40 min: 1 h 39 min to send 1,000 at 10 a minute, 40 s for the last"),
        (30, Pace(6000, 20, 5.0), "about 10 s: 5 s to send 30, 20 at a time, 5 s for the last"),
    ],
)
def test_time_is_told_with_its_parts(count: int, pace: Pace, said: str) -> None:
    assert time_line(count, pace) == said


def test_what_is_left_of_a_run_is_told() -> None:
    assert rest_line(0, PACE) == "about 40 s left"
    assert rest_line(11, PACE) == "about 2 min left"


@given(st.integers(1, 300), st.integers(1, 30), st.integers(1, 20), st.floats(0.1, 300))
def test_no_minute_has_more_than_the_limit_and_no_moment_more_than_the_queue(
    count: int, a_minute: int, at_once: int, take: float
) -> None:
    sent, ended = Pace(a_minute, at_once, take).seconds(count)
    assert ended == pytest.approx(sent + take)
    # No faster than either bound allows, and no slower than both one after the other.
    by_rate = 60.0 * ((count - 1) // a_minute)
    by_queue = take * ((count - 1) // at_once)
    assert max(by_rate, by_queue) <= sent + 1e-6
    assert sent <= by_rate + by_queue + 1e-6


def test_what_is_announced_is_believed_over_what_is_documented() -> None:
    assert creates_a_minute({}) == 10
    assert creates_a_minute({"create": 7, "other": 6000}) == 7
    assert creates_a_minute({"other": 60000}) == 10000
    assert creates_a_minute({"create": 0}) == 1
    account = Account(id="usr_1", limits=Limits(queue_depth=3))
    assert Pace.known({}, account, 4.0) == Pace(10, 3, 4.0)
    assert Pace.known({}, None, 4.0).at_once == 10
    assert Pace.known({}, Account(id="usr_1", limits=Limits(queue_depth=1000)), 4.0).at_once == 20


def test_recent_times_are_learnt_once_each() -> None:
    history = History()
    assert history.median == pytest.approx(30.0)
    rows = [
        Generation(
            id=f"gen_{number}",
            status="completed",
            created="2025-01-15T10:30:00Z",
            completed="2025-01-15T10:30:05Z",
        )
        for number in range(12)
    ]
    history.learn(rows)
    learnt = history.median
    assert 5.0 < learnt < 10.0
    history.learn(rows)
    history.learn([Generation(id="gen_99", status="failed"), Generation(id="gen_98", status="completed")])
    assert history.median == learnt
    history.learn([Generation(id="gen_97", status="completed", generation_time=1.0)])
    assert history.median < learnt


def test_credits_are_told_and_refused_in_words() -> None:
    assert credits_line(12, 488) == "12 credits; left: 488"
    assert credits_line(1, None) == "1 credit; left: unknown"
    assert credits_line(1200, 5, 100) == "1,200 credits, at most 100 now; left: 5"
    assert credits_line(3, 5, 100) == "3 credits; left: 5"
    assert refusal(12, 12) is None
    assert refusal(12, None) is None
    assert refusal(12, 11) == "1 credit is lacking: 12 needed, 11 left."
    assert refusal(12, -3) == "12 credits are lacking: 12 needed, 0 left."
    assert refusal(12, 5, 5) is None
    assert refusal(12, 4, 5) == "1 credit is lacking: 5 needed, 4 left."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (45.4, "45 s"), (59.6, "1 min"), (200, "3 min"), (3600, "1 h"), (4800, "1 h 20 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


# The verdict


def verdict(inputs: Inputs, standing: Standing | None = None, left: int | None = 100, busy: str = "") -> Any:
    reading = read(inputs)
    plan = reading.sweep.plan if reading.sweep else None
    return judge(reading, plan, standing, left=left, pace=PACE, busy=busy)


def standing(bpm: list[int], *, running: bool = False, done: bool = True, uncertain: int = 0) -> Standing:
    plan = ft.Sweep("lofi", bpm=bpm, seed=[1]).plan
    return Standing("lofi", plan, running=running, done=done, uncertain=uncertain)


WELL = Inputs(tags=["lofi"], bpm="80, 90", seed="1")


def test_a_sweep_that_is_well_can_be_run_and_nothing_else() -> None:
    found = verdict(WELL)
    assert found.shown["formula"] == "2 points = 2 bpm"
    assert found.shown["credits"] == "2 credits; left: 100"
    assert found.shown["time"] == "about 40 s: all 2 at once"
    assert found.shown["buttons"]["run"] == {"label": "Run 2", "why": ""}
    assert found.may == {
        "run": None,
        "cancel": "Nothing is running.",
        "resume": "There is no run yet.",
        "extend": "There is no run yet.",
    }


def test_a_sweep_that_cannot_be_paid_for_cannot_be_run() -> None:
    assert verdict(WELL, left=1).may["run"] == "1 credit is lacking: 2 needed, 1 left."
    assert verdict(WELL, left=None).may["run"] is None
    bound = Inputs(tags=["lofi"], bpm="80, 90", seed="1", max_credits="1")
    assert verdict(bound, left=1).may["run"] is None


def test_a_sweep_that_is_wrong_cannot_be_run_and_the_reason_stands_at_its_input() -> None:
    found = verdict(Inputs(tags=["lofi"], bpm="fast", seed="1"))
    assert found.shown["problems"]["bpm"][0] == found.may["run"]
    assert found.shown["formula"] == found.shown["credits"] == found.shown["time"] == ""
    assert found.may["extend"] == "There is no run yet."
    assert verdict(Inputs(tags=["lofi"], bpm="x", seed="1"), standing([80])).may["extend"] == (
        "The inputs cannot be read."
    )


def test_what_a_run_allows() -> None:
    going = verdict(WELL, standing([80], running=True, done=False))
    assert going.may["cancel"] is None
    assert going.may["run"] == "A run is going on; cancel it or wait."
    assert going.may["resume"] == "It is running."
    assert going.may["extend"] is None
    assert going.growth.count == 1
    assert going.shown["extra"] == "Extending adds 1 point, 1 credit, about 40 s."
    assert going.shown["buttons"]["extend"]["label"] == "Extend by 1"
    assert verdict(WELL, standing([80]), left=0).may["extend"] == "1 credit is lacking: 1 needed, 0 left."
    assert verdict(WELL, standing([80, 90])).may["extend"] == "The run has all that the inputs ask for."
    assert verdict(WELL, standing([80])).may["resume"] == "Nothing is left to do."
    assert verdict(WELL, standing([80], uncertain=1)).may["resume"] is None
    assert verdict(WELL, standing([80], done=False)).may["resume"] is None
    assert set(verdict(WELL, standing([80]), busy="Beginning…").may.values()) == {"Beginning…"}


# The board


def test_points_stand_in_lines_of_the_fastest_axis() -> None:
    plan = ft.Sweep("lofi", bpm=[80, 90], key=["C", "A"], scale="minor", seed=[1, 2, 3], duration=[5]).plan
    assert board(plan) == {
        "rows": ["bpm 80 · C", "bpm 80 · A", "bpm 90 · C", "bpm 90 · A"],
        "row": [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
        "cell": ["seed 1", "seed 2", "seed 3"] * 4,
    }
    assert board(ft.Sweep("lofi", seed=[1]).plan) == {"rows": [""], "row": [0], "cell": [""]}
    long = board(ft.Sweep(["x" * 300, "<b>"], lyrics=["", "la"], time_signature=[3, 4], seed=[1]).plan)
    assert "tags " + "x" * 23 + "… · metre 3" in long["rows"]
    assert long["cell"][:2] == ["lyrics none", "lyrics la"]


def test_each_state_has_a_letter_of_its_own() -> None:
    assert len(set(LETTERS)) == len(STATES) == len(LETTERS)
    assert letters(["waiting", "completed", "failed"]) == "wcf"
