from __future__ import annotations

import string
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from finetuning.errors import ServiceWarning
from finetuning.frames import GENERATION_COLUMNS, PLAYLIST_COLUMNS, generations_frame, playlists_frame
from finetuning.records import KEYS, SCALES, STATUSES, Generation, Parameters, Playlist

DTYPES = {"time": "datetime64[ns, UTC]"}

text = st.text(string.printable, max_size=12)
count = st.integers(-(2**63), 2**63 - 1)
times = st.sampled_from(
    ["2025-01-15 10:30:00", "2025-01-15T10:30:00Z", "2025-01-15T10:30:17.623Z", "1999-12-31T23:59:59.999999+05:30"]
)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


parameters = st.builds(
    Parameters,
    bpm=maybe(st.integers(0, 400)),
    duration=maybe(st.floats(0, 300) | st.integers(0, 300)),
    keyscale=maybe(st.builds(" ".join, st.tuples(st.sampled_from(KEYS), st.sampled_from(SCALES)))),
    timesignature=maybe(st.integers(2, 7) | st.sampled_from(["2", "4", "7"])),
    seed=maybe(count),
    language=maybe(text),
)
generations = st.builds(
    Generation,
    id=text,
    title=maybe(text),
    prompt=maybe(text),
    type=maybe(text),
    status=maybe(st.sampled_from(STATUSES)),
    audio_url=maybe(text),
    duration=maybe(st.floats(allow_nan=False)),
    is_public=maybe(st.booleans()),
    play_count=maybe(count),
    like_count=maybe(count),
    download_count=maybe(count),
    parameters=maybe(parameters),
    file_size=maybe(count),
    generation_time=maybe(st.floats(allow_nan=False)),
    error_message=maybe(text),
    webhook=maybe(text),
    created=maybe(times),
    completed=maybe(times),
)
playlists = st.builds(
    Playlist,
    id=text,
    name=maybe(text),
    description=maybe(text),
    track_count=maybe(count),
    total_duration=maybe(st.floats(allow_nan=False)),
    is_public=maybe(st.booleans()),
    created=maybe(times),
    updated=maybe(times),
)


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def documented(columns: dict[str, str]) -> dict[str, str]:
    return {name: DTYPES.get(dtype, dtype) for name, dtype in columns.items()}


@given(st.lists(generations, max_size=5))
def test_generations_have_the_same_columns_and_dtypes_whatever_is_in_them(rows: list[Generation]) -> None:
    frame = generations_frame(rows)
    assert dtypes(frame) == documented(GENERATION_COLUMNS)
    assert list(frame["status"].cat.categories) == list(STATUSES)
    assert list(frame["key"].cat.categories) == list(KEYS)
    assert list(frame["scale"].cat.categories) == list(SCALES)
    assert len(frame) == len(rows)
    assert frame.index.equals(pd.RangeIndex(len(rows)))


@given(st.lists(generations, max_size=5))
def test_a_frame_says_what_its_records_say(rows: list[Generation]) -> None:
    frame = generations_frame(rows)
    for column in GENERATION_COLUMNS:
        for value, row in zip(frame[column], rows, strict=True):
            said = getattr(row, column)
            if said is None:
                assert pd.isna(value)
            else:
                assert value == said


@given(st.lists(playlists, max_size=5))
def test_playlists_likewise(rows: list[Playlist]) -> None:
    frame = playlists_frame(rows)
    assert dtypes(frame) == documented(PLAYLIST_COLUMNS)
    for column in PLAYLIST_COLUMNS:
        for value, row in zip(frame[column], rows, strict=True):
            said = getattr(row, column)
            assert pd.isna(value) if said is None else value == said


def test_frames_of_nothing_have_all_columns() -> None:
    assert list(generations_frame([]).columns) == list(GENERATION_COLUMNS)
    assert list(playlists_frame(iter([])).columns) == list(PLAYLIST_COLUMNS)
    assert pd.concat([generations_frame([]), generations_frame([Generation(id="x")])]).shape == (
        1,
        len(GENERATION_COLUMNS),
    )


def test_the_columns_stand_in_the_documented_order() -> None:
    assert " ".join(GENERATION_COLUMNS) == (
        "id title prompt type status bpm key scale time_signature language seed duration requested_duration "
        "generation_time file_size is_public play_count download_count like_count error_message audio_url webhook "
        "created_at completed_at"
    )
    columns = "id name description track_count total_duration is_public created_at updated_at"
    assert " ".join(PLAYLIST_COLUMNS) == columns


extras = st.dictionaries(st.sampled_from(["moodTag", "playCount", "bpm", "mood_tag", "x", ""]), st.integers())


@given(st.lists(extras, max_size=3))
def test_unknown_fields_come_last_and_none_is_lost(drawn: list[dict[str, int]]) -> None:
    rows = [Generation(id="x", extra=each, parameters=Parameters(extra=dict(each))) for each in drawn]
    frame = generations_frame(rows)
    assert list(frame.columns[: len(GENERATION_COLUMNS)]) == list(GENERATION_COLUMNS)
    assert frame.columns.is_unique
    names = {name for each in drawn for name in each}
    assert len(frame.columns) == len(GENERATION_COLUMNS) + 2 * len(names)
    for number, each in enumerate(drawn):
        kept = frame.iloc[number, len(GENERATION_COLUMNS) :].dropna()
        assert sorted(kept) == sorted([*each.values(), *each.values()])


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([2**62 + 1, None], "Int64"),
        ([True, None], "boolean"),
        ([0.5, None], "float64"),
        (["a", None], "str"),
        ([[1], None], "object"),
        ([1, "a"], "object"),
        ([2**70, None], "object"),
        ([2**63, -1], "object"),
        ([{"a": 1}, 2.5], "object"),
    ],
)
def test_an_unknown_field_has_a_dtype_that_keeps_it(values: list[Any], dtype: str) -> None:
    frame = generations_frame([Generation(id="x", extra={"new": value}) for value in values])
    assert str(frame["new"].dtype) == dtype
    assert [None if value is None or value is pd.NA or value != value else value for value in frame["new"]] == values


def test_an_unknown_field_whose_name_is_taken_gets_another() -> None:
    asked = Parameters(extra={"playCount": 2, "mood": 4})
    frame = generations_frame([Generation(id="x", extra={"play_count": 1, "mood": 3}, parameters=asked)])
    assert frame[["extra_play_count", "mood", "parameters_play_count", "parameters_mood"]].iloc[0].tolist() == [
        1,
        3,
        2,
        4,
    ]
    assert playlists_frame([Playlist(id="p", extra={"mood": [1]})])["mood"].tolist() == [[1]]


def test_a_value_that_is_new_becomes_a_category_at_the_end() -> None:
    asked = Parameters(keyscale="H dorian")
    rows = [Generation(id=status, status=status, parameters=asked) for status in ("queued", "completed", "archived")]
    frame = generations_frame(rows)
    assert list(frame["status"].cat.categories) == [*STATUSES, "archived", "queued"]
    assert list(frame["key"].cat.categories) == [*KEYS, "H"]
    assert list(frame["scale"].cat.categories) == [*SCALES, "dorian"]
    assert frame["status"].tolist() == ["queued", "completed", "archived"]


@pytest.mark.parametrize(
    ("row", "column", "dtype", "value"),
    [
        (Generation(id="x", parameters=Parameters(bpm=92.5)), "bpm", "Float64", 92.5),
        (Generation(id="x", parameters=Parameters(bpm=10**30)), "bpm", "Float64", 1e30),
        (Generation(id="x", parameters=Parameters(seed=10**30)), "seed", "object", 10**30),
        (Generation(id="x", play_count=2**70), "play_count", "object", 2**70),
    ],
)
def test_a_number_that_breaks_its_dtype_is_kept_and_told(row: Generation, column: str, dtype: str, value: Any) -> None:
    with pytest.warns(ServiceWarning, match=f"Column '{column}' is not as documented"):
        frame = generations_frame([row, Generation(id="y")])
    assert str(frame[column].dtype) == dtype
    assert frame[column].iloc[0] == value
    assert pd.isna(frame[column].iloc[1])


def test_counts_beyond_all_bounds_are_told_and_no_other_warning_is_heard() -> None:
    with pytest.warns(ServiceWarning) as caught:
        frame = generations_frame([Generation(id="x", play_count=2**63), Generation(id="y", play_count=-1)])
    assert len(caught) == 1
    assert frame["play_count"].tolist() == [2**63, -1]


@pytest.mark.parametrize("odd", ["yesterday", "9999-12-31 00:00:00", "0001-01-01T00:00:00+05:00"])
def test_a_time_that_is_none_costs_only_itself(odd: str) -> None:
    rows = [Generation(id="x", created=odd), Generation(id="y", created="2025-01-15 10:30:00"), Generation(id="z")]
    with pytest.warns(ServiceWarning, match="created_at"):
        frame = generations_frame(rows)
    assert str(frame["created_at"].dtype) == "datetime64[ns, UTC]"
    assert frame["created_at"].tolist() == [pd.NaT, pd.Timestamp("2025-01-15 10:30", tz="UTC"), pd.NaT]


def test_seconds_are_plain_floats() -> None:
    frame = generations_frame([Generation(id="x", duration=3), Generation(id="y")])
    assert frame["duration"].dtype == np.float64
    assert np.isnan(frame["duration"].iloc[1])
