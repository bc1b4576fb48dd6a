from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from finetuning import charts
from finetuning.charts.intervals import wilson

from .frames import axes, caption, library, text_of, ticks, with_status


def failed(*reasons: str | None, completed: int = 0) -> pd.DataFrame:
    frame = with_status(library(len(reasons) + completed), failed=len(reasons))
    return frame.assign(error_message=pd.array([*reasons, *[None] * completed], dtype="str"))


def test_reasons_are_counted_the_most_frequent_first() -> None:
    ax = charts.failures(failed("timeout", "no\nmemory", "timeout", None, "timeout", completed=5))
    assert ax.get_xlabel() == "failed generations"
    assert [bar.get_width() for bar in ax.patches] == [3, 1, 1]  # type: ignore[attr-defined]
    heights = [bar.get_y() for bar in ax.patches]  # type: ignore[attr-defined]
    assert heights == sorted(heights, reverse=True)
    assert {label.get_text() for label in ax.get_yticklabels()} == {"timeout", "no memory", "no reason given"}
    assert " 3 (60%)" in [text.get_text() for text in ax.texts]
    assert caption(ax) == "5 of 10 finished generations failed (50.0%)."


def test_many_reasons_leave_a_rest() -> None:
    ax = charts.failures(failed(*(f"reason {number}" for number in range(14)), "reason 3", "$ " * 90))
    assert len(ax.patches) == 10
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[0] == "reason 3"
    assert names[-1] == "6 other reasons"
    assert sum(bar.get_width() for bar in ax.patches) == 16  # type: ignore[attr-defined]


def test_where_none_failed_that_is_said() -> None:
    ax = charts.failures(with_status(library(3), pending=1))
    assert text_of(ax, "nothing") == "Nothing to show: of 2 finished generations none failed."
    assert caption(ax) == "Left out: 1 pending."
    assert "none finished" in text_of(charts.failures(with_status(library(1), pending=1)), "nothing")


def test_the_share_that_fails_by_hour_with_its_interval() -> None:
    frame = failed("x", "x", completed=10).assign(
        created_at=pd.to_datetime(["2026-03-01T05:00Z"] * 4 + ["2026-03-02T20:30Z"] * 8, utc=True)
    )
    ax = charts.failures(frame, by="hour")
    assert [bar.get_height() for bar in ax.patches] == [50, 0]  # type: ignore[attr-defined]
    assert [bar.get_x() + bar.get_width() / 2 for bar in ax.patches] == [5, 20]  # type: ignore[attr-defined]
    assert ticks(ax)[4:6] == ["04 (0)", "05 (4)"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("hour of the day (UTC)", "failed (%)")
    segments = ax.collections[0].get_segments()  # type: ignore[attr-defined]
    reference = binomtest(2, 4).proportion_ci(method="wilson")
    assert np.allclose(segments[0][:, 1], [100 * reference.low, 100 * reference.high])


def test_rare_failures_are_not_rounded_away() -> None:
    ax = charts.failures(failed("x", completed=4999), by="prompt", ax=axes())
    assert "1 of 5,000 finished generations failed (0.0002)" in caption(ax)


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (5, 5), (3, 10), (700, 1000)])
def test_wilsons_interval_agrees_with_a_reference(hits: int, trials: int) -> None:
    low, high = wilson(hits, trials)
    reference = binomtest(hits, trials).proportion_ci(method="wilson")
    assert np.allclose([float(low), float(high)], [reference.low, reference.high])


def test_a_state_of_a_run_counts_where_the_service_knows_nothing() -> None:
    frame = failed("x", completed=3).assign(state=["failed", "completed", "refused", "waiting"])
    frame["status"] = pd.Categorical(["failed", "completed", None, None], categories=["completed", "failed"])
    assert caption(charts.failures(frame)).endswith("Left out: 1 refused, 1 waiting.")
