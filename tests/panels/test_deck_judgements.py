from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from finetuning.errors import JournalError
from finetuning.panels.deck.judgements import Compared, Judgements, Rated, Rejected

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def rated(id_: str, rating: int | None = 3, account: str = "usr_1") -> Rated:
    return Rated(at=NOW, base_url="https://pub.finetuning.ai", account=account, id=id_, rating=rating)


def test_what_was_written_is_read_back_by_account_and_take(home: Path) -> None:
    book = Judgements()
    out = Rejected(at=NOW, base_url="https://x", account="usr_1", id="b", rejected=False)
    better = Compared(at=NOW, base_url="https://x", account="usr_1", id="a", over="b", same=True)
    assert book.read("usr_1", ["a"]) == []
    book.add(rated("a"), out, better)
    book.add(rated("a", None), rated("a", 5, account="usr_2"), rated("z"))
    assert book.path == home / "data" / "judgements.jsonl"
    assert Judgements().read("usr_1", ["a", "b"]) == [rated("a"), out, better, rated("a", None)]
    assert Judgements().read("usr_2", ["a"]) == [rated("a", 5, account="usr_2")]
    assert book.path.read_text().splitlines()[0].startswith('{"kind":"rated","rating":3,"at":"2025-01-15T10:30:00Z"')
    if os.name != "nt":
        assert book.path.stat().st_mode & 0o777 == 0o600
    assert "judgements.jsonl" in repr(book)


@pytest.mark.parametrize("keep", [1, 40, -1])
def test_a_torn_last_line_is_passed_over_and_written_behind(tmp_path: Path, keep: int) -> None:
    book = Judgements(tmp_path / "j.jsonl")
    book.add(rated("a"), rated("b"))
    first, second, _ = book.path.read_bytes().split(b"\n")
    book.path.write_bytes(first + b"\n" + second[:keep])
    assert book.read("usr_1", "ab") == [rated("a")]
    book.add(rated("c"))
    assert book.read("usr_1", "abc") == [rated("a"), rated("c")]


def test_a_line_of_a_newer_version_is_left_to_it(tmp_path: Path) -> None:
    book = Judgements(tmp_path / "j.jsonl")
    book.add(rated("a"))
    line = book.path.read_bytes()
    book.path.write_bytes(line.replace(b'"rated"', b'"sung"') + b"\xff\xfe\n" + line.replace(b'"id"', b'"more":1,"id"'))
    assert book.read("usr_1", ["a"]) == [rated("a")]


_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path

from finetuning.panels.deck.judgements import Judgements, Rated

_, path, name = sys.argv
book = Judgements(Path(path))
for number in range(200):
    moment = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
    book.add(Rated(at=moment, base_url="https://x", account="usr_1", id=f"{name}{number}", rating=3))
"""


def test_two_processes_write_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    for name in ("a", "b"):
        ids = [f"{name}{number}" for number in range(200)]
        assert [each.id for each in Judgements(path).read("usr_1", ids)] == ids
    assert len(path.read_bytes().splitlines()) == 400


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    book = Judgements(tmp_path)
    with pytest.raises(JournalError, match="cannot be read"):
        book.read("usr_1", ["a"])
    with pytest.raises(JournalError, match="cannot be written") as caught:
        book.add(rated("a"))
    assert caught.value.hint
