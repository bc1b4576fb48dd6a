"""What a sync brings, what it costs, and what it leaves alone: over real HTTP against the studio."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

import finetuning as ft
from finetuning.library import SyncReport

from .conftest import Archive


def test_the_first_sync_keeps_all_that_the_client_shows(archive: Archive) -> None:
    archive.studio.backfill(250)
    report = archive.library.sync()
    shown = archive.client.generations(limit=None)
    kept = archive.library.generations()
    assert (report.new, report.changed, report.gone, report.playlists, report.verified) == (250, 0, 0, 3, True)
    pd.testing.assert_frame_equal(kept[shown.columns], shown)
    assert list(kept.columns.drop(shown.columns)) == ["gone_at"]
    assert kept.gone_at.isna().all()


def test_playlists_are_kept_with_the_order_of_their_tracks(archive: Archive) -> None:
    ids = archive.add(6)
    playlist = archive.studio.create_playlist("Focus Beats", description="For work")
    archive.studio.create_playlist("Empty")
    order = [ids[3], ids[0], ids[5]]
    archive.client.add_tracks(playlist, order)
    archive.library.sync()
    shown = archive.client.playlists()
    pd.testing.assert_frame_equal(archive.library.playlists()[shown.columns], shown)
    tracks = archive.library.playlist_tracks()
    assert list(tracks.columns) == ["playlist_id", "position", "id", "title"]
    assert list(tracks.id) == order
    assert list(tracks.position) == [1, 2, 3]
    assert set(tracks.playlist_id) == {playlist}
    assert list(tracks.title) == list(archive.client.playlist(playlist).tracks.title)


def test_a_sync_with_nothing_new_takes_three_requests_and_writes_nothing(archive: Archive) -> None:
    archive.add(300)
    archive.library.sync()
    before = {path.name: path.stat().st_ino for path in archive.library.path.iterdir()}
    report = archive.library.sync()
    assert report == SyncReport(requests=3)
    assert {path.name: path.stat().st_ino for path in archive.library.path.iterdir()} == before


@pytest.mark.parametrize(("new", "requests"), [(50, 3), (98, 3), (99, 4), (150, 4), (500, 8)])
def test_what_is_new_takes_a_page_or_two(archive: Archive, new: int, requests: int) -> None:
    archive.add(600)
    archive.library.sync()
    archive.add(new)
    report = archive.library.sync()
    assert (report.new, report.changed, report.gone, report.requests) == (new, 0, 0, requests)
    assert list(archive.library.generations().id) == archive.listed()


def test_an_empty_library_is_one_too(archive: Archive) -> None:
    report = archive.library.sync()
    assert (report.new, report.requests, report.verified) == (0, 3, True)
    shown = archive.client.generations()
    pd.testing.assert_frame_equal(archive.library.generations()[shown.columns], shown)
    pd.testing.assert_frame_equal(archive.library.playlists().drop(columns="gone_at"), archive.client.playlists())
    assert archive.library.playlist_tracks().empty
    assert len(archive.library.accounts()) == 1


def complete(archive: Archive, ids: list[str]) -> None:
    for id_ in ids:
        archive.execute("UPDATE generations SET status = 'completed', completed_at = created_at WHERE id = ?", id_)


def test_what_was_unfinished_is_looked_at_again_by_itself(archive: Archive) -> None:
    archive.add(20)
    [waiting] = archive.add(1, completed=False)
    archive.add(300)
    archive.library.sync()
    assert archive.library.sync().requests == 4
    complete(archive, [waiting])
    report = archive.library.sync()
    assert (report.changed, report.requests) == (1, 4)
    assert archive.library.generations().set_index("id").status[waiting] == "completed"
    assert archive.library.sync().requests == 3


def test_where_many_are_unfinished_pages_are_cheaper(archive: Archive) -> None:
    archive.add(20)
    waiting = archive.add(60, completed=False)
    archive.add(150)
    archive.library.sync()
    complete(archive, waiting)
    report = archive.library.sync()
    assert report.changed == 60
    assert report.requests == 2 + 3


def test_what_was_unfinished_and_deleted_is_gone(archive: Archive) -> None:
    [waiting] = archive.add(1, completed=False)
    archive.add(200)
    archive.library.sync()
    archive.delete([waiting])
    report = archive.library.sync()
    assert (report.gone, report.changed) == (1, 0)
    assert waiting not in set(archive.library.generations().id)


def test_what_failed_silently_long_ago_costs_nothing(archive: Archive) -> None:
    archive.add(1, completed=False, age=timedelta(days=2))
    archive.add(200)
    archive.library.sync()
    assert archive.library.sync().requests == 3


def test_what_changes_later_is_refreshed_where_it_is_read(archive: Archive) -> None:
    ids = archive.add(300)
    archive.library.sync()
    archive.studio.set_public([ids[5], ids[250]])
    archive.execute("UPDATE generations SET play_count = 7, like_count = 2, title = 'Other' WHERE id = ?", ids[5])
    report = archive.library.sync()
    row = archive.library.generations().set_index("id").loc[ids[5]]
    assert report.changed == 1
    assert (row.is_public, row.play_count, row.like_count, row.title) == (True, 7, 2, "Other")
    report = archive.library.sync(full=True)
    assert (report.changed, report.new, report.gone) == (1, 0, 0)
    shown = archive.client.generations(limit=None)
    pd.testing.assert_frame_equal(archive.library.generations()[shown.columns], shown)


def test_details_are_asked_for_once_and_kept(archive: Archive) -> None:
    archive.studio.backfill(20)
    report = archive.library.sync(details=True)
    shown = archive.client.generations(limit=None, details=True)
    kept = archive.library.generations()
    assert report.requests == 2 + 1 + report.playlists + 20
    assert kept.generation_time.notna().all()
    pd.testing.assert_frame_equal(kept[shown.columns], shown)
    assert archive.library.sync(full=True, details=True).requests == 3 + report.playlists
    pd.testing.assert_frame_equal(archive.library.generations()[shown.columns], shown)


def test_details_of_a_deleted_one_are_none(archive: Archive) -> None:
    ids = archive.add(230)
    archive.library.sync()
    archive.delete([ids[150]])
    report = archive.library.sync(details=True)
    assert report.gone == 1
    kept = archive.library.generations()
    assert list(kept.id) == archive.listed()
    assert kept.download_count.notna().all()


# Deletions


def test_a_deletion_on_a_page_that_is_read_is_noticed_and_the_row_is_kept(archive: Archive) -> None:
    ids = archive.add(300)
    archive.library.sync()
    archive.delete([ids[7]])
    report = archive.library.sync()
    assert (report.gone, report.requests, report.verified) == (1, 3, False)
    assert ids[7] not in set(archive.library.generations().id)
    kept = archive.library.generations(gone=True).set_index("id")
    assert list(kept.index) == ids
    assert kept.gone_at[ids[7]] == archive.now
    assert kept.title[ids[7]] == f"Take {300 - 7}"
    assert kept.gone_at.notna().sum() == 1


def test_a_deletion_further_down_is_noticed_by_the_next_day(archive: Archive) -> None:
    ids = archive.add(400)
    archive.library.sync()
    archive.delete([ids[200]])
    assert archive.library.sync().gone == 0
    archive.now += timedelta(hours=25)
    report = archive.library.sync()
    assert (report.gone, report.verified) == (1, True)
    assert list(archive.library.generations().id) == archive.listed()
    assert archive.library.sync().requests == 3


@pytest.mark.parametrize(
    "places",
    [[399], [0], [150, 151, 152], list(range(300, 400)), list(range(120, 390)), list(range(100, 400, 7)), range(400)],
    ids=["last", "first", "in a row", "last page", "most", "scattered", "all"],
)
def test_every_deletion_is_found_when_it_is_looked_for(archive: Archive, places: Any) -> None:
    ids = archive.add(400)
    archive.library.sync()
    archive.delete([ids[place] for place in places])
    report = archive.library.sync(verify=True)
    assert (report.gone, report.new, report.changed, report.verified) == (len(places), 0, 0, True)
    assert list(archive.library.generations().id) == archive.listed()
    assert len(archive.library.generations(gone=True)) == 400


def test_one_deletion_in_many_takes_few_requests(archive: Archive) -> None:
    ids = archive.add(5000)
    archive.library.sync()
    archive.delete([ids[3210]])
    report = archive.library.sync(verify=True)
    assert report.gone == 1
    assert report.requests <= 3 + 1 + 6  # 51 pages: the end, and halving


def test_nothing_deleted_is_known_by_one_more_request(archive: Archive) -> None:
    archive.add(1000)
    archive.library.sync()
    assert archive.library.sync(verify=True) == SyncReport(requests=4, verified=True)


def test_rows_that_appear_at_the_end_are_found_when_it_is_looked_through(archive: Archive) -> None:
    archive.add(200)
    archive.library.sync()
    archive.studio.backfill(150)
    assert archive.library.sync().new == 0
    report = archive.library.sync(verify=True)
    assert (report.new, report.verified) == (150, True)
    assert list(archive.library.generations().id) == archive.listed()


# Playlists


def test_only_playlists_that_changed_are_read_again(archive: Archive) -> None:
    ids = archive.add(5)
    first, second = archive.studio.create_playlist("One"), archive.studio.create_playlist("Two")
    archive.client.add_tracks(first, ids[:2])
    archive.library.sync()
    archive.client.add_tracks(second, ids[2:])
    report = archive.library.sync()
    assert (report.playlists, report.requests) == (1, 4)
    tracks = archive.library.playlist_tracks()
    assert list(tracks[tracks.playlist_id == first].id) == ids[:2]
    assert list(tracks[tracks.playlist_id == second].id) == ids[2:]
    assert archive.library.sync(full=True).playlists == 2


def test_a_playlist_that_was_deleted_is_kept_with_a_mark(archive: Archive) -> None:
    ids = archive.add(3)
    first, second = archive.studio.create_playlist("One"), archive.studio.create_playlist("Two")
    archive.client.add_tracks(first, ids)
    archive.library.sync()
    archive.studio.delete_playlist(first)
    archive.library.sync()
    assert list(archive.library.playlists().id) == [second]
    kept = archive.library.playlists(gone=True).set_index("id")
    assert kept.gone_at[first] == archive.now
    assert kept.gone_at.isna()[second]
    assert list(archive.library.playlist_tracks().id) == ids
    archive.now += timedelta(hours=1)
    archive.library.sync()
    assert archive.library.playlists(gone=True).set_index("id").gone_at[first] == archive.now - timedelta(hours=1)


def test_without_the_file_of_tracks_all_playlists_are_read_again(archive: Archive) -> None:
    ids = archive.add(3)
    archive.client.add_tracks(archive.studio.create_playlist("One"), ids)
    archive.library.sync()
    (archive.library.path / "playlist_tracks.parquet").unlink()
    assert archive.library.sync().playlists == 1
    assert list(archive.library.playlist_tracks().id) == ids


# The account


def test_the_account_is_noted_when_it_changes_and_once_a_day(archive: Archive) -> None:
    archive.studio.set_credits(50, pack=5)
    archive.library.sync()
    archive.library.sync()
    assert len(archive.library.accounts()) == 1
    archive.client.generate("piano", duration=5, key="C", scale="major", wait=False)
    archive.library.sync()
    archive.now += timedelta(days=1)
    archive.library.sync()
    archive.library.sync()
    kept = archive.library.accounts()
    assert list(kept.columns) == [
        "at", "tier", "monthly_generations", "generations_used", "monthly_remaining", "pack_credits",
        "total_remaining", "queue_depth",
    ]  # fmt: skip
    assert list(kept.total_remaining) == [55, 54, 54]
    assert list(kept.generations_used) == [0, 1, 1]
    assert kept["at"].is_monotonic_increasing
    assert kept["at"].iloc[-1] == archive.now
    assert str(kept["at"].dtype) == "datetime64[ns, UTC]"
    assert set(map(str, kept.dtypes[2:])) == {"Int64"}


# Beside the blocking client


def test_the_asynchronous_client_syncs_the_same_library(archive: Archive) -> None:
    archive.add(150)
    told: list[int] = []

    async def run() -> tuple[SyncReport, str]:
        async with ft.AsyncClient(archive.studio.api_key, archive.studio.url) as client:
            before = repr(client.library)
            report = await client.library.sync(progress=lambda done, total: told.append(done))
            assert list(client.library.generations().id) == archive.listed()
            return report, before

    report, before = asyncio.run(run())
    assert (report.new, report.requests) == (150, 4)
    assert told == [99, 150]
    assert "not synced yet" in before
    assert archive.client.library.sync() == SyncReport(requests=3)
    assert str(archive.library.path) in repr(archive.client.library)


def test_a_report_reads_as_a_sentence() -> None:
    report = SyncReport(50, 3, 1, 2, 6)
    assert str(report) == "50 new, 3 changed, 1 gone; 2 playlists read; 6 requests"
    assert repr(SyncReport(1200, playlists=1, requests=1)) == (
        "<SyncReport: 1,200 new, 0 changed, 0 gone; 1 playlist read; 1 request>"
    )
