"""Tables, durations, ages, and the command's own words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from finetuning.cli.installed import how
from finetuning.cli.tables import block, fit, table, width
from finetuning.cli.wording import age, duration, for_the_command, moment, plain, size

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "-"), (0, "0s"), (42, "42s"), (59.6, "1m"), (180, "3m"), (200, "3m 20s"), (3661, "61m 1s")],
)
def test_durations(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(minutes=60), "1 hour ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(hours=24), "1 day ago"),
        (timedelta(days=5, hours=23), "5 days ago"),
        (timedelta(days=7), "2025-03-03"),
        (timedelta(days=-2), "2025-03-12"),
    ],
)
def test_ages(ago: timedelta, said: str) -> None:
    assert age(NOW - ago, NOW) == said


def test_what_is_not_known_is_a_dash() -> None:
    assert (age(None), moment(None), size(None)) == ("-", None, None)


@pytest.mark.parametrize(("count", "said"), [(0, "0 B"), (999, "999 B"), (64_200, "64 kB"), (1_430_000, "1.4 MB")])
def test_sizes(count: int, said: str) -> None:
    assert size(count) == said


def test_nothing_steers_the_terminal() -> None:
    assert plain("a\x1b[31m\tb\r\nc\u202ed\u2028e\x00") == "a [31m b cd e"


def test_letters_take_the_room_that_they_take() -> None:
    assert [width(text) for text in ("abc", "東京", "e\u0301", "🎹", "")] == [3, 4, 1, 2, 0]
    assert fit("東京タワー", 5) == "東京…"
    assert fit("abc", 3) == "abc"
    rows = list(table(["A", "B"], [["東京", "x"], ["ab", "y"]]))
    assert rows == ["A     B", "東京  x", "ab    y"]


def test_a_narrow_terminal_cuts_the_column_that_gives_way() -> None:
    text = "word " * 40
    for columns, most in ((40, 40), (None, 4 + 60)):
        _, row = table(["ID", "PROMPT"], [["ab", text]], columns=columns, flexible=1)
        assert width(row) <= most
        assert row.endswith("…")
    assert width(list(table(["ID", "PROMPT"], [["a" * 50, text]], columns=40, flexible=1))[1]) == 50 + 2 + 12
    assert list(table(["ID"], [])) == ["ID"]


def test_a_block_leaves_out_what_is_not_known() -> None:
    assert list(block([("A", "1"), ("Longer", "x\ny"), ("None", None)])) == ["A        1", "Longer   x y"]
    assert list(block([])) == []


@pytest.mark.parametrize(
    ("python", "command"),
    [
        (None, None),
        ("Say key='A', scale='minor'.", "Say --key 'A', --scale 'minor'."),
        ("time_signature=9 is not a number", "--time-sig 9 is not a number"),
        ("Wait for it: client.wait(id).", None),
        (
            "Check the network; ft.connect('studio') works offline.",
            "Check the network; `ft studio serve` works offline.",
        ),
        (
            "Pass api_key=, or set FINETUNING_API_KEY.",
            "Run `ft auth login`, pass --api-key, or set FINETUNING_API_KEY.",
        ),
    ],
)
def test_python_is_not_spoken_here(python: str | None, command: str | None) -> None:
    assert for_the_command(python) == command


class Installed(Distribution):
    def __init__(self, **files: str) -> None:
        self.files_ = files

    def read_text(self, filename: str) -> str | None:
        return self.files_.get(filename.partition(".")[0])

    def locate_file(self, path: Any) -> Path:
        raise AssertionError(path)

    @property
    def metadata(self) -> Any:
        return Message()


def test_each_way_of_installing_has_its_way_of_upgrading(tmp_path: Path) -> None:
    editable = Installed(direct_url='{"url": "file:///some%20where", "dir_info": {"editable": true}}')
    assert how(editable, tmp_path).command is None
    assert how(editable, tmp_path).advice.endswith("git -C '/some where' pull")
    assert (how(Installed(), tmp_path).command or [])[1:] == ["-m", "pip", "install", "--upgrade", "finetuning"]
    assert (how(Installed(INSTALLER="uv\n"), tmp_path).command or [])[:3] == ["uv", "pip", "install"]
    (tmp_path / "uv-receipt.toml").touch()
    assert how(Installed(INSTALLER="uv\n"), tmp_path).command == ["uv", "tool", "upgrade", "finetuning"]
    (tmp_path / "pipx_metadata.json").touch()
    assert how(Installed(), tmp_path).command == ["pipx", "upgrade", "finetuning"]
