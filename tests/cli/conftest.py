"""The command as processes and inside this one, and a service that loses answers."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import finetuning as ft
from finetuning.cli.running import Console, Outcome, run

TIMEOUT = 60


@dataclass(frozen=True)
class Done:
    """What a command did, wherever it ran."""

    code: int
    out: str
    err: str
    kind: str | None = None
    value: Any = None

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> list[str]:
        return self.err.splitlines()


def whole_key(studio: ft.studio.Studio) -> str:
    return studio.api_key.removeprefix("ft_live_")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, studio: ft.studio.Studio, home: Path) -> Path:
    """The studio's key in the environment, and its URL in config.json."""
    monkeypatch.setenv("FINETUNING_API_KEY", studio.api_key)
    config = home / "config" / "config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"baseUrl": studio.url}))
    return config


@pytest.fixture
def ft_(studio: ft.studio.Studio, desk: Path) -> Callable[..., Done]:
    """The command as a process of its own, its streams pipes."""

    def start(*argv: str, stdin: str = "", code: int | None = 0) -> Done:
        process = subprocess.run(
            [sys.executable, "-m", "finetuning.cli", *argv],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            cwd=desk,
        )
        done = Done(process.returncode, process.stdout, process.stderr)
        assert code in (None, done.code), done
        assert whole_key(studio) not in done.out + done.err
        return done

    return start


@pytest.fixture
def inside(studio: ft.studio.Studio, desk: Path) -> Callable[..., Done]:
    """The command inside this process; `answers` are typed by a person."""

    def start(*argv: str, code: int | None = 0, answers: list[str] | None = None, stdin: str = "", **more: Any) -> Done:
        out, err = io.StringIO(), io.StringIO()
        asked: list[str] = []

        def ask(prompt: str) -> str:
            asked.append(prompt)
            err.write(prompt)
            if not answers:
                raise EOFError
            return answers.pop(0)

        console = {
            name: more.pop(name)
            for name in list(more)
            if name in ("out_is_terminal", "err_is_terminal", "colour", "width", "start")
        }
        outcome: Outcome = run(
            argv,
            io=Console(
                out=out,
                err=err,
                in_is_terminal=answers is not None,
                line=ask,
                hidden=ask,
                piped=lambda: stdin,
                **console,
            ),
            **more,
        )
        done = Done(outcome.code, out.getvalue(), err.getvalue(), outcome.kind, outcome.value)
        assert code in (None, done.code), done
        assert whole_key(studio) not in done.out + done.err
        return done

    return start


@pytest.fixture(scope="session")
def track(studio: ft.studio.Studio) -> str:
    """A finished track."""
    with ft.Client(studio.api_key, studio.url, progress=False) as client:
        return client.generate("lofi 東京 piano", duration=5, bpm=90, key="A", scale="minor", seed=7).id


@pytest.fixture
def tracks(archive: ft.studio.Studio) -> list[str]:
    """250 tracks of a studio that renders nothing."""
    with ft.Client(archive.api_key, archive.url, progress=False) as client:
        known: list[str] = list(client.generations(limit=None).id)
        while len(known) < 250:
            known.append(client.generate("one of many", duration=5, wait=False).id)
    return known[:250]


class Relay:
    """A host that hands requests on to the studio, and may lose what it answers.

    Attributes
    ----------
    lose
        How many answers to creates are still to be lost.
    lose_bulk
        How many answers to bulk requests are still to be lost.
    refuse
        How many creates are still to be lost before the studio sees them.
    down
        Whether reads are declined.
    darkens
        Whether reads are declined from the next lost answer on.
    posted
        The bodies of the creates that the studio has seen.
    """

    def __init__(self, host: Any, studio: ft.studio.Studio) -> None:
        self.url: str = host.url
        self.lose = self.lose_bulk = self.refuse = 0
        self.down = self.darkens = False
        self.posted: list[dict[str, Any]] = []
        self.bulk_left: int | None = None
        self._to = urlsplit(studio.url).netloc
        host.answer = self._answer
        self._host = host

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        creates = handler.command == "POST" and handler.path == "/v1/generations"
        if creates and self.refuse:
            self.refuse -= 1
            handler.close_connection = True
            return
        if self.down and not creates:
            error = {"error": {"code": "NOT_NOW", "message": "Not now."}}
            self._host.send(handler, 403, json.dumps(error).encode(), content_type="application/json")
            return
        if handler.command == "POST" and not creates and self.bulk_left is not None:
            if self.bulk_left == 0:
                error = {"error": {"code": "INTERNAL_ERROR", "message": "The service tripped."}}
                self._host.send(handler, 500, json.dumps(error).encode(), content_type="application/json")
                return
            self.bulk_left -= 1
        connection = http.client.HTTPConnection(self._to)
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if creates:
            self.posted.append(json.loads(body))
            if self.lose:
                self.lose -= 1
                self.down = self.down or self.darkens
                handler.close_connection = True
                return
        elif handler.command == "POST" and self.lose_bulk:
            self.lose_bulk -= 1
            handler.close_connection = True
            return
        self._host.send(handler, answer.status, content, content_type="application/json")


@pytest.fixture
def relay(host: Any, studio: ft.studio.Studio, monkeypatch: pytest.MonkeyPatch) -> Relay:
    monkeypatch.setenv("FINETUNING_API_KEY", studio.api_key)
    return Relay(host, studio)


@pytest.fixture
def intents(home: Path) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        path = home / "data" / "generate.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines() if line]

    return read
