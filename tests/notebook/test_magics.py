"""%ft and %%ft sweep in a real kernel, with a real studio. The tests stand in the order of a session."""

from __future__ import annotations

from typing import Protocol

import pytest


class Ran(Protocol):
    result: str
    stdout: str
    stderr: str
    error: str
    shown: list[str]
    traceback: list[str]


class Kernel(Protocol):
    answers: list[str]
    asked: list[tuple[str, bool]]

    def run(self, code: str, *, interrupt_at: str = ...) -> Ran: ...
    def ok(self, code: str) -> Ran: ...
    def value(self, expression: str) -> str: ...
    def tab(self, code: str) -> list[str]: ...


@pytest.fixture(scope="module")
def loaded(kernel: Kernel) -> Kernel:
    """A kernel in which there are two tracks, `takes`, and the playlists Focus Beats, Solo, and twice Twin."""
    kernel.ok("%load_ext finetuning")
    kernel.tab("%ft playlist show ")  # Tab makes no client
    assert "no client" in kernel.run("from finetuning import accessor; accessor.current()").error
    first = kernel.ok("df = %ft list --limit 50")
    assert first.stdout == ""
    assert first.stderr.count("\n") == 1
    assert "using the studio" in first.stderr
    made = kernel.ok(
        "import finetuning as ft\n"
        "from finetuning import accessor\n"
        "client = accessor.current()\n"
        "for name in ('Focus Beats', 'Solo', 'Twin', 'twin'):\n    client.studio.create_playlist(name)"
    )
    assert not made.stderr
    ran = kernel.ok("%%ft sweep --name first --at-once 2\ntags: lofi piano\nbpm: 80, 90\nduration: 5\n")
    assert ran.result == "SweepRun('first': 2 of 2 points finished: 2 completed)"
    kernel.ok("takes = ft.SweepRun.load('first', client).frame")
    return kernel


def test_a_listing_is_a_dataframe(loaded: Kernel) -> None:
    assert loaded.value("type(df).__name__, len(df), list(df)[:2]") == "('DataFrame', 0, ['id', 'title'])"
    listed = loaded.ok("df = %ft list --limit 1")
    assert "go on with --offset 1" in listed.stderr
    assert loaded.value("len(df), df.bpm.dtype.name") == "(1, 'Int64')"
    assert loaded.ok("%ft list --all").result.count("lofi piano") == 2


def test_playlists_are_dataframes_and_a_playlist_is_its_tracks(loaded: Kernel) -> None:
    loaded.ok("shelf = %ft playlists")
    assert loaded.value("sorted(shelf.name)") == "['Focus Beats', 'Solo', 'Twin', 'twin']"
    loaded.ok("client.add_tracks('solo', takes)\nname = 'Solo'")
    loaded.ok("tracks = %ft playlist show {name}")
    assert loaded.value("list(tracks.id) == list(takes.id)") == "True"


def test_a_selection_becomes_ids(loaded: Kernel) -> None:
    ran = loaded.ok('keepers = takes[takes.bpm > 85]\n%ft playlist add "Focus Beats" {keepers}')
    assert ran.result == "Added 1 of 1 track(s)"
    assert loaded.value("client.playlist('Focus Beats').tracks.id.tolist() == keepers.id.tolist()") == "True"
    assert loaded.ok('%ft playlist add "Focus Beats" {{takes}}').result.startswith("Added 1 of 2 track(s)")
    assert loaded.ok('%ft playlist remove "Focus Beats" $takes').result == "Removed 2 of 2 track(s)"


def test_a_record_comes_back_as_one(loaded: Kernel) -> None:
    ran = loaded.ok("one = %ft get {takes.iloc[0]}")
    assert (ran.stdout, ran.stderr) == ("", "")
    assert loaded.value("type(one).__name__, one.id == takes.id.iloc[0]") == "('Generation', True)"
    assert "limits=Limits(" in loaded.value("%ft me")


def test_json_comes_back_as_it_is(loaded: Kernel) -> None:
    loaded.ok("raw = %ft me --json")
    assert loaded.value("raw['data']['email']") == "'user@studio.localhost'"


def test_text_is_printed(loaded: Kernel) -> None:
    ran = loaded.ok("%ft completion zsh")
    assert ran.stdout.startswith("#compdef ft")
    assert ran.result == ""
    assert "Commands" in loaded.ok("%ft").stdout
    assert "--limit" in loaded.ok("%ft list --help").stdout


def test_an_upgrade_is_shown_in_the_cell(loaded: Kernel) -> None:
    ran = loaded.ok(
        "import sys\n"
        "from finetuning.cli import upkeep\n"
        "from finetuning.cli.installed import Way\n"
        "before = upkeep.how\n"
        "def by(code):\n"
        "    says = f'import sys; print(1); print(2, file=sys.stderr); sys.exit({code})'\n"
        "    upkeep.how = lambda: Way([sys.executable, '-u', '-c', says], 'Run it yourself.')\n"
        "by(0)\n"
        "%ft update"
    )
    assert ran.stdout == "1\n2\nRestart the kernel to use what is new.\n"
    failed = loaded.run("by(7)\n%ft update")
    assert failed.stdout == "1\n2\n"
    assert "ended with 7. Run it yourself." in failed.stderr
    assert failed.error
    loaded.ok("upkeep.how = before")


def test_a_studio_that_is_served_from_a_cell_says_where_until_it_is_stopped(loaded: Kernel) -> None:
    ran = loaded.run("%ft studio serve --data-dir served", interrupt_at="Ctrl-C stops it")
    assert "Studio at http://127.0.0.1:" in ran.stdout
    assert "note: stopped" in ran.stderr
    assert not ran.error


def test_the_variables_of_a_function_are_seen(loaded: Kernel) -> None:
    loaded.ok("def look(which):\n    found = %ft playlist show {which}\n    return len(found)")
    assert loaded.value("look('Solo')") == "2"


def test_flags_of_a_line_are_for_that_line(loaded: Kernel) -> None:
    other = loaded.run(f"%ft list --api-key ft_live_{'a' * 32} --base-url {{client.base_url}}")
    assert other.error.startswith("AuthenticationError: ")
    assert loaded.value("accessor.current() is client") == "True"
    loaded.ok("df = %ft list --base-url {client.base_url} --api-key {client.studio.api_key}")
    assert loaded.value("len(df)") == "2"


def test_a_configuration_of_a_line_is_for_that_line(loaded: Kernel) -> None:
    loaded.ok("import pathlib; pathlib.Path('away.json').write_text('{\"baseUrl\": \"http://127.0.0.1:9\"}')")
    ran = loaded.run("%ft list --config away.json --api-key {client.studio.api_key}")
    assert ran.error.startswith("ConnectError: http://127.0.0.1:9 could not be reached")
    assert loaded.value("len(get_ipython().run_line_magic('ft', 'list'))") == "2"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%ft lst", "UsageError: 'lst' is not a command of ft; did you mean list?"),
        ("%ft list --limit 0", "UsageError: --limit takes a whole number from 1 to 99"),
        ("%ft get {keeper}", "UsageError: There is no variable 'keeper'"),
        ("%ft get {takes[takes.bpm > 200]}", "SelectionError: {takes[takes.bpm > 200]}: The selection is empty."),
        ("%ft playlist show Twin", "AmbiguousPlaylistError: 2 playlists are named 'Twin'."),
        ("%ft get gen_nothing-of-the-kind", "NotFoundError: "),
        ("%ft sweep", "UsageError: A sweep is a cell"),
        ("%%ft list\nx", "UsageError: `%%ft list` is not a cell of its own."),
        ("%%ft sweep --wait\ntags: x", "UsageError: No such option '--wait'"),
        ("%%ft sweep\ntags: x\nkey: H", "ParameterError: Line 3: key='H' is not one of"),
        ("%%ft sweep --name first\ntags: x", "ParameterError: "),
    ],
)
def test_a_failing_command_raises_what_it_is_and_shows_that_alone(loaded: Kernel, line: str, says: str) -> None:
    ran = loaded.run(line)
    assert ran.error.startswith(says)
    assert "\n".join(ran.traceback) == ran.error
    assert not ran.stdout


def test_the_exception_can_be_caught_and_pickled(loaded: Kernel) -> None:
    ran = loaded.ok(
        "import pickle\n"
        "try:\n    get_ipython().run_line_magic('ft', 'playlist show Nowhere')\n"
        "except ft.errors.PlaylistNotFoundError as problem:\n    again = pickle.loads(pickle.dumps(problem))\n"
        "type(again).__name__"
    )
    assert ran.result == "'PlaylistNotFoundError'"


def test_deleting_needs_yes(loaded: Kernel) -> None:
    refused = loaded.run("%ft delete {takes}")
    assert refused.error
    assert "--yes" in refused.error
    assert loaded.value("len(client.generations())") == "2"


def test_an_interrupt_says_how_to_go_on(loaded: Kernel) -> None:
    ran = loaded.run("%ft generate long song --duration 60", interrupt_at="Queued.")
    assert ran.error.startswith("KeyboardInterrupt: ")
    assert "goes on and is paid for" in ran.stderr
    loaded.ok("started = %ft list --limit 1")
    assert loaded.value("started.prompt.tolist()") == "['long song']"
    loaded.ok("client.wait(started); client.delete_tracks(started, yes=True)")


def test_without_the_parts_of_a_deck_there_is_none(loaded: Kernel) -> None:
    loaded.ok("import sys; sys.modules['anywidget'] = None")
    ran = loaded.ok("made = %ft generate short chime --duration 5 --seed 3 -o other.mp3")
    loaded.ok("del sys.modules['anywidget']")
    assert ran.shown == []
    assert ran.stdout.startswith("Saved other.mp3")
    loaded.ok("client.delete_tracks(made, yes=True)")


def test_a_generation_can_be_heard(loaded: Kernel) -> None:
    ran = loaded.ok("made = %ft generate short chime --duration 5 --seed 3 -o first.mp3")
    assert "The deck appears where this notebook runs." in ran.shown[-1]
    assert loaded.value("made.status, made.seed, made.prompt") == "('completed', 3, 'short chime')"
    ran = loaded.ok("files = %ft download {made} -o chime.mp3")
    assert loaded.value("list(files), files.path.iloc[0].endswith('chime.mp3')") == (
        "(['id', 'path', 'bytes', 'error'], True)"
    )
    assert loaded.ok("%ft delete {made} --yes").result == "Deleted 1 of 1 track(s)"


def test_downloads_that_fail_are_rows(loaded: Kernel) -> None:
    ran = loaded.ok("%ft download {takes} gen_nothing -o takes/")
    assert ran.stderr.count("gen_nothing") == 1
    assert "Warning" not in ran.stderr
    loaded.ok("files = _")
    assert loaded.value("files.error.notna().tolist()") == "[False, False, True]"
    assert loaded.run("%ft download gen_nothing").error.startswith("NotFoundError: ")


def test_a_bulk_command_that_changes_nothing_raises(loaded: Kernel) -> None:
    ran = loaded.run("%ft playlist add Solo {takes}")
    assert ran.error.startswith("FinetuningError: Added 0 of 2 track(s): ")
    assert ran.stderr.count("Track already in playlist") == 2


def test_what_was_said_on_stderr_still_stops_the_notebook(loaded: Kernel) -> None:
    ran = loaded.run("%ft doctor --api-key {client.studio.api_key} --base-url http://127.0.0.1:9")
    assert "\N{BALLOT X}" in ran.stdout
    assert ran.error.startswith("FinetuningError: The command ended with exit code ")


def test_signing_in_asks_for_the_key_unseen(loaded: Kernel) -> None:
    key = loaded.value("client.studio.api_key").strip("'")
    loaded.answers.append(key)
    ran = loaded.ok("%ft auth login --base-url {client.base_url}")
    assert loaded.asked == [("API key: ", True)]
    assert "Signed in as user@studio.localhost (pro tier)" in ran.stdout
    assert ran.result.startswith("Account(")
    assert key not in ran.stdout + ran.stderr + ran.result
    loaded.ok("%ft auth logout")


def test_a_sweep_need_not_be_waited_for(loaded: Kernel) -> None:
    loaded.ok("%%ft sweep --no-wait --name second\ntags: bells\nduration: 5\n")
    assert loaded.value("ft.SweepRun.load('second', client).wait().frame.status.tolist()") == "['completed']"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("%ft playl", ["%ft playlists", "%ft playlist"]),
        ("df = %ft lis", ["df = %ft list"]),
        ("%ft list --sta", ["%ft list --status"]),
        ("%ft list --status pro", ["%ft list --status processing"]),
        ("%ft list --status=pro", ["%ft list --status=processing"]),
        ("%ft playlist show foc", ['%ft playlist show "Focus Beats"']),
        ('%ft playlist show "Focus B', ['%ft playlist show "Focus Beats"']),
        ("x = 1\n%ft playlist show So", ["x = 1\n%ft playlist show Solo"]),
        ("%%ft sw", ["%%ft sweep"]),
        ("%%ft sweep --n", ["%%ft sweep --name", "%%ft sweep --no-wait"]),
        ("%%ft sweep\ntags: x\ntim", ["%%ft sweep\ntags: x\ntime_signature: "]),
    ],
)
def test_tab_completes(loaded: Kernel, typed: str, offered: list[str]) -> None:
    assert loaded.tab(typed) == offered


def test_tab_offers_ids_where_names_are_shared_and_ids_of_tracks(loaded: Kernel) -> None:
    shown = [line.removeprefix("%ft playlist show ") for line in loaded.tab("%ft playlist show ")]
    assert {"Solo", '"Focus Beats"'} < set(shown)
    assert loaded.value(f"sorted(shelf[shelf.id.isin({shown!r})].name)") == "['Twin', 'twin']"
    assert len(shown) == 4
    first = loaded.value("takes.id.iloc[0]").strip("'")
    assert f"%ft get {first}" in loaded.tab("%ft get ")


def test_tab_elsewhere_is_as_it_was(loaded: Kernel) -> None:
    assert loaded.tab("%ft get {take") == ["%ft get {takes"]
    assert loaded.tab("client.playlis") == ["client.playlist", "client.playlists"]
    assert "%%ft sweep\ntags: x" not in "".join(loaded.tab("%%ft sweep\ntags: lofi pia"))


def test_tab_without_an_answer_offers_nothing_and_says_nothing(loaded: Kernel) -> None:
    loaded.ok("away = ft.Client(client.studio.api_key, 'http://127.0.0.1:9')")
    assert "%ft playlist show Solo" not in loaded.tab("%ft playlist show Sol")
    loaded.ok("away.close()")
    assert loaded.tab("%ft playlist show Sol") == ["%ft playlist show Solo"]


def test_the_extension_can_be_taken_back(loaded: Kernel) -> None:
    loaded.ok("%unload_ext finetuning")
    assert "not found" in loaded.run("%ft list").stderr
    loaded.ok("%load_ext finetuning")
    assert loaded.tab("%ft lis") == ["%ft list"]
    assert "3" in loaded.value("import asyncio\nasyncio.run(asyncio.sleep(0, 3))")
