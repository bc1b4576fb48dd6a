"""Webhooks: one POST, the documented body, whatever the answer; never where they must not go."""

from __future__ import annotations

import logging
import socket
import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from finetuning.errors import StudioError
from finetuning.studio import Studio
from finetuning.studio.targets import is_loopback, may_call

Open = Callable[..., Studio]


def finish(studio: Studio, identity: str) -> None:
    """Let a piece have ended, as a worker would have recorded it, with no one left to send its webhook."""
    connection = sqlite3.connect(studio.data_dir / "studio.sqlite3", isolation_level=None)
    connection.execute("DELETE FROM jobs WHERE generation_id = ?", (identity,))
    connection.execute(
        "UPDATE generations SET status = 'completed', duration = 90.3, completed_at = 1736937017.623 WHERE id = ?",
        (identity,),
    )
    connection.close()


def test_a_completed_piece(open_studio: Open, connect: Any, open_hook: Any) -> None:
    studio, hook = open_studio(workers=1), open_hook()
    api = connect(studio)
    body = {
        "tags": "piano",
        "duration": 5,
        "seed": 1,
        "key": "C",
        "scale": "minor",
        "webhook": f"{hook.url}/in?token=s",
    }
    created = api.post("/v1/generations", json=body).json()["data"]
    studio.wait_idle(60)
    [(path, headers, sent)] = hook.requests
    assert path == "/in?token=s"
    assert headers["User-Agent"] == "finetuning-webhook/1.0"
    assert headers["Content-Type"] == "application/json"
    assert "X-Api-Key" not in headers
    piece = api.get(f"/v1/generations/{created['id']}").json()["data"]
    duration, when = sent.pop("duration"), sent.pop("createdAt")
    assert isinstance(duration, float)
    assert duration == pytest.approx(5, abs=0.05)
    assert when[:19].replace("T", " ") == piece["createdAt"]
    assert len(when) == len("2025-01-15T10:30:17.623Z")
    assert sent == {
        "id": created["id"],
        "status": "completed",
        "audioUrl": piece["audioUrl"],
        "prompt": "piano",
        "parameters": piece["parameters"],
        "completedAt": piece["completedAt"],
    }
    assert sent["parameters"]["timesignature"] == 4


def test_a_failed_piece(open_studio: Open, connect: Any, open_hook: Any) -> None:
    studio, hook = open_studio(workers=1), open_hook()
    studio.fail_renders("The strings broke.")
    api = connect(studio)
    created = api.post("/v1/generations", json={"tags": "x", "webhook": hook.url}).json()["data"]
    studio.wait_idle(60)
    [(path, _, sent)] = hook.requests
    assert path == "/"
    assert (sent["status"], sent["audioUrl"], sent["duration"]) == ("failed", None, None)
    piece = api.get(f"/v1/generations/{created['id']}").json()["data"]
    assert (piece["status"], piece["errorMessage"], piece["audioUrl"]) == ("failed", "The strings broke.", None)
    assert sent["completedAt"] == piece["completedAt"]
    assert api.get("/v1/generations", params={"status": "failed"}).json()["data"]["generations"][0]["id"] == piece["id"]


@pytest.mark.parametrize(("status", "elsewhere"), [(500, False), (404, False), (302, True)])
def test_once_whatever_the_answer(
    open_studio: Open, connect: Any, open_hook: Any, status: int, elsewhere: bool
) -> None:
    other = open_hook()
    hook = open_hook(status, location=other.url if elsewhere else None)
    studio = open_studio()
    created = connect(studio).post("/v1/generations", json={"tags": "x", "webhook": hook.url}).json()["data"]
    finish(studio, created["id"])
    studio.wait_idle(30)
    studio.close()
    open_studio().wait_idle(30)
    assert [sent["id"] for _, _, sent in hook.requests] == [created["id"]]
    assert other.requests == [], "a redirect is not followed"


def test_the_exact_body(open_studio: Open, connect: Any, open_hook: Any, clock: Any) -> None:
    hook, studio = open_hook(), open_studio(clock=clock)
    body = {
        "tags": "a",
        "duration": 90,
        "bpm": 85,
        "key": "C",
        "scale": "minor",
        "seed": 7,
        "language": "en",
        "webhook": hook.url,
    }
    identity = connect(studio).post("/v1/generations", json=body).json()["data"]["id"]
    finish(studio, identity)
    studio.wait_idle(30)
    assert hook.requests[0][2] == {
        "id": identity,
        "status": "completed",
        "audioUrl": f"{studio.media_url}/media/{identity}.mp3",
        "duration": 90.3,
        "prompt": "a",
        "parameters": {
            "bpm": 85,
            "duration": 90,
            "keyscale": "C minor",
            "timesignature": 4,
            "seed": 7,
            "language": "en",
        },
        "createdAt": "2025-01-15T10:30:00.250Z",
        "completedAt": "2025-01-15T10:30:17.623Z",
    }


def test_what_was_not_sent_before_a_stop_is_sent_after_it(open_studio: Open, connect: Any, open_hook: Any) -> None:
    hook, studio = open_hook(), open_studio()
    identity = connect(studio).post("/v1/generations", json={"tags": "x", "webhook": hook.url}).json()["data"]["id"]
    studio.close()
    finish(studio, identity)
    first, second = open_studio(), open_studio()
    first.wait_idle(30)
    second.wait_idle(30)
    assert [sent["id"] for _, _, sent in hook.requests] == [identity], "two studios saw it, one sent it"


def test_a_target_that_is_gone_is_logged_without_its_secret(
    open_studio: Open, connect: Any, open_hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hook = open_hook()
    hook.close()
    studio = open_studio()
    targets = [f"{hook.url}/?token=secret", f"https://127.0.0.1:{hook.url.rpartition(':')[2]}/?token=secret"]
    with caplog.at_level(logging.INFO):
        for target in targets:
            identity = (
                connect(studio).post("/v1/generations", json={"tags": "x", "webhook": target}).json()["data"]["id"]
            )
            finish(studio, identity)
        studio.wait_idle(30)
    assert caplog.text.count("was not delivered") == 2
    assert "secret" not in caplog.text


def test_a_loopback_target_without_a_certificate(
    open_studio: Open, connect: Any, open_hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hook, studio = open_hook(), open_studio()
    target = hook.url.replace("http://", "https://")
    identity = connect(studio).post("/v1/generations", json={"tags": "x", "webhook": target}).json()["data"]["id"]
    finish(studio, identity)
    studio.wait_idle(30)
    assert "was not delivered" in caplog.text
    assert hook.requests == []


def test_a_slow_target_does_not_hold_up_close(open_studio: Open, connect: Any, wait_for: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        studio = open_studio()
        target = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        identity = connect(studio).post("/v1/generations", json={"tags": "x", "webhook": target}).json()["data"]["id"]
        finish(studio, identity)
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(4) == b"POST"
            with pytest.raises(StudioError, match="unfinished"):
                studio.wait_idle(0)
            studio.close()
            while connection.recv(65536):  # the studio hangs up
                pass


def test_a_public_name_that_leads_into_a_private_network_is_not_called(
    open_studio: Open, connect: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = open_studio()
    url = "https://hooks.example.com/?token=secret"
    identity = connect(studio).post("/v1/generations", json={"tags": "x", "webhook": url}).json()["data"]["id"]
    resolve = socket.getaddrinfo

    def poisoned(host: Any, *rest: Any, **options: Any) -> Any:
        return resolve("10.255.255.1" if host == "hooks.example.com" else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", poisoned)
    finish(studio, identity)
    studio.wait_idle(30)
    assert "the name leads to a private address" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("host", "address", "allowed"),
    [
        ("hooks.example.com", "1.1.1.1", True),
        ("hooks.example.com", "2606:4700::1111", True),
        ("hooks.example.com", "127.0.0.1", False),
        ("hooks.example.com", "10.1.2.3", False),
        ("hooks.example.com", "169.254.169.254", False),
        ("hooks.example.com", "fe80::1", False),
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("localhost", "10.1.2.3", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("1.1.1.1", "1.1.1.1", True),
    ],
)
def test_where_a_name_may_lead(host: str, address: str, allowed: bool) -> None:
    assert may_call(host, address) is allowed


def test_what_is_loopback() -> None:
    assert [is_loopback(host) for host in ("localhost", "127.9.9.9", "::1", "1.1.1.1", "localhost.example.com")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_deleted_piece_sends_nothing(open_studio: Open, connect: Any, open_hook: Any) -> None:
    hook, studio = open_hook(), open_studio()
    api: httpx.Client = connect(studio)
    identity = api.post("/v1/generations", json={"tags": "x", "webhook": hook.url}).json()["data"]["id"]
    api.post("/v1/generations/bulk-delete", json={"ids": [identity]})
    studio.wait_idle(30)
    studio.close()
    open_studio().wait_idle(30)
    assert hook.requests == []
