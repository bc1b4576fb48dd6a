from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetuning.errors import JournalError
from finetuning.records import Generation
from finetuning.sweep.events import Accepted, Began, Event, Finished, Intent, Noted, Rated, encode, parse
from finetuning.sweep.journal import Journal
from finetuning.sweep.ledger import now

Make = Callable[[int], Event]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sweeps" / "lofi.jsonl"


@pytest.fixture
def events(began: Began, intent: Make, accepted: Make) -> list[Event]:
    return [began, intent(0), accepted(0), intent(1), Noted(at=now(), point=0, note="größer\nleiser")]


def test_what_is_appended_is_read_back(path: Path, events: list[Event]) -> None:
    journal = Journal(path)
    journal.append(events[0])
    journal.append(*events[1:])
    assert Journal(path).read() == events
    assert journal.read() == []
    assert path.read_bytes().count(b"\n") == len(events)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_reader_follows_a_writer(path: Path, events: list[Event]) -> None:
    writer, reader = Journal(path), Journal(path)
    with pytest.raises(FileNotFoundError):
        reader.read()
    for event in events:
        writer.append(event)
        assert reader.read() == [event]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cut=st.integers(0, 2000))
def test_a_journal_cut_anywhere_is_the_events_before_the_cut_and_goes_on(
    tmp_path: Path, events: list[Event], cut: int
) -> None:
    path = tmp_path / "cut.jsonl"
    path.unlink(missing_ok=True)
    Journal(path).append(*events)
    whole = path.read_bytes()
    cut = min(cut, len(whole))
    path.write_bytes(whole[:cut])
    ends = [sum(len(encode(event)) + 1 for event in events[:count]) for count in range(len(events) + 1)]
    # A line that lacks no more than its end is whole.
    kept = max(count for count, end in enumerate(ends) if end - (count > 0) <= cut)
    journal = Journal(path)
    assert journal.read() == events[:kept]
    journal.append(*events[kept:])
    assert path.read_bytes() == whole
    assert Journal(path).read() == events


def test_a_last_line_that_lacks_only_its_end_counts(path: Path, events: list[Event]) -> None:
    Journal(path).append(*events[:2])
    path.write_bytes(path.read_bytes()[:-1])
    journal = Journal(path)
    assert journal.read() == events[:2]
    journal.append(events[2])
    path.write_bytes(path.read_bytes()[:-1])
    assert journal.read() == []
    reader = Journal(path)
    assert reader.read() == events[:3]
    journal = Journal(path)
    journal.read()
    journal.append(*events[3:])
    assert reader.read() == events[3:]
    assert repr(journal) == f"Journal({str(path)!r}, {len(events)} lines)"


@pytest.mark.parametrize("tail", [b"\0\0\0\0", b'{"kind":"int', b"\xff\xfe", b'{"kind":"began"}', b"{}"])
def test_what_a_crash_left_of_a_line_is_overwritten(path: Path, events: list[Event], tail: bytes) -> None:
    Journal(path).append(*events[:2])
    with path.open("ab") as file:
        file.write(tail)
    journal = Journal(path)
    assert journal.read() == events[:2]
    journal.append(events[2])
    assert Journal(path).read() == events[:3]
    assert path.read_bytes() == b"".join(encode(event) + b"\n" for event in events[:3])


@pytest.mark.parametrize(
    "line",
    [b"not json", b'{"kind":"intent"}', b'{"kind":"dream","point":0}', b"[]", b"\xff", b'{"kind":"intent","x":1}'],
)
def test_damage_before_the_end_is_an_error_that_names_the_line(path: Path, events: list[Event], line: bytes) -> None:
    Journal(path).append(*events)
    lines = path.read_bytes().split(b"\n")
    lines[2] = line
    path.write_bytes(b"\n".join(lines))
    journal = Journal(path)
    for _ in range(2):
        with pytest.raises(JournalError, match=r"lofi\.jsonl, line 3: "):
            journal.read()


def test_a_newer_journal_is_not_touched(path: Path, began: Began) -> None:
    Journal(path).append(began)
    path.write_bytes(path.read_bytes().replace(b'"version":2', b'"version":3,"added":true'))
    with pytest.raises(JournalError, match="is of version 3; this finetuning reads up to 2") as caught:
        Journal(path).read()
    assert "pip install -U finetuning" in str(caught.value)


def test_a_disk_that_takes_nothing_is_an_error_and_loses_nothing(path: Path, events: list[Event]) -> None:
    journal = Journal(path)
    journal.append(events[0])
    path.rename(path.with_suffix(".kept"))
    path.mkdir()
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append(events[1])
    with pytest.raises(JournalError, match="cannot be read"):
        journal.read()
    path.rmdir()
    path.with_suffix(".kept").rename(path)
    journal.append(events[1])
    assert Journal(path).read() == events[:2]


def test_a_journal_that_is_taken_away_is_not_begun_anew(path: Path, events: list[Event]) -> None:
    journal = Journal(path)
    journal.append(*events[:2])
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(JournalError, match="cannot be written: No such file"):
        journal.append(events[2])
    assert not path.exists()
    path.write_bytes(whole[:-9])
    with pytest.raises(JournalError, match="is shorter than it was"):
        journal.append(events[2])
    assert path.read_bytes() == whole[:-9]
    path.write_bytes(whole)
    journal.append(events[2])
    assert Journal(path).read() == events[:3]


def test_a_moment_without_a_zone_is_damage(path: Path, events: list[Event]) -> None:
    Journal(path).append(*events[:2])
    path.write_bytes(path.read_bytes().replace(b'Z"', b'"'))
    with pytest.raises(JournalError, match=r"line 1: .*timezone"):
        Journal(path).read()


names = st.text(st.characters(codec="utf-8"), max_size=12)


@given(
    point=st.integers(0, 10_000),
    title=st.none() | names,
    rating=st.none() | st.integers(1, 5),
    extra=st.dictionaries(names, st.integers() | names | st.lists(st.booleans()), max_size=3),
    seconds=st.none() | st.floats(0, 1e6),
)
def test_every_event_survives_its_line(
    point: int, title: str | None, rating: int | None, extra: dict[str, object], seconds: float | None
) -> None:
    generation = Generation(id="gen_1", title=title, duration=seconds, extra=extra)
    events: list[Event] = [
        Intent(at=now(), point=point),
        Accepted(at=now(), point=point, generation=generation),
        Finished(at=now(), point=point, generation=generation),
        Rated(at=now(), point=point, rating=rating),
        Noted(at=now(), point=point, note=title),
    ]
    for event in events:
        line = encode(event)
        assert b"\n" not in line
        assert parse(line) == event
