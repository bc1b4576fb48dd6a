"""Who is told, on which thread, and waiting for what was not told yet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from finetuning.errors import (
    FinetuningError,
    ParameterError,
    SelectionError,
    StillProcessingError,
    WebhookError,
)
from finetuning.records import Generation
from finetuning.webhooks import Receiver
from finetuning.webhooks.inbox import Inbox

Body = Callable[..., dict[str, Any]]
Post = Callable[..., tuple[int, str]]


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


def test_what_is_waited_for_is_not_missed_in_a_flood(until: Callable[..., None]) -> None:
    inbox = Inbox(str, most=2)
    done = threading.Event()

    def wait() -> None:
        inbox.wait(["mine", "last"], 60)
        done.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    until(lambda: inbox._waiters)
    for id_ in ("mine", *map(str, range(10)), "last"):
        inbox.take(Generation(id=id_), 1)
    thread.join(60)
    assert done.is_set()
    assert inbox._waiters == []


def test_waiting_for_a_selection(receiver: Receiver, body: Body, post: Post) -> None:
    frame = pd.DataFrame({"id": ["1", "2", "3"]})
    poster = threading.Thread(target=lambda: [post(receiver.url, body(id_)) for id_ in ("3", "other", "1", "2")])
    poster.start()
    receiver.wait(frame, timeout=60)
    assert set(receiver.received["id"]) >= {"1", "2", "3"}
    poster.join()
    receiver.wait(Generation(id="other"), timeout=0)
    receiver.wait(receiver.received, timeout=None)
    receiver.wait("1", timeout=np.int64(0))  # type: ignore[arg-type]  # a number all the same


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


def test_closing_wakes_who_waits(until: Callable[..., None]) -> None:
    caught: list[StillProcessingError] = []
    with Receiver() as receiver:

        def wait() -> None:
            try:
                receiver.wait(["1", "2"], timeout=None)
            except StillProcessingError as error:
                caught.append(error)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        until(lambda: receiver._inbox._waiters)
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
