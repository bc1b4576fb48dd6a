"""Bulk requests: chunks of at most 100 ids, merged into one outcome that accounts for every id exactly once."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from finetuning.errors import AnswerLostError, FinetuningError, InvalidAnswerError, NothingDoneError, ServiceError
from finetuning.protocol import BULK_MAX, Request
from finetuning.records import BulkAnswer, ItemError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BulkOutcome", "chunks", "run_bulk"]

Send = Callable[[Request[BulkAnswer]], Awaitable[BulkAnswer]]
Progress = Callable[[int], None]


@dataclass(eq=False)
class BulkOutcome:
    """What a bulk verb did: every id that was asked for is in exactly one of the three lists.

    Attributes
    ----------
    verb : str
        `Added`, `Removed`, `Moved` or `Deleted`.
    requested : list of str
        The ids asked for, in order, each once.
    succeeded : list of str
        The ids that were changed.
    refused : dict of str to str
        The service's reason for each id that it would not change, or that no answer accounts for.
    not_attempted : list of str
        The ids that were never sent, because `error` stopped the batch before them.
    error : FinetuningError or None
        What stopped the batch, if anything did.
    """

    verb: str
    requested: list[str]
    succeeded: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    not_attempted: list[str] = field(default_factory=list)
    error: FinetuningError | None = None

    @property
    def failed(self) -> pd.DataFrame:
        """The ids that were not changed, with the reason: columns `id` and `error`, both text."""
        import pandas as pd

        reasons = dict(self.refused)
        stopped = f"not attempted: {self.error.message if self.error else 'the batch ended before it'}"
        reasons |= dict.fromkeys(self.not_attempted, stopped)
        return pd.DataFrame({"id": list(reasons), "error": list(reasons.values())}, dtype="str")

    @property
    def summary(self) -> str:
        """One line: `Added 2 of 3 track(s)`."""
        return f"{self.verb} {len(self.succeeded)} of {len(self.requested)} track(s)"

    def raise_for_failed(self) -> None:
        """Raise what stopped the batch, or a `FinetuningError` where any track was not changed."""
        if self.error:
            raise self.error
        if self.refused:
            first, reason = next(iter(self.refused.items()))
            raise FinetuningError(f"{self.summary}: {first}: {reason}")

    def _lines(self) -> Iterator[str]:
        if self.error:
            yield f"stopped by {type(self.error).__name__}: {self.error.message}"
        for reason, count in _counted(self.refused.values()):
            yield f"{count} × {reason}"
        if self.not_attempted:
            yield f"{len(self.not_attempted)} × not attempted; repeat the call with .failed to go on"

    def __repr__(self) -> str:
        return "\n  ".join([self.summary, *self._lines()])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self._lines())
        return f"<div><b>{html.escape(self.summary)}</b>{f'<ul>{items}</ul>' if items else ''}</div>"


def _counted(reasons: Any) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])


def chunks(ids: Sequence[str], size: int = BULK_MAX) -> Iterator[Sequence[str]]:
    """Cut `ids` into pieces of at most `size`, in order."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


async def run_bulk(
    verb: str,
    ids: Sequence[str],
    request: Callable[[Sequence[str]], Request[BulkAnswer]],
    send: Send,
    progress: Progress | None = None,
) -> BulkOutcome:
    """Send `ids` in chunks, one after the other, and merge what came back.

    Parameters
    ----------
    verb
        For the outcome's summary.
    ids
        Each once.
    request
        Builds the request of one chunk.
    send
        Sends it.
    progress
        Called with the number of ids after each chunk.

    Returns
    -------
    BulkOutcome
        A batch that stopped part-way has `error` set, keeps what succeeded, and names what was not attempted.

    Raises
    ------
    FinetuningError
        The first request was declined as a whole, so that nothing was changed at all.
    """
    outcome = BulkOutcome(verb, list(ids))
    done = 0
    for chunk in chunks(ids):
        try:
            answer = await send(request(chunk))
        except NothingDoneError as nothing:
            _merge(outcome, chunk, BulkAnswer(errors=_details(nothing)), nothing.message)
        except Exception as error:
            # Whatever stops the batch, a fault of ours included, must not lose what was done before.
            if not done and not (isinstance(error, FinetuningError) and _uncertain(error)):
                raise
            outcome.error = error if isinstance(error, FinetuningError) else _unforeseen(error)
            if _uncertain(error):
                # It was delivered and nobody knows what came of it. Repeating is harmless for each of the four
                # verbs (the service answers "already in playlist" or "not found"), but is the user's to decide.
                reason = f"unknown, may have been {verb.lower()}: {outcome.error.message}"
                outcome.refused |= dict.fromkeys(chunk, reason)
                done += len(chunk)
            outcome.not_attempted = list(ids[done:])
            return outcome
        else:
            _merge(outcome, chunk, answer, "the answer does not mention it")
        done += len(chunk)
        if progress:
            progress(len(chunk))
    return outcome


def _uncertain(error: Exception) -> bool:
    """Whether the request may have been carried out all the same."""
    if isinstance(error, InvalidAnswerError):  # a redirect and a proxy's 404 do nothing
        return error.status is None or not 300 <= error.status < 500
    return isinstance(error, (AnswerLostError, ServiceError)) or not isinstance(error, FinetuningError)


def _unforeseen(error: Exception) -> FinetuningError:
    wrapped = FinetuningError(f"{type(error).__name__}: {error}", hint="This is not one of the package's errors.")
    wrapped.__cause__ = error
    return wrapped


def _merge(outcome: BulkOutcome, chunk: Sequence[str], answer: BulkAnswer, otherwise: str) -> None:
    """Account for each id of the chunk once, whatever the answer repeats, omits or invents."""
    done = set(answer.succeeded)
    reasons = {item.item: item.error for item in answer.errors}
    for id_ in chunk:
        if id_ in done:
            outcome.succeeded.append(id_)
        else:
            outcome.refused[id_] = reasons.get(id_, otherwise)


def _details(error: NothingDoneError) -> list[ItemError]:
    """Read the per-item errors out of `ADD_FAILED` and `MOVE_FAILED`, tolerating what is shaped otherwise."""
    found: list[ItemError] = []
    for item in error.details if isinstance(error.details, list) else []:
        if isinstance(item, dict):
            name = item.get("trackId") or item.get("id")
            if isinstance(name, str):
                found.append(ItemError(track_id=name, error=str(item.get("error") or error.message)))
    return found
