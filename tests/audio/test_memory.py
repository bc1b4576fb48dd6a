"""What was measured is remembered by its content, in one process and from one to the next."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from finetuning.audio.memory import Memory, digest


class Result(msgspec.Struct, frozen=True):
    value: float
    name: str | None = None


def memory(path: Path, version: int = 1, **bounds: int) -> Memory[Result]:
    return Memory(path / "deep" / "measured.sqlite3", version, Result, **bounds)


KEYS = [digest(bytes([number])) for number in range(20)]


def test_results_outlive_the_process(tmp_path: Path) -> None:
    memory(tmp_path).put({KEYS[0]: Result(1.5), KEYS[1]: Result(-math.inf, "C")})
    found = memory(tmp_path).get(KEYS)
    assert found == {KEYS[0]: Result(1.5), KEYS[1]: Result(-math.inf, "C")}
    memory(tmp_path).put({KEYS[2]: Result(math.nan)})
    assert math.isnan(memory(tmp_path).get([KEYS[2]])[KEYS[2]].value)


def test_other_bytes_are_another_sound() -> None:
    assert digest(b"a") != digest(b"b")
    assert digest(b"a") == digest(bytes(bytearray(b"a")))


def test_what_another_version_measured_is_forgotten(tmp_path: Path) -> None:
    memory(tmp_path, 1).put({KEYS[0]: Result(1.0)})
    assert memory(tmp_path, 2).get(KEYS) == {}
    memory(tmp_path, 2).put({KEYS[0]: Result(2.0)})
    assert memory(tmp_path, 2).get(KEYS) == {KEYS[0]: Result(2.0)}
    assert memory(tmp_path, 1).get(KEYS) == {}


def test_it_is_bounded_the_oldest_forgotten_first(tmp_path: Path) -> None:
    kept = memory(tmp_path, kept=5, held=3)
    for key in KEYS[:12]:
        kept.put({key: Result(1.0)})
    assert set(memory(tmp_path).get(KEYS)) == set(KEYS[7:12])
    kept.path.unlink()
    assert set(kept.get(KEYS)) == set(KEYS[9:12])  # what this process still holds


@pytest.mark.parametrize("damage", ["text", "middle", "table", "row", "empty"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: str) -> None:
    before = memory(tmp_path)
    before.put({key: Result(float(place)) for place, key in enumerate(KEYS)})
    match damage:
        case "text":
            before.path.write_text("no database at all" * 1000)
        case "middle":
            data = before.path.read_bytes()
            before.path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
        case "empty":
            before.path.write_bytes(b"")
        case _:
            base = sqlite3.connect(before.path)
            base.execute("DROP TABLE measured" if damage == "table" else "UPDATE measured SET result = x'c1ff'")
            base.commit()
            base.close()
    after = memory(tmp_path)
    assert after.get(KEYS) == {}
    after.put({KEYS[0]: Result(7.0)})
    assert memory(tmp_path).get([KEYS[0]]) == {KEYS[0]: Result(7.0)}


def test_a_file_that_is_damaged_only_when_it_is_written_to_is_begun_anew(tmp_path: Path) -> None:
    kept = memory(tmp_path)
    kept.path.parent.mkdir()
    kept.path.write_text("no database at all" * 1000)
    kept.put({KEYS[0]: Result(7.0)})
    assert memory(tmp_path).get(KEYS) == {KEYS[0]: Result(7.0)}


def test_where_nothing_can_be_written_this_process_remembers(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file where the folder would be")
    kept = memory(tmp_path)
    kept.put({KEYS[0]: Result(1.0)})
    assert kept.get(KEYS) == {KEYS[0]: Result(1.0)}
    assert memory(tmp_path).get(KEYS) == {}


def test_a_file_that_is_held_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = memory(tmp_path)
    kept.put({KEYS[0]: Result(1.0)})
    monkeypatch.setattr("finetuning.audio.memory._PATIENCE", 0.01)
    base = sqlite3.connect(kept.path, isolation_level=None)
    base.execute("BEGIN EXCLUSIVE")
    kept.put({KEYS[1]: Result(2.0)})
    assert kept.get(KEYS) == {KEYS[0]: Result(1.0), KEYS[1]: Result(2.0)}
    base.execute("ROLLBACK")
    base.close()
    assert memory(tmp_path).get(KEYS) == {KEYS[0]: Result(1.0)}


WRITER = """
import sys
from pathlib import Path
from finetuning.audio.measurement import Measurement
from finetuning.audio.memory import Memory, digest
import msgspec
class Result(msgspec.Struct, frozen=True):
    value: float
    name: str | None = None
memory = Memory(Path(sys.argv[1]), 1, Result)
for number in range(60):
    memory.put({digest(f"{sys.argv[2]} {number}".encode()): Result(float(number))})
"""


def test_processes_write_at_the_same_time(tmp_path: Path) -> None:
    path = memory(tmp_path).path
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    keys = [digest(f"{name} {number}".encode()) for name in "ab" for number in range(60)]
    assert len(memory(tmp_path).get(keys)) == 120


def test_there_is_one_memory_a_file(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite3"
    first = Memory.at(path, 1, Result)
    assert Memory.at(path, 1, Result) is first
    assert Memory.at(path, 2, Result) is not first
    for number in range(20):  # and not too many files
        Memory.at(tmp_path / f"{number}.sqlite3", 1, Result)
    assert Memory.at(path, 1, Result) is not first
