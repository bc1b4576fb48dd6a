"""Every chart of 100,000 rows, drawn to its last pixel, beside what pandas itself would draw of the same."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from finetuning import charts
from finetuning.records import KEYS, SCALES, STATUSES, Account, Limits

from .timing import best, line

ROWS = 100_000


def library(rows: int = ROWS) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    moments = np.datetime64("2026-01-01", "us") + np.sort(draw.integers(0, int(300 * 86400e6), rows)).astype("m8[us]")
    created = pd.to_datetime(moments, utc=True)
    duration = draw.uniform(5, 210, rows)
    time = 3 + 0.2 * duration + draw.gamma(4, 3, rows)
    bpm = draw.integers(60, 200, rows)
    return pd.DataFrame(
        {
            "id": pd.array([f"{number:032x}" for number in range(rows)], dtype="str"),
            "prompt": pd.array(draw.choice(["lofi", "deep house", "jazz"], rows), dtype="str"),
            "status": pd.Categorical(draw.choice(STATUSES, rows, p=[0, 0.02, 0.9, 0.08]), categories=STATUSES),
            "error_message": pd.array(
                draw.choice(np.array(["timeout", "no memory", None], dtype=object), rows), dtype="str"
            ),
            "bpm": pd.array(bpm, dtype="Int64"),
            "key": pd.Categorical(draw.choice(KEYS, rows), categories=KEYS),
            "scale": pd.Categorical(draw.choice(SCALES, rows), categories=SCALES),
            "seed": pd.array(draw.integers(0, 200, rows), dtype="Int64"),
            "duration": duration,
            "generation_time": time,
            "created_at": created,
            "completed_at": created + pd.to_timedelta(time + draw.gamma(3, 3, rows), unit="s"),
            "rating": pd.array(draw.integers(1, 6, rows), dtype="Int64"),
            "measured_bpm": bpm * draw.choice([1.0, 2.0, 0.5], rows),
            "bpm_confidence": draw.uniform(0, 1, rows),
            "measured_key": pd.array(draw.choice(KEYS, rows), dtype="str"),
            "measured_scale": pd.array(draw.choice(SCALES, rows), dtype="str"),
        }
    )


def _drawn(make: Callable[[], Any]) -> Callable[[], None]:
    """Make a chart, put it on paper, and put it away."""

    def run() -> None:
        plt = importlib.import_module("matplotlib.pyplot")
        found = make()
        ax = found[0] if isinstance(found, tuple) else found
        ax.get_figure(root=True).canvas.draw()
        plt.close("all")

    return run


def _heat(df: Any) -> Any:
    plt = importlib.import_module("matplotlib.pyplot")
    table = df.assign(bpm=pd.qcut(df.bpm, 8)).pivot_table(values="rating", index="key", columns="bpm", observed=True)
    ax = plt.subplots()[1]
    ax.pcolormesh(table.to_numpy(dtype=float))
    return ax


def _pairs(df: Any, account: Account, belief: Any) -> dict[str, tuple[Callable[[], Any], str, Callable[[], Any]]]:
    """Chart: ours, what pandas would draw of the same, and how."""
    done = df[df.status == "completed"]
    binned = df.assign(bpm=pd.qcut(df.bpm, 8))
    return {
        "generation_times by bpm": (
            lambda: charts.generation_times(df, "bpm"),
            "boxplot",
            lambda: binned[df.status == "completed"].boxplot("generation_time", by="bpm"),
        ),
        "generation_times_over_time": (
            lambda: charts.generation_times_over_time(df),
            "plot",
            lambda: done.plot(x="created_at", y="generation_time", style=","),
        ),
        "time_by_duration": (
            lambda: charts.time_by_duration(df),
            "plot.scatter",
            lambda: done.plot.scatter("duration", "generation_time", s=1),
        ),
        "failures by hour": (
            lambda: charts.failures(df, "hour"),
            "groupby.mean.plot.bar",
            lambda: (df.status == "failed").groupby(df.created_at.dt.hour).mean().plot.bar(),
        ),
        "throughput": (
            lambda: charts.throughput(df),
            "plot of both times",
            lambda: df[["created_at", "completed_at"]].astype("int64").plot(),
        ),
        "credit_use": (
            lambda: charts.credit_use(df, account, now=pd.Timestamp("2026-11-01", tz="UTC")),
            "resample.size.plot",
            lambda: df.set_index("created_at").resample("D").size().plot(),
        ),
        "cost_per_kept by bpm": (
            lambda: charts.cost_per_kept(df, "bpm"),
            "groupby.mean.plot.bar",
            lambda: (df.rating >= 4).groupby(binned.bpm, observed=True).mean().plot.bar(),
        ),
        "heat_map": (lambda: charts.heat_map(df, "bpm", "key"), "pivot_table, pcolormesh", lambda: _heat(df)),
        "ratings by bpm": (
            lambda: charts.ratings(df, "bpm"),
            "groupby.mean.plot.bar",
            lambda: binned.groupby("bpm", observed=True).rating.mean().plot.bar(),
        ),
        "key_flow": (
            lambda: charts.key_flow(df),
            "crosstab.plot",
            lambda: pd.crosstab(df.key, df.key.shift()).plot(),
        ),
        "adherence": (
            lambda: charts.adherence(df),
            "plot.scatter",
            lambda: df.plot.scatter("bpm", "measured_bpm", s=1),
        ),
        "effect of bpm": (
            lambda: charts.effect(df, "bpm"),
            "pivot_table.T.plot",
            lambda: binned.pivot_table(values="rating", index="bpm", columns="seed", observed=True).plot(legend=False),
        ),
        "belief over two": (
            lambda: charts.belief(belief, "bpm", "key"),
            "pivot_table, pcolormesh",
            lambda: _heat(df),
        ),
    }  # fmt: skip


def main() -> None:
    importlib.import_module("matplotlib").use("Agg")
    df = library()
    draw = np.random.default_rng(1)
    points = df[["bpm", "key"]].assign(mean=draw.normal(3, 1, ROWS), std=0.5, suggested=draw.random(ROWS) < 1e-4)
    belief = SimpleNamespace(belief=points, measured=df[["bpm", "key", "rating"]])
    account = Account(id="a", limits=Limits(monthly_remaining=9000, pack_credits=500, total_remaining=9500))
    for name, (ours, what, theirs) in _pairs(df, account, belief).items():
        fast, slow = best(_drawn(ours)), best(_drawn(theirs))
        line(f"{ROWS:,} rows: {name}", f"{fast:.2f} s", f"pandas {what} {slow:.2f} s", fast / slow, "at most 1 s")
