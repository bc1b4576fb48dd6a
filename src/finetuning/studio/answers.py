"""What the service answers: the envelope, and every error code with its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

__all__ = ["CODES", "Answer", "Fault", "invalid", "success"]

CODES = {
    "VALIDATION_ERROR": 400,
    "ADD_FAILED": 400,
    "MOVE_FAILED": 400,
    "MISSING_API_KEY": 401,
    "INVALID_API_KEY": 401,
    "ACCOUNT_DELETED": 401,
    "MONTHLY_LIMIT_REACHED": 402,
    "PRO_PLAN_REQUIRED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,  # this and the next two are not in the reference; HTTP asks for them
    "PAYLOAD_TOO_LARGE": 413,
    "MISDIRECTED_REQUEST": 421,
    "RATE_LIMITED": 429,
    "GENERATION_RATE_LIMITED": 429,
    "QUEUE_FULL": 429,
    "GENERATION_FAILED": 500,
    "INTERNAL_ERROR": 500,
}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, ready to be sent."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Fault(Exception):  # noqa: N818 - it is an answer on its way out, not an error of the program
    """A refusal on its way to the client.

    Parameters
    ----------
    code
        One of `CODES`.
    message
        What was wrong and what is allowed; shown to the user verbatim.
    details
        An object, or the list of per-item errors.
    retry_after
        Seconds to wait; sent in the envelope and as `Retry-After`.
    headers
        Further headers of the answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Any = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.headers = headers or {}

    def answer(self) -> Answer:
        """Put the refusal into its envelope."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        headers = dict(self.headers)
        if self.details is not None:
            error["details"] = self.details
        if self.retry_after is not None:
            error["retryAfter"] = self.retry_after
            headers["retry-after"] = str(self.retry_after)
        return Answer(CODES[self.code], msgspec.json.encode({"error": error}), headers)


def invalid(field: str, message: str, **allowed: Any) -> Fault:
    """Refuse a field; `allowed` (such as `max=100`) joins its name in `details`."""
    return Fault("VALIDATION_ERROR", message, details={"field": field, **allowed})


def success(data: Any, status: int = 200) -> Answer:
    """Wrap `data` in the envelope."""
    return Answer(status, msgspec.json.encode({"data": data}))
