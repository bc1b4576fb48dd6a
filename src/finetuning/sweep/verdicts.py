"""What an exception says about a request that creates: whether it was paid for, and what to do next."""

from __future__ import annotations

from enum import Enum, auto

from finetuning import errors

__all__ = ["Verdict", "is_passing", "judge"]


class Verdict(Enum):
    """What to do with a point whose request was not accepted."""

    REFUSE = auto()  # this point will never be made; the others may
    UNCERTAIN = auto()  # it may have been paid for: never send it again unseen
    QUEUE = auto()  # nothing was spent; again when one of ours has finished
    WAIT = auto()  # nothing was spent; again after a while
    STOP = auto()  # nothing was spent; no other point would fare better


def judge(error: errors.FinetuningError) -> Verdict:
    """Judge an exception that a create request raised."""
    match error:
        case errors.InvalidRequestError():
            return Verdict.REFUSE
        case errors.QueueFullError():
            return Verdict.QUEUE
        case errors.RateLimitError() | errors.ConnectError():
            return Verdict.WAIT
        case errors.AnswerLostError() | errors.InvalidAnswerError() | errors.ServiceError():
            return Verdict.UNCERTAIN
        case _:
            return Verdict.STOP


def is_passing(error: errors.FinetuningError) -> bool:
    """Whether a read that raised this may succeed in a while."""
    return isinstance(error, (errors.TransportError, errors.ServiceError, errors.RateLimitError))
