from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

import finetuning as ft
from finetuning.records import Generation
from finetuning.sweep.events import VERSION, Accepted, Began, Intent
from finetuning.sweep.ledger import now
from finetuning.sweep.points import Plan

BASE = "https://pub.finetuning.ai"
KEY = "ft_live_" + "ab3f" * 8
STARTED = "2025-01-15T10:30:00Z"


class Service:
    """The service's wire, as a test scripts it: each create takes the next of `script`, or is accepted.

    A step of the script is an exception to raise, a response to give, or a function of the request.
    """

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.hang = False
        self.account: dict[str, Any] = {"id": "usr_1", "tier": "pro", "limits": {"totalRemaining": 100}}
        self.script: deque[Any] = deque()
        self.reads: deque[Any] = deque()
        self.bodies: list[dict[str, Any]] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, int] = {}
        self.requests: list[str] = []
        self.looks_needed = 2
        self.limit = 60
        self.undated = False
        self.most_at_once = 0
        self.ends: dict[str, str] = {}
        self.unlisted: set[str] = set()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if self.hang and request.method == "POST":
            self.hangs.set()
            await asyncio.Event().wait()
        return self.handle(request)

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests.append(f"{request.method} {path}")
        assert request.headers["X-API-Key"] == KEY
        if path == "/v1/me":
            return self.said(self.account)
        if request.method == "POST":
            return self.create(request)
        if self.reads and (step := self.reads.popleft()) is not None:
            return self.step(step, request)
        if path == "/v1/generations":
            return self.listing(request)
        return self.detail(path.rpartition("/")[2])

    def said(self, data: Any, status: int = 200) -> httpx.Response:
        return httpx.Response(status, json={"data": data}, headers={"X-RateLimit-Limit": str(self.limit)})

    def error(self, status: int, code: str, message: str = "no", **headers: str) -> httpx.Response:
        return httpx.Response(status, json={"error": {"code": code, "message": message}}, headers=headers)

    def step(self, step: Any, request: httpx.Request) -> httpx.Response:
        if isinstance(step, BaseException):
            raise step
        answer = step(request) if callable(step) else step
        assert isinstance(answer, httpx.Response)
        return answer

    def create(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        if self.script and (step := self.script.popleft()) is not None:
            return self.step(step, request)
        return self.accept(body)

    def accept(self, body: dict[str, Any]) -> httpx.Response:
        id_ = f"gen_{len(self.rows)}"
        given = {name: body[name] for name in ("bpm", "duration", "seed") if name in body}
        if "bpm" in given:
            given["bpm"] = min(max(given["bpm"], 60), 200)
        created = {} if self.undated else {"createdAt": STARTED}
        row = {"id": id_, "status": "pending", "prompt": body["tags"], "parameters": given, **created}
        self.rows[id_] = row
        self.looks[id_] = 0
        self.most_at_once = max(self.most_at_once, len([r for r in self.rows.values() if r["status"] == "pending"]))
        return self.said({**row, "creditsRemaining": 7}, 202)

    def grow(self, id_: str) -> None:
        self.looks[id_] += 1
        row = self.rows[id_]
        if self.looks[id_] >= self.looks_needed and row["status"] == "pending":
            status = self.ends.get(id_, "completed")
            self.rows[id_] = {**row, "status": status, "title": "A Take", "audioUrl": f"https://media.test/{id_}.mp3"}

    def listing(self, request: httpx.Request) -> httpx.Response:
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        for id_ in self.rows:
            self.grow(id_)
        shown = [row for id_, row in reversed(self.rows.items()) if id_ not in self.unlisted]
        page = shown[offset : offset + limit]
        more = len(shown) > offset + limit
        return self.said({"generations": page, "hasMore": more, "nextOffset": offset + limit if more else None})

    def detail(self, id_: str) -> httpx.Response:
        if id_ not in self.rows:
            return self.error(404, "NOT_FOUND")
        self.grow(id_)
        row = self.rows[id_]
        if row["status"] == "pending":
            return self.said(row)
        message = "The model was unhappy." if row["status"] == "failed" else None
        return self.said({**row, "generationTime": 41.5, "fileSize": 1000, "errorMessage": message})


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        router.route().mock(side_effect=made.answer)
        yield made


@pytest.fixture
def hosted(service: Service, clock: Any) -> Iterator[ft.Client]:
    """A client of the scripted service, whose time passes when it sleeps."""
    with ft.Client(KEY, BASE, clock=clock, progress=False) as client:
        yield client


@pytest.fixture
def reopen(clock: Any) -> Iterator[Callable[[], ft.Client]]:
    """Further clients of the same service, as another process would have one."""
    clients: list[ft.Client] = []

    def one() -> ft.Client:
        clients.append(ft.Client(KEY, BASE, clock=clock, progress=False))
        return clients[-1]

    yield one
    for client in clients:
        client.close()


@pytest.fixture
def plan() -> Plan:
    points = [{"bpm": bpm, "seed": seed} for bpm in (80, 90) for seed in (1, 2)]
    return Plan(fixed={"tags": "piano", "duration": 5}, axes={"bpm": [80, 90], "seed": [1, 2]}, points=points)


@pytest.fixture
def began(plan: Plan) -> Began:
    return Began(at=now(), version=VERSION, name="lofi", base_url=BASE, account="usr_1", plan=plan)


@pytest.fixture
def intent() -> Callable[[int], Intent]:
    return lambda point: Intent(at=now(), point=point)


@pytest.fixture
def accepted() -> Callable[[int], Accepted]:
    return lambda point: Accepted(
        at=now(), point=point, generation=Generation(id=f"gen_{point}", status="pending", created=STARTED)
    )
