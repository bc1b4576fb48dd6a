"""Each endpoint as a pure function: a `Request` out, and from what came back a record or an exception.

Nothing here does I/O, so that the same rules serve the asynchronous client, the blocking one and the tests.
"""

from __future__ import annotations

import email.utils
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import msgspec

from finetuning import errors, parameters
from finetuning.decoding import decode
from finetuning.records import (
    Account,
    BulkAnswer,
    Created,
    Generation,
    GenerationPage,
    Playlist,
    PlaylistList,
)
from finetuning.redaction import redact

__all__ = [
    "BULK_MAX",
    "PAGE_MAX",
    "Request",
    "add_tracks",
    "create_generation",
    "delete_generations",
    "get_generation",
    "get_playlist",
    "health",
    "list_generations",
    "list_playlists",
    "me",
    "move_tracks",
    "read",
    "remove_tracks",
    "retry_after",
]

T = TypeVar("T")

#: The most rows that one page of the listing carries.
PAGE_MAX = 99
#: The most ids that one bulk request carries.
BULK_MAX = 100


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request to the service, ready to send.

    Attributes
    ----------
    method, path, query, body
        What goes on the wire; `body` becomes JSON.
    kind
        The record that the answer's `data` becomes.
    bucket
        The rate limit that it draws on.
    repeatable
        Sending it twice does no more than sending it once, and the second answer says what the first would have, so
        a lost answer may simply be asked for again. A bulk request fulfils the first half only (its second answer
        refuses what the first has done), so it is repeated where that is known and reckoned with: in
        `bulk.run_bulk`.
    keyless
        It is sent without the key.
    """

    method: Literal["GET", "POST"]
    path: str
    kind: type[T]
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)  # long, and a webhook in it may hold a secret
    bucket: Literal["create", "other"] = "other"
    repeatable: bool = False
    keyless: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def health() -> Request[dict[str, Any]]:
    """`GET /health`, which needs no key."""
    return Request("GET", "/health", dict, repeatable=True, keyless=True)


def me() -> Request[Account]:
    """`GET /v1/me`."""
    return Request("GET", "/v1/me", Account, repeatable=True)


def create_generation(body: Mapping[str, Any]) -> Request[Created]:
    """`POST /v1/generations` with a body of `parameters.create_body`. Costs a credit: never sent twice blindly."""
    return Request("POST", "/v1/generations", Created, body=body, bucket="create")


def list_generations(limit: int = 20, offset: int = 0, status: str | None = None) -> Request[GenerationPage]:
    """`GET /v1/generations`: one page, newest first."""
    query: dict[str, str | int] = {"limit": limit, "offset": offset}
    if status is not None:
        query["status"] = parameters.status(status)
    return Request("GET", "/v1/generations", GenerationPage, query=query, repeatable=True)


def get_generation(id: str) -> Request[Generation]:  # noqa: A002 - the wire's name
    """`GET /v1/generations/:id`."""
    return Request("GET", f"/v1/generations/{_segment(id)}", Generation, repeatable=True)


def delete_generations(ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/generations/bulk-delete`: permanent, everywhere."""
    return Request("POST", "/v1/generations/bulk-delete", BulkAnswer, body={"ids": list(ids)})


def list_playlists() -> Request[PlaylistList]:
    """`GET /v1/playlists`: all at once."""
    return Request("GET", "/v1/playlists", PlaylistList, repeatable=True)


def get_playlist(id: str) -> Request[Playlist]:  # noqa: A002 - the wire's name
    """`GET /v1/playlists/:id`: one playlist with its tracks, own or public."""
    return Request("GET", f"/v1/playlists/{_segment(id)}", Playlist, repeatable=True)


def add_tracks(playlist: str, ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/playlists/:id/tracks`."""
    return _bulk(playlist, "", {"trackIds": list(ids)})


def remove_tracks(playlist: str, ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/playlists/:id/tracks/bulk-remove`."""
    return _bulk(playlist, "/bulk-remove", {"trackIds": list(ids)})


def move_tracks(source: str, target: str, ids: Sequence[str]) -> Request[BulkAnswer]:
    """`POST /v1/playlists/:id/tracks/move`: each track is added to the target, then removed from the source."""
    return _bulk(source, "/move", {"trackIds": list(ids), "targetPlaylistId": target})


def _bulk(playlist: str, verb: str, body: dict[str, Any]) -> Request[BulkAnswer]:
    return Request("POST", f"/v1/playlists/{_segment(playlist)}/tracks{verb}", BulkAnswer, body=body)


def _segment(id: object) -> str:  # noqa: A002 - the wire's name
    """Quote an opaque id so that it stays one segment of the path."""
    text = id.strip() if isinstance(id, str) else ""
    try:
        quoted = quote(text, safe="")
    except UnicodeEncodeError:  # half of a surrogate pair
        quoted = ""
    if quoted in ("", ".", ".."):
        raise errors.ParameterError(
            f"{parameters.shown(id)} is not an id.",
            parameter="id",
            value=id,
            hint="Pass the text in the `id` column, or in the .id of a record.",
        )
    return quoted


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
    "RATE_LIMITED": "Wait that long; Policy(max_wait=…) says how long a client waits by itself.",
    "GENERATION_RATE_LIMITED": "Wait that long; Policy(max_wait=…) says how long a client waits by itself.",
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
    return kind(
        str(error.get("message") or "The service gave no reason."),
        status=status,
        code=code,
        details=error.get("details"),
        retry_after=retry_after(headers, error.get("retryAfter")),
        request=str(request),
        hint=_HINTS.get(code) or (_doubt(request) if status >= 500 else None),
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
