from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from finetuning import charts
from finetuning.charts.queueing import in_flight

from .frames import axes, caption, legend, render, text_of, xs, ys


def takes(*rows: tuple[float, float | None, float | None], **columns: Any) -> pd.DataFrame:
    """Begun, ended, seconds of making."""
    first = pd.Timestamp("2026-03-01T12:00:00.5", tz="UTC")
    begun, ended, made = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "id": [f"g{number}" for number in range(len(rows))],
            "created_at": first + pd.to_timedelta(begun, unit="s"),
            "completed_at": first + pd.to_timedelta(pd.Series(ended, dtype="float64"), unit="s"),
            "generation_time": np.array(made, dtype=float),
            **columns,
        }
    )


def bars(ax: Any) -> dict[str, list[tuple[float, float]]]:
    """Label: the beginning and end of each bar."""
    return {
        each.get_label(): [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in each.get_paths()]
        for each in ax.collections
    }


def test_waiting_and_making_are_drawn_apart() -> None:
    upper, lower = charts.throughput(takes((10, 40, 10), (0, 20, 20), (5, 50, None)))
    assert bars(upper) == {
        "waiting": [(0, 0), (10, 30)],
        "in the making": [(0, 20), (30, 40)],
        "waiting or in the making": [(5, 50)],
    }
    assert len({each.get_hatch() for each in upper.collections}) == 2
    assert upper.get_ylabel() == "take"
    assert lower.get_xlabel() == "seconds since the first request, 2026-03-01 12:00:00 UTC"
    assert xs(lower.lines[0]) == [0, 5, 10, 20, 40, 50]
    assert ys(lower.lines[0]) == [1, 2, 3, 2, 1, 0]
    assert caption(upper) == (
        "3 takes in 50 s, 3.6 takes a minute, at most 3 in flight; median wait 10 s, making 15 s."
    )


def test_failed_takes_end_in_a_cross_and_those_that_have_not_ended_are_counted() -> None:
    frame = takes((0, 200, 0), (0, 400, 100), (0, None, None), status=["failed", "completed", "processing"])
    upper, lower = charts.throughput(frame)
    (crosses,) = [line for line in upper.lines if line.get_marker() == "x"]
    assert [xs(crosses), ys(crosses)] == [[200 / 60], [1]]
    assert legend(upper) == ["waiting", "in the making", "failed"]
    assert caption(upper).endswith("Left out: 1 that have not ended.")
    assert lower.get_xlabel().startswith("minutes since")


def test_requests_told_to_the_second_are_said_to_be() -> None:
    frame = takes((0, 20, 10))
    frame["created_at"] = frame["created_at"].dt.floor("s")
    assert "Requests are told to the second" in caption(charts.throughput(frame))


def test_making_longer_than_the_take_is_cut_at_its_request() -> None:
    upper, _ = charts.throughput(takes((0, 10, 60)))
    assert bars(upper)["in the making"] == [(0, 10)]


def test_many_takes_become_a_picture_in_which_none_is_lost() -> None:
    rows = [(number * 0.7, number * 0.7 + 20.0, 5.0) for number in range(3000)]
    status = ["failed" if number >= 2900 else "completed" for number in range(3000)]
    upper, lower = charts.throughput(takes(*rows, status=status), ax=axes())
    (picture,) = upper.images
    drawn: Any = picture.get_array()
    assert (drawn > 0).any(axis=1).all()
    assert set(np.unique(drawn)) == {0, 1, 2, 4}
    assert (np.unique(drawn[-15:]) == [0, 1, 4]).all()  # the last hundred failed
    assert legend(upper) == ["waiting", "in the making", "failed"]
    assert max(ys(lower.lines[0])) == 29
    assert len(xs(lower.lines[0])) == 1001


def test_takes_of_seconds_are_seen_among_days() -> None:
    upper, _ = charts.throughput(takes((0, 20, 15), (400_000, 400_020, 20)))
    render(upper)
    across = upper.get_window_extent().width / upper.get_xlim()[1]
    assert len(bars(upper)["in the making"]) == 2
    assert all((end - begin) * across > 1 for begin, end in bars(upper)["in the making"])  # dots
    assert bars(upper)["waiting"][1][0] == bars(upper)["waiting"][1][1]  # it did not wait


def test_without_generation_times_nothing_is_told_apart() -> None:
    upper, _ = charts.throughput(takes((0, 10, 5)).drop(columns="generation_time"))
    assert list(bars(upper)) == ["waiting or in the making"]
    assert "median" not in caption(upper)


def test_takes_that_have_not_ended_leave_nothing_to_show() -> None:
    upper, lower = charts.throughput(takes((0, None, None)))
    assert text_of(upper, "nothing").endswith("of 1 row none is left.")
    assert text_of(lower, "nothing")


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), min_size=1, max_size=20))
def test_how_many_are_in_flight_agrees_with_counting(spans: list[tuple[int, int]]) -> None:
    start = np.array([begin for begin, _ in spans], dtype=float)
    end = start + [length for _, length in spans]
    moments, counts = in_flight(start, end)
    assert (np.diff(moments) > 0).all()
    for moment, count in zip(moments, counts, strict=True):
        assert count == ((start <= moment) & (moment < end)).sum()
