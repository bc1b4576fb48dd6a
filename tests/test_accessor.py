from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import finetuning as ft
from finetuning import accessor, errors

KEY = "ft_live_" + "0" * 32


class Recorder:
    """A client that writes down what it is asked."""

    closed = False

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, verb: str) -> Any:
        def ask(*arguments: Any, **more: Any) -> str:
            self.asked.append((verb, *arguments, more))
            return verb

        return ask


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder()
    accessor.register(recorder)
    return recorder


FRAME = pd.DataFrame({"id": ["a", "b", "a"], "bpm": [80, 90, 100]})


def test_each_verb_goes_to_the_client_with_the_frame(recorder: Recorder) -> None:
    tracks: Any = FRAME.ft
    assert tracks.add_to("Focus") == "add_tracks"
    tracks.remove_from("Focus")
    tracks.move("Focus", "Sleep")
    tracks.delete(yes=True)
    tracks.delete()
    tracks.download("takes/", overwrite=True)
    tracks.play(rows="bpm")
    tracks.measure()
    verbs = [(verb, *[each for each in rest if each is not FRAME]) for verb, *rest in recorder.asked]
    assert verbs == [
        ("add_tracks", "Focus", {}),
        ("remove_tracks", "Focus", {}),
        ("move_tracks", "Focus", "Sleep", {}),
        ("delete_tracks", {"yes": True}),
        ("delete_tracks", {"yes": False}),
        ("download", "takes/", {"overwrite": True}),
        ("play", {"rows": "bpm", "columns": None, "page": None}),
        ("measure", {}),
    ]
    assert all(any(each is FRAME for each in rest) for _, *rest in recorder.asked)


def test_another_client_may_be_named(recorder: Recorder) -> None:
    other = Recorder()
    tracks: Any = FRAME.ft
    for verb, arguments in (("add_to", "p"), ("remove_from", "p"), ("move", "pq"), ("play", ""), ("measure", "")):
        getattr(tracks, verb)(*arguments, client=other)
    tracks.delete(yes=True, client=other)
    tracks.download(client=other)
    assert (len(other.asked), recorder.asked) == (7, [])


def test_the_accessor_tells_its_ids_and_verbs(recorder: Recorder) -> None:
    tracks: Any = FRAME.ft
    assert tracks.ids == ["a", "b"]
    assert repr(tracks) == "<ft: 3 row(s); add_to, remove_from, move, delete, download, play, measure>"
    without: Any = pd.DataFrame({"bpm": [80]}).ft
    with pytest.raises(errors.SelectionError, match="no `id` column"):
        _ = without.ids


def test_the_newest_open_client_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessor, "_clients", [])
    with pytest.raises(errors.FinetuningError, match=r"no client to work with") as caught:
        accessor.current()
    assert "ft.connect()" in str(caught.value)
    first, second = ft.Client(KEY, "http://127.0.0.1:9"), ft.Client(KEY, "http://127.0.0.1:8")
    assert accessor.current() is second
    second.close()
    assert accessor.current() is first
    third = ft.Client(KEY, "http://127.0.0.1:7")
    assert accessor.current() is third
    del third
    gc.collect()
    assert accessor.current() is first
    first.close()
    with pytest.raises(errors.FinetuningError, match="no client"):
        accessor.current()


def test_clients_that_are_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessor, "_clients", [])
    for _ in range(5):
        ft.Client(KEY, "http://127.0.0.1:9")
        gc.collect()
    assert len(accessor._clients) <= 1


def test_the_accessor_is_registered_once(recorder: Recorder) -> None:
    for _ in range(3):
        accessor.register(recorder)  # registering over it would be a warning, which is an error here
    assert pd.DataFrame.ft is accessor.TrackVerbs  # type: ignore[attr-defined]  # added at run time


def test_it_works_on_a_frame_of_the_library(client: ft.Client, studio: ft.studio.Studio, tmp_path: Path) -> None:
    take = client.generate("lofi", duration=5)
    playlist = studio.create_playlist("Accessor")
    frame: Any = client.generations(limit=None)
    tracks = frame[frame["id"] == take.id].ft
    assert tracks.add_to("accessor").succeeded == [take.id]
    assert tracks.remove_from(playlist).succeeded == [take.id]
    assert tracks.download(tmp_path)["bytes"].iloc[0] > 10_000
    assert tracks.delete(yes=True).succeeded == [take.id]
    studio.delete_playlist(playlist)
