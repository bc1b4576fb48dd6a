"""Finding the generation of a request whose answer was lost."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from finetuning import errors
from finetuning.parameters import BPM_RANGE, DURATION_RANGE

from .intents import Intent

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.records import Generation

__all__ = ["find"]

#: How much earlier than the intent, by the service's clock, its generation may have been created. A seed that was
#: drawn is nobody else's, so clocks may differ; one that was given may have been used before. Listings give whole
#: seconds, cut off.
_DRAWN: Final = timedelta(hours=1)
_GIVEN: Final = timedelta(seconds=2)


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
        It is not conclusive: a candidate does not say its seed.
    """
    earliest = intent.at - (_DRAWN if intent.drawn else _GIVEN)
    async with aclosing(client.iter_generations()) as rows:
        async for row in rows:
            if row.created_at is not None and row.created_at < earliest:
                return None  # newest first: what follows is older still
            if row.id in known or row.prompt not in (None, intent.body["tags"]):
                continue
            whole = row if row.seed is not None and row.bpm is not None else await client.generation(row.id)
            if whole.seed is None:
                raise errors.FinetuningError(
                    f"{row.id} may be the generation whose answer was lost: it was made then, and has no seed to tell.",
                    hint=f"Look at it with `ft get {row.id}`; another --seed sends anew.",
                )
            if whole.seed == intent.seed and _alike(whole, intent):
                return whole
    return None


def _alike(row: Generation, intent: Intent) -> bool:
    """Whether a generation is of the intent's parameters, as far as both say them; the service clamps two of them."""
    body = intent.body
    wanted = {
        "bpm": _clamped(body.get("bpm"), BPM_RANGE),
        "requested_duration": _clamped(body.get("duration"), DURATION_RANGE),
        "key": body.get("key"),
        "scale": body.get("scale"),
        "time_signature": int(body["timesignature"]) if "timesignature" in body else None,
        "language": body.get("language"),
    }
    return all(value is None or getattr(row, name) in (None, value) for name, value in wanted.items())


def _clamped(value: int | None, within: tuple[int, int]) -> int | None:
    return None if value is None else min(max(value, within[0]), within[1])
