"""What one request has waited and tried, and how much more it may."""

from __future__ import annotations

import random
from collections.abc import Callable

from finetuning import errors
from finetuning.policy import Policy

__all__ = ["Patience", "jittered"]


def jittered(policy: Policy, tries: int) -> float:
    """Return the seconds before try number `tries` after the first, from 1.

    Full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015), with a floor of half of what is doubled each
    time: a service that trips is not asked again at once.
    """
    return policy.backoff * 2.0 ** (tries - 1) * (0.5 + random.random() / 2)


class Patience:
    """What one request has waited and tried so far.

    Parameters
    ----------
    policy
        How much of it there is.
    announce
        Told of each wait at a limit.
    request
        In words.
    """

    def __init__(self, policy: Policy, announce: Callable[[str, float], None], request: str) -> None:
        self._policy = policy
        self._announce = announce
        self._request = request
        self._waited = 0.0
        self._tries = 0
        self.declined: errors.RateLimitError | None = None

    def wait(self, seconds: float) -> None:
        """Allow a wait at a limit, and announce it.

        Raises
        ------
        RateLimitError
            It is too long: what the service said, or that the request was not sent.
        """
        if self._waited + seconds > self._policy.max_wait:
            raise self.declined or errors.RateLimitError(
                f"The rate limit leaves no room for another {seconds:.0f} s, and policy.max_wait is "
                f"{self._policy.max_wait:g} s.",
                status=429,
                code="RATE_LIMITED",
                retry_after=seconds,
                request=self._request,
                hint="It was not sent. Try again then, or wait longer with ft.Policy(max_wait=…).",
            )
        self._waited += seconds
        self._announce(f"{self.declined.code if self.declined else 'rate limit'} on {self._request}", seconds)

    def another_try(self) -> bool:
        """Count a failure; whether another try is left."""
        self._tries += 1
        return self._tries <= self._policy.retries

    def backoff(self) -> float:
        """Return the seconds before the next try."""
        return jittered(self._policy, self._tries)
