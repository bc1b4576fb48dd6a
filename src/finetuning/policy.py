"""How patient a client is."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

from finetuning.errors import SettingsError

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How patient a client is.

    Attributes
    ----------
    timeout
        Seconds without a byte, after which an answer counts as lost; the whole of it may take twice as long.
    connect_timeout
        Seconds to reach the service at all.
    retries
        How often a repeatable request is sent again after a lost answer or a 5xx.
    backoff
        Seconds before the first of these retries; doubled each time, with jitter.
    max_wait
        The longest that one request waits at limits, in seconds and in all; beyond it the limit is raised.
    settle
        Seconds for which a create whose answer was lost may still be under way to the service; only then is the
        listing believed that does not show it.

    Raises
    ------
    SettingsError
        A value that is no such number.
    """

    timeout: float = 30.0
    connect_timeout: float = 10.0
    retries: int = 3
    backoff: float = 0.5
    max_wait: float = 120.0
    settle: float = 10.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            kinds: type = Integral if name == "retries" else Real
            least = "above 0" if name.endswith("timeout") else "from 0"
            good = isinstance(value, kinds) and not isinstance(value, bool)
            if not good or not (value > 0 if least == "above 0" else value >= 0):
                what = "a whole number" if name == "retries" else "a number of seconds"
                raise SettingsError(
                    f"Policy({name}={value!r}) is not {what} {least}.", hint="For example ft.Policy(max_wait=300)."
                )
