"""The receiver in hand: its URL, its life, who is told, what is remembered, and waiting."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

import finetuning as ft
from finetuning.errors import (
    FinetuningError,
    MissingExtraError,
    ParameterError,
    SelectionError,
    StillProcessingError,
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


@pytest.mark.parametrize("module", ["uvicorn", "uvicorn.protocols.http.h11_impl"])
def test_without_a_web_server_the_command_is_named(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "finetuning.webhooks.server", raising=False)
    monkeypatch.delattr("finetuning.webhooks.server", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'finetuning\[studio\]'"):
        Receiver().start()


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


def test_what_is_waited_for_is_not_missed_in_a_flood(wait_until: Callable[..., None]) -> None:
    inbox = Inbox(str, most=2)
    done = threading.Event()

    def wait() -> None:
        inbox.wait(["mine", "last"], 60)
        done.set()

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: inbox._waiters)
    for id_ in ("mine", *map(str, range(10)), "last"):
        inbox.take(Generation(id=id_), 1)
    thread.join(60)
    assert done.is_set()
    assert inbox._waiters == []


# --- listeners


def test_a_listener_is_told_before_the_answer_on_the_thread_that_serves(
    receiver: Receiver, body: Body, post: Post
) -> None:
    told: list[tuple[str, str, bool]] = []

    def listen(generation: Generation) -> None:
        told.append((generation.id, threading.current_thread().name, asyncio.get_running_loop().is_running()))

    receiver.subscribe(listen)
    post(receiver.url, body())
    assert told == [("0d9f3f4e", "finetuning-webhooks", True)]


def test_who_unsubscribes_is_not_told_any_more(receiver: Receiver, body: Body, post: Post) -> None:
    told: list[str] = []
    once = receiver.subscribe(lambda each: told.append(f"once {each.id}"))
    receiver.subscribe(lambda each: told.append(f"ever {each.id}"))
    post(receiver.url, body("1"))
    once()
    once()
    post(receiver.url, body("2"))
    assert told == ["once 1", "ever 1", "ever 2"]


def test_a_listener_may_ask_unsubscribe_and_subscribe(receiver: Receiver, body: Body, post: Post) -> None:
    told: list[Any] = []

    def listen(generation: Generation) -> None:
        stop()
        receiver.wait(generation)  # is there already
        told.append(len(receiver.received))
        receiver.subscribe(told.append)

    stop = receiver.subscribe(listen)
    post(receiver.url, body("1"))
    assert told == [1]
    post(receiver.url, body("2"))
    assert [told[0], told[1].id] == [1, "2"]


def test_one_that_fails_harms_nobody(
    receiver: Receiver, body: Body, post: Post, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    told: list[str] = []

    def fail(generation: Generation) -> None:
        raise RuntimeError(f"no {generation.id}: {receiver.url} ft_live_{'ab3f' * 8}")

    receiver.subscribe(fail)
    receiver.subscribe(lambda each: told.append(each.id))
    assert post(receiver.url, body()) == (204, "")
    assert told == ["0d9f3f4e"]
    assert "a listener failed at the delivery of '0d9f3f4e'" in caplog.text
    assert "RuntimeError: no 0d9f3f4e: http://127.0.0.1" in caplog.text
    assert "token=****" in caplog.text
    assert token not in caplog.text
    assert "ab3f" * 8 not in caplog.text


def test_a_listener_may_close_the_receiver(body: Body, post: Post) -> None:
    with Receiver() as receiver:
        receiver.subscribe(lambda _: receiver.close())
        assert post(receiver.url, body())[0] == 204
        with pytest.raises(WebhookError):
            _ = receiver.url


def test_what_cannot_listen(receiver: Receiver) -> None:
    async def listen(generation: Generation) -> None: ...

    with pytest.raises(ParameterError, match="a coroutine function"):
        receiver.subscribe(listen)
    with pytest.raises(ParameterError, match="a NoneType"):
        receiver.subscribe(None)  # type: ignore[arg-type]


# --- waiting


def test_waiting_for_a_selection(receiver: Receiver, body: Body, post: Post) -> None:
    frame = pd.DataFrame({"id": ["1", "2", "3"]})
    poster = threading.Thread(target=lambda: [post(receiver.url, body(id_)) for id_ in ("3", "other", "1", "2")])
    poster.start()
    receiver.wait(frame, timeout=60)
    assert set(receiver.received["id"]) >= {"1", "2", "3"}
    poster.join()
    receiver.wait(Generation(id="other"), timeout=0)
    receiver.wait(receiver.received, timeout=None)


def test_what_nobody_told_of_is_named(receiver: Receiver, body: Body, post: Post) -> None:
    post(receiver.url, body("1"))
    ids = [str(number) for number in range(9)]
    with pytest.raises(
        StillProcessingError, match=r"8 of 9 takes were not told of within 0 s: 0, 2, 3, 4, 5, …"
    ) as got:
        receiver.wait(ids, timeout=0)
    assert got.value.missing == ["0", "2", "3", "4", "5", "6", "7", "8"]
    assert got.value.id == "0"
    with pytest.raises(StillProcessingError, match=r"1 of 1 takes were not told of within 0\.001 s: 2\."):
        receiver.wait("2", timeout=0.001)


def test_closing_wakes_who_waits(wait_until: Callable[..., None]) -> None:
    caught: list[StillProcessingError] = []
    with Receiver() as receiver:

        def wait() -> None:
            try:
                receiver.wait(["1", "2"], timeout=None)
            except StillProcessingError as error:
                caught.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        wait_until(lambda: receiver._inbox._waiters)
    thread.join(60)
    assert [error.missing for error in caught] == [["1", "2"]]
    assert "before the receiver was closed" in str(caught[0])


@pytest.mark.parametrize("timeout", [-1, float("nan"), True, "300"])
def test_a_timeout_that_is_none(receiver: Receiver, timeout: Any) -> None:
    with pytest.raises(ParameterError, match="not a number of seconds"):
        receiver.wait("1", timeout=timeout)


def test_an_empty_selection(receiver: Receiver) -> None:
    with pytest.raises(SelectionError):
        receiver.wait([])


def test_waiting_on_the_loop_that_serves_would_never_end(receiver: Receiver, body: Body, post: Post) -> None:
    caught: list[BaseException] = []

    def listen(generation: Generation) -> None:
        try:
            receiver.wait("another")
        except FinetuningError as error:
            caught.append(error)

    receiver.subscribe(listen)
    assert post(receiver.url, body())[0] == 204
    assert "would wait for itself" in str(caught[0])


def test_many_post_at_once(receiver: Receiver, body: Body, post: Post) -> None:
    told: list[str] = []
    receiver.subscribe(lambda each: told.append(each.id))
    ids = [str(number) for number in range(20)]

    def send() -> None:
        for id_ in ids:
            assert post(receiver.url, body(id_))[0] == 204

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    receiver.wait(ids, timeout=60)
    for thread in threads:
        thread.join()
    assert sorted(told) == sorted(ids)
    assert receiver.repeats == 60
