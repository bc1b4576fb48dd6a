"""Which tracks of a library are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from finetuning.records import Generation

__all__ = ["Criteria"]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a track must be to be shown; what is None or empty does not matter.

    Attributes
    ----------
    text
        Words that must all be in title or prompt, in any case and any order.
    status, key, scale, time_signature
        As the track has them.
    slowest, fastest
        In beats a minute, both included.
    public
        Whether it is shown to all.
    since
        The first day, in UTC, on which it may have been created.
    """

    text: str = ""
    status: str | None = None
    slowest: float | None = None
    fastest: float | None = None
    key: str | None = None
    scale: str | None = None
    time_signature: int | None = None
    public: bool | None = None
    since: date | None = None

    def keeps(self, record: Generation) -> bool:
        """Whether a track is as wanted; what is not known of it is not."""
        return (
            all(word in _said(record) for word in self.text.casefold().split())
            and self.status in (None, record.status)
            and self._in_time(record.bpm)
            and self.key in (None, record.key)
            and self.scale in (None, record.scale)
            and self.time_signature in (None, record.time_signature)
            and self.public in (None, record.is_public)
            and self._new_enough(record)
        )

    def _in_time(self, bpm: float | None) -> bool:
        if self.slowest is None and self.fastest is None:
            return True
        return bpm is not None and (self.slowest or 0) <= bpm <= (self.fastest or float("inf"))

    def _new_enough(self, record: Generation) -> bool:
        if self.since is None:
            return True
        created = record.created_at
        return created is not None and created >= datetime.combine(self.since, time(), UTC)


def _said(record: Generation) -> str:
    return f"{record.title or ''}\n{record.prompt or ''}".casefold()
