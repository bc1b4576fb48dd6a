"""Inside an application of somebody else's, served by its server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from finetuning.errors import FinetuningError, WebhookError
from finetuning.webhooks import Receiver
from finetuning.webhooks.server import Server

Body = Callable[..., dict[str, Any]]
Post = Callable[..., tuple[int, str]]


@contextmanager
def served(app: Any) -> Iterator[str]:
    server = Server(app, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.close()


def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@pytest.mark.parametrize(
    ("route", "public", "path"),
    [
        (lambda receiver: Mount("/ready", receiver), "https://example.com/ready/", "/ready/"),
        (lambda receiver: Mount("/a/b", receiver), "https://example.com/proxied/", "/a/b/"),
        (lambda receiver: Route("/ready", receiver), "https://example.com/ready", "/ready"),
        (lambda receiver: Mount("/", receiver), "https://example.com", "/"),
    ],
)
def test_mounted_under_starlette(
    body: Body, post: Post, token: str, route: Callable[[Receiver], Any], public: str, path: str
) -> None:
    receiver = Receiver(token=token, public_url=public)
    app = Starlette(routes=[Route("/hello", hello), route(receiver)])
    with served(app) as base:
        assert post(f"{base}/hello", b"", method="GET") == (200, "hello")
        assert post(f"{base}{path}?token={token}", body())[0] == 204
        assert post(f"{base}{path}?token=wrong", body())[0] == 403
        assert post(f"{base}{path.rstrip('/')}/elsewhere?token={token}", body())[0] == 404
        assert post(f"{base}{path}?token={token}", body(), method="GET")[0] == 405
    receiver.wait("0d9f3f4e", timeout=0)
    assert list(receiver.received["id"]) == ["0d9f3f4e"]
    assert receiver.url == f"{public}{'' if public.count('/') > 2 else '/'}?token={token}"
    receiver.close()


def test_mounted_it_is_not_serving_by_itself(token: str) -> None:
    with served(Starlette(routes=[Mount("/ready", receiver := Receiver(token=token))])), pytest.raises(WebhookError):
        _ = receiver.url


def test_the_loop_that_serves_must_not_wait(body: Body, post: Post, token: str) -> None:
    receiver = Receiver(token=token)
    threads: list[str] = []
    receiver.subscribe(lambda _: threads.append(threading.current_thread().name))

    async def wait_badly(request: Request) -> PlainTextResponse:
        with pytest.raises(FinetuningError, match=r"asyncio\.to_thread"):
            receiver.wait(["0d9f3f4e", "2"])
        return PlainTextResponse("refused")

    async def wait_well(request: Request) -> PlainTextResponse:
        await asyncio.to_thread(receiver.wait, ["0d9f3f4e", "2"], timeout=60)
        return PlainTextResponse("waited")

    routes = [Route("/badly", wait_badly), Route("/well", wait_well), Mount("/ready", receiver)]
    with served(Starlette(routes=routes)) as base:
        assert post(f"{base}/ready/?token={token}", body())[0] == 204
        assert post(f"{base}/badly", b"", method="GET") == (200, "refused")
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.append(post(f"{base}/well", b"", method="GET")))
        waiting.start()
        assert post(f"{base}/ready/?token={token}", body("2"))[0] == 204
        waiting.join(60)
    assert answers == [(200, "waited")]
    assert len(set(threads)) == 1
