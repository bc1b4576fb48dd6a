"""Finding the generation of a request whose answer was lost.

A seed that was drawn is nobody else's, so its generation is known by it, whatever the clocks say. One that was given
may have been used before: there the newest generation is noted before the request, and what was there then is not
the answer. Both moments are the service's, so this machine's clock does not matter.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from finetuning import errors, protocol
from finetuning.identity import Match, compare

from .intents import Intent, Newest

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.records import Generation

__all__ = ["find", "newest"]

#: How far this machine's clock may be ahead of the service's where a seed was drawn: more than a time zone that is set
#: wrongly makes. It only bounds what is read of the library.
_DRAWN: Final = timedelta(hours=36)
#: Likewise where a seed was given and nobody noted what was the newest. Listings give whole seconds, cut off.
_GIVEN: Final = timedelta(seconds=2)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


async def newest(client: AsyncClient) -> Newest | None:
    """Note what is the newest in the library; None where the listing does not say when that was made.

    Raises
    ------
    APIError, TransportError
        The listing could not be read.
    """
    rows = (await client.send(protocol.list_generations())).value.generations
    if not rows:
        return Newest(at=None, ids=[])
    at = rows[0].created_at
    return None if at is None else Newest(at=at, ids=[row.id for row in rows if row.created_at == at])


async def find(client: AsyncClient, intent: Intent, known: set[str]) -> Generation | None:
    """Look in the listing for the generation that an intent was for.

    Parameters
    ----------
    client
        On its own loop.
    intent
        What was sent.
    known
        Ids that are the answer to another intent.

    Returns
    -------
    Generation or None
        None where the listing, read back to before the intent, holds none.

    Raises
    ------
    APIError, TransportError
        The listing could not be read.
    FinetuningError
        It is not conclusive: a candidate does not say its seed, or its tags as they were sent.
    """
    earliest, before = _from(intent)
    async with aclosing(client.iter_generations()) as rows:
        async for row in rows:
            if row.created_at is not None and row.created_at < earliest:
                return None  # newest first: what follows is older still
            if row.id in known or row.id in before or compare(intent.body, row) is Match.NO:
                continue
            echoed = None not in (row.seed, row.bpm, row.prompt)
            whole = row if echoed else await client.generation(row.id)
            match compare(intent.body, whole):
                case Match.YES:
                    return whole
                case Match.UNKNOWN:
                    what = "has no seed to tell" if whole.seed is None else "does not say its tags as they were sent"
                    raise errors.FinetuningError(
                        f"{row.id} may be the generation whose answer was lost: it was made then, and {what}.",
                        hint=f"Look at it with `ft get {row.id}`; another --seed sends anew.",
                    )
    return None


def _from(intent: Intent) -> tuple[datetime, set[str]]:
    """Return the earliest moment at which its generation may have been made, and ids that are older all the same."""
    if intent.newest is not None:
        return intent.newest.at or _BEGINNING, set(intent.newest.ids)
    return intent.at - (_DRAWN if intent.drawn else _GIVEN), set()
