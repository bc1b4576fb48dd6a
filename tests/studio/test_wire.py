"""Each endpoint, over real HTTP, in the exact shape of the reference."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from finetuning.studio import Studio

Make = Callable[..., str]
Open = Callable[..., Studio]
Connect = Callable[..., httpx.Client]


def test_health_needs_no_key(studio: Studio) -> None:
    answer = httpx.get(f"{studio.url}/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["x-ratelimit-remaining"]) < int(answer.headers["x-ratelimit-limit"])


def test_me(api: httpx.Client, make: Make) -> None:
    make()
    data = api.get("/v1/me").json()["data"]
    assert UUID(data.pop("id")).version == 4
    assert data == {
        "email": "user@studio.localhost",
        "name": "Studio",
        "tier": "pro",
        "limits": {
            "monthlyGenerations": 10000,
            "generationsUsed": 1,
            "monthlyRemaining": 9999,
            "packCredits": 0,
            "totalRemaining": 9999,
            "queueDepth": 1000,
        },
    }


def test_create_answers_in_its_own_shape(open_studio: Open, connect: Connect, clock: Any) -> None:
    api = connect(open_studio(clock=clock))
    body = {
        "tags": "lofi chill piano",
        "lyrics": "la",
        "duration": 30,
        "bpm": 85,
        "key": "C#",
        "scale": "minor",
        "timesignature": "3",
        "language": "ja",
        "seed": 7,
        "webhook": "https://hooks.example.com/x?token=1",
    }
    answer = api.post("/v1/generations", json=body)
    assert answer.status_code == 202
    data = answer.json()["data"]
    identity = data.pop("id")
    assert UUID(identity).version == 4
    parameters = {"bpm": 85, "duration": 30, "keyscale": "C# minor", "timesignature": "3", "seed": 7, "language": "ja"}
    assert data == {
        "status": "pending",
        "prompt": "lofi chill piano",
        "parameters": parameters,
        "webhook": "https://hooks.example.com/x?token=1",
        "creditsRemaining": 9999,
        "createdAt": "2025-01-15T10:30:00Z",
    }

    listed = api.get("/v1/generations").json()["data"]
    assert (listed["hasMore"], listed["nextOffset"]) == (False, None)
    row = listed["generations"][0]
    assert row.pop("title")
    expected = {
        "id": identity,
        "prompt": "lofi chill piano",
        "type": "music",
        "status": "pending",
        "audioUrl": None,
        "duration": 30,
        "isPublic": False,
        "playCount": 0,
        "likeCount": 0,
        "parameters": {**parameters, "timesignature": 3},
        "createdAt": "2025-01-15 10:30:00",
        "completedAt": None,
    }
    assert row == expected

    detail = api.get(f"/v1/generations/{identity}").json()["data"]
    assert detail.pop("title")
    assert detail == {
        **expected,
        "fileSize": None,
        "downloadCount": 0,
        "errorMessage": None,
        "generationTime": None,
        "webhook": "https://hooks.example.com/x?token=1",
    }


def test_what_is_left_open_is_chosen(api: httpx.Client) -> None:
    first, second = (api.post("/v1/generations", json={"tags": "sad strings"}).json()["data"] for _ in range(2))
    chosen = first["parameters"]
    assert re.fullmatch(r"[A-G]#? (major|minor)", chosen["keyscale"])
    assert (chosen["bpm"], chosen["duration"], chosen["timesignature"]) == (120, 60, "4")
    assert "language" not in chosen
    assert first["webhook"] is None
    assert chosen["seed"] != second["parameters"]["seed"]
    again = api.post("/v1/generations", json={"tags": "sad strings", "seed": chosen["seed"]}).json()["data"]
    assert again["parameters"] == chosen, "the same tags and seed choose the same key"


@pytest.mark.parametrize("given", [{"key": "F#"}, {"scale": "major"}])
def test_the_given_half_of_a_key_is_kept(shared: httpx.Client, given: dict[str, str]) -> None:
    keyscale = shared.post("/v1/generations", json={"tags": "x", **given}).json()["data"]["parameters"]["keyscale"]
    key, _, scale = keyscale.partition(" ")
    assert {"key": key, "scale": scale}.items() >= given.items()
    assert scale in ("major", "minor")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"bpm": 10}, {"bpm": 60}),
        ({"bpm": 999}, {"bpm": 200}),
        ({"bpm": 0}, {"bpm": 60}),
        ({"bpm": 85.0}, {"bpm": 85}),
        ({"duration": 1}, {"duration": 5}),
        ({"duration": 1e9}, {"duration": 210}),
        ({"duration": 12.5}, {"duration": 12.5}),
        ({"seed": -(2**63)}, {"seed": -(2**63)}),
        ({"seed": 2**63 - 1}, {"seed": 2**63 - 1}),
    ],
)
def test_clamping_shows_in_parameters(shared: httpx.Client, given: dict[str, Any], shown: dict[str, Any]) -> None:
    answer = shared.post("/v1/generations", json={"tags": "x", **given})
    assert answer.json()["data"]["parameters"].items() >= shown.items()


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("tags", {}),
        ("tags", {"tags": ""}),
        ("tags", {"tags": " \n"}),
        ("tags", {"tags": "x" * 701}),
        ("tags", {"tags": ["x"]}),
        ("tags", {"tags": None}),
        ("lyrics", {"tags": "x", "lyrics": "l" * 2001}),
        ("lyrics", {"tags": "x", "lyrics": 5}),
        ("duration", {"tags": "x", "duration": "30"}),
        ("duration", {"tags": "x", "duration": True}),
        ("duration", {"tags": "x", "duration": None}),
        ("bpm", {"tags": "x", "bpm": "85"}),
        ("bpm", {"tags": "x", "bpm": False}),
        ("bpm", {"tags": "x", "bpm": 85.5}),
        ("bpm", {"tags": "x", "bpm": None}),
        ("key", {"tags": "x", "key": "H"}),
        ("key", {"tags": "x", "key": "c"}),
        ("key", {"tags": "x", "key": 1}),
        ("key", {"tags": "x", "key": None}),
        ("scale", {"tags": "x", "scale": "dorian"}),
        ("timesignature", {"tags": "x", "timesignature": 4}),
        ("timesignature", {"tags": "x", "timesignature": "8"}),
        ("language", {"tags": "x", "language": "tlh"}),
        ("seed", {"tags": "x", "seed": "7"}),
        ("seed", {"tags": "x", "seed": 2**63}),
        ("seed", {"tags": "x", "seed": None}),
        ("seed", {"tags": "x", "seed": 1.5}),
        ("webhook", {"tags": "x", "webhook": None}),
        ("webhook", {"tags": "x", "webhook": "https://example.com/" + "w" * 2048}),
        ("webhook", {"tags": "x", "webhook": "http://example.com/"}),
        ("webhook", {"tags": "x", "webhook": "https://user:word@example.com/"}),
        ("webhook", {"tags": "x", "webhook": "https://192.168.1.1/"}),
        ("webhook", {"tags": "x", "webhook": "https://10.0.0.1/"}),
        ("webhook", {"tags": "x", "webhook": "https://[fd00::1]/"}),
        ("webhook", {"tags": "x", "webhook": "https://[::::]/"}),
        ("webhook", {"tags": "x", "webhook": "https://example.com:99999/"}),
        ("webhook", {"tags": "x", "webhook": "https://example.com/\n"}),
        ("webhook", {"tags": "x", "webhook": "ftp://example.com/"}),
        ("tempo", {"tags": "x", "tempo": 85}),
    ],
)
def test_a_field_that_is_wrong_is_named_and_costs_nothing(
    shared: httpx.Client, field: str, body: dict[str, Any]
) -> None:
    before = shared.get("/v1/me").json()["data"]["limits"]
    answer = shared.post("/v1/generations", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"]["field"] == field
    assert field in error["message"]
    assert shared.get("/v1/me").json()["data"]["limits"] == before


@pytest.mark.parametrize(
    "webhook",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:8443/a/b?token=x#y",
        "https://1.1.1.1/hook",
        "http://localhost:65535/",
        "http://127.0.0.1:8000/hook",
        "https://[::1]:9/",
        "https://[2606:4700::1111]/",
    ],
)
def test_webhooks_that_are_accepted(shared: httpx.Client, webhook: str) -> None:
    assert shared.post("/v1/generations", json={"tags": "x", "webhook": webhook}).status_code == 202


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"tags": "\\ud800"}', b'{"tags": "\xff"}', b'{"tags": NaN}', b"[" * 9999],
)
def test_a_body_that_is_no_json_object(shared: httpx.Client, body: bytes) -> None:
    answer = shared.post("/v1/generations", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert set(answer.json()["error"]) == {"code", "message"}


def test_the_longest_texts_are_accepted_in_any_script(shared: httpx.Client) -> None:
    answer = shared.post("/v1/generations", json={"tags": "音" * 700, "lyrics": "\x00é" * 1000})
    assert answer.status_code == 202
    assert answer.json()["data"]["prompt"] == "音" * 700


def test_an_oversize_body_is_refused(shared: httpx.Client) -> None:
    answer = shared.post("/v1/generations", content=json.dumps({"tags": "x" * 3_000_000}).encode())
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert "x-ratelimit-limit" in answer.headers


def test_pages_are_newest_first_and_exact(api: httpx.Client, make: Make) -> None:
    ids = [make(seed=n) for n in range(45)][::-1]
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        data = api.get("/v1/generations", params={"offset": offset}).json()["data"]
        assert len(data["generations"]) <= 20
        seen += [row["id"] for row in data["generations"]]
        assert data["hasMore"] is (data["nextOffset"] is not None)
        offset = data["nextOffset"]
    assert seen == ids
    exact = api.get("/v1/generations", params={"limit": 45}).json()["data"]
    assert (exact["hasMore"], exact["nextOffset"]) == (False, None)
    beyond = api.get("/v1/generations", params={"offset": 2**63 - 1}).json()["data"]
    assert beyond == {"generations": [], "hasMore": False, "nextOffset": None}


def test_the_listing_filters_by_status(api: httpx.Client, make: Make) -> None:
    identity = make()
    pending = api.get("/v1/generations", params={"status": "pending", "limit": 99}).json()["data"]["generations"]
    assert [row["id"] for row in pending] == [identity]
    assert api.get("/v1/generations", params={"status": "failed"}).json()["data"]["generations"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "100"),
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", ""),
        ("limit", "1.5"),
        ("limit", "9" * 5000),
        ("offset", "-1"),
        ("offset", str(2**63)),
        ("status", "done"),
        ("status", ""),
    ],
)
def test_a_query_that_is_wrong(shared: httpx.Client, field: str, value: str) -> None:
    answer = shared.get("/v1/generations", params={field: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert answer.json()["error"]["details"]["field"] == field


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/generations", "GET, HEAD, POST"),
        ("GET", "/v1/generations/bulk-delete", "POST"),
        ("PATCH", "/v1/playlists/some", "GET, HEAD"),
        ("GET", "/v1/playlists/some/tracks", "POST"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_a_wrong_method(shared: httpx.Client, method: str, path: str, allow: str) -> None:
    answer = shared.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow
    assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/me", "/v1/me/", "/v1/generations/a/b", "/v1/playlists//tracks"])
def test_an_unknown_path(shared: httpx.Client, path: str) -> None:
    answer = shared.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_head_is_get_without_a_body(api: httpx.Client) -> None:
    head, get = api.head("/v1/playlists"), api.get("/v1/playlists")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]


def test_bulk_delete(api: httpx.Client, make: Make, studio: Studio) -> None:
    first, second = make(), make()
    playlist = studio.create_playlist("mine")
    api.post(f"/v1/playlists/{playlist}/tracks", json={"trackIds": [first, second]})
    data = api.post("/v1/generations/bulk-delete", json={"ids": [first, "nope", studio.house.tracks[0], first]}).json()
    reason = "Track not found or not owned by you"
    missed = ["nope", studio.house.tracks[0], first]
    assert data == {"data": {"deleted": [first], "errors": [{"id": id, "error": reason} for id in missed]}}  # noqa: A001
    assert api.get(f"/v1/generations/{first}").status_code == 404
    left = api.get(f"/v1/playlists/{playlist}").json()["data"]
    assert [track["id"] for track in left["tracks"]] == [second]
    assert left["trackCount"] == 1

    assert api.post("/v1/generations/bulk-delete", json={"ids": [second]}).json() == {"data": {"deleted": [second]}}
    nothing = api.post("/v1/generations/bulk-delete", json={"ids": [second]})
    assert nothing.status_code == 200
    assert nothing.json()["data"]["deleted"] == []


BULK = [
    ("/v1/generations/bulk-delete", "ids"),
    ("/v1/playlists/p/tracks", "trackIds"),
    ("/v1/playlists/p/tracks/bulk-remove", "trackIds"),
    ("/v1/playlists/p/tracks/move", "trackIds"),
]


@pytest.mark.parametrize(("path", "field"), BULK)
@pytest.mark.parametrize("ids", [None, [], "abc", [1], ["a", None], ["a"] * 101, {}])
def test_bulk_lists_that_are_wrong(shared: httpx.Client, path: str, field: str, ids: Any) -> None:
    body = {} if ids is None else {field: ids}
    if path.endswith("/move"):
        body["targetPlaylistId"] = "q"
    answer = shared.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert answer.json()["error"]["details"] == {"field": field, "max": 100}


@pytest.mark.parametrize(("path", "field"), BULK)
def test_a_bulk_list_may_have_a_hundred_and_nothing_beside(shared: httpx.Client, path: str, field: str) -> None:
    more = {"targetPlaylistId": "q"} if path.endswith("/move") else {}
    answer = shared.post(path, json={field: ["a"] * 100, **more})
    body = answer.json()
    errors = body["data"]["errors"] if answer.status_code == 200 else body["error"]["details"]
    assert len(errors) == 100
    assert shared.post(path, json={field: ["a"], **more, "force": True}).json()["error"]["details"] == {
        "field": "force"
    }


@pytest.mark.parametrize("target", [None, "", 5, "p"])
def test_a_move_needs_another_target(shared: httpx.Client, target: Any) -> None:
    answer = shared.post("/v1/playlists/p/tracks/move", json={"trackIds": ["a"], "targetPlaylistId": target})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == "targetPlaylistId"
