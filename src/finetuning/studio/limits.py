"""How much an account may ask for: credits, requests a minute, generations in flight."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from finetuning.errors import StudioError

__all__ = ["HOSTED", "LOCAL", "TIERS", "WINDOW", "Buckets", "Draw", "Limits", "longest", "month", "named"]

TIERS = ("free", "plus", "pro", "lifetime")
API_TIERS = ("pro", "lifetime")
WINDOW = 60.0
"""Length of a rate window in seconds."""


@dataclass(frozen=True)
class Limits:
    """One set of limits.

    Attributes
    ----------
    name : str
        `local` or `hosted`.
    creates, others : int
        Requests a minute and account: `POST /v1/generations`, and everything else.
    monthly : dict
        Credits a month, by tier.
    queue_depth : int
        Generations that may be in flight.
    """

    name: str
    creates: int
    others: int
    monthly: dict[str, int]
    queue_depth: int


# The rates are documented. The credits of the tiers are not, but for one example of 500; the rest is in proportion.
# Nor is the depth of the queue: two minutes of creates, so that pieces of a minute are held up by the rate alone.
HOSTED = Limits("hosted", 10, 60, {"free": 10, "plus": 200, "pro": 500, "lifetime": 500}, 20)
LOCAL = Limits("local", 6000, 60000, dict.fromkeys(TIERS, 10000), 1000)


def named(name: str) -> Limits:
    """Find a set of limits.

    Raises
    ------
    StudioError
        If there is none of that name.
    """
    for limits in (LOCAL, HOSTED):
        if limits.name == name:
            return limits
    raise StudioError(f"limits is {name!r}.", hint="Choose 'local' (generous) or 'hosted' (as documented).")


def longest(tier: str) -> float:
    """Give the longest duration that a tier may ask for, in seconds."""
    return 120.0 if tier == "free" else 210.0


def month(now: float) -> str:
    """Name the month, in UTC, that a moment is charged to: `2025-01`."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m")


@dataclass(frozen=True)
class Draw:
    """What a request found in its bucket; `retry_after` (seconds) is None where there was room."""

    limit: int
    remaining: int
    retry_after: int | None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that announce it."""
        return {"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": str(self.remaining)}


class Buckets:
    """Fixed windows of a minute, each opened by the first request that finds none open.

    They are counted in memory: two kernels that share a folder count apart.

    Parameters
    ----------
    limits
        How much a window holds.
    clock
        Seconds since the epoch.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, bool], tuple[float, int]] = {}

    def draw(self, account: str, *, create: bool) -> Draw:
        """Take one request from a bucket; one that is refused takes nothing."""
        limit = self._limits.creates if create else self._limits.others
        now = self._clock()
        with self._lock:
            opened, used = self._windows.get((account, create), (now, 0))
            if not 0 <= now - opened < WINDOW:
                opened, used = now, 0
            if used >= limit:
                return Draw(limit, 0, max(1, math.ceil(opened + WINDOW - now)))
            self._windows[account, create] = (opened, used + 1)
        return Draw(limit, limit - used - 1, None)
