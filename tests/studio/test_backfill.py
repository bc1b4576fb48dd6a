"""A made-up past: marked, plausible, paid for, and audible."""

from __future__ import annotations

import io
import math
import statistics
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile

import finetuning as ft
from finetuning.errors import StudioError
from finetuning.studio import Studio
from finetuning.studio.backfill import DAY, REASONS, history
from finetuning.studio.limits import month

from .conftest import NOON, Clock


def rows_of(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        page = api.get("/v1/generations", params={"limit": 99, "offset": offset}).json()["data"]
        found += page["generations"]
        offset = page["nextOffset"] if page["hasMore"] else None
    return found


@pytest.fixture
def past(open_studio: Callable[..., Studio], clock: Clock) -> Studio:
    studio = open_studio(clock=clock)
    studio.backfill()
    return studio


def test_every_row_says_that_it_was_made_up_and_no_other_does(
    past: Studio, connect: Callable[..., httpx.Client]
) -> None:
    api = connect(past)
    body = {"tags": "piano", "duration": 5, "key": "C", "scale": "major"}
    real = api.post("/v1/generations", json=body).json()["data"]["id"]
    rows = rows_of(api)
    assert len(rows) == 301
    assert rows[0]["id"] == real
    assert "backfilled" not in rows[0]
    assert all(row["backfilled"] is True for row in rows[1:])
    assert api.get(f"/v1/generations/{rows[1]['id']}").json()["data"]["backfilled"] is True


def test_it_is_spread_over_the_days_before_and_finished_by_now(
    past: Studio, connect: Callable[..., httpx.Client]
) -> None:
    rows = rows_of(connect(past))
    created = [datetime.fromisoformat(row["createdAt"]).replace(tzinfo=UTC).timestamp() for row in rows]
    ended = [datetime.fromisoformat(row["completedAt"]).timestamp() for row in rows]
    assert created == sorted(created, reverse=True)
    assert NOON - 60 * DAY - 1 <= min(created) < NOON - 50 * DAY
    assert NOON - 10 * DAY < max(created) < max(ended) <= NOON
    assert all(begun < end < begun + 600 for begun, end in zip(created, ended, strict=True))
    assert len({int(moment // DAY) for moment in created}) > 25


def test_the_day_has_a_rhythm() -> None:
    hours = Counter(datetime.fromtimestamp(each.created_at, UTC).hour for each in history(3000, 200, NOON, "1"))
    assert sum(hours[hour] for hour in (18, 19, 20, 21)) > 5 * sum(hours[hour] for hour in (2, 3, 4, 5))


def test_generation_times_grow_with_the_duration() -> None:
    past = history(3000, 200, NOON, "1")
    lengths, times = [each.duration for each in past], [math.log(each.generation_time) for each in past]
    assert statistics.correlation(lengths, times) > 0.75
    assert all(5 < each.generation_time < 300 for each in past)


def test_it_holds_a_few_failures_public_tracks_and_listeners(
    past: Studio, connect: Callable[..., httpx.Client]
) -> None:
    api = connect(past)
    rows = rows_of(api)
    failed = [row for row in rows if row["status"] == "failed"]
    assert 3 <= len(failed) <= 40
    assert {row["status"] for row in rows} == {"completed", "failed"}
    assert all(row["audioUrl"] is None and not row["isPublic"] and not row["playCount"] for row in failed)
    assert api.get(f"/v1/generations/{failed[0]['id']}").json()["data"]["errorMessage"] in REASONS
    public = [row for row in rows if row["isPublic"]]
    assert 20 <= len(public) <= 150
    assert any(row["likeCount"] for row in public)
    assert all(row["likeCount"] <= row["playCount"] for row in rows)
    assert len({row["parameters"]["keyscale"] for row in rows}) > 12
    assert {row["parameters"]["timesignature"] for row in rows} >= {3, 4}


def test_the_credits_are_those_of_the_months_that_it_lies_in(
    past: Studio, connect: Callable[..., httpx.Client]
) -> None:
    api = connect(past)
    this_month = [row for row in rows_of(api) if row["createdAt"][:7] == month(NOON)]
    limits = api.get("/v1/me").json()["data"]["limits"]
    assert limits["generationsUsed"] == len(this_month) > 0
    assert limits["totalRemaining"] == limits["monthlyGenerations"] - len(this_month)


def test_a_past_that_nobody_could_have_paid_for_is_refused_and_leaves_nothing(
    open_studio: Callable[..., Studio], connect: Callable[..., httpx.Client], clock: Clock
) -> None:
    studio = open_studio(limits="hosted", clock=clock)
    with pytest.raises(StudioError, match=r"takes .* credits in 20.*; the account has 500 a month"):
        studio.backfill(2000, days=10)
    assert rows_of(connect(studio)) == []
    assert len(studio.backfill(300)) == 300


def test_the_playlists_hold_what_fits_them(past: Studio, connect: Callable[..., httpx.Client]) -> None:
    api = connect(past)
    shown = {each["name"]: each for each in api.get("/v1/playlists").json()["data"]["playlists"]}
    assert set(shown) == {"Focus Beats", "Night Drive", "Sunday Morning"}
    for each in shown.values():
        tracks = api.get(f"/v1/playlists/{each['id']}").json()["data"]["tracks"]
        assert len(tracks) == each["trackCount"] > 3
        assert all(track["status"] == "completed" for track in tracks)
        assert all(track["isPublic"] for track in tracks) or not each["isPublic"]
    assert shown["Night Drive"]["isPublic"]


def test_the_same_seed_is_the_same_past_and_another_is_another(tmp_path: Path, clock: Clock) -> None:
    ids = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        with Studio(tmp_path / name, workers=0, clock=clock) as studio:
            ids.append(studio.backfill(20, seed=seed))
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])


def test_a_second_past_lies_before_the_first(past: Studio, connect: Callable[..., httpx.Client]) -> None:
    before = [row["id"] for row in rows_of(connect(past))]
    earlier = past.backfill(30, days=5)
    rows = rows_of(connect(past))
    assert [row["id"] for row in rows] == before + earlier
    assert [row["createdAt"] for row in rows] == sorted((row["createdAt"] for row in rows), reverse=True)
    assert len(connect(past).get("/v1/playlists").json()["data"]["playlists"]) == 3


def test_none_is_none(open_studio: Callable[..., Studio], connect: Callable[..., httpx.Client]) -> None:
    studio = open_studio()
    assert studio.backfill(0) == []
    assert connect(studio).get("/v1/playlists").json()["data"]["playlists"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"n": -1}, "n is -1"),
        ({"n": 1.5}, "n is 1.5"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"days": 0}, "days is 0"),
        ({"days": math.nan}, "days is nan"),
        ({"days": True}, "days is True"),
        ({"days": 4000}, "days is 4000"),
    ],
)
def test_what_is_no_past_is_refused(past: Studio, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(StudioError, match=told):
        past.backfill(**arguments)


def test_its_sound_is_made_when_somebody_listens_and_the_times_stay(
    open_studio: Callable[..., Studio], listen: Callable[[str], httpx.Response]
) -> None:
    studio = open_studio(workers=1)
    studio.backfill(60)
    with ft.Client(studio.api_key, studio.url, progress=False) as client:
        frame = client.generations(status="completed", limit=None)
        shortest = client.generation(frame.sort_values("duration").id.iloc[0])
        assert shortest.file_size is None
        sound = listen(str(shortest.audio_url))
        assert sound.status_code == 200
        with soundfile.SoundFile(io.BytesIO(sound.content)) as played:
            assert shortest.duration is not None
            assert abs(played.frames / played.samplerate - shortest.duration) < 1
        after = client.generation(shortest.id)
    assert after.file_size == len(sound.content)
    assert (after.generation_time, after.completed, after.title, after.created) == (
        shortest.generation_time, shortest.completed, shortest.title, shortest.created,
    )  # fmt: skip
