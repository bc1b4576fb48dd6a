"""The table's protocol, through the real widget; only the wire is replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import comm
import ipywidgets
import pytest
from comm.base_comm import BaseComm
from hypothesis import given
from hypothesis import strategies as st

from finetuning.errors import ParameterError
from finetuning.panels.library.columns import Column
from finetuning.panels.library.filters import Criteria
from finetuning.panels.library.rows import LIBRARY, fate, library_row, playlist_row, title_of
from finetuning.panels.library.table import Table
from finetuning.records import Generation, Parameters

HOSTILE = '<img src=x onerror="alert(1)"></td></table></script><script>alert(2)</script>\u202e'
COLUMNS = (Column("title", "Title", always=True), Column("bpm", "BPM", "number"), Column("stars", "Stars", "stars"))


class Wire(BaseComm):
    """A comm that keeps what is sent to the page instead of needing one."""

    def __init__(self, **more: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(**more)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        self.sent.append(data or {})

    def customs(self) -> list[dict[str, Any]]:
        found = [data["content"] for data in self.sent if data.get("method") == "custom"]
        self.sent.clear()
        return found


@pytest.fixture(autouse=True)
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(comm, "create_comm", lambda **more: Wire(**more))
    yield
    ipywidgets.Widget.close_all()


def page_says(table: Table, content: Any) -> None:
    table.comm.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


@pytest.fixture
def table() -> Table:
    made = Table(COLUMNS, label="Three")
    made.fill([("a", ("A", 90, None)), ("b", ("B", 80, 5)), ("c", (HOSTILE, None, None))])
    made.comm.customs()
    return made


def test_rows_go_by_messages_and_never_by_traits(table: Table) -> None:
    page_says(table, {"type": "ready"})
    assert table.comm.customs() == [
        {"type": "rows", "rows": [["a", "A", 90, None], ["b", "B", 80, 5], ["c", HOSTILE, None, None]]},
        {"type": "order", "ids": ["a", "b", "c"]},
        {"type": "chosen", "ids": []},
    ]
    saved = {name: value for name, value in table.get_state().items() if name not in ("_esm", "_css")}
    assert "onerror" not in repr(saved)
    assert len(repr(saved)) < 1500


def test_only_what_changes_is_sent(table: Table) -> None:
    table.put([("a", ("A", 90, None)), ("b", ("B", 81, 5))])
    assert table.comm.customs() == [{"type": "rows", "rows": [["b", "B", 81, 5]]}]
    table.show(["a", "b", "c", "unknown"])
    assert table.comm.customs() == []
    table.show(["c", "a"])
    assert table.comm.customs() == [{"type": "order", "ids": ["c", "a"]}]
    table.drop(["nobody"])
    assert table.comm.customs() == []


def test_many_rows_go_in_parts() -> None:
    table = Table(COLUMNS, label="Many")
    table.put((str(number), ("x", number, None)) for number in range(1200))
    assert [len(message["rows"]) for message in table.comm.customs()] == [500, 500, 200]


def test_what_is_chosen_survives_what_is_shown(table: Table) -> None:
    told = []
    table.on_choose(lambda: told.append(table.chosen))
    page_says(table, {"type": "choose", "on": ["b", "c"], "off": []})
    table.show(["c"])
    assert (table.order, table.chosen) == (["c"], ["c", "b"])
    table.show(["c", "b", "a"])
    assert table.chosen == ["c", "b"]
    page_says(table, {"type": "choose", "on": [], "off": ["c"]})
    table.drop(["b"])
    assert (table.known, table.order, table.chosen) == (["a", "c"], ["c", "a"], [])
    assert told == [["b", "c"], ["b"], []]
    assert table.comm.customs()[-1] == {"type": "drop", "ids": ["b"]}


def test_a_click_on_a_row_that_is_gone_chooses_nothing(table: Table) -> None:
    table.drop(["a"])
    page_says(table, {"type": "choose", "on": ["a", "b", 7], "off": "b"})
    assert table.chosen == ["b"]


def test_a_change_is_confirmed_to_the_page_that_made_it_and_told_to_others(table: Table) -> None:
    change = {"page": "p", "number": 3, "on": ["a"], "off": []}
    page_says(table, {"type": "choose", **change})
    assert table.comm.customs() == [{"type": "chose", **change}]


def test_choosing_from_the_kernel_reaches_the_page(table: Table) -> None:
    table.choose(["c", "a", "c"])
    assert table.comm.customs() == [{"type": "chosen", "ids": ["c", "a"]}]
    with pytest.raises(ParameterError, match="1 of 2 ids are not in the table; the first is 'x'"):
        table.choose(["a", "x"])
    assert table.chosen == ["a", "c"]


def test_a_row_is_opened(table: Table) -> None:
    opened: list[str] = []
    table.on_open(opened.append)
    page_says(table, {"type": "open", "id": "b"})
    page_says(table, {"type": "open", "id": "nobody"})
    page_says(table, {"type": "something newer"})
    page_says(table, "nonsense")
    assert opened == ["b"]


def test_a_table_that_is_only_to_look_at_chooses_nothing() -> None:
    table = Table(COLUMNS, label="Look", choosing=False)
    table.fill([("a", ("A", 1, None))])
    page_says(table, {"type": "choose", "on": ["a"], "off": []})
    assert table.chosen == []


def test_the_static_table_is_short_escaped_and_without_empty_columns(table: Table) -> None:
    text = table.static(rows=3, more="{:,} more")
    assert "<img" not in text
    assert "<script" not in text
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in text
    assert "★★★★★" in text
    assert "more" not in text
    short = table.static(rows=1, more="and {:,} more")
    assert "and 2 more" in short
    assert "Stars" not in short  # nothing is known there in what is shown
    assert "Title" in Table(COLUMNS, label="None").static()


@given(st.lists(st.tuples(st.sampled_from("psdcPSDC"), st.sets(st.sampled_from("abcdef"))), max_size=12))
def test_whatever_happens_only_rows_that_are_there_are_shown_and_chosen(steps: list[tuple[str, set[str]]]) -> None:
    table = Table(COLUMNS, label="Any")
    rows: set[str] = set()
    chosen: set[str] = set()
    for step, ids in steps:
        if step in "pP":
            table.put((id_, (id_, None, None)) for id_ in ids)
            rows |= ids
        elif step in "sS":
            table.show(sorted(ids))
            assert table.order == sorted(ids & rows)
        elif step in "dD":
            table.drop(ids)
            rows -= ids
            chosen -= ids
        else:
            page_says(table, {"type": "choose", "on": sorted(ids), "off": []})
            chosen |= ids & rows
        assert set(table.known) == rows
        assert set(table.chosen) == chosen
        assert set(table.order) <= rows


def test_every_trait_has_its_help_and_no_other_keyword_is_taken() -> None:
    own = {name: trait for name, trait in Table.class_own_traits().items() if not name.startswith("_")}
    assert own
    assert all(trait.help for trait in own.values())
    with pytest.raises(TypeError, match="colour"):
        Table(COLUMNS, label="x", colour="red")  # type: ignore[call-arg]


def test_putting_from_many_threads_loses_nothing() -> None:
    table = Table(COLUMNS, label="Threads")
    threads = [
        threading.Thread(target=lambda part=part: table.put((f"{part}-{n}", ("x", n, None)) for n in range(50)))
        for part in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(table.known) == 400
    assert sum(len(message["rows"]) for message in table.comm.customs()) == 400


def test_rows_of_tracks() -> None:
    take = Generation(
        id="id",
        title="  Two\n lines ",
        prompt="p" * 700,
        status="completed",
        duration=61.4,
        is_public=True,
        generation_time=12.34,
        created="2025-01-15 10:30:00",
        parameters=Parameters(bpm=85, keyscale="C# minor", timesignature=3, seed=2**60),
    )
    row = dict(zip((column.name for column in LIBRARY), library_row(take, 4), strict=True))
    assert row["title"] == "Two lines"
    assert row["seed"] == str(2**60)  # JavaScript would round it
    assert len(str(row["prompt"])) == 120
    assert (row["rating"], row["created_at"], row["generation_time"]) == (4, "2025-01-15 10:30", 12.3)
    assert playlist_row(take) == ("Two lines", 85, "C# minor", True, 61.4)
    bare = Generation(id="bare")
    assert title_of(bare) == "bare"
    assert library_row(bare)[1:] == (None,) * 12
    assert playlist_row(bare) == ("bare", None, None, None, None)
    assert fate("x", {}, "failed", "why") == ("x", ("x", "failed", "why", "x"))
    table = Table(LIBRARY, label="One")
    table.fill([("id", library_row(take))])
    assert all(part in table.static() for part in ("1:01", "public", "2025-01-15 10:30", "12.3"))


TAKE = Generation(
    id="x",
    title="Slow Harbour",
    prompt="calm ambient PADS",
    status="completed",
    is_public=False,
    created="2025-01-15 23:59:59",
    parameters=Parameters(bpm=85, keyscale="C minor", timesignature="4"),
)


@pytest.mark.parametrize(
    ("criteria", "kept"),
    [
        (Criteria(), True),
        (Criteria(text="pads HARBOUR"), True),
        (Criteria(text="harbour piano"), False),
        (Criteria(status="completed"), True),
        (Criteria(status="failed"), False),
        (Criteria(slowest=85, fastest=85), True),
        (Criteria(slowest=86), False),
        (Criteria(fastest=84.5), False),
        (Criteria(key="C", scale="minor", time_signature=4), True),
        (Criteria(key="D"), False),
        (Criteria(scale="major"), False),
        (Criteria(time_signature=3), False),
        (Criteria(public=False), True),
        (Criteria(public=True), False),
        (Criteria(since=date(2025, 1, 15)), True),
        (Criteria(since=date(2025, 1, 16)), False),
    ],
)
def test_filters(criteria: Criteria, kept: bool) -> None:
    assert criteria.keeps(TAKE) is kept
    # Of what is nothing known, it is not as any filter asks.
    assert Criteria.keeps(criteria, Generation(id="bare")) is (criteria == Criteria())
