from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from finetuning import errors, protocol
from finetuning.protocol import read, retry_after

ME = protocol.me()
KEY = "ft_live_" + "0123456789abcdef" * 2


@pytest.mark.parametrize("bad", ["", " ", ".", "..", None, 5, "\ud800", ["a"]])
def test_an_id_is_text_that_makes_a_path(bad: Any) -> None:
    with pytest.raises(errors.ParameterError, match="is not an id") as caught:
        protocol.get_generation(bad)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("id_", "path"),
    [
        ("gen_1", "/v1/generations/gen_1"),
        (" gen_1\n", "/v1/generations/gen_1"),
        ("a/b?c#d", "/v1/generations/a%2Fb%3Fc%23d"),
        ("../me", "/v1/generations/..%2Fme"),
        ("%2e%2e", "/v1/generations/%252e%252e"),
        ("ü", "/v1/generations/%C3%BC"),
    ],
)
def test_an_id_stays_one_segment(id_: str, path: str) -> None:
    assert protocol.get_generation(id_).path == path


def test_only_reading_may_be_repeated() -> None:
    reads: list[protocol.Request[Any]] = [ME, protocol.health(), protocol.list_generations(), protocol.list_playlists()]
    reads += [protocol.get_generation("a"), protocol.get_playlist("p")]
    writes: list[protocol.Request[Any]] = [protocol.create_generation({}), protocol.delete_generations(["a"])]
    writes += [bulk("p", ["a"]) for bulk in (protocol.add_tracks, protocol.remove_tracks)]
    writes.append(protocol.move_tracks("p", "q", ["a"]))
    assert all(request.repeatable and request.method == "GET" for request in reads)
    assert not any(request.repeatable or request.method == "GET" for request in writes)
    assert [request.bucket for request in writes] == ["create", "other", "other", "other", "other"]


def test_a_request_shows_neither_body_nor_ids() -> None:
    request = protocol.create_generation({"webhook": "https://example.com/?token=secret"})
    assert "secret" not in repr(request)
    assert str(request) == "POST /v1/generations"


# Errors


def declined(status: int, error: Any, **headers: str) -> errors.APIError:
    with pytest.raises(errors.APIError) as caught:
        read(
            ME,
            status,
            {name.replace("_", "-"): value for name, value in headers.items()},
            json.dumps({"error": error}).encode(),
        )
    return caught.value


ITEMS = [{"trackId": "a", "error": "Track not found"}]
CODES: list[tuple[int, str, type[errors.APIError], Any, str | None]] = [
    (400, "VALIDATION_ERROR", errors.InvalidRequestError, {"field": "bpm"}, None),
    (400, "ADD_FAILED", errors.NothingDoneError, ITEMS, None),
    (400, "MOVE_FAILED", errors.NothingDoneError, ITEMS, None),
    (401, "MISSING_API_KEY", errors.AuthenticationError, None, "FINETUNING_API_KEY"),
    (401, "INVALID_API_KEY", errors.AuthenticationError, None, "Check the key"),
    (401, "ACCOUNT_DELETED", errors.AuthenticationError, None, "use a key of another"),
    (402, "MONTHLY_LIMIT_REACHED", errors.OutOfCreditsError, None, "client.me()"),
    (403, "PRO_PLAN_REQUIRED", errors.PlanRequiredError, None, "ft.connect('studio')"),
    (404, "NOT_FOUND", errors.NotFoundError, None, "client.playlists()"),
    (429, "RATE_LIMITED", errors.RateLimitError, None, "max_wait"),
    (429, "GENERATION_RATE_LIMITED", errors.RateLimitError, None, "max_wait"),
    (429, "QUEUE_FULL", errors.QueueFullError, {"max": 100}, "one of your generations"),
    (500, "GENERATION_FAILED", errors.ServiceError, None, None),
    (500, "INTERNAL_ERROR", errors.ServiceError, None, None),
    # Codes that this version does not know become the class of their status.
    (400, "NEW_CODE", errors.InvalidRequestError, None, None),
    (401, "NEW_CODE", errors.AuthenticationError, None, None),
    (402, "NEW_CODE", errors.OutOfCreditsError, None, None),
    (403, "NEW_CODE", errors.PlanRequiredError, None, None),
    (404, "NEW_CODE", errors.NotFoundError, None, None),
    (409, "NEW_CODE", errors.APIError, None, None),
    (418, "NEW_CODE", errors.APIError, [1, "x"], None),
    (429, "NEW_CODE", errors.RateLimitError, None, "Wait a moment"),
    (503, "NEW_CODE", errors.ServiceError, None, None),
    (599, "NEW_CODE", errors.ServiceError, None, None),
]


@pytest.mark.parametrize(("status", "code", "kind", "details", "hint"), CODES)
def test_each_code_has_its_exception(
    status: int, code: str, kind: type[errors.APIError], details: Any, hint: str | None
) -> None:
    error = declined(status, {"code": code, "message": "The server's words.", "details": details})
    assert type(error) is kind
    assert (error.status, error.code, error.message) == (status, code, "The server's words.")
    assert (error.details, error.request, error.retry_after) == (details, "GET /v1/me", None)
    assert (hint in (error.hint or "")) if hint else error.hint is None
    assert str(error).startswith(f"The server's words. [{status} {code}] (GET /v1/me)")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({}, "HTTP_400", "The service gave no reason."),
        ({"code": None, "message": None}, "HTTP_400", "The service gave no reason."),
        ({"code": 7, "message": {"a": 1}}, "7", "{'a': 1}"),
        ({"code": "X", "message": f"bad key {KEY}", "more": 1}, "X", "bad key ft_live_0123...****"),
    ],
)
def test_an_envelope_with_little_or_odd_in_it_is_read_all_the_same(error: Any, code: str, message: str) -> None:
    found = declined(400, error)
    assert (found.code, found.message) == (code, message)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html>Bad gateway</html>", "text/html"),
        (b"", ""),
        (b'{"error": "text"}', "application/json"),
        (b'{"error": null}', "application/json"),
        (b'{"message": "no envelope"}', "application/json"),
        (b'["error"]', "application/json"),
        (b'{"error": {"code"', "application/json"),
        (b"\xff\xfe", "text/plain"),
        (b"[" * 100_000, "application/json"),
        (f"your header was X-API-Key: {KEY}".encode(), "text/plain"),
    ],
)
@pytest.mark.parametrize(("status", "hint"), [(502, "try again"), (404, "base URL")])
def test_a_failure_that_is_not_the_service_s_is_told_apart(content: bytes, kind: str, status: int, hint: str) -> None:
    with pytest.raises(errors.InvalidAnswerError) as caught:
        read(ME, status, {"content-type": f"{kind}; charset=utf-8"}, content)
    error = caught.value
    assert (error.status, error.request) == (status, "GET /v1/me")
    assert hint in str(error)
    assert (kind or "no content type") in str(error)
    assert len(error.message) < 300
    assert KEY not in str(error)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<!doctype html><title>Sign in</title>", "text/html: '<!doctype html><title>Sign in</title>'"),
        (b'{"data": {"id": "usr_1", "ema', "truncated"),
        (b"", "text/html and no body"),
        (b'{"error": {"code": "X"}}', "`data`"),
        (b'{"data": []}', "array"),
        (b'{"data": {"id": "\xff"}}', "utf-8"),
        (b'{"data": {"new": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_success_that_is_not_the_service_s_is_an_error(content: bytes, why: str) -> None:
    with pytest.raises(errors.InvalidAnswerError) as caught:
        read(ME, 200, {"content-type": "text/html"}, content)
    assert why in str(caught.value)
    assert (caught.value.status, caught.value.request) == (200, "GET /v1/me")
    assert caught.value.hint


def test_health_may_be_any_object() -> None:
    assert read(protocol.health(), 200, {}, b'{"status": "ok", "n": 1}') == {"status": "ok", "n": 1}
    with pytest.raises(errors.InvalidAnswerError):
        read(protocol.health(), 200, {}, b"[]")


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed_and_its_secrets_are_not_shown(status: int) -> None:
    with pytest.raises(errors.InvalidAnswerError, match=r"redirected to https://login\.example\.com/in;") as caught:
        read(ME, status, {"location": "https://login.example.com/in?session=secret"}, b"")
    assert "secret" not in str(caught.value)
    assert caught.value.status == status


# Retry-After

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "fallback", "seconds"),
    [
        ("12", None, 12.0),
        ("0.5", None, 0.5),
        ("0", 30, 0.0),
        ("-5", None, 0.0),
        (None, 7, 7.0),
        (None, "7", 7.0),
        (None, None, None),
        ("Wed, 15 Jan 2025 10:31:00 GMT", None, 60.0),
        ("Wed, 15 Jan 2025 10:29:00 GMT", None, 0.0),
        ("Wed, 15 Jan 2025 10:31:00", None, 60.0),
        ("soon", 9, 9.0),
        ("nan", None, None),
        ("inf", None, None),
        ("1e999", 3, 3.0),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None, None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None, None),
        (None, True, None),
        (None, {"seconds": 5}, None),
        (None, [5], None),
    ],
)
def test_how_long_to_wait_is_read_from_header_or_envelope(
    header: str | None, fallback: object, seconds: float | None
) -> None:
    headers = {} if header is None else {"retry-after": header}
    assert retry_after(headers, fallback, NOW) == seconds


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Wed, 15 Jan 2025 07:30:00 GMT", 40.0),  # a machine whose clock is hours ahead of the service's
        ("Wed, 15 Jan 2025 07:30:41 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_a_date_is_read_against_the_clock_of_whoever_gave_it(date: str, seconds: float) -> None:
    headers = {"retry-after": "Wed, 15 Jan 2025 07:30:40 GMT", "date": date}
    assert retry_after(headers, now=NOW) == seconds
    assert retry_after({**headers, "retry-after": "12"}, now=NOW) == 12.0


@given(st.text(), st.text() | st.integers() | st.floats() | st.none(), st.text())
def test_how_long_to_wait_is_never_negative_nor_an_error(header: str, fallback: object, date: str) -> None:
    seconds = retry_after({"retry-after": header, "date": date}, fallback)
    assert seconds is None or 0 <= seconds < float("inf")


def test_a_limit_says_how_long_to_wait() -> None:
    assert declined(429, {"code": "RATE_LIMITED"}, retry_after="30").retry_after == 30.0
    assert declined(429, {"code": "RATE_LIMITED", "retryAfter": 20}).retry_after == 20.0
    both = declined(429, {"code": "RATE_LIMITED", "retryAfter": 20}, retry_after="30.2")
    assert both.retry_after == 30.2
    assert both.hint == "Wait 31 s; ft.Policy(max_wait=…) says how long a client waits by itself."


@pytest.mark.parametrize(
    ("status", "content"),
    [(202, b'{"data":{"id'), (500, b"oops"), (502, b"<html>"), (500, b'{"error":{"code":"INTERNAL_ERROR"}}')],
)
def test_a_create_with_no_readable_answer_warns_that_it_may_be_paid_for(status: int, content: bytes) -> None:
    with pytest.raises(errors.FinetuningError) as caught:
        read(protocol.create_generation({"tags": "x"}), status, {}, content)
    assert "may have been accepted and paid for" in str(caught.value)
    with pytest.raises(errors.FinetuningError) as caught:
        read(protocol.me(), status, {}, content)
    assert "paid" not in str(caught.value)


def test_a_bulk_request_with_no_readable_answer_says_that_repeating_is_harmless() -> None:
    with pytest.raises(errors.InvalidAnswerError, match="repeating it changes nothing twice"):
        read(protocol.delete_generations(["a"]), 200, {}, b"<html>")
