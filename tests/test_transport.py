from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from finetuning import errors, protocol
from finetuning.keys import ApiKey
from finetuning.transport import Answer, Policy, Transport

KEY = "ft_live_" + "0123456789abcdef" * 2
URL = "https://pub.finetuning.ai"
ME = {"data": {"id": "usr_1"}}
CREATED = {"data": {"id": "gen_1"}}
CREATE = protocol.create_generation({"tags": "lofi"})


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    wire = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": {"code": code, "message": "No."}}, headers=wire)


def send(request: protocol.Request[Any], clock: Any, url: str = URL, **options: Any) -> Answer[Any]:
    async def send() -> Answer[Any]:
        transport = Transport(url, ApiKey(KEY), clock=clock, **options)
        try:
            return await transport.send(request)
        finally:
            await transport.aclose()

    return asyncio.run(send())


# Limits


@respx.mock
def test_a_limit_is_waited_out_for_as_long_as_the_service_says(clock: Any) -> None:
    route = respx.get(f"{URL}/v1/me").mock(
        side_effect=[problem(429, "RATE_LIMITED", retry_after="7"), httpx.Response(200, json=ME)]
    )
    told: list[tuple[str, float]] = []
    answer = send(protocol.me(), clock, on_wait=lambda reason, seconds: told.append((reason, seconds)))
    assert answer.value.id == "usr_1"
    assert (clock.slept, route.call_count) == ([7.0], 2)
    assert told == [("RATE_LIMITED on GET /v1/me", 7.0)]


@respx.mock
def test_a_create_is_repeated_after_a_limit_since_nothing_was_done(clock: Any) -> None:
    limited = problem(429, "GENERATION_RATE_LIMITED", retry_after="3")
    route = respx.post(f"{URL}/v1/generations").mock(side_effect=[limited, limited, httpx.Response(202, json=CREATED)])
    assert send(CREATE, clock).value.id == "gen_1"
    assert (clock.slept, route.call_count) == ([3.0, 3.0], 3)


@respx.mock
def test_who_must_know_is_told_of_a_limit_at_once(clock: Any) -> None:
    route = respx.post(f"{URL}/v1/generations").mock(return_value=problem(429, "GENERATION_RATE_LIMITED"))

    async def send() -> None:
        transport = Transport(URL, ApiKey(KEY), clock=clock)
        with pytest.raises(errors.RateLimitError):
            await transport.send(CREATE, wait=False)
        await transport.aclose()

    asyncio.run(send())
    assert (clock.slept, route.call_count) == ([], 1)


@pytest.mark.parametrize("header", ["0", "-3", "0.001", "Wed, 15 Jan 2020 10:29:00 GMT"])
@respx.mock
def test_a_service_that_says_now_forever_is_not_asked_forever(clock: Any, header: str) -> None:
    route = respx.get(f"{URL}/v1/me").mock(return_value=problem(429, "RATE_LIMITED", retry_after=header))
    with pytest.raises(errors.RateLimitError):
        send(protocol.me(), clock, policy=Policy(max_wait=5))
    assert clock.slept == [1.0] * 5
    assert route.call_count == 6


@pytest.mark.parametrize("header", ["121", "1e18", "Fri, 31 Dec 9999 23:59:59 GMT"])
@respx.mock
def test_a_wait_beyond_patience_is_raised_with_its_length(clock: Any, header: str) -> None:
    respx.get(f"{URL}/v1/me").mock(return_value=problem(429, "RATE_LIMITED", retry_after=header))
    with pytest.raises(errors.RateLimitError) as caught:
        send(protocol.me(), clock)
    assert clock.slept == []
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 120


@respx.mock
def test_patience_is_for_all_waits_of_a_request_together(clock: Any) -> None:
    route = respx.get(f"{URL}/v1/me").mock(return_value=problem(429, "RATE_LIMITED", retry_after="50"))
    with pytest.raises(errors.RateLimitError):
        send(protocol.me(), clock)
    assert (clock.slept, route.call_count) == ([50.0, 50.0], 3)


@respx.mock
def test_a_full_queue_is_not_waited_for(clock: Any) -> None:
    route = respx.post(f"{URL}/v1/generations").mock(return_value=problem(429, "QUEUE_FULL", retry_after="1"))
    with pytest.raises(errors.QueueFullError):
        send(CREATE, clock)
    assert (clock.slept, route.call_count) == ([], 1)


@respx.mock
def test_limits_are_remembered_by_bucket() -> None:
    respx.get(f"{URL}/v1/me").respond(json=ME, headers={"X-RateLimit-Limit": "60"})
    respx.post(f"{URL}/v1/generations").respond(202, json=CREATED, headers={"X-RateLimit-Limit": "10"})

    async def send() -> dict[str, int]:
        transport = Transport(URL, ApiKey(KEY))
        await transport.send(protocol.me())
        await transport.send(CREATE)
        await transport.aclose()
        return transport.limits

    assert asyncio.run(send()) == {"other": 60, "create": 10}


# Retries

PASSING: list[Any] = [
    problem(500, "INTERNAL_ERROR"),
    httpx.Response(502, html="<h1>Bad gateway</h1>"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
]


@pytest.mark.parametrize("failure", PASSING, ids=lambda each: type(each).__name__)
@respx.mock
def test_reading_is_repeated_after_a_passing_failure(clock: Any, failure: Any) -> None:
    route = respx.get(f"{URL}/v1/me").mock(side_effect=[failure, failure, httpx.Response(200, json=ME)])
    assert send(protocol.me(), clock).value.id == "usr_1"
    assert route.call_count == 3
    first, second = clock.slept
    assert 0.25 <= first <= 0.5
    assert 0.5 <= second <= 1.0


@pytest.mark.parametrize("failure", PASSING, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(
    "request_",
    [
        CREATE,
        protocol.add_tracks("p", ["a"]),
        protocol.delete_generations(["a"]),
        protocol.move_tracks("p", "q", ["a"]),
    ],
    ids=str,
)
@respx.mock
def test_writing_is_never_repeated_after_one(clock: Any, failure: Any, request_: protocol.Request[Any]) -> None:
    route = respx.post(url__regex=".*").mock(side_effect=[failure, httpx.Response(200, json=CREATED)])
    with pytest.raises((errors.ServiceError, errors.TransportError)):
        send(request_, clock)
    assert (route.call_count, clock.slept) == (1, [])


@respx.mock
def test_patience_with_failures_has_an_end(clock: Any) -> None:
    route = respx.get(f"{URL}/v1/me").mock(return_value=problem(500, "INTERNAL_ERROR"))
    with pytest.raises(errors.ServiceError):
        send(protocol.me(), clock, policy=Policy(retries=2))
    assert route.call_count == 3


@pytest.mark.parametrize(
    "answer",
    [
        problem(404, "NOT_FOUND"),
        problem(401, "INVALID_API_KEY"),
        httpx.Response(200, html="<h1>Sign in</h1>"),
        httpx.Response(404, html="<h1>No such page</h1>"),
        httpx.Response(302, headers={"Location": "https://example.com"}),
    ],
    ids=lambda each: str(each.status_code),
)
@respx.mock
def test_what_another_try_cannot_mend_is_not_tried_again(clock: Any, answer: httpx.Response) -> None:
    route = respx.get(f"{URL}/v1/me").mock(return_value=answer)
    with pytest.raises(errors.FinetuningError):
        send(protocol.me(), clock)
    assert (route.call_count, clock.slept) == (1, [])


# No answer


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("refused"), errors.ConnectError),
        (httpx.ConnectTimeout("slow"), errors.ConnectError),
        (httpx.ProxyError("proxy"), errors.ConnectError),
        (httpx.UnsupportedProtocol("what"), errors.ConnectError),
        (httpx.InvalidURL("what"), errors.ConnectError),
        (UnicodeError("label too long"), errors.ConnectError),
        (httpx.ReadTimeout("slow"), errors.AnswerLostError),
        (httpx.WriteTimeout("slow"), errors.AnswerLostError),
        (httpx.ReadError(""), errors.AnswerLostError),
        (httpx.WriteError("gone"), errors.AnswerLostError),
        (httpx.RemoteProtocolError("gone"), errors.AnswerLostError),
        (OSError("gone"), errors.AnswerLostError),
        (httpx.DecodingError("not gzip"), errors.InvalidAnswerError),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
@respx.mock
def test_what_the_network_raises_says_whether_anything_was_sent(failure: Exception, kind: type[Exception]) -> None:
    respx.post(f"{URL}/v1/generations").mock(side_effect=failure)
    with pytest.raises(errors.TransportError) as caught:
        send(CREATE, None)
    assert type(caught.value) is kind
    assert caught.value.request == "POST /v1/generations"
    assert caught.value.__context__ is None
    lost = kind is errors.AnswerLostError
    assert ("may or may not have been carried out" in str(caught.value)) == lost


def test_a_port_where_nobody_listens_is_told_at_once(clock: Any) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(errors.ConnectError, match=f"{url} could not be reached") as caught:
            send(protocol.me(), clock, url)
    assert "ft.connect('studio')" in str(caught.value)
    assert clock.slept == []


@pytest.mark.parametrize("name", ["a" * 70, "a..b", "xn--ü"])
def test_a_host_name_that_cannot_be_is_not_reached(name: str) -> None:
    with pytest.raises(errors.ConnectError, match="could not be reached"):
        send(protocol.me(), None, f"https://{name}.invalid", policy=Policy(connect_timeout=5))


def test_a_service_that_does_not_answer_in_time(host: Any) -> None:
    release = threading.Event()
    host.answer = lambda handler: release.wait(10)
    with pytest.raises(errors.AnswerLostError, match="ReadTimeout"):
        send(CREATE, None, host.url, policy=Policy(timeout=0.1))
    release.set()


def test_an_answer_that_breaks_off(host: Any, clock: Any) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"data": {', content_length="500", connection="close")
    with pytest.raises(errors.AnswerLostError, match="lost"):
        send(protocol.me(), clock, host.url)
    assert len(host.seen) == 4


def test_an_answer_that_is_not_what_its_encoding_says(host: Any) -> None:
    host.answer = lambda handler: host.send(handler, 200, b"not gzip", content_encoding="gzip")
    with pytest.raises(errors.InvalidAnswerError, match="cannot be decompressed"):
        send(CREATE, None, host.url)


def test_a_compressed_answer_is_read(host: Any) -> None:
    body = gzip.compress(b'{"data": {"id": "usr_1"}}')
    host.answer = lambda handler: host.send(handler, 200, body, content_encoding="gzip")
    assert send(protocol.me(), None, host.url).value.id == "usr_1"


# The key


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_follows_no_redirect(make_host: Callable[[], Any], status: int) -> None:
    first, second = make_host(), make_host()
    first.answer = lambda handler: first.send(handler, status, location=f"{second.url}/v1/me")
    for request in (protocol.me(), CREATE, protocol.health()):
        with pytest.raises(errors.InvalidAnswerError, match="redirected"):
            send(request, None, first.url)
    assert [headers.get("X-API-Key") for _, _, headers in first.seen] == [KEY, KEY, None]
    assert second.seen == []


def test_without_a_key_only_health_is_asked(host: Any) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"status": "ok"}')

    async def ask() -> None:
        transport = Transport(host.url, None)
        assert (await transport.send(protocol.health())).value == {"status": "ok"}
        with pytest.raises(errors.SettingsError, match="needs an API key"):
            await transport.send(protocol.me())
        await transport.aclose()

    asyncio.run(ask())
    assert [path for _, path, _ in host.seen] == ["/health"]


def test_a_local_service_is_not_sought_behind_a_proxy(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    host.answer = lambda handler: host.send(handler, 200, b'{"data": {"id": "usr_1"}}')
    assert send(protocol.me(), None, host.url).value.id == "usr_1"


# A media host that is not ready


def fetched(url: str, clock: Any) -> bytes:
    async def fetch() -> bytes:
        transport = Transport(url, ApiKey(KEY), clock=clock)
        try:
            async with transport.media(f"{url}/a.mp3") as stream:
                return b"".join([chunk async for chunk in stream.chunks])
        finally:
            await transport.aclose()

    return asyncio.run(fetch())


def test_a_media_host_that_is_not_ready_is_asked_again_when_it_says(host: Any, clock: Any) -> None:
    waits = iter([b"7", b"2"])

    def answer(handler: Any) -> None:
        later = next(waits, None)
        if later:
            host.send(handler, 503, b"not yet", retry_after=later.decode())
        else:
            host.send(handler, 200, b"sound", content_type="audio/mpeg")

    host.answer = answer
    assert fetched(host.url, clock) == b"sound"
    assert clock.slept == [7.0, 2.0]


@pytest.mark.parametrize("later", ["3600", None])
def test_a_media_host_that_asks_for_too_much_patience_is_left(host: Any, clock: Any, later: str | None) -> None:
    host.answer = lambda handler: host.send(handler, 503, b"not today", retry_after=later or "")
    with pytest.raises(errors.DownloadError, match="answered 503"):
        fetched(host.url, clock)
    assert clock.slept == []


# Lifetime


def test_a_closed_transport_says_so(host: Any) -> None:
    async def ask() -> None:
        transport = Transport(host.url, ApiKey(KEY))
        await transport.aclose()
        await transport.aclose()
        with pytest.raises(errors.FinetuningError, match="closed"):
            await transport.send(protocol.me())
        with pytest.raises(errors.FinetuningError, match="closed"):
            async with transport.media(f"{host.url}/a.mp3"):
                pass

    asyncio.run(ask())
    assert host.seen == []


@respx.mock
def test_a_transport_that_is_closed_while_a_request_waits_says_so(clock: Any) -> None:
    route = respx.get(f"{URL}/v1/me").mock(return_value=problem(429, "RATE_LIMITED", retry_after="7"))

    class Closing:
        """Closes the transport in the middle of the wait."""

        monotonic = clock.monotonic

        async def sleep(self, seconds: float) -> None:
            await clock.sleep(seconds)
            await transports[0].aclose()

    async def ask() -> None:
        transports.append(Transport(URL, ApiKey(KEY), clock=Closing()))
        with pytest.raises(errors.FinetuningError, match="This client is closed"):
            await transports[0].send(protocol.me())

    transports: list[Transport] = []
    asyncio.run(ask())
    assert (clock.slept, route.call_count) == ([7.0], 1)


def test_a_transport_belongs_to_one_loop(host: Any) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"status": "ok"}')
    transport = Transport(host.url, ApiKey(KEY))

    async def ask(last: bool) -> None:
        try:
            await transport.send(protocol.health())
        finally:
            if last:
                await transport.aclose()

    with asyncio.Runner() as runner:
        runner.run(ask(False))
        with asyncio.Runner() as other, pytest.raises(errors.FinetuningError, match="another event loop"):
            other.run(ask(False))
        runner.run(ask(True))


def test_what_a_transport_shows() -> None:
    transport = Transport(URL + "/", ApiKey(KEY))
    assert repr(transport) == "Transport('https://pub.finetuning.ai', ApiKey('ft_live_0123...****'))"
    assert not transport.local
    assert Transport("http://localhost:1", None).local
    asyncio.run(transport.aclose())


def test_an_answer_that_drips_without_an_end_is_lost(host: Any, clock: Any) -> None:
    over = threading.Event()

    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not over.wait(0.01):
            try:
                handler.wfile.write(b" ")
            except OSError:  # the client has hung up
                return

    host.answer = drip
    try:
        with pytest.raises(errors.AnswerLostError, match="TimeoutError"):
            send(protocol.me(), clock, host.url, policy=Policy(timeout=1, retries=0))  # silence is shorter
    finally:
        over.set()
