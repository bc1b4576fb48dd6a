"""The receiver in hand: its URL, its life, and what it remembers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

import finetuning as ft
from finetuning.errors import (
    MissingExtraError,
    ParameterError,
    WebhookError,
)
from finetuning.frames import generations_frame
from finetuning.records import Generation
from finetuning.webhooks import Receiver
from finetuning.webhooks.inbox import Inbox

Body = Callable[..., dict[str, Any]]
Post = Callable[..., tuple[int, str]]
Open = Callable[..., Receiver]


def test_it_is_reached_from_the_top() -> None:
    assert ft.webhooks.Receiver is Receiver


# --- URL and parameters


def test_each_draws_a_token_of_its_own(open_receiver: Open) -> None:
    tokens = {open_receiver().url.partition("?token=")[2] for _ in range(3)}
    assert len(tokens) == 3
    assert {len(token) for token in tokens} == {32}


def test_its_url_on_this_machine(open_receiver: Open, token: str) -> None:
    receiver = open_receiver(token=token)
    port = int(receiver.url.removeprefix("http://127.0.0.1:").partition("/")[0])
    assert receiver.url == f"http://127.0.0.1:{port}/?token={token}"
    assert port > 0


def test_without_serving_it_has_none_and_says_what_to_do(token: str) -> None:
    receiver = Receiver(token=token)
    with pytest.raises(WebhookError, match=r"(?s)not serving.*with ft\.webhooks\.Receiver\(\)") as caught:
        _ = receiver.url
    assert token not in str(caught.value)
    with receiver:
        assert receiver.url
    with pytest.raises(WebhookError, match="not serving"):
        _ = receiver.url


@pytest.mark.parametrize(
    ("public", "url"),
    [
        ("https://example.com", "https://example.com/?token=t"),
        ("https://example.com/", "https://example.com/?token=t"),
        ("https://example.com/ready", "https://example.com/ready?token=t"),
        ("https://example.com?a=b", "https://example.com/?a=b&token=t"),
        ("https://example.com/?", "https://example.com/?token=t"),
        ("http://localhost:8000/in", "http://localhost:8000/in?token=t"),
    ],
)
def test_a_public_url_needs_no_serving(public: str, url: str) -> None:
    assert Receiver(token="t", public_url=public).url == url


def test_a_public_url_is_served_at_its_path_too(open_receiver: Open, body: Body, post: Post, token: str) -> None:
    receiver = open_receiver(token=token, public_url="https://example.com/when%20ready/")
    here = f"http://127.0.0.1:{port_of(receiver)}"
    assert post(f"{here}/when%20ready/?token={token}", body("1"))[0] == 204
    assert post(f"{here}/?token={token}", body("2"))[0] == 204
    assert post(f"{here}/ready/?token={token}", body("3"))[0] == 404


def port_of(receiver: Receiver) -> int:
    return int(repr(receiver).partition("port ")[2].partition(";")[0])


@pytest.mark.parametrize(
    ("given", "parameter", "said"),
    [
        ({"token": ""}, "token", "empty"),
        ({"token": "  "}, "token", "empty"),
        ({"token": 7}, "token", "int, not text"),
        ({"token": b"bytes"}, "token", "bytes, not text"),
        ({"token": "two\nlines"}, "token", "cannot be printed"),
        ({"token": "half\ud800"}, "token", "cannot be printed"),
        ({"token": "ft_live_" + "ab3f" * 8}, "token", "API key"),
        ({"port": -1}, "port", "-1 is not a port"),
        ({"port": 65536}, "port", "65536 is not a port"),
        ({"port": True}, "port", "True is not a port"),
        ({"port": "80"}, "port", "'80' is not a port"),
        ({"host": ""}, "host", "not the name"),
        ({"host": None}, "host", "not the name"),
        ({"host": "0.0.0.0"}, "host", "opens the receiver to a network"),  # noqa: S104 - refused
        ({"public_url": ""}, "public_url", "is not a URL"),
        ({"public_url": 7}, "public_url", "is not a URL"),
        ({"public_url": "http://example.com/"}, "public_url", "is http, not https"),
        ({"public_url": "https://10.0.0.1/"}, "public_url", "private address"),
        ({"public_url": "https://example.com/#top"}, "public_url", "fragment"),
        ({"public_url": "https://example.com/?token=mine"}, "public_url", "`token`"),
        ({"public_url": "https://example.com/" + "x" * 2020}, "public_url", "characters"),
    ],
)
def test_what_cannot_be_used(given: dict[str, Any], parameter: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        Receiver(**given)
    assert caught.value.parameter == parameter
    assert caught.value.hint


# --- life


def test_closing_twice_is_harmless_and_it_can_start_again(body: Body, post: Post) -> None:
    receiver = Receiver()
    receiver.close()
    assert receiver.start() is receiver
    assert post(receiver.url, body("1"))[0] == 204
    receiver.close()
    receiver.close()
    with receiver:
        assert post(receiver.url, body("2"))[0] == 204
        receiver.close()
    assert list(receiver.received["id"]) == ["1", "2"]


def test_starting_twice_is_not(receiver: Receiver) -> None:
    with pytest.raises(WebhookError, match="serving already"):
        receiver.start()
    assert receiver.url


def test_nobody_answers_once_it_is_closed(body: Body, post: Post) -> None:
    with Receiver() as receiver:
        url = receiver.url
    with pytest.raises(ConnectionRefusedError):
        post(url, body())


def test_a_port_that_is_taken_is_named_with_a_remedy(receiver: Receiver) -> None:
    port = port_of(receiver)
    other = Receiver(port=port)
    with pytest.raises(WebhookError, match=rf"(?s)127\.0\.0\.1, port {port}: .*choose another, or 0"):
        other.start()
    receiver.close()
    with other:
        assert port_of(other) == port


def test_an_address_that_is_none_of_this_machine() -> None:
    with pytest.raises(WebhookError, match=r"host\.invalid, port 0"):
        Receiver(host="host.invalid", public_url="https://example.com/").start()


def test_the_other_loopback(body: Body, post: Post) -> None:
    with Receiver(host="::1") as receiver:
        assert receiver.url.startswith("http://[::1]:")
        assert post(receiver.url, body())[0] == 204


def test_two_side_by_side_do_not_hear_each_other(open_receiver: Open, body: Body, post: Post) -> None:
    one, two = open_receiver(), open_receiver()
    assert post(one.url, body("1"))[0] == post(two.url, body("2"))[0] == 204
    assert list(one.received["id"]) == ["1"]
    assert list(two.received["id"]) == ["2"]
    other = two.url.partition("?")[2]
    assert post(f"{one.url.partition('?')[0]}?{other}", body("3"))[0] == 403


def test_within_a_running_loop(body: Body, post: Post) -> None:
    async def cell() -> list[str]:
        with Receiver() as receiver:
            await asyncio.to_thread(post, receiver.url, body("1"))
            receiver.wait("1", timeout=30)
            return list(receiver.received["id"])

    assert asyncio.run(cell()) == ["1"]


PATCHED = """
import asyncio, http.client, json, sys
from urllib.parse import urlsplit
import nest_asyncio
import finetuning as ft

async def cell():
    nest_asyncio.apply()
    with ft.webhooks.Receiver() as receiver:
        parts = urlsplit(receiver.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        connection.request("POST", f"/?{parts.query}", sys.argv[1], {"Content-Type": "application/json"})
        receiver.wait(json.loads(sys.argv[1])["id"], timeout=60)
        print(connection.getresponse().status)
        connection.close()

asyncio.run(cell())
"""


def test_where_loops_are_patched(body: Body) -> None:
    arguments = [sys.executable, "-c", PATCHED, json.dumps(body())]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("204\n", "")


@pytest.mark.parametrize("module", ["uvicorn", "uvicorn.protocols.http.h11_impl"])
def test_without_a_web_server_the_command_is_named(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "finetuning.webhooks.server", raising=False)
    monkeypatch.delattr("finetuning.webhooks.server", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'finetuning\[studio\]'"):
        Receiver().start()


@pytest.mark.parametrize(
    ("where", "name"), [(threading.Thread, "start"), (asyncio, "SelectorEventLoop")], ids=["thread", "loop"]
)
def test_a_machine_that_has_nothing_left(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    def refuse(*given: Any) -> None:
        raise RuntimeError("nothing left") if name == "start" else OSError("nothing left")

    receiver = Receiver()
    with monkeypatch.context() as patched:
        patched.setattr(where, name, refuse)
        with pytest.raises(WebhookError, match=r"could not be started: nothing left\."):
            receiver.start()
    with receiver:
        assert receiver.url


FORKED = """
import os, socket, sys, warnings
from urllib.parse import urlsplit
import finetuning as ft

warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork beside threads
receiver = ft.webhooks.Receiver().start()
port = urlsplit(receiver.url).port
asked, ask = os.pipe()
child = os.fork()
if child == 0:
    os.close(ask)
    os.read(asked, 1)  # until the parent closes it
    receiver.close()
    os._exit(0)
receiver.close()
with socket.socket() as probe:
    print(probe.connect_ex(("127.0.0.1", port)) != 0)
os.close(ask)
print(os.waitpid(child, 0)[1])
"""


def test_a_fork_of_the_process_does_not_keep_the_port() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n0\n", "")


# --- what is remembered


def test_an_empty_frame_has_the_same_columns_and_dtypes(receiver: Receiver, body: Body, post: Post) -> None:
    empty = receiver.received
    assert empty.empty
    assert list(empty.columns) == [*generations_frame([]).columns, "received_at"]
    assert str(empty["received_at"].dtype) == "datetime64[ns, UTC]"
    before = pd.Timestamp(datetime.now(UTC))
    post(receiver.url, body("1"))
    post(receiver.url, body("2", status="failed"))
    full = receiver.received
    assert (full.dtypes == empty.dtypes).all()
    assert list(full.index) == [0, 1]
    assert list(full["status"]) == ["completed", "failed"]
    assert list(full["time_signature"]) == [4, 4]
    assert full["received_at"].between(before, pd.Timestamp(datetime.now(UTC))).all()
    assert full["received_at"].is_monotonic_increasing


def test_the_first_of_an_id_stands(receiver: Receiver, body: Body, post: Post) -> None:
    told: list[Generation] = []
    receiver.subscribe(told.append)
    post(receiver.url, body())
    first = receiver.received
    assert post(receiver.url, body())[0] == 204
    assert post(receiver.url, body(status="failed"))[0] == 204
    pd.testing.assert_frame_equal(receiver.received, first)
    assert receiver.repeats == 2
    assert [each.status for each in told] == ["completed"]


def test_only_the_newest_are_kept() -> None:
    inbox = Inbox(str, most=3)
    assert [inbox.take(Generation(id=str(number)), 1) for number in range(5)] == [True] * 5
    assert list(inbox.frame()["id"]) == ["2", "3", "4"]
    assert len(inbox) == 3
    assert inbox.take(Generation(id="0"), 1), "what was forgotten is news again"
    assert inbox.missing(["0", "2", "4"]) == ["2"]


def test_large_bodies_push_out_more() -> None:
    inbox = Inbox(str, most_bytes=100)
    for number in range(10):
        inbox.take(Generation(id=str(number)), 40)
    assert list(inbox.frame()["id"]) == ["8", "9"]
