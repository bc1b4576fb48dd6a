"""Every row of the command reference, as processes against a studio over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import finetuning as ft

pytestmark = pytest.mark.usefixtures("signed_in")
Run = Callable[..., Any]
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_auth_login_checks_stores_and_says_where(
    ft_: Run, home: Path, studio: ft.studio.Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FINETUNING_API_KEY")
    done = ft_("auth", "login", "--stdin", stdin=f" {studio.api_key}\n")
    stored = home / "config" / "credentials"
    assert done.out == f"Stored in {stored}. ✓\nSigned in as user@studio.localhost (pro tier)\n"
    assert stored.read_text().strip() == studio.api_key
    assert stored.stat().st_mode & 0o777 == 0o600
    assert stored.parent.stat().st_mode & 0o777 == 0o700
    assert "plain text" in done.err
    assert ft_("auth", "whoami").out == ft_("me").out
    stored.chmod(0o644)
    assert ft_("me").said == [f"warning: {stored} can be read by others (mode 644): chmod 600 '{stored}'"]
    assert ft_("auth", "logout").out == f"Removed from {stored}. ✓\n"
    assert not stored.exists()
    assert ft_("me", code=2).said[0].startswith("error: No API key: run `ft auth login`, set FINETUNING_API_KEY, or")


def test_a_key_that_the_service_refuses_is_not_stored(ft_: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FINETUNING_API_KEY")
    done = ft_("auth", "login", stdin="ft_live_" + "0" * 32, code=1)
    assert (done.out, done.said[0][:7]) == ("", "error: ")
    assert not (home / "config" / "credentials").exists()
    assert "is not an API key" in ft_("auth", "login", stdin="ft_live_123", code=2).err


def test_me(ft_: Run) -> None:
    done = ft_("me")
    assert re.search(r"^Email +user@studio\.localhost$", done.out, re.MULTILINE)
    assert re.search(r"^Monthly remaining   \d+ / 10000$", done.out, re.MULTILINE)
    assert done.err == ""
    envelope = ft_("me", "--json")
    assert envelope.json["data"]["limits"]["monthlyGenerations"] == 10000
    assert envelope.out.startswith('{\n  "data": {\n    "id": "')


def test_a_zero_is_clamped_and_not_taken_for_the_default(ft_: Run) -> None:
    done = ft_("generate", "lofi", "--duration", "0", "--bpm", "0", "--no-wait")
    assert done.said == ["note: duration clamped from 0 → 5", "note: bpm clamped from 0 → 60"]


def test_generate_saves_and_notes_what_was_clamped(ft_: Run, desk: Path) -> None:
    done = ft_("generate", "lofi", "chill", "--duration", "3", "--bpm", "90", "--seed", "11", "-o", "take.mp3")
    assert re.fullmatch(r"Saved take\.mp3 \(\d+ kB\)\n", done.out)
    assert done.said[0] == "note: duration clamped from 3 → 5"
    assert re.fullmatch(rf"Queued\. id={UUID} status=pending", done.said[1])
    assert (desk / "take.mp3").stat().st_size > 10_000
    assert [path.name for path in desk.iterdir()] == ["take.mp3"]


def test_generate_without_waiting(ft_: Run) -> None:
    done = ft_("generate", "lofi chill", "--duration", "5", "--no-wait")
    assert re.fullmatch(rf"Queued\. id={UUID} status=pending\n", done.out)
    assert done.err == ""


def test_generate_as_json_downloads_nothing(ft_: Run, desk: Path) -> None:
    done = ft_("generate", "lofi chill", "--duration", "5", "--key", "any", "--json")
    assert done.json["data"]["status"] == "completed"
    assert list(desk.iterdir()) == []


def test_generate_takes_its_defaults_from_the_configuration(ft_: Run, signed_in: Path, tmp_path: Path) -> None:
    settings = json.loads(signed_in.read_text())
    named = tmp_path / "other.json"
    named.write_text(json.dumps(settings | {"defaultDuration": 6, "defaultBpm": 77}))
    done = ft_("--config", str(named), "generate", "lofi", "--no-wait", "--json")
    assert done.json["data"]["parameters"] | {"bpm": 77, "duration": 6} == done.json["data"]["parameters"]
    assert done.json["data"]["parameters"]["keyscale"] == "C major"


def test_list(ft_: Run, track: str) -> None:
    done = ft_("list", "--limit", "1", "--status", "completed")
    header, row = done.out.splitlines()
    assert header.split() == ["ID", "STATUS", "DURATION", "PROMPT", "CREATED"]
    assert re.match(rf"{UUID}  completed  \d+s ", row)
    assert row.endswith(("just now", "min ago"))
    everything = ft_("list", "--all", "--json").json["data"]
    assert track in [each["id"] for each in everything["generations"]]
    assert everything["hasMore"] is False


def test_list_says_how_to_go_on(ft_: Run, archive: ft.studio.Studio, tracks: list[str]) -> None:
    there = ("--base-url", archive.url, "--api-key", archive.api_key)
    done = ft_(*there, "list", "--limit", "99", "--offset", "99")
    assert done.said == ["note: there are more; go on with --offset 198"]
    assert len(done.out.splitlines()) == 100
    assert len(ft_("list", "--all", *there).out.splitlines()) >= 251


def test_get(ft_: Run, track: str) -> None:
    done = ft_("get", track)
    lines = dict(re.split(r"   +", line, maxsplit=1) for line in done.out.splitlines())
    assert lines["ID"] == track
    assert (lines["BPM"], lines["Key"], lines["Seed"]) == ("90", "A minor", "7")
    assert lines["Prompt"] == "lofi 東京 piano"
    assert ft_("get", "--json", track).json["data"]["id"] == track
    assert ft_("get", "gen_nix", code=1).said[0] == "error: Generation not found"


def test_download(ft_: Run, track: str, desk: Path) -> None:
    done = ft_("download", track)
    (path,) = desk.iterdir()
    assert re.fullmatch(rf"[a-z0-9-]{{1,40}}-{track[:8]}\.mp3", path.name)
    assert done.out.startswith(f"Saved {path.name} (")
    refused = ft_("download", track, code=2)
    assert refused.said == [f"error: {path.name} is there already; --force replaces it, -o names another."]
    path.write_bytes(b"")
    ft_("download", track, "--force")
    assert path.stat().st_size > 10_000
    several = ft_("download", track, "gen_nix", "-o", "takes", code=1)
    assert several.said == ["warning: gen_nix: Generation not found"]
    assert (desk / "takes" / path.name).stat().st_size == path.stat().st_size


def test_download_goes_on_where_it_stopped(ft_: Run, track: str, desk: Path) -> None:
    ft_("download", track, "-o", "a.mp3")
    whole = (desk / "a.mp3").read_bytes()
    (desk / "b.mp3.part").write_bytes(whole[:20_000])
    ft_("download", track, "-o", "b.mp3")
    assert (desk / "b.mp3").read_bytes() == whole
    assert not (desk / "b.mp3.part").exists()


def test_download_refuses_what_is_not_finished(ft_: Run, archive: ft.studio.Studio, tracks: list[str]) -> None:
    done = ft_("download", tracks[0], "--base-url", archive.url, "--api-key", archive.api_key, code=1)
    assert done.said == [f"error: {tracks[0]} is pending and has no audio. Run `ft get {tracks[0]}` later."]


def test_delete(ft_: Run, client: ft.Client) -> None:
    first, second = (client.generate("to be deleted", duration=5, wait=False).id for _ in range(2))
    refused = ft_("delete", first, code=2, stdin="y\n")
    assert len(refused.said) == 1
    assert "--yes" in refused.err
    assert ft_("delete", first, "-y").out == "Deleted 1 of 1 track(s)\n"
    again = ft_("delete", first, second, "--yes", "--json")
    assert again.json == {
        "data": {"deleted": [second], "errors": [{"id": first, "error": "Track not found or not owned by you"}]}
    }
    assert again.said == [f"warning: {first}: Track not found or not owned by you"]
    assert ft_("delete", first, "--yes", code=1).out == "Deleted 0 of 1 track(s)\n"


def test_playlists(ft_: Run, studio: ft.studio.Studio, track: str) -> None:
    calm, other = studio.create_playlist("Calm Nights"), studio.create_playlist("Other Nights", public=True)
    header, *rows = ft_("playlists").out.splitlines()
    assert header.split() == ["ID", "NAME", "TRACKS", "DURATION", "VISIBILITY", "UPDATED"]
    assert any(re.fullmatch(rf"{calm}  Calm Nights +0 +0s +private +just now", row) for row in rows)
    assert calm in [each["id"] for each in ft_("playlists", "--json").json["data"]["playlists"]]

    done = ft_("playlist", "add", "calm nights", track, "gen_nix", track)
    assert (done.out, done.said) == ("Added 1 of 2 track(s)\n", ["warning: gen_nix: Track not found"])
    again = ft_("playlist", "add", calm, track, "--json", code=1)
    assert again.json == {"data": {"added": [], "errors": [{"trackId": track, "error": "Track already in playlist"}]}}
    private = ft_("playlist", "add", "Other Nights", track, code=1)
    assert private.said == [
        f"warning: {track}: Cannot add private track to public playlist",
        "note: make the track public in the web application, or add it to a private playlist",
    ]

    shown = ft_("playlist", "show", "CALM NIGHTS").out
    for line in (
        f"ID +{calm}",
        "Name +Calm Nights",
        "Visibility +private",
        "Tracks +1",
        "Duration +5s",
        "Updated +just",
    ):
        assert re.search(f"^{line}", shown, re.MULTILINE), shown
    assert re.search(rf"^{track}  completed", shown, re.MULTILINE)
    assert ft_("playlist", "show", calm, "--json").json["data"]["tracks"][0]["id"] == track

    studio.create_playlist("Third Nights")
    assert ft_("playlist", "move", "calm nights", "Third Nights", track).out == "Moved 1 of 1 track(s)\n"
    assert ft_("playlist", "move", calm, other, track, code=1).out == "Moved 0 of 1 track(s)\n"
    assert ft_("playlist", "remove", "Third Nights", track).out == "Removed 1 of 1 track(s)\n"
    assert ft_("playlist", "remove", "Third Nights", track, code=1).out == "Removed 0 of 1 track(s)\n"


def test_two_playlists_of_one_name(ft_: Run, studio: ft.studio.Studio) -> None:
    twins = [studio.create_playlist("Twins") for _ in range(2)]
    (line,) = ft_("playlist", "show", "twins", code=2).said
    assert all(each in line for each in twins)
    (line,) = ft_("playlist", "show", "Twinz", code=2).said
    assert line.startswith("error: No playlist is named 'Twinz'. There are: 'Twins'")


def test_version(ft_: Run) -> None:
    assert ft_("--version").out == ft_("list", "--version").out == f"ft v{ft.__version__}\n"


def test_a_bulk_command_that_reached_nobody_did_nothing(ft_: Run, signed_in: Path) -> None:
    done = ft_("delete", "gen_1", "gen_2", "--yes", "--base-url", "http://127.0.0.1:9", code=3)
    assert done.out == ""
    assert "could not be reached" in "".join(done.said)


def test_doctor(ft_: Run, studio: ft.studio.Studio, signed_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = ft_("doctor")
    shown = studio.api_key[:12]
    assert done.out.splitlines() == [
        f"✓ ft v{ft.__version__}",
        f"✓ config: {signed_in}",
        f"✓ base URL: {studio.url}",
        "✓ /health → ok",
        f"✓ key: {shown}...****  (user@studio.localhost, pro tier)",
    ]
    assert (
        ft_("doctor", "--base-url", "http://127.0.0.1:9", code=3)
        .out.splitlines()[-1]
        .startswith("✗ /health → http://127.0.0")
    )
    assert "✗ key: " in ft_("doctor", "--api-key", "ft_live_" + "0" * 32, code=1).out
    monkeypatch.setenv("FINETUNING_API_KEY", "mistyped")
    *_, health, key = ft_("doctor", code=2).out.splitlines()
    assert health == "✓ /health → ok"
    assert key.startswith("✗ key: In FINETUNING_API_KEY: That is not an API key")
    monkeypatch.delenv("FINETUNING_API_KEY")
    assert ft_("doctor", code=2).out.splitlines()[-1].startswith("✗ key: No API key: run `ft auth login`")


def test_update_says_what_to_do_for_a_checkout(ft_: Run) -> None:
    assert re.fullmatch(r"ft runs from a checkout; update it with: git -C .+ pull\n", ft_("update").out)


def test_help(ft_: Run) -> None:
    done = ft_("help", "generate")
    assert done.out == ft_("generate", "--help").out == ft_("generate", "-h").out
    for flag in ("--duration", "--no-wait", "[default: C]", "[default: random]", "Example:", "--no-color"):
        assert flag in done.out
    assert ft_().out == ft_("--help").out == ft_("help").out


def test_verbose_shows_requests_and_answers(ft_: Run, studio: ft.studio.Studio) -> None:
    for argv in (("-v", "list"), ("list", "--verbose"), ("playlist", "-v", "show", "gen_nix")):
        done = ft_(*argv, code=None)
        assert any(line.startswith("GET /v1/") and f"{studio.api_key[:12]}...****" in line for line in done.said)
        assert any(re.fullmatch(r"GET /v1/\w+ -> 200 in \d\.\d+ s", line) for line in done.said)


def test_what_cannot_be_reached_is_3(ft_: Run) -> None:
    (line,) = ft_("me", "--base-url", "http://127.0.0.1:9", code=3).said
    assert line.startswith("error: http://127.0.0.1:9 could not be reached")
    assert "ft.connect" not in line


def test_the_services_word_is_verbatim(inside: Run, host: Any) -> None:
    error = {"error": {"code": "MONTHLY_LIMIT_REACHED", "message": "You've used all 500 credits; ft.me() = 0."}}
    host.answer = lambda handler: host.send(handler, 402, json.dumps(error).encode())
    done = inside("list", "--base-url", host.url, code=1)
    assert done.said == [
        "error: You've used all 500 credits; ft.me() = 0.",
        "`ft me` tells what is left; a pack or the next month brings more.",
    ]


BAD: list[tuple[list[str], str]] = [
    (["lst"], "'lst' is not a command of ft; did you mean list?"),
    (["playlist", "sho", "x"], "'sho' is not a command of ft playlist; did you mean show?"),
    (["list", "--limt", "3"], "--limt is not a flag of ft list; did you mean --limit?"),
    (["list", "--limit", "100"], "--limit takes a whole number from 1 to 99, not '100'."),
    (["list", "--offset", "-1"], "--offset takes a whole number from 0, not '-1'."),
    (["list", "--status", "don"], "--status 'don' is not one of pending, processing, completed, failed."),
    (["list", "--all", "--limit", "3"], "--all lists everything; leave out --limit and --offset."),
    (["generate", "lofi", "--key", "H"], "--key 'H' is not one of C, C#, D, D#, E, F, F#, G, G#, A, A#, B. The German"),
    (["generate", "lofi", "--scale", "dur"], "--scale 'dur' is not one of major, minor."),
    (["generate", "lofi", "--time-sig", "9"], "--time-sig '9' is not a number of beats from 2 to 7."),
    (["generate", "lofi", "--language", "xx"], "--language 'xx' is not one of en, ja"),
    (["generate", "lofi", "--bpm", "fast"], "--bpm takes a whole number, not 'fast'."),
    (["generate", " "], "tags is empty."),
    (["generate", "x" * 701], "tags has 701 characters; the service takes at most 700."),
    (["generate"], "TAGS is missing. Usage: ft generate [flags] TAGS…. See: ft help generate"),
    (["generate", "lofi", "-o", "/proc/x.mp3"], "/proc is not writable; choose another place with -o."),
    (["generate", "lofi", "-o", "no/where/x.mp3"], "The folder no/where is not there;"),
    (["generate", "lofi", "-o", "no/where/"], "The folder no is not there; make it first: mkdir -p no"),
    (["download", "gen_x", "-o", "no such/x.mp3"], "The folder no such is not there; make it first:"),
    (["download", "gen_x", "-o", "taken.mp3/"], "-o taken.mp3/ is a file, not a folder;"),
    (["download", "gen_x", "-o", "/dev/null", "--force"], "-o /dev/null is neither a file nor a folder;"),
    (["download", "gen_x", "-o", "-"], "-o - is not the standard output here;"),
    (["download", "gen_x", "-o", "x" * 300], f"-o {'x' * 60!r} cannot be used: file name too long."),
    (["download", "gen_x", "-o", "x\0"], "-o 'x\\x00' cannot be used: embedded null byte."),
    (["generate", "lofi", "-o", "taken.mp3"], "taken.mp3 is there already; --force replaces it"),
    (["generate", "lofi", "-o", "taken.mp3/x.mp3"], "taken.mp3 is not a folder; choose another place with -o."),
    (["generate", "lofi", "--webhook", "http://example.com"], "webhook is http, not https."),
    (["list", "extra"], "'extra' is more than ft list takes. Usage: ft list [flags]. See: ft help list"),
    (["get", "a", "b", "c", "d", "e"], "'b' 'c' 'd' … is more than ft get takes. Usage: ft get [flags] ID."),
    (["get"], "ID is missing. Usage: ft get [flags] ID. See: ft help get"),
    (["playlist", "move", "a", "b"], "ID is missing. Usage: ft playlist move [flags] FROM TO ID…."),
    (["list", "--limit"], "--limit needs a value: --limit NUMBER. See: ft help list"),
    (["list", "--limit", "٣"], "--limit takes a whole number from 1 to 99, not '٣'."),
    (["generate", "x", "--seed", "9" * 5000], f"--seed takes a whole number, not {'9' * 60!r}."),
    (["list", "--json=yes"], "--json takes no value: it is given or left out."),
    (["me", "--base-url", ""], "--base-url '' is empty;"),
    (["playlist"], "ft playlist takes a command: show, add, remove, move. See: ft help playlist"),
    (["auth", "bogus"], "'bogus' is not a command of ft auth; did you mean logout?"),
    (["completion", "tcsh"], "SHELL is one of bash, zsh, fish, not 'tcsh'."),
    (["get", "a b"], "'a b' is not an id; ids are 8-4-4-4-12 hexadecimal digits, or begin as gen_ does"),
    (["get", "zz"], "'zz' is not an id"),
    (["download", "notanid"], "'notanid' is not an id"),
    (["delete", "-y", "3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a1"], "'3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a1' is not an id"),
    (["playlist", "add", "Focus Beats", "notanid"], "'notanid' is not an id"),
    (["get", "../me"], "'../me' is not an id"),
    (["download", "gen_x", "-o", ""], "-o '' is not a path"),
    (["download", "gen_x", "gen_y", "-o", "taken.mp3"], "-o taken.mp3 is a file; several tracks need a folder."),
    (["delete", ""], "'' is not an id"),
    (["playlist", "show", " "], "An empty name does not name a playlist."),
    (["playlist", "move", "a", "a", "gen_x"], "Source and target are the same playlist."),
    (["me", "--api-key", "ft_live_12"], "That is not an API key (2 characters after 'ft_live_' instead of 32)."),
    (["me", "--base-url", "nix"], "The base URL 'nix' is not an http(s) URL."),
    (["me", "--config", "nix.json"], "--config nix.json is not a file."),
    (["me", "--config", "broken.json"], "broken.json, line 2, column 1: not JSON. Mend that line, or remove the file."),
    (
        ["studio", "playlist", "create", "Beats", "--data-dir", "/dev/null/x"],
        "The studio cannot use the folder /dev/null/x: Not a directory. Give another --data-dir, or set FINETUNING",
    ),
    (["help", "nix"], "'nix' is not a command of ft; there are: auth, me"),
    (["help", "me", "x"], "ft me has no commands of its own, so no 'x'."),
]


@pytest.mark.parametrize(("argv", "why"), BAD, ids=[" ".join(argv)[:40] for argv, _ in BAD])
def test_bad_input_is_2_in_one_line(inside: Run, desk: Path, argv: list[str], why: str) -> None:
    (desk / "taken.mp3").write_bytes(b"mine")
    (desk / "broken.json").write_text('{"defaultBpm": 90,\n}')
    done = inside(*argv, code=2)
    assert done.out == ""
    (line,) = done.said
    assert line.startswith(f"error: {why}")
    assert (desk / "taken.mp3").read_bytes() == b"mine"


def test_of_a_flag_that_is_given_twice_the_last_counts(inside: Run, signed_in: Path, track: str) -> None:
    """As everywhere, so that an alias with a flag can be overruled."""
    assert len(inside("list", "--limit", "5", "--limit", "1").value) == 1
    assert inside("list", "--limit", "1", "--base-url", "http://127.0.0.1:9", "--base-url", "nix", code=2).said


def test_a_folder_that_is_named_as_one_is_made(inside: Run, signed_in: Path, desk: Path, track: str) -> None:
    inside("download", track, "-o", "takes/")
    assert [path.suffix for path in (desk / "takes").iterdir()] == [".mp3"]


def test_a_bad_flag_of_a_process_is_2_in_one_line(ft_: Run) -> None:
    done = ft_("list", "--limit", "0", code=2)
    assert (done.out, done.said) == ("", ["error: --limit takes a whole number from 1 to 99, not '0'."])
