"""The deck's protocol and what it leaves in a notebook, through the real widget; only the wire is replaced."""

from __future__ import annotations

import json
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import finetuning as ft
from finetuning.errors import MissingExtraError, NotFoundError, ParameterError, SelectionError
from finetuning.panels.deck.judges import recorder
from finetuning.panels.deck.takes import clock
from finetuning.panels.deck.waveform import BUCKETS
from finetuning.panels.library.table import Table
from finetuning.panels.sweep.sheet import Sheet
from finetuning.records import Generation, Parameters

from ..browser.clicks import click_track
from ..browser.shop import KEY, Shop
from ..browser.stage import wired
from .decks import HOSTILE, Cells, page_says, settled


@pytest.fixture(autouse=True)
def wire() -> Iterator[None]:
    undo = wired()
    yield
    ipywidgets.Widget.close_all()
    undo()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        for number, bpm in enumerate((85, 92, 100, 120)):
            shop.stock(f"t{number}", click_track(number, bpm, 3.0), bpm=bpm, keyscale="C minor", seed=7, duration=3.0)
        yield shop


@pytest.fixture
def client(shop: Shop) -> Iterator[ft.Client]:
    with ft.Client(KEY, shop.url, progress=False) as client:
        yield client
        settled()


def made(number: int = 0, **more: Any) -> Generation:
    given: dict[str, Any] = {"id": f"g{number}", "title": f"Take {number}", "status": "completed", "duration": 30.0}
    return Generation(**given | {"parameters": Parameters(bpm=85)} | more)


def test_sound_is_pulled_measured_and_sent_with_its_picture(client: ft.Client, shop: Shop) -> None:
    deck = ft.Deck(client, client.generations())
    assert shop.fetched == []
    page_says(deck, {"type": "load", "key": "t1"})
    [(content, (audio, picture))] = deck.comm.messages("audio")
    assert shop.fetched == ["t1"]
    assert audio == shop.sounds["t1"]()
    assert content["key"] == "t1"
    assert -40 < content["loudness"] < -5
    assert -10 < content["peak"] < 1
    extremes = np.frombuffer(picture, dtype=np.int8).reshape(BUCKETS, 2)
    assert (extremes[:, 0] <= extremes[:, 1]).all()
    assert extremes.max() > 50


def test_two_views_that_ask_at_once_cause_one_answer_and_later_ones_another(client: ft.Client, shop: Shop) -> None:
    shop.gate.clear()
    deck = ft.Deck(client, ["t0"])
    for _ in range(3):
        page_says(deck, {"type": "load", "key": "t0"})
    shop.gate.set()
    deck.comm.messages("audio")
    page_says(deck, {"type": "load", "key": "t0"})  # the page's cache has let it go
    assert len(deck.comm.messages("audio", 2)) == 2
    assert shop.fetched == ["t0"]  # the client's has not


def test_what_went_wrong_is_told_with_what_to_do(client: ft.Client, shop: Shop) -> None:
    deck = ft.Deck(client, ["t0", "t1"])
    shop.rows["t0"]["audioUrl"] = "http://elsewhere.example/x.mp3"
    shop.sounds["t1"] = lambda: b""
    for key in ("t0", "t1"):
        page_says(deck, {"type": "load", "key": key})
    told = {content["key"]: content for content, _ in deck.comm.messages("failed", 2)}
    assert all(each["message"] and each["hint"] for each in told.values())


def test_sound_that_only_a_browser_reads_is_sent_without_measures(client: ft.Client, shop: Shop) -> None:
    shop.sounds["t0"] = lambda: b"some other coding" * 9
    deck = ft.Deck(client, ["t0"])
    page_says(deck, {"type": "load", "key": "t0"})
    [(content, (audio, picture))] = deck.comm.messages("audio")
    assert (content["loudness"], content["peak"], picture, len(audio)) == (None, None, b"", 153)


def test_sound_too_short_for_a_loudness_has_a_picture(client: ft.Client, shop: Shop) -> None:
    shop.sounds["t0"] = lambda: click_track(0, 120, 0.2)
    deck = ft.Deck(client, ["t0"])
    page_says(deck, {"type": "load", "key": "t0"})
    [(content, (_, picture))] = deck.comm.messages("audio")
    assert content["loudness"] is None
    assert content["peak"] is not None
    assert len(picture) == 2 * BUCKETS


@pytest.mark.parametrize("wrong", ["another", None, 7, ["t0"]])
def test_only_listed_takes_can_be_fetched(client: ft.Client, wrong: Any) -> None:
    deck = ft.Deck(client, ["t0"])
    page_says(deck, {"type": "load", "key": wrong})
    [(content, _)] = deck.comm.messages("failed")
    assert content["message"] == "This take has no sound."


def test_messages_of_another_kind_are_left_alone(client: ft.Client) -> None:
    deck = ft.Deck(client, ["t0"])
    settled()
    before = len(deck.comm.all)
    for other in ({"type": "dance"}, {}, "load", None, {"type": "current", "key": "none"}):
        page_says(deck, other)
    page_says(deck, {"type": "answer", "number": 1, "outcome": "a"})
    settled()
    assert len(deck.comm.all) == before


def test_a_closed_client_and_a_closed_deck_harm_nobody(client: ft.Client, shop: Shop) -> None:
    shop.gate.clear()
    deck, other = ft.Deck(client, ["t0"]), ft.Deck(client, ["t1"])
    settled()
    page_says(deck, {"type": "load", "key": "t0"})
    deck.close()
    shop.gate.set()
    client.close()
    page_says(other, {"type": "load", "key": "t1"})
    [(content, _)] = other.comm.messages("failed")
    assert "client is closed" in content["message"]


def test_ratings_are_recorded_confirmed_and_there_again(client: ft.Client, home: Path) -> None:
    deck = ft.Deck(client, client.generations())
    told: list[dict[str, Any]] = []
    forget = deck.on_change(told.append)
    page_says(deck, {"type": "rate", "seq": 1, "keys": ["t1"], "rating": 4})
    page_says(deck, {"type": "reject", "seq": 2, "keys": ["t2"], "rejected": True})
    page_says(deck, {"type": "select", "seq": 3, "keys": ["t3", "t1"], "on": True})
    page_says(deck, {"type": "current", "key": "t2"})
    assert [content["seq"] for content, _ in deck.comm.messages("done", 3)] == [1, 2, 3]
    settled()
    assert [(each["what"], each["ids"]) for each in told] == [
        ("rating", ["t1"]), ("rating", ["t2"]), ("selection", ["t3", "t1"]), ("current", ["t2"]),
    ]  # fmt: skip
    assert deck.marks == {"t1": [4, 0], "t2": [0, 1]}
    assert deck.current == "t2"
    assert deck.selected["id"].tolist() == ["t1", "t3"]
    assert deck.selected["rating"].tolist() == [4, pd.NA]
    forget()
    forget()
    again = ft.Deck(client, ["t2", "t1"])
    settled()
    assert again.ratings.set_index("id")["rating"].to_dict() == {"t2": None, "t1": 4}
    assert again.ratings["rejected"].tolist() == [True, False]
    page_says(again, {"type": "rate", "seq": 9, "keys": ["t1"], "rating": 0})
    again.comm.messages("done")
    assert again.ratings["rating"].isna().all()
    assert len((home / "data" / "judgements.jsonl").read_text().splitlines()) == 3
    assert len(told) == 4


def test_what_the_page_said_before_counts_in_the_next_cell(client: ft.Client) -> None:
    deck = ft.Deck(client, ["t0"])
    settled()
    written = threading.Event()
    recorder().submit(written.wait, 60)  # as where the disk is slow
    page_says(deck, {"type": "rate", "seq": 1, "keys": ["t0"], "rating": 4})
    before = recorder()._work_queue.qsize()
    with ThreadPoolExecutor(1) as cell:
        read = cell.submit(lambda: deck.ratings["rating"].tolist())
        try:
            while recorder()._work_queue.qsize() == before and not read.done():
                pass
        finally:
            written.set()
        assert read.result(60) == [4]


def test_what_cannot_be_recorded_is_refused_and_not_shown(client: ft.Client, home: Path) -> None:
    deck = ft.Deck(client, ["t0"])
    settled()
    (home / "data").mkdir(exist_ok=True)
    (home / "data" / "judgements.jsonl").mkdir()
    page_says(deck, {"type": "rate", "seq": 5, "keys": ["t0"], "rating": 3})
    [(content, _)] = deck.comm.messages("refused")
    assert content["seq"] == 5
    assert "cannot be written" in content["message"]
    assert deck.ratings["rating"].isna().all()


def test_a_callback_that_fails_shows_so_and_harms_no_other(client: ft.Client) -> None:
    deck = ft.Deck(client, ["t0"])
    told: list[Any] = []
    deck.on_change(lambda _: 1 / 0)
    deck.on_change(told.append)
    page_says(deck, {"type": "current", "key": "t0"})
    [(content, _)] = deck.comm.messages("trouble")
    assert "division by zero" in content["message"]
    settled()
    assert len(told) == 1


def test_blind_questions_end_in_a_ranking(client: ft.Client) -> None:
    deck = ft.Deck(client, client.generations())
    page_says(deck, {"type": "reject", "seq": 1, "keys": ["t3"], "rejected": True})
    page_says(deck, {"type": "blind", "on": True})
    strength = {"t0": 1, "t1": 3, "t2": 2}
    for count in range(1, 60):
        settled()
        if any(data.get("content", {}).get("type") == "stands" for data, _ in deck.comm.all):
            break
        question, _ = deck.comm.messages("question", count)[-1]
        assert {question["a"], question["b"]} <= set(strength)
        assert deck.ranking == []  # nothing is given away meanwhile
        outcome = "a" if strength[question["a"]] > strength[question["b"]] else "b"
        stale = {"type": "answer", "number": question["number"] - 1, "outcome": outcome}
        page_says(deck, stale)
        page_says(deck, stale | {"number": question["number"]})
    assert [key for key, *_ in deck.ranking] == ["t1", "t2", "t0"]
    ratings = deck.ratings.set_index("id")
    assert ratings["rank"].to_dict() == {"t0": 3, "t1": 1, "t2": 2, "t3": None}
    assert (ratings.loc[["t0", "t1", "t2"], "rank_low"] <= ratings.loc[["t0", "t1", "t2"], "rank"]).all()
    assert ratings["compared"].sum() == 2 * (count - 1)
    again = ft.Deck(client, client.generations())
    settled()
    assert again.ranking == deck.ranking


def test_a_single_take_cannot_be_compared(client: ft.Client) -> None:
    deck = ft.Deck(client, ["t0"])
    page_says(deck, {"type": "blind", "on": True})
    [(content, _)] = deck.comm.messages("trouble")
    assert "takes two takes" in content["message"]
    deck.comm.messages("stands")


def test_an_answer_that_cannot_be_recorded_leaves_the_question(client: ft.Client, home: Path) -> None:
    deck = ft.Deck(client, ["t0", "t1"])
    page_says(deck, {"type": "blind", "on": True})
    [(question, _)] = deck.comm.messages("question")
    (home / "data" / "judgements.jsonl").mkdir(parents=True)
    page_says(deck, {"type": "answer", "number": 1, "outcome": "same"})
    deck.comm.messages("trouble")
    [_, (again, _)] = deck.comm.messages("question", 2)
    assert again == question
    page_says(deck, {"type": "blind", "on": False})
    deck.comm.messages("stands")
    assert deck.ratings["rank"].isna().all()


def test_takes_are_added_brought_up_to_date_and_removed(client: ft.Client, shop: Shop) -> None:
    deck = ft.Deck(client, title="mine")
    assert repr(deck) == "Deck 'mine' of 0 takes"
    assert deck.frame.empty
    assert deck.current is None
    shop.stock("late", bpm=90)
    deck.add(client.generations())
    assert [(take["k"], take.get("s")) for take in deck.takes][-1] == ("late", "pending")
    shop.stock("late", b"x", bpm=90, title="Now it is")
    deck.add(client.generation("late"))
    deck.add([client.generation("t0"), client.generation("t0")])
    assert [take["k"] for take in deck.takes] == ["t0", "t1", "t2", "t3", "late"]
    assert deck.takes[-1]["t"] == "Now it is"
    assert "s" not in deck.takes[-1]
    assert deck.frame["id"].tolist() == ["t0", "t1", "t2", "t3", "late"]
    deck.remove(["t0", "t2"])
    assert [take["k"] for take in deck.takes] == ["t1", "t3", "late"]
    assert deck.frame["bpm"].tolist() == [92, 120, 90]
    with pytest.raises(NotFoundError):
        deck.add("nobody")
    with pytest.raises(SelectionError):
        deck.add(3.5)


def test_parameters_that_are_none_are_refused_before_anything_is_shown(client: ft.Client) -> None:
    with pytest.raises(ParameterError, match="rows='tempo' is not a parameter"):
        ft.Deck(client, ["t0"], rows="tempo")
    with pytest.raises(ParameterError, match="'bpm' cannot span two sides"):
        client.play(["t0"], rows="bpm", columns="bpm")
    with pytest.raises(TypeError, match="colour"):
        ft.Deck(client, colour="red")  # type: ignore[call-arg]


def test_every_trait_says_what_it_is(client: ft.Client) -> None:
    own = set(ft.Deck.class_traits()) - set(ipywidgets.DOMWidget.class_traits())
    assert all(ft.Deck.class_traits()[name].help for name in own if not name.startswith("_"))


def test_the_state_stays_small_and_holds_no_sound(client: ft.Client, shop: Shop) -> None:
    def size(deck: ft.Deck) -> int:
        return len(json.dumps({name: value for name, value in deck.get_state().items() if name[0] != "_"}).encode())

    records = [
        made(
            number,
            id=f"0b8f5c1e-1111-4222-8333-{number:012}",
            prompt="lofi chill piano, warm tape, rain on the window " * 14,
            audio_url="https://media.finetuning.ai/" + "x" * 200,
            parameters=Parameters(bpm=85, keyscale="C# minor", timesignature=7, seed=2**31 - number),
        )
        for number in range(100)
    ]
    empty, full = ft.Deck(client), ft.Deck(client, records)
    assert (size(full) - size(empty)) / 100 < 300
    full.add(["t0"])
    before = size(full)
    page_says(full, {"type": "load", "key": "t0"})
    full.comm.messages("audio")
    assert size(full) == before


def bundle(deck: ft.Deck) -> dict[str, Any]:
    return deck._repr_mimebundle_()[0]


def test_a_saved_notebook_shows_a_table(client: ft.Client) -> None:
    records = [made(0, audio_url="https://media.finetuning.ai/a.mp3?x=1&y=2"), made(1, duration=None)]
    deck = ft.Deck(client, records, title="Both")
    data = bundle(deck)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == deck.model_id
    assert data["text/plain"] == repr(deck) == "Deck 'Both' of 2 takes\n  Take 0  bpm 85  0:30\n  Take 1  bpm 85"
    cells = Cells(data["text/html"])
    assert cells.links == ["https://media.finetuning.ai/a.mp3?x=1&y=2"]
    assert cells.texts == ["Both", "take", "parameters", "length", "Take 0", "bpm 85", "0:30", "Take 1", "bpm 85"]
    assert repr(ft.Deck(client, made())).startswith("Deck of 1 take\n")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    """The shell under every notebook, without one's history."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


def test_in_a_cell_the_table_stands_in_for_the_deck(client: ft.Client, shell: InteractiveShell) -> None:
    run_cell: Callable[[str], Any] = shell.run_cell

    def outputs() -> list[dict[str, Any]]:
        with capture_output() as captured:
            run_cell("deck")
        return [output.data for output in captured.outputs]

    deck = shell.user_ns["deck"] = ft.Deck(client, made(title="Dusk", parameters=None, duration=None))
    table, live = outputs()
    assert f'<table id="{deck.stand_in}">' in table["text/html"]
    assert table["text/plain"] == "Deck of 1 take\n  Dusk"
    assert live["application/vnd.jupyter.widget-view+json"]["model_id"] == deck.model_id
    assert "text/html" not in live
    deck.close()
    assert outputs() == [table]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/a.mp3", "javascript:alert(1)", "data:text/html,x", "https://", "https://[bad", "", None],
)
def test_only_https_is_linked(client: ft.Client, url: str | None) -> None:
    html = bundle(ft.Deck(client, made(audio_url=url)))["text/html"]
    assert Cells(html).links == []
    assert "127.0.0.1" not in html


def test_hostile_text_is_text(client: ft.Client) -> None:
    url = "https://x.example/a.mp3?\" onclick='alert(3)'><script>"
    deck = ft.Deck(client, made(title=HOSTILE[:70], audio_url=url), title=HOSTILE)
    cells = Cells(bundle(deck)["text/html"])
    assert set(cells.tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td", "a", "div", "style"}
    assert cells.texts == [HOSTILE, "take", "parameters", "length", HOSTILE[:70], "bpm 85", "0:30"]
    assert cells.links == [url]


@pytest.mark.parametrize("widget", [ft.Deck, Sheet, Table])
def test_the_page_sets_text_and_never_markup(widget: Any) -> None:
    script = str(widget._esm)
    assert "textContent" in script
    ways = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "127.0.0.1", "localhost", "http")
    assert not [way for way in ways if way in script]


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0, "0:00"), (9.4, "0:09"), (59.6, "1:00"), (185, "3:05"), (3600, "60:00")]
)
def test_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)  # as on a machine without it
    monkeypatch.delitem(sys.modules, "finetuning.panels.deck.widget")
    with pytest.raises(MissingExtraError, match="The audition deck is not installed") as caught:
        runpy.run_module("finetuning.panels.deck.widget", run_name="finetuning.panels.without")
    assert "pip install 'finetuning[lab]'" in str(caught.value)
