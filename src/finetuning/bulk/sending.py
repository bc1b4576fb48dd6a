"""Sending ids in chunks of at most 100, and accounting for each where answers are lost."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from finetuning.errors import (
    AnswerLostError,
    ConnectError,
    FinetuningError,
    InvalidAnswerError,
    NothingDoneError,
    ServiceError,
)
from finetuning.protocol import BULK_MAX, Request
from finetuning.records import BulkAnswer, ItemError
from finetuning.redaction import redact

from .outcomes import BulkOutcome

__all__ = ["Again", "chunks", "run_bulk"]

log = logging.getLogger("finetuning")

Send = Callable[[Request[BulkAnswer]], Awaitable[BulkAnswer]]
Build = Callable[[Sequence[str]], Request[BulkAnswer]]
Progress = Callable[[int], None]


class Again(Protocol):
    """How to go on where an answer was lost: when to repeat the request, and how to tell what it did."""

    async def pause(self, tries: int, request: Request[BulkAnswer], problem: FinetuningError) -> bool:
        """Wait before repetition number `tries`, from 1; False where there is to be no such repetition."""
        ...

    def told(self, reason: str) -> bool | None:
        """Say whether an id that a repetition refuses for this reason is as was asked; None: the text cannot tell."""
        ...

    async def look(self) -> Callable[[str], bool | None]:
        """Read how things are now; what comes back says of an id what `told` says of a reason."""
        ...


def chunks(ids: Sequence[str], size: int = BULK_MAX) -> Iterator[Sequence[str]]:
    """Cut `ids` into pieces of at most `size`, in order."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


async def run_bulk(
    verb: str,
    ids: Sequence[str],
    request: Build,
    send: Send,
    progress: Progress | None = None,
    again: Again | None = None,
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
    again
        How a chunk whose answer was lost is repeated; without it none is.

    Returns
    -------
    BulkOutcome
        A batch that stopped part-way has `error` set, keeps what succeeded, and names what was not attempted.

    Raises
    ------
    FinetuningError
        The first request was declined as a whole, so that nothing was changed at all.

    Notes
    -----
    A repeated request is answered as if the first had not been: what the first did is refused. So only here, where it
    is known that it is a repetition, a refusal may mean success, and only in that chunk; everywhere else the service's
    reason stands.
    """
    outcome = BulkOutcome(verb, list(ids))
    done = 0
    for chunk in chunks(ids):
        reply = await _ask(chunk, request, send, again)
        if reply.problem and reply.lost is None and not done:
            raise reply.problem
        if reply.problem and reply.lost is None and not _uncertain(reply.problem):
            outcome.error = _ours(reply.problem)
        else:
            await _settle(outcome, chunk, reply, again if reply.repeated else None)
            done += len(chunk)
        if outcome.error:
            outcome.not_attempted = list(ids[done:])
            return outcome
        if progress:
            progress(len(chunk))
    return outcome


@dataclass
class _Reply:
    """What came of one chunk, after as many tries as there were.

    Attributes
    ----------
    answer
        The service's, to the last try; None where `problem` took its place.
    otherwise
        The reason for ids about which nothing else is said.
    problem
        What the last try ended in.
    lost
        The last loss of an answer, where there was one: that request may have been carried out.
    repeated
        Whether there was a try after a loss.
    """

    answer: BulkAnswer | None = None
    otherwise: str = ""
    problem: Exception | None = None
    lost: FinetuningError | None = None
    repeated: bool = False


async def _ask(chunk: Sequence[str], build: Build, send: Send, again: Again | None) -> _Reply:
    """Send one chunk, and repeat it for as long as its answer is lost and `again` has patience."""
    reply = _Reply()
    tries = 0
    while True:
        try:
            request = build(chunk)
            reply.answer, reply.problem = await send(request), None
            reply.otherwise = "the answer does not mention it"
        except NothingDoneError as nothing:
            reply.answer, reply.problem = BulkAnswer(errors=_details(nothing)), None
            reply.otherwise = nothing.message
        except Exception as error:  # noqa: BLE001 - a fault of ours, too, must not lose what was done before
            reply.problem = error
            if isinstance(error, FinetuningError) and _uncertain(error):
                reply.lost = error
            reply.otherwise = (reply.lost or _ours(error)).message
        if not isinstance(reply.problem, FinetuningError) or reply.lost is None or again is None:
            return reply
        # A service that cannot be reached did nothing; after a loss it has been there, and may come back.
        if not _uncertain(reply.problem) and not isinstance(reply.problem, ConnectError):
            return reply
        tries += 1
        if not await again.pause(tries, request, reply.problem):
            return reply
        reply.repeated = True


async def _settle(outcome: BulkOutcome, chunk: Sequence[str], reply: _Reply, again: Again | None) -> None:
    """Account for each id of the chunk once, whatever the answer repeats, omits or invents."""
    answer = reply.answer or BulkAnswer()
    done = set(answer.succeeded)
    reasons = dict.fromkeys(chunk, reply.otherwise) | {item.item: item.error for item in answer.errors}
    doubtful = [id_ for id_ in chunk if id_ not in done]
    verdicts: dict[str, bool | None] = dict.fromkeys(doubtful, False if reply.answer else None)
    if again:
        verdicts = await _verdicts({id_: reasons[id_] if reply.answer else None for id_ in doubtful}, again)
    inferred = [id_ for id_ in doubtful if verdicts[id_]]
    if inferred:
        log.info("%s after a lost answer: %d of %d ids found to be so already", outcome.verb, len(inferred), len(chunk))
    done.update(inferred)
    outcome.inferred += inferred
    outcome.succeeded += [id_ for id_ in chunk if id_ in done]
    verb = outcome.verb.lower()
    for id_ in doubtful:
        if verdicts[id_] is None:
            outcome.refused[id_] = f"unknown, may have been {verb}: {reasons[id_]}"
        elif not verdicts[id_]:
            seen = "" if reply.answer else f"not {verb} when looked at afterwards: "
            outcome.refused[id_] = seen + reasons[id_]
    if reply.problem and len(inferred) < len(doubtful):
        # A service that was not reached again is not what leaves the ids in doubt.
        outcome.error = reply.lost if isinstance(reply.problem, ConnectError) else _ours(reply.problem)


async def _verdicts(reasons: Mapping[str, str | None], again: Again) -> dict[str, bool | None]:
    """Say of each id of a repeated chunk whether it is as was asked, and look where the reasons cannot tell."""
    verdicts = {id_: None if reason is None else again.told(reason) for id_, reason in reasons.items()}
    doubtful = [id_ for id_, verdict in verdicts.items() if verdict is None]
    if doubtful:
        try:
            holds = await again.look()
        except Exception as problem:  # noqa: BLE001 - it leaves in doubt what it was for, and must not lose the rest
            # The traceback, since it is a fault of ours; as text, since what it quotes may hold a key.
            trace = redact("".join(traceback.format_exception(problem)))
            log.warning("what a lost answer left open could not be looked at\n%s", trace.rstrip())
        else:
            verdicts |= {id_: holds(id_) for id_ in doubtful}
    return verdicts


def _uncertain(error: Exception) -> bool:
    """Whether the request may have been carried out all the same."""
    if isinstance(error, InvalidAnswerError):  # a redirect and a proxy's 404 do nothing
        return error.status is None or not 300 <= error.status < 500
    return isinstance(error, (AnswerLostError, ServiceError)) or not isinstance(error, FinetuningError)


def _ours(error: Exception) -> FinetuningError:
    if isinstance(error, FinetuningError):
        return error
    wrapped = FinetuningError(f"{type(error).__name__}: {error}", hint="This is not one of the package's errors.")
    wrapped.__cause__ = error
    return wrapped


def _details(error: NothingDoneError) -> list[ItemError]:
    """Read the per-item errors out of `ADD_FAILED` and `MOVE_FAILED`, tolerating what is shaped otherwise."""
    found: list[ItemError] = []
    for item in error.details if isinstance(error.details, list) else []:
        if isinstance(item, dict):
            name = item.get("trackId") or item.get("id")
            if isinstance(name, str):
                found.append(ItemError(track_id=name, error=str(item.get("error") or error.message)))
    return found
