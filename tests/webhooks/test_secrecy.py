"""The token stands in `url` and nowhere else."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from finetuning.errors import ParameterError
from finetuning.webhooks import Receiver
from finetuning.webhooks.secret import Secret

Body = Callable[..., dict[str, Any]]
Post = Callable[..., tuple[int, str]]


def test_nothing_that_is_shown_holds_it(receiver: Receiver, body: Body, post: Post, token: str) -> None:
    post(receiver.url, body())
    assert token in receiver.url
    shown = [repr(receiver), str(receiver), f"{receiver}", repr(vars(receiver)), str(dir(receiver))]
    shown += [repr(value) for value in vars(receiver).values()]
    shown += [receiver.received.to_csv(), repr(receiver.subscribe(print))]
    assert not [text for text in shown if token in text]
    assert repr(receiver).endswith("told of 1>")


def test_repr_says_where_it_is() -> None:
    receiver = Receiver(public_url="https://example.com/a-secret-place")
    assert repr(receiver) == "<Receiver: not serving by itself; told of 0>"
    with receiver:
        assert "serving on 127.0.0.1, port " in repr(receiver)


@pytest.mark.parametrize("through", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", [Receiver, Secret])
def test_it_is_not_pickled(through: Callable[[Any], Any], kind: Any, token: str) -> None:
    made = kind(token=token) if kind is Receiver else kind(token)
    with pytest.raises(TypeError, match="not pickled") as caught:
        through(made)
    assert token not in str(caught.value)


@pytest.mark.parametrize("level", [1, logging.DEBUG])
def test_no_log_holds_it(
    token: str, level: int, body: Body, post: Post, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio", "finetuning.webhooks"):
        caplog.set_level(level, name)
    with Receiver(token=token) as receiver:
        url = receiver.url
        post(url, body())
        post(url, body(id_=token))
        post(url, body(status=token))
        post(url, b"{")
        post(url, body(), method="GET")
        post(url.replace("/?", f"/{token}?"), body())
        post(url + "x", body())
    assert "told that '0d9f3f4e' is completed" in caplog.text
    assert "refused: 405" in caplog.text
    assert token not in caplog.text
    assert token not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "given",
    [
        {"port": -1},
        {"host": "0.0.0.0"},  # noqa: S104 - refused
        {"public_url": "http://example.com/"},
        {"public_url": "https://example.com/?token=a-token-of-the-tests-own_0123456789"},
        {"token": "ft_live_ a-token-of-the-tests-own_0123456789 \n"},
    ],
)
def test_no_traceback_holds_it_not_even_with_its_locals(given: dict[str, Any], token: str) -> None:
    arguments = {"token": token} | given
    with pytest.raises(ParameterError) as caught:
        Receiver(**arguments)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    told = "".join(frames.format())
    ours = told[told.rindex("receiver.py") :]  # from there on; the frame above is the caller's own
    assert "    self = <Receiver: not serving by itself" in ours
    assert token not in ours


def test_a_refusal_does_not_repeat_it(receiver: Receiver, body: Body, post: Post, token: str) -> None:
    answers = [post(receiver.url, body(**change)) for change in ({"status": token}, {"id": token * 9})]
    assert [status for status, _ in answers] == [400, 400]
    assert not [text for _, text in answers if token in text]


IN_A_KERNEL = """
import json, socket, sys
from http.client import HTTPConnection
from urllib.parse import urlsplit
import finetuning as ft

body = json.loads(sys.argv[1])
with ft.webhooks.Receiver() as receiver:
    parts = urlsplit(receiver.url)
    def fail(told): raise RuntimeError("a listener's own")
    receiver.subscribe(fail)
    garbage = socket.create_connection((parts.hostname, parts.port))
    garbage.sendall(b"\\0\\0 not http\\r\\n\\r\\n")
    assert garbage.recv(100)
    slow = socket.create_connection((parts.hostname, parts.port))
    slow.sendall(f"POST /?{parts.query} HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n"
                 "Content-Length: 900\\r\\n\\r\\n{".encode())
    connection = HTTPConnection(parts.hostname, parts.port)
    connection.request("POST", f"/?{parts.query}", json.dumps(body), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 204
    receiver.wait(body["id"])
print(len(receiver.received))
"""


def test_nothing_is_written_into_the_notebook(body: Body) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_KERNEL, json.dumps(body())], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_debugging_the_loop_does_not_tell_either(
    token: str, body: Body, post: Post, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "slow_callback_duration", 0.0, raising=False)
    with Receiver(token=token) as receiver:
        post(receiver.url, body())
    assert token not in caplog.text
