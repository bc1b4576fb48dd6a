"""The README, the help and the code name the same commands, flags and variables."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import finetuning
from finetuning.cli.app import VARIABLES, app
from finetuning.cli.running import Console, run

ROOT = Path(finetuning.__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8").partition("## The `ft` command\n")[2].partition("\n## ")[0]


def commands(group: click.Group = app, path: str = "ft") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def flags(command: click.Command) -> set[str]:
    return {
        name
        for option in command.params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }


SHARED = flags(click.Group("none")) | set.intersection(*(flags(command) for _, command in commands()))


def documented() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(ft [^`]*)` \|[^|]*\|([^|]*)\|$", README, re.MULTILINE)
    return {
        " ".join(word for word in usage.split() if word.rstrip("…").islower()): set(re.findall(r"`(-[^`]+)`", flags))
        for usage, flags in rows
    }


def helped(path: str) -> str:
    console = Console(out=io.StringIO(), err=io.StringIO())
    assert run([*path.split()[1:], "--help"], io=console).code == 0
    assert isinstance(console.out, io.StringIO)
    return console.out.getvalue()


def test_the_readme_lists_every_command_and_its_flags() -> None:
    assert documented() == {path: flags(command) - SHARED for path, command in commands()}


@pytest.mark.parametrize("path", [path for path, _ in commands()])
def test_the_help_lists_every_flag_that_the_readme_lists(path: str) -> None:
    shown = helped(path)
    listed = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)(?=[ ,\n]|$)", shown.partition("Example:")[0]))
    assert documented()[path] | SHARED <= listed
    assert re.search(r"^Example:\n  ft |^Example:\n  eval ", shown, re.MULTILINE)
    options = next(command for each, command in commands() if each == path).params
    for option in options:
        if isinstance(option, click.Option) and not option.is_flag and not set(option.opts) & SHARED:
            assert re.search(rf"{option.opts[-1]} [\s\S]*?\[default:", shown), f"{option.opts} has no default"


def test_flags_of_every_command() -> None:
    (line,) = re.findall(r"^Anywhere on the line: (.+)$", README, re.MULTILINE)
    assert set(re.findall(r"`(-[^`]+)`", line)) == SHARED
    assert "--no-color" in helped("ft")


def test_variables() -> None:
    (text,) = re.findall(r"^From the environment: ([\s\S]+?)\n\n", README, re.MULTILINE)
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r"environ(?:\.get\(|\[)\s*\"((?:FINETUNING_|NO_)[A-Z_]+)\"", sources))
    assert len(read) >= 4
    assert set(re.findall(r"`([A-Z_]+)`", text)) == set(VARIABLES) >= read
    for name in VARIABLES:
        assert name in helped("ft")
