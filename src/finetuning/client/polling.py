"""Waiting for one generation.

The schedule is that of the `ft` command, scaled to the rate limit that the service announces: a service that allows
a hundred times the reads (the studio, say) is asked sooner, but never more than four times a second.
"""

from __future__ import annotations

from collections.abc import Callable

from finetuning import errors, protocol
from finetuning.pacing import DOCUMENTED_LIMITS
from finetuning.records import Generation
from finetuning.selections import Tracks, ids_of
from finetuning.transport import Transport

__all__ = ["generosity", "scaled", "wait_for"]

#: The command's schedule at the documented limit of 60 reads a minute: 3 s, growing by 1.3 to 15 s.
_FIRST = 3.0
_GROWTH = 1.3
_LONGEST = 15.0


async def wait_for(
    transport: Transport,
    generation: Tracks,
    *,
    timeout: float,  # noqa: ASYNC109 - how long the music may take
    progress: Callable[[Generation, float], None] | None = None,
) -> Generation:
    """Look at one generation until it is finished, at most `timeout` seconds, which may be infinite.

    Raises
    ------
    GenerationError
        The service gave it up.
    StillProcessingError
        It was not finished in time.
    """
    clock = transport.clock
    started = clock.monotonic()
    interval = _FIRST
    ids = ids_of(generation)
    if len(ids) != 1:
        raise errors.SelectionError(f"These are {len(ids)} generations; one is waited for at a time.")
    known = generation if isinstance(generation, Generation) else None
    trouble = ""
    while known is None or not known.finished:
        waited = clock.monotonic() - started
        if known is not None:
            if progress:
                progress(known, waited)
            if waited >= timeout:
                raise errors.StillProcessingError(
                    f"{ids[0]} is still {known.status or 'processing'} after {_seconds(waited)} s{trouble}.",
                    id=ids[0],
                    hint=f"It goes on and is paid for: client.wait({ids[0]!r}) waits again.",
                )
            await clock.sleep(min(scaled(transport, interval), max(0.0, timeout - waited)))
            interval = min(interval * _GROWTH, _LONGEST)
        try:
            known, trouble = (await transport.send(protocol.get_generation(ids[0]))).value, ""
        except (errors.TransportError, errors.RateLimitError, errors.ServiceError) as problem:
            if known is None:
                raise
            # What is in the making goes on without being looked at, and is not to be given up for a lost look.
            trouble = f"; the last look failed ({problem.message})"
        except errors.FinetuningError as problem:
            if known is not None:
                problem.add_note(f"This happened while waiting for {ids[0]}, which is accepted and paid for.")
            raise
    if progress:
        progress(known, clock.monotonic() - started)
    if known.status == "failed":
        raise errors.GenerationError(
            f"{known.id} failed: {(known.error_message or 'the service gave no reason').rstrip('.')}.",
            generation=known,
            hint="Usually passing: the same request may succeed, and costs another credit.",
        )
    return known


def _seconds(waited: float) -> str:
    """Say a wait in whole seconds, a short one to two digits: 0.2 s are not none."""
    return f"{waited:.0f}" if waited >= 10 else f"{round(waited, 3):.2g}"


def scaled(transport: Transport, interval: float) -> float:
    """Scale an interval in seconds, meant for the documented limit, to the limit that the service announced."""
    return max(0.25, interval / max(1.0, generosity(transport)))


def generosity(transport: Transport) -> float:
    """Return how many times the documented limit the service has announced; 1 where it has announced nothing."""
    for bucket in ("other", "create"):  # of the reads first; after a create and no read yet, of the creates
        if bucket in transport.limits:
            return transport.limits[bucket] / DOCUMENTED_LIMITS[bucket]
    return 1.0
