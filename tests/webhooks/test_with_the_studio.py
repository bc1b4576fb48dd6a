"""Told by the studio, over real HTTP: once for every generation that ends, and never the last word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import finetuning as ft
from finetuning.errors import StillProcessingError

Body = Callable[..., dict[str, Any]]
Post = Callable[..., tuple[int, str]]


def test_told_of_a_take_that_is_ready(client: ft.Client, receiver: ft.webhooks.Receiver) -> None:
    told: list[ft.Generation] = []
    receiver.subscribe(told.append)
    take = client.generate("piano", duration=5, seed=1, key="C", scale="minor", webhook=receiver.url, wait=False)
    receiver.wait(take, timeout=60)
    known = client.generation(take.id)
    assert [each.id for each in told] == [take.id]
    assert (told[0].status, told[0].audio_url, told[0].prompt) == ("completed", known.audio_url, "piano")
    assert told[0].completed_at == known.completed_at
    assert told[0].parameters == known.parameters
    received: Any = receiver.received
    [row] = received.itertuples()
    assert (row.id, row.key, row.scale, row.time_signature, row.seed) == (take.id, "C", "minor", 4, 1)
    assert row.duration == pytest.approx(5, abs=0.05)
    assert row.received_at >= row.created_at


def test_told_of_one_that_failed(client: ft.Client, studio: ft.studio.Studio, receiver: ft.webhooks.Receiver) -> None:
    studio.wait_idle(120)  # what other tests began would fail instead
    studio.fail_renders("The strings broke.")
    take = client.generate("piano", duration=5, webhook=receiver.url, wait=False)
    receiver.wait(take, timeout=60)
    assert list(receiver.received["status"]) == ["failed"]
    assert client.generation(take.id).status == "failed"


def test_several_takes_are_told_of_once_each(client: ft.Client, receiver: ft.webhooks.Receiver) -> None:
    takes = [client.generate("pad", duration=5, seed=n, webhook=receiver.url, wait=False) for n in range(3)]
    receiver.wait(takes, timeout=120)
    assert sorted(receiver.received["id"]) == sorted(take.id for take in takes)
    assert receiver.repeats == 0


def test_a_forged_delivery_changes_nothing_at_the_service(
    client: ft.Client, archive: ft.studio.Studio, receiver: ft.webhooks.Receiver, body: Body, post: Post
) -> None:
    with ft.Client(archive.api_key, archive.url, progress=False, studio=archive) as other:
        take = other.generate("pad", duration=5, wait=False)
        forged = body(take.id, audioUrl="https://evil.example.com/x.mp3")
        assert post(receiver.url, forged)[0] == 204
        assert post(receiver.url, body("never-heard-of"))[0] == 204
        assert other.generation(take.id).status in ("pending", "processing")
        assert other.generation(take.id).audio_url is None
        with pytest.raises(StillProcessingError):
            receiver.wait("another", timeout=0)
