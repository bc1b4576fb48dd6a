"""Where a deck's judgements go: into the journal of its run, or into the user's own file."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from finetuning.errors import SelectionError

from .judgements import Compared, Judgements, Rated, Rejected
from .takes import Take

if TYPE_CHECKING:
    from finetuning.client.blocking import Client
    from finetuning.records import Account
    from finetuning.sweep.run import SweepRun

__all__ = ["Answer", "FileJudge", "Judge", "Mark", "RunJudge", "is_recording", "recorder"]

#: Seconds that the service may take to say whose key this is.
_PATIENCE: Final = 60.0


class Mark(NamedTuple):
    """What a person thought of one take."""

    rating: int | None = None
    rejected: bool = False


class Answer(NamedTuple):
    """One blind comparison, by the keys of the takes: the better one, the other, whether they were equal."""

    better: str
    other: str
    same: bool = False


class Judge(Protocol):
    """Keeps judgements; each method returns when they are on the disk, and may take its time."""

    def recall(self, takes: Iterable[Take]) -> tuple[dict[str, Mark], list[Answer]]:
        """Return what was thought of these takes before, by their keys."""
        ...

    def rate(self, takes: Sequence[Take], rating: int | None) -> None:
        """Rate."""
        ...

    def reject(self, takes: Sequence[Take], out: bool) -> None:
        """Reject, or take that back."""
        ...

    def prefer(self, better: Take, other: Take, same: bool) -> None:
        """Record an answer."""
        ...


class RunJudge:
    """Into the journal of a run, by its points."""

    def __init__(self, run: SweepRun) -> None:
        self._run = run

    def recall(self, takes: Iterable[Take]) -> tuple[dict[str, Mark], list[Answer]]:
        """Return what the journal says."""
        keys = {take.point: take.key for take in takes}
        frame = self._run.frame
        marks = {
            keys[point]: Mark(None if rating is None else int(rating), bool(rejected))
            for point, rating, rejected in zip(
                frame["point"].tolist(),
                frame["rating"].astype(object).where(frame["rating"].notna(), None).tolist(),
                frame["rejected"].tolist(),
                strict=True,
            )
            if point in keys and (rating is not None or rejected)
        }
        answers = [
            Answer(keys[point], keys[over], same)
            for point, over, same in self._run.preferences
            if point in keys and over in keys
        ]
        return marks, answers

    def rate(self, takes: Sequence[Take], rating: int | None) -> None:
        """Rate the points."""
        self._run.rate(_points(takes), rating)

    def reject(self, takes: Sequence[Take], out: bool) -> None:
        """Reject the points, or take that back."""
        self._run.reject(_points(takes), out)

    def prefer(self, better: Take, other: Take, same: bool) -> None:
        """Record an answer."""
        self._run.prefer(_points([better])[0], _points([other])[0], same=same)


class FileJudge:
    """Into the user's file, by account and generation.

    Parameters
    ----------
    client
        Whose account it is, which is asked for once, when there is something to recall or to record.
    judgements
        The file.
    """

    def __init__(self, client: Client, judgements: Judgements | None = None) -> None:
        self._client = client
        self._file = judgements or Judgements()
        self._account: Account | None = None

    def recall(self, takes: Iterable[Take]) -> tuple[dict[str, Mark], list[Answer]]:
        """Return what the file says."""
        keys = {take.id: take.key for take in takes if take.id is not None}
        marks: dict[str, Mark] = {}
        answers: list[Answer] = []
        for line in self._file.read(self._whose(), keys) if keys and self._file.path.exists() else ():
            key = keys[line.id]
            mark = marks.get(key, Mark())
            match line:
                case Rated():
                    marks[key] = mark._replace(rating=line.rating)
                case Rejected():
                    marks[key] = mark._replace(rejected=line.rejected)
                case Compared():
                    if line.over in keys:
                        answers.append(Answer(key, keys[line.over], line.same))
        return {key: mark for key, mark in marks.items() if mark != Mark()}, answers

    def rate(self, takes: Sequence[Take], rating: int | None) -> None:
        """Rate the generations."""
        who = self._line()
        self._file.add(*(Rated(id=_id(take), rating=rating, **who) for take in takes))

    def reject(self, takes: Sequence[Take], out: bool) -> None:
        """Reject the generations, or take that back."""
        who = self._line()
        self._file.add(*(Rejected(id=_id(take), rejected=out, **who) for take in takes))

    def prefer(self, better: Take, other: Take, same: bool) -> None:
        """Record an answer."""
        self._file.add(Compared(id=_id(better), over=_id(other), same=same, **self._line()))

    def _line(self) -> dict[str, Any]:
        return {"at": datetime.now(UTC), "base_url": self._client.base_url, "account": self._whose()}

    def _whose(self) -> str:
        if self._account is None:
            self._account = self._client.submit(self._client.asynchronous.me()).result(_PATIENCE)
        return self._account.id


_RECORDER: Final = "finetuning-judgements"


@cache
def recorder() -> ThreadPoolExecutor:
    """Return the one thread on which all decks of this process record, so that order is kept."""
    return ThreadPoolExecutor(1, thread_name_prefix=_RECORDER)


def is_recording() -> bool:
    """Whether this is that thread, which must not wait for itself."""
    return threading.current_thread().name.startswith(_RECORDER)


def _points(takes: Sequence[Take]) -> list[int]:
    return [take.point for take in takes if take.point is not None]


def _id(take: Take) -> str:
    if take.id is None:
        raise SelectionError(f"{take.title!r} is not made yet, and cannot be judged.", hint="Wait until it is there.")
    return take.id
