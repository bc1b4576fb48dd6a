from __future__ import annotations

import collections
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from finetuning.bulk import BulkOutcome
from finetuning.client.views import PlaylistView
from finetuning.errors import SelectionError
from finetuning.frames import GENERATION_COLUMNS, generations_frame, playlists_frame
from finetuning.records import Generation, Playlist
from finetuning.selections import OTHER_COLUMNS, ids_of

Row = collections.namedtuple("Row", ["id", "title"])

ids = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(str.strip), min_size=1)

FORMS: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "deque": collections.deque,
    "iterator": iter,
    "generator": lambda values: (each for each in values),
    "keys of a dictionary": lambda values: dict.fromkeys(values).keys(),
    "records": lambda values: [Generation(id=each) for each in values],
    "records and ids": lambda values: [Generation(id=each) if n % 2 else each for n, each in enumerate(values)],
    "named tuples": lambda values: [Row(each, "t") for each in values],
    "dictionaries": lambda values: [{"id": each, "title": "t"} for each in values],
    "array of objects": lambda values: np.array(values, dtype=object),
    "Index": pd.Index,
    "Index of text": lambda values: pd.Index(values, dtype="str"),
    "CategoricalIndex": pd.CategoricalIndex,
    "MultiIndex": lambda values: pd.MultiIndex.from_arrays([range(len(values)), values], names=["n", "id"]),
    "Series": pd.Series,
    "Series named id": lambda values: pd.Series(values, name="id", index=["id"] * len(values)),
    "Series of text": lambda values: pd.Series(values, dtype="str"),
    "Series of string": lambda values: pd.Series(values, dtype="string"),
    "Series of categories": lambda values: pd.Series(values, dtype="category"),
    "Series of records": lambda values: pd.Series([Generation(id=each) for each in values]),
    "Series with ids as index": lambda values: pd.Series(1, index=pd.Index(values, name="id"), name="bpm"),
    "Series with ids in a level": lambda values: (
        pd.DataFrame({"id": values, "n": 1}).set_index(["n", "id"]).index.to_series()
    ),
    "frame": lambda values: pd.DataFrame({"title": "t", "id": values}),
    "frame with an index of its own": lambda values: pd.DataFrame({"id": values}, index=[7] * len(values)),
    "frame with ids as index": lambda values: pd.DataFrame({"id": values, "n": 1}).set_index("id"),
    "frame with ids in a level": lambda values: pd.DataFrame({"id": values, "n": 1, "m": 2}).set_index(["n", "id"]),
    "frame of categories": lambda values: pd.DataFrame({"id": pd.Categorical(values)}),
    "frame of objects": lambda values: pd.DataFrame({"id": values}, dtype=object),
    "frame of generations": lambda values: generations_frame([Generation(id=each) for each in values]),
    "column": lambda values: generations_frame([Generation(id=each) for each in values])["id"],
    "rows of a frame": lambda values: [row for _, row in pd.DataFrame({"id": values, "title": "t"}).iterrows()],
    "tuples of a frame": lambda values: list(pd.DataFrame({"id": values, "title": "t"}).itertuples()),
}


@pytest.mark.parametrize("form", FORMS)
@given(values=ids)
def test_any_form_names_each_id_once_in_order(form: str, values: list[str]) -> None:
    assert ids_of(FORMS[form](values)) == list(dict.fromkeys(each.strip() for each in values))


@given(values=ids)
def test_a_set_names_each_id_once(values: list[str]) -> None:
    assert sorted(ids_of(set(values))) == sorted({each.strip() for each in values})


ROW = pd.DataFrame({"title": ["t"], "id": ["x"], "bpm": [90]}).iloc[0]


@pytest.mark.parametrize(
    "one",
    ["x", " x ", np.str_("x"), Generation(id="x"), Row("x", "t"), {"id": "x", "title": "t"}, ROW],
    ids=lambda each: type(each).__name__,
)
def test_one_track_is_a_selection(one: Any) -> None:
    assert ids_of(one) == ["x"]


NOTHING: dict[str, Any] = {
    "list": [],
    "generator": iter(()),
    "frame": generations_frame([]),
    "frame of one column": pd.DataFrame({"id": pd.Series([], dtype="str")}),
    "Series": pd.Series([], dtype="str"),
    "Index": pd.Index([]),
    "set": set(),
}


def test_an_id_that_is_called_id_is_an_id() -> None:
    assert ids_of(pd.Series(1, index=pd.Index(["id", "a"], name="id"), name="bpm")) == ["id", "a"]


@pytest.mark.parametrize("nothing", NOTHING)
def test_an_empty_selection_is_refused(nothing: str) -> None:
    with pytest.raises(SelectionError, match="empty") as caught:
        ids_of(NOTHING[nothing])
    assert "Nothing was sent" in str(caught.value)


@pytest.mark.parametrize("missing", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT, "", "  "])
def test_missing_ids_are_told_with_their_places(missing: Any) -> None:
    with pytest.raises(SelectionError, match=r"2 of 4 rows have no id \(positions 1, 3\)"):
        ids_of(["a", missing, "b", missing])
    frame = pd.DataFrame({"id": pd.Series(["a", missing, "b", missing], dtype=object)})
    with pytest.raises(SelectionError, match=r"positions 1, 3"):
        ids_of(frame)


@pytest.mark.parametrize("dtype", ["str", "string", "category"])
def test_missing_ids_are_found_in_any_dtype(dtype: Any) -> None:
    with pytest.raises(SelectionError, match=r"1 of 2 rows have no id \(position 1\)") as caught:
        ids_of(pd.DataFrame({"id": pd.Series(["a", None], dtype=dtype)}))
    assert "dropna" in str(caught.value)


def test_many_places_are_not_all_listed() -> None:
    with pytest.raises(SelectionError, match=r"9 of 9 rows have no id \(positions 0, 1, 2, 3, 4, …\)"):
        ids_of([""] * 9)


TWICE = pd.DataFrame([["a", "b"]], columns=["id", "id"])
WRONG: dict[str, tuple[Any, str]] = {
    "number": (5, "type int is not a selection"),
    "nothing": (None, "type NoneType is not a selection"),
    "bytes": (b"abc", "type bytes is not a selection"),
    "dictionary": ({"title": "x"}, "type dict is not a selection"),
    "playlist": (Playlist(id="p", name="Focus"), "'Focus' is a playlist"),
    "playlist without a name": (Playlist(id="p"), "'p' is a playlist"),
    "playlists": (playlists_frame([Playlist(id="p")]), "These are playlists"),
    "view": (PlaylistView.of(Playlist(id="p")), "type PlaylistView"),
    "outcome": (BulkOutcome("Added", ["a"]), "type BulkOutcome"),
    "numbers": ([1, 2], r"2 of 2 ids are not text \(positions 0, 1\); the first is of type int"),
    "numbers in a frame": (pd.DataFrame({"id": [1, 2]}), "type int"),
    "one number among ids": (["a", 1], r"1 of 2 ids are not text \(position 1\)"),
    "mask": (pd.Series([True, False]), "mask of True and False"),
    "mask that may be missing": (pd.Series([True, None], dtype="boolean"), "mask"),
    "mask in a list": ([True, False], "mask of True and False"),
    "mask in a list with a gap": ([True, None], "mask of True and False"),
    "mask of NumPy": (np.array([True, False]), "mask of True and False"),
    "mask of many levels": (np.array([[True], [False]]), "mask of True and False"),
    "mask of nothing": (np.array([], dtype=bool), "mask of True and False"),
    "mask as an Index": (pd.Index([True, False]), "mask of True and False"),
    "mask of objects": (pd.Series([True, False], dtype=object), "mask of True and False"),
    "mask of a frame": (pd.DataFrame({"id": ["a"]}) == "a", "mask of True and False"),
    "truth among ids": (["a", True], r"1 of 2 ids are not text \(position 1\); the first is of type bool"),
    "groups": (pd.DataFrame({"id": ["a"], "key": ["C"]}).groupby("key"), "A DataFrameGroupBy is groups of rows"),
    "groups of ids": (pd.DataFrame({"id": ["a"], "key": ["C"]}).groupby("key")["id"], "A SeriesGroupBy is groups"),
    "empty id": ("", "The id is empty"),
    "blank id": (" \n", "The id is empty"),
    "Index of another column": (pd.DataFrame({"title": ["a"]}).set_index("title").index, "the column 'title'"),
    "matrix": (np.array([["a", "b"]]), "type ndarray"),
    "frames": ([pd.DataFrame({"id": ["a"]})], "type DataFrame"),
    "no id": (pd.DataFrame({"title": ["x"], "bpm": [1]}), "no `id` column; it has 'title', 'bpm'"),
    "no columns": (pd.DataFrame(), "it has none"),
    "many columns": (pd.DataFrame(np.zeros((1, 12))), "…"),
    "id twice": (TWICE, "more than one column named `id`"),
    "columns in levels": (pd.DataFrame({("id", "first"): ["a"]}), "no `id` column"),
    "levels without id": (pd.MultiIndex.from_arrays([["a"], ["b"]]), "none is named `id`"),
    "half of a surrogate pair": (["a", "\ud800"], r"1 of 2 ids cannot be sent \(position 1\)"),
    "half of a surrogate pair alone": ("\ud800", "half of a surrogate pair"),
    "row without id": (ROW.drop("id"), "type"),
    "tuple without id": ([collections.namedtuple("Other", ["title"])("t")], "type Other"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_names_no_tracks_is_refused_with_a_word_of_advice(what: str) -> None:
    selection, why = WRONG[what]
    with pytest.raises(SelectionError, match=why):
        ids_of(selection)


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("view", ".tracks"),
        ("outcome", ".failed"),
        ("number", "`id` column"),
        ("mask", "df[mask]"),
        ("mask of NumPy", "df[mask]"),
        ("groups", ".head(1)"),
        ("groups", ".first()"),
    ],
)
def test_the_advice_fits(what: str, hint: str) -> None:
    with pytest.raises(SelectionError) as caught:
        ids_of(WRONG[what][0])
    assert hint in (caught.value.hint or "")


def test_an_empty_id_is_not_told_of_rows() -> None:
    with pytest.raises(SelectionError) as caught:
        ids_of("")
    assert "row" not in str(caught.value)


def test_the_other_columns_are_those_of_the_frame() -> None:
    assert ("id", *OTHER_COLUMNS) == tuple(GENERATION_COLUMNS)


@pytest.mark.parametrize("column", OTHER_COLUMNS)
def test_another_column_is_refused_by_name(column: str) -> None:
    values = pd.Series(["a", "b"], name=column)
    with pytest.raises(SelectionError, match=f"the column '{column}', which holds no ids"):
        ids_of(values)
    assert ids_of(values.rename("chosen")) == ["a", "b"]
    assert ids_of(values.set_axis(pd.Index(["x", "y"], name="id"))) == ["x", "y"]


def test_what_groups_are_told_to_do_works() -> None:
    groups = pd.DataFrame({"id": ["a", "b", "c"], "key": ["C", "C", "D"]}).groupby("key")
    for chosen in (groups.head(1), groups.first(), groups["id"].head(1), groups["id"].first()):
        assert ids_of(chosen) == ["a", "c"]
