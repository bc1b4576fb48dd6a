from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from finetuning import charts
from finetuning.charts.projection import days_until, paths
from finetuning.errors import ParameterError
from finetuning.records import Account, Limits

from .frames import account, axes, caption, legend, render, text_of, ys

NOW = pd.Timestamp("2026-03-11T00:00", tz="UTC")


def used(*daily: int) -> pd.DataFrame:
    """So many generations on each day from the first of March on."""
    days = pd.date_range("2026-03-01T12:00", periods=len(daily), tz="UTC")
    return pd.DataFrame({"created_at": np.repeat(days, daily)}).assign(id=lambda frame: frame.index.astype(str))


def level(ax: Any, name: str) -> float:
    (line,) = [line for line in ax.lines if line.get_label() == name]
    return float(ys(line)[-1])


def test_each_day_and_all_together() -> None:
    upper, lower = charts.credit_use(used(2, 0, 3))
    assert list(lower.patches[0].get_data().values) == [2, 0, 3]  # type: ignore[attr-defined]
    assert level(upper, "used") == 5
    assert (upper.get_ylabel(), lower.get_ylabel(), lower.get_xlabel()) == (
        "credits in all", "credits a day", "day (UTC)",
    )  # fmt: skip
    assert caption(upper) == "5 credits used in 3 days."


def test_a_day_is_one_of_utc() -> None:
    late = pd.DataFrame(
        {"created_at": [pd.Timestamp("2026-03-01 22:00", tz="America/New_York"), "2026-03-01T23:00:00Z"]}
    )
    _, lower = charts.credit_use(late)
    assert list(lower.patches[0].get_data().values) == [1, 1]  # type: ignore[attr-defined]


def test_steady_use_runs_out_when_it_must_and_packs_after_that() -> None:
    upper, _ = charts.credit_use(used(*[10] * 10), account(monthly=50, packs=20), now=NOW)
    assert caption(upper) == (
        "100 credits used in 11 days. Left: 50 of the monthly allowance, 20 in packs. "
        "Monthly credits run out about 16 Mar 2026. All, packs included, run out about 18 Mar 2026. "
        "From 10 days of use; no renewal foreseen."
    )
    assert level(upper, "monthly allowance used up") == 150
    assert level(upper, "packs used up too") == 170
    assert level(upper, "projection (80 %)") == 170


def test_uneven_use_is_uncertain_and_says_so() -> None:
    upper, _ = charts.credit_use(used(0, 30, 0, 0, 5, 0, 40, 0, 3, 2), account(monthly=100, packs=0), now=NOW)
    said = caption(upper)
    assert " (80 %: " in said
    assert "packs included" not in said
    assert "packs used up too" not in legend(upper)
    band = next(each for each in upper.collections)
    spread = band.get_paths()[0].vertices
    assert np.ptp(np.asarray(spread)[:, 1]) > 20


def test_the_legend_lies_upon_nothing() -> None:
    upper, _ = charts.credit_use(used(*[10] * 10), account(monthly=10_000, packs=20), now=NOW)
    render(upper)
    found: Any = upper.get_legend()
    assert found.get_window_extent().x0 >= upper.get_window_extent().x1


def test_few_days_are_not_to_be_relied_on() -> None:
    assert "Too few days to rely on." in caption(charts.credit_use(used(*[3] * 10).tail(9), account(), now=NOW))


def test_without_use_credits_last_for_ever() -> None:
    later = NOW + pd.Timedelta("60D")
    assert "last for ever" in caption(charts.credit_use(used(5), account(), now=later))


def test_use_so_slow_that_no_date_is_told() -> None:
    upper, _ = charts.credit_use(used(*[0] * 9, 1), account(monthly=100_000, packs=5), now=NOW)
    assert "Monthly credits run out in more than ten years." in caption(upper)


def test_the_projection_begins_where_it_is_told_to() -> None:
    naive = caption(charts.credit_use(used(*[10] * 10), account(50, 0), now=datetime(2026, 3, 11)))
    aware = caption(charts.credit_use(used(*[10] * 10), account(50, 0), now=NOW))
    assert naive == aware
    now_by_itself, _ = charts.credit_use(used(*[10] * 10), account(50, 0))
    assert "last for ever" in caption(now_by_itself)  # those days are long gone


def snapshots(**columns: Any) -> pd.DataFrame:
    at = pd.to_datetime(pd.Series(["2026-03-11T00:00Z", "2026-03-01T00:00Z", "2026-03-05T00:00Z", None]), utc=True)
    given = {"at": at, "monthly_remaining": [50, 100, 60, 7], "pack_credits": [20, 0, None, 7]} | columns
    return pd.DataFrame(given).astype({"monthly_remaining": "Int64", "pack_credits": "Int64"})


@pytest.mark.parametrize("how", ["account", "snapshots"])
def test_snapshots_show_what_was_left_and_stand_for_the_account(how: str) -> None:
    given: Any = {how: snapshots()}
    upper, _ = charts.credit_use(used(*[10] * 10), **given)
    (line,) = [line for line in upper.lines if line.get_label() == "used and left, as it was"]
    assert ys(line) == [100, 100, 170]  # 40 used by the fifth of March
    assert "Left: 50 of the monthly allowance, 20 in packs." in caption(upper)
    assert "run out about 16 Mar 2026" in caption(upper)


def test_a_snapshot_that_tells_the_sum_alone_is_understood() -> None:
    upper, _ = charts.credit_use(used(1), snapshots(monthly_remaining=None, total_remaining=[70, 100, 60, 7]))
    assert "Left: 50 of the monthly allowance, 20 in packs." in caption(upper)


def test_an_account_goes_before_the_last_snapshot() -> None:
    upper, _ = charts.credit_use(used(1), account(9, 1), snapshots=snapshots(), now=NOW)
    assert "Left: 9 of the monthly allowance, 1 in packs." in caption(upper)


def test_without_a_generation_what_is_left_is_shown_all_the_same() -> None:
    upper, lower = charts.credit_use(used(), snapshots())
    assert "Left: 50 of the monthly allowance" in caption(upper)
    assert list(lower.patches[0].get_data().values) == [0] * 11  # type: ignore[attr-defined]
    empty, _ = charts.credit_use(used(), account(), now=NOW, ax=axes())
    assert text_of(empty, "nothing").endswith("the frame has no rows.")
    assert "Left: 100" in caption(empty)


def test_an_account_that_tells_less_is_understood() -> None:
    total = Account(id="a", limits=Limits(total_remaining=70, pack_credits=20))
    assert "Left: 50 of the monthly allowance, 20 in packs." in caption(charts.credit_use(used(1), total, now=NOW))
    assert "Left" not in caption(charts.credit_use(used(1), Account(id="a"), now=NOW))


def test_what_is_no_account_is_refused() -> None:
    with pytest.raises(ParameterError, match="account is a int, neither an account nor a frame"):
        charts.credit_use(used(1), 463)
    with pytest.raises(ParameterError, match="The snapshots have no column 'pack_credits'"):
        charts.credit_use(used(1), snapshots().drop(columns="pack_credits"))


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(5)
    held = 0
    for _ in range(150):
        daily = draw.negative_binomial(2, 0.2, 28).astype(float)  # eight a day, clustered
        truth = int(np.argmax(np.cumsum(draw.negative_binomial(2, 0.2, 400)) >= 200)) + 1
        low, high = np.quantile(days_until(paths(daily, 200, draws=200), 200), [0.1, 0.9])
        held += low <= truth <= high
    assert 0.68 < held / 150 < 0.92


def test_no_days_or_no_use_lead_nowhere() -> None:
    for daily in (np.zeros(0), np.zeros(5)):
        assert paths(daily, 10).shape == (500, 0)
    assert np.isinf(days_until(paths(np.zeros(5), 10), 10)).all()
