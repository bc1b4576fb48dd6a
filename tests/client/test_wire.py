"""Each endpoint to the byte: what is sent, and what is made of what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

import finetuning as ft
from finetuning import __version__, errors
from finetuning.records import Account, Created, Generation, Limits, Parameters, Playlist

KEY = "ft_live_" + "0123456789abcdef" * 2
URL = "https://pub.finetuning.ai"
ID = "3f2b8c1e-1111-4222-8333-444455556666"
PLAYLIST = "9d8c7b6a-1111-4222-8333-444455556666"
TARGET = "pl_target"

ROW = {
    "id": ID,
    "title": "Rain",
    "prompt": "lofi chill piano",
    "type": "music",
    "status": "completed",
    "audioUrl": "https://media.finetuning.ai/a.mp3",
    "duration": 30,
    "isPublic": False,
    "playCount": 3,
    "likeCount": 1,
    "parameters": {"bpm": 85, "duration": 30, "keyscale": "C minor", "timesignature": 4, "seed": 7, "language": "en"},
    "createdAt": "2025-01-15 10:30:00",
    "completedAt": "2025-01-15T10:30:17.623Z",
}
DETAIL = {
    **ROW,
    "fileSize": 720_000,
    "downloadCount": 2,
    "errorMessage": None,
    "generationTime": 17.6,
    "webhook": "https://example.com/hook",
}
TAKE = Generation(
    id=ID,
    title="Rain",
    prompt="lofi chill piano",
    type="music",
    status="completed",
    audio_url="https://media.finetuning.ai/a.mp3",
    duration=30,
    is_public=False,
    play_count=3,
    like_count=1,
    parameters=Parameters(bpm=85, duration=30, keyscale="C minor", timesignature=4, seed=7, language="en"),
    created="2025-01-15 10:30:00",
    completed="2025-01-15T10:30:17.623Z",
)


def ask(verb: Callable[[ft.AsyncClient], Awaitable[Any]]) -> Any:
    async def ask() -> Any:
        async with ft.AsyncClient(KEY) as client:
            return await verb(client)

    return asyncio.run(ask())


def sent(route: respx.Route) -> httpx.Request:
    assert route.call_count == 1
    request: httpx.Request = route.calls[0].request
    assert request.headers["X-API-Key"] == KEY
    assert request.headers["User-Agent"] == f"finetuning-python/{__version__}"
    return request


@respx.mock
def test_health_is_asked_without_the_key() -> None:
    route = respx.get(f"{URL}/health").respond(json={"status": "ok"})
    assert ask(lambda client: client.health()) == {"status": "ok"}
    assert "X-API-Key" not in route.calls[0].request.headers


@respx.mock
def test_me() -> None:
    limits = {
        "monthlyGenerations": 500,
        "generationsUsed": 37,
        "monthlyRemaining": 463,
        "packCredits": 10,
        "totalRemaining": 473,
        "queueDepth": 10,
    }
    account = {"id": "usr_1", "email": "ada@example.com", "name": None, "tier": "pro", "limits": limits}
    route = respx.get(f"{URL}/v1/me").respond(json={"data": account})
    assert ask(lambda client: client.me()) == Account(
        id="usr_1",
        email="ada@example.com",
        tier="pro",
        limits=Limits(
            monthly_generations=500,
            generations_used=37,
            monthly_remaining=463,
            pack_credits=10,
            total_remaining=473,
            queue_depth=10,
        ),
    )
    assert sent(route).content == b""


@pytest.mark.parametrize("status", [201, 202])
@respx.mock
def test_generate(status: int) -> None:
    created = {
        "id": ID,
        "status": "pending",
        "prompt": "lofi chill piano",
        "parameters": {"bpm": 85, "duration": 30, "keyscale": "C minor", "timesignature": "4", "seed": 7},
        "webhook": "https://example.com/hook",
        "creditsRemaining": 462,
        "createdAt": "2025-01-15T10:30:00Z",
    }
    route = respx.post(f"{URL}/v1/generations").respond(status, json={"data": created})
    take = ask(
        lambda client: client.generate(
            "lofi chill piano",
            lyrics="la la",
            duration=30,
            bpm=85,
            key="C",
            scale="minor",
            time_signature=4,
            language="en",
            seed=7,
            webhook="https://example.com/hook",
            wait=False,
        )
    )
    assert take == Created(
        id=ID,
        status="pending",
        prompt="lofi chill piano",
        parameters=Parameters(bpm=85, duration=30, keyscale="C minor", timesignature="4", seed=7),
        webhook="https://example.com/hook",
        credits_remaining=462,
        created="2025-01-15T10:30:00Z",
    )
    assert take.created_at == datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
    assert take.time_signature == 4
    request = sent(route)
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == (
        b'{"tags":"lofi chill piano","lyrics":"la la","duration":30,"bpm":85,"key":"C","scale":"minor",'
        b'"timesignature":"4","language":"en","seed":7,"webhook":"https://example.com/hook"}'
    )


@respx.mock
def test_generate_sends_nothing_that_was_not_said() -> None:
    route = respx.post(f"{URL}/v1/generations").respond(202, json={"data": {"id": ID}})
    ask(lambda client: client.generate("Klavier — größer", wait=False))
    assert sent(route).content == '{"tags":"Klavier — größer"}'.encode()


@respx.mock
def test_generations() -> None:
    page = {"generations": [ROW], "hasMore": False, "nextOffset": None}
    route = respx.get(f"{URL}/v1/generations").respond(json={"data": page})
    assert ask(lambda client: client.generations(status="Completed", limit=5)) == [TAKE]
    assert sent(route).url.query == b"limit=5&offset=0&status=completed"


@respx.mock
def test_generation() -> None:
    route = respx.get(f"{URL}/v1/generations/{ID}").respond(json={"data": DETAIL})
    take = ask(lambda client: client.generation(ID))
    assert (take.file_size, take.download_count, take.error_message) == (720_000, 2, None)
    assert (take.generation_time, take.webhook) == (17.6, "https://example.com/hook")
    assert take.completed_at == datetime(2025, 1, 15, 10, 30, 17, 623_000, tzinfo=UTC)
    sent(route)


@respx.mock
def test_an_id_is_quoted_on_the_wire() -> None:
    route = respx.get(url__regex=".*").respond(404, json={"error": {"code": "NOT_FOUND", "message": "Track not found"}})
    with pytest.raises(errors.NotFoundError):
        ask(lambda client: client.generation("../me?x=1"))
    assert sent(route).url.raw_path == b"/v1/generations/..%2Fme%3Fx%3D1"


@respx.mock
def test_playlists() -> None:
    row = {
        "id": PLAYLIST,
        "name": "Focus Beats",
        "description": None,
        "trackCount": 2,
        "totalDuration": 61.5,
        "isPublic": True,
        "createdAt": "2025-01-15 10:30:00",
        "updatedAt": "2025-01-16 10:30:00",
    }
    route = respx.get(f"{URL}/v1/playlists").respond(json={"data": {"playlists": [row]}})
    (playlist,) = ask(lambda client: client.playlists())
    assert playlist == Playlist(
        id=PLAYLIST,
        name="Focus Beats",
        track_count=2,
        total_duration=61.5,
        is_public=True,
        created="2025-01-15 10:30:00",
        updated="2025-01-16 10:30:00",
    )
    assert sent(route).url.query == b""


@respx.mock
def test_playlist() -> None:
    body = {"id": PLAYLIST, "name": "Focus Beats", "isOwner": False, "isPublic": True, "tracks": [ROW]}
    route = respx.get(f"{URL}/v1/playlists/{PLAYLIST}").respond(json={"data": body})
    playlist = ask(lambda client: client.playlist(PLAYLIST))
    assert (playlist.is_owner, playlist.tracks) == (False, [TAKE])
    sent(route)


BULK: list[tuple[str, Callable[[ft.AsyncClient], Awaitable[Any]], str, bytes, str, str]] = [
    ("added", lambda c: c.add_tracks(PLAYLIST, ["a", "b"]), f"/v1/playlists/{PLAYLIST}/tracks",
     b'{"trackIds":["a","b"]}', "trackId", "Added 1 of 2 track(s)"),
    ("removed", lambda c: c.remove_tracks(PLAYLIST, ["a", "b"]), f"/v1/playlists/{PLAYLIST}/tracks/bulk-remove",
     b'{"trackIds":["a","b"]}', "trackId", "Removed 1 of 2 track(s)"),
    ("moved", lambda c: c.move_tracks(PLAYLIST, TARGET, ["a", "b"]), f"/v1/playlists/{PLAYLIST}/tracks/move",
     b'{"trackIds":["a","b"],"targetPlaylistId":"pl_target"}', "trackId", "Moved 1 of 2 track(s)"),
    ("deleted", lambda c: c.delete_tracks(["a", "b"], yes=True), "/v1/generations/bulk-delete", b'{"ids":["a","b"]}',
     "id", "Deleted 1 of 2 track(s)"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "verb", "path", "body", "item", "summary"), BULK, ids=[case[0] for case in BULK])
@respx.mock
def test_bulk(field: str, verb: Any, path: str, body: bytes, item: str, summary: str) -> None:
    data = {field: ["a"], "errors": [{item: "b", "error": "Track not found"}]}
    route = respx.post(f"{URL}{path}").respond(json={"data": data})
    outcome = ask(verb)
    assert (outcome.succeeded, outcome.refused, outcome.summary) == (["a"], {"b": "Track not found"}, summary)
    assert sent(route).content == body


@pytest.mark.parametrize(("field", "verb", "path", "body", "item", "summary"), BULK, ids=[case[0] for case in BULK])
@respx.mock
def test_bulk_without_errors(field: str, verb: Any, path: str, body: bytes, item: str, summary: str) -> None:
    respx.post(f"{URL}{path}").respond(json={"data": {field: ["b", "a"]}})
    outcome = ask(verb)
    assert (outcome.succeeded, outcome.refused, outcome.failed.empty) == (["a", "b"], {}, True)


@pytest.mark.parametrize(("code", "case"), [("ADD_FAILED", BULK[0]), ("MOVE_FAILED", BULK[2])])
@respx.mock
def test_nothing_done_becomes_the_same_outcome(code: str, case: Any) -> None:
    details = [{"trackId": "a", "error": "Track not found"}, {"trackId": "b", "error": "Track already in playlist"}]
    error = {"code": code, "message": "No tracks were changed", "details": details}
    respx.post(f"{URL}{case[2]}").respond(400, json={"error": error})
    outcome = ask(case[1])
    assert outcome.succeeded == []
    assert outcome.refused == {"a": "Track not found", "b": "Track already in playlist"}
    assert outcome.error is None


@respx.mock
def test_an_answer_keeps_its_body_and_tells_the_limit() -> None:
    from finetuning import protocol

    body = b'{"data": {"id": "usr_1", "mood": "calm"}, "meta": 1}'
    respx.get(f"{URL}/v1/me").respond(content=body, headers={"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "59"})
    answer = ask(lambda client: client.send(protocol.me()))
    assert (answer.content, answer.limit, answer.remaining) == (body, 60, 59)
    assert answer.value.extra == {"mood": "calm"}
    assert repr(body) not in repr(answer)


@pytest.mark.parametrize("header", ["many", "-1", "²", "9" * 30, "1.5", ""])
@respx.mock
def test_a_limit_that_is_no_number_is_as_good_as_none(header: str) -> None:
    from finetuning import protocol

    headers = [(b"X-RateLimit-Limit", header.encode("latin-1", "replace")), (b"X-RateLimit-Remaining", b" 5 ")]
    respx.get(f"{URL}/v1/me").mock(return_value=httpx.Response(200, headers=headers, json={"data": {"id": "u"}}))
    answer = ask(lambda client: client.send(protocol.me()))
    assert (answer.limit, answer.remaining) == (None, 5)


@respx.mock
def test_unknown_fields_become_columns() -> None:
    row = {**ROW, "moodTags": ["calm"], "parameters": {**ROW["parameters"], "energyLevel": 0.4}}  # type: ignore[dict-item]
    page = {"generations": [row, {**ROW, "id": "other"}], "hasMore": False, "total": 2}
    respx.get(f"{URL}/v1/generations").respond(json={"data": page})
    with ft.Client(KEY, progress=False) as client:
        frame = client.generations()
    assert list(frame.columns[-2:]) == ["mood_tags", "energy_level"]
    assert frame["mood_tags"].tolist() == [["calm"], None]
    assert frame["energy_level"].iloc[0] == 0.4


@respx.mock
def test_both_clients_send_the_same_bytes() -> None:
    bodies = []
    route = respx.post(f"{URL}/v1/generations").respond(202, json={"data": {"id": ID}})
    ask(lambda client: client.generate("lofi", bpm=90, key="Db", wait=False))
    with ft.Client(KEY, progress=False) as client:
        client.generate("lofi", bpm=90, key="Db", wait=False)
    bodies = [json.loads(call.request.content) for call in route.calls]
    assert bodies == [{"tags": "lofi", "bpm": 90, "key": "C#"}] * 2
