"""A page holds what it is told to, says what it lacks, is brought up to date, and gives nothing away."""

from __future__ import annotations

import html
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import finetuning as ft
from finetuning import errors
from finetuning.audio.sound import Sound
from finetuning.listening.folder import PageFolder
from finetuning.listening.gathering import Entry
from finetuning.listening.markup import render
from finetuning.listening.waveform import BARS, heights, outline

NOBODYS = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ft.Client, list[str]]]:
    """Two finished takes and one that failed."""
    with (
        ft.studio.Studio(tmp_path_factory.mktemp("studio"), limits="local", workers=1) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as client,
    ):
        takes = [
            client.generate("lofi piano", bpm=80 + n, key="C", scale="minor", duration=5, seed=n) for n in range(2)
        ]
        studio.fail_renders("It broke.")
        failed = client.generate("lofi", duration=5, wait=False)
        with pytest.raises(errors.GenerationError):
            client.wait(failed)
        yield client, [*(each.id for each in takes), failed.id]


@pytest.fixture
def sounds(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """Frames of takes whose files are here already."""
    (tmp_path / "takes").mkdir()

    def make(*titles: str, **more: Any) -> pd.DataFrame:
        paths = []
        for number, _ in enumerate(titles):
            path = tmp_path / "takes" / f"{number}.wav"
            soundfile.write(path, np.sin(np.arange(8000) / (10 + number)) * 0.5, 8000)
            paths.append(str(path))
        ids = [f"id{number}" for number in range(len(titles))]
        return pd.DataFrame({"id": ids, "title": titles, "path": paths, **more})

    return make


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_is_one_folder_with_everything_in_it(library: Any, tmp_path: Path) -> None:
    client, takes = library
    page = ft.listening_page(takes[:2], tmp_path / "page", client=client)
    assert (page.tracks, page.files) == (2, 3)
    assert page.bytes == sum(path.stat().st_size for path in (tmp_path / "page").rglob("*.*")) - manifest_size(tmp_path)
    assert Path(page) == page.path == tmp_path / "page" / "index.html"
    assert repr(page).startswith(f"{page.path}: 2 track(s), 3 file(s), 0.")
    assert page.missing.empty
    text = page.path.read_text()
    assert "80 BPM" in text
    assert "C minor" in text
    assert text.count("<audio") == 2
    for source in re.findall(r'(?:src|href)="([^"#]*)"', text):
        assert (page.path.parent / source).is_file()
    if os.name == "posix":
        assert page.path.stat().st_mode & 0o444 == 0o444  # a web server reads it


def manifest_size(tmp_path: Path) -> int:
    return (tmp_path / "page" / "listening-page.json").stat().st_size


def test_it_gives_nothing_away(library: Any, tmp_path: Path) -> None:
    client, takes = library
    frame = client.generations(limit=None).assign(
        note=f"see {client.base_url}/v1/me and ft_live_{'ab12' * 8}, and http://localhost:99/x"
    )
    page = ft.listening_page(frame[frame.id.isin(takes)], tmp_path / "page", client=client, title=client.base_url)
    for path in page.path.parent.rglob("*.*"):
        if path.suffix in (".html", ".json"):
            text = path.read_text()
            assert "127.0.0.1" not in text
            assert "localhost" not in text
            assert "ab12ab12" not in text
            assert str(tmp_path) not in text
            for url in frame.audio_url.dropna():
                assert url not in text
    for column in ("audio_url", "webhook", "path"):
        with pytest.raises(errors.ParameterError, match="not for a page"):
            ft.listening_page(frame, tmp_path / "page", columns=[column], client=client)


def test_rows_without_sound_are_listed_with_the_reason(library: Any, tmp_path: Path) -> None:
    client, takes = library
    frame = pd.concat(
        [client.generations(limit=None), pd.DataFrame({"id": [NOBODYS, None], "title": ["Gone", "Lost"]})]
    )
    page = ft.listening_page(frame, tmp_path / "page", client=client)
    assert page.tracks == 2
    reasons = dict(zip(page.missing.id, page.missing.reason, strict=True))
    assert reasons == {
        takes[2]: "it failed: It broke.",
        NOBODYS: "it is not in the library any more",
        "": "it was never made",
    }
    text = page.path.read_text()
    assert all(html.escape(reason) in text for reason in reasons.values())
    assert "3 row(s) without sound" in repr(page)
    assert "it failed: It broke." in page._repr_html_()


def test_what_is_not_finished_is_listed(archive: ft.studio.Studio, tmp_path: Path) -> None:
    with ft.Client(archive.api_key, archive.url, progress=False) as client:
        made = client.generate("lofi", duration=5, wait=False)
        page = ft.listening_page(made, tmp_path / "page")  # the client that was made last
    assert list(page.missing.reason) == ["it is not finished: pending"]
    assert page.tracks == 0


def test_a_media_host_that_is_gone_is_a_reason_and_no_address(library: Any, tmp_path: Path) -> None:
    client, takes = library
    sound = client.studio.data_dir / "media" / f"{takes[1]}.mp3"
    content = sound.read_bytes()
    sound.unlink()
    try:
        page = ft.listening_page(takes[:2], tmp_path / "page", client=client)
    finally:
        sound.write_bytes(content)
    assert page.tracks == 1
    assert "answered 404 for its address" in page.missing.reason[0]


def test_written_again_it_is_brought_up_to_date(library: Any, tmp_path: Path) -> None:
    client, takes = library
    folder = tmp_path / "page"
    first = ft.listening_page(takes[:2], folder, client=client)
    (folder / "audio" / "mine.mp3").write_bytes(b"mine")
    (folder / "CNAME").write_text("mine")
    kept = folder / next(name for name in files_in(folder) if name.startswith("audio/") and takes[0][:8] in name)
    before = kept.stat().st_mtime_ns
    second = ft.listening_page(takes[:1], folder, client=client)
    assert kept.stat().st_mtime_ns == before  # not fetched again
    assert second.files == 2
    assert files_in(folder) == {
        "index.html", "listening-page.json", "CNAME", "audio/mine.mp3", kept.relative_to(folder).as_posix(),
    }  # fmt: skip
    assert first.path == second.path
    kept.write_bytes(b"torn")  # and is mended
    assert ft.listening_page(takes[:1], folder, client=client).missing.empty
    assert kept.stat().st_size > 1000


def test_what_an_interrupted_page_left_is_known_to_be_its_own(sounds: Any, tmp_path: Path) -> None:
    folder = PageFolder(tmp_path / "page")
    folder.expect(["audio/one-id.wav"])
    folder.put("audio/one-id.wav", b"half")  # and then the power failed
    ft.listening_page(sounds("Two"), tmp_path / "page")
    assert "audio/one-id.wav" not in files_in(tmp_path / "page")


def test_files_of_others_under_the_same_name_are_used_and_left(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One", "Two")
    ft.listening_page(frame.iloc[:1], tmp_path / "page")
    manifest = json.loads((tmp_path / "page" / "listening-page.json").read_text())
    assert set(manifest["files"]) == {"index.html", "audio/one-id0.wav"}
    manifest["files"] |= {"../takes/0.wav": 1, "CNAME": 1, "/etc/hostname": 1}
    (tmp_path / "page" / "CNAME").write_text("mine")
    (tmp_path / "page" / "listening-page.json").write_text(json.dumps(manifest))
    ft.listening_page(frame.iloc[1:], tmp_path / "page")
    assert (tmp_path / "takes" / "0.wav").exists()  # no manifest leads out of the folder
    assert files_in(tmp_path / "page") == {"index.html", "audio/two-id1.wav", "CNAME", "listening-page.json"}


def test_folders_that_cannot_be_used_are_refused(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One")
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.ParameterError, match="cannot be a folder"):
        ft.listening_page(frame, tmp_path / "file")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("mine")
    with pytest.raises(errors.ParameterError, match="no listening page wrote it"):
        ft.listening_page(frame, tmp_path / "site")
    (tmp_path / "site" / "listening-page.json").write_text("{}")
    with pytest.raises(errors.ParameterError, match="no listening page wrote it"):
        ft.listening_page(frame, tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "mine"


def test_what_is_no_path_or_no_text_is_refused(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One")
    nothing: Any = None
    with pytest.raises(errors.ParameterError, match="folder=None is no path"):
        ft.listening_page(frame, nothing)
    for words in ({"title": 5}, {"description": ["To work by."]}):
        wrong: Any = words
        with pytest.raises(errors.ParameterError, match="is no text"):
            ft.listening_page(frame, tmp_path / "page", **wrong)
    assert not (tmp_path / "page").exists()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    folder = PageFolder(tmp_path)
    folder.put("index.html", b"old")
    with pytest.raises(FileNotFoundError):
        folder.put("index.html", tmp_path / "none")
    assert (tmp_path / "index.html").read_bytes() == b"old"
    assert files_in(tmp_path) == {"index.html"}


def test_columns_are_those_asked_for(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One", "Two", bpm=[80, 90], energy=["low", None], loudness=[-14.123456, -10.0])
    text = ft.listening_page(frame, tmp_path / "page", columns=["energy", "loudness"]).path.read_text()
    assert "<span>energy</span> <bdi>low</bdi>" in text
    assert "<span>loudness</span> <bdi>-14.12</bdi>" in text
    assert "BPM" not in text
    assert text.count("<span>energy</span>") == 1
    assert "<span>energy</span>" in ft.listening_page(frame, tmp_path / "page", columns="energy").path.read_text()
    with pytest.raises(errors.ParameterError, match="'mood'"):
        ft.listening_page(frame, tmp_path / "page", columns=["mood"])


def test_selections_that_hold_nothing_are_refused(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One")
    selections: list[Any] = [frame.iloc[:0], [], frame[["title"]]]
    for selection in selections:
        with pytest.raises(errors.SelectionError):
            ft.listening_page(selection, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_rows_that_repeat_a_track_are_shown_once(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One")
    page = ft.listening_page(pd.concat([frame, frame]).set_index("id"), tmp_path / "page")
    assert page.tracks == 1


def test_ratings_are_stars_or_nothing(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("A", "B", "C", "D", rating=[5, 0, "high", 3.4], notes=["fine", None, "", "x"])
    text = ft.listening_page(frame, tmp_path / "page").path.read_text()
    assert re.findall(r'aria-label="(Rated[^"]*)"', text) == ["Rated 5 of 5", "Rated 3 of 5"]
    assert text.count('class="note"') == 2


def test_it_plays_without_pictures_where_nothing_reads_sound(
    sounds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = sounds("One", duration=[61.0])
    monkeypatch.setitem(sys.modules, "soundfile", None)
    page = ft.listening_page(frame, tmp_path / "page")
    text = page.path.read_text()
    assert page.tracks == 1
    assert 'class="wave plain"' in text
    assert "1:01" in text


def test_a_client_is_needed_only_where_something_must_be_fetched(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One")
    page = ft.listening_page(frame, tmp_path / "page")
    assert page.tracks == 1
    from finetuning.listening.gathering import gather

    with pytest.raises(errors.ParameterError, match=r"1 track\(s\) is not on this machine"):
        gather(["id0"], None)


def test_a_service_that_cannot_be_read_is_no_reason_but_an_error(library: Any, tmp_path: Path) -> None:
    client, takes = library
    client.studio.set_tier("free")
    try:
        with pytest.raises(errors.FinetuningError):
            ft.listening_page(takes, tmp_path / "page", client=client)
    finally:
        client.studio.set_tier("pro")
    assert not (tmp_path / "page").exists()


def test_files_that_cannot_be_copied_are_a_reason(sounds: Any, tmp_path: Path) -> None:
    frame = sounds("One", "Two")
    (tmp_path / "page" / "audio" / "one-id0.wav").mkdir(parents=True)  # in the way of the first
    page = ft.listening_page(frame, tmp_path / "page")
    assert page.tracks == 1
    assert "cannot be copied" in page.missing.reason[0]


class Reader(HTMLParser):
    """Counts elements and gathers what is between them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.handlers: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.elements.append(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


ANY = st.text(max_size=60) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img onerror=x>', "</style>", "-->", "\ud800"]
)


@settings(max_examples=80)
@given(title=ANY, prompt=ANY, note=ANY, heading=ANY, reason=ANY)
def test_no_text_becomes_markup(title: str, prompt: str, note: str, heading: str, reason: str) -> None:
    entries = [
        Entry({"id": "a", "title": title, "prompt": prompt, "note": note, "mood": note}, file="audio/a.mp3"),
        Entry({"id": "b", "title": title}, reason=reason or "none"),
    ]
    reader = Reader()
    text = render(entries, title=heading, description=prompt, columns=["mood"])
    text.encode()
    reader.feed(text)
    for tag, count in {"script": 1, "style": 1, "audio": 1, "img": 0, "iframe": 0, "a": 1}.items():
        assert reader.elements.count(tag) == count
    assert reader.handlers == []


@settings(max_examples=30)
@given(length=st.integers(1, 2000), channels=st.integers(1, 2), level=st.sampled_from([0.0, 0.001, 0.7]))
def test_every_sound_has_a_picture(length: int, channels: int, level: float) -> None:
    rng = np.random.default_rng(length)
    bars = heights(Sound((level * rng.uniform(-1, 1, (length, channels))).astype(np.float32), 8000))
    assert bars.shape == (BARS,)
    assert bars.max() == (pytest.approx(1) if level else 0)
    assert bars.min() >= 0
    assert outline(bars).count("M") == BARS


def test_long_pages_tell_hours() -> None:
    text = render(
        [Entry({"id": "a", "duration": 3725.0}, file="audio/a.mp3")], title=None, description=None, columns=None
    )
    assert "1:02:05" in text
    assert "<h1><bdi>Listening page</bdi></h1>" in text


def test_the_package_names_what_it_has() -> None:
    import finetuning.listening

    assert finetuning.listening.listening_page is ft.listening_page
    assert dir(finetuning.listening) == ["ListeningPage", "listening_page"]
    with pytest.raises(AttributeError, match="nothing"):
        _ = finetuning.listening.nothing
