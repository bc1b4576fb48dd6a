"""The worker: one job in, one result out; and the process around it, seen from the studio."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from finetuning.studio.process import Worker, WorkerDied
from finetuning.studio.worker import perform

BRIEF = {"tags": "piano", "duration": 5.0, "bpm": 100, "key": "E", "scale": "minor", "seed": 9}


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    process = Worker(tmp_path / "worker.log")
    yield process
    process.close()


def job(tmp_path: Path, name: str = "a", **brief: Any) -> dict[str, Any]:
    return {"id": name, "path": str(tmp_path / f"{name}.mp3"), "brief": {**BRIEF, **brief}, "fail": None}


def test_the_same_brief_gives_the_same_bytes_in_any_process(tmp_path: Path, worker: Worker) -> None:
    here, there = perform(job(tmp_path, "here")), worker.perform(job(tmp_path, "there"))
    assert (tmp_path / "here.mp3").read_bytes() == (tmp_path / "there.mp3").read_bytes()
    assert {**here, "id": "x"} == {**there, "id": "x"}
    assert here["size"] == (tmp_path / "here.mp3").stat().st_size
    assert base64.b64decode(here["midi"])[:4] == b"MThd"
    assert here["duration"] == pytest.approx(5, abs=0.05)
    other = worker.perform(job(tmp_path, "other", seed=10))
    assert other["etag"] != here["etag"]


def test_failures_are_results(tmp_path: Path, worker: Worker) -> None:
    for make in (perform, worker.perform):
        assert "key is 'H'" in make(job(tmp_path, key="H"))["error"]
        assert "No such file" in make({**job(tmp_path), "path": str(tmp_path / "no" / "x.mp3")})["error"]
        assert make({**job(tmp_path), "fail": "as asked"}) == {"id": "a", "error": "as asked"}
    assert worker.perform(job(tmp_path))["size"] > 0, "it works on"


def test_an_interrupt_is_meant_for_the_parent(tmp_path: Path, worker: Worker) -> None:
    worker.perform(job(tmp_path))
    os.kill(worker.pid, signal.SIGINT)
    assert worker.perform(job(tmp_path))["size"] > 0


def test_a_dead_worker_is_noticed(tmp_path: Path, worker: Worker) -> None:
    worker.kill()
    with pytest.raises(WorkerDied, match="exit status -9"):
        worker.perform(job(tmp_path))
    with pytest.raises(WorkerDied, match="exit status -9"):
        worker.perform(job(tmp_path))


def test_a_stuck_worker_is_ended(tmp_path: Path) -> None:
    stuck = Worker(tmp_path / "worker.log", patience=0.2)
    with pytest.raises(WorkerDied, match="exit status -9"):
        stuck.perform(job(tmp_path, duration=210.0))
    stuck.close()


def test_modules_of_the_users_folder_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mido.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    worker = Worker(tmp_path / "worker.log")
    try:
        assert worker.perform(job(tmp_path))["size"] > 0
    finally:
        worker.close()
