from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from finetuning.errors import JournalError, JournalHeldError, ParameterError
from finetuning.records import Generation
from finetuning.sweep.events import (
    Absent,
    Began,
    Declined,
    Event,
    Finished,
    Lost,
    Noted,
    Rated,
    Refused,
    Stopped,
    Undecided,
    encode,
)
from finetuning.sweep.journal import Journal
from finetuning.sweep.ledger import Ledger, begun, exists, now
from finetuning.sweep.locks import FileLock
from finetuning.sweep.state import State, brief

Make = Callable[[int], Event]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sweeps" / "lofi.jsonl"


@pytest.fixture
def ledger(path: Path, began: Began) -> Ledger:
    return Ledger.create(path, began)


def finished(point: int, status: str = "completed") -> Finished:
    return Finished(at=now(), point=point, generation=Generation(id=f"gen_{point}", status=status))


def test_events_become_states(began: Began, intent: Make, accepted: Make) -> None:
    state = State(began)
    assert state.counts == {"waiting": 4}
    for event in (
        *(intent(point) for point in range(4)),
        accepted(0),
        Declined(at=now(), point=1, reason="full"),
        Refused(at=now(), point=2, reason="bad"),
        Lost(at=now(), point=3, reason="cut"),
    ):
        state.apply(event)
    assert [cell.state for cell in state.cells] == ["generating", "waiting", "refused", "lost"]
    assert [cell.reason for cell in state.cells] == [None, "full", "bad", "cut"]
    assert state.spent == 2
    done = [state.done]
    state.apply(Absent(at=now(), point=3, reason="not there"))
    assert (state.cells[3].state, state.spent) == ("waiting", 1)
    state.apply(intent(3))
    state.apply(Lost(at=now(), point=3, reason="cut"))
    state.apply(Undecided(at=now(), point=3, reason="who knows"))
    assert (state.cells[3].state, state.cells[3].reason, state.spent) == ("uncertain", "who knows", 2)
    state.apply(Stopped(at=now(), reason="tired"))
    stopped = [state.stopped]
    state.apply(intent(1))
    assert [*stopped, state.stopped] == ["tired", None]
    assert state.points("sent", "generating") == [0, 1]
    state.apply(accepted(1))
    for event in (
        finished(0),
        finished(1, "failed"),
        Rated(at=now(), point=0, rating=4),
        Noted(at=now(), point=0, note="ah"),
    ):
        state.apply(event)
    assert brief(state.counts) == "1 completed, 1 failed, 1 refused, 1 uncertain"
    assert [*done, state.done] == [False, True]
    assert (state.cells[0].rating, state.cells[0].note) == (4, "ah")
    state.apply(Rated(at=now(), point=0))
    assert state.cells[0].rating is None


def test_a_ledger_read_back_is_the_ledger_that_was_written(
    ledger: Ledger, path: Path, intent: Make, accepted: Make
) -> None:
    ledger.record(intent(0), accepted(0), finished(0))
    again = Ledger(path)
    assert again.snapshot()[1] == ledger.snapshot()[1]
    assert again.name == "lofi"
    ledger.record(Rated(at=now(), point=0, rating=5))
    again.refresh()
    assert again.snapshot() == ledger.snapshot()


def test_only_who_holds_it_may_record(ledger: Ledger, path: Path, intent: Make) -> None:
    second = Ledger(path)
    with pytest.raises(JournalError, match="is not held"):
        second.record(intent(0))
    with pytest.raises(JournalHeldError, match="in the hands of a run in this process") as caught, second.writing():
        raise AssertionError("two hold it")
    assert caught.value.pid == os.getpid()
    ledger.record(intent(0))
    ledger.release()
    with second.writing():
        held = [second.held]
        assert second.state.points("sent") == [0]
        second.record(Rated(at=now(), point=0, rating=1))
    assert [*held, second.held] == [True, False]
    ledger.hold()
    ledger.hold()
    assert ledger.state.cells[0].rating == 1
    ledger.release()
    ledger.release()


HOLD = """
import sys
from pathlib import Path
from finetuning.sweep.locks import FileLock
FileLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_is_named_and_its_death_frees_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "lofi.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        lock = FileLock(path)
        with pytest.raises(JournalHeldError, match=f"'lofi' is in the hands of process {other.pid}") as caught:
            lock.acquire()
        assert caught.value.pid == other.pid
        held = [lock.held]
        other.kill()
        other.wait()
        lock.acquire()
        assert [*held, lock.held] == [False, True]
        lock.release()


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "lofi.lock").mkdir()
    with pytest.raises(JournalError, match="cannot be opened"):
        FileLock(tmp_path / "lofi.lock").acquire()


def test_a_name_is_taken_once(ledger: Ledger, path: Path, began: Began) -> None:
    with pytest.raises(JournalHeldError):
        Ledger.create(path, began)
    ledger.release()
    before = path.read_bytes()
    with pytest.raises(ParameterError, match="A run named 'lofi' exists: 4 points, 4 to send") as caught:
        Ledger.create(path, began)
    assert "SweepRun.load('lofi', client).resume()" in str(caught.value)
    path.write_bytes(b"{}\n" + before)
    with pytest.raises(ParameterError, match="exists, and cannot be read"):
        Ledger.create(path, began)


def test_a_name_that_cannot_be_read_is_taken_too_and_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lofi.jsonl"
    path.mkdir()
    problem = exists(path)
    assert problem.message == f"A run named 'lofi' exists, and cannot be read: {path} cannot be read: Is a directory."
    assert problem.hint == "Choose another name."
    (tmp_path / "sweeps").touch()
    assert not begun(tmp_path / "sweeps" / "lofi.jsonl")


def test_a_first_line_that_was_cut_short_is_no_run(path: Path, began: Began) -> None:
    path.parent.mkdir()
    path.write_bytes(encode(began)[:50])
    assert not begun(path)
    with pytest.raises(JournalError, match="never begun, and nothing was sent"):
        Ledger(path)
    Ledger.create(path, began).release()
    assert Ledger(path).state.counts == {"waiting": 4}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (lambda began: began, "line 2: the run begins a second time"),
        (lambda began: finished(4), "line 2: there is no point 4; there are 4"),
        (lambda began: finished(-1), "line 2: there is no point -1"),
    ],
)
def test_events_that_do_not_fit_are_named_by_their_line(
    path: Path, began: Began, line: Callable[[Began], Event], says: str
) -> None:
    Journal(path).append(began, line(began))
    with pytest.raises(JournalError, match=says):
        Ledger(path)


@pytest.mark.parametrize("lacking", [{"fixed": {}}, {"points": []}, {"points": [{"bpm": 80}]}])
def test_a_plan_that_lacks_what_is_needed_to_send_it_is_damage(path: Path, began: Began, lacking: Any) -> None:
    Journal(path).append(replace(began, plan=replace(began.plan, **lacking)))
    with pytest.raises(JournalError, match="line 1: a point lacks its tags or its seed"):
        Ledger(path)


def test_a_journal_without_its_beginning_or_gone_is_an_error(
    ledger: Ledger, path: Path, tmp_path: Path, intent: Make
) -> None:
    other = tmp_path / "other.jsonl"
    Journal(other).append(intent(0))
    with pytest.raises(JournalError, match="line 1: it does not say how the run began"):
        Ledger(other)
    ledger.release()
    path.unlink()
    with pytest.raises(JournalError, match="is gone"):
        ledger.hold()
    assert not ledger.held
