"""What every test stands on: nothing of this machine, a clock that obeys, a studio, a client, a media host."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import hypothesis
import keyring
import keyring.backend
import pytest

import finetuning as ft

# Nothing is timed: how long an example takes tells of the machine.
hypothesis.settings.register_profile(
    "finetuning", deadline=None, max_examples=60, derandomize=True, database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)  # fmt: skip
hypothesis.settings.load_profile("finetuning")

# Whatever is installed here: a take's bytes depend on the SoundFont. Processes that tests start inherit it.
os.environ["FINETUNING_SOUNDFONT"] = "bundled"

# In the background of a shell it is ignored, since nobody can interrupt there; tests do.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keychain that is empty at first and gone at last."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring leaves it untyped
        self.stored: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.stored.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.stored[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.stored[service, username]


@pytest.fixture(autouse=True)
def keychain() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of folders, one for each test."""
    base = tmp_path_factory.mktemp("homes")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and data of the test's own; nothing of this machine's."""
    home = next(homes)
    home.mkdir()
    monkeypatch.setenv("FINETUNING_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("FINETUNING_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")  # for processes that a test starts
    monkeypatch.delenv("FINETUNING_API_KEY", raising=False)
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return home


class FakeClock:
    """Time that passes when someone sleeps, and only then."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    """Wait until something is so; fail if it never is."""

    def wait(condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 120
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            pause.wait(0.005)

    return wait


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    """The service for behaviour: real HTTP, real database, real sound."""
    with ft.studio.Studio(tmp_path_factory.mktemp("studio"), limits="local", workers=1) as running:
        yield running


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    """A studio that renders nothing, for a library of many rows."""
    with ft.studio.Studio(tmp_path_factory.mktemp("archive"), limits="local", workers=0) as running:
        yield running


@pytest.fixture
def client(studio: ft.studio.Studio) -> Iterator[ft.Client]:
    with ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as connected:
        yield connected


class Host:
    """A real HTTP server that behaves as a test says.

    `answer` gets the request handler and does with it what it likes; `seen` keeps method, path and headers of each
    request.
    """

    def __init__(self) -> None:
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: handler.send_error(404)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.seen.append((self.command, self.path, dict(self.headers.items())))
                host.answer(self)

            do_POST = do_GET  # noqa: N815 - the base class's naming

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - likewise
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                if not isinstance(sys.exception(), ConnectionError):  # a client may hang up, and tests let it
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer with a body of the length that it has; `content_type="…"` becomes Content-Type."""
        handler.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            if value:
                handler.send_header(name.replace("_", "-").title(), value)
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def make_host() -> Iterator[Callable[[], Host]]:
    hosts: list[Host] = []

    def make() -> Host:
        hosts.append(Host())
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


@pytest.fixture
def host(make_host: Callable[[], Host]) -> Host:
    return make_host()
