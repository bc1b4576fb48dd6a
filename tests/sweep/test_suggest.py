"""What a run proposes to try next, learnt from judgements that follow a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import finetuning as ft
from finetuning.errors import NotEnoughCreditsError, ParameterError, SweepWarning
from finetuning.records import Generation
from finetuning.sweep.events import VERSION, Began, Bounded, Event, Extended, Finished, Preferred, Rated, Rejected
from finetuning.sweep.ledger import Ledger, now
from finetuning.sweep.names import journal_path
from finetuning.sweep.suggest import Suggestion

Rule = Callable[[dict[str, Any], np.random.Generator], float]


def best_at(bpm: float, width: float = 25.0) -> Rule:
    """Ratings that are highest at one tempo, with the luck that a seed has."""

    def rule(values: dict[str, Any], luck: np.random.Generator) -> float:
        return float(np.clip(5 - ((values["bpm"] - bpm) / width) ** 2 + luck.normal(0, 0.4), 1, 5))

    return rule


class Heard:
    """A run whose takes are made and judged here, without a service."""

    def __init__(self, sweep: ft.Sweep, name: str = "heard") -> None:
        began = Began(at=now(), version=VERSION, name=name, base_url="https://x.test", account="u", plan=sweep.plan)
        self.ledger = Ledger.create(journal_path(name), began)
        self.ledger.release()
        self.run = ft.SweepRun.load(name)

    def write(self, *events: Event) -> Heard:
        with self.ledger.writing():
            self.ledger.record(*events)
        return self

    def make(self, *points: int) -> Heard:
        rows = (Generation(id=f"g{point}", status="completed", duration=5.0) for point in points)
        return self.write(
            *(Finished(at=now(), point=point, generation=row) for point, row in zip(points, rows, strict=True))
        )

    def rate(self, rule: Rule, luck: np.random.Generator, first: int = 0) -> Heard:
        plan = self.run.plan
        points = range(first, len(plan))
        self.make(*points)
        return self.write(
            *(Rated(at=now(), point=point, rating=round(rule(plan.values(point), luck))) for point in points)
        )

    def extend(self, suggestion: Suggestion) -> Heard:
        before = self.run.plan
        after = suggestion.plan(before)
        return self.write(Extended(at=now(), axes=after.axes, points=after.points[len(before) :]))


def sweep(**more: Any) -> ft.Sweep:
    return ft.Sweep("piano", **({"bpm": [60, 100, 140, 180], "seed": [1, 2]} | more))


def rated(rule: Rule | None = None, **more: Any) -> Heard:
    return Heard(sweep(**more)).rate(rule or best_at(118), np.random.default_rng(0))


@pytest.fixture
def heard() -> Heard:
    return rated()


def test_suggestions_beat_chance() -> None:
    # Three rounds of three points, after four tempi, for optima anywhere between: measured were 4.86 of 5 for the last
    # round, 2.35 for as many tempi drawn at random, and 3 bpm from the optimum to the nearest.
    ours, chance, off = [], [], []
    for number in range(20):
        luck = np.random.default_rng(number)
        optimum = float(luck.uniform(75, 165))
        rule = best_at(optimum)
        made = Heard(sweep(seed=[1]), f"seed-{number}").rate(rule, luck)
        for _ in range(3):
            suggestion = made.run.suggest(3, random_state=luck)
            made.extend(suggestion).rate(rule, luck, first=len(made.run.plan) - 3)
        ours.append(np.mean([5 - ((bpm - optimum) / 25) ** 2 for bpm in suggestion.points.bpm]))
        off.append(np.abs(suggestion.points.bpm - optimum).min())
        chance.append(np.mean([5 - ((bpm - optimum) / 25) ** 2 for bpm in luck.integers(60, 181, 9)]))
    assert np.mean(ours) > np.mean(chance) + 1.5
    assert np.mean(np.array(ours) > chance) >= 0.95
    assert np.mean(off) < 8


def test_a_suggestion_tells_what_it_believes_and_from_what(heard: Heard) -> None:
    found = heard.run.suggest(3, random_state=1)
    assert found.points.columns.tolist() == heard.run.points.columns.tolist()
    assert found.points.index.name == "point"
    assert len(found) == found.cost == len(found.points) == 3
    assert found.belief.columns.tolist() == ["bpm", "mean", "std", "suggested"]
    assert set(found.belief.bpm) > {60, 100, 140, 180}  # and what lies between
    assert found.belief.bpm.between(60, 180).all()
    assert set(found.belief.bpm[found.belief.suggested]) == set(found.points.bpm)
    assert found.belief["mean"].between(0, 6).all()
    assert (found.belief["std"] > 0).all()
    assert found.measured.columns.tolist() == ["bpm", "seed", "rating"]
    assert found.measured.rating.tolist() == heard.run.frame.rating.tolist()
    assert found.measured.index.tolist() == list(range(8))
    tried = found.belief.set_index("bpm")
    assert tried["mean"][100] > tried["mean"][180] + 1
    assert tried["std"][100] < tried["std"].max()
    assert repr(found).startswith("Suggestion('heard': 3 points, 3 credits, from 8 ratings: bpm=")
    assert found._repr_html_().count("±") == 3


def test_the_same_state_gives_the_same_points_and_seeds(heard: Heard) -> None:
    first, again = (heard.run.suggest(4, random_state=7) for _ in range(2))
    pd.testing.assert_frame_equal(first.points, again.points)
    pd.testing.assert_frame_equal(first.belief, again.belief)


def test_seeds_are_those_of_the_run_until_they_were_all_tried(heard: Heard) -> None:
    run = heard.run
    assert set(run.suggest(4, random_state=1).points.seed) <= {1, 2}
    found = run.suggest(3, bpm=[60, 100], random_state=1).points
    assert not set(found.seed) & {1, 2}  # both were made there
    assert not found.duplicated(["bpm", "seed"]).any()


def test_worse_may_be_wanted(heard: Heard) -> None:
    low = heard.run.suggest(1, maximise=False, random_state=1)
    assert abs(low.points.bpm[0] - 118) > 40
    assert low.belief["mean"].between(0, 6).all()  # in ratings all the same


def test_other_values_are_learnt_from(heard: Heard) -> None:
    run = heard.run
    brightness = pd.Series([100.0, 110, 900, 910, 300, 310, 200, 210], name="brightness")
    found = run.suggest(1, value=brightness, random_state=1)
    assert found.value == "brightness"
    assert 75 < found.points.bpm[0] < 130
    assert run.suggest(1, value="duration", random_state=1).belief["mean"].round(6).eq(5.0).all()
    with pytest.raises(ParameterError, match="no column 'colour'"):
        run.suggest(1, value="colour")
    with pytest.raises(ParameterError, match="holds no numbers"):
        run.suggest(1, value="tags")
    with pytest.raises(ParameterError, match="Measuring brightness needs a client"):
        run.suggest(1, value="brightness")
    with pytest.raises(ParameterError, match="value is a float"):
        run.suggest(1, value=1.5)


def test_blind_comparisons_are_learnt_from_where_nothing_is_rated() -> None:
    made = Heard(sweep()).make(*range(8))
    order = [6, 7, 0, 1, 4, 5, 2, 3]  # 100 bpm is the best, 140 the next
    for worse, better in zip(order, order[2:], strict=False):
        made.write(*[Preferred(at=now(), point=better, over=worse)] * 3)
    made.write(Preferred(at=now(), point=0, over=1, same=True))
    found = made.run.suggest(2, random_state=1)
    assert found.value == "preference"
    mean = found.belief.set_index("bpm")["mean"]
    assert mean[100] > mean[140] > mean[180]
    assert found.points.bpm.between(75, 150).all()
    rated = made.rate(best_at(180), np.random.default_rng(0)).run
    assert rated.suggest(1, random_state=1).value == "rating"
    assert rated.suggest(1, value="preference", random_state=1).value == "preference"


@pytest.mark.parametrize("state", ["nothing", "one", "equal", "rejected", "tied"])
def test_little_is_enough_to_go_on(state: str) -> None:
    made = Heard(sweep()).make(*range(8))
    match state:
        case "one":
            made.write(Rated(at=now(), point=2, rating=5))
        case "equal":
            made.write(*(Rated(at=now(), point=point, rating=4) for point in range(8)))
        case "rejected":
            made.write(*(Rejected(at=now(), point=point) for point in (0, 1)))
        case "tied":
            made.write(*(Preferred(at=now(), point=point, over=7, same=True) for point in range(7)))
    found = made.run.suggest(3, random_state=1)
    assert found.points.bpm.is_unique
    assert found.points.bpm.between(60, 180).all()
    assert found.belief["mean"].isna().all() == (state == "nothing")
    if state == "nothing":
        # As far as may be from what there is already.
        assert found.points.bpm.tolist() == [80, 120, 160]
        assert "spread out" in repr(found)
        assert found._repr_html_().count("<td>?</td>") == 3
        assert found.measured.empty
    if state == "one":
        assert len(found.measured) == 1
        assert "from 1 rating:" in repr(found)
    if state == "rejected":
        assert (found.points.bpm > 90).all()


def test_axes_without_an_order_are_chosen_among() -> None:
    def rule(values: dict[str, Any], luck: np.random.Generator) -> float:
        return 1.0 + 2 * (values["key"] in ("C", "G")) + 2 * int(values["energy"] == "low")

    made = rated(rule, bpm=120, key=["C", "F#", "G"], energy=["low", "medium", "high"], scale=["major", "minor"])
    found = made.run.suggest(2, random_state=1)
    assert found.belief.columns[:3].tolist() == ["energy", "key", "scale"]
    assert len(found.belief) == 18
    assert set(found.points.key) <= {"C", "G"}
    assert set(found.points.energy) == {"low"}
    assert found.points.bpm.tolist() == [120, 120]
    many = made.run.suggest(20, random_state=1)  # more than there are: some again, with other seeds
    assert not many.points.duplicated().any()


def test_neighbours_on_the_circle_of_fifths_are_neighbours() -> None:
    made = Heard(sweep(bpm=120, key=["C", "F#"], seed=[1]))
    made.make(0, 1).write(Rated(at=now(), point=0, rating=5), Rated(at=now(), point=1, rating=1))
    mean = made.run.suggest(1, key=["C", "G", "F#", "C#"], random_state=1).belief.set_index("key")["mean"]
    assert mean["G"] > mean["C#"]


def test_very_many_candidates_are_drawn_from() -> None:
    keys = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    made = Heard(sweep(key=keys[:2], seed=[1])).make(0)
    made.write(Rated(at=now(), point=0, rating=5))
    found = made.run.suggest(2, key=keys, bpm=range(60, 201), tags=["piano", "flute"], random_state=1)
    assert len(found.belief) == 2000
    assert not found.belief.duplicated(["tags", "bpm", "key"]).any()


def test_what_was_not_heard_yet_counts_as_expected(heard: Heard) -> None:
    first = heard.run.suggest(3, random_state=1)
    second = heard.extend(first).run.suggest(3, random_state=1)
    assert not pd.concat([first.points, second.points]).duplicated(["bpm", "seed"]).any()
    assert set(first.points.bpm) != set(second.points.bpm)
    assert len(second.measured) == 8


def test_an_axis_may_be_opened_or_widened(heard: Heard) -> None:
    found = heard.run.suggest(1, bpm=range(110, 120), random_state=1)
    assert 110 <= found.points.bpm[0] < 120
    opened = heard.run.suggest(2, tags=["piano", "felt piano"], random_state=1)
    assert set(opened.belief.tags) == {"piano", "felt piano"}
    after = opened.plan(heard.run.plan)
    assert "tags" not in after.fixed
    assert after.values(0)["tags"] == "piano"
    with pytest.raises(ParameterError, match="leave scale to the service"):
        heard.run.suggest(1, scale=["minor"])
    with pytest.raises(ParameterError, match="cannot be made along 'seed'"):
        heard.run.suggest(1, seed=3)
    with pytest.raises(ParameterError, match="differ by nothing"):
        Heard(sweep(bpm=120), "alone").run.suggest(1)
    with pytest.raises(ParameterError, match="cannot start a generator"):
        heard.run.suggest(1, random_state="lucky")
    with pytest.raises(ParameterError, match="n=0 is not 1 or more"):
        heard.run.suggest(0)


def test_no_more_is_proposed_than_may_be_spent(heard: Heard) -> None:
    with pytest.warns(SweepWarning, match="2 of 5 points are suggested: so many credits are allowed"):
        assert heard.run.suggest(5, credits=2).cost == 2
    with pytest.raises(NotEnoughCreditsError, match="No point can be paid for: 0 credits are allowed"):
        heard.run.suggest(5, credits=0)
    heard.write(Bounded(at=now(), max_credits=9))  # of which eight are spent
    with pytest.warns(SweepWarning, match="so many credits the run may spend"):
        assert heard.run.suggest(5, credits=4).cost == 1


def test_suggestions_are_made_and_paid_for_once(service: Any, hosted: ft.Client, reopen: Any) -> None:
    run = hosted.run(ft.Sweep("piano", bpm=[60, 100, 140], seed=[1]), name="next").rate([1], 5).rate([0, 2], 2)
    found = run.suggest(2, random_state=1)
    assert len(service.bodies) == 3  # nothing was sent yet
    assert found.run() is run
    assert run.done
    assert [body["bpm"] for body in service.bodies[3:]] == found.points.bpm.tolist()
    assert run.points.bpm.tolist() == [60, 100, 140, *found.points.bpm]
    assert ft.SweepRun.load("next").points.bpm.tolist() == run.points.bpm.tolist()
    with pytest.raises(ParameterError, match="has these points already"):
        run.extend(found)
    with pytest.raises(ParameterError, match="bpm was given beside a suggestion"):
        run.extend(found, bpm=[90])
    assert len(service.bodies) == 5
    other = hosted.run(ft.Sweep("piano", bpm=[60], seed=[1]), name="other")
    with pytest.raises(ParameterError, match="is for the run 'next', and this is 'other'"):
        other.extend(found)
    assert len(service.bodies) == 6

    service.account["limits"]["totalRemaining"] = 1
    with pytest.warns(SweepWarning, match="1 of 3 points"):
        assert run.suggest(3, random_state=2).cost == 1
    service.account["limits"]["totalRemaining"] = 0
    with pytest.raises(NotEnoughCreditsError, match="left beside what the run is to make"):
        run.suggest(3)


def test_a_service_that_is_away_does_not_stop_thinking(service: Any, hosted: ft.Client) -> None:
    run = hosted.run(sweep(seed=[1]), name="away").rate([1], 5)
    service.account = None  # an answer that is none
    assert run.suggest(2, random_state=1).cost == 2


def test_sound_is_measured_to_learn_from(client: ft.Client) -> None:
    run = client.run(ft.Sweep("piano", bpm=[80, 140], seed=[1], duration=5), name="bright")
    found = run.suggest(1, value="onset_density", random_state=1)
    assert found.measured.rating.gt(0).all()
    assert found.value == "onset_density"


def test_what_is_missing_is_named(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.gaussian_process", None)  # as on a machine without it
    with pytest.raises(ft.errors.MissingExtraError, match="scikit-learn"):
        heard.run.suggest(1)
