"""Who may come in: one path, one method, one token, one type, 64 KiB; over real HTTP, and message by message."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from finetuning.webhooks import Receiver
from finetuning.webhooks.door import BODY_MAX, Door
from finetuning.webhooks.inbox import Inbox
from finetuning.webhooks.secret import Secret

Body = Callable[..., dict[str, Any]]
Post = Callable[..., tuple[int, str]]


def test_what_is_documented_is_taken(receiver: Receiver, body: Body, post: Post) -> None:
    assert post(receiver.url, body()) == (204, "")
    assert post(receiver.url, body("2"), kind="Application/JSON; charset=utf-8") == (204, "")
    assert list(receiver.received["id"]) == ["0d9f3f4e", "2"]


def test_what_is_refused_leaves_no_trace(receiver: Receiver, body: Body, post: Post) -> None:
    told: list[Any] = []
    receiver.subscribe(told.append)
    url = receiver.url
    bare = url.partition("?")[0]
    answers = [
        post(url.replace("/?", "/elsewhere?"), body()),
        post(url, body(), method="GET"),
        post(url, body(), method="PUT"),
        post(bare, body()),
        post(f"{bare}?token=", body()),
        post(f"{bare}?token=wrong", body()),
        post(url + "x", body()),
        post(url[:-1], body()),
        post(f"{url}&token=wrong", body()),
        post(f"{bare}?token=%FF%00", body()),
        post(url, body(), kind="text/plain"),
        post(url, body(), kind=None),
        post(url, b"{"),
        post(url, body(status="processing")),
    ]
    assert [status for status, _ in answers] == [404, 405, 405, *[403] * 7, 415, 415, 400, 400]
    assert all(text.count("\n") == 1 and text.endswith("\n") for _, text in answers)
    assert receiver.received.empty
    assert told == []


def test_the_token_may_stand_among_other_fields(receiver: Receiver, body: Body, post: Post) -> None:
    assert post(receiver.url.replace("?", "?a=b&") + "&c", body())[0] == 204


@pytest.mark.parametrize("token", ["ein Schlüssel & mehr=1%", "a+b/c", "🎹" * 4, "plain"])
def test_any_token_that_can_be_printed(open_receiver: Any, body: Body, post: Post, token: str) -> None:
    receiver = open_receiver(token=token)
    assert receiver.url.isascii()
    assert post(receiver.url, body())[0] == 204
    assert post(receiver.url.replace("token=", "token=%20"), body())[0] == 403


def raw(receiver: Receiver) -> socket.socket:
    parts = urlsplit(receiver.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def head(receiver: Receiver, *lines: str) -> bytes:
    parts = urlsplit(receiver.url)
    first = f"POST /?{parts.query} HTTP/1.1"
    return "\r\n".join([first, "Host: here", "Content-Type: application/json", *lines, "", ""]).encode()


@pytest.mark.parametrize("length", [str(BODY_MAX + 1), "9" * 18])
def test_a_body_that_says_it_is_too_large_is_not_waited_for(receiver: Receiver, length: str) -> None:
    with raw(receiver) as connection:
        connection.sendall(head(receiver, f"Content-Length: {length}"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))  # it hangs up, too
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_of_exactly_the_size_that_is_allowed(receiver: Receiver, body: Body, post: Post) -> None:
    content = json.dumps(body()).encode()
    assert post(receiver.url, content + b" " * (BODY_MAX - len(content))) == (204, "")


def test_a_slow_one_keeps_nobody_waiting(receiver: Receiver, body: Body, post: Post) -> None:
    content = json.dumps(body("slow")).encode()
    with raw(receiver) as connection:
        connection.sendall(head(receiver, f"Content-Length: {len(content)}") + content[:40])
        assert post(receiver.url, body("quick"))[0] == 204
        for place in range(40, len(content)):
            connection.sendall(content[place : place + 1])
        assert connection.recv(65536).startswith(b"HTTP/1.1 204")
    assert list(receiver.received["id"]) == ["quick", "slow"]


def test_one_that_hangs_up_half_way_said_nothing(receiver: Receiver, body: Body, post: Post) -> None:
    content = json.dumps(body("half")).encode()
    with raw(receiver) as connection:
        connection.sendall(head(receiver, f"Content-Length: {len(content)}") + content[:-1])
    assert post(receiver.url, body("whole"))[0] == 204
    assert list(receiver.received["id"]) == ["whole"]


class Caller:
    """The other side of an application, message by message."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = deque(messages)
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        if not self.messages:
            await asyncio.get_running_loop().create_future()  # for ever
        return self.messages.popleft()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/",
        "query_string": b"token=secret",
        "headers": [(b"content-type", b"application/json")],
    } | changes


def door(paths: tuple[str, ...] = ("/",), *, patience: float = 30) -> tuple[Door, Inbox]:
    secret = Secret("secret")
    inbox = Inbox(secret.hide)
    return Door(secret, inbox, paths, patience=patience), inbox


def chunk(content: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}


def test_no_more_is_read_than_is_allowed() -> None:
    there, inbox = door()
    caller = Caller(*[chunk(b" " * 40_000, more=True)] * 5)
    asyncio.run(there(scope(), caller.receive, caller.send))
    assert caller.status == 413
    assert len(caller.messages) == 3
    assert len(inbox) == 0


def test_of_a_body_that_says_it_is_too_large_nothing_is_read() -> None:
    for length in (b"65537", b"-1", b"many", b"9" * 5000):
        there, _ = door()
        caller = Caller(chunk(b"{}"))
        headers = [(b"Content-Type", b"application/json"), (b"Content-Length", length)]
        asyncio.run(there(scope(headers=headers), caller.receive, caller.send))
        assert caller.status == 413
        assert (b"connection", b"close") in caller.sent[0]["headers"]
        assert len(caller.messages) == 1


def test_http_2_has_no_connection_header() -> None:
    there, _ = door()
    caller = Caller(chunk(b" " * (BODY_MAX + 1)))
    asyncio.run(there(scope(http_version="2"), caller.receive, caller.send))
    assert caller.status == 413
    assert b"connection" not in dict(caller.sent[0]["headers"])


def test_a_body_that_never_ends_is_given_up() -> None:
    there, inbox = door(patience=0)
    caller = Caller(chunk(b"{", more=True))
    asyncio.run(there(scope(), caller.receive, caller.send))
    assert caller.status == 408
    assert len(inbox) == 0


def test_who_hangs_up_is_not_answered() -> None:
    there, inbox = door()
    caller = Caller(chunk(b"{", more=True), {"type": "http.disconnect"})
    asyncio.run(there(scope(), caller.receive, caller.send))
    assert caller.sent == []
    assert len(inbox) == 0


def test_two_types_are_none() -> None:
    there, _ = door()
    caller = Caller(chunk(b"{}"))
    headers = [(b"content-type", b"application/json"), (b"content-type", b"text/plain")]
    asyncio.run(there(scope(headers=headers), caller.receive, caller.send))
    assert caller.status == 415


@pytest.mark.parametrize(
    ("path", "root", "paths", "status"),
    [
        ("/", "", ("/",), 400),
        ("", "", ("/",), 400),
        ("/ready/", "/ready", ("/",), 400),
        ("/ready", "/ready", ("/",), 400),
        ("/", "/ready", ("/",), 400),  # a server before it that takes the prefix away
        ("/readyish/", "/ready", ("/",), 404),
        ("/ready/x", "/ready", ("/",), 404),
        ("/ready", "", ("/", "/ready/"), 400),
        ("/api/ready", "/api", ("/", "/ready"), 400),
        ("/api/ready", "/api", ("/", "/api/ready"), 400),
        ("/read", "", ("/", "/ready"), 404),
    ],
)
def test_its_path(path: str, root: str, paths: tuple[str, ...], status: int) -> None:
    there, _ = door(paths)
    caller = Caller(chunk(b"{}"))
    asyncio.run(there(scope(path=path, root_path=root), caller.receive, caller.send))
    assert caller.status == status


def test_it_follows_the_life_of_an_application() -> None:
    there, _ = door()
    caller = Caller({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    asyncio.run(there({"type": "lifespan"}, caller.receive, caller.send))
    assert caller.sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]


def test_it_takes_no_websocket_and_nothing_unheard_of() -> None:
    there, _ = door()
    caller = Caller({"type": "websocket.connect"})
    asyncio.run(there({"type": "websocket"}, caller.receive, caller.send))
    assert caller.sent == [{"type": "websocket.close", "code": 1000}]
    with pytest.raises(ValueError, match="'carrier-pigeon'"):
        asyncio.run(there({"type": "carrier-pigeon"}, caller.receive, caller.send))


def test_not_http_at_all(receiver: Receiver, body: Body, post: Post, capfd: pytest.CaptureFixture[str]) -> None:
    with closing(raw(receiver)) as connection:
        connection.sendall(b"\0\0 not http\r\n\r\n")
        assert b" 400 " in connection.recv(65536)
    assert post(receiver.url, body())[0] == 204
    assert capfd.readouterr() == ("", "")
