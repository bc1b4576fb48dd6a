from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from finetuning import charts
from finetuning.charts.intervals import rating_intervals, wilson
from finetuning.errors import ParameterError, SelectionError

from .frames import axes, caption, render, text_of, ticks, ys


def rated(*ratings: int | None, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"id": [f"g{n}" for n in range(len(ratings))], "rating": pd.array(ratings, dtype="Int64"), **columns}
    )


def test_the_mean_of_each_value_and_how_often_each_rating_was_given() -> None:
    frame = rated(1, 3, 5, 5, None, 7, bpm=[80, 80, 90, 90, 80, 80])
    ax = charts.ratings(frame, by="bpm")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tempo (bpm)", "rating (1 to 5)")
    assert ticks(ax) == ["80 (2)", "90 (2)"]
    circles = ax.collections[0]
    assert np.asarray(circles.get_offsets()).tolist() == [[0, 1], [0, 3], [1, 5]]
    assert [text.get_text() for text in ax.texts if text.get_gid() is None] == ["1", "1", "2"]
    means = next(line for line in ax.lines if line.get_marker() == "D")
    assert ys(means) == [2, 5]
    assert caption(ax) == (
        "4 ratings, mean 3.50; circles: how often each was given. "
        "Left out: 1 not rated, 1 with a rating that is not one of 1 to 5."
    )


def test_three_fives_are_not_taken_for_certainty() -> None:
    low, high = rating_intervals(np.array([[0, 0, 0, 0, 3], [0, 0, 0, 0, 300], [0, 0, 0, 0, 0]]))
    assert low[0] < 4.6
    assert low[1] > 4.95
    assert (high[:2] == 5).all()
    assert np.isnan([low[2], high[2]]).all()


def test_the_interval_of_many_ratings_is_that_of_their_mean() -> None:
    counts = np.array([[100, 200, 300, 200, 100]])
    low, high = rating_intervals(counts)
    ratings = np.repeat(np.arange(1, 6), counts[0])
    half = 1.96 * ratings.std() / np.sqrt(len(ratings))
    assert np.allclose([low[0], high[0]], [3 - half, 3 + half], atol=0.01)


def test_too_many_ratings_to_write_are_circles_only() -> None:
    ax = charts.ratings(rated(*[4] * 200))
    assert [text for text in ax.texts if text.get_gid() is None] == []


def bars(ax: Any) -> dict[float, float]:
    return {bar.get_x() + bar.get_width() / 2: bar.get_height() for bar in ax.patches if bar.get_width() == 0.6}


def test_a_kept_take_costs_all_that_were_tried() -> None:
    frame = rated(5, 1, 2, 4, 1, 1, None, bpm=[80, 80, 80, 80, 90, 90, 90])
    ax = charts.cost_per_kept(frame, by="bpm")
    assert bars(ax) == {0: 2}
    assert f" >{1 / wilson(0, 2)[1]:.2g}" in [text.get_text() for text in ax.texts]  # 90 bpm
    assert ax.get_ylabel() == "credits for each kept take"
    assert caption(ax) == (
        "2 takes kept of 6 credits: 3 each. Arrows: none kept; what one costs at least. Left out: 1 not judged yet."
    )
    low, high = wilson(2, 4)
    (segment,) = ax.collections[0].get_segments()  # type: ignore[attr-defined]
    assert np.allclose(segment[:, 1], [1 / high, 1 / low])


def test_rejected_and_failed_takes_are_judged_and_cost_too() -> None:
    frame = rated(
        5, 5, None, None, None,
        rejected=pd.array([False, True, True, False, None], dtype="boolean"),
        status=["completed", "completed", "completed", "failed", "completed"],
    )  # fmt: skip
    assert caption(charts.cost_per_kept(frame)) == "1 take kept of 4 credits: 4 each. Left out: 1 not judged yet."


def test_kept_may_be_a_column_or_ids() -> None:
    frame = rated(1, 1, 1, 1).assign(kept=pd.array([True, True, None, False], dtype="boolean"))
    assert bars(charts.cost_per_kept(frame)) == {0: 2}
    assert bars(charts.cost_per_kept(frame, kept=frame.head(1), ax=axes())) == {0: 4}
    assert bars(charts.cost_per_kept(frame.drop(columns=["rating", "kept"]), kept=["g3", "g1", "x"])) == {0: 2}
    with pytest.raises(SelectionError):
        charts.cost_per_kept(frame, kept=[3.5])  # type: ignore[list-item]


def test_what_was_never_sent_cost_nothing() -> None:
    frame = rated(5, None, None).assign(id=pd.array(["g0", None, None], dtype="str"))
    assert (
        caption(charts.cost_per_kept(frame)) == "1 take kept of 1 credit: 1 each. Left out: 2 never sent, at no cost."
    )


def test_no_number_lies_upon_the_next_bar() -> None:
    frame = rated(*[1] * 100, *[5] * 5, *[1] * 15, bpm=[*range(60, 160, 10)] * 10 + [170] * 5 + [180] * 15)
    frame.loc[::3, "rating"] = 5
    frame.loc[frame.bpm.isin([90, 120]), "rating"] = 1
    ax = charts.cost_per_kept(frame, by="bpm")
    render(ax)
    numbers = [text.get_window_extent() for text in ax.texts if text.get_gid() is None and text.get_text()]
    patches: Any = ax.patches
    columns = [bar.get_window_extent() for bar in patches if bar.get_width() == 0.6]
    assert len(numbers) == 12
    assert len(columns) == 10
    assert not [1 for number in numbers for column in columns if number.x0 < column.x0 < number.x1]


def test_nothing_kept_at_all() -> None:
    assert (
        caption(charts.cost_per_kept(rated(1, 2)))
        == "0 takes kept of 2 credits. Arrows: none kept; what one costs at least."
    )
    assert "no take that was judged" in text_of(charts.cost_per_kept(rated(None)), "nothing")


def test_a_frame_that_tells_nothing_of_keeping_is_refused() -> None:
    with pytest.raises(ParameterError, match="neither a column 'kept' nor 'rating'"):
        charts.cost_per_kept(pd.DataFrame({"id": ["a"]}))
    with pytest.raises(ParameterError, match="by names no column"):
        charts.cost_per_kept(rated(1), by=[])
