"""Copies are found and other seeds are not: measured on takes of the studio, with stated bounds."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import finetuning as ft
from finetuning import errors
from finetuning.audio.sound import Sound, read_sound
from finetuning.playlists import Duplicates, duplicates
from finetuning.playlists.prints import fingerprint, likeness

from .conftest import NOBODYS, World

STYLES = ("lofi chill piano", "driving synthwave", "calm ambient pads", "house club beat", "gentle waltz strings")


def encoded(samples: Any, rate: int, format: str) -> bytes:  # noqa: A002 - soundfile's name
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format)
    return file.getvalue()


#: What becomes of a copy: encoded again, at another level, cut, in one channel, or several of these.
COPIES: dict[str, Callable[[Sound], bytes]] = {
    "ogg": lambda sound: encoded(sound.samples, sound.rate, "OGG"),
    "mp3 again": lambda sound: encoded(sound.samples, sound.rate, "MP3"),
    "quieter": lambda sound: encoded(sound.samples * 0.3, sound.rate, "WAV"),
    "cut in front": lambda sound: encoded(sound.samples[round(0.307 * sound.rate) :], sound.rate, "MP3"),
    "cut behind": lambda sound: encoded(sound.samples[: -round(0.5 * sound.rate)] * 0.5, sound.rate, "OGG"),
    "mono": lambda sound: encoded(sound.samples.mean(axis=1), sound.rate, "MP3"),
}


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pd.DataFrame]:
    """Thirty takes, six seeds of each style at one tempo and in one key, with their files."""
    folder = tmp_path_factory.mktemp("takes")
    with (
        ft.studio.Studio(tmp_path_factory.mktemp("studio"), limits="local", workers=2) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as client,
    ):
        made = [
            client.generate(style, bpm=96, key="C", scale="minor", duration=5 + seed % 3, seed=seed, wait=False).id
            for style in STYLES
            for seed in range(6)
        ]
        for id_ in made:
            client.wait(id_, timeout=None)
        rows = client.generations(limit=None)
        files = client.download(made, folder)
        again = client.generate(STYLES[0], bpm=96, key="C", scale="minor", duration=5, seed=0, timeout=None)
        files = pd.concat([files, client.download(again, folder)])
        rows = pd.concat([rows, client.generations(limit=1)])
        yield rows.merge(files[["id", "path"]], on="id").set_index("id").loc[[*made, again.id]].reset_index()


def test_copies_are_found_and_other_seeds_of_one_style_are_not(takes: pd.DataFrame, tmp_path: Path) -> None:
    originals = takes.iloc[:30]
    copies, true = [], set()
    for place, (name, change) in enumerate(list(COPIES.items()) * 2):
        if place == 10:
            break
        row = originals.iloc[place * 3]
        path = tmp_path / f"copy{place}"
        path.write_bytes(change(read_sound(row.path)))
        copies.append({"id": f"{name} {place}", "path": str(path)})
        true.add(frozenset((row.id, f"{name} {place}")))
    found = duplicates(pd.concat([originals, pd.DataFrame(copies)], ignore_index=True))
    pairs = {frozenset(pair) for pair in found.pairs[["id", "other"]].itertuples(index=False, name=None)}
    assert pairs == true  # precision and recall are 1 …
    assert found.pairs.similarity.min() >= 0.98
    assert set(found.pairs.how) == {"sound"}
    sounds = [fingerprint(read_sound(path)) for path in originals.path]
    nearest = max(likeness(one, other) for one, other in combinations(sounds, 2))
    assert nearest <= 0.9  # … with room on both sides of the threshold of 0.95
    assert found.compared == {"sound": 40, "measures": 0}
    assert len(found.groups) == 10
    assert set(found.spare) == {row["id"] for row in copies}
    assert "10 pair(s) in 10 group(s) among 40 take(s)" in repr(found)


def test_the_same_seed_and_parameters_make_the_same_take(takes: pd.DataFrame) -> None:
    found = duplicates(takes[takes.prompt == STYLES[0]])
    assert found.groups == [[takes.id[0], takes.id[30]]]
    assert found.pairs.similarity[0] == pytest.approx(1, abs=1e-3)
    assert found.spare == [takes.id[30]]


def test_measures_alone_find_copies_too_and_say_so(takes: pd.DataFrame) -> None:
    from finetuning.audio import measure

    rows = []
    for name, path in [("one", takes.path[0]), ("again", takes.path[30]), ("other", takes.path[8])]:
        taken = measure(path)
        rows.append(
            {
                "id": name, "measured_bpm": taken.tempo, "measured_key": taken.key, "measured_scale": taken.scale,
                "loudness": taken.loudness, "true_peak": taken.true_peak, "measured_duration": taken.duration,
            }
        )  # fmt: skip
    found = duplicates(pd.DataFrame(rows))
    assert found.groups == [["one", "again"]]
    assert list(found.pairs.how) == ["measures"]
    assert "by measures" in found.method
    assert found.compared == {"sound": 0, "measures": 3}


MEASURED = {
    "measured_bpm": 100.0, "measured_key": "C", "measured_scale": "major", "measured_duration": 30.0,
    "brightness": 2000.0, "onset_density": 3.0, "loudness": -14.0, "true_peak": -1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({}, True),
        ({"measured_bpm": 50.0}, True),  # half the tempo is the same tempo
        ({"measured_bpm": 103.0}, False),
        ({"loudness": -20.0, "true_peak": -7.0}, True),  # another level
        ({"loudness": -16.0}, False),
        ({"measured_key": "G"}, False),
        ({"measured_scale": None}, False),
        ({"brightness": 2100.0}, False),
        ({"brightness": 2020.0, "onset_density": 3.1}, True),
        ({"onset_density": 0.0}, False),
        ({"measured_duration": 30.5}, True),
        ({"measured_duration": 31.0}, False),
    ],
)
def test_measures_are_the_same_within_their_tolerances(change: dict[str, Any], alike: bool) -> None:
    frame = pd.DataFrame([{"id": "a", **MEASURED}, {"id": "b", **MEASURED, **change}])
    assert (duplicates(frame).groups == [["a", "b"]]) is alike


def test_measures_that_no_two_rows_share_compare_nothing() -> None:
    one = {"id": "a", **{name: MEASURED[name] for name in ("measured_bpm", "measured_duration", "brightness")}}
    other = {"id": "b", **{name: MEASURED[name] for name in ("onset_density", "loudness", "true_peak", "brightness")}}
    found = duplicates(pd.DataFrame([one, other]))
    assert found.groups == []
    assert found.unread.empty
    both_silent = pd.DataFrame(
        [{"id": "a", **MEASURED, "onset_density": 0.0}, {"id": "b", **MEASURED, "onset_density": 0.0}]
    )
    assert duplicates(both_silent).groups == [["a", "b"]]


def test_what_cannot_be_compared_is_named_with_the_reason(tmp_path: Path) -> None:
    rate = 8000
    (tmp_path / "text").write_text("no sound")
    soundfile.write(tmp_path / "short.wav", np.full(rate, 0.5), rate)
    soundfile.write(tmp_path / "silent.wav", np.zeros(4 * rate), rate)
    paths = [tmp_path / "text", tmp_path / "short.wav", tmp_path / "silent.wav", tmp_path / "none.wav", None]
    found = duplicates(pd.DataFrame({"id": list("abcde"), "path": [path and str(path) for path in paths]}))
    reasons = dict(found.unread.itertuples(index=False, name=None))
    assert list(reasons) == list("abcde")
    for id_, part in zip("abcde", ("decoded", "too short", "silent", "cannot be opened", "not measured"), strict=True):
        assert part in reasons[id_]
    assert "5 could not be compared" in repr(found)
    assert f"1 × not compared: {reasons['e']}" in repr(found)
    assert found.method == "Nothing was compared."
    assert "<table" in found._repr_html_()


def test_the_client_fetches_what_there_is(world: World) -> None:
    found = duplicates([*world.takes[:3], world.failed, NOBODYS], client=world.client)
    assert found.compared == {"sound": 3, "measures": 0}
    assert list(found.unread.id) == [world.failed, NOBODYS]
    assert found.pairs.empty
    assert isinstance(found, Duplicates)
    from_frame = duplicates(world.client.generations(limit=None), client=world.client)
    assert len(from_frame.unread) == 1


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(errors.ParameterError, match="by sound or measures"):
        duplicates(["a", "b"])
    for threshold in (0, 1.5, "x"):
        with pytest.raises(errors.ParameterError, match="threshold"):
            duplicates(pd.DataFrame({"id": ["a"]}), threshold)  # type: ignore[arg-type]
    assert duplicates(pd.DataFrame()).groups == []
    by_index = pd.DataFrame({"x": [1]}, index=pd.Index(["a"], name="id"))
    assert list(duplicates(by_index).unread.id) == ["a"]


def test_sounds_that_hardly_overlap_are_not_compared() -> None:
    rng = np.random.default_rng(3)
    noise = Sound(rng.standard_normal((24_000, 1)).astype(np.float32), 8000)
    whole = fingerprint(noise)
    assert likeness(whole, whole) == pytest.approx(1, abs=1e-3)
    longer = fingerprint(Sound(np.tile(noise.samples, (3, 1)), 8000))
    assert likeness(whole, longer) == 0
