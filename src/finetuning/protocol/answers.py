"""What came back, read: a record, or the exception that says what it was instead."""

from __future__ import annotations

import email.utils
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from finetuning import errors
from finetuning.decoding import decode
from finetuning.redaction import redact

from .requests import Request

__all__ = ["read", "retry_after"]

T = TypeVar("T")


def read(request: Request[T], status: int, headers: Mapping[str, str], content: bytes) -> T:
    """Turn what came back into a record.

    Parameters
    ----------
    request
        What was sent.
    status, headers, content
        What came back; the names in `headers` are looked up as they are written on the wire, so the mapping
        should ignore case.

    Raises
    ------
    APIError
        The service declined; the subclass follows from status and code, and a code that is not known becomes
        the class of its status.
    InvalidAnswerError
        What came back is not the service's: HTML, truncated JSON, another shape, a redirect.
    """
    if 300 <= status < 400:
        where = redact(headers.get("location", "nowhere").partition("?")[0])
        del headers, content  # a verbose traceback shows the locals of each frame, and proxies send back what they got
        raise errors.InvalidAnswerError(
            f"{request} was redirected to {where}; the API never redirects, and the key does not follow.",
            status=status,
            request=str(request),
            hint="Check the base URL: a missing https:// or a proxy's sign-in page are the usual causes.",
        )
    if not 200 <= status < 300:
        declined = _declined(request, status, headers, content)
        del headers, content
        raise declined
    try:
        if request.kind is dict:
            plain: T = msgspec.json.decode(content, type=request.kind)
            return plain
        return decode(content, request.kind)
    except RecursionError:
        reason = "it is nested too deeply"
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        reason = str(problem)
    excerpt = _excerpt(headers, content)
    del headers, content
    raise errors.InvalidAnswerError(
        f"{request} was answered with {status} and {excerpt}, which is not the service's JSON ({reason}).",
        status=status,
        request=str(request),
        hint=_doubt(request)
        or "A proxy or a wrong base URL in between is the usual cause; if it persists, the service has changed.",
    )


def _doubt(request: Request[Any]) -> str | None:
    """Say what to do where nobody knows whether the request was carried out; None where repeating is harmless."""
    if request.repeatable:
        return None
    if request.bucket == "create":
        return "It may have been accepted and paid for: client.generations() shows it; look before you repeat it."
    return "It may have been carried out; repeating it changes nothing twice."


_BY_CODE: dict[str, type[errors.APIError]] = {
    "VALIDATION_ERROR": errors.InvalidRequestError,
    "ADD_FAILED": errors.NothingDoneError,
    "MOVE_FAILED": errors.NothingDoneError,
    "MISSING_API_KEY": errors.AuthenticationError,
    "INVALID_API_KEY": errors.AuthenticationError,
    "ACCOUNT_DELETED": errors.AuthenticationError,
    "MONTHLY_LIMIT_REACHED": errors.OutOfCreditsError,
    "PRO_PLAN_REQUIRED": errors.PlanRequiredError,
    "NOT_FOUND": errors.NotFoundError,
    "RATE_LIMITED": errors.RateLimitError,
    "GENERATION_RATE_LIMITED": errors.RateLimitError,
    "QUEUE_FULL": errors.QueueFullError,
    "GENERATION_FAILED": errors.ServiceError,
    "INTERNAL_ERROR": errors.ServiceError,
}
_BY_STATUS: dict[int, type[errors.APIError]] = {
    400: errors.InvalidRequestError,
    401: errors.AuthenticationError,
    402: errors.OutOfCreditsError,
    403: errors.PlanRequiredError,
    404: errors.NotFoundError,
    429: errors.RateLimitError,
}
_HINTS: dict[str, str] = {
    "MISSING_API_KEY": "Pass api_key=, or set FINETUNING_API_KEY.",
    "INVALID_API_KEY": "Check the key, or create a new one in the web application.",
    "MONTHLY_LIMIT_REACHED": "client.me().limits tells what is left; a pack or the next month brings more.",
    "PRO_PLAN_REQUIRED": "API access comes with the pro and lifetime tiers; ft.connect('studio') needs no account.",
    "QUEUE_FULL": "Wait until one of your generations has finished.",
    "ACCOUNT_DELETED": "The account of this key is gone; use a key of another.",
    "NOT_FOUND": "It may have been deleted, or belong to somebody else: client.generations() and client.playlists() "
    "list what is yours.",
}


def _declined(
    request: Request[Any], status: int, headers: Mapping[str, str], content: bytes
) -> errors.APIError | errors.InvalidAnswerError:
    try:
        envelope = json.loads(content)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested without end
        envelope = None
    error = envelope.get("error") if isinstance(envelope, dict) else None
    if not isinstance(error, dict):
        return errors.InvalidAnswerError(
            f"{request} was answered with {status} and {_excerpt(headers, content)} instead of the service's JSON.",
            status=status,
            request=str(request),
            hint="Check the base URL."
            if status < 500
            else _doubt(request)
            or "Something between here and the service answered in its place; try again in a moment.",
        )
    code = str(error.get("code") or f"HTTP_{status}")
    fallback = errors.ServiceError if status >= 500 else errors.APIError
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status, fallback)
    seconds = retry_after(headers, error.get("retryAfter"))
    hint = _HINTS.get(code) or (_doubt(request) if status >= 500 else None)
    if kind is errors.RateLimitError:
        wait = "a moment" if seconds is None else f"{max(1, math.ceil(seconds)):,} s"
        hint = f"Wait {wait}; ft.Policy(max_wait=…) says how long a client waits by itself."
    return kind(
        str(error.get("message") or "The service gave no reason."),
        status=status,
        code=code,
        details=error.get("details"),
        retry_after=seconds,
        request=str(request),
        hint=hint,
    )


def retry_after(headers: Mapping[str, str], fallback: object = None, now: datetime | None = None) -> float | None:
    """Read `Retry-After`, which is seconds or an HTTP date (RFC 9110, section 10.2.3).

    Parameters
    ----------
    headers
        The answer's.
    fallback
        What the envelope's `retryAfter` says, used where the header is missing or unreadable.
    now
        What this machine's clock says, which a date is read against where the answer has no `Date` of its own; the
        present by default.

    Returns
    -------
    float or None
        Seconds from now, never negative; None where nothing readable is said.
    """
    # Both moments by the service's clock, where it tells of both: this machine's may be wrong by hours.
    now = _moment(headers.get("date")) or now
    for value in (headers.get("retry-after"), fallback):
        seconds = _seconds(value, now)
        if seconds is not None:
            return seconds
    return None


def _seconds(value: object, now: datetime | None) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        seconds = float(str(value))
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if seconds < float("inf") else None
    moment = _moment(value)
    return None if moment is None else max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def _moment(value: object) -> datetime | None:
    """Read an HTTP date; None where it is none."""
    try:
        moment = email.utils.parsedate_to_datetime(str(value))
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _excerpt(headers: Mapping[str, str], content: bytes) -> str:
    kind = headers.get("content-type", "").partition(";")[0] or "no content type"
    text = redact(" ".join(content[:400].decode("utf-8", "replace").split()))
    return f"{kind}: {text[:80]!r}" if text else f"{kind} and no body"
