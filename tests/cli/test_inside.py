"""The command inside a process, as a notebook runs it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.errors
import pytest

import finetuning as ft
from finetuning import credentials
from finetuning.cli import main, upkeep
from finetuning.cli.installed import Way
from finetuning.cli.running import Console, run
from finetuning.client.loop import LoopThread
from finetuning.errors import FinetuningWarning, SettingsError
from finetuning.keys import ApiKey

Run = Callable[..., Any]
KEY = "ft_live_" + "0123456789abcdef" * 2


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


def test_a_client_that_is_handed_in_is_used_and_stays_open(
    inside: Run, studio: ft.studio.Studio, track: str, loop: LoopThread
) -> None:
    made: list[ft.AsyncClient] = []

    def factory(**flags: Any) -> ft.AsyncClient:
        assert flags == {"api_key": None, "base_url": None}
        if not made:
            made.append(ft.AsyncClient(studio.api_key, studio.url))
        return made[0]

    handed = {"client": factory, "execute": loop.run}
    listed = inside("list", **handed)
    assert (listed.kind, track in [each.id for each in listed.value]) == ("generations", True)
    got = inside("get", track, **handed)
    assert (got.kind, got.value.id, got.value.seed) == ("generation", track, 7)
    assert inside("me", **handed).value.tier == "pro"
    studio.create_playlist("Inside")
    assert "Inside" in [each.name for each in inside("playlists", **handed).value]
    assert inside("playlist", "show", "inside", **handed).value.tracks == []
    changed = inside("playlist", "add", "inside", track, **handed)
    assert (changed.kind, changed.value.succeeded) == ("bulk", [track])
    shown = inside("playlist", "show", "inside", **handed)
    assert (shown.kind, [each.id for each in shown.value.tracks]) == ("playlist", [track])
    (saved,) = inside("download", track, **handed).value
    assert saved.path.stat().st_size == saved.size
    assert inside("help", "me", **handed).kind == "text"
    loop.run(made[0].aclose())


def test_an_interrupt_ends_with_130(inside: Run, studio: ft.studio.Studio, track: str) -> None:
    def interrupted(work: Any) -> Any:
        work.close()
        raise KeyboardInterrupt

    there = ("--api-key", studio.api_key, "--base-url", studio.url)
    assert inside("list", *there, execute=interrupted, code=130).said == ["Interrupted."]
    (line,) = inside("playlist", "add", "x", track, *there, execute=interrupted, code=130).said
    assert line == "Interrupted while adding 1 track(s). Repeating the command does no harm."


def test_a_fault_of_ours_shows_no_traceback_without_v(inside: Run, studio: ft.studio.Studio) -> None:
    def broken(work: Any) -> Any:
        work.close()
        raise ZeroDivisionError("by zero")

    argv = ("me", "--api-key", studio.api_key)
    assert inside(*argv, execute=broken, code=1).said == [
        "error: ZeroDivisionError: by zero. This is a fault of ft; -v shows where."
    ]
    assert "Traceback" in inside(*argv, "-v", execute=broken, code=1).err


def test_nobody_reads_any_more(studio: ft.studio.Studio) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run(["--help"], io=Console(out=Closed(), err=io.StringIO()))


def test_main_in_this_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["ft", "lst"])
    assert main() == 2
    assert capsys.readouterr().err == "error: 'lst' is not a command of ft; did you mean list?\n"


def test_what_is_given_up_is_said(inside: Run, host: Any, studio: ft.studio.Studio) -> None:
    row = {"id": "gen_g", "prompt": "x", "status": "pending", "createdAt": "2025-01-15T10:30:00Z"}
    failed = row | {"status": "failed", "errorMessage": "Too loud."}

    def answer(handler: Any) -> None:
        data = row if handler.command == "POST" else failed
        headers = {"x_ratelimit_limit": "100000"}
        host.send(handler, 200, json.dumps({"data": data}).encode(), **headers)

    host.answer = answer
    there = ("--api-key", studio.api_key, "--base-url", host.url)
    done = inside("generate", "x", *there, code=1)
    assert done.said[-1].startswith("error: gen_g failed: Too loud")
    assert inside("download", "gen_g", *there, code=1).said == ["error: gen_g is failed and has no audio. Too loud."]


def test_what_takes_too_long_goes_on(
    inside: Run, archive: ft.studio.Studio, clock: Any, loop: LoopThread, home: Path
) -> None:
    client = ft.AsyncClient(archive.api_key, archive.url, clock=clock)
    done = inside("generate", "slow", client=lambda **flags: client, execute=loop.run, code=1)
    assert re.fullmatch(r"still processing, run `ft get \S+` later", done.said[-1])
    assert clock.now >= 300
    loop.run(client.aclose())


def test_a_limit_is_waited_for_and_said(inside: Run, host: Any, studio: ft.studio.Studio) -> None:
    said = json.dumps({"error": {"code": "RATE_LIMITED", "message": "Slow down."}}).encode()
    fine = json.dumps({"data": {"playlists": []}}).encode()

    def answer(handler: Any) -> None:
        first = len(host.seen) % 2
        host.send(handler, 429 if first else 200, said if first else fine, retry_after="1" if first else "")

    host.answer = answer
    there = ("--api-key", studio.api_key, "--base-url", host.url)
    done = inside("playlists", *there)
    assert done.said == ["note: RATE_LIMITED on GET /v1/playlists: waiting 1 s"]
    assert done.out.split() == ["ID", "NAME", "TRACKS", "DURATION", "VISIBILITY", "UPDATED"]


def test_a_listing_without_end_is_told(inside: Run, host: Any, studio: ft.studio.Studio) -> None:
    page = {"generations": [{"id": "a", "status": "new"}], "hasMore": True, "nextOffset": 0, "later": 1}
    host.answer = lambda handler: host.send(handler, 200, json.dumps({"data": page}).encode())
    there = ("--api-key", studio.api_key, "--base-url", host.url)
    assert "repeats itself" in inside("list", "--all", *there, code=3).err
    one = inside("list", "--json", *there)
    assert one.json == {"data": page}
    assert one.said == ["note: there are more; go on with --offset 0"]


def test_json_is_the_services_own(inside: Run, host: Any, studio: ft.studio.Studio) -> None:
    content = (
        b'{"data":{"zeta":1.0,"id":"a","big":12345678901234567890123,"new":[{"x":null}],"email":"\\u00e9"},"meta":{}}'
    )
    host.answer = lambda handler: host.send(handler, 200, content)
    done = inside("me", "--json", "--api-key", studio.api_key, "--base-url", host.url)
    assert done.out == (
        '{\n  "data": {\n    "zeta": 1.0,\n    "id": "a",\n    "big": 12345678901234567890123,\n    "new": [\n'
        '      {\n        "x": null\n      }\n    ],\n    "email": "\\u00e9"\n  },\n  "meta": {}\n}\n'
    )


def test_questions_and_answers(inside: Run, studio: ft.studio.Studio, desk: Path, track: str) -> None:
    there = ("--api-key", studio.api_key, "--base-url", studio.url)
    assert inside("delete", track, *there, answers=["no"]).said[-1].endswith("Nothing was deleted.")
    (desk / "a.mp3").write_bytes(b"mine")
    assert inside("download", track, "-o", "a.mp3", *there, answers=["n"]).out == ""
    assert inside("generate", "x", "-o", "a.mp3", *there, answers=["n"]).out == ""
    # Nothing, and the end of the input, are a no as well.
    assert inside("delete", track, *there, answers=[""]).said[-1].endswith("Nothing was deleted.")
    assert inside("delete", track, *there, answers=[]).said[-1] == "Nothing was deleted."
    assert inside("get", track, *there).value.id == track
    assert (desk / "a.mp3").read_bytes() == b"mine"
    assert inside("download", track, "-o", "a.mp3", *there, answers=["Y"]).out.startswith("Saved a.mp3 (")
    doomed = inside("generate", "doomed", "--duration", "5", "--no-wait", "-o", "x.mp3", *there)
    assert doomed.said == ["note: nothing is downloaded with --json, --no-wait or --webhook, so -o is not used"]
    assert inside("delete", doomed.value.id, *there, answers=["yes"]).out == "Deleted 1 of 1 track(s)\n"


def test_a_terminal_in_colour_with_progress(inside: Run, studio: ft.studio.Studio) -> None:
    there = ("--api-key", studio.api_key, "--base-url", studio.url)
    terminal = {"out_is_terminal": True, "err_is_terminal": True}
    done = inside("generate", "shown", "--duration", "5", "-o", "new/", *there, **terminal)
    assert "generating · 00:0" in done.err
    assert re.fullmatch(r"Saved new/\S+\.mp3 \(.+\)\n", done.out)
    assert "\x1b[31merror:\x1b[0m" in inside("lst", code=2, **terminal).err
    assert "\x1b" not in inside("list", "--no-color", "--limit", "0", code=2, **terminal).err


def test_update_runs_what_installed_it(inside: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(upkeep, "how", lambda: Way(["pipx", "upgrade", "finetuning"], "Run it yourself."))
    started: list[Any] = []

    def start(command: Any, code: int = 0) -> int:
        started.append(command)
        return code

    assert inside("update", start=start).said == ["$ pipx upgrade finetuning"]
    assert started == [["pipx", "upgrade", "finetuning"]]
    failed = inside("update", start=lambda command: 7, code=1)
    assert failed.said[-1] == "error: pipx ended with 7. Run it yourself."
    monkeypatch.setattr(upkeep, "how", lambda: Way([str(tmp_path / "uv"), "upgrade"], "Run it yourself: uv upgrade"))
    assert inside("update", code=2).said[-1] == (
        f"error: {tmp_path / 'uv'} cannot be started: No such file or directory. "
        "Run it yourself: uv upgrade, where it is installed."
    )


def test_doctor_names_a_file_that_is_broken(inside: Run, home: Path) -> None:
    config = home / "config" / "config.json"
    config.parent.mkdir()
    config.write_text('{"defaultDuration": 60,\n"defaultBpm": "fast"}')
    done = inside("doctor", code=2)
    _, line, *_ = done.out.splitlines()
    assert line.startswith(
        f"✗ config: {config}, line 2: Expected `int | null`, got `str` - at `$.defaultBpm`. It holds"
    )


# Credentials


def test_a_login_is_a_login_for_both(inside: Run, keychain: Any, studio: ft.studio.Studio, home: Path) -> None:
    there = ("--base-url", studio.url)
    (home / "config").mkdir()
    (home / "config" / "credentials").write_text(KEY)
    done = inside("auth", "login", *there, answers=[studio.api_key])
    assert keychain.stored == {("finetuning", "default"): studio.api_key}
    assert not (home / "config" / "credentials").exists()
    assert done.out.splitlines()[0] == f"Stored in {keychain.name}. ✓"
    assert done.value.email == "user@studio.localhost"
    assert inside("me", *there).code == 0
    assert inside("auth", "logout").out == f"Removed from {keychain.name}. ✓\n"
    assert inside("auth", "logout").out == "No key was stored.\n"
    inside("auth", "login", *there, "--api-key", studio.api_key)
    assert keychain.stored


def test_nothing_typed_is_no_key(inside: Run) -> None:
    assert inside("auth", "login", answers=[], code=2).said[-1].endswith("error: No key was given.")
    assert "it is empty" in inside("auth", "login", code=2).err


def test_the_variable_that_comes_first_is_said(
    inside: Run, studio: ft.studio.Studio, monkeypatch: pytest.MonkeyPatch, keychain: Any
) -> None:
    monkeypatch.setenv("FINETUNING_API_KEY", studio.api_key)
    done = inside("auth", "login", "--base-url", studio.url, stdin=studio.api_key)
    assert done.said == ["note: FINETUNING_API_KEY is set, and comes before what is stored"]
    assert inside("auth", "logout").said == ["note: FINETUNING_API_KEY is still set"]


def test_a_keychain_that_refuses_is_not_gone_round(keychain: Any, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def refuse(*_: str) -> None:
        raise keyring.errors.KeyringLocked

    monkeypatch.setattr(keychain, "set_password", refuse)
    with pytest.raises(SettingsError, match=r"The keychain refused \(KeyringLocked\)") as caught:
        credentials.store(ApiKey(KEY))
    assert KEY not in repr(caught.value)
    assert not (home / "config").exists()


@pytest.mark.usefixtures("keychain")
def test_the_file_is_written_whole_and_for_its_owner(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.null import Keyring

    keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]  # keyring leaves it untyped
    folder = home / "config"
    folder.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        place, plain = credentials.store(ApiKey(KEY))
    finally:
        os.umask(before)
    assert (place, plain) == (str(folder / "credentials"), True)
    assert (folder / "credentials").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(SettingsError, match="cannot be written: No space left on device"):
        credentials.store(ApiKey(KEY.replace("0", "1")))
    assert [path.name for path in folder.iterdir()] == ["credentials"]
    assert (folder / "credentials").read_text() == KEY + "\n"


@pytest.mark.usefixtures("keychain")
def test_a_file_that_cannot_be_removed_is_told(home: Path) -> None:
    (home / "config" / "credentials").mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be removed"):
        credentials.forget()


def test_loose_permissions_warn_in_python_too(home: Path) -> None:
    path = home / "config" / "credentials"
    path.parent.mkdir()
    path.write_text(KEY)
    path.chmod(0o640)
    with pytest.warns(FinetuningWarning, match=r"can be read by others \(mode 640\): chmod 600"):
        client = ft.AsyncClient()
    asyncio.run(client.aclose())


def test_a_file_that_is_broken_is_told_of_whatever_the_address(inside: Run, home: Path) -> None:
    config = home / "config" / "config.json"
    config.parent.mkdir()
    config.write_text('{"defaultBpm": 85,\n oops}')
    there = ("--base-url", "http://127.0.0.1:9", "--api-key", "ft_live_" + "0" * 32)
    assert f"{config}, line 2" in inside("list", *there, code=2).err
    assert "is not a file" in inside("list", *there, "--config", "gone.json", code=2).err
    lines = inside("doctor", "--base-url", "http://127.0.0.1:9", code=2).out.splitlines()
    assert [line.split(" ")[1] for line in lines] == ["ft", "config:", "base", "/health"]
    assert [line[0] for line in lines] == ["✓", "✗", "✓", "✗"]


def test_an_address_that_a_folder_s_command_does_not_go_by_is_named(inside: Run, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    done = inside(
        "studio", "playlist", "create", "Mine", "--data-dir", str(folder), "--base-url", "http://127.0.0.1:9", code=0
    )
    assert f"--base-url is not used here; the studio in {folder}" in done.err
