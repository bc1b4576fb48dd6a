"""Each code of the contract as an exception: wire-exact, and over real HTTP from the studio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import respx

import finetuning as ft
from finetuning import errors, protocol

KEY = "ft_live_" + "0123456789abcdef" * 2
URL = "https://pub.finetuning.ai"
MISSING = "11111111-1111-4111-8111-111111111111"

CODES: list[tuple[int, str, type[errors.APIError], float | None]] = [
    (400, "VALIDATION_ERROR", errors.InvalidRequestError, None),
    (400, "ADD_FAILED", errors.NothingDoneError, None),
    (400, "MOVE_FAILED", errors.NothingDoneError, None),
    (401, "MISSING_API_KEY", errors.AuthenticationError, None),
    (401, "INVALID_API_KEY", errors.AuthenticationError, None),
    (401, "ACCOUNT_DELETED", errors.AuthenticationError, None),
    (402, "MONTHLY_LIMIT_REACHED", errors.OutOfCreditsError, None),
    (403, "PRO_PLAN_REQUIRED", errors.PlanRequiredError, None),
    (404, "NOT_FOUND", errors.NotFoundError, None),
    (429, "RATE_LIMITED", errors.RateLimitError, 600.0),
    (429, "GENERATION_RATE_LIMITED", errors.RateLimitError, 600.0),
    (429, "QUEUE_FULL", errors.QueueFullError, 600.0),
    (500, "GENERATION_FAILED", errors.ServiceError, None),
    (500, "INTERNAL_ERROR", errors.ServiceError, None),
]


@pytest.mark.parametrize(("status", "code", "kind", "wait"), CODES, ids=[code for _, code, *_ in CODES])
@respx.mock
def test_on_the_wire(status: int, code: str, kind: type[errors.APIError], wait: float | None) -> None:
    error: dict[str, Any] = {"code": code, "message": "The server's words.", "details": {"field": "x"}}
    headers = {} if wait is None else {"Retry-After": f"{wait:.0f}"}
    route = respx.post(f"{URL}/v1/generations").respond(status, json={"error": error}, headers=headers)
    with ft.Client(KEY, progress=False) as client, pytest.raises(kind) as caught:
        client.generate("lofi")
    found = caught.value
    assert type(found) is kind
    assert (found.status, found.code, found.message) == (status, code, "The server's words.")
    assert (found.details, found.retry_after, found.request) == ({"field": "x"}, wait, "POST /v1/generations")
    assert route.call_count == 1


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[ft.studio.Studio, ft.Client]]]:
    with ExitStack() as stack:

        def start(**options: Any) -> tuple[ft.studio.Studio, ft.Client]:
            studio = stack.enter_context(ft.studio.Studio(tmp_path / "studio", workers=0, **options))
            policy = ft.Policy(retries=0, max_wait=0)
            client = ft.Client(studio.api_key, studio.url, policy=policy, progress=False)
            return studio, stack.enter_context(client)

        yield start


def refused(kind: type[errors.APIError], code: str, verb: Callable[[], Any]) -> errors.APIError:
    with pytest.raises(kind) as caught:
        verb()
    assert caught.value.code == code
    return caught.value


def test_a_body_that_is_invalid(start: Any) -> None:
    _, client = start()
    error = refused(
        errors.InvalidRequestError, "VALIDATION_ERROR", lambda: client.call(client.asynchronous.submit({"tags": ""}))
    )
    assert error.details
    too_many = protocol.delete_generations([str(n) for n in range(101)])
    refused(errors.InvalidRequestError, "VALIDATION_ERROR", lambda: client.call(client.asynchronous.send(too_many)))


def test_nothing_added_and_nothing_moved(start: Any) -> None:
    studio, client = start()
    one, two = studio.create_playlist("one"), studio.create_playlist("two")
    requests = {
        "ADD_FAILED": protocol.add_tracks(one, [MISSING]),
        "MOVE_FAILED": protocol.move_tracks(one, two, [MISSING]),
    }
    for code, request in requests.items():
        work = client.asynchronous.send(request)
        error = refused(errors.NothingDoneError, code, partial(client.call, work))
        assert [item["trackId"] for item in error.details] == [MISSING]
    assert list(client.add_tracks(one, MISSING).refused) == [MISSING]
    assert list(client.move_tracks(one, two, MISSING).refused) == [MISSING]


def test_a_key_that_is_missing_unknown_or_of_an_account_that_is_gone(start: Any) -> None:
    studio, client = start()

    async def ask_without() -> None:
        async with ft.AsyncClient(KEY, studio.url) as other:
            # The client does not send such a request; the service's answer to one is made all the same.
            response = await other.transport._api.get(f"{studio.url}/v1/me", auth=None)
            protocol.read(protocol.me(), response.status_code, response.headers, response.content)

    refused(errors.AuthenticationError, "MISSING_API_KEY", lambda: asyncio.run(ask_without()))
    with ft.Client(KEY, studio.url, progress=False) as stranger:
        error = refused(errors.AuthenticationError, "INVALID_API_KEY", stranger.me)
        assert "Check the key" in str(error)
        refused(errors.AuthenticationError, "INVALID_API_KEY", lambda: stranger.add_tracks(MISSING, "x"))
    studio.set_deleted()
    refused(errors.AuthenticationError, "ACCOUNT_DELETED", client.me)


def test_no_credits_are_left(start: Any) -> None:
    _, client = start(credits=1)
    assert client.generate("lofi", wait=False).credits_remaining == 0
    error = refused(errors.OutOfCreditsError, "MONTHLY_LIMIT_REACHED", lambda: client.generate("lofi"))
    assert "client.me()" in str(error)
    assert client.me().limits.total_remaining == 0


def test_a_plan_without_the_api(start: Any) -> None:
    _, client = start(tier="plus")
    error = refused(errors.PlanRequiredError, "PRO_PLAN_REQUIRED", client.me)
    assert "ft.connect('studio')" in str(error)


def test_what_is_not_there(start: Any) -> None:
    _, client = start()
    refused(errors.NotFoundError, "NOT_FOUND", lambda: client.generation(MISSING))
    refused(errors.NotFoundError, "NOT_FOUND", lambda: client.playlist(MISSING))


def test_too_many_reads(start: Any) -> None:
    _, client = start(limits="hosted")
    for _ in range(60):
        client.me()
    error = refused(errors.RateLimitError, "RATE_LIMITED", client.me)
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 60


def test_too_many_creates_of_others_and_of_ours(start: Any) -> None:
    studio, client = start(limits="hosted")
    with ft.Client(studio.api_key, studio.url, progress=False) as other:
        for _ in range(10):
            other.generate("lofi", wait=False)
    generate = partial(client.generate, "lofi", wait=False)
    told = refused(errors.RateLimitError, "GENERATION_RATE_LIMITED", generate)
    assert told.retry_after is not None
    assert 0 < told.retry_after <= 60
    # The service has said when there is room again, so it is not asked before.
    known = refused(errors.RateLimitError, "RATE_LIMITED", generate)
    assert "It was not sent" in str(known)


def test_a_queue_that_is_full(start: Any) -> None:
    clock = iter(range(0, 10**9, 60))  # a minute for each look, so that no rate is exceeded
    _, client = start(limits="hosted", clock=lambda: 1_700_000_000.0 + next(clock))

    def fill() -> None:
        for _ in range(200):
            client.generate("lofi", wait=False)

    with pytest.raises(errors.QueueFullError) as caught:
        fill()
    assert caught.value.code == "QUEUE_FULL"
    assert "one of your generations has finished" in str(caught.value)


def test_a_service_that_fails_in_passing(start: Any) -> None:
    studio, client = start()
    studio.fail_next("INTERNAL_ERROR")
    refused(errors.ServiceError, "INTERNAL_ERROR", client.me)
    studio.fail_next("GENERATION_FAILED")
    refused(errors.ServiceError, "GENERATION_FAILED", lambda: client.generate("lofi"))
    studio.fail_next("INTERNAL_ERROR", times=2)
    policy = ft.Policy(backoff=0.001)
    with ft.Client(studio.api_key, studio.url, policy=policy, progress=False) as patient:
        assert patient.me().tier == "pro"
