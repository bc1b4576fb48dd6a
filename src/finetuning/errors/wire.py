"""What comes of a request: no answer, none that is the service's, a no, or music that is not there (yet)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .base import FinetuningError

__all__ = [
    "APIError",
    "AnswerLostError",
    "AuthenticationError",
    "ConnectError",
    "DownloadError",
    "GenerationError",
    "InvalidAnswerError",
    "InvalidRequestError",
    "NotFoundError",
    "NothingDoneError",
    "OutOfCreditsError",
    "PlanRequiredError",
    "QueueFullError",
    "RateLimitError",
    "ServiceError",
    "StillProcessingError",
    "TransportError",
]


class TransportError(FinetuningError):
    """The request brought no answer, or none that is the service's.

    Attributes
    ----------
    request : str or None
        Method and path of the request, without query, body or credentials.
    """

    def __init__(self, message: str, *, request: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.request = request


class ConnectError(TransportError):
    """The service could not be reached; nothing was delivered, so nothing was spent."""


class AnswerLostError(TransportError):
    """The request was sent and the answer was lost: it may or may not have been carried out."""


class InvalidAnswerError(TransportError):
    """An answer that is not the service's: HTML, truncated JSON, a redirect.

    Attributes
    ----------
    status : int or None
        The HTTP status that it came with.
    """

    def __init__(
        self, message: str, *, status: int | None = None, request: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, request=request, hint=hint)
        self.status = status


class DownloadError(TransportError):
    """A file that could not be fetched whole. No partial file stands under its final name."""


class APIError(FinetuningError):
    """The service understood the request and declined it.

    Attributes
    ----------
    status : int
        HTTP status.
    code : str
        The service's code, such as `VALIDATION_ERROR`; one that this version does not know is kept as it is.
    details : object
        The service's details: an object, a list of per-item errors on `NothingDoneError`, or None.
    retry_after : float or None
        Seconds to wait before trying again, where the service said so.
    request : str or None
        Method and path of the request, without query, body or credentials.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        details: Any = None,
        retry_after: float | None = None,
        request: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.details = details
        self.retry_after = retry_after
        self.request = request

    def __str__(self) -> str:
        where = f" ({self.request})" if self.request else ""
        text = f"{self.message} [{self.status} {self.code}]{where}"
        return f"{text}\n{self.hint}" if self.hint else text


class InvalidRequestError(APIError):
    """400: the body is missing or a field is invalid."""


class NothingDoneError(APIError):
    """400 `ADD_FAILED` or `MOVE_FAILED`: no item of the batch succeeded; `details` lists each."""


class AuthenticationError(APIError):
    """401: no key, a wrong key, or a deleted account."""


class OutOfCreditsError(APIError):
    """402: no credits are left this month, nor in a pack."""


class PlanRequiredError(APIError):
    """403: the account's tier has no access to the API."""


class NotFoundError(APIError):
    """404: no such generation or playlist, or none that this account may see."""


class RateLimitError(APIError):
    """429: too many requests; `retry_after` says how long to wait."""


class QueueFullError(RateLimitError):
    """429 `QUEUE_FULL`: too many generations in flight; one must finish first."""


class ServiceError(APIError):
    """5xx: the service failed, usually in passing."""


class GenerationError(FinetuningError):
    """The service accepted the request and could not make the music.

    Attributes
    ----------
    generation : Generation
        The record, with its `error_message`.
    """

    def __init__(self, message: str, *, generation: Any, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.generation = generation


class StillProcessingError(FinetuningError, TimeoutError):
    """Waiting ended before the music was ready; the generation goes on and is paid for.

    Attributes
    ----------
    id : str
        Ask for it later by this id.
    missing : list of str
        All ids that were waited for in vain; `id` is the first.
    """

    def __init__(
        self,
        message: str,
        *,
        id: str,  # noqa: A002 - the wire's name
        missing: Sequence[str] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.id = id
        self.missing = list(missing) or [id]
