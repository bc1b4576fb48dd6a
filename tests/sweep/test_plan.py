from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetuning as ft
from finetuning.errors import ClampedWarning, ParameterError
from finetuning.records import KEYS

bpms = st.lists(st.integers(60, 200), min_size=1, max_size=4, unique=True)
keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)


@given(bpms, keys, st.integers(1, 4), st.integers(0, 2**32))
def test_points_are_the_product_and_seeds_pair_up(bpm: list[int], key: list[str], seed: int, state: int) -> None:
    sweep = ft.Sweep("lofi", bpm=bpm, key=key, seed=seed, random_state=state)
    points = sweep.points
    assert len(sweep) == sweep.cost == len(points) == len(bpm) * len(key) * seed
    assert not points.duplicated().any()
    assert set(points.groupby(["bpm", "key"], observed=True).seed.agg(tuple)) == {tuple(sweep.axes["seed"])}
    pd.testing.assert_frame_equal(points, sweep.points)


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30))
def test_a_random_state_repeats_its_seeds_and_more_begin_with_the_same(state: int, few: int, more: int) -> None:
    fewer = ft.Sweep("lofi", seed=few, random_state=state).axes["seed"]
    longer = ft.Sweep("lofi", seed=few + more, random_state=state).axes["seed"]
    assert longer[:few] == fewer
    assert len(set(longer)) == few + more
    assert all(0 <= each < 2**31 for each in longer)


def test_seeds_are_drawn_anew_unless_told() -> None:
    draws = {ft.Sweep("lofi").points.seed[0] for _ in range(5)}
    assert len(draws) == 5
    generator = np.random.default_rng(1)
    one, two = (ft.Sweep("lofi", random_state=generator).points.seed[0] for _ in range(2))
    assert one != two
    assert ft.Sweep("lofi", seed=[7, 8]).points.seed.tolist() == [7, 8]
    assert ft.Sweep("lofi", seed=np.int64(2)).cost == 2


def test_what_a_sweep_shows() -> None:
    sweep = ft.Sweep("lofi chill piano", bpm=[80, 90], key=["C", "A"], seed=3, duration=20, scale="minor")
    assert repr(sweep) == "Sweep('lofi chill piano': 12 points = 2 bpm × 2 key × 3 seed, 12 credits)"
    assert sweep.points.columns.tolist() == ["tags", "bpm", "key", "scale", "duration", "seed"]
    assert sweep.points.index.name == "point"
    assert dict(sweep.points.dtypes.astype(str)) == {
        "tags": "str", "bpm": "int64", "key": "category", "scale": "category", "duration": "int64", "seed": "int64",
    }  # fmt: skip
    assert sweep.axes | {"seed": []} == {"bpm": [80, 90], "key": ["C", "A"], "seed": []}
    assert sweep.points.bpm.tolist() == [80] * 6 + [90] * 6
    html = ft.Sweep(["<b>", "piano"], bpm="60, ..., 80")._repr_html_()
    assert "2 tags × 21 bpm" in html
    assert "&lt;b&gt;, piano" in html
    assert "… (21)" in html
    assert repr(ft.Sweep("x" * 80)) == f"Sweep('{'x' * 39}…': 1 point, 1 credit)"
    assert repr(ft.Sweep(["a", "b"], seed=[1], where="tags == 'b'")) == "Sweep(1 of 2 points = 2 tags, 1 credit)"


def test_where_keeps_the_points_for_which_it_holds() -> None:
    given_: dict[str, Any] = {"bpm": [80, 120, 160], "key": ["C", "A"], "random_state": 1}
    by_function = ft.Sweep("lofi", where=lambda p: p.bpm < 120 or p.key == "C", **given_)
    by_query = ft.Sweep("lofi", where="bpm < 120 or key == 'C'", **given_)
    by_item = ft.Sweep("lofi", where=lambda p: p["bpm"] < 120 or "C" in p.values(), **given_)
    for sweep in (by_function, by_query, by_item):
        assert list(zip(sweep.points.bpm, sweep.points.key, strict=True)) == [
            (80, "C"),
            (80, "A"),
            (120, "C"),
            (160, "C"),
        ]
        assert sweep.points.index.tolist() == [0, 1, 2, 3]
        assert sweep.summary == "4 of 6 points = 3 bpm × 2 key, 4 credits"


@pytest.mark.parametrize("where", ["bpm > 500", lambda p: p.bpm > 500, lambda p: None])
def test_where_that_drops_everything_is_an_error(where: Any) -> None:
    with pytest.raises(ParameterError, match="drops all 2 points"):
        ft.Sweep("lofi", bpm=[80, 90], where=where)


@pytest.mark.parametrize("where", ["tempo > 80", "bpm >", "bpm + 1", "bpm > @x"])
def test_where_that_is_no_query_says_what_there_is(where: str) -> None:
    with pytest.raises(ParameterError, match="is not a query of these points") as caught:
        ft.Sweep("lofi", bpm=[80, 90], where=where)
    assert "tags, bpm, seed" in str(caught.value)


def test_where_that_raises_says_at_which_point() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        ft.Sweep("lofi", bpm=[80, 90], seed=[7], where=lambda p: p.bpm / 0)
    assert caught.value.__notes__ == ["where= was asked about point(tags='lofi', bpm=80, seed=7)."]
    with pytest.raises(AttributeError, match="'int' object has no attribute 'tempo'"):
        ft.Sweep("lofi", bpm=[80, 90], where=lambda p: p.bpm.tempo)
    with pytest.raises(ParameterError, match="where= is a bool"):
        ft.Sweep("lofi", bpm=[80, 90], where=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("where", [lambda p: p.tempo > 80, lambda p: p["tempo"] > 80, lambda p: {80: 1}[p.tempo]])
def test_where_that_asks_for_what_no_point_has_says_what_there_is(where: Any) -> None:
    with pytest.raises(ParameterError, match="'tempo', which no point of this sweep has") as caught:
        ft.Sweep("lofi", bpm=[80, 90], where=where)
    assert (caught.value.parameter, caught.value.hint) == ("where", "They have tags, bpm, seed.")
    assert len(ft.Sweep("lofi", bpm=[80, 90], where=lambda p: p.get("tempo", 1) and getattr(p, "tempo", 1))) == 2


@pytest.mark.parametrize(
    ("axis", "says"),
    [
        ({"bpm": [50, 80]}, "bpm is 60 to 200 beats a minute: the service will clamp 50 → 60."),
        ({"bpm": [50, 60]}, "clamp 50 → 60; some points will then be the same."),
        ({"duration": 300}, "duration is 5 to 210 seconds: the service will clamp 300 → 210."),
        ({"bpm": list(range(201, 210))}, "205 → 200, …; some"),
    ],
)
def test_values_that_the_service_will_clamp_are_warned_of(axis: dict[str, Any], says: str) -> None:
    with pytest.warns(ClampedWarning) as caught:
        ft.Sweep("lofi", **axis)
    assert says in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_sweep_too_large_is_refused_before_it_is_expanded() -> None:
    with pytest.raises(ParameterError, match="seed=1000000 would draw 1,000,000 seeds; it says how many, 1 to 10,000"):
        ft.Sweep("lofi", bpm="60, ..., 200", key="C, ..., B", seed=1_000_000)
    with pytest.raises(ParameterError, match=r"141 bpm × 12 key × 10 seed makes 16,920 points; .* at most 10,000"):
        ft.Sweep("lofi", bpm="60, ..., 200", key="C, ..., B", seed=10)


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"seed": 0}, "would draw 0 seeds"),
        ({"seed": -3}, "would draw -3 seeds"),
        ({"seed": True}, "seed=True is not a whole number"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"random_state": "lucky"}, "random_state='lucky' cannot start a generator"),
        ({"random_state": -1}, "cannot start a generator"),
        ({"webhook": ["https://a.example/x"]}, "one URL"),
        ({"webhook": "ftp://a.example/x"}, "webhook"),
        ({"energy": ["low", "high"], "tags": "x" * 690}, "characters; the service takes at most 700"),
    ],
)
def test_what_no_sweep_can_mean_is_refused(given_: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        ft.Sweep(**{"tags": "lofi", **given_})


def test_unknown_names_are_refused() -> None:
    with pytest.raises(TypeError, match="tempo"):
        ft.Sweep("lofi", tempo=[80])  # type: ignore[call-arg]


def test_bodies_are_the_wires() -> None:
    sweep = ft.Sweep(
        "lofi",
        energy=["low"],
        time_signature=[3],
        key="Db",
        scale="Minor",
        lyrics=["", "la la"],
        language="en",
        seed=[7],
        webhook="https://hook.example/x?token=1",
    )
    body = {
        "tags": "lofi, low energy, relaxed",
        "key": "C#",
        "scale": "minor",
        "timesignature": "3",
        "language": "en",
        "seed": 7,
        "webhook": "https://hook.example/x?token=1",
    }
    assert [sweep.plan.body(point, local=False) for point in range(2)] == [body, body | {"lyrics": "la la"}]
    assert "lyrics" not in ft.Sweep("lofi", lyrics="").points
    assert sweep.plan.with_defaults(bpm=99, language="de", duration=None).values(0)["bpm"] == 99
    assert sweep.plan.with_defaults(bpm=99, language="de").values(0)["language"] == "en"


def test_a_sweep_is_not_changed_by_who_looks_at_it() -> None:
    sweep = ft.Sweep("lofi", bpm=[80, 90])
    sweep.axes["bpm"].append(100)
    points = sweep.points
    points["bpm"] = 1
    assert sweep.axes["bpm"] == [80, 90]
    assert sweep.points.bpm.tolist() == [80, 90]
    assert math.prod(map(len, sweep.axes.values())) == len(sweep)


def test_a_quiet_sweep_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ft.Sweep("lofi", bpm=[60, 200], duration=[5, 210])
