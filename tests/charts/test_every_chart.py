"""What holds for each chart, whatever it draws."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from PIL import Image

from finetuning import charts
from finetuning.errors import ParameterError
from finetuning.records import KEYS, SCALES, STATUSES

from .frames import account, axes, believed, first, library, render, text_of, tone, with_status

SNAPSHOTS = pd.DataFrame(
    {
        "at": pd.to_datetime(["2026-03-01", "2026-03-09"], utc=True),
        "monthly_remaining": [100, 40],
        "pack_credits": [0, 10],
    }
)
NOW = pd.Timestamp("2026-03-10", tz="UTC")

#: Chart: how it is drawn of a frame.
CALLS: dict[str, Callable[..., Any]] = {
    "adherence": lambda df, **k: charts.adherence(df, **k),
    "belief": lambda df, **k: charts.belief(believed(df), **k),
    "cost_per_kept": lambda df, **k: charts.cost_per_kept(df, "bpm", **k),
    "credit_use": lambda df, **k: charts.credit_use(df, account(), snapshots=SNAPSHOTS, now=NOW, **k),
    "effect": lambda df, **k: charts.effect(df, "bpm", **k),
    "failures": lambda df, **k: charts.failures(df, **k),
    "generation_times": lambda df, **k: charts.generation_times(df, "bpm", **k),
    "generation_times_over_time": lambda df, **k: charts.generation_times_over_time(df, **k),
    "heat_map": lambda df, **k: charts.heat_map(df, "bpm", "key", **k),
    "key_flow": lambda df, **k: charts.key_flow(df, **k),
    "ratings": lambda df, **k: charts.ratings(df, "bpm", **k),
    "throughput": lambda df, **k: charts.throughput(df, **k),
    "time_by_duration": lambda df, **k: charts.time_by_duration(df, **k),
}
SOUNDS: dict[str, Callable[..., Any]] = {
    "mel_spectrogram": lambda df, **k: charts.mel_spectrogram(tone(), **k),
    "waveform": lambda df, **k: charts.waveform(tone(), **k),
}
EVERY = CALLS | SOUNDS
#: Other ways through the same charts.
VARIANTS: dict[str, Callable[..., Any]] = {
    "belief along one": lambda df, **k: charts.belief(believed(df), "bpm", **k),
    "belief along words": lambda df, **k: charts.belief(believed(df), "key", **k),
    "cost by nothing": lambda df, **k: charts.cost_per_kept(df, **k),
    "cost of some ids": lambda df, **k: charts.cost_per_kept(df, "key", kept=["id-1", "id-3"], **k),
    "credits without account": lambda df, **k: charts.credit_use(df, **k),
    "credits by snapshots": lambda df, **k: charts.credit_use(df, SNAPSHOTS, **k),
    "effect of a key": lambda df, **k: charts.effect(df, "key", "generation_time", **k),
    "effect of a seed": lambda df, **k: charts.effect(df, "seed", **k),
    "failures by hour": lambda df, **k: charts.failures(df, "hour", **k),
    "failures by day": lambda df, **k: charts.failures(df, "day", **k),
    "times of all": lambda df, **k: charts.generation_times(df, **k),
    "times by two": lambda df, **k: charts.generation_times(df, ["key", "scale"], **k),
    "times by seconds": lambda df, **k: charts.generation_times(df, "duration", **k),
    "heat over time": lambda df, **k: charts.heat_map(df, "hour", "weekday", "generation_time", **k),
    "key flow as measured": lambda df, **k: charts.key_flow(df, measured=True, **k),
    "ratings by prompt": lambda df, **k: charts.ratings(df, "prompt", **k),
}


def polar(name: str) -> bool:
    return name.startswith(("key_flow", "key flow"))


def test_no_chart_is_forgotten() -> None:
    assert set(EVERY) == set(charts.__all__)
    assert list(charts.__all__) == sorted(charts._HOMES) == dir(charts)
    with pytest.raises(AttributeError, match=r"'finetuning\.charts' has no attribute 'pie'"):
        _ = charts.pie


@pytest.mark.parametrize("name", charts.__all__)
def test_it_returns_its_axes_labelled_in_a_figure_of_its_own(name: str) -> None:
    drawn = EVERY[name](with_status(library(), failed=2))
    render(drawn)
    for ax in drawn if isinstance(drawn, tuple) else (drawn,):
        assert isinstance(ax, Axes)
        assert text_of(ax, "nothing") == ""
        assert polar(name) or ax.get_xlabel() or len(drawn) == 2
        assert polar(name) or ax.get_ylabel() or name in ("failures", "adherence")
    assert first(drawn).get_title(loc="left")
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", charts.__all__)
def test_on_an_axes_of_the_callers_pyplot_is_left_alone(name: str) -> None:
    ax = axes(polar(name))
    drawn = EVERY[name](library(), ax=ax)
    render(drawn)
    assert plt.get_fignums() == []
    assert {each.get_figure(root=True) for each in (drawn if isinstance(drawn, tuple) else (drawn,))} == {ax.figure}
    if isinstance(drawn, tuple):
        assert list(drawn) == ax.child_axes
    else:
        assert drawn is ax


@pytest.mark.parametrize("name", [*CALLS, *VARIANTS])
@pytest.mark.parametrize("rows", [0, 1])
def test_of_no_row_or_one_it_draws_or_says_why_not(name: str, rows: int) -> None:
    ax = axes(polar(name))
    drawn = (CALLS | VARIANTS)[name](library().iloc[:rows], ax=ax)
    render(drawn)
    said = text_of(first(drawn), "nothing")
    if said:
        assert said.startswith("Nothing to show: ")
        assert said.endswith(".")
    elif rows == 0:
        assert "credits" in name or name == "credit_use"  # what is left is shown without any use


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("adherence", "measured_bpm"),
        ("adherence", "measured_scale"),
        ("cost_per_kept", "bpm"),
        ("credit_use", "created_at"),
        ("effect", "seed"),
        ("effect", "rating"),
        ("failures", "status"),
        ("failures", "error_message"),
        ("generation_times", "generation_time"),
        ("generation_times", "bpm"),
        ("generation_times_over_time", "created_at"),
        ("heat_map", "rating"),
        ("heat_map", "key"),
        ("key_flow", "scale"),
        ("ratings", "rating"),
        ("throughput", "completed_at"),
        ("time_by_duration", "generation_time"),
    ],
)
def test_a_missing_column_is_named_with_those_that_are_there(name: str, column: str) -> None:
    for rows in (0, 1, 60):
        with pytest.raises(ParameterError, match=f"no column '{column}'") as caught:
            CALLS[name](library().iloc[:rows].drop(columns=column))
        assert caught.value.parameter == column
        assert "It has: id, prompt" in str(caught.value)
    assert plt.get_fignums() == []  # nothing half-drawn is shown below the message


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"belief"}))
def test_what_is_no_frame_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="df is a list, not a DataFrame"):
        CALLS[name]([1, 2])


@pytest.mark.parametrize("name", charts.__all__)
def test_what_is_no_axes_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="ax is a ndarray, not a matplotlib Axes"):
        EVERY[name](library(), ax=np.array([axes(), axes()]))


def luminance(colour: Any) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: Any, other: Any) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", charts.__all__)
def test_words_are_read_on_white_and_on_black_alike(name: str) -> None:
    drawn = EVERY[name](library())
    ax = first(drawn)
    figure: Any = ax.get_figure(root=True)
    assert figure.patch.get_alpha() == 0
    words = [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]  # type: ignore[attr-defined]
    words += [text for text in ax.texts if text.get_gid() == "caption"]
    found = ax.get_legend()
    words += [] if found is None else found.get_texts()
    for text in words:
        if text.get_text():
            assert contrast(text.get_color(), "white") > 3.8
            assert contrast(text.get_color(), "#111111") > 3.8


@pytest.mark.parametrize("name", charts.__all__)
def test_jupyter_lays_no_background_of_its_own_under_it(name: str) -> None:
    from matplotlib_inline.backend_inline import _fetch_figure_metadata

    found: Any = _fetch_figure_metadata
    assert found(first(EVERY[name](library())).get_figure(root=True)) is None


def test_the_pixels_around_a_chart_are_transparent() -> None:
    import io

    drawn: Any = charts.ratings(library()).get_figure(root=True)
    file = io.BytesIO()
    drawn.savefig(file, format="png")
    alpha = np.asarray(Image.open(file))[:, :, 3]
    assert (alpha == 0).mean() > 0.5
    assert alpha.max() == 255


@pytest.mark.parametrize("name", charts.__all__)
def test_a_style_that_was_chosen_is_kept_to(name: str) -> None:
    with plt.style.context("dark_background"):
        ax = first(EVERY[name](library()))
        assert to_rgb(ax._left_title.get_color()) == (1, 1, 1)  # type: ignore[attr-defined]
        figure: Any = ax.get_figure(root=True)
        assert figure.patch.get_alpha() is None
        assert to_rgb(figure.patch.get_facecolor()) == (0, 0, 0)


def test_many_charts_bring_no_warning_and_leave_the_setting_as_it_was() -> None:
    before = mpl.rcParams["figure.max_open_warning"]
    for _ in range(25):
        charts.ratings(library(3))
    assert len(plt.get_fignums()) == 25
    assert mpl.rcParams["figure.max_open_warning"] == before


BLOCKED = """
import sys
sys.modules["matplotlib"] = None
import finetuning as ft
print(ft.charts.__name__, len(dir(ft.charts)))
try:
    ft.charts.ratings
except ft.errors.MissingExtraError as error:
    print(error)
"""


def test_without_matplotlib_the_extra_is_named_when_a_chart_is_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("finetuning.charts 15\n")
    assert "pip install 'finetuning[analysis]'" in done.stdout


def test_the_room_itself_loads_nothing_heavy() -> None:
    script = "import sys, finetuning as ft; ft.charts; print({'pandas', 'matplotlib', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


#: Column: values as the service may send them, the unlikely ones included.
POOLS: dict[str, tuple[Any, list[Any]]] = {
    "id": ("str", ["a", "b", "c", "d", ""]),
    "prompt": ("str", ["lofi", "deep house " * 30, "$x$ \\ % 夜", ""]),
    "status": (pd.CategoricalDtype([*STATUSES, "archived"]), [*STATUSES, "archived", "completed", "completed"]),
    "bpm": ("Int64", [60, 120, 0, 2**40, -5]),
    "key": (pd.CategoricalDtype([*KEYS]), list(KEYS)),
    "scale": (pd.CategoricalDtype([*SCALES]), list(SCALES)),
    "seed": ("Int64", [1, 2, 2**62]),
    "duration": ("float64", [0.0, 30.0, 210.5, 1e12, -1.0, np.inf]),
    "requested_duration": ("float64", [5.0, 60.0]),
    "generation_time": ("float64", [0.0, 12.5, 12.5000001, 1e12, -3.0, np.inf]),
    "error_message": ("str", ["timeout", "$\\frac", "x" * 300, ""]),
    "rating": ("Int64", [1, 2, 3, 4, 5, 0, 9]),
    "rejected": ("boolean", [True, False]),
    "measured_bpm": ("float64", [60.0, 119.5, 240.0, 0.0]),
    "bpm_confidence": ("float64", [0.0, 0.5, 1.0]),
    "measured_key": ("str", [*KEYS, "H"]),
    "measured_scale": ("str", [*SCALES, "dorian"]),
}
TIMES = ["2026-03-01T00:00:00Z", "2026-03-01T12:30:00Z", "2031-12-31T23:59:59.999Z", "1999-01-01T00:00:00Z"]


@st.composite
def any_frame(draw: st.DrawFn) -> pd.DataFrame:
    """Rows of the documented dtypes, each value missing or not."""
    rows, full = draw(st.integers(0, 9)), draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    chance = draw(st.randoms(use_true_random=False))

    def some(pool: list[Any]) -> list[Any]:
        return [chance.choice(pool) if chance.random() < full else None for _ in range(rows)]

    columns: dict[str, Any] = {}
    for name, (dtype, pool) in POOLS.items():
        columns[name] = pd.Series(some(pool), dtype=object).astype(dtype)
    for name in ("created_at", "completed_at"):
        values = some(TIMES)
        columns[name] = pd.to_datetime(pd.Series(values, dtype="str"), utc=True, format="ISO8601").dt.as_unit("ns")
    return pd.DataFrame(columns)


@pytest.mark.parametrize("name", [*CALLS, *VARIANTS])
@settings(max_examples=6)
@given(frame=any_frame())
def test_any_frame_is_drawn_without_a_warning(name: str, frame: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # fonts differ from machine to machine
        render((CALLS | VARIANTS)[name](frame, ax=axes(polar(name))))
