from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetuning as ft
from finetuning.errors import ParameterError
from finetuning.panels.sweep.form import FIELDS, Inputs, inputs_of, keywords, listed, read, same
from finetuning.panels.sweep.growth import growth
from finetuning.records import KEYS, LANGUAGES, SCALES, TIME_SIGNATURES
from finetuning.sweep.axes import ENERGIES, read_axis

HOSTILE = "<img src=x onerror=alert(1)></script>\u202e"
words = st.text("abc <>&;\"'é♯\u202e", min_size=1, max_size=30).filter(str.strip).map(str.strip)


def several(values: Any, most: int = 3) -> Any:
    return st.lists(st.sampled_from(values), min_size=1, max_size=min(most, len(values)), unique=True)


sweeps = st.fixed_dictionaries(
    {
        "tags": st.lists(words, min_size=1, max_size=2, unique=True),
        "seed": st.lists(st.integers(0, 2**31), min_size=1, max_size=3, unique=True),
    },
    optional={
        "bpm": st.lists(st.integers(60, 200), min_size=1, max_size=6, unique=True),
        "duration": st.lists(st.integers(5, 210), min_size=1, max_size=2, unique=True),
        "key": several(KEYS),
        "scale": several(SCALES),
        "time_signature": several(TIME_SIGNATURES),
        "energy": several((*ENERGIES, "wild")),
        "language": several(LANGUAGES),
        "lyrics": st.lists(words, min_size=1, max_size=2, unique=True),
        "replicate": st.integers(2, 3),
    },
)


@given(sweeps)
def test_a_sweep_goes_into_the_inputs_and_comes_out_the_same(given: dict[str, Any]) -> None:
    sweep = ft.Sweep(**given)
    inputs = inputs_of(sweep.plan)
    assert Inputs.of(msgspec.json.decode(msgspec.json.encode(inputs))) == inputs  # as a page sends it back
    again = read(inputs)
    assert again.problems == {}
    assert again.sweep is not None
    assert again.sweep.points.astype(object).equals(sweep.points[again.sweep.points.columns].astype(object))
    assert len(ft.Sweep(**keywords(inputs))) == len(sweep)
    assert inputs_of(again.sweep.plan) == inputs


@given(st.lists(st.integers(-300, 300), min_size=1, max_size=8, unique=True))
def test_numbers_are_written_as_an_axis_that_reads_back(values: list[int]) -> None:
    text = listed(values)
    axis = read_axis("bpm", text if "," in text else values)
    assert list(axis.values) == values


def test_regular_series_are_short() -> None:
    assert listed(range(60, 201)) == "60, 61, ..., 200"
    assert listed([90, 80, 70, 60]) == "90, 80, ..., 60"
    assert listed([80, 90, 100]) == "80, 90, 100"
    assert listed([]) == ""


def test_all_that_is_wrong_is_told_at_once_and_where() -> None:
    reading = read(Inputs(tags=["x" * 701], bpm="80-90", key=["H"], duration="long", seed="", max_credits="0"))
    assert reading.sweep is None
    assert reading.problems.keys() == {"tags", "bpm", "key", "duration", "seed", "max_credits"}
    assert reading.problems["tags"].message == "tags has 701 characters; the service takes at most 700."
    assert reading.problems["tags"].hint == "Shorten it by 1."
    assert "80, ..., 90" in (reading.problems["bpm"].hint or "")
    assert "German H" in (reading.problems["key"].hint or "")
    assert reading.problems["seed"].hint == "Say how many to draw, or which ones."
    assert "not 1 or more" in reading.problems["max_credits"].message


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("replicate", "0", "not 1 or more"),
        ("replicate", "two", "not a whole number"),
        ("seed", "1, x", "not a whole number"),
        ("max_credits", "1.5", "not a whole number"),
        ("name", "!!!", "no letter or digit"),
        ("lyrics", ["x" * 2001], "2,000"),
        ("bpm", "80, 90, ..., 125", "do not arrive"),
    ],
)
def test_what_is_wrong_is_told_at_its_input(field: str, value: Any, said: str) -> None:
    reading = read(msgspec.structs.replace(Inputs(tags=["lofi"], seed="1"), **{field: value}))
    assert list(reading.problems) == [field]
    assert said in reading.problems[field].message


def test_what_is_wrong_with_all_together_is_told_without_a_place() -> None:
    many = ", ".join(map(str, range(200)))
    reading = read(Inputs(tags=["lofi"], bpm="60, 61, ..., 200", seed=many))
    assert reading.sweep is None
    assert list(reading.problems) == [""]
    assert "28,200 points" in reading.problems[""].message
    reading = read(Inputs(tags=["x" * 690], energy=["low"], seed="1"))
    assert list(reading.problems) == ["tags"]


def test_what_is_worth_knowing_is_told_once_and_where() -> None:
    reading = read(Inputs(tags=["lofi"], bpm="50, 80", seed="7, 7"))
    assert reading.sweep is not None
    assert reading.problems == {}
    assert reading.counts == {"tags": 1, "bpm": 2, "seed": 1}
    assert [list(reading.notes), len(reading.notes["bpm"])] == [["bpm", "seed"], 1]
    assert "clamp 50 → 60" in reading.notes["bpm"][0]
    assert "names 7 more than once" in reading.notes["seed"][0]


def test_what_is_empty_is_left_to_the_service() -> None:
    assert keywords(Inputs(tags=["lofi"], lyrics=[" "], bpm=" , ", seed="7,", replicate="1")) == {
        "tags": "lofi",
        "seed": [7],
    }
    assert read(Inputs(tags=["lofi"], seed="7", max_credits=" 12 ")).max_credits == 12
    assert read(Inputs(tags=[], seed="7")).problems["tags"].message == "tags is empty."


def test_hostile_text_is_a_value_like_any_other() -> None:
    reading = read(Inputs(tags=[HOSTILE], lyrics=[HOSTILE], seed="1"))
    assert reading.sweep is not None
    assert reading.sweep.plan.fixed["tags"] == HOSTILE


def test_inputs_of_another_page_are_refused_with_what_to_do() -> None:
    for strange in ({"bpm": 80}, {"tempo": "80"}, None):
        with pytest.raises(ParameterError, match="not inputs of a panel") as caught:
            Inputs.of(strange)
        assert "again" in (caught.value.hint or "")


def test_the_name_of_a_run_that_exists_is_refused(client: ft.Client) -> None:
    client.run(ft.Sweep("lofi", duration=5), name="Lofi")
    reading = read(Inputs(tags=["lofi"], seed="1", name=" lofi "))
    assert reading.problems["name"].message == "A run named 'lofi' exists."
    assert reading.sweep is not None  # the sweep itself is well


def test_only_what_is_asked_for_counts_as_a_change() -> None:
    one = Inputs(tags=["lofi"], seed="1").plain()
    assert same(one, one | {"name": "x", "max_credits": "3"})
    assert not same(one, one | {"bpm": "80"})


# Growth


def plan(**given: Any) -> Any:
    return ft.Sweep(**{"tags": "lofi", "seed": [1, 2], **given}).plan


def test_growth_is_what_the_inputs_ask_for_beyond_the_run() -> None:
    before = plan(bpm=[80, 90], key=["C", "A"])
    more = growth(before, plan(bpm=[80, 90, 100], key=["C", "A"]))
    assert (more.axes, more.count) == ({"bpm": [100]}, 4)
    # A value that is not chosen any longer is not combined with the new one.
    more = growth(before, plan(bpm=[90, 100], key=["C"], seed=[1, 3]))
    assert more.axes == {"bpm": [100], "seed": [3]}
    assert more.count == 3
    # What all points share becomes an axis; so do further takes of each.
    assert growth(plan(bpm=80), plan(bpm=[80, 90])).count == 2
    assert growth(plan(), plan(tags=["lofi", "techno"])).count == 2
    assert growth(plan(), plan(replicate=3)).count == 4


@given(sweeps, sweeps)
def test_growth_adds_just_the_points_that_are_lacking(first: dict[str, Any], second: dict[str, Any]) -> None:
    before, wanted = ft.Sweep(**first).plan, ft.Sweep(**(first | second)).plan
    try:
        more = growth(before, wanted)
    except ParameterError:
        return

    def points(of: Any) -> set[str]:
        return {repr(sorted(({"replicate": 1} | of.values(n)).items())) for n in range(len(of))}

    assert more.count == len(points(wanted) - points(before))


def test_why_there_is_nothing_to_add() -> None:
    before = plan(bpm=[80, 90], key=["C", "A"])
    with pytest.raises(ParameterError, match="has all that the inputs ask for"):
        growth(before, plan(bpm=[90], key=["A"]))
    with pytest.raises(ParameterError, match="name no value that the run has not"):
        growth(before, plan(bpm=[90]))
    with pytest.raises(ParameterError, match="leave to the service"):
        growth(before, plan(bpm=[100]))
    with pytest.raises(ParameterError, match="leave scale to the service"):
        growth(before, plan(bpm=[90], key=["A"], scale="minor"))
    some = ft.Sweep("lofi", bpm=[80, 90], key=["C", "A"], seed=[1], where="bpm == 80 or key == 'C'").plan
    with pytest.raises(ParameterError, match="left 1 of these combinations out"):
        growth(some, plan(bpm=[80, 90], key=["C", "A"], seed=[1]))


def test_every_input_of_a_sweep_is_known() -> None:
    assert set(FIELDS) < set(Inputs.__struct_fields__)
