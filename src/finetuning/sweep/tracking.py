"""Where generations in flight stand, by listing: one request shows up to 99 of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Final

from finetuning import errors
from finetuning.client.aio import AsyncClient
from finetuning.client.polling import scaled
from finetuning.records import Generation

__all__ = ["interval", "look"]

#: Seconds between two looks at the documented limit of 60 reads a minute: a third of what is allowed.
_INTERVAL: Final = 3.0


def interval(client: AsyncClient) -> float:
    """Return the seconds between two looks, scaled to the announced limit, never below a quarter of a second."""
    return scaled(client.transport, _INTERVAL)


async def look(client: AsyncClient, flying: Mapping[str, Generation]) -> dict[str, Generation | None]:
    """Look at generations in flight.

    Parameters
    ----------
    client
        On its own loop.
    flying
        By id, as they are known.

    Returns
    -------
    dict
        For each id the record as it is now, or None where the service has no such generation (any more).

    Raises
    ------
    APIError, TransportError
        The listing could not be read, or one that it does not show could not be asked for.
    """
    found: dict[str, Generation | None] = {}
    if len(flying) > 1:
        oldest = min((each.created_at for each in flying.values() if each.created_at), default=None)
        async with aclosing(client.iter_generations()) as rows:
            async for row in rows:
                if row.id in flying:
                    found[row.id] = row
                    if len(found) == len(flying):
                        break
                elif oldest is None or (row.created_at is not None and row.created_at < oldest):
                    break  # newest first: what was not among these is not in the listing
    for id_ in flying.keys() - found.keys():
        found[id_] = await _one(client, id_)
    return {id_: await _whole(client, row) for id_, row in found.items()}


async def _one(client: AsyncClient, id_: str) -> Generation | None:
    try:
        return await client.generation(id_)
    except errors.NotFoundError:
        return None


async def _whole(client: AsyncClient, row: Generation | None) -> Generation | None:
    """Fetch what the listing leaves out of a finished generation: how long it took, how large it is, why it failed."""
    if row is None or not row.finished or row.generation_time is not None:
        return row
    try:
        whole = await _one(client, row.id)
    except (errors.APIError, errors.TransportError):
        return row  # that it is finished is the news; the rest is not worth missing it
    return whole if whole is not None and whole.finished else row
