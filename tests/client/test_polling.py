from __future__ import annotations

import _thread
import asyncio
import math
from typing import Any

import httpx
import pandas as pd
import pytest
import respx

import finetuning as ft
from finetuning import errors
from finetuning.client.polling import scaled
from finetuning.records import Generation
from finetuning.transport import Transport

KEY = "ft_live_" + "0123456789abcdef" * 2
URL = "https://pub.finetuning.ai"


def answer(status: str, **more: Any) -> httpx.Response:
    headers = {"X-RateLimit-Limit": str(more.pop("limit", 60))}
    return httpx.Response(200, json={"data": {"id": "g", "status": status, **more}}, headers=headers)


def declined(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "No."}})


def wait(generation: Any, clock: Any, **options: Any) -> Generation:
    async def wait() -> Generation:
        async with ft.AsyncClient(KEY, clock=clock, policy=ft.Policy(retries=0)) as client:
            return await client.wait(generation, **options)

    return asyncio.run(wait())


PENDING = Generation(id="g", status="pending")


@respx.mock
def test_it_looks_as_the_command_does(clock: Any) -> None:
    looks = [answer("pending")] + [answer("processing")] * 8 + [answer("completed", duration=30)]
    route = respx.get(f"{URL}/v1/generations/g").mock(side_effect=looks)
    told: list[tuple[str | None, float]] = []
    done = wait(PENDING, clock, progress=lambda known, waited: told.append((known.status, waited)))
    assert (done.status, done.duration) == ("completed", 30)
    assert [round(seconds, 2) for seconds in clock.slept] == [3, 3.9, 5.07, 6.59, 8.57, 11.14, 14.48, 15, 15, 15]
    assert route.call_count == 10
    assert told[0] == ("pending", 0.0)
    assert told[-1] == ("completed", clock.now)


@respx.mock
def test_a_service_that_allows_more_is_asked_sooner_but_not_all_the_time(clock: Any) -> None:
    looks = [answer("processing", limit=600)] * 3 + [answer("processing", limit=10**9)] * 2 + [answer("completed")]
    respx.get(f"{URL}/v1/generations/g").mock(side_effect=looks)
    wait("g", clock)
    assert [round(seconds, 3) for seconds in clock.slept] == [0.3, 0.39, 0.507, 0.25, 0.25]


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({}, 3.0),
        ({"create": 10}, 3.0),
        ({"create": 100}, 0.3),
        ({"create": 1000, "other": 60}, 3.0),
        ({"other": 6}, 3.0),
    ],
)
def test_how_soon_follows_from_the_limits_that_were_announced(limits: dict[str, int], seconds: float) -> None:
    transport = Transport(URL, None)
    for bucket, limit in limits.items():
        transport.pacer[bucket].place().answered(limit, limit - 1)
    assert scaled(transport, 3.0) == pytest.approx(seconds)
    asyncio.run(transport.aclose())


@respx.mock
def test_one_that_is_finished_is_not_looked_at(clock: Any) -> None:
    done = Generation(id="g", status="completed")
    assert wait(done, clock) is done


@pytest.mark.parametrize(
    "which", ["g", PENDING, {"id": "g"}, pd.Series({"id": "g", "title": "t"}), pd.DataFrame({"id": ["g"]})]
)
@respx.mock
def test_an_id_a_record_or_a_row_says_which(clock: Any, which: Any) -> None:
    respx.get(f"{URL}/v1/generations/g").mock(return_value=answer("completed"))
    assert wait(which, clock).id == "g"


@pytest.mark.parametrize("which", [["a", "b"], [], None, 5])
def test_what_names_no_single_one_is_refused(clock: Any, which: Any) -> None:
    with pytest.raises(errors.SelectionError):
        wait(which, clock)


@respx.mock
def test_one_that_failed_says_why(clock: Any) -> None:
    respx.get(f"{URL}/v1/generations/g").mock(return_value=answer("failed", errorMessage="Out of tune"))
    with pytest.raises(errors.GenerationError, match=r"g failed: Out of tune\.") as caught:
        wait(PENDING, clock)
    assert caught.value.generation.error_message == "Out of tune"
    respx.get(f"{URL}/v1/generations/g").mock(return_value=answer("failed"))
    with pytest.raises(errors.GenerationError, match="the service gave no reason"):
        wait("g", clock)


@respx.mock
def test_patience_ends_on_time_with_the_id(clock: Any) -> None:
    route = respx.get(f"{URL}/v1/generations/g").mock(return_value=answer("processing"))
    with pytest.raises(errors.StillProcessingError, match=r"g is still processing after 10 s\.") as caught:
        wait(PENDING, clock, timeout=10)
    assert (clock.now, caught.value.id) == (10.0, "g")
    assert "client.wait('g')" in str(caught.value)
    assert isinstance(caught.value, TimeoutError)
    assert route.call_count == 3


@respx.mock
def test_no_patience_at_all_is_one_look(clock: Any) -> None:
    route = respx.get(f"{URL}/v1/generations/g").mock(return_value=answer("processing"))
    with pytest.raises(errors.StillProcessingError):
        wait("g", clock, timeout=0)
    assert (route.call_count, clock.slept) == (1, [])


@pytest.mark.parametrize("timeout", [None, math.inf])
@respx.mock
def test_patience_may_be_without_end(clock: Any, timeout: float | None) -> None:
    respx.get(f"{URL}/v1/generations/g").mock(side_effect=[*[answer("processing")] * 100, answer("completed")])
    assert wait("g", clock, timeout=timeout).finished
    assert clock.now > 1000


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("no network"),
        httpx.ReadTimeout("slow"),
        declined(500, "INTERNAL_ERROR"),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(200, html="<h1>Hotel: sign in</h1>"),
    ],
    ids=["network", "timeout", "500", "502", "hotel"],
)
@respx.mock
def test_what_is_paid_for_is_not_given_up_for_a_lost_look(clock: Any, trouble: Any) -> None:
    respx.get(f"{URL}/v1/generations/g").mock(side_effect=[trouble, answer("processing"), trouble, answer("completed")])
    assert wait(PENDING, clock).finished


@respx.mock
def test_trouble_that_lasts_is_told_at_the_end_with_the_id(clock: Any) -> None:
    respx.get(f"{URL}/v1/generations/g").mock(side_effect=httpx.ConnectError("no network"))
    with pytest.raises(
        errors.StillProcessingError, match=r"still pending after 60 s; the last look failed \(.*no network"
    ):
        wait(PENDING, clock, timeout=60)


@respx.mock
def test_where_nothing_is_known_to_be_in_the_making_trouble_is_raised_at_once(clock: Any) -> None:
    route = respx.get(f"{URL}/v1/generations/g").mock(side_effect=httpx.ConnectError("no network"))
    with pytest.raises(errors.ConnectError):
        wait("g", clock)
    assert route.call_count == 1


@respx.mock
def test_an_error_that_waiting_cannot_mend_names_what_was_waited_for(clock: Any) -> None:
    respx.get(f"{URL}/v1/generations/g").mock(return_value=declined(401, "INVALID_API_KEY"))
    with pytest.raises(errors.AuthenticationError) as caught:
        wait(PENDING, clock)
    assert caught.value.__notes__ == ["This happened while waiting for g, which is accepted and paid for."]
    with pytest.raises(errors.AuthenticationError) as again:
        wait("g", clock)
    assert not hasattr(again.value, "__notes__")


# Making


@pytest.mark.parametrize("timeout", ["5", -1, math.nan])
@respx.mock
def test_a_wrong_timeout_is_refused_before_anything_is_paid_for(clock: Any, timeout: Any) -> None:
    route = respx.post(f"{URL}/v1/generations").respond(202, json={"data": {"id": "g"}})

    async def generate() -> None:
        async with ft.AsyncClient(KEY, clock=clock) as client:
            await client.generate("lofi", timeout=timeout)

    with pytest.raises(errors.ParameterError, match="timeout"):
        asyncio.run(generate())
    with ft.Client(KEY, progress=False) as client, pytest.raises(errors.ParameterError, match="timeout"):
        client.generate("lofi", timeout=timeout)
    assert route.call_count == 0


CLAMPED = {"id": "g", "status": "pending", "parameters": {"bpm": 200, "duration": 5, "keyscale": "C minor"}}


@respx.mock
def test_what_was_clamped_is_told_at_the_caller_s_line() -> None:
    respx.post(f"{URL}/v1/generations").respond(202, json={"data": CLAMPED})
    with ft.Client(KEY, progress=False) as client, pytest.warns(errors.ClampedWarning) as caught:
        client.generate("lofi", bpm=300, duration=1, wait=False)
    assert [str(each.message) for each in caught] == ["bpm clamped from 300 → 200", "duration clamped from 1 → 5"]
    assert {each.filename for each in caught} == {__file__}

    async def generate() -> None:
        async with ft.AsyncClient(KEY) as client:
            await client.generate("lofi", bpm=300, wait=False)

    with pytest.warns(errors.ClampedWarning, match="300 → 200") as caught:
        asyncio.run(generate())
    assert caught[0].filename == __file__


@respx.mock
def test_where_warnings_are_errors_what_was_paid_for_is_on_the_error() -> None:
    respx.post(f"{URL}/v1/generations").respond(202, json={"data": CLAMPED})
    with ft.Client(KEY, progress=False) as client, pytest.raises(errors.ClampedWarning) as caught:
        client.generate("lofi", bpm=300)
    assert caught.value.generation.id == "g"


@respx.mock
def test_what_was_not_moved_is_not_told() -> None:
    for parameters in (None, {}, {"bpm": 90, "duration": 30.0}, {"bpm": None}):
        respx.post(f"{URL}/v1/generations").respond(202, json={"data": {"id": "g", "parameters": parameters}})
        with ft.Client(KEY, progress=False) as client:
            assert client.generate("lofi", bpm=90, duration=30, wait=False).id == "g"


@respx.mock
def test_configured_defaults_are_sent_where_nothing_is_said(home: Any) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.json").write_text('{"defaultDuration": 30, "defaultBpm": 90}')
    route = respx.post(f"{URL}/v1/generations").respond(202, json={"data": {"id": "g"}})
    with ft.Client(KEY, progress=False) as client:
        client.generate("lofi", wait=False)
        client.generate("lofi", bpm=70, duration=10, wait=False)
    assert [call.request.content for call in route.calls] == [
        b'{"tags":"lofi","duration":30,"bpm":90}',
        b'{"tags":"lofi","duration":10,"bpm":70}',
    ]


@respx.mock
def test_a_create_whose_answer_is_lost_is_sent_once_and_says_what_to_do() -> None:
    route = respx.post(f"{URL}/v1/generations").mock(side_effect=httpx.ReadTimeout("slow"))
    with ft.Client(KEY, progress=False) as client, pytest.raises(errors.AnswerLostError, match="look before repeating"):
        client.generate("lofi")
    assert route.call_count == 1


def test_an_interrupt_says_how_to_go_on(host: Any, clock: Any) -> None:
    due = ["GET"]

    def interrupt(handler: Any) -> None:  # once: who waits may ask again before it hears of it
        if handler.command in due:
            due.remove(handler.command)
            _thread.interrupt_main()

    def answer(handler: Any) -> None:
        interrupt(handler)
        if handler.command == "POST":
            host.send(handler, 202, b'{"data": {"id": "g", "status": "pending"}}')
        else:
            host.send(handler, 200, b'{"data": {"id": "g", "status": "processing"}}')

    host.answer = answer
    with ft.Client(KEY, host.url, clock=clock, progress=False) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.generate("lofi", timeout=None)
        assert caught.value.__notes__ == ["It goes on and is paid for: client.wait('g') waits again."]

        host.answer = interrupt  # and no answer
        due.append("POST")
        with pytest.raises(KeyboardInterrupt) as caught:
            client.generate("lofi")
        assert caught.value.__notes__ == [
            "It may have been accepted and paid for all the same: client.generations() shows it."
        ]
        due.append("POST")
        with pytest.raises(KeyboardInterrupt) as caught:
            client.add_tracks("3f2b8c1e-1111-4222-8333-444455556666", ["a", "b"])
        assert "Interrupted while adding 2 track(s), after about 0." in caught.value.__notes__[0]
