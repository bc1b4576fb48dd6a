from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

from finetuning import charts
from finetuning.charts.intervals import line_of

from .frames import axes, caption, legend, library, ticks, with_status, xs, ys


def timed(*seconds: float, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"g{n}" for n in range(len(seconds))], "generation_time": seconds, **columns})


def test_the_histogram_counts_each_generation_and_marks_percentiles() -> None:
    times = np.arange(1.0, 101.0)
    ax = charts.generation_times(timed(*times))
    assert ax.get_xlabel() == "generation time (s)"
    assert ax.get_ylabel() == "generations"
    counts = ax.patches[0].get_data().values  # type: ignore[attr-defined]
    assert counts.sum() == 100
    assert [xs(line)[0] for line in ax.lines] == list(np.percentile(times, [50, 90, 99]))
    assert len({line.get_linestyle() for line in ax.lines}) == 3  # told apart without colours
    assert legend(ax) == ["p50  50.5 s", "p90  90.1 s", "p99  99 s"]
    assert caption(ax) == "100 generations: p50 50.5 s, p90 90.1 s, p99 99 s."


def test_an_empty_chart_has_the_axes_of_the_full_one() -> None:
    for by in (None, "bpm"):
        empty, full = (charts.generation_times(frame, by) for frame in (library(0), library(3)))
        assert (empty.get_xlabel(), empty.get_ylabel()) == (full.get_xlabel(), full.get_ylabel())


def test_no_line_of_a_caption_breaks_between_a_number_and_its_unit() -> None:
    for width in range(3, 12):  # inches
        ax: Any = Figure(figsize=(width, 4)).add_subplot()
        charts.time_by_duration(library(), ax=ax)
        (words,) = [text.get_text() for text in ax.texts if text.get_gid() == "caption"]
        assert "\ns " not in words
        assert " s more" in words.replace("\n", " ")


def test_one_long_wait_does_not_put_all_others_into_one_bar() -> None:
    ax = charts.generation_times(timed(*np.linspace(1, 5, 60), 30))
    counts = ax.patches[0].get_data().values  # type: ignore[attr-defined]
    assert (counts > 0).sum() >= 4


def test_a_box_for_each_value_with_its_percentiles_and_few_takes_as_points() -> None:
    frame = timed(*range(10), *range(100, 200), bpm=pd.array([90] * 10 + [80] * 100, dtype="Int64"))
    ax = charts.generation_times(frame, by="bpm")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tempo (bpm)", "generation time (s)")
    assert ticks(ax) == ["80 (100)", "90 (10)"]
    marked = {line.get_label(): line for line in ax.lines}
    assert ys(marked["p90"]) == [np.percentile(range(100, 200), 90), np.percentile(range(10), 90)]
    assert ys(marked["p99"]) == [np.percentile(range(100, 200), 99), np.percentile(range(10), 99)]
    assert marked["p90"].get_marker() != marked["p99"].get_marker()
    (points,) = [line for line in ax.lines if line.get_marker() == "."]
    assert sorted(ys(points)) == list(range(10))  # a hundred would be a blot
    medians = [ys(line)[0] for line in ax.lines if line.get_linewidth() == 2.5 and len(xs(line)) == 2]
    assert medians == [149.5, 4.5]


def test_what_is_left_out_is_counted_and_why() -> None:
    frame = with_status(library(20), failed=3, processing=2)
    frame.loc[10:11, "generation_time"] = np.nan
    frame.loc[12, "generation_time"] = -1.0
    frame = pd.concat([frame, frame.tail(4)])
    said = caption(charts.generation_times(frame))
    assert said.startswith("12 generations: ")
    assert said.endswith(
        "Left out: 4 listed twice, 3 failed, 2 processing, 2 without generation_time, "
        "1 with a negative generation_time."
    )


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("prompt", ["deep house (2)", "lofi (1)", "not given (1)"]),
        (["key", "scale"], ["A minor (1)", "C major (2)", "C minor (1)"]),
        ("weekday", ["Mon (2)", "Tue (1)", "Wed (1)", *(f"{day} (0)" for day in ("Thu", "Fri", "Sat", "Sun"))]),
        ("day", ["2026-03-02 (2)", "2026-03-03 (1)", "2026-03-04 (1)"]),
        ("public", ["False (1)", "True (2)", "not given (1)"]),
    ],
)
def test_groups_are_the_values_in_their_order(by: Any, names: list[str]) -> None:
    frame = timed(
        1, 2, 3, 4,
        prompt=["lofi", "deep house", None, "deep house"],
        key=["C", "A", "C", "C"],
        scale=["minor", "minor", "major", "major"],
        created_at=["2026-03-02T01:00:00Z", "2026-03-02T23:00:00Z", "2026-03-03T00:00:00+00:00",
                    "2026-03-03T20:00:00-05:00"],
        public=pd.array([True, False, True, None], dtype="boolean"),
    )  # fmt: skip
    assert ticks(charts.generation_times(frame, by=by)) == names


def test_a_category_is_in_its_own_order_and_only_where_it_occurs() -> None:
    frame = timed(1, 2, 3, key=pd.Categorical(["A", "C", "A"], categories=["C", "C#", "D", "A"]))
    assert ticks(charts.generation_times(frame, by="key")) == ["C (1)", "A (2)"]


def test_of_many_categories_the_most_frequent_stay() -> None:
    words = [f"word {number:02}" for number in range(30)]
    frame = timed(*range(32), prompt=pd.Categorical([*words, "word 20", "word 20"], categories=words[::-1]))
    names = ticks(charts.generation_times(frame, by="prompt"))
    assert len(names) == 12
    assert "word 20 (3)" in names
    assert names[-1] == "19 others (19)"


def test_many_numbers_become_ranges_of_as_many_rows() -> None:
    frame = timed(*range(80), seed=range(80))
    names = ticks(charts.generation_times(frame, by="seed"))
    assert names[0] == "0 to 9.875 (10)"
    assert [name.rpartition(" ")[2] for name in names] == ["(10)"] * 8


def test_of_many_words_the_most_frequent_stay() -> None:
    words = [f"word {number:02}" for number in range(20)] + ["word 15"] * 5
    names = ticks(charts.generation_times(timed(*range(25), prompt=words), by="prompt"))
    assert len(names) == 12
    assert "word 15 (6)" in names
    assert names[-1] == "9 others (9)"


def test_a_long_name_is_shortened_and_no_formula_is_read_in_it() -> None:
    (name,) = ticks(charts.generation_times(timed(1, prompt=["$x$ " + "very long " * 9]), by="prompt"))
    assert name == r"\$x\$ very long very long… (1)"


def test_over_time_the_median_runs_through_the_points() -> None:
    times = np.concatenate([np.full(40, 10.0), np.full(40, 30.0)])
    created = pd.date_range("2026-03-01", periods=80, freq="h", tz="UTC")
    ax = charts.generation_times_over_time(timed(*times, created_at=created).sample(frac=1, random_state=1))
    lines = {line.get_label(): line for line in ax.lines}
    assert ys(lines["a generation"]) == list(times)
    assert ys(lines["median"]) == [10.0] * 5 + [30.0] * 5
    assert [type(each) for each in ax.collections] == [FillBetweenPolyCollection]
    assert ax.get_xlabel() == "created (UTC)"
    assert caption(ax) == "80 generations."


def test_times_of_any_zone_are_put_on_one_axis() -> None:
    mixed = [
        "2026-03-01 12:00:00", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00.000Z",
        pd.Timestamp("2026-03-01 07:00", tz="America/New_York"), pd.Timestamp("2026-03-01 12:00"), "nonsense",
    ]  # fmt: skip
    ax = charts.generation_times_over_time(timed(*range(6), created_at=mixed))
    assert {str(moment) for moment in xs(ax.lines[0])} == {"2026-03-01T12:00:00.000000"}
    assert caption(ax) == "5 generations. Left out: 1 without created_at."


def test_numbers_are_no_times() -> None:
    assert "no completed generation" in charts.generation_times_over_time(timed(1, created_at=[1])).texts[0].get_text()


def test_the_slope_is_told_in_words() -> None:
    length = np.arange(10.0, 110, 10)
    ax = charts.time_by_duration(timed(*(5 + 0.3 * length), duration=length))
    fitted = ax.lines[1]
    assert np.allclose(fitted.get_ydata(), [8, 35])
    assert caption(ax) == (
        "10 generations. Each second of music takes 0.3 s more (95 %: 0.3 to 0.3 s), beside 5 s whatever its length."
    )


def test_where_the_duration_is_not_known_that_asked_for_counts() -> None:
    ax = charts.time_by_duration(timed(1, 2, requested_duration=[30, 30]))
    assert ax.get_xlabel() == "requested duration (s)"
    assert caption(ax) == "2 generations. All last 30 s: no slope can be told."
    two = charts.time_by_duration(timed(2, 0, requested_duration=[30, 50]), ax=axes())
    assert caption(two) == "2 generations. Each second of music takes -0.1 s more, beside 5 s whatever its length."
    less = charts.time_by_duration(timed(1, 3, requested_duration=[30, 50]), ax=axes())
    assert caption(less) == "2 generations. Each second of music takes 0.1 s more, beside 2 s less whatever its length."


def test_the_line_agrees_with_a_reference() -> None:
    from scipy.stats import linregress, t

    draw = np.random.default_rng(3)
    x, y = draw.uniform(0, 9, 40), draw.normal(size=40)
    line, reference = line_of(x, y), linregress(x, y)
    assert line is not None
    assert np.allclose([line.slope, line.level], [reference.slope, reference.intercept])
    assert np.isclose(line.margin, reference.stderr * t.ppf(0.975, 38))
    assert line_of(x[:0], y[:0]) is None
    flat = line_of(x, np.full_like(x, 0.1))
    assert flat is not None
    assert flat.slope == 0.0
