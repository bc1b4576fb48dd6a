"""Every verb of both clients, over real HTTP, against the studio."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import finetuning as ft
from finetuning import errors
from finetuning.client.views import seconds
from finetuning.frames import GENERATION_COLUMNS, PLAYLIST_COLUMNS
from finetuning.records import Generation

MISSING = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def takes(studio: ft.studio.Studio) -> pd.DataFrame:
    """Three finished takes."""
    with ft.Client(studio.api_key, studio.url, progress=False) as client:
        for seed in (1, 2, 3):
            client.generate("slow piano", bpm=90, duration=5, key="C", scale="minor", seed=seed)
        return client.generations(status="completed", limit=3)


@pytest.fixture
def playlist(studio: ft.studio.Studio, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"Beats of {request.node.name}"
    id_ = studio.create_playlist(name)
    yield name
    studio.delete_playlist(id_)


@pytest.fixture
def sent(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The requests that were answered so far."""
    caplog.set_level(logging.DEBUG, logger="finetuning")
    return lambda: [
        record.getMessage().partition(" -> ")[0] for record in caplog.records if " -> " in record.getMessage()
    ]


def test_health_and_account(client: ft.Client) -> None:
    assert client.health()["status"] == "ok"
    account = client.me()
    assert account.tier == "pro"
    assert isinstance(account.limits.total_remaining, int)


def test_a_piece_is_made_and_waited_for(client: ft.Client) -> None:
    take = client.generate(
        "lofi chill piano", bpm=85, key="Db", scale="minor", time_signature="3/4", duration=5, seed=7
    )
    assert (take.status, take.bpm, take.key, take.scale, take.time_signature) == ("completed", 85, "C#", "minor", 3)
    assert (take.seed, take.duration) == (7, 5.0)
    assert take.audio_url
    assert take.completed_at
    assert take.created_at
    assert take.completed_at >= take.created_at
    assert client.generation(take.id).file_size


def test_a_piece_that_is_not_waited_for_is_waited_for_later(client: ft.Client) -> None:
    queued = client.generate("lofi", duration=5, wait=False)
    assert not queued.finished
    assert client.wait(queued).status == "completed"
    assert client.wait(queued.id).status == "completed"
    frame = client.generations(limit=None)
    assert client.wait(frame[frame["id"] == queued.id]).id == queued.id


def test_patience_that_ends_leaves_the_piece_going_on(client: ft.Client) -> None:
    with pytest.raises(errors.StillProcessingError) as caught:
        client.generate("lofi", duration=30, timeout=0)
    assert client.wait(caught.value.id).status == "completed"


def test_a_piece_that_fails_says_why(client: ft.Client, studio: ft.studio.Studio) -> None:
    studio.wait_idle(120)  # what other tests began would fail instead
    studio.fail_renders("Out of tune.")
    with pytest.raises(errors.GenerationError, match="Out of tune"):
        client.generate("lofi", duration=5)


def test_what_is_clamped_is_told(client: ft.Client) -> None:
    with pytest.warns(errors.ClampedWarning, match="bpm clamped from 10 → 60"):
        take = client.generate("lofi", bpm=10, duration=5, wait=False)
    assert take.bpm == 60


def test_the_library_is_a_frame(client: ft.Client, takes: pd.DataFrame) -> None:
    frame = client.generations(status="completed", limit=None)
    assert list(frame.columns) == list(GENERATION_COLUMNS)
    assert set(takes["id"]) <= set(frame["id"])
    assert frame["created_at"].is_monotonic_decreasing
    assert client.generations(limit=2).shape[0] == 2


def test_details_are_asked_for_one_by_one(
    client: ft.Client, takes: pd.DataFrame, sent: Callable[[], list[str]]
) -> None:
    plain = client.generations(status="completed", limit=3)
    assert plain["file_size"].isna().all()
    before = len(sent())
    frame = client.generations(status="completed", limit=3, details=True)
    assert frame["file_size"].notna().all()
    assert frame["id"].tolist() == plain["id"].tolist()
    assert len(sent()) == before + 1 + 3


def test_a_row_that_is_deleted_meanwhile_stays_as_it_was(client: ft.Client, takes: pd.DataFrame) -> None:
    rows = [Generation(id=takes["id"].iloc[0]), Generation(id=MISSING, title="gone")]
    told: list[tuple[int, int | None]] = []
    work = client.asynchronous.detailed(rows, progress=lambda done, total: told.append((done, total)))
    there, gone = client.call(work)
    assert (there.status, gone) == ("completed", rows[1])
    assert sorted(told) == [(1, 2), (2, 2)]


def test_a_piece_that_is_not_there(client: ft.Client) -> None:
    with pytest.raises(errors.NotFoundError):
        client.generation(MISSING)


def test_playlists_are_a_frame_and_one_is_a_view(
    client: ft.Client, studio: ft.studio.Studio, takes: pd.DataFrame, playlist: str
) -> None:
    client.add_tracks(playlist, takes)
    frame = client.playlists()
    assert list(frame.columns) == list(PLAYLIST_COLUMNS)
    row = frame[frame["name"] == playlist].iloc[0]
    view = client.playlist(playlist.upper())
    assert (view.id, view.name, view.is_public, view.is_owner, view.track_count) == (
        row["id"],
        playlist,
        False,
        True,
        3,
    )
    assert view.tracks["id"].tolist() == takes["id"].tolist()
    assert (view.total_duration, view.record.id) == (15.0, view.id)
    assert client.playlist(row).id == client.playlist(view).id == client.playlist(view.id).id
    html = view._repr_html_()
    assert f"<h4>{playlist}</h4><p>private · 3 track(s) · 15s</p>" in html
    assert html.count("<tr") == 4


def test_another_account_s_public_playlist_is_shown(client: ft.Client, studio: ft.studio.Studio) -> None:
    view = client.playlist(studio.house.playlist)
    assert view.is_public
    assert not view.is_owner
    assert "public" in view._repr_html_()


def test_tracks_are_added_moved_removed_and_each_is_accounted_for(
    client: ft.Client, studio: ft.studio.Studio, takes: pd.DataFrame, playlist: str
) -> None:
    other = studio.create_playlist("Other")
    first, second, third = takes["id"]
    assert client.add_tracks(playlist, first).summary == "Added 1 of 1 track(s)"
    out = client.add_tracks(playlist, [first, second, MISSING, second])
    assert (out.succeeded, out.summary) == ([second], "Added 1 of 3 track(s)")
    assert out.refused == {first: "Track already in playlist", MISSING: "Track not found"}
    assert out.failed["id"].tolist() == [first, MISSING]
    nothing = client.add_tracks(playlist, takes[takes["id"] == first])
    assert (nothing.succeeded, nothing.error) == ([], None)
    assert list(nothing.refused.values()) == ["Track already in playlist"]
    moved = client.move_tracks(playlist, other, [first, third])
    assert (moved.succeeded, moved.summary) == ([first], "Moved 1 of 2 track(s)")
    assert list(client.playlist(other).tracks["id"]) == [first]
    assert list(client.playlist(playlist).tracks["id"]) == [second]
    assert client.move_tracks(playlist, other, [third]).succeeded == []
    removed = client.remove_tracks(playlist, [second, third])
    assert (removed.succeeded, list(removed.refused)) == ([second], [third])
    assert client.playlist(playlist).tracks.empty
    studio.delete_playlist(other)


def test_a_private_track_does_not_enter_a_public_playlist(
    client: ft.Client, studio: ft.studio.Studio, takes: pd.DataFrame
) -> None:
    public = studio.create_playlist("Shown", public=True)
    out = client.add_tracks(public, takes["id"].iloc[:2])
    assert set(out.refused.values()) == {"Cannot add private track to public playlist"}
    studio.set_public(takes["id"].iloc[0])
    out = client.add_tracks("Shown", takes["id"].iloc[:2])
    assert out.succeeded == [takes["id"].iloc[0]]
    studio.delete_playlist(public)


def test_someone_else_s_playlist_is_not_changed(
    client: ft.Client, studio: ft.studio.Studio, takes: pd.DataFrame
) -> None:
    tracks = list(studio.house.tracks)
    for verb in (client.add_tracks, client.remove_tracks):
        try:
            assert verb(studio.house.playlist, tracks).succeeded == []
        except errors.APIError as error:
            assert error.status in (403, 404)  # noqa: PT017 - the service may refuse as a whole or one by one
    assert client.playlist(studio.house.playlist).tracks["id"].tolist() == tracks


def test_more_than_a_hundred_go_in_requests_of_a_hundred(
    client: ft.Client, playlist: str, takes: pd.DataFrame, sent: Callable[[], list[str]]
) -> None:
    strangers = [f"{n:08d}-1111-4111-8111-111111111111" for n in range(250)]
    out = client.add_tracks(playlist, [*strangers, takes["id"].iloc[0]])
    assert out.succeeded == [takes["id"].iloc[0]]
    assert set(out.refused) == set(strangers)
    assert len([each for each in sent() if each.startswith("POST")]) == 3


def test_a_batch_that_is_stopped_part_way_is_an_outcome_and_a_warning(
    client: ft.Client, studio: ft.studio.Studio, playlist: str
) -> None:
    strangers = [f"{n:08d}-1111-4111-8111-111111111111" for n in range(150)]
    id_ = client.playlist(playlist).id
    studio.fail_next("INTERNAL_ERROR", times=1)
    with (
        ft.Client(studio.api_key, studio.url, policy=ft.Policy(retries=0), progress=False) as hasty,
        pytest.warns(errors.PartialWarning, match=r"Removed 0 of 150 track\(s\); stopped by") as caught,
    ):
        out = hasty.remove_tracks(id_, strangers)
    assert caught[0].filename == __file__
    assert isinstance(caught[0].message, errors.PartialWarning)
    assert caught[0].message.outcome is out
    assert (len(out.refused), len(out.not_attempted)) == (100, 50)
    assert client.remove_tracks(id_, out.failed).error is None


def test_deleting_needs_a_yes_and_is_for_good(client: ft.Client, sent: Callable[[], list[str]]) -> None:
    take = client.generate("lofi", duration=5)
    before = len(sent())
    for yes in (False, 1, "yes", None):
        with pytest.raises(errors.ConfirmationError, match=r"permanently deletes 1 track\(s\)"):
            client.delete_tracks(take, yes=yes)  # type: ignore[arg-type]  # that is the point
    assert len(sent()) == before
    out = client.delete_tracks([take.id, MISSING], yes=True)
    assert (out.succeeded, out.refused) == ([take.id], {MISSING: "Track not found or not owned by you"})
    with pytest.raises(errors.NotFoundError):
        client.generation(take.id)


# Sound


def test_tracks_are_downloaded_under_their_names(client: ft.Client, takes: pd.DataFrame, tmp_path: Path) -> None:
    frame = client.download(takes, tmp_path / "takes")
    assert {str(name): str(dtype) for name, dtype in frame.dtypes.items()} == {
        "id": "str",
        "path": "str",
        "bytes": "Int64",
        "error": "str",
    }
    assert frame["id"].tolist() == takes["id"].tolist()
    assert frame["error"].isna().all()
    for path, size, id_ in zip(frame["path"], frame["bytes"], frame["id"], strict=True):
        assert Path(path).stat().st_size == size
        assert Path(path).name.endswith(f"-{id_[:8]}.mp3")
    assert sorted(map(str, (tmp_path / "takes").iterdir())) == sorted(frame["path"])
    again = client.download(takes, tmp_path / "takes", at_once=1)
    assert again.equals(frame)


def test_a_download_that_fails_costs_only_itself(client: ft.Client, takes: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.warns(errors.PartialWarning, match="1 of 2 downloads failed") as caught:
        frame = client.download([takes["id"].iloc[0], MISSING], tmp_path)
    assert caught[0].filename == __file__
    assert frame["path"].notna().tolist() == [True, False]
    assert frame["bytes"].isna().tolist() == [False, True]
    assert isinstance(frame["error"].iloc[1], str)
    with pytest.raises(errors.NotFoundError):
        client.download(MISSING, tmp_path)


def test_what_has_no_sound_yet_is_not_downloaded(archive: ft.studio.Studio, tmp_path: Path) -> None:
    with ft.Client(archive.api_key, archive.url, progress=False) as client:
        take = client.generate("lofi", wait=False)
        with pytest.raises(errors.DownloadError, match="is pending and has no audio") as caught:
            client.download(take, tmp_path)
    assert "client.wait(id)" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("take", "why"),
    [
        (Generation(id="x", status="failed", error_message="Out of tune."), "Out of tune."),
        (Generation(id="x", status="failed"), "gave no reason"),
        (Generation(id="x", status="completed"), "ask again in a moment"),
        (Generation(id="x", audio_url="https://example.com/a.mp3"), "of unknown status"),
    ],
)
def test_what_has_no_sound_says_why(take: Generation, why: str) -> None:
    from finetuning.client.listening import audio_url

    with pytest.raises(errors.DownloadError) as caught:
        audio_url(take)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("folder", "why"), [(None, "NoneType"), (5, "int"), ("~nobody-of-this-name/x", r"home directory\.$")]
)
def test_a_folder_that_is_none_is_refused_before_any_request(
    client: ft.Client, folder: Any, why: str, sent: Callable[[], list[str]]
) -> None:
    with pytest.raises(errors.ParameterError, match=why) as caught:
        client.download("x", folder)
    assert caught.value.parameter == "folder"
    assert sent() == []


@pytest.mark.parametrize("at_once", [0, -1, 1.5, "4"])
def test_so_many_at_once_is_a_number_from_one(
    client: ft.Client, tmp_path: Path, at_once: Any, sent: Callable[[], list[str]]
) -> None:
    with pytest.raises(errors.ParameterError, match="at_once"):
        client.download("x", tmp_path, at_once=at_once)
    assert sent() == []


def test_a_tilde_is_the_home_folder(
    client: ft.Client, takes: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    frame = client.download(takes["id"].iloc[0], "~/takes")
    assert Path(frame["path"].iloc[0]).parent == tmp_path / "takes"


def test_sound_is_measured_beside_what_was_asked_for(client: ft.Client, takes: pd.DataFrame) -> None:
    frame = client.measure(pd.concat([takes, takes.iloc[:1].assign(id=MISSING)]))
    assert frame["measured_duration"].iloc[:3].round(1).tolist() == [5.0] * 3
    assert frame["measure_error"].notna().tolist() == [False, False, False, True]
    assert list(frame.columns[: len(takes.columns)]) == list(takes.columns)


def test_ids_in_the_index_become_a_column_beside_the_measures(client: ft.Client, takes: pd.DataFrame) -> None:
    frame = client.measure(takes[["id", "bpm"]].iloc[:1].set_index("id"))
    assert list(frame.columns[:2]) == ["id", "bpm"]
    assert frame["measured_duration"].round(1).tolist() == [5.0]


def test_measuring_ends_when_the_client_is_closed(host: Any) -> None:
    release = threading.Event()
    client = ft.Client("ft_live_" + "0" * 32, host.url, progress=False)

    def answer(_: Any) -> None:
        closer.start()
        release.wait(10)

    closer = threading.Thread(target=client.close)
    host.answer = answer
    with pytest.raises(errors.FinetuningError, match="closed before this was done"):
        client.measure("x")
    closer.join()
    release.set()


def test_a_deck_lists_tracks(client: ft.Client, takes: pd.DataFrame) -> None:
    deck = client.play(takes)
    assert [take["k"] for take in deck.takes] == takes["id"].tolist()
    with pytest.warns(errors.PartialWarning, match="1 of 2 tracks are not in the library") as caught:
        assert len(client.play([takes["id"].iloc[0], MISSING]).takes) == 1
    assert caught[0].filename == __file__
    with pytest.raises(errors.NotFoundError):
        client.play([MISSING])
    with pytest.raises(errors.ParameterError):
        client.play([takes["id"].iloc[0], ".."])


# The asynchronous client


def test_the_same_verbs_awaitable_with_records(studio: ft.studio.Studio, takes: pd.DataFrame, tmp_path: Path) -> None:
    playlist, other = studio.create_playlist("Async"), studio.create_playlist("Async too")
    first, second, _ = takes["id"]

    async def all_verbs() -> None:
        async with ft.AsyncClient(studio.api_key, studio.url) as client:
            assert (await client.health())["status"] == "ok"
            assert (await client.me()).tier == "pro"
            take = await client.generate("lofi", duration=5, timeout=60)
            assert isinstance(take, Generation)
            assert (await client.generation(take.id)).id == take.id
            assert take.id in [each.id for each in await client.generations(limit=5)]
            assert [each.name for each in await client.playlists()].count("Async") == 1
            assert (await client.add_tracks("async", [first, second])).succeeded == [first, second]
            assert (await client.move_tracks(playlist, "Async too", second)).succeeded == [second]
            tracks = (await client.playlist("Async")).tracks
            assert tracks is not None
            assert [each.id for each in tracks] == [first]
            assert (await client.remove_tracks(playlist, first)).succeeded == [first]
            done = await client.download([first, take.id], tmp_path)
            assert [each.id for each in done] == [first, take.id]
            assert len(await client.audio(first)) == done[0].size
            assert (await client.delete_tracks(take, yes=True)).succeeded == [take.id]
            with pytest.raises(errors.ConfirmationError):
                await client.delete_tracks(first)
            assert repr(client).startswith(f"AsyncClient({studio.url!r}, ApiKey('ft_live_")

    asyncio.run(all_verbs())
    studio.delete_playlist(playlist)
    studio.delete_playlist(other)


def test_many_coroutines_share_one_client(studio: ft.studio.Studio) -> None:
    async def many() -> list[str]:
        async with ft.AsyncClient(studio.api_key, studio.url) as client:
            return [account.id for account in await asyncio.gather(*(client.me() for _ in range(40)))]

    assert len(set(asyncio.run(many()))) == 1


# Moving, as far as it can be refused before a request


def test_moving_to_where_it_is_is_refused(client: ft.Client, playlist: str, sent: Callable[[], list[str]]) -> None:
    with pytest.raises(errors.ParameterError, match="same playlist") as caught:
        client.move_tracks(playlist, playlist, "x")
    assert caught.value.parameter == "target"
    assert sent() == []
    with pytest.raises(errors.ParameterError, match="same playlist"):
        client.move_tracks(playlist, playlist.upper(), "x")
    assert sent() == ["GET /v1/playlists"]


def test_the_rows_of_the_playlists_frame_say_from_where_to_where(
    client: ft.Client, studio: ft.studio.Studio, playlist: str, takes: pd.DataFrame
) -> None:
    target = studio.create_playlist("Where it goes")
    client.add_tracks(playlist, takes)
    rows = client.playlists().set_index("id", drop=False)
    outcomes = [
        client.move_tracks(playlist, rows.loc[target], takes["id"].iloc[:1]),
        client.move_tracks(playlist, rows.loc[[target]], takes["id"].iloc[1:2]),
        client.move_tracks(rows.loc[target], playlist, takes["id"].iloc[:2]),
    ]
    studio.delete_playlist(target)
    assert [len(outcome.succeeded) for outcome in outcomes] == [1, 1, 2]


# Lifetime


def test_a_client_works_from_several_threads_and_inside_a_running_loop(client: ft.Client) -> None:
    with ThreadPoolExecutor(6) as pool:
        assert len({account.id for account in pool.map(lambda _: client.me(), range(30))}) == 1

    async def inside() -> str:
        return client.me().id

    assert asyncio.run(inside()) == client.me().id


def test_a_closed_client_says_so(studio: ft.studio.Studio) -> None:
    before = set(threading.enumerate())
    client = ft.Client(studio.api_key, studio.url, progress=False)
    with client as entered:
        assert entered is client
        states = [client.closed]
        client.me()
    client.close()
    states.append(client.closed)
    assert states == [False, True]
    assert repr(client).endswith(", closed)")
    verbs: list[Callable[[], Any]] = [client.me, client.playlists, lambda: client.submit(nothing())]
    for verb in verbs:
        with pytest.raises(errors.FinetuningError, match="closed"):
            verb()
    assert "finetuning-loop" not in {thread.name for thread in set(threading.enumerate()) - before}


async def nothing() -> None:
    return None


def test_a_client_shows_progress_when_work_is_long(
    archive: ft.studio.Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    with ft.Client(archive.api_key, archive.url) as client:
        take = client.generate("lofi", wait=False)
        with pytest.raises(errors.StillProcessingError):
            client.wait(take, timeout=2)
    assert "generating: pending, at most" in capsys.readouterr().err


def test_a_wait_at_a_limit_is_shown(host: Any, capsys: pytest.CaptureFixture[str]) -> None:
    limited = b'{"error": {"code": "RATE_LIMITED", "message": "Slow down"}}'
    answers = [(429, limited, {"retry_after": "3"}), (200, b'{"data": {"id": "usr_1"}}', {})]

    def answer(handler: Any) -> None:
        status, body, headers = answers.pop(0)
        host.send(handler, status, body, **headers)

    host.answer = answer
    with ft.Client("ft_live_" + "0" * 32, host.url) as client:
        assert client.me().id == "usr_1"
    assert re.search(r"RATE_LIMITED on GET /v1/me: waiting [0-3] s", capsys.readouterr().err)


def test_a_run_of_something_that_is_no_sweep_is_refused(client: ft.Client) -> None:
    for wrong in ("lofi", None, {"bpm": [80, 90]}):
        with pytest.raises(errors.ParameterError, match="is not a sweep") as caught:
            client.run(wrong)  # type: ignore[arg-type]  # that is the point
        assert "ft.Sweep(" in str(caught.value)


@pytest.mark.parametrize(
    ("value_", "text"), [(None, ""), (0, "0s"), (42.4, "42s"), (60, "1m"), (180, "3m"), (200, "3m 20s"), (59.6, "1m")]
)
def test_durations_read_as_the_command_s(value_: float | None, text: str) -> None:
    assert seconds(value_) == text


def test_a_view_of_little_is_shown_all_the_same() -> None:
    from finetuning.client.views import PlaylistView
    from finetuning.records import Playlist

    view = PlaylistView.of(Playlist(id="<p>", description="<b>"))
    assert view._repr_html_().startswith("<h4>&lt;p&gt;</h4><p>0 track(s)</p><p>&lt;b&gt;</p>")
    assert (view.track_count, view.tracks.empty, view.created_at) == (0, True, None)


def test_clients_are_made_of_what_is_configured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.json").write_text('{"baseUrl": "https://example.com/"}')
    monkeypatch.setenv("FINETUNING_API_KEY", "ft_live_" + "0" * 32)
    with ft.Client() as client:
        assert repr(client) == "Client('https://example.com', ApiKey('ft_live_0000...****'))"
