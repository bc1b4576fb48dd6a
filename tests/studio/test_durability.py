"""What was accepted is finished, once: through kills, restarts, dying workers, and two studios on one folder."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetuning.studio import Studio

Open = Callable[..., Studio]
SHORT = {"tags": "piano", "duration": 5, "key": "C", "scale": "minor"}
LONG = {**SHORT, "duration": 30}
#: For what is stopped while it is rendered, and is never done.
LONGEST = {**SHORT, "duration": 210}

SCRIPT = """
import sys
from finetuning.studio import Studio
workers = int(sys.argv[2])
studio = Studio(sys.argv[1], workers=workers)
while workers and not studio.worker_pids:
    pass
print(studio.url, studio.api_key, *studio.worker_pids, flush=True)
sys.stdin.read()
studio.close()
"""


@contextmanager
def elsewhere(folder: Path, workers: int) -> Iterator[tuple[subprocess.Popen[str], httpx.Client, list[int]]]:
    """Run a studio in another process, from a script that has no guard around its main part.

    Yields the process, a client, and the process ids of its workers.
    """
    script = folder.parent / "run.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder), str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        url, key, *pids = process.stdout.readline().split()
        with httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30) as client:
            yield process, client, [int(pid) for pid in pids]
        process.kill()


def query(folder: Path, statement: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(folder / "studio.sqlite3", isolation_level=None, timeout=30)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def create(api: httpx.Client, body: dict[str, Any], **more: Any) -> str:
    answer = api.post("/v1/generations", json={**body, **more})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"]["id"])


def detail(api: httpx.Client, identity: str) -> dict[str, Any]:
    data: dict[str, Any] = api.get(f"/v1/generations/{identity}").json()["data"]
    return data


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # An orphan that has exited and that nobody has reaped is gone as well.
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_accepted_pieces_survive_a_kill(open_studio: Open, connect: Any, open_hook: Any, tmp_path: Path) -> None:
    hook, folder = open_hook(), tmp_path / "studio"
    with elsewhere(folder, 0) as (process, api, _):
        ids = [create(api, SHORT, seed=n, webhook=hook.url) for n in range(2)]
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    studio = open_studio(workers=1)
    studio.wait_idle(60)
    api = connect(studio)
    for identity in ids:
        piece = detail(api, identity)
        assert piece["status"] == "completed"
        assert len(httpx.get(piece["audioUrl"]).content) == piece["fileSize"]
    assert sorted(sent["id"] for _, _, sent in hook.requests) == sorted(ids), "each webhook fired once"
    assert api.get("/v1/me").json()["data"]["limits"]["generationsUsed"] == 2


def test_a_kill_in_the_middle_of_a_render(open_studio: Open, connect: Any, tmp_path: Path, wait_for: Any) -> None:
    folder = tmp_path / "studio"
    with elsewhere(folder, 1) as (process, api, _):
        identity = create(api, LONG)
        wait_for(lambda: detail(api, identity)["status"] == "processing")
        process.kill()
        process.wait()
    [(owner, lease)] = query(folder, "UPDATE jobs SET lease = lease + 3600 RETURNING owner, lease - unixepoch()")
    assert f":{process.pid}:" in owner
    # The dead process is recognised; nobody waits for its lease, which is longer than any patience here.
    assert lease > 1800
    studio = open_studio(workers=1)
    api = connect(studio)
    studio.wait_idle(120)
    assert detail(api, identity)["status"] == "completed"
    assert api.get("/v1/me").json()["data"]["limits"]["generationsUsed"] == 1


def test_a_stop_in_the_middle_of_a_render_gives_the_job_back(open_studio: Open, connect: Any, wait_for: Any) -> None:
    studio = open_studio(workers=1)
    api = connect(studio)
    identity = create(api, LONGEST)
    wait_for(lambda: detail(api, identity)["status"] == "processing")
    [worker] = studio.worker_pids
    studio.close()
    assert gone(worker)
    later = open_studio()
    assert detail(connect(later), identity)["status"] == "pending"
    assert query(later.data_dir, "SELECT owner, lease, deaths FROM jobs") == [(None, None, 0)]


def test_workers_die_with_their_studio(tmp_path: Path, wait_for: Any) -> None:
    folder = tmp_path / "studio"
    with elsewhere(folder, 1) as (process, api, [worker]):
        identity = create(api, LONGEST)
        wait_for(lambda: detail(api, identity)["status"] == "processing")
        assert not gone(worker)
        process.kill()
        process.wait()
    wait_for(lambda: gone(worker))


def test_two_studios_share_a_folder_and_render_each_piece_once(
    open_studio: Open, connect: Any, open_hook: Any, tmp_path: Path
) -> None:
    hook, folder = open_hook(), tmp_path / "studio"
    here = open_studio(workers=1)
    with elsewhere(folder, 1) as (_, there, _):
        api = connect(here)
        assert there.headers["X-API-Key"] == here.api_key
        ids = [create(api if n % 2 else there, SHORT, seed=n, webhook=hook.url) for n in range(6)]
        listed = [
            [row["id"] for row in who.get("/v1/generations").json()["data"]["generations"]] for who in (api, there)
        ]
        assert listed == [ids[::-1], ids[::-1]], "both see all"
        here.wait_idle(90)
        pieces = [detail(who, identity) for who in (api, there) for identity in ids]
    assert {piece["status"] for piece in pieces} == {"completed"}
    assert sorted(sent["id"] for _, _, sent in hook.requests) == sorted(ids)
    assert len({piece["audioUrl"] for piece in pieces}) == 12, "each studio names its own media port"
    assert len(list((folder / "media").iterdir())) == 6


def test_two_studios_that_meet_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "studio"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder), "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]
    keys = set()
    for process in processes:
        with process:
            assert process.stdout is not None
            keys.add(process.stdout.readline().split()[1])
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0
    assert len(keys) == 1
    assert query(folder, "SELECT count(*) FROM accounts") == [(2,)]


def test_a_worker_that_dies_is_replaced_and_the_piece_made(open_studio: Open, connect: Any, wait_for: Any) -> None:
    studio = open_studio(workers=1)
    api = connect(studio)
    identity = create(api, LONG)
    wait_for(lambda: detail(api, identity)["status"] == "processing")
    [worker] = studio.worker_pids
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: studio.worker_pids not in ([], [worker]))
    wait_for(lambda: query(studio.data_dir, "SELECT deaths FROM jobs") == [(1,)])
    api.post("/v1/generations/bulk-delete", json={"ids": [identity]})
    short = create(api, SHORT)
    studio.wait_idle(90)
    assert detail(api, short)["status"] == "completed"


def test_a_piece_that_kills_three_workers_has_failed(
    open_studio: Open, connect: Any, open_hook: Any, wait_for: Any
) -> None:
    studio, hook = open_studio(workers=1), open_hook()
    api = connect(studio)
    identity = create(api, LONGEST, webhook=hook.url)
    killed: set[int] = set()

    def kill_next() -> bool:
        if detail(api, identity)["status"] == "processing":
            for pid in set(studio.worker_pids) - killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        return bool(detail(api, identity)["status"] == "failed")

    wait_for(kill_next)
    piece = detail(api, identity)
    assert "worker died 3 times" in piece["errorMessage"]
    assert piece["completedAt"] is not None
    assert piece["audioUrl"] is None
    studio.wait_idle(30)
    assert [sent["status"] for _, _, sent in hook.requests] == ["failed"]
    assert not list((studio.data_dir / "media").iterdir())


def test_a_piece_deleted_while_it_is_rendered(open_studio: Open, connect: Any, wait_for: Any) -> None:
    studio = open_studio(workers=1)
    api = connect(studio)
    first = create(api, {**SHORT, "duration": 40})
    wait_for(lambda: detail(api, first)["status"] == "processing")
    assert api.post("/v1/generations/bulk-delete", json={"ids": [first]}).json() == {"data": {"deleted": [first]}}
    second = create(api, SHORT)
    studio.wait_idle(90)
    assert detail(api, second)["status"] == "completed"
    assert api.get(f"/v1/generations/{first}").status_code == 404
    assert [path.name for path in (studio.data_dir / "media").iterdir()] == [f"{second}.mp3"]


def test_a_brief_that_breaks_the_composer_fails_and_the_worker_lives(
    open_studio: Open, connect: Any, wait_for: Any
) -> None:
    studio = open_studio()
    api = connect(studio)
    broken, good = create(api, SHORT), create(api, SHORT)
    query(studio.data_dir, "UPDATE generations SET bpm = 5 WHERE id = ?", broken)
    worked = open_studio(workers=1)
    wait_for(lambda: worked.worker_pids)
    worked.wait_idle(60)
    piece = detail(api, broken)
    assert piece["status"] == "failed"
    assert "bpm is 5" in piece["errorMessage"]
    assert detail(api, good)["status"] == "completed"


def test_the_oldest_goes_first_and_the_users_before_the_houses(open_studio: Open, connect: Any) -> None:
    studio = open_studio()
    track = studio.house.tracks[0]
    query(studio.data_dir, "INSERT INTO jobs (generation_id, account_id, priority) VALUES (?, 'house', 1)", track)
    query(studio.data_dir, "UPDATE generations SET requested_duration = 5 WHERE id = ?", track)
    api = connect(studio)
    ids = [create(api, SHORT, seed=n) for n in range(3)]
    open_studio(workers=1).wait_idle(90)
    stamps = [detail(api, identity)["completedAt"] for identity in ids]
    assert stamps == sorted(stamps)
    when = [
        query(studio.data_dir, "SELECT rowid FROM scores WHERE generation_id = ?", made)[0][0] for made in [*ids, track]
    ]
    assert when == sorted(when)


def test_a_second_worker_is_started_when_there_is_more_to_do(open_studio: Open, connect: Any, wait_for: Any) -> None:
    studio = open_studio(workers=2)
    wait_for(lambda: len(studio.worker_pids) == 1)
    api = connect(studio)
    for n in range(2):
        create(api, LONG, seed=n)
    wait_for(lambda: len(studio.worker_pids) == 2)
    wait_for(lambda: len(api.get("/v1/generations?status=processing").json()["data"]["generations"]) == 2)


def test_leases_are_extended_and_expire(open_studio: Open, connect: Any, wait_for: Any) -> None:
    studio = open_studio()
    identity = create(connect(studio), SHORT)
    query(studio.data_dir, "UPDATE jobs SET owner = 'elsewhere:1:x', lease = unixepoch() + 3600")
    worker = open_studio(workers=1)
    wait_for(lambda: worker.worker_pids)
    assert query(studio.data_dir, "SELECT owner FROM jobs") == [("elsewhere:1:x",)], "another host's lease holds"
    query(studio.data_dir, "UPDATE jobs SET lease = unixepoch() - 1")
    worker.wait_idle(60)
    assert detail(connect(worker), identity)["status"] == "completed"


def test_what_a_crash_left_in_the_folder_is_removed(open_studio: Open, connect: Any, wait_for: Any) -> None:
    studio = open_studio()
    identity = create(connect(studio), SHORT)
    media = studio.data_dir / "media"
    studio.close()
    orphan, stale, fresh = media / "orphan.mp3", media / f"{identity}.old.part", media / f"{identity}.new.part"
    for path in (orphan, stale, fresh):
        path.write_bytes(b"x")
    os.utime(stale, (0, 0))
    again = open_studio(workers=1)
    wait_for(lambda: not orphan.exists() and not stale.exists())
    again.wait_idle(60)
    assert fresh.exists(), "another studio may be writing it"


def test_trouble_with_the_database_is_logged_and_survived(
    open_studio: Open, connect: Any, wait_for: Any, caplog: pytest.LogCaptureFixture
) -> None:
    studio = open_studio(workers=1)
    identity = create(connect(studio), SHORT)
    studio.wait_idle(60)
    with caplog.at_level(logging.ERROR):
        query(studio.data_dir, "ALTER TABLE jobs RENAME TO hidden")
        wait_for(lambda: "it tries again" in caplog.text)
        open_studio(workers=1)
        wait_for(lambda: "housekeeping failed" in caplog.text)
        query(studio.data_dir, "ALTER TABLE hidden RENAME TO jobs")
    second = create(connect(studio), SHORT)
    studio.wait_idle(60)
    assert {detail(connect(studio), made)["status"] for made in (identity, second)} == {"completed"}


def test_only_the_user_may_read_the_folder(studio: Studio) -> None:
    assert studio.data_dir.stat().st_mode & 0o777 == 0o700
    for path in studio.data_dir.glob("studio.sqlite3*"):
        assert path.stat().st_mode & 0o777 == 0o600, path


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(acts=st.lists(st.sampled_from(["create", "invalid", "delete", "broke", "rich", "pack", "list"]), max_size=12))
def test_credits_spent_are_generations_accepted(tmp_path_factory: pytest.TempPathFactory, acts: list[str]) -> None:
    with (
        Studio(tmp_path_factory.mktemp("ledger"), workers=0) as studio,
        httpx.Client(base_url=studio.url, headers={"X-API-Key": studio.api_key}, timeout=30) as api,
    ):
        accepted: list[str] = []
        deleted = 0
        for act in acts:
            if act in ("create", "invalid"):
                answer = api.post("/v1/generations", json={"tags": "x" if act == "create" else "", "duration": 5})
                if answer.status_code == 202:
                    accepted.append(answer.json()["data"]["id"])
                    left = api.get("/v1/me").json()["data"]["limits"]["totalRemaining"]
                    assert answer.json()["data"]["creditsRemaining"] == left
            elif act == "delete" and accepted:
                done = api.post("/v1/generations/bulk-delete", json={"ids": accepted[-1:]}).json()["data"]["deleted"]
                deleted += len(done)
            elif act in ("broke", "rich", "pack"):
                studio.set_credits({"broke": 0, "rich": 5, "pack": 1}[act], pack=2 if act == "pack" else 0)
        spent = [row[0] for row in query(studio.data_dir, "SELECT generation_id FROM spending ORDER BY seq")]
        assert spent == accepted
        left = query(
            studio.data_dir, "SELECT count(*) FROM generations WHERE account_id IN (SELECT account_id FROM spending)"
        )
        assert left == [(len(accepted) - deleted,)]
