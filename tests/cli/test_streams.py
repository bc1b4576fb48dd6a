"""Pipes and terminals: what is closed, what is coloured, what is asked and what an interrupt leaves."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import finetuning as ft

FT = [sys.executable, "-m", "finetuning.cli"]
SHELL = f"{sys.executable} -m finetuning.cli"
Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("signed_in")


def shell(line: str, desk: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=desk, input=stdin, capture_output=True, text=True, timeout=60
    )


def test_a_closed_pipe_ends_quietly(desk: Path, archive: ft.studio.Studio, tracks: list[str]) -> None:
    there = f"--base-url {archive.url} --api-key {archive.api_key}"
    done = shell(f"{SHELL} list --all --json {there} | head -1; echo ${{PIPESTATUS[0]}}", desk)
    assert (done.stdout, done.stderr) == ("{\n141\n", "")


@pytest.mark.parametrize("buffering", ["", "1"])
def test_output_that_cannot_be_written_is_told_in_one_line(
    desk: Path, monkeypatch: pytest.MonkeyPatch, buffering: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", buffering)
    done = shell(f"{SHELL} help > /dev/full", desk)
    assert (done.returncode, done.stderr) == (2, "error: The output cannot be written: No space left on device.\n")


@pytest.mark.parametrize(("line", "code"), [("help >&-", 0), ("help 2>&-", 0), ("nix >&- 2>&-", 2)])
def test_a_stream_that_is_closed_from_the_start_takes_nothing(desk: Path, line: str, code: int) -> None:
    done = shell(f"{SHELL} {line}", desk)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith("Usage: ft") is ("2>&-" in line and code == 0)


def test_into_a_pipe_it_is_plain(desk: Path, track: str) -> None:
    done = shell(f"{SHELL} list --limit 99 | cat", desk)
    assert done.returncode == 0
    assert track in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_ids_by_the_hundred(desk: Path, archive: ft.studio.Studio, tracks: list[str]) -> None:
    there = f"--base-url {archive.url} --api-key {archive.api_key}"
    playlist = archive.create_playlist("By The Hundred")
    done = shell(f"xargs {SHELL} playlist add {playlist} {there}", desk, "\n".join(tracks))
    assert (done.stdout, done.stderr) == ("Added 250 of 250 track(s)\n", "")
    split = shell(f"xargs -n 125 {SHELL} playlist remove 'by the hundred' {there}", desk, "\n".join(tracks))
    assert split.stdout == "Removed 125 of 125 track(s)\n" * 2


def test_a_bulk_command_that_is_stopped_says_how_far_it_came(
    ft_: Run, relay: Any, studio: ft.studio.Studio, track: str
) -> None:
    studio.create_playlist("Stopped")
    ids = [track, *(f"gen_{number}" for number in range(249))]
    for flags in ([], ["--json"]):
        relay.bulk_left = 1
        done = ft_("playlist", "add", "Stopped", *ids, "--base-url", relay.url, *flags, code=1)
        if flags:
            answer = done.json
            assert answer["data"]["notAttempted"] == ids[200:]
            assert len(answer["data"]["errors"]) == 200
            assert answer["error"] == {"code": "INTERNAL_ERROR", "message": "The service tripped."}
        else:
            assert done.out == "Added 1 of 250 track(s)\n"
            assert done.said[-2] == f"warning: {ids[-1]}: not attempted"
            assert done.said[-1] == "error: stopped: The service tripped. 1 done, 199 failed, 50 not attempted."


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_what_was_concluded_after_a_lost_answer_is_said_id_by_id(
    ft_: Run, relay: Any, studio: ft.studio.Studio, track: str, flags: list[str]
) -> None:
    playlist = studio.create_playlist("Concluded")
    relay.lose_bulk = 1
    done = ft_("playlist", "add", playlist, track, "gen_none", "--base-url", relay.url, *flags)
    assert f"note: {track}: the answer was lost; when the request was repeated, it was added already" in done.said
    assert done.said[-1] == "warning: gen_none: Track not found"
    assert not [line for line in done.said if line.startswith("note: gen_none")]
    assert done.json["data"]["added"] == [track] if flags else done.out == "Added 1 of 2 track(s)\n"
    removed = ft_("playlist", "remove", playlist, track, "--base-url", relay.url)
    assert (removed.out, removed.err) == ("Removed 1 of 1 track(s)\n", "")


class Terminal:
    """A process on a pseudo-terminal; its standard output and error are the terminal, or one of them is kept apart."""

    def __init__(self, *argv: str, desk: Path, **environment: str) -> None:
        self._end, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 100))
        self.process = subprocess.Popen(
            [*FT, *argv],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=desk,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "100"} | environment,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(theirs)
        self.text = ""

    def until(self, wanted: str) -> str:
        """Read until something is shown; returns all that was shown."""
        deadline = time.monotonic() + 30
        while not re.search(wanted, self.text):
            assert time.monotonic() < deadline, self.text
            if not self._read():
                break
        assert re.search(wanted, self.text), self.text
        return self.text

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def end(self) -> int:
        """Read to the end, and return the exit code."""
        while self._read():
            pass
        os.close(self._end)
        return self.process.wait(30)

    def _read(self) -> bool:
        if not select.select([self._end], [], [], 30)[0]:
            return False
        try:
            data = os.read(self._end, 65536)
        except OSError:  # nobody has the other end open any more
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_key_is_typed_unseen(desk: Path, home: Path, studio: ft.studio.Studio) -> None:
    terminal = Terminal("auth", "login", desk=desk, FINETUNING_API_KEY="")
    terminal.until("API key: ")
    terminal.type(studio.api_key + "\n")
    assert terminal.end() == 0
    assert studio.api_key not in terminal.text
    assert "Signed in as user@studio.localhost (pro tier)" in terminal.text
    assert (home / "config" / "credentials").read_text().strip() == studio.api_key


def test_colour_is_for_terminals_that_want_it(desk: Path, track: str) -> None:
    coloured = Terminal("list", desk=desk)
    assert coloured.end() == 0
    assert "\x1b[32mcompleted\x1b[0m" in coloured.text
    assert all(len(re.sub(r"\x1b\[\d+m", "", line)) <= 100 for line in coloured.text.splitlines())
    for argv, environment in (
        (["list", "--no-color"], {}),
        (["list"], {"NO_COLOR": "1"}),
        (["list"], {"TERM": "dumb"}),
    ):
        terminal = Terminal(*argv, desk=desk, **environment)
        assert terminal.end() == 0
        assert "\x1b" not in terminal.text


@pytest.mark.parametrize(
    ("answer", "said"),
    [(answer, "Nothing was deleted.") for answer in ("n\n", "\n", "\x04")] + [("y\n", "Deleted 1 of 1 track(s)")],
)
def test_deleting_asks(desk: Path, client: ft.Client, answer: str, said: str) -> None:
    doomed = client.generate("to be asked for", duration=5, wait=False).id
    terminal = Terminal("delete", doomed, desk=desk)
    terminal.until(r"everywhere, not just playlists\.\r\nDelete 1 track\(s\)\? \[y/N\] ")
    terminal.type(answer)
    assert terminal.end() == 0  # a no is an answer, too
    assert said in terminal.text


def test_an_existing_file_is_asked_for(desk: Path, track: str) -> None:
    (desk / "take.mp3").write_bytes(b"mine")
    terminal = Terminal("download", track, "-o", "take.mp3", desk=desk)
    terminal.until(r"take\.mp3 is there already\. Replace it\? \[y/N\] ")
    terminal.type("n\n")
    assert terminal.end() == 0
    assert (desk / "take.mp3").read_bytes() == b"mine"
    terminal = Terminal("download", track, "-o", "take.mp3", desk=desk)
    terminal.until(r"Replace it")
    terminal.type("yes\n")
    assert terminal.end() == 0
    assert (desk / "take.mp3").stat().st_size > 10_000


def test_ctrl_c_while_it_is_made_says_how_to_resume(desk: Path, archive: ft.studio.Studio) -> None:
    # A studio that renders nothing: it would wait for five minutes.
    terminal = Terminal("generate", "x", "--base-url", archive.url, "--api-key", archive.api_key, desk=desk)
    shown = terminal.until(r"Queued\. id=(\S+) status=pending[\s\S]*generating · 00:0[1-9]")
    found = re.search(r"Queued\. id=(\S+)", shown)
    assert found
    terminal.type("\x03")
    assert terminal.end() == 130
    assert f"`ft get {found[1]}` shows it" in terminal.text
    assert "Traceback" not in terminal.text
    assert list(desk.iterdir()) == []


def test_ctrl_c_at_a_prompt(desk: Path, track: str) -> None:
    terminal = Terminal("delete", track, desk=desk)
    terminal.until(r"\[y/N\]")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize(("typed", "code", "said"), [("\x03", 130, "Interrupted."), ("\x04", 2, "No key was given.")])
def test_no_key_at_the_prompt_is_told_on_a_line_of_its_own(desk: Path, typed: str, code: int, said: str) -> None:
    terminal = Terminal("auth", "login", "--no-color", desk=desk)
    terminal.until("API key: ")
    terminal.type(typed)
    assert terminal.end() == code
    shown = terminal.text.replace("\r\n", "\n").splitlines()
    assert shown[0] == "API key: "
    assert said in shown[-1]


def test_a_signal_without_a_terminal_says_how_to_resume(desk: Path, archive: ft.studio.Studio, home: Path) -> None:
    process = subprocess.Popen(
        [*FT, "generate", "x", "--json", "--base-url", archive.url, "--api-key", archive.api_key],
        cwd=desk,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    assert process.stderr.readline().startswith("Queued. id=")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert re.fullmatch(r"Interrupted\. \S+ goes on and is paid for: .+\n", err)
    intent, settled = [json.loads(line) for line in (home / "data/generate.jsonl").read_text().splitlines() if line]
    assert settled["intent"] == intent["id"]


def test_a_download_shows_its_progress(desk: Path, track: str) -> None:
    terminal = Terminal("download", track, desk=desk)
    assert terminal.end() == 0
    assert re.search(r"downloading: .*B/s", terminal.text)
