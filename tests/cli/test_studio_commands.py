"""`ft studio …` as real processes."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import finetuning as ft
from finetuning.cli.running import Console, run

from ..faults.killing import free_port

FT = (sys.executable, "-m", "finetuning.cli")
PATIENCE = 60


@dataclass
class Serving:
    process: subprocess.Popen[str]
    head: list[str]

    @property
    def url(self) -> str:
        return self.head[0].removeprefix("Studio at ")

    @property
    def key(self) -> str:
        return self.head[1].removeprefix("Key ")

    def client(self) -> ft.Client:
        return ft.Client(self.key, self.url, progress=False)

    def end(self, how: signal.Signals) -> tuple[int, str, str]:
        """Send a signal as a terminal does, to the whole group, and wait for the end."""
        os.killpg(self.process.pid, how)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@contextmanager
def serving(*flags: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [*FT, "studio", "serve", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        head = [process.stdout.readline().rstrip("\n") for _ in range(5)]
        yield Serving(process, head)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FT, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
    )


def inside(*words: str | Path) -> tuple[int, str, str]:
    """Run a command in this process, as the notebook does."""
    console = Console(out=io.StringIO(), err=io.StringIO())
    outcome = run([str(word) for word in words], io=console)
    assert isinstance(console.out, io.StringIO)
    assert isinstance(console.err, io.StringIO)
    return outcome.code, console.out.getvalue(), console.err.getvalue()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(how: signal.Signals, tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path / "studio")) as studio:
        assert studio.head == [
            f"Studio at {studio.url}",
            f"Key {studio.key}",
            "",
            f"export FINETUNING_API_KEY={studio.key}",
            f"ft list --base-url {studio.url}",
        ]
        with studio.client() as client:
            assert client.me().email == "user@studio.localhost"
            assert client.me().limits.monthly_generations == 10_000
        listed = subprocess.run(
            [*FT, *studio.head[4].split()[1:]],
            env=os.environ | {"FINETUNING_API_KEY": studio.key},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (listed.returncode, listed.stderr) == (0, "")
        code, out, err = studio.end(how)
    assert code == 0
    assert out == ""
    assert err.splitlines() == [
        "note: a stand-in for the service, on this machine, with a rule-based composer; Ctrl-C stops it",
        "note: stopped; what was being made goes on at the next start",
    ]
    with pytest.raises(ft.errors.ConnectError), studio.client() as client:
        client.me()


def test_it_takes_the_ports_and_the_limits_that_it_is_told(tmp_path: Path) -> None:
    free = (free_port(), free_port())
    flags = ("--port", str(free[0]), "--media-port", str(free[1]), "--hosted-limits", "--data-dir", str(tmp_path))
    with serving(*flags) as studio:
        assert studio.url == f"http://127.0.0.1:{free[0]}"
        with studio.client() as client:
            assert client.me().limits.monthly_generations == 500
        taken = command("studio", "serve", "--port", str(free[0]), "--data-dir", tmp_path)
        assert taken.returncode == 2
        assert taken.stdout == ""
        assert taken.stderr.startswith(f"error: The studio cannot listen on port {free[0]}")
        assert taken.stderr.count("\n") == 1


def test_playlists_and_publishing_beside_a_studio_that_serves(tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path)) as studio, studio.client() as client:
        made = command("studio", "playlist", "create", "Focus Beats", "--public", "--data-dir", tmp_path)
        assert (made.returncode, made.stderr) == (0, "")
        playlist = client.playlist("Focus Beats")
        assert made.stdout == f"{playlist.id}\n"
        assert playlist.is_public is True

        tracks = [client.generate("bells", duration=5, wait=False).id for _ in range(2)]
        assert client.add_tracks(playlist, tracks).succeeded == []
        shown = command("studio", "publish", *tracks, tracks[0], "--data-dir", tmp_path)
        assert (shown.returncode, shown.stdout, shown.stderr) == (0, "Published 2 track(s)\n", "")
        assert client.add_tracks(playlist, tracks).succeeded == tracks

        hidden = command("studio", "unpublish", tracks[1], "--data-dir", tmp_path)
        assert (hidden.returncode, hidden.stdout) == (0, "Unpublished 1 track(s)\n")
        assert client.generation(tracks[1]).is_public is False
        assert list(client.playlist(playlist).tracks.id) == tracks[:1]


def test_the_studio_need_not_be_running(tmp_path: Path, home: Path) -> None:
    code, out, err = inside("studio", "playlist", "create", "Beats", "--data-dir", tmp_path)
    assert (code, err) == (0, "")
    with ft.studio.Studio(tmp_path, workers=0) as studio, ft.Client(studio.api_key, studio.url) as client:
        assert client.playlist("Beats").id == out.strip()
        assert client.playlist("Beats").is_public is False
        track = client.generate("bells", wait=False).id
    assert inside("studio", "publish", track, "--data-dir", tmp_path) == (0, "Published 1 track(s)\n", "")
    assert inside("studio", "unpublish", track, "--data-dir", tmp_path) == (0, "Unpublished 1 track(s)\n", "")
    assert inside("studio", "playlist", "create", "Beats")[0] == 0
    assert (home / "data" / "studio" / "studio.sqlite3").is_file()


def test_what_cannot_be_done_takes_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cases: dict[tuple[str, ...], str] = {
        ("publish", "3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10"): "The user has no track with the id '3f2b8c1e",
        ("publish", "no id"): "'no id' is not an id",
        ("publish",): "ID is missing. Usage: ft studio publish [flags] ID…. See: ft help studio publish",
        ("playlist", "create", " "): "The playlist's name is empty.",
        ("serve", "--port", "70000"): "--port takes a whole number from 0 to 65535, not '70000'.",
        ("serve", "--prt", "0"): "--prt is not a flag of ft studio serve; did you mean --port?",
        ("serv",): "'serv' is not a command of ft studio; did you mean serve?",
        ("playlist", "create", "x", "--data-dir", str(tmp_path / "file")): "--data-dir ",
        ("serve", "--data-dir", str(tmp_path / "file" / "in")): "The studio cannot use the folder",
    }
    for words, says in cases.items():
        where = () if "--data-dir" in words else ("--data-dir", tmp_path / "studio")
        code, out, err = inside("studio", *words, *where)
        assert (code, out, err.count("\n")) == (2, "", 1), (words, out, err)
        assert err.startswith(f"error: {says}"), err


def test_without_the_extra_the_message_names_the_command_that_installs_it() -> None:
    script = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from finetuning.cli import main\n"
        "sys.exit(main(['studio', 'serve']))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 2
    assert ended.stderr == "error: The studio is not installed. Install it with: pip install 'finetuning[studio]'\n"


def test_groups_show_their_help() -> None:
    for words in (("studio", "--help"), ("studio", "playlist", "--help"), ("studio", "serve", "--help")):
        code, out, err = inside(*words)
        assert (code, err) == (0, "")
        assert out.startswith(f"Usage: ft {' '.join(words).removesuffix(' --help')}")
        assert "Example:" in out
