"""What may go wrong between a client and the service, and whether the service got the request all the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final, Literal

__all__ = ["ANSWERED", "DELIVERED", "KINDS", "REFUSED", "Fault", "On", "answer_of"]

On = Literal["create", "read", "any"]

#: The request reaches the service, and its answer the client: at once, late, or byte by byte.
ANSWERED: Final = ("pass", "delay", "slow_drip")
#: The request reaches the service, and the client does not learn it.
DELIVERED: Final = ("reset_after", "lost", "error_500_after", "html_502_after", "truncated", "invalid_json")
#: The request does not reach the service.
REFUSED: Final = (
    "reset_before", "error_500_before", "html_502_before", "too_many_seconds", "too_many_date", "too_many_bare"
)  # fmt: skip
KINDS: Final = (*ANSWERED, *DELIVERED, *REFUSED)

_HTML: Final = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
_BROKEN: Final = b'{"error":{"code":"INTERNAL_ERROR","message":"Something broke."}}'
#: Seconds that a refusal asks for.
_ASKED: Final = 20


@dataclass(frozen=True)
class Fault:
    """One fault, and what it hits.

    Attributes
    ----------
    kind : str
        One of `KINDS`, or `hang`: delivered, and silence after it.
    on : str
        `create`, `read` (whatever is not a create), or `any`.
    """

    kind: str
    on: On = "any"

    def __post_init__(self) -> None:
        assert self.kind in (*KINDS, "hang"), self.kind

    @property
    def delivers(self) -> bool:
        """Whether the service gets the request."""
        return self.kind not in REFUSED

    def hits(self, *, create: bool) -> bool:
        """Whether a request is of the sort that this is meant for."""
        return self.on == "any" or (self.on == "create") == create


def answer_of(kind: str, *, create: bool) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body that take the place of the service's."""
    if kind.startswith("error_500"):
        return 500, {"Content-Type": "application/json"}, _BROKEN
    if kind.startswith("html_502"):
        return 502, {"Content-Type": "text/html"}, _HTML
    if kind == "invalid_json":
        return 202 if create else 200, {"Content-Type": "application/json"}, b'{"data":{"id":"gen'
    code = "GENERATION_RATE_LIMITED" if create else "RATE_LIMITED"
    body = f'{{"error":{{"code":"{code}","message":"Slow down."}}}}'.encode()
    return 429, {"Content-Type": "application/json", **_asking(kind)}, body


def _asking(kind: str) -> dict[str, str]:
    if kind == "too_many_seconds":
        return {"Retry-After": str(_ASKED), "X-RateLimit-Remaining": "0"}
    if kind == "too_many_date":
        return {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=_ASKED), usegmt=True)}
    return {}
