"""The library drawn by itables: the same rows and the same choice, although itables tells of rows by their place."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.errors import MissingExtraError, ParameterError
from finetuning.panels.library.columns import Column
from finetuning.panels.library.itable import InteractiveTable, table_for
from finetuning.panels.library.table import Table

COLUMNS = (
    Column("title", "Title", always=True),
    Column("bpm", "BPM", "number"),
    Column("duration", "Length", "length"),
    Column("rating", "Rating", "stars"),
)
GIVEN: dict[str, Any] = {"label": "Library", "nothing": "Nothing.", "stand_in": "ft-still", "limit": 500}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    ipywidgets.Widget.close_all()


@pytest.fixture
def table() -> InteractiveTable:
    made = InteractiveTable(COLUMNS, nothing="Nothing.", stand_in="ft-still")
    made.fill([("a", ("A", 90, 61.4, None)), ("b", ("B", 80, 9, 5)), ("c", ("<b>C</b>", None, None, None))])
    return made


def lines(table: InteractiveTable) -> list[list[Any]]:
    """What the page was told, a list a row."""
    found: list[list[Any]] = json.loads(table.drawn._dt_args["data_json"])
    return found


def on_page(table: InteractiveTable) -> list[str]:
    """The titles that the page shows, in its order."""
    return [line[0] for line in sorted(lines(table), key=lambda line: int(line[-1])) if line[-2] == "y"]


def click(table: InteractiveTable, *places: int) -> None:
    """Tell of chosen places, as the page does."""
    table.drawn.set_state({"selected_rows": list(places)})


def test_it_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(table_for(COLUMNS, **GIVEN), InteractiveTable)
    assert isinstance(table_for(COLUMNS, **GIVEN, drawn_by="own"), Table)
    assert isinstance(table_for(COLUMNS, **GIVEN | {"limit": None}), Table)  # it may be a hundred thousand
    assert isinstance(table_for(COLUMNS, **GIVEN | {"limit": None}, drawn_by="itables"), InteractiveTable)
    for module in ("itables", "itables.widget"):
        monkeypatch.setitem(sys.modules, module, None)  # as where it is not installed
    assert isinstance(table_for(COLUMNS, **GIVEN), Table)
    with pytest.raises(MissingExtraError, match=r"pip install 'finetuning\[tables\]'"):
        table_for(COLUMNS, **GIVEN, drawn_by="itables")


def test_values_are_written_as_text_and_sort_as_they_mean(table: InteractiveTable) -> None:
    assert lines(table) == [
        ["A", "90", "01:01", "", "y", "0"],
        ["B", "80", "00:09", "★★★★★", "y", "1"],
        ["&lt;b&gt;C&lt;/b&gt;", "", "", "", "y", "2"],
    ]
    assert "#ft-still" in table.children[0].value


def test_no_row_is_left_out() -> None:
    table = InteractiveTable(COLUMNS)
    table.fill((str(number), ("x" * 100, number, 5.0, None)) for number in range(3000))
    assert len(on_page(table)) == 3000
    assert len(table.drawn._dt_args["data_json"]) > 300_000


def test_a_filter_hides_and_what_is_chosen_stays_so(table: InteractiveTable) -> None:
    told: list[list[str]] = []
    table.on_choose(lambda: told.append(table.chosen))
    click(table, 1, 2)
    table.show(["c", "a"])
    assert on_page(table) == ["&lt;b&gt;C&lt;/b&gt;", "A"]
    assert table.chosen == ["c", "b"]
    assert table.drawn.selected_rows == [1, 2]  # what is hidden as well
    table.choose(["a"])
    assert table.drawn.selected_rows == [0]
    assert told == [["b", "c"], ["a"]]
    with pytest.raises(ParameterError, match="1 of 1 ids are not in the table"):
        table.choose(["x"])


def test_a_rating_is_drawn_and_nothing_moves(table: InteractiveTable) -> None:
    table.put([("a", ("A", 90, 61.4, 3))])
    assert lines(table)[0][3] == "★★★"
    assert on_page(table) == ["A", "B", "&lt;b&gt;C&lt;/b&gt;"]


def test_a_click_on_its_way_means_the_row_that_was_clicked(table: InteractiveTable) -> None:
    place = {line[0]: number for number, line in enumerate(lines(table))}
    table.drop(["a"])
    table.fill([("new", ("New", 70, 5, None)), ("c", ("C", None, None, None)), ("b", ("B", 80, 9, 5))])
    click(table, place["A"], place["B"])  # it was clicked before all that
    assert table.chosen == ["b"]
    assert table.drawn.selected_rows == [place["B"]]  # and the page learns that A is gone


def test_a_page_that_missed_a_choice_is_told_again(table: InteractiveTable) -> None:
    click(table, 0)
    told: list[list[str]] = []
    table.on_choose(lambda: told.append(table.chosen))
    table.show(["b", "c"])
    click(table, 0)
    assert told == []


STEPS = st.lists(st.tuples(st.sampled_from("psdc"), st.sets(st.sampled_from("abcdef"))), max_size=12)


@given(STEPS)
def test_it_chooses_as_our_own_table_does(steps: list[tuple[str, set[str]]]) -> None:
    ours, theirs = Table(COLUMNS, label="Any"), InteractiveTable(COLUMNS)
    for step, ids in steps:
        for table in (ours, theirs):
            if step == "p":
                table.put((id_, (id_, None, None, None)) for id_ in sorted(ids))
            elif step == "s":
                table.show(sorted(ids))
            elif step == "d":
                table.drop(ids)
            else:
                table.choose(sorted(ids & set(table.known)))
        assert (theirs.known, theirs.order, theirs.chosen) == (ours.known, ours.order, ours.chosen)
        assert on_page(theirs) == theirs.order
        assert {lines(theirs)[place][0] for place in theirs.drawn.selected_rows} == set(theirs.chosen)
