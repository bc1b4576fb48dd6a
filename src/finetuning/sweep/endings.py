"""How a run ended, told to whoever waited for it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Final

from finetuning import errors
from finetuning.notices import warn

from .runner import CANCELLED, Runner
from .state import brief

__all__ = ["tell"]

#: These end by waiting; nothing is wrong but the moment.
_PASSING: Final = (errors.RateLimitError, errors.OutOfCreditsError, errors.TransportError, errors.ServiceError)


def tell(name: str, counts: Mapping[str, int], future: Future[None], runner: Runner) -> None:
    """Raise what broke the run, warn of what paused it or was not made, or say nothing.

    Raises
    ------
    FinetuningError
        What no waiting mends: a key that is not valid any more, a disk that is full.

    Warns
    -----
    SweepWarning
        The run paused, or is done and some points were not made.
    """
    if future.cancelled():
        warn(_paused(name, counts, "the client was closed"))
        return
    future.result()
    if runner.error is not None and not isinstance(runner.error, _PASSING):
        raise runner.error
    if runner.reason is not None and runner.reason != CANCELLED:
        warn(_paused(name, counts, runner.reason))
    elif runner.reason is None and counts.keys() & {"failed", "refused", "uncertain"}:
        text = f"The run {name!r} is done: {brief(counts)}; `error_message` in run.frame says why."
        if "uncertain" in counts:
            text += " What is uncertain may have been paid for, and is not sent again."
        warn(errors.SweepWarning(text))


def _paused(name: str, counts: Mapping[str, int], reason: str) -> errors.SweepWarning:
    return errors.SweepWarning(
        f"The run {name!r} paused with {brief(counts)}: {reason.rstrip('.')}. "
        f"Nothing is lost: ft.SweepRun.load({name!r}, client).resume() goes on with it."
    )
