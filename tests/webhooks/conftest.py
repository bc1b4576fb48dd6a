from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from finetuning.webhooks import Receiver

TOKEN = "a-token-of-the-tests-own_0123456789"


def make_body(id_: str = "0d9f3f4e", **changes: Any) -> dict[str, Any]:
    """The documented body of a completed generation, or, with `status="failed"`, of one that failed."""
    made: dict[str, Any] = {
        "id": id_,
        "status": "completed",
        "audioUrl": f"https://media.finetuning.ai/{id_}.mp3",
        "duration": 90.3,
        "prompt": "lofi chill piano",
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
    if changes.get("status") == "failed":
        made |= {"audioUrl": None, "duration": None}
    return made | changes


def send(
    url: str, content: Any = None, *, method: str = "POST", kind: str | None = "application/json", **headers: str
) -> tuple[int, str]:
    """Send one request and return status and text; what is not bytes is sent as JSON."""
    parts = urlsplit(url)
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    about = {name.replace("_", "-"): value for name, value in headers.items()} | (
        {"Content-Type": kind} if kind else {}
    )
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)) as connection:
        connection.request(method, f"{parts.path}?{parts.query}", data, about)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    return make_body


@pytest.fixture
def post() -> Callable[..., tuple[int, str]]:
    return send


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def open_receiver() -> Iterator[Callable[..., Receiver]]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Receiver(**options))


@pytest.fixture
def receiver(open_receiver: Callable[..., Receiver]) -> Receiver:
    return open_receiver(token=TOKEN)
