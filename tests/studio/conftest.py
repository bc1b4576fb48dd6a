from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from finetuning.studio import Studio

NOON = 1_736_937_000.25  # 2025-01-15 10:30:00.250 UTC


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """Studios on one folder of the test's own; nothing is rendered unless workers are asked for."""
    with ExitStack() as stack:

        def open_one(**options: Any) -> Studio:
            return stack.enter_context(Studio(**{"data_dir": tmp_path / "studio", "workers": 0, **options}))

        yield open_one


@pytest.fixture
def connect() -> Iterator[Callable[..., httpx.Client]]:
    with ExitStack() as stack:

        def connect_one(studio: Studio, key: str | None = None) -> httpx.Client:
            headers = {"X-API-Key": studio.api_key if key is None else key}
            return stack.enter_context(httpx.Client(base_url=studio.url, headers=headers, timeout=30))

        yield connect_one


@pytest.fixture
def studio(open_studio: Callable[..., Studio]) -> Studio:
    return open_studio()


@pytest.fixture
def api(studio: Studio, connect: Callable[..., httpx.Client]) -> httpx.Client:
    return connect(studio)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One studio for the many requests that are refused: they change nothing, so none sees the other."""
    folder = tmp_path_factory.mktemp("shared")
    with (
        Studio(folder, workers=0) as studio,
        httpx.Client(base_url=studio.url, headers={"X-API-Key": studio.api_key}, timeout=30) as client,
    ):
        yield client


@pytest.fixture
def make(api: httpx.Client) -> Callable[..., str]:
    """Ask for a piece and return its id."""

    def make_one(**body: Any) -> str:
        answer = api.post(
            "/v1/generations", json={"tags": "piano", "duration": 5, "key": "C", "scale": "major", **body}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["data"]["id"])

    return make_one


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Wait until something is so; fail if it never is."""

    def wait(condition: Callable[[], Any], within: float = 120) -> None:
        deadline = time.monotonic() + within
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            pause.wait(0.01)

    return wait


@pytest.fixture
def listen() -> Callable[[str], httpx.Response]:
    """Fetch sound that is made when somebody listens: again where the studio asks for patience."""

    def fetch(url: str) -> httpx.Response:
        for _ in range(12):  # it answers 503 after ten seconds
            answer = httpx.get(url, timeout=60)
            if answer.status_code != 503:
                break
        return answer

    return fetch


class Hook:
    """A server that records what it is sent."""

    def __init__(self, status: int, location: str | None) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.requests.append((self.path, dict(self.headers), json.loads(body)))
                with suppress(BrokenPipeError):
                    self.send_response(status)
                    if location:
                        self.send_header("Location", location)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def open_hook() -> Iterator[Callable[..., Hook]]:
    with ExitStack() as stack:

        def open_one(status: int = 200, location: str | None = None) -> Hook:
            hook = Hook(status, location)
            stack.callback(hook.close)
            return hook

        yield open_one
