"""The files as others read them, and what stands in them of what this version does not know."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finetuning.errors import LibraryError
from finetuning.library import Library, tables
from finetuning.library.tables import Facts
from finetuning.records import Account, Generation, Limits, Parameters, Playlist, PlaylistList

from .conftest import Archive
from .test_interruptions import Service, synced

WHOLE = ["bpm", "time_signature", "seed", "file_size", "play_count", "download_count", "like_count"]
TIMES = ["created_at", "completed_at", "gone_at"]


@pytest.fixture
def kept(archive: Archive) -> Archive:
    archive.studio.backfill(150)
    ids = archive.add(10)
    archive.library.sync()
    archive.delete(ids[:2])
    archive.library.sync(details=True)
    return archive


def test_pandas_reads_the_dtypes_back(kept: Archive) -> None:
    frame = pd.read_parquet(kept.library.path / "generations.parquet")
    told = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert len(frame) == 160
    assert frame.id.is_unique
    assert {told[name] for name in WHOLE} == {"Int64"}
    assert {told[name] for name in ("status", "key", "scale")} == {"category"}
    assert {told[name] for name in ("duration", "requested_duration", "generation_time")} == {"float64"}
    assert {told[name] for name in TIMES} == {"datetime64[us, UTC]"}
    assert {told[name] for name in ("id", "title", "prompt", "error_message", "audio_url")} == {"str"}
    assert told["is_public"] == told["backfilled"] == "boolean"
    shown = kept.client.generations(limit=None, details=True)
    live = frame[frame.gone_at.isna()].reset_index(drop=True)
    assert list(live.created_at) == list(shown.created_at)
    assert list(live.status) == list(shown.status)
    np.testing.assert_array_equal(live.generation_time, shown.generation_time)


def test_duckdb_reads_it(kept: Archive) -> None:
    path = kept.library.path
    types = {name: kind for name, kind, *_ in duckdb.execute(f"describe from '{path}/generations.parquet'").fetchall()}
    assert {types[name] for name in WHOLE} == {"BIGINT"}
    assert {types[name] for name in TIMES} == {"TIMESTAMP WITH TIME ZONE"}
    assert {types[name] for name in ("id", "status", "key", "scale", "prompt")} == {"VARCHAR"}
    assert types["is_public"] == types["backfilled"] == "BOOLEAN"
    question = f"""select status, count(*), min(epoch(created_at))::bigint from '{path}/generations.parquet'
        where gone_at is null group by status order by status"""  # noqa: S608 - a path of the test's own, here and below
    shown = kept.client.generations(limit=None)
    expected = [
        (status, len(rows), int(rows.created_at.min().timestamp()))
        for status, rows in shown.groupby("status", observed=True)
    ]
    assert duckdb.execute(question).fetchall() == sorted(expected)
    joined = f"""select count(*) from '{path}/playlist_tracks.parquet' t join '{path}/generations.parquet' using (id)
        join '{path}/playlists.parquet' p on p.id = t.playlist_id"""  # noqa: S608
    assert duckdb.execute(joined).fetchall() == [(len(kept.library.playlist_tracks()),)]
    credit = "select total_remaining from '{}/accounts.parquet'"
    assert duckdb.execute(credit.format(path)).fetchall() == [(kept.client.me().limits.total_remaining,)]


def test_polars_reads_it(kept: Archive) -> None:
    path = kept.library.path
    frame = pl.read_parquet(path / "generations.parquet")
    assert frame.shape[0] == 160
    assert {frame.schema[name] for name in WHOLE} == {pl.Int64()}
    assert {frame.schema[name] for name in TIMES} == {pl.Datetime("us", "UTC")}
    assert {frame.schema[name] for name in ("status", "key", "scale")} == {pl.Categorical()}
    assert frame.schema["is_public"] == pl.Boolean()
    scanned = pl.scan_parquet(path / "generations.parquet").filter(pl.col("gone_at").is_null()).select("id").collect()
    assert scanned["id"].to_list() == list(kept.library.generations().id)
    assert pl.read_parquet(path / "playlist_tracks.parquet")["position"].dtype == pl.Int64()


def test_categories_are_whole_in_the_librarys_own_frames(archive: Archive) -> None:
    archive.add(2)
    archive.library.sync()
    kept = archive.library.generations()
    shown = archive.client.generations()
    for name in ("status", "key", "scale"):
        assert kept[name].dtype == shown[name].dtype


# What a service, or a version, that is newer than this one brings


class Newer(Service):
    """The service with fields that this version does not know."""

    def __call__(self, request: Any) -> Any:
        playlist = Playlist(id="pl_1", name="One", extra={"coverUrl": "a.jpg"})
        if request.path == "/v1/playlists/pl_1":
            return playlist
        answer = super().__call__(request)
        if isinstance(answer, PlaylistList):
            return PlaylistList(playlists=[playlist])
        if isinstance(answer, Account):
            return Account(id="usr_1", tier="pro", limits=Limits(total_remaining=3, extra={"bonusCredits": 2}))
        return answer

    def extend(self, **extra: Any) -> None:
        self.rows.insert(0, Generation(id=f"new{len(self.rows)}", status="completed", extra=extra))


def test_unknown_fields_become_columns_whenever_they_come() -> None:
    service = Newer(3)
    assert synced(service).new == 3
    service.extend(mood="calm", stems=["bass", "drums"], energy=3)
    service.extend(energy=0.5, mood=None)
    service.extend(stems={"count": 2}, mood=None, energy=2**70)
    assert synced(service).new == 3
    frame = Library.open().generations()
    assert list(frame.id) == service.ids
    assert list(frame.mood.dropna()) == ["calm"]
    assert list(frame.stems.dropna()) == ['{"count":2}', '["bass","drums"]']
    assert list(frame.energy.dropna()) == [str(2**70), "0.5", "3"]
    assert frame.mood.isna().sum() == 5
    assert list(Library.open().playlists().cover_url) == ["a.jpg"]
    assert list(Library.open().accounts().bonus_credits) == [2]
    assert synced(service) == synced(service)


def test_a_field_that_changes_its_type_becomes_text() -> None:
    service = Newer()
    service.extend(energy=3)
    synced(service)
    assert str(Library.open().generations().energy.dtype) == "Int64"
    service.extend(energy="high")
    synced(service)
    service.extend(energy=4)
    assert synced(service).changed == 0
    assert list(Library.open().generations().energy) == ["4", "high", "3"]


def test_a_whole_number_that_becomes_a_fraction_keeps_both() -> None:
    service = Service()
    for bpm in (90, 92.5):
        service.rows.insert(0, Generation(id=f"g{bpm}", status="completed", parameters=Parameters(bpm=bpm)))
        with pytest.warns(match="not as documented") if bpm == 92.5 else nullcontext():
            synced(service)
    assert list(Library.open().generations().bpm) == [92.5, 90]


def test_a_table_of_a_later_version_is_read_and_its_columns_are_kept() -> None:
    service = Service(3)
    synced(service)
    path = Library.open().path / "generations.parquet"
    table = tables.read(path)
    assert table is not None
    later = table.append_column("rating_2027", pa.array([5, 4, 3]))
    tables.write(path, later, Facts("generations", format=2, needs=1))
    service.create(2)
    assert synced(service).new == 2
    kept = Library.open().generations()
    assert list(kept.id) == service.ids
    assert list(kept.rating_2027.dropna()) == [5, 4, 3]
    assert b'"format":2' in pq.read_schema(path).metadata[b"finetuning"]


def test_a_table_that_only_a_later_version_can_read_is_refused_and_left_alone() -> None:
    service = Service(3)
    synced(service)
    path = Library.open().path / "generations.parquet"
    table = tables.read(path)
    assert table is not None
    tables.write(path, table, Facts("generations", format=9, needs=9))
    before = path.read_bytes()
    for attempt in (lambda: synced(service), Library.open().generations):
        with pytest.raises(LibraryError, match=r"newer version of finetuning \(format 9\)") as caught:
            attempt()
        assert "Upgrade" in str(caught.value)
    assert path.read_bytes() == before


# Damage


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), path)


def muddled(path: Path) -> None:
    path.write_bytes((path.parent / "playlists.parquet").read_bytes())


def garbled(path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}).replace_schema_metadata({b"finetuning": b"{"}), path)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_bytes(b""), "cannot be read as Parquet"),
        (truncated, "cannot be read as Parquet"),
        (foreign, "it was not written by finetuning"),
        (garbled, "it was not written by finetuning"),
        (muddled, "it holds playlists"),
    ],
    ids=["empty", "truncated", "foreign", "garbled", "muddled"],
)
def test_a_file_that_is_none_of_the_librarys_is_named_and_left_alone(archive: Archive, damage: Any, told: str) -> None:
    archive.add(3)
    archive.library.sync()
    path = archive.library.path / "generations.parquet"
    damage(path)
    before = path.read_bytes()
    for attempt in (archive.library.sync, archive.library.generations):
        with pytest.raises(LibraryError, match=told) as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert "Move it out of the folder. The next sync then reads everything again." in str(caught.value)
    assert path.read_bytes() == before
    path.rename(path.with_suffix(".damaged"))
    assert archive.library.sync().new == 3
    assert list(archive.library.generations().id) == archive.listed()


def test_of_the_history_of_credits_there_is_no_other_copy(archive: Archive) -> None:
    archive.library.sync()
    truncated(archive.library.path / "accounts.parquet")
    with pytest.raises(LibraryError, match="look for a copy"):
        archive.library.sync()


def test_a_disk_that_takes_no_more_leaves_what_was_there(archive: Archive) -> None:
    archive.add(3)
    archive.library.sync()
    ids = list(archive.library.generations().id)
    blocked = archive.library.path / ".generations.parquet.new"
    blocked.mkdir()  # where the new file is to be written
    archive.add(2)
    with pytest.raises(LibraryError, match=r"generations\.parquet cannot be written") as caught:
        archive.library.sync()
    assert "What it holds is as it was" in str(caught.value)
    assert list(archive.library.generations().id) == ids
    blocked.rmdir()
    assert archive.library.sync().new == 2
