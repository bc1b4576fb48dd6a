"""Waiting for a run: what is shown meanwhile, and what is told at its end."""

from __future__ import annotations

import concurrent.futures
import math
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Final

from finetuning import errors
from finetuning.client.progress import Bar
from finetuning.notices import warn

from .runner import CANCELLED, Runner
from .state import FINAL, State, brief, resuming

__all__ = ["tell", "watch"]

#: Seconds between two glances at a run; its own steps do not wait for them.
_GLANCE: Final = 0.1

#: These end by waiting; nothing is wrong but the moment.
_PASSING: Final = (errors.RateLimitError, errors.OutOfCreditsError, errors.TransportError, errors.ServiceError)


def watch(
    name: str, state: State, runner: Runner, future: Future[None], *, bar: Bar, timeout: float = math.inf
) -> None:
    """Show how a run gets on until it has ended.

    Raises
    ------
    StillProcessingError
        `timeout` seconds passed.
    """
    deadline = time.monotonic() + timeout
    total, done, beside = len(state.cells), -1, ""
    with bar.counting(name, total, unit="take") as report:
        while not future.done():
            counts = state.counts
            if done != (done := _settled(counts)):
                report(done, total)
            if beside != (beside := _beside(counts, runner.doing)):
                bar.note(beside)
            if time.monotonic() >= deadline:
                raise errors.StillProcessingError(
                    f"The run {name!r} is not done after {timeout:g} s: {brief(counts)}.",
                    id=name,
                    hint="It goes on in the background: run.wait() waits again.",
                )
            concurrent.futures.wait([future], timeout=_GLANCE)
        # The last takes finish with the run itself, after the last look; a bar that ends short of them reads as failed.
        report(_settled(state.counts), total)


def _settled(counts: Mapping[str, int]) -> int:
    return sum(count for kind, count in counts.items() if kind in FINAL)


def _beside(counts: Mapping[str, int], doing: str) -> str:
    """Say what the bar itself does not show."""
    kinds = ("generating", "sent", "lost", "failed", "refused", "uncertain")
    text = brief({kind: counts[kind] for kind in kinds if kind in counts})
    return "; ".join(filter(None, (text, doing)))


def tell(name: str, state: State, future: Future[None], runner: Runner) -> None:
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
        warn(_paused(name, state, "the client was closed"))
        return
    future.result()
    if runner.error is not None and not isinstance(runner.error, _PASSING):
        raise runner.error
    if runner.reason is not None and runner.reason != CANCELLED:
        warn(_paused(name, state, runner.reason))
    elif runner.reason is None and (counts := state.counts).keys() & {"failed", "refused", "uncertain"}:
        text = f"The run {name!r} is done: {brief(counts)}; `error_message` in run.frame says why."
        if "uncertain" in counts:
            text += (
                " What is uncertain may have been paid for, and is not sent again; run.resume() looks for it once more."
            )
        warn(errors.SweepWarning(text))


def _paused(name: str, state: State, reason: str) -> errors.SweepWarning:
    return errors.SweepWarning(
        f"The run {name!r} paused with {brief(state.counts)}: {reason.rstrip('.')}. "
        f"Nothing is lost: ft.SweepRun.load({name!r}, client).{resuming(state)} goes on with it."
    )
