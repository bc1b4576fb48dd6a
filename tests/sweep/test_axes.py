from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.errors import ParameterError, SweepWarning
from finetuning.records import KEYS
from finetuning.sweep.axes import energetic, read_axis
from finetuning.sweep.series import split_text


@given(
    start=st.integers(-500, 500),
    step=st.integers(-40, 40).filter(bool),
    count=st.integers(3, 60),
    dots=st.sampled_from(["...", "…"]),
    space=st.sampled_from(["", " "]),
)
def test_an_ellipsis_means_the_range_that_it_abbreviates(
    start: int, step: int, count: int, dots: str, space: str
) -> None:
    values = [start + step * i for i in range(count)]
    text = f",{space}".join([str(values[0]), str(values[1]), dots, str(values[-1])])
    assert split_text("bpm", text) == values


@given(st.lists(st.integers(60, 200), min_size=2, max_size=20, unique=True))
def test_text_lists_and_arrays_mean_the_same(values: list[int]) -> None:
    text = ", ".join(map(str, values))
    for given_ in (values, tuple(values), text, np.array(values), pd.Series(values), pd.Index(values), iter(values)):
        axis = read_axis("bpm", given_)
        assert axis.values == tuple(values)
        assert axis.swept
        assert all(type(value) is int for value in axis.values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1, ..., 5", [1, 2, 3, 4, 5]),
        ("5, ..., 3", [5, 4, 3]),
        ("60, 80, 90, ..., 120, 200", [60, 80, 90, 100, 110, 120, 200]),
        ("60, ..., 62, ..., 64", [60, 61, 62, 63, 64]),
        ("0.5, 1, ..., 2", [0.5, 1, 1.5, 2]),
    ],
)
def test_an_ellipsis_stands_anywhere(text: str, values: list[Any]) -> None:
    assert split_text("bpm", text) == values


def test_keys_step_in_semitones() -> None:
    assert read_axis("key", "C, D, ..., A#").values == ("C", "D", "E", "F#", "G#", "A#")
    assert read_axis("key", "C, ..., B").values == KEYS


def test_two_spellings_of_one_key_are_one_value() -> None:
    with pytest.warns(SweepWarning, match="The axis key names C# more than once"):
        assert read_axis("key", "Db, c♯, A").values == ("C#", "A")


@pytest.mark.parametrize(
    ("name", "given_", "says"),
    [
        ("bpm", "80, 90, ..., 145", "do not arrive at 145"),
        ("bpm", "80, 90, ..., 60", "do not arrive at 60"),
        ("bpm", "80, 80, ..., 60", "do not arrive at 60"),
        ("bpm", "..., 140", "at no place between two values"),
        ("bpm", "80, ...", "at no place between two values"),
        ("bpm", "80, ..., ..., 140", "at no place between two values"),
        ("bpm", "80, , 90", "nothing between two commas"),
        ("bpm", "80, 90,", "nothing after the last comma"),
        ("bpm", ",80", "nothing before the first comma"),
        ("bpm", "fast, ..., 90", "beside 'fast', which is not a number"),
        ("bpm", "80, inf, ..., 90", "which is not a number"),
        ("bpm", "1, ..., 1e40", "more than 10,000"),
        ("key", "C, D, ..., A", "steps of 2 semitone"),
        ("key", "C, x, ..., A", "key='x' is not one of"),
        ("bpm", range(10**9), "more than 10,000"),
        ("bpm", {80, 90}, "is a set, which has no order"),
        ("bpm", [], "The axis bpm has no values"),
        ("bpm", [80, None], r"The axis bpm holds None \(2 of 2\)"),
        ("bpm", [80, "fast"], "The axis bpm, value 2 of 2: bpm='fast'"),
        ("bpm", [80, 90.5], "value 2 of 2: bpm=90.5 is not a whole number"),
        ("bpm", [80, True], "value 2 of 2"),
        ("bpm", [[80, 90], [100, 110]], "value 1 of 2"),
        ("bpm", np.array([[80, 90]]), "value 1 of 1"),
        ("bpm", 10**30, "beyond 2"),
        ("bpm", {"low": 80}, "bpm={'low': 80}"),
        ("key", ["C", "X"], "The axis key, value 2 of 2: key='X' is not one of"),
        ("scale", "major, dorian", "scale='dorian' is not one of major, minor"),
        ("time_signature", [4, 9], "time_signature=9"),
        ("language", ["en", "xx"], "language='xx'"),
        ("seed", "7", "one seed or so many of them"),
        ("seed", [1, 2**60], "beyond 2"),
        ("tags", ["piano", " "], "The axis tags, value 2 of 2: tags is empty"),
        ("tags", "x" * 701, "701 characters"),
        ("lyrics", ["x" * 2001], "2,001 characters"),
        ("energy", "energy", "is not a short word"),
        ("energy", ["low", 3], "value 2 of 2: energy=3 is not a short word"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_axis_and_value(name: str, given_: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        read_axis(name, given_)
    assert caught.value.parameter == name


@pytest.mark.parametrize(
    ("name", "given_", "hint"),
    [
        ("bpm", "80...140", "bpm='80, 90, ..., 140'"),
        ("bpm", "80-140", "bpm='80, 90, ..., 140'"),
        ("bpm", "140 to 80", "bpm='140, 130, ..., 80'"),
        ("bpm", "80..85", "bpm='80, ..., 85'"),
        ("bpm", "80–87", "bpm='80, ..., 87'"),
        ("bpm", "80 90", "bpm='80, 90'"),
        ("duration", "5:60", "duration='5, ..., 60'"),
        ("key", "C A", "key='C, A'"),
        ("key", "C...A#", "key='C, ..., A#'"),
        ("key", "C minor", "key='C', scale='minor'"),
        ("scale", "major minor", "scale='major, minor'"),
        ("bpm", "80-80", "Tempi are"),
        ("bpm", "about 80", "Tempi are"),
        ("bpm", "slow-fast", "Tempi are"),
        ("bpm", "80, 90,", "'80, 90, ..., 140'"),
        ("bpm", np.linspace(80, 120, 4), "Round it: 93."),
        ("tags", [], "Give at least one text"),
        ("bpm", [], "Leave bpm out"),
    ],
)
def test_what_is_written_otherwise_is_answered_with_how_it_is_written(name: str, given_: Any, hint: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read_axis(name, given_)
    assert hint in (caught.value.hint or "")
    if "Several" in (caught.value.hint or ""):
        assert read_axis(name, hint.split("'")[1]).swept


def test_a_plain_value_is_no_axis() -> None:
    assert read_axis("bpm", "80") == read_axis("bpm", 80) == read_axis("bpm", np.int64(80)) == read_axis("bpm", 80.0)
    assert not read_axis("bpm", 80).swept
    assert read_axis("bpm", [80]).swept
    assert read_axis("key", "A").values == ("A",)
    assert read_axis("tags", "lofi, chill, piano").values == ("lofi, chill, piano",)
    assert read_axis("time_signature", ["3/4", 4]).values == (3, 4)
    assert read_axis("lyrics", ["", "la"]).values == ("", "la")


def test_values_that_mean_the_same_are_folded_with_a_warning() -> None:
    with pytest.warns(SweepWarning, match="The axis bpm names 80 more than once"):
        axis = read_axis("bpm", [80, 90, 80.0])
    assert axis.values == (80, 90)


def test_energy_is_said_in_the_tags() -> None:
    assert energetic("piano", None) == "piano"
    assert energetic("piano", "low") == "piano, low energy, relaxed"
    assert energetic("piano", read_axis("energy", "Frantic energy").values[0]) == "piano, frantic energy"
