"""What a sweep will cost and how long it will take, as far as is known before it begins."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from finetuning.pacing import DOCUMENTED_LIMITS, WINDOW
from finetuning.records import Account, Generation
from finetuning.sweep.forecast import Forecast

__all__ = ["History", "Pace", "creates_a_minute", "credits_line", "duration", "refusal", "rest_line", "time_line"]

#: The most generations that a run keeps in flight unless told otherwise, whatever the queue holds.
_AT_ONCE_MAX: Final = 20
_QUEUE: Final = 10


@dataclass(frozen=True)
class Pace:
    """How fast takes are made.

    Attributes
    ----------
    a_minute
        Generations that may be begun in a minute.
    at_once
        Generations that may be in flight.
    take
        Seconds from the beginning of one to its end.
    """

    a_minute: int
    at_once: int
    take: float

    @classmethod
    def known(cls, limits: dict[str, int], account: Account | None, take: float) -> Pace:
        """Put together what the service has announced; what it has not is taken as documented.

        Parameters
        ----------
        limits
            Requests a minute by bucket, as announced (`Pacer.limits`).
        account
            Whose queue it is; None while nobody knows.
        take
            Seconds that a generation takes.
        """
        depth = account.limits.queue_depth if account is not None else None
        return cls(creates_a_minute(limits), min(max(depth or _QUEUE, 1), _AT_ONCE_MAX), take)

    def seconds(self, count: int) -> tuple[float, float]:
        """Return when the last of so many is sent and when it has ended, in seconds from the first.

        A request counts for a minute, and one more may be in flight when the earliest of them has ended.
        """
        sent: list[float] = []
        for number in range(count):
            moment = sent[-1] if sent else 0.0
            if number >= self.a_minute:
                moment = max(moment, sent[number - self.a_minute] + WINDOW)
            if number >= self.at_once:
                moment = max(moment, sent[number - self.at_once] + self.take)
            sent.append(moment)
        last = sent[-1] if sent else 0.0
        return last, last + self.take if sent else 0.0


class History:
    """How long generations have taken lately: in the library at first, then in the runs of this session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forecast = Forecast()
        self._learnt: set[str] = set()

    def learn(self, generations: Iterable[Generation]) -> None:
        """Take in those that are completed, each once."""
        with self._lock:
            for row in generations:
                if row.status != "completed" or row.id in self._learnt:
                    continue
                self._learnt.add(row.id)
                self.took(_seconds(row))

    def took(self, seconds: float | None) -> None:
        """Take in how long one took; None where nobody knows."""
        if seconds is not None:
            self._forecast.learn(seconds)

    @property
    def median(self) -> float:
        """Seconds within which half of them end."""
        return self._forecast.median


def _seconds(row: Generation) -> float | None:
    made, ended = row.created_at, row.completed_at
    if made is not None and ended is not None and ended >= made:
        return (ended - made).total_seconds()
    return row.generation_time


def creates_a_minute(limits: dict[str, int]) -> int:
    """Return how many generations may be begun in a minute.

    Before the first of them has been answered nothing is announced for them; a service that allows a hundred times
    the other requests is then taken to be as generous here.
    """
    announced = limits.get("create")
    if announced is None:
        documented = DOCUMENTED_LIMITS
        announced = documented["create"] * limits.get("other", documented["other"]) // documented["other"]
    return max(announced, 1)


def credits_line(cost: int, left: int | None, at_most: int | None = None) -> str:
    """Say `12 credits of 488 left`, and to how many a run is bound."""
    needed = f"{cost:,} credit{'' if cost == 1 else 's'}"
    bound = f", at most {at_most:,} now" if at_most is not None and at_most < cost else ""
    return f"{needed}{bound}; left: {'unknown' if left is None else f'{left:,}'}"


def refusal(cost: int, left: int | None, at_most: int | None = None) -> str | None:
    """Say why this cannot be paid for; None where it can, or where nobody knows."""
    due = cost if at_most is None else min(cost, at_most)
    if left is None or due <= left:
        return None
    short = due - max(left, 0)
    return f"{short:,} credit{' is' if short == 1 else 's are'} lacking: {due:,} needed, {max(left, 0):,} left."


def time_line(count: int, pace: Pace) -> str:
    """Say `about 3 min: 2 min to send 30 at 10 a minute, 40 s for the last`."""
    if count < 1:
        return ""
    sent, ended = pace.seconds(count)
    about = f"about {duration(ended)}"
    if sent <= 0:
        return about if count == 1 else f"about {duration(ended)}: all {count:,} at once"
    how = f" at {pace.a_minute:,} a minute" if count > pace.a_minute else f", {pace.at_once:,} at a time"
    return f"{about}: {duration(sent)} to send {count:,}{how}, {duration(pace.take)} for the last"


def rest_line(waiting: int, pace: Pace) -> str:
    """Say how long a run that goes on will take, with so many points to be sent: `about 2 min left`."""
    _, ended = pace.seconds(waiting)
    return f"about {duration(max(ended, pace.take))} left"


def duration(seconds: float) -> str:
    """Say how long something is: `1 s`, `45 s`, `3 min`, `1 h 20 min`."""
    if seconds < 59.5:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
