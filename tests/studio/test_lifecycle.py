"""Starting and stopping: folders, ports, forks, running loops, migrations, missing extras."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import finetuning.studio
from finetuning.errors import StudioError
from finetuning.studio import Studio
from finetuning.studio.schema import MIGRATIONS, migrate
from finetuning.studio.service import default_folder

Open = Callable[..., Studio]


def run(script: str, *arguments: str, **environment: str) -> str:
    """Run a script in a new interpreter, warnings as errors, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_repr_says_what_it_is_and_hides_the_key(studio: Studio) -> None:
    text = repr(studio)
    assert "stand-in" in text
    assert "rule-based composer" in text
    assert "does not sing" in text
    assert studio.api_key not in text
    assert f"ft_live_{studio.api_key[8:12]}...****" in text
    studio.close()
    assert "closed" in repr(studio)


def test_the_key_is_in_the_services_form_and_stays(open_studio: Open) -> None:
    first = open_studio()
    first.close()
    second = open_studio()
    assert first.api_key == second.api_key
    assert len(second.api_key) == 40
    assert second.api_key.startswith("ft_live_")
    assert int(second.api_key[8:], 16) >= 0
    assert first.house == second.house


def test_close_leaves_nothing_behind(open_studio: Open, wait_for: Any) -> None:
    before = set(threading.enumerate())
    studio = open_studio(workers=1)
    wait_for(lambda: studio.worker_pids)
    [worker] = studio.worker_pids
    studio.close()
    studio.close()
    assert set(threading.enumerate()) <= before  # those of tests before may have ended meanwhile
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    for url in (studio.url, studio.media_url):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
    with pytest.raises(StudioError, match="is closed"):
        studio.create_playlist("x")
    with pytest.raises(StudioError, match="is closed"):
        studio.midi("x")


def test_it_is_a_context_manager(tmp_path: Path) -> None:
    with Studio(tmp_path, workers=0) as studio:
        assert httpx.get(f"{studio.url}/health").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{studio.url}/health")


def test_what_is_set_stays_in_the_folder(open_studio: Open, connect: Any) -> None:
    open_studio(tier="lifetime", credits=3).close()
    me = connect(open_studio()).get("/v1/me").json()["data"]
    assert (me["tier"], me["limits"]["totalRemaining"]) == ("lifetime", 3)


def test_the_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FINETUNING_DATA_HOME", str(tmp_path))
    with Studio(workers=0) as studio:
        assert studio.data_dir == tmp_path / "studio"
        assert (tmp_path / "studio" / "studio.sqlite3").exists()
    monkeypatch.delenv("FINETUNING_DATA_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_folder().name == "studio"
    assert default_folder().parent.name == "finetuning"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limits": "none"}, "'local'"),
        ({"tier": "gold"}, "free, plus, pro, lifetime"),
        ({"credits": -1}, "0 or more"),
        ({"credits": 1.5}, "0 or more"),
        ({"workers": True}, "0 or more"),
        ({"port": 70000}, "port 70000"),
    ],
)
def test_options_that_are_wrong(open_studio: Open, options: dict[str, Any], message: str) -> None:
    with pytest.raises(StudioError, match=message):
        open_studio(**options)


def test_controls_refuse_what_they_do_not_know(studio: Studio) -> None:
    with pytest.raises(StudioError, match="tier is 'gold'"):
        studio.set_tier("gold")
    with pytest.raises(StudioError, match="pack is -1"):
        studio.set_credits(1, pack=-1)
    with pytest.raises(StudioError, match="INTERNAL_ERROR or GENERATION_FAILED"):
        studio.fail_next("TEAPOT")


@pytest.mark.parametrize("which", ["port", "media_port"])
def test_ports_may_be_chosen_and_may_be_taken(open_studio: Open, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(StudioError, match=f"port {taken}.*\n.*another port"):
            open_studio(**{which: taken})
    studio = open_studio(**{which: taken})
    assert {"port": studio.url, "media_port": studio.media_url}[which] == f"http://127.0.0.1:{taken}"


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below"):
        with pytest.raises(StudioError, match="cannot use the folder"):
            Studio(folder, workers=0)
    other = tmp_path / "other"
    other.mkdir()
    (other / "studio.sqlite3").write_text(
        "this is not a database, it is a poem, and long enough to be read as a header"
    )
    with pytest.raises(StudioError, match="cannot be read as a studio's database"):
        Studio(other, workers=0)


def test_migrations_from_nothing(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db", isolation_level=None)
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    migrate(connection)
    migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"accounts", "generations", "jobs", "playlists", "spending"} <= tables
    connection.close()


def test_a_migration_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db", isolation_level=None)
    connection.execute("CREATE TABLE jobs (x)")
    with pytest.raises(sqlite3.OperationalError, match="jobs already exists"):
        migrate(connection)
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["jobs"]
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    connection.close()


def test_a_folder_of_a_newer_version_is_refused_and_untouched(open_studio: Open, tmp_path: Path) -> None:
    open_studio().close()
    path = tmp_path / "studio" / "studio.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StudioError, match=r"format 99.*\n.*Upgrade"):
        open_studio()


def test_the_database_is_durable_at_every_commit(studio: Studio) -> None:
    with studio._store.write() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_it_works_beside_a_running_loop(tmp_path: Path) -> None:
    async def cell() -> int:
        with Studio(tmp_path, workers=0) as studio:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{studio.url}/health")).status_code

    assert asyncio.run(cell()) == 200


def test_it_works_where_loops_are_patched(tmp_path: Path) -> None:
    script = """
import asyncio, sys, urllib.request
import nest_asyncio
from finetuning.studio import Studio
async def cell():
    nest_asyncio.apply()
    with Studio(sys.argv[1], workers=0) as studio:
        print(urllib.request.urlopen(studio.url + "/health").status)
asyncio.run(cell())
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "200\n", done.stderr


def test_a_script_that_forgets_to_close(tmp_path: Path) -> None:
    script = """
import sys
from finetuning.studio import Studio
studio = Studio(sys.argv[1], workers=1)
while not studio.worker_pids:
    pass
print(*studio.worker_pids)
"""
    worker = int(run(script, str(tmp_path)))
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_fork_of_the_process(tmp_path: Path) -> None:
    script = """
import os, sys, urllib.request, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork beside threads
from finetuning.errors import StudioError
from finetuning.studio import Studio
studio = Studio(sys.argv[1], workers=1)
while not studio.worker_pids:
    pass
[worker] = studio.worker_pids
child = os.fork()
if child == 0:
    try:
        studio.create_playlist("x")
    except StudioError as error:
        print(error.message)
    studio.close()
    print(urllib.request.urlopen(studio.url + "/health").status)
    sys.exit(0)  # not os._exit: the child's own exit handlers run
assert os.waitpid(child, 0)[1] == 0
print(studio.worker_pids == [worker], urllib.request.urlopen(studio.url + "/health").status)
"""
    # Without coverage, which writes to SQLite at the child's end: a thread that was left behind may hold its locks.
    alone = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": "", "PYTHONUNBUFFERED": "1"}
    assert run(script, str(tmp_path), **alone).splitlines() == [
        "This studio belongs to the process that forked this one.",
        "200",
        "True 200",
    ]


def test_a_fork_that_outlives_its_parent_keeps_no_worker_and_no_port(tmp_path: Path, wait_for: Any) -> None:
    script = """
import os, sys, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from finetuning.studio import Studio
studio = Studio(sys.argv[1], workers=1)
while not studio.worker_pids:
    pass
child = os.fork()
if child == 0:
    sys.stdin.read()
    os._exit(0)
print(studio.url.rpartition(":")[2], *studio.worker_pids, flush=True)
os.kill(os.getpid(), 9)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port, worker = (int(word) for word in process.stdout.readline().split())
        process.wait()

        def refused() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                return True
            return False

        wait_for(refused)

        def gone() -> bool:
            status = Path(f"/proc/{worker}/stat")
            return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"

        wait_for(gone)


def test_the_service_does_not_load_the_players(tmp_path: Path) -> None:
    script = """
import sys, json, urllib.request
from finetuning.studio import Studio
with Studio(sys.argv[1], workers=0) as studio:
    request = urllib.request.Request(
        studio.url + "/v1/generations", json.dumps({"tags": "piano"}).encode(), {"X-API-Key": studio.api_key})
    print(urllib.request.urlopen(request).status)
print([name for name in ("scipy", "soundfile", "pyloudnorm", "midirenderer", "pandas", "httpx") if name in sys.modules])
"""
    assert run(script, str(tmp_path)) == "202\n[]\n"


def test_a_missing_extra_names_the_command(tmp_path: Path) -> None:
    script = """
import sys
sys.modules["uvicorn"] = None
from finetuning.errors import MissingExtraError
try:
    from finetuning.studio import Studio
except MissingExtraError as error:
    print(error)
"""
    assert "pip install 'finetuning[studio]'" in run(script)


def test_the_package_has_one_name() -> None:
    assert finetuning.studio.__all__ == ["Studio"]
    with pytest.raises(AttributeError, match="no attribute 'Atelier'"):
        finetuning.studio.Atelier  # noqa: B018
