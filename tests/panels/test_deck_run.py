"""A deck over a run: takes appear as they are made, judgements go into its journal."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Any

import ipywidgets
import numpy as np
import pytest

import finetuning as ft
from finetuning.audio.sound import Sound
from finetuning.errors import SelectionError
from finetuning.panels.deck.following import Follower
from finetuning.panels.deck.waveform import peaks

from ..browser.stage import wired
from .decks import page_says, settled


@pytest.fixture(autouse=True)
def wire() -> Iterator[None]:
    undo = wired()
    yield
    settled()
    ipywidgets.Widget.close_all()
    undo()


def eventually(true: Any) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_takes_appear_as_they_are_made_and_the_following_ends(client: ft.Client) -> None:
    sweep = ft.Sweep("piano", bpm=[80, 120], key=["C", "A"], duration=5, seed=1)
    run = client.run(sweep, name="deck", wait=False)
    deck = run.play(rows="key", columns="bpm")
    assert [take["k"] for take in deck.takes] == ["point-0", "point-1", "point-2", "point-3"]
    assert (deck.rows, deck.columns, deck.page) == ("key", "bpm", "")
    assert [axis["name"] for axis in deck.axes] == ["bpm", "key"]
    run.wait()
    eventually(lambda: not any("s" in take for take in deck.takes))
    follower = deck._follower
    assert follower is not None
    eventually(lambda: not follower.alive)
    assert deck.frame["id"].tolist() == run.frame["id"].tolist()
    page_says(deck, {"type": "load", "key": "point-2"})
    [(content, _)] = deck.comm.messages("audio")
    assert content["loudness"] == pytest.approx(-14, abs=1)


def test_judgements_go_into_the_journal_and_come_back(client: ft.Client) -> None:
    run = client.run(ft.Sweep("piano", bpm=[80, 100, 120], duration=5), name="judged")
    run.rate(2, 2)
    deck = ft.Deck(client, run)
    settled()
    assert deck.marks == {"point-2": [2, 0]}
    page_says(deck, {"type": "rate", "seq": 1, "keys": ["point-0"], "rating": 5})
    page_says(deck, {"type": "reject", "seq": 2, "keys": ["point-1"], "rejected": True})
    page_says(deck, {"type": "blind", "on": True})
    [(question, _)] = deck.comm.messages("question")
    page_says(deck, {"type": "answer", "number": 1, "outcome": "b"})
    deck.comm.messages("question", 2)
    page_says(deck, {"type": "blind", "on": False})
    deck.comm.messages("stands")
    again = ft.SweepRun.load("judged", client)
    assert again.frame["rating"].tolist()[:1] == [5]
    assert again.frame["rejected"].tolist() == [False, True, False]
    points = tuple(int(question[side].removeprefix("point-")) for side in "ba")
    assert again.preferences == [(*points, False)]
    fresh = ft.Deck(client, again)
    settled()
    assert fresh.marks == {"point-0": [5, 0], "point-1": [0, 1], "point-2": [2, 0]}
    assert [row[0] for row in fresh.ranking] == [question["b"], question["a"]]
    assert fresh.ratings["compared"].tolist() == [1, 0, 1]
    # takes of elsewhere beside it are judged in the file
    other = client.generate("piano", duration=5)
    fresh.add(other)
    page_says(fresh, {"type": "rate", "seq": 3, "keys": ["point-0", other.id], "rating": 1})
    fresh.comm.messages("done")
    assert ft.Deck(client, run).takes[0]["k"] == "point-0"
    alone = ft.Deck(client, other)
    settled()
    assert alone.marks == {other.id: [1, 0]}
    assert run.frame["rating"].tolist()[0] == 1


def test_what_is_judged_in_code_after_the_run_is_in_the_deck_too(client: ft.Client) -> None:
    run = client.run(ft.Sweep("lofi piano", seed=[1, 2], duration=5))
    deck = run.play()
    assert deck.ratings.rating.isna().all()
    run.rate(0, 4)
    run.reject([1])
    assert deck.ratings.rating.tolist()[0] == 4
    assert deck.frame.rejected.tolist() == [False, True]
    assert sorted(deck.marks.values()) == [[0, 1], [4, 0]]
    heard: list[list[Any]] = []
    deck.on_change(lambda change: heard.append(deck.ratings.rating.tolist()))
    page_says(deck, {"type": "rate", "seq": 1, "keys": ["point-0"], "rating": 2})
    settled()
    assert deck.ratings.rating.tolist()[0] == run.frame.rating.tolist()[0] == 2
    assert heard[0][0] == 2


def test_what_fails_is_shown_with_its_reason(client: ft.Client) -> None:
    run = client.run(ft.Sweep("piano", bpm=[80, 90], duration=5), name="bad")
    frame = run.frame
    frame["state"] = frame["state"].astype(str)
    frame.loc[0, ["state", "error_message"]] = ["failed", "The model gave up."]
    frame.loc[1, "id"] = None
    frame.loc[1, "state"] = "waiting"
    deck = ft.Deck(client, frame)
    assert [(take.get("s"), take.get("e")) for take in deck.takes] == [
        ("failed", "The model gave up."),
        ("waiting", None),
    ]
    page_says(deck, {"type": "rate", "seq": 1, "keys": ["point-1"], "rating": 1})
    [(content, _)] = deck.comm.messages("refused")
    assert "is not made yet" in content["message"]
    with pytest.raises(SelectionError, match="Some rows have no id"):
        ft.Deck(client, frame.drop(columns=["point"]))


def test_a_deck_that_is_closed_or_gone_is_followed_no_more(client: ft.Client) -> None:
    run = client.run(ft.Sweep("piano", bpm=[80, 90], duration=5), name="left", wait=False)
    run.cancel()
    deck = ft.Deck(client, run)
    follower = deck._follower
    assert follower is not None
    deck.add(run)
    eventually(lambda: not follower.alive)
    second = deck._follower
    assert second is not None
    deck.close()
    eventually(lambda: not second.alive)
    assert isinstance(second, Follower)
    third = Follower(deck, run)
    del deck
    settled()
    gc.collect()
    third.stop()
    eventually(lambda: not third.alive)


def test_a_journal_that_is_gone_is_told_of(client: ft.Client) -> None:
    run = client.run(ft.Sweep("piano", bpm=[80, 90], duration=5), name="gone", wait=False)
    run.cancel()
    deck = ft.Deck(client, run)
    settled()
    run.path.unlink()
    [(content, _)] = deck.comm.messages("trouble")
    assert "is gone" in content["message"]
    assert deck._follower is not None
    follower = deck._follower
    eventually(lambda: not follower.alive)


def test_a_picture_has_the_extremes_of_each_stretch() -> None:
    samples = np.zeros((1000, 2), dtype=np.float32)
    samples[105] = (1.0, 0.5)
    samples[995] = -2.0
    drawn = peaks(Sound(samples, 100), 10)
    assert drawn.dtype == np.int8
    assert drawn[1].tolist() == [0, 95]
    assert drawn[9].tolist() == [-127, 0]
    assert not drawn[[0, *range(2, 9)]].any()
    assert peaks(Sound(np.full((3, 1), 0.5, dtype=np.float32), 100), 7).tolist() == [[64, 64]] * 7
