"""A sync that is broken off anywhere goes on where it stopped; one that races with changes loses nothing."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finetuning as ft
from finetuning.errors import ConnectError, InvalidAnswerError, LibraryHeldError, NotFoundError
from finetuning.library import Library, SyncReport
from finetuning.library.locks import held
from finetuning.library.steps import drive, drive_async
from finetuning.library.syncing import sync
from finetuning.protocol import Request
from finetuning.records import Account, Generation, GenerationPage, Playlist, PlaylistList

from ..conftest import Host
from .conftest import Archive

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
URL = "https://pub.finetuning.ai"


class Service:
    """The service by its documented rules, without the wire: rows newest first, pages by offset.

    `meanwhile` is called before each answer and may change the library.
    """

    def __init__(self, count: int = 0) -> None:
        self._numbers = itertools.count()
        self.rows: list[Generation] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.requests = 0
        self.create(count)

    def create(self, count: int = 1, status: str = "completed") -> None:
        for _ in range(count):
            number = next(self._numbers)
            self.rows.insert(
                0, Generation(id=f"g{number}", title=f"Take {number}", status=status, created="2026-01-15 10:30:00")
            )

    def delete(self, places: list[float]) -> list[str]:
        """Delete rows by their places, from 0 for the top to 1 for the end; returns their ids."""
        return [self.rows.pop(int(place * (len(self.rows) - 1))).id for place in places if self.rows]

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.rows]

    def __call__(self, request: Request[Any]) -> Any:
        self.requests += 1
        self.meanwhile()
        if request.path == "/v1/me":
            return Account(id="usr_1")
        if request.path == "/v1/playlists":
            return PlaylistList(playlists=[])
        if request.path == "/v1/generations":
            offset, limit = int(request.query["offset"]), int(request.query["limit"])
            page = self.rows[offset : offset + limit]
            more = offset + limit < len(self.rows)
            return GenerationPage(generations=page, has_more=more, next_offset=offset + limit if more else None)
        found = next((row for row in self.rows if row.id == request.path.rpartition("/")[2]), None)
        if found is None:
            raise NotFoundError("Not found", status=404, code="NOT_FOUND")
        return found


def synced(send: Callable[[Request[Any]], Any], **options: Any) -> SyncReport:
    chosen = {"full": False, "verify": None, "details": False, "now": NOW, **options}
    return drive(sync(URL, None, tell=lambda done, total: None, **chosen), send)


def kept_ids(*, gone: bool = False) -> list[str]:
    return list(Library.open().generations(gone=gone).id)


@contextmanager
def own_home() -> Iterator[None]:
    """A data folder of its own for one of many examples."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINETUNING_DATA_HOME", folder)
        yield


class StopError(Exception):
    """What breaks a sync off here."""


@pytest.mark.parametrize("rows", [30, 99, 100, 250, 2500])
def test_a_first_sync_that_is_broken_off_at_any_request_goes_on(rows: int) -> None:
    service = Service(rows)
    stops = 0

    def broken(request: Request[Any]) -> Any:
        if service.requests % 7 == 5:
            service.requests += 1
            raise StopError
        return service(request)

    while True:
        try:
            synced(broken)
            break
        except StopError:
            stops += 1
            assert stops < 50
            assert kept_ids() == service.ids[: len(kept_ids())]  # from the top down, without a hole
    assert kept_ids() == service.ids
    assert stops >= (1 if rows > 300 else 0)
    assert service.requests < 1.6 * rows / 98 + 10 * (stops + 1)


@settings(max_examples=20)
@given(
    rows=st.integers(0, 700),
    syncs=st.lists(
        st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 320), st.lists(st.floats(0, 1), max_size=4)),
        max_size=4,
    ),
)
def test_wherever_syncs_are_broken_off_the_next_whole_one_has_everything(
    rows: int, syncs: list[tuple[int, bool, int, list[float]]]
) -> None:
    service = Service(rows)
    with own_home():
        for left, full, new, places in syncs:
            budget = iter(range(left))

            def breaking(request: Request[Any], budget: Iterator[int] = budget) -> Any:
                if next(budget, None) is None:
                    raise StopError
                return service(request)

            with suppress(StopError):
                synced(breaking, full=full)
            service.create(new)
            service.delete(places)
        report = synced(service, verify=True)
        assert report.verified
        assert kept_ids() == service.ids
        assert len(set(kept_ids(gone=True))) == len(kept_ids(gone=True))


@settings(max_examples=20)
@given(
    rows=st.integers(0, 600),
    plan=st.lists(st.tuples(st.integers(0, 150), st.lists(st.floats(0, 1), max_size=3)), max_size=12),
    full=st.booleans(),
)
def test_rows_made_and_deleted_between_pages_cost_no_other_row(
    rows: int, plan: list[tuple[int, list[float]]], full: bool
) -> None:
    service = Service(rows)
    with own_home():
        synced(service)
        service.create(250)
        throughout = set(service.ids)
        steps = iter(plan)

        def change() -> None:
            new, places = next(steps, (0, []))
            service.create(new)
            throughout.difference_update(service.delete(places))

        service.meanwhile = change
        synced(service, full=full, verify=True)
        kept = kept_ids()
        assert throughout <= set(kept)
        assert len(kept) == len(set(kept))
        service.meanwhile = lambda: None
        assert synced(service, verify=True).verified
        assert kept_ids() == service.ids


def test_a_listing_that_ignores_the_offset_is_refused_and_what_was_read_is_kept() -> None:
    service = Service(300)

    def stuck(request: Request[Any]) -> Any:
        if request.path == "/v1/generations":
            return GenerationPage(generations=service.rows[:99], has_more=True, next_offset=99)
        return service(request)

    with pytest.raises(InvalidAnswerError, match="26 pages in a row held no row"):
        synced(stuck)
    assert kept_ids() == service.ids[:99]
    synced(service)
    assert kept_ids() == service.ids


def test_a_listing_whose_pages_do_not_join_is_refused_and_not_read_for_ever() -> None:
    service = Service(300)

    def torn(request: Request[Any]) -> Any:
        if request.path != "/v1/generations":
            return service(request)
        service.requests += 1
        top = service.rows[:99]
        apart = service.rows[150:249]
        top = top[:: 1 if service.requests % 4 < 2 else -1]
        return GenerationPage(generations=apart if request.query["offset"] else top, has_more=True)

    with pytest.raises(InvalidAnswerError, match="26 pages in a row held no row"):
        synced(torn)
    assert service.requests < 70
    assert sorted(kept_ids()) == sorted(service.ids[:99])


def test_an_interrupted_asynchronous_sync_keeps_what_it_read() -> None:
    service = Service(300)

    async def send(request: Request[Any]) -> Any:
        if service.requests == 3:
            raise asyncio.CancelledError
        return service(request)

    steps = sync(URL, None, full=False, verify=None, details=False, now=NOW, tell=lambda done, total: None)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(drive_async(steps, send))
    assert len(kept_ids()) == 99 + 98
    service.requests = 10
    synced(service)
    assert kept_ids() == service.ids


def test_a_failed_look_for_deletions_keeps_what_it_read() -> None:
    service = Service(400)
    synced(service)
    service.rows.pop(200)
    service.rows[350].title = "Other"

    def breaking(request: Request[Any]) -> Any:
        if request.query.get("offset") not in (None, 0, 301):
            raise ConnectError("The line is dead.")
        return service(request)

    with pytest.raises(ConnectError):
        synced(breaking, verify=True)
    kept = Library.open().generations().set_index("id")
    assert len(kept) == 400
    assert kept.title[service.ids[350]] == "Other"
    assert synced(service).gone == 0
    assert synced(service, now=NOW + timedelta(days=2)).gone == 1


@pytest.mark.parametrize(
    ("offset", "change"),
    [
        (301, lambda service: service.create(2)),
        (101, lambda service: service.delete([0.0, 0.0, 0.0])),
        (101, lambda service: service.rows.__delitem__(slice(5, None))),
    ],
    ids=["made", "deleted above", "nearly all deleted"],
)
def test_a_library_that_changes_while_it_is_looked_through_is_not_called_verified(
    offset: int, change: Callable[[Service], object]
) -> None:
    service = Service(400)
    synced(service)
    service.rows.pop(200)
    changed = []

    def changing(request: Request[Any]) -> Any:
        if int(request.query.get("offset", 0)) == offset:
            changed.append(change(service))
        return service(request)

    report = synced(changing, verify=True)
    assert len(changed) == 1
    assert (report.gone, report.verified) == (0, False)
    assert synced(service, verify=True).verified
    assert kept_ids() == service.ids


def test_a_playlist_that_is_deleted_once_it_was_listed_is_left_out() -> None:
    service = Service(3)

    def send(request: Request[Any]) -> Any:
        if request.path == "/v1/playlists":
            return PlaylistList(playlists=[Playlist(id="pl_1", name="One")])
        return service(request)

    assert synced(send).playlists == 1
    assert Library.open().playlists().empty
    assert Library.open().playlist_tracks().empty


# Killed

SYNC = """
import os, signal, sys
import finetuning as ft
with ft.Client(sys.argv[1], sys.argv[2], progress=False) as client:
    {before}
    print("began", flush=True)
    client.library.sync()
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
#: Where the process dies: with the new file half on the disk, before it takes the old one's place, and after.
DEATHS = {
    "written": f"os.fsync = lambda descriptor: {KILL}",
    "synced": f"import pathlib; pathlib.Path.replace = lambda *paths: {KILL}",
    "replaced": (
        "import pathlib; true = pathlib.Path.replace\n"
        f"    pathlib.Path.replace = lambda *paths: (true(*paths), {KILL} if paths[1].stem == 'generations' else None)"
    ),
}


def whole(folder: Path) -> None:
    for path in folder.glob("*.parquet"):
        assert pq.read_table(path).num_rows >= 0


@pytest.mark.parametrize("death", DEATHS)
def test_killed_while_it_writes_it_leaves_whole_files_and_goes_on(archive: Archive, death: str) -> None:
    archive.add(150)
    archive.library.sync()
    before = list(archive.library.generations().id)
    new = archive.add(120)
    done = subprocess.run(
        [sys.executable, "-c", SYNC.format(before=DEATHS[death]), archive.studio.api_key, archive.studio.url],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    whole(archive.library.path)
    # An account that has not changed is not written: the first file to be is that of the generations.
    assert list(archive.library.generations().id) == (new + before if death == "replaced" else before)
    left = list(archive.library.path.glob(".*.new"))
    assert len(left) == (0 if death == "replaced" else 1)
    report = archive.library.sync()
    assert report.new == (0 if death == "replaced" else 120)
    assert list(archive.library.generations().id) == archive.listed() == new + before
    assert list(archive.library.path.glob(".*.new")) == []


@pytest.mark.parametrize(
    ("answered", "kept", "then"),
    [(1, 0, 23), (5, 0, 23), (14, 1 + 10 * 98, 15), (22, 2000, 3)],
    ids=["the account", "a few pages", "ten pages written", "all but the playlists"],
)
def test_killed_while_it_waits_for_an_answer_it_goes_on(
    archive: Archive, host: Host, answered: int, kept: int, then: int
) -> None:
    archive.add(2000)
    arrived = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        arrived.append(handler.path)
        if len(arrived) > answered:
            os.kill(child.pid, signal.SIGKILL)  # and no answer
            return
        passed = httpx.get(archive.studio.url + handler.path, headers={"X-API-Key": handler.headers["X-API-Key"]})
        host.send(handler, passed.status_code, passed.content, content_type="application/json")

    host.answer = answer
    child = subprocess.Popen(
        [sys.executable, "-c", SYNC.format(before="pass"), archive.studio.api_key, host.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    listed = archive.listed()
    archive.now = datetime.now(UTC)
    if kept:
        assert list(archive.library.generations().id) == listed[:kept]
    report = archive.library.sync()
    assert (report.new, report.requests) == (2000 - kept, then)
    assert list(archive.library.generations().id) == listed


# Two at once


def test_a_second_sync_says_who_is_at_it(archive: Archive) -> None:
    archive.add(3)
    archive.library.sync()
    with held(archive.library.path), pytest.raises(LibraryHeldError, match="by this process") as caught:
        archive.library.sync()
    assert caught.value.pid == os.getpid()
    assert "can be read here already" in str(caught.value)
    script = "import sys; from pathlib import Path; from finetuning.library.locks import held\n"
    script += "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, archive.library.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LibraryHeldError, match=f"by process {other.pid}"):
            archive.library.sync()
        assert len(archive.library.generations()) == 3
        other.kill()
        other.wait()
        assert archive.library.sync().new == 0


def test_a_lock_that_names_nobody_is_held_all_the_same(archive: Archive) -> None:
    archive.library.sync()
    with held(archive.library.path):
        (archive.library.path / ".lock").write_text("")
        with pytest.raises(LibraryHeldError, match="by another process") as caught:
            archive.library.sync()
    assert caught.value.pid is None


def test_a_client_that_cannot_connect_reads_what_is_kept(archive: Archive) -> None:
    archive.add(3)
    archive.library.sync()
    archive.studio.close()
    policy = ft.Policy(retries=0)
    with ft.Client(archive.studio.api_key, archive.studio.url, progress=False, policy=policy) as client:
        with pytest.raises(ConnectError):
            client.library.sync()
        assert len(client.library.generations()) == 3
