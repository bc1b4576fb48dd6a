"""Every error code of the reference, and the limits that lead to them, on a clock that the tests turn."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from finetuning.studio import Studio
from finetuning.studio.limits import TIERS, longest

Open = Callable[..., Studio]
Connect = Callable[..., httpx.Client]
PATHS = [("GET", "/v1/me"), ("GET", "/v1/generations/x"), ("POST", "/v1/generations"), ("GET", "/v1/playlists")]


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    error: dict[str, Any] = answer.json()["error"]
    assert error["message"]
    return error


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_keys(shared: httpx.Client, method: str, path: str) -> None:
    key = shared.headers["X-API-Key"]
    for wrong in (key[:-1], key + "0", key.upper(), "ft_live_" + "0" * 32, "é"):
        refused(shared.request(method, path, headers={b"X-API-Key": wrong.encode()}), 401, "INVALID_API_KEY")
    refused(shared.request(method, path, headers={"X-API-Key": ""}), 401, "MISSING_API_KEY")
    with httpx.Client(base_url=shared.base_url) as stranger:
        answer = stranger.request(method, path, headers={"Authorization": f"Bearer {key}"})
    refused(answer, 401, "MISSING_API_KEY")
    assert key not in answer.text


def test_a_deleted_account(studio: Studio, api: httpx.Client) -> None:
    studio.set_deleted()
    refused(api.get("/v1/me"), 401, "ACCOUNT_DELETED")
    studio.set_deleted(False)
    assert api.get("/v1/me").status_code == 200


@pytest.mark.parametrize("limits", ["local", "hosted"])
@pytest.mark.parametrize("tier", TIERS)
def test_plans(open_studio: Open, connect: Connect, tier: str, limits: str) -> None:
    api = connect(open_studio(tier=tier, limits=limits))
    if tier in ("free", "plus"):
        refused(api.get("/v1/me"), 403, "PRO_PLAN_REQUIRED")
        refused(api.post("/v1/generations", json={"tags": "x"}), 403, "PRO_PLAN_REQUIRED")
    else:
        assert api.get("/v1/me").json()["data"]["tier"] == tier


def test_the_free_tier_is_capped_where_it_is_let_in(open_studio: Open, connect: Connect) -> None:
    api = connect(open_studio(tier="free", plan_required=False))
    data = api.post("/v1/generations", json={"tags": "x", "duration": 210}).json()["data"]
    assert data["parameters"]["duration"] == 120
    assert {tier: longest(tier) for tier in TIERS} == {"free": 120, "plus": 210, "pro": 210, "lifetime": 210}


def test_credits_run_out_and_come_back_with_the_month(open_studio: Open, connect: Connect, clock: Any) -> None:
    studio = open_studio(clock=clock, credits=1)
    studio.set_credits(1, pack=1)
    api = connect(studio)
    create = {"tags": "x"}
    assert api.post("/v1/generations", json=create).json()["data"]["creditsRemaining"] == 1
    limits = api.get("/v1/me").json()["data"]["limits"]
    assert (limits["monthlyRemaining"], limits["packCredits"], limits["totalRemaining"]) == (0, 1, 1)
    assert api.post("/v1/generations", json=create).json()["data"]["creditsRemaining"] == 0
    refused(api.post("/v1/generations", json=create), 402, "MONTHLY_LIMIT_REACHED")
    clock.now += 31 * 86400
    assert api.get("/v1/me").json()["data"]["limits"]["generationsUsed"] == 0
    assert api.post("/v1/generations", json=create).status_code == 202
    assert len(api.get("/v1/generations").json()["data"]["generations"]) == 3


def test_deleting_gives_no_credit_back(studio: Studio, api: httpx.Client, make: Callable[..., str]) -> None:
    api.post("/v1/generations/bulk-delete", json={"ids": [make(), make()]})
    assert api.get("/v1/me").json()["data"]["limits"]["generationsUsed"] == 2
    assert api.get("/v1/generations").json()["data"]["generations"] == []


def test_hosted_limits_are_announced(open_studio: Open, connect: Connect) -> None:
    api = connect(open_studio(limits="hosted"))
    me = api.get("/v1/me")
    assert me.headers["x-ratelimit-limit"] == "60"
    assert me.json()["data"]["limits"]["queueDepth"] == 20
    created = api.post("/v1/generations", json={"tags": "x"})
    assert created.headers["x-ratelimit-limit"] == "10"
    assert created.headers["x-ratelimit-remaining"] == "9"
    assert "retry-after" not in created.headers


def test_creates_and_reads_draw_on_two_buckets(open_studio: Open, connect: Connect, clock: Any) -> None:
    studio = open_studio(limits="hosted", clock=clock)
    api = connect(studio)
    remaining = [int(api.post("/v1/generations", json={}).headers["x-ratelimit-remaining"]) for _ in range(10)]
    assert remaining == list(range(9, -1, -1)), "a request that is invalid counts too"
    clock.now += 12.5
    answer = api.post("/v1/generations", json={"tags": "x"})
    error = refused(answer, 429, "GENERATION_RATE_LIMITED")
    assert answer.headers["retry-after"] == "48"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert error["retryAfter"] == 48

    reads = [api.get("/v1/playlists") for _ in range(60)]
    assert [int(read.headers["x-ratelimit-remaining"]) for read in reads] == list(range(59, -1, -1))
    assert all(read.status_code == 200 and "retry-after" not in read.headers for read in reads)
    answer = api.post("/v1/generations/bulk-delete", json={"ids": ["x"] * 100})
    refused(answer, 429, "RATE_LIMITED")
    assert answer.headers["retry-after"] == "60"
    assert httpx.get(f"{studio.url}/health").status_code == 200

    clock.now += 47.4
    refused(api.post("/v1/generations", json={"tags": "x"}), 429, "GENERATION_RATE_LIMITED")
    clock.now += 0.2
    assert api.post("/v1/generations", json={"tags": "x"}).status_code == 202
    refused(api.get("/v1/me"), 429, "RATE_LIMITED")
    clock.now += 12.5
    answer = api.get("/v1/me")
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "59")


def test_strangers_are_limited_together_and_health_never(open_studio: Open, connect: Connect, clock: Any) -> None:
    studio = open_studio(limits="hosted", clock=clock)
    stranger = connect(studio, key="ft_live_" + "0" * 32)
    assert {stranger.get("/v1/me").status_code for _ in range(60)} == {401}
    refused(stranger.get("/v1/me"), 429, "RATE_LIMITED")
    refused(stranger.get("/nowhere"), 429, "RATE_LIMITED")
    health = stranger.get("/health")
    assert (health.status_code, health.headers["x-ratelimit-remaining"]) == (200, "0")
    assert connect(studio).get("/v1/me").status_code == 200


def test_the_queue_is_full_at_its_depth(open_studio: Open, connect: Connect, clock: Any) -> None:
    api = connect(open_studio(limits="hosted", clock=clock))
    ids = []
    for _ in range(2):  # the rate lets half of them in a minute
        ids += [api.post("/v1/generations", json={"tags": "x"}).json()["data"]["id"] for _ in range(10)]
        clock.now += 60
    answer = api.post("/v1/generations", json={"tags": "x"})
    refused(answer, 429, "QUEUE_FULL")
    assert int(answer.headers["retry-after"]) >= 1
    api.post("/v1/generations/bulk-delete", json={"ids": ids[:1]})
    assert api.post("/v1/generations", json={"tags": "x"}).status_code == 202


def test_nothing_is_found_that_is_not_there(api: httpx.Client) -> None:
    assert refused(api.get("/v1/generations/nope"), 404, "NOT_FOUND")["message"] == "Generation not found"
    assert refused(api.get("/v1/playlists/nope"), 404, "NOT_FOUND")["message"] == "Playlist not found"


def test_failures_on_request(studio: Studio, api: httpx.Client) -> None:
    studio.fail_next("GENERATION_FAILED")
    studio.fail_next(times=1)
    assert api.get("/v1/me").status_code == 200, "it waits for a create"
    refused(api.post("/v1/generations", json={"tags": "x"}), 500, "GENERATION_FAILED")
    refused(api.get("/v1/me"), 500, "INTERNAL_ERROR")
    assert api.get("/v1/me").json()["data"]["limits"]["generationsUsed"] == 0


def test_a_broken_database_is_answered_in_the_envelope(
    studio: Studio, api: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    vandal = sqlite3.connect(studio.data_dir / "studio.sqlite3", isolation_level=None)
    vandal.execute("DROP TABLE spending")
    vandal.execute("DROP TABLE playlist_tracks")
    vandal.close()
    refused(api.post("/v1/generations", json={"tags": "x"}), 500, "GENERATION_FAILED")
    error = refused(api.get("/v1/playlists"), 500, "INTERNAL_ERROR")
    assert "playlist_tracks" not in error["message"]
    assert "no such table: playlist_tracks" in caplog.text
    assert studio.api_key not in caplog.text
    assert api.get("/v1/generations").json()["data"]["generations"] == [], "the create left nothing behind"


STRANGE = ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.8", ""]


@pytest.mark.parametrize("host", STRANGE)
@pytest.mark.parametrize("path", ["/v1/me", "/v1/generations", "/health", "/openapi.json", "/nowhere"])
def test_another_host_is_refused_before_anything_else(shared: httpx.Client, path: str, host: str) -> None:
    answer = shared.get(path, headers={"Host": host})
    refused(answer, 421, "MISDIRECTED_REQUEST")
    assert "x-ratelimit-limit" not in answer.headers


def test_another_host_spends_nothing(studio: Studio, api: httpx.Client) -> None:
    answer = api.post("/v1/generations", json={"tags": "piano"}, headers={"Host": "evil.example"})
    refused(answer, 421, "MISDIRECTED_REQUEST")
    assert api.get("/v1/me").json()["data"]["limits"]["generationsUsed"] == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:80", "localhost", "LocalHost:8765", "[::1]", "[::1]:8765"])
def test_this_machine_may_be_called_by_any_of_its_names(shared: httpx.Client, host: str) -> None:
    assert shared.get("/v1/me", headers={"Host": host}).status_code == 200


def test_a_request_that_names_no_host_comes_from_no_browser(shared: httpx.Client) -> None:
    with socket.create_connection((shared.base_url.host, shared.base_url.port or 80), timeout=30) as line:
        line.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert line.recv(64).startswith(b"HTTP/1.1 200 ")


def test_every_operation_says_that_another_host_is_refused(shared: httpx.Client) -> None:
    for operations in shared.get("/openapi.json").json()["paths"].values():
        for operation in operations.values():
            assert not operation["responses"]["421"]["headers"]
            assert operation["responses"]["500"]["headers"]
