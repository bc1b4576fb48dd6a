"""Many tracks in batches, which can be stopped between any two of them without losing count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from finetuning.audio.downloads import MediaHost, fetch_file
from finetuning.bulk import BulkOutcome, chunks
from finetuning.client.listening import audio_url
from finetuning.errors import FinetuningError
from finetuning.records import Generation

__all__ = ["Stop", "fetch_all", "send_all"]

Progress = Callable[[int, int], None]
#: How many files are fetched at once.
_AT_ONCE = 4


class Stop:
    """A wish to stop, which may come from any thread."""

    def __init__(self) -> None:
        self._wished = False

    def __bool__(self) -> bool:
        return self._wished

    def wish(self) -> None:
        """Stop before the next batch."""
        self._wished = True


async def send_all(
    verb: str,
    ids: Sequence[str],
    send: Callable[[Sequence[str]], Awaitable[BulkOutcome]],
    *,
    stop: Stop,
    progress: Progress,
) -> BulkOutcome:
    """Send ids a request's worth at a time, and merge what came back.

    Parameters
    ----------
    verb
        For the outcome's summary: `Added`.
    ids
        Each once.
    send
        Sends at most 100 of them.
    stop
        Looked at before each batch; a request that is under way is always waited for, since what it did must be known.
    progress
        Told how many are done, of how many.

    Returns
    -------
    BulkOutcome
        With every id accounted for; those that were not sent because of `stop` are not attempted, and there is no
        error.

    Raises
    ------
    FinetuningError
        The first batch was declined as a whole, so that nothing was changed at all.
    """
    whole = BulkOutcome(verb, list(ids))
    done = 0
    for batch in chunks(ids):
        if stop:
            break
        try:
            part = await send(batch)
        except FinetuningError as error:
            if not done:
                raise
            whole.error = error
            break
        whole.succeeded += part.succeeded
        whole.refused |= part.refused
        whole.inferred += part.inferred
        whole.error = part.error
        done += len(batch) - len(part.not_attempted)
        progress(done, len(ids))
        if whole.error:
            break
    whole.not_attempted = list(ids[done:])
    return whole


async def fetch_all(
    host: MediaHost, records: Sequence[Generation], paths: Mapping[str, Path], *, stop: Stop, progress: Progress
) -> BulkOutcome:
    """Download tracks, a few at once, each to its path.

    Returns
    -------
    BulkOutcome
        With `verb` `Downloaded`; `refused` has what stopped each that failed.
    """
    waiting = list(reversed(records))
    fates: dict[str, str | None] = {}

    async def work() -> None:
        while waiting and not stop:
            record = waiting.pop()
            try:
                await fetch_file(host, audio_url(record), paths[record.id])
                fates[record.id] = None
            except FinetuningError as error:
                fates[record.id] = error.message
            progress(len(fates), len(records))

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    ids = [record.id for record in records]
    return BulkOutcome(
        "Downloaded",
        ids,
        succeeded=[id_ for id_ in ids if id_ in fates and fates[id_] is None],
        refused={id_: reason for id_ in ids if (reason := fates.get(id_))},
        not_attempted=[id_ for id_ in ids if id_ not in fates],
    )
