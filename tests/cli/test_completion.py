"""Tab: in a real bash, zsh and fish, and in the words by which they ask."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

import pexpect
import pytest

import finetuning as ft

PATIENCE = 60
AWKWARD = 'It\'s: rain, slow & "late"'
KEY = "ft_live_" + "0123456789abcdef" * 2


class Host(Protocol):
    answer: Any
    seen: list[tuple[str, str, dict[str, str]]]
    url: str

    def send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None: ...


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `ft` is a command, and nothing is known of a service yet."""
    binary = tmp_path / "bin" / "ft"
    binary.parent.mkdir()
    binary.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m finetuning.cli "$@"\n')
    binary.chmod(0o755)
    return dict(os.environ) | {"PATH": f"{binary.parent}:{os.environ['PATH']}"}


@pytest.fixture
def shelf(archive: ft.studio.Studio, shell: dict[str, str], home: Path) -> dict[str, str]:
    """The environment of someone who uses a studio with Calm, Focus Beats, an awkward name, and twice Twin."""
    with ft.Client(archive.api_key, archive.url, progress=False) as client:
        for playlist in client.playlists().id:
            archive.delete_playlist(playlist)
    for name in ("Calm", "Focus Beats", AWKWARD, "Twin", "twin"):
        archive.create_playlist(name)
    (home / "config").mkdir()
    (home / "config" / "config.json").write_text(json.dumps({"baseUrl": archive.url}))
    theirs = shell | {"FINETUNING_API_KEY": archive.api_key}
    pressed_until_answered(theirs, "playlist", "show")
    return theirs


def pressed_until_answered(environment: dict[str, str], *words: str) -> None:
    """Press Tab again and again, as one does on a busy machine; what was said is then kept for a minute."""
    line = {"_FT_COMPLETE": "zsh_complete", "COMP_WORDS": f"ft {' '.join(words)} ", "COMP_CWORD": str(len(words) + 1)}
    for _ in range(40):
        if asked(environment, **line):
            return
    raise AssertionError("the service was never in time")


def bash(environment: dict[str, str], *words: str) -> list[str]:
    """What bash is offered for the last of the words, by the script that `ft completion bash` prints."""
    script = (
        'eval "$(ft completion bash)"\n'
        f"COMP_WORDS=({' '.join(map(shlex.quote, words))})\nCOMP_CWORD={len(words) - 1}\n"
        "_ft_completion ft\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    ran = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split("\n")[:-1]


def bash_in_time(environment: dict[str, str], *words: str) -> list[str]:
    """What bash is offered once the service was in time: nothing may be kept, or what was is too old."""
    for _ in range(40):
        if (offered := bash(environment, *words)) != [""]:
            return offered
    raise AssertionError("the service was never in time")


def asked(environment: dict[str, str], **variables: str) -> str:
    ran = subprocess.run(
        ["ft"], env=environment | variables, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_bash_is_offered_commands_flags_and_their_values(shell: dict[str, str]) -> None:
    assert bash(shell, "ft", "pl") == ["playlists", "playlist"]
    assert bash(shell, "ft", "studio", "playlist", "") == ["create"]
    assert "--limit" in bash(shell, "ft", "list", "--")
    assert bash(shell, "ft", "list", "--status", "p") == ["pending", "processing"]
    assert bash(shell, "ft", "generate", "--key", "C") == ["C", "C#"]
    assert bash(shell, "ft", "completion", "") == ["bash", "zsh", "fish"]
    assert bash(shell, "ft", "help", "pl") == ["playlists", "playlist"]
    assert bash(shell, "ft", "help", "playlist", "") == ["show", "add", "remove", "move"]
    assert bash(shell, "ft", "help", "studio", "playlist", "") == ["create"]
    assert bash(shell, "ft", "help", "list", "") == bash(shell, "ft", "help", "nix", "") == [""]


def test_bash_is_offered_playlists_and_tracks(shelf: dict[str, str], archive: ft.studio.Studio) -> None:
    with ft.Client(archive.api_key, archive.url, progress=False) as client:
        tracks = [client.generate("bells", wait=False).id for _ in range(2)]
    pressed_until_answered(shelf, "get")
    offered = bash_in_time(shelf, "ft", "playlist", "show", "")
    assert {"Calm", "Focus Beats"} < set(offered)
    assert len(offered) == 5
    assert "Twin" not in offered  # two share the name: their ids are offered
    assert bash_in_time(shelf, "ft", "playlist", "add", "focus") == ["Focus Beats"]
    assert bash_in_time(shelf, "ft", "playlist", "move", "Calm", "cal") == ["Calm"]
    assert bash_in_time(shelf, "ft", "playlist", "show", "it") == [AWKWARD]
    assert set(tracks) <= set(bash_in_time(shelf, "ft", "get", ""))
    assert tracks[0] not in bash_in_time(shelf, "ft", "delete", tracks[0], "")


def test_a_name_with_a_space_is_one_word_at_the_prompt(shelf: dict[str, str]) -> None:
    prompt = "ready> "
    terminal = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        env=shelf | {"PS1": prompt, "TERM": "dumb", "INPUTRC": os.devnull, "PROMPT_COMMAND": ""},
        encoding="utf-8",
        timeout=PATIENCE,
    )
    try:
        terminal.expect_exact(prompt)
        terminal.sendline('bind "set enable-bracketed-paste off"; eval "$(ft completion bash)"')
        terminal.expect_exact(f"\n{prompt}")
        terminal.send("ft playlist show Foc\t")
        terminal.expect_exact("show Focus\\ Beats")
        terminal.sendline("--json")
        terminal.expect_exact('"name": "Focus Beats"')
        terminal.expect_exact(f"\n{prompt}")
        terminal.send('ft playlist show "Foc\t')
        terminal.expect_exact('show "Focus Beats"')
    finally:
        terminal.close(force=True)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("ft li", "ft list "),
        ("ft list --sta", "ft list --status "),
        ("ft list --status pro", "ft list --status processing "),
        ("ft help playlist sh", "ft help playlist show "),
        ("ft playlist show Foc", "ft playlist show Focus\\ Beats "),
        ("ft playlist show 'Foc", "ft playlist show 'Focus Beats' "),
        ("ft playlist show It", "ft playlist show " + r"It\'s:\ rain,\ slow\ \&\ \"late\" "),
        ("ft download gen_x -o take", "ft download gen_x -o takes.txt "),
    ],
)
def test_zsh_completes_at_the_prompt(typed: str, becomes: str, shelf: dict[str, str], tmp_path: Path) -> None:
    prompt = "ready> "
    (tmp_path / "takes.txt").touch()
    terminal = pexpect.spawn(
        "zsh",
        ["-f", "-i"],
        env=shelf | {"PS1": prompt, "TERM": "dumb", "ZDOTDIR": str(tmp_path)},
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(40, 200),
        cwd=tmp_path,
    )
    try:
        terminal.expect_exact(prompt)
        dump = shlex.quote(str(tmp_path / "dump"))
        terminal.sendline(
            f"unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -d {dump}; "
            'eval "$(ft completion zsh)"; PS1="go> "'
        )
        terminal.expect_exact("\rgo> ")
        terminal.send(typed + "\t")
        terminal.expect_exact(becomes)
    finally:
        terminal.close(force=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(shelf: dict[str, str], archive: ft.studio.Studio, tmp_path: Path) -> None:
    (tmp_path / "takes.txt").touch()
    with ft.Client(archive.api_key, archive.url, progress=False) as client:
        newest = [client.generate("bells", wait=False).id for _ in range(3)][::-1]
    pressed_until_answered(shelf, "get")

    def offered(line: str) -> list[str]:
        for _ in range(40):  # what was said before may be too old by now
            if found := pressed(line):
                return found
        raise AssertionError("the service was never in time")

    def pressed(line: str) -> list[str]:
        ran = subprocess.run(
            ["fish", "--no-config", "-c", "ft completion fish | source; complete -C $argv[1]", line],
            env=shelf | {"HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        return [each.partition("\t")[0] for each in ran.stdout.splitlines()]

    assert offered("ft li") == ["list"]
    assert offered("ft list --status p") == ["pending", "processing"]
    assert offered("ft help playlist ") == ["show", "add", "remove", "move"]
    assert offered("ft playlist show 'Focus B") == ["Focus Beats"]
    assert offered("ft playlist show Focus\\ B") == ["Focus Beats"]
    assert offered("ft playlist show It") == [AWKWARD]
    assert offered("ft get ")[:3] == newest
    assert offered("ft download gen_x -o ta") == ["takes.txt"]


def test_zsh_and_fish_are_answered(shelf: dict[str, str]) -> None:
    line = {"COMP_WORDS": "ft playlist show Cal", "COMP_CWORD": "3"}
    assert asked(shelf, _FT_COMPLETE="zsh_complete", **line).splitlines() == ["plain", "Calm", "0 track(s)"]
    line = {"COMP_WORDS": "ft playlist show Cal", "COMP_CWORD": "Cal"}
    assert asked(shelf, _FT_COMPLETE="fish_complete", **line).splitlines()[0].startswith("plain")
    assert "Calm" in asked(shelf, _FT_COMPLETE="fish_complete", **line)
    for name, start in {"zsh": "#compdef ft", "fish": "function _ft_completion"}.items():
        script = subprocess.run(
            ["ft", "completion", name], env=shelf, capture_output=True, text=True, check=True, timeout=PATIENCE
        ).stdout
        assert script.startswith(start)
        assert f"_FT_COMPLETE={name}_complete" in script


def test_an_instruction_that_is_not_ours_is_refused(shell: dict[str, str]) -> None:
    for instruction in ("tcsh_complete", "bash_source", "nonsense"):
        ran = subprocess.run(["ft"], env=shell | {"_FT_COMPLETE": instruction}, capture_output=True, timeout=PATIENCE)
        assert (ran.returncode, ran.stdout, ran.stderr) == (1, b"", b"")


def playlists(*names: str) -> bytes:
    rows = [{"id": f"pl_{place}", "name": name} for place, name in enumerate(names)]
    return json.dumps({"data": {"playlists": rows}}).encode()


def test_a_second_tab_asks_nobody_and_the_file_holds_no_key(shell: dict[str, str], host: Host, home: Path) -> None:
    host.answer = lambda handler: host.send(handler, 200, playlists("Calm"), content_type="application/json")
    mine = shell | {"FINETUNING_API_KEY": KEY}
    words = ("ft", "--base-url", host.url, "playlist", "show", "")
    assert bash_in_time(mine, *words) == ["Calm"]
    asked_for = [path for _, path, _ in host.seen]
    assert set(asked_for) == {"/v1/playlists"}
    assert bash(mine, *words) == ["Calm"]
    assert len(host.seen) == len(asked_for)

    kept = home / "data" / "completion.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert KEY[8:] not in kept.read_text()
    assert list(kept.parent.iterdir()) == [kept]

    # Another's names are not offered, and what is too old or not ours is asked for anew.
    bash_in_time(shell, "ft", "--api-key", KEY[:-1] + "0", "--base-url", host.url, "playlist", "show", "")
    assert len(host.seen) > len(asked_for)
    aged = {name: entry | {"at": entry["at"] - 3600} for name, entry in json.loads(kept.read_text()).items()}
    for content in (json.dumps(aged), "[]", "not JSON"):
        kept.write_text(content)
        before = len(host.seen)
        assert bash_in_time(mine, *words) == ["Calm"]
        assert len(host.seen) > before


def test_what_goes_wrong_offers_nothing_and_says_nothing(shell: dict[str, str], host: Host, home: Path) -> None:
    host.answer = lambda handler: host.send(handler, 500, b"<h1>no</h1>", content_type="text/html")
    mine = shell | {"FINETUNING_API_KEY": KEY}
    assert bash(shell, "ft", "playlist", "show", "") == [""]  # no key
    assert bash(shell | {"FINETUNING_API_KEY": "nonsense"}, "ft", "playlist", "show", "") == [""]
    for _ in range(40):  # on a busy machine time may be up before it is asked
        assert bash(mine, "ft", "--base-url", host.url, "playlist", "show", "") == [""]
        if host.seen:
            break
    assert len(host.seen) == 1
    assert bash(mine, "ft", "--base-url", "http://127.0.0.1:9", "playlist", "show", "") == [""]
    assert bash(mine, "ft", "--config", str(home / "none.json"), "playlist", "show", "") == [""]
    assert not (home / "data" / "completion.json").exists()


def test_a_service_that_does_not_answer_is_not_waited_for(shell: dict[str, str], host: Host) -> None:
    released = threading.Event()

    def withhold(handler: BaseHTTPRequestHandler) -> None:
        released.wait(PATIENCE)
        handler.close_connection = True

    host.answer = withhold
    try:
        words = ("ft", "--base-url", host.url, "playlist", "show", "")
        assert bash(shell | {"FINETUNING_API_KEY": KEY}, *words) == [""]
        assert not released.is_set()  # the shell had its prompt back while the service was still silent
    finally:
        released.set()


def test_an_unwritable_folder_costs_only_the_memory(shell: dict[str, str], host: Host, home: Path) -> None:
    host.answer = lambda handler: host.send(handler, 200, playlists("Calm"), content_type="application/json")
    (home / "data").write_text("a file where the folder should be")
    words = ("ft", "--base-url", host.url, "playlist", "show", "")
    assert bash_in_time(shell | {"FINETUNING_API_KEY": KEY}, *words) == ["Calm"]
