"""Waiting for one generation.

The schedule is that of the `ft` command, scaled to the rate limit that the service announces: a service that allows
a hundred times the reads (the studio, say) is asked sooner, but never more than four times a second.
"""

from __future__ import annotations

from collections.abc import Callable

from finetuning import errors, protocol
from finetuning.records import Generation
from finetuning.transport import Transport

__all__ = ["scaled", "wait_for"]

#: The command's schedule at the documented limit of 60 reads a minute: 3 s, growing by 1.3 to 15 s.
_FIRST = 3.0
_GROWTH = 1.3
_LONGEST = 15.0
_DOCUMENTED_LIMIT = 60


async def wait_for(
    transport: Transport,
    generation: Generation | str,
    *,
    timeout: float,  # noqa: ASYNC109 - how long the music may take
    progress: Callable[[Generation, float], None] | None = None,
) -> Generation:
    """Look at one generation until it is finished, at most `timeout` seconds.

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
    id_ = generation if isinstance(generation, str) else generation.id
    known = None if isinstance(generation, str) else generation
    while known is None or not known.finished:
        waited = clock.monotonic() - started
        if known is not None:
            if progress:
                progress(known, waited)
            if waited >= timeout:
                raise errors.StillProcessingError(
                    f"{id_} is still {known.status or 'processing'} after {waited:.0f} s.",
                    id=id_,
                    hint=f"It goes on and is paid for: client.wait({id_!r}) waits again.",
                )
            await clock.sleep(min(scaled(transport, interval), max(0.0, timeout - waited)))
            interval = min(interval * _GROWTH, _LONGEST)
        known = (await transport.send(protocol.get_generation(id_))).value
    if progress:
        progress(known, clock.monotonic() - started)
    if known.status == "failed":
        raise errors.GenerationError(
            f"{known.id} failed: {known.error_message or 'the service gave no reason'}.",
            generation=known,
            hint="Usually passing: the same request may succeed, and costs another credit.",
        )
    return known


def scaled(transport: Transport, interval: float) -> float:
    """Scale an interval in seconds, meant for the documented limit, to the limit that the service announced."""
    limit = transport.limits.get("other", _DOCUMENTED_LIMIT)
    return max(0.25, interval * min(1.0, _DOCUMENTED_LIMIT / max(limit, 1)))
