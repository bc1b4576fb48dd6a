from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from scipy.stats import ttest_rel

from finetuning import charts
from finetuning.charts.intervals import mean_of

from .frames import axes, caption, legend, text_of, xs, ys


def sweep(ratings: dict[int, list[float]], **columns: Any) -> pd.DataFrame:
    """Ratings of each tempo, one for each seed."""
    rows = [
        {"bpm": bpm, "seed": seed, "rating": rating, "prompt": "lofi"}
        for bpm, found in ratings.items()
        for seed, rating in enumerate(found)
    ]
    return pd.DataFrame(rows).assign(id=[f"g{n}" for n in range(len(rows))], **columns)


def sets(ax: Any) -> list[list[list[float]]]:
    return [
        segment.tolist()
        for each in ax.collections if isinstance(each, LineCollection) and each.get_label() == "one set"
        for segment in each.get_segments()
    ]  # fmt: skip


def test_takes_are_compared_with_those_that_differ_in_the_knob_alone() -> None:
    low, high = [2.0, 3.0, 1.0, 4.0], [3.0, 5.0, 1.0, 5.0]
    ax = charts.effect(sweep({100: high, 80: low}), "bpm")
    assert sorted(sets(ax)) == sorted([[80, one], [100, other]] for one, other in zip(low, high, strict=True))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tempo (bpm)", "rating (1 to 5)")
    drawn = next(line for line in ax.lines if line.get_marker() == "D")
    assert xs(drawn) == [80, 100]
    assert ys(drawn) == [2.5, 3.5]
    interval = ttest_rel(high, low).confidence_interval()
    bars = next(each for each in ax.collections if each.get_label() != "one set" and isinstance(each, LineCollection))
    assert np.allclose(bars.get_segments()[1][:, 1], [2.5 + interval.low, 2.5 + interval.high])
    assert caption(ax) == (
        f"100 against 80: +1 (95 %: {interval.low:+.2g} to {interval.high:+.2g}), 4 pairs. "
        "4 sets of takes that share all but bpm; 8 takes."
    )


def test_a_take_that_differs_otherwise_too_is_no_partner() -> None:
    frame = sweep({80: [1, 2], 100: [3, 4]})
    frame.loc[3, "seed"] = 77
    ax = charts.effect(frame, "bpm")
    assert sets(ax) == [[[80, 1], [100, 3]]]
    assert caption(ax).startswith("100 against 80: +2, 1 pair.")  # one pair has no interval
    assert caption(ax).endswith("Left out: 2 with no partner that differs in this alone.")
    frame.loc[2, "prompt"] = "jazz"
    assert "no two takes that differ in bpm alone" in text_of(charts.effect(frame, "bpm"), "nothing")


def test_of_tags_the_prompt_may_differ_since_it_is_made_of_them() -> None:
    frame = sweep({80: [1, 2, 5, 5]}).assign(tags=["a", "a", "b", "b"], prompt=["a", "a", "b", "b"], seed=[1, 2, 1, 2])
    assert "b against a: +3.5" in caption(charts.effect(frame, "tags"))


def test_repeated_takes_of_a_set_count_as_their_mean() -> None:
    frame = pd.concat([sweep({80: [1], 100: [5]}), sweep({80: [3]}).assign(id="again")])
    assert sets(charts.effect(frame, "bpm")) == [[[80, 2], [100, 5]]]


def test_what_lacks_seed_knob_or_value_is_counted() -> None:
    frame = sweep({80: [1, 2, 3], 100: [3, 4, 5]}).astype({"seed": "Int64", "bpm": "Int64"})
    frame.loc[0, "seed"], frame.loc[1, "bpm"], frame.loc[2, "rating"] = pd.NA, pd.NA, np.nan
    said = text_of(charts.effect(frame, "bpm"), "caption")
    assert said == (
        "Left out: 1 without bpm, 1 without rating, 1 without seed, 3 with no partner that differs in this alone."
    )


def test_of_many_values_only_the_first_differences_are_told() -> None:
    frame = sweep({bpm: [float(bpm), bpm + 1.0] for bpm in range(60, 120, 10)})
    assert caption(charts.effect(frame, "bpm")).count("against") == 4
    assert "; …." in caption(charts.effect(frame, "bpm"))


def test_many_sets_are_a_band() -> None:
    draw = np.random.default_rng(0)
    frame = sweep({80: list(draw.normal(3, 1, 1500)), 100: list(draw.normal(4, 1, 1500))})
    ax = charts.effect(frame, "bpm", ax=axes())
    assert sets(ax) == []
    assert legend(ax) == ["sets, p10 to p90", "mean difference, 95 %"]
    assert "1,500 pairs" in caption(ax)


def test_levels_that_never_meet_are_not_compared() -> None:
    frame = sweep({80: [1], 90: [2], 100: [3], 110: [4]}).assign(seed=[1, 2, 2, 1])
    ax = charts.effect(frame, "bpm")
    assert caption(ax).startswith("110 against 80: +3, 1 pair.")


def test_the_mean_of_nothing_is_nothing() -> None:
    assert np.isnan(mean_of(np.zeros(0))).all()
