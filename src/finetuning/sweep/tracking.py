"""Where generations in flight stand, by listing: one request shows up to 99 of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing

from finetuning import errors
from finetuning.client.aio import AsyncClient
from finetuning.records import Generation

from .finding import SKEW

__all__ = ["look", "whole"]


async def look(client: AsyncClient, flying: Mapping[str, Generation], *, details: bool) -> dict[str, Generation | None]:
    """Look at generations in flight.

    Parameters
    ----------
    client
        On its own loop.
    flying
        By id, as they are known.
    details
        Whether what the listing leaves out of a finished one is worth a request each: how long it took, how large it
        is. Why one has failed always is.

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
        oldest = min((each.created_at - SKEW for each in flying.values() if each.created_at), default=None)
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
    return {id_: await whole(client, row) if _lacks(row, details) else row for id_, row in found.items()}


async def _one(client: AsyncClient, id_: str) -> Generation | None:
    try:
        return await client.generation(id_)
    except errors.NotFoundError:
        return None


def _lacks(row: Generation | None, details: bool) -> bool:
    if row is None or not row.finished:
        return False
    return row.generation_time is None and (details or (row.status == "failed" and not row.error_message))


async def whole(client: AsyncClient, row: Generation | None) -> Generation | None:
    """Fetch what the listing leaves out of a finished generation; what was known, where that fails."""
    if row is None:
        return None
    try:
        found = await _one(client, row.id)
    except (errors.APIError, errors.TransportError):
        return row  # that it is finished is the news; the rest is not worth missing it
    return found if found is not None and found.finished else row
