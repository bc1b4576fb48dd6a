"""The parts of a finished piece: what they add up to, and what is said where there are none."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from finetuning.errors import StudioError
from finetuning.studio import Studio, controls
from finetuning.studio.music import Brief, make_stems, make_take
from finetuning.studio.music.composer import compose
from finetuning.studio.music.mix import mix
from finetuning.studio.music.stems import faded
from finetuning.studio.process import Worker


def played(wave: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    with soundfile.SoundFile(io.BytesIO(wave)) as file:
        assert (file.samplerate, file.channels, file.subtype, file.format) == (48_000, 2, "PCM_16", "WAV")
        return np.asarray(file.read(dtype="float64"))


@pytest.mark.parametrize("tags", ["deep house", "lofi chill piano", "rock", "calm ambient, solo piano"])
def test_the_parts_add_up_to_the_mix(tags: str) -> None:
    brief = Brief(tags, bpm=113, duration=9, seed=3)
    midi = make_take(brief).midi
    piece = compose(brief)
    whole = faded(piece, mix(piece, midi)).T
    parts = {name: played(wave) for name, wave in make_stems(brief, midi)}
    assert set(parts) == {part.role for part in piece.parts}
    assert all(len(sound) == 9 * 48_000 and np.abs(sound).max() > 0.001 for sound in parts.values())
    rest = np.sum(list(parts.values()), axis=0) - whole
    assert np.abs(rest).max() < 10 ** (-54 / 20)
    assert np.sqrt((rest**2).mean()) < 10 ** (-74 / 20)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, str]]:
    """A studio with one finished piece."""
    with Studio(tmp_path_factory.mktemp("stems"), workers=1, soundfont="bundled") as studio:
        answer = httpx.post(
            f"{studio.url}/v1/generations",
            json={"tags": "funk", "duration": 8, "bpm": 104, "key": "E", "scale": "minor", "seed": 5},
            headers={"X-API-Key": studio.api_key},
        )
        studio.wait_idle()
        yield studio, answer.json()["data"]["id"]


def test_the_studio_gives_the_parts(busy: tuple[Studio, str]) -> None:
    studio, name = busy
    assert studio.understood(name)["soundfont"]["name"] == "TimGM6mb.sf2"
    brief = Brief("funk", duration=8, bpm=104, key="E", scale="minor", seed=5)
    stems = studio.stems(name)
    assert stems == dict(make_stems(brief, studio.midi(name)))
    assert {"drums", "bass"} < set(stems)


def test_the_studio_answers_while_parts_are_played(busy: tuple[Studio, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts are held up until a request and a new piece have gone through."""
    studio, name = busy
    begun, on = threading.Event(), threading.Event()

    class Held(Worker):
        def perform(self, job: dict[str, Any]) -> dict[str, Any]:
            begun.set()
            assert on.wait(60)
            return super().perform(job)

    monkeypatch.setattr(controls, "Worker", Held)
    done: list[dict[str, bytes]] = []
    thread = threading.Thread(target=lambda: done.append(studio.stems(name)))
    thread.start()
    assert begun.wait(60)
    answer = httpx.post(
        f"{studio.url}/v1/generations", json={"tags": "piano", "duration": 5}, headers={"X-API-Key": studio.api_key}
    )
    studio.wait_idle()
    assert studio.midi(answer.json()["data"]["id"])[:4] == b"MThd"
    on.set()
    thread.join()
    assert "drums" in done[0]


def test_a_worker_that_dies_is_told(busy: tuple[Studio, str], monkeypatch: pytest.MonkeyPatch) -> None:
    studio, name = busy

    class Doomed(Worker):
        def perform(self, job: dict[str, Any]) -> dict[str, Any]:
            os.kill(self.pid, signal.SIGKILL)
            return super().perform(job)

    monkeypatch.setattr(controls, "Worker", Doomed)
    with pytest.raises(StudioError, match=rf"parts of {name} could not be played: the worker died"):
        studio.stems(name)


def test_what_has_no_parts_says_why(open_studio: Callable[..., Studio], connect: Callable[..., httpx.Client]) -> None:
    studio = open_studio()

    def ask() -> str:
        answer = connect(studio).post("/v1/generations", json={"tags": "piano", "duration": 5})
        return str(answer.json()["data"]["id"])

    waiting = ask()
    for verb in (studio.stems, studio.midi, studio.understood):
        with pytest.raises(StudioError, match=r"no piece with the id 'gen_1'.*(?s:.)*client\.generations\(\)"):
            verb("gen_1")
        with pytest.raises(StudioError, match=r"no score yet: it is pending.*(?s:.)*Wait until"):
            verb(waiting)
        with pytest.raises(StudioError, match=r"rendered when somebody first listens.*(?s:.)*download it once"):
            verb(studio.house.tracks[0])
    studio.close()
    studio = open_studio(workers=1)
    studio.wait_idle()
    studio.fail_renders("It broke.")
    failing = ask()
    studio.wait_idle()
    with pytest.raises(StudioError, match=r"has no score: it failed\. It broke\.(?s:.)*another seed"):
        studio.stems(failing)


def test_a_font_that_is_not_here_or_not_known_is_told(busy: tuple[Studio, str]) -> None:
    studio, name = busy

    def tell(font: str) -> None:
        with studio._store.write() as connection:
            connection.execute("UPDATE scores SET understood = ? WHERE generation_id = ?", (font, name))

    before = studio._finished(name)[1]["understood"]
    try:
        tell('{"soundfont": {"name": "Mine.sf2", "sha256": "00ff"}}')
        with pytest.raises(StudioError, match=r"played with Mine\.sf2, but the SoundFont with the SHA-256 00ff"):
            studio.stems(name)
        tell("{}")
        with pytest.raises(StudioError, match=r"an earlier version made it\.(?s:.)*same parameters and seed"):
            studio.stems(name)
    finally:
        tell(before)


def test_what_cannot_be_played_is_told(busy: tuple[Studio, str]) -> None:
    studio, name = busy
    _, score = studio._finished(name)
    with studio._store.write() as connection:
        connection.execute("UPDATE scores SET midi = ? WHERE generation_id = ?", (b"no score", name))
    try:
        with pytest.raises(StudioError, match=rf"parts of {name} could not be played: .*MThd"):
            studio.stems(name)
    finally:
        with studio._store.write() as connection:
            connection.execute("UPDATE scores SET midi = ? WHERE generation_id = ?", (score["midi"], name))
