"""`client.measure`: every row is answered for, and nothing is done twice."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import finetuning as ft
from finetuning import errors
from finetuning.client.measuring import MEASURED_COLUMNS, ids_to_measure, tempo_asked

RATE = 22_050
KEY = "ft_live_" + "0" * 32


def mp3(hertz: float, bpm: float = 120.0) -> bytes:
    time = np.arange(4 * RATE) / RATE
    signal = 0.4 * np.sin(2 * np.pi * hertz * time) * np.exp(-(time % (60 / bpm)) * 12)
    file = io.BytesIO()
    soundfile.write(file, signal, RATE, format="MP3")
    return file.getvalue()


class Library:
    """A service with some generations, and the media that they have or lack."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.rows: dict[str, dict[str, Any]] = {}
        self.media: dict[str, bytes] = {}
        host.answer = self.answer

    def add(self, id_: str, sound: bytes | None, status: str = "completed", **more: Any) -> None:
        url = f"{self.host.url}/media/{id_}.mp3"
        self.rows[id_] = {"id": id_, "status": status, "createdAt": "2025-01-15T10:30:00Z", **more}
        if status == "completed":
            self.rows[id_]["audioUrl"] = url
        if sound is not None:
            self.media[f"/media/{id_}.mp3"] = sound

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        import json

        path = handler.path.partition("?")[0]
        if path in self.media:
            self.host.send(handler, 200, self.media[path], content_type="audio/mpeg")
        elif path.startswith("/media/"):
            self.host.send(handler, 404, b"gone")
        elif path == "/v1/generations":
            said = json.dumps({"data": {"generations": list(self.rows.values()), "hasMore": False}}).encode()
            self.host.send(handler, 200, said, content_type="application/json")
        elif (row := self.rows.get(path.rpartition("/")[2])) is not None:
            self.host.send(handler, 200, json.dumps({"data": row}).encode(), content_type="application/json")
        else:
            wrong = json.dumps({"error": {"code": "NOT_FOUND", "message": "There is none."}}).encode()
            self.host.send(handler, 404, wrong, content_type="application/json")

    def fetched(self) -> list[str]:
        return [path for _, path, _ in self.host.seen if path.startswith("/media/")]


@pytest.fixture
def library(host: Any) -> Library:
    return Library(host)


@pytest.fixture
def connect(host: Any) -> Any:
    return lambda: ft.Client(KEY, host.url, progress=False)


def test_each_row_has_its_measures_or_its_reason(library: Library, connect: Callable[[], ft.Client]) -> None:
    library.add("good", mp3(440))
    library.add("torn", mp3(550)[:300])
    library.add("page", b"<!doctype html>" * 100)
    library.add("empty", b"")
    library.add("gone", None)
    library.add("failed", None, "failed", errorMessage="The model was unhappy.")
    library.add("young", None, "processing")
    ids = [*library.rows, "stranger"]
    frame = pd.DataFrame({"bpm": 240, "id": ids, "mine": range(len(ids))}, index=range(10, 10 + len(ids)))
    with connect() as client:
        found = client.measure(frame)
    assert found.index.tolist() == frame.index.tolist()
    assert found.columns.tolist() == ["bpm", "id", "mine", *MEASURED_COLUMNS, "measure_error"]
    said = found.set_index("id").measure_error
    assert pd.isna(said["good"])
    assert "cannot be decoded" in said["page"]
    assert "empty file" in said["empty"]
    assert "failed" in said["failed"]
    assert "processing" in said["young"]
    assert said.drop("good").notna().all()
    assert found.measured_bpm.notna().tolist() == [True] + [False] * 7
    good = found.iloc[0]
    assert good.measured_bpm == pytest.approx(240, rel=0.02)
    assert good.heard_bpm == pytest.approx(120, rel=0.02)
    assert good.brightness > 400
    assert good.onset_density == pytest.approx(2, abs=0.3)
    assert good.clipping == 0
    assert (found.dtypes[list(MEASURED_COLUMNS)].astype(str).isin(["float64", "str"])).all()


def test_points_that_were_not_made_keep_their_row(library: Library, connect: Callable[[], ft.Client]) -> None:
    library.add("good", mp3(440))
    frame = pd.DataFrame({"id": [None, "good", None], "error_message": ["No credits.", None, None]})
    with connect() as client:
        found = client.measure(frame)
        assert found.measure_error[[0, 2]].tolist() == ["There is no take: No credits.", "There is no take."]
        assert found.measured_key.notna().tolist() == [False, True, False]
        none = client.measure(frame[["id"]].iloc[[0, 2]])
        assert none.measure_error.tolist() == ["There is no take."] * 2
        with pytest.raises(errors.SelectionError, match="id"):
            client.measure(frame[["error_message"]])


def test_the_same_sound_is_fetched_once_and_measured_once(
    library: Library, connect: Callable[[], ft.Client], home: Any
) -> None:
    library.add("one", mp3(440))
    library.add("two", mp3(440))  # the same bytes under another id
    with connect() as client:
        first = client.measure(["one", "two", "one"])
        assert first.id.tolist() == ["one", "two"]
        assert first.iloc[0, 1:].equals(first.iloc[1, 1:])
        fetched = library.fetched()
        client.measure(["two", "one"])
        assert library.fetched() == fetched
    with connect() as later:  # another process would find it on the disk
        pd.testing.assert_frame_equal(later.measure(["one", "two"]), first)
    assert (home / "data" / "measurements.sqlite3").stat().st_size > 0


def test_many_are_fetched_in_parts_and_stay_in_order(library: Library, connect: Callable[[], ft.Client]) -> None:
    sounds = [mp3(220 + 20 * number) for number in range(4)]
    ids = [f"t{number:02}" for number in range(60)]
    for number, id_ in enumerate(ids):
        library.add(id_, sounds[number % 4] if number % 7 else None)
    with connect() as client:
        found = client.measure(pd.DataFrame({"id": ids}))
    assert found.id.tolist() == ids
    assert found.measure_error.notna().tolist() == [number % 7 == 0 for number in range(60)]
    made = found.dropna(subset="brightness")
    kinds = made.groupby(made.index % 4).brightness.nunique()
    assert kinds.tolist() == [1, 1, 1, 1]
    assert found.brightness.nunique() == 4
    listed = sum(path.startswith("/v1/generations/") for _, path, _ in library.host.seen)
    assert listed == 0  # a page of the listing shows them all


def test_a_tempo_that_is_none_is_not_asked_for() -> None:
    frame = pd.DataFrame({"id": list("abcdef"), "bpm": [120, "80", "fast", None, -5, 0]})
    assert tempo_asked(frame) == {"a": 120.0, "b": 80.0}
    assert tempo_asked(["a"]) == {}
    assert tempo_asked(frame[["id"]]) == {}


def test_frames_without_rows_or_ids_are_refused() -> None:
    with pytest.raises(errors.SelectionError, match="empty"):
        ids_to_measure(pd.DataFrame({"id": pd.array([], dtype="str")}))
    assert ids_to_measure(pd.DataFrame({"id": [None, None]})) == []
    with pytest.raises(errors.SelectionError, match="not text"):
        ids_to_measure(pd.DataFrame({"id": [1, 2]}))


def test_nothing_is_warned_of(library: Library, connect: Callable[[], ft.Client]) -> None:
    library.add("good", mp3(330))
    with warnings.catch_warnings(), connect() as client:
        warnings.simplefilter("error")
        assert pd.isna(client.measure("good").measure_error[0])
        assert client.measure(pd.DataFrame({"id": ["good"], "bpm": [0]})).heard_bpm[0] > 0
