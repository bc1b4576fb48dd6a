"""Sending what costs a credit, once: the intent first, then the request, then what came of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from finetuning import errors, protocol
from finetuning.settings import data_dir
from finetuning.sweep.verdicts import Verdict, judge

from .intents import Intent, Intents
from .lookup import find, newest
from .session import Session

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.records import Generation

__all__ = ["Paying"]

#: 31 bits survive every reader of JSON, and are easy to write down.
_SEEDS: Final = 2**31
_AGAIN: Final = "The same command looks for it before it pays again."


class Paying:
    """Submits one generation.

    Parameters
    ----------
    client
        On its own loop.
    session
        For notes, and for what to say about an interrupt.
    """

    def __init__(self, client: AsyncClient, session: Session) -> None:
        self._client = client
        self._session = session
        self._intents = Intents(data_dir())
        self._where = client.base_url, str(client.transport.api_key)

    async def submit(self, body: Mapping[str, Any]) -> tuple[Generation, bytes]:
        """Return the generation of this body, and the service's answer: a new one, or one whose answer was lost.

        Raises
        ------
        JournalError
            The intent cannot be recorded; nothing was sent.
        APIError, TransportError
            The service declined; or the answer was lost, and the library does not show it.
        """
        try:
            return await self._submit(body)
        finally:
            self._intents.release()

    async def _submit(self, body: Mapping[str, Any]) -> tuple[Generation, bytes]:
        lost = self._intents.lost(*self._where, body)
        drawn = "seed" not in body
        seed = body.get("seed")
        if lost is not None:
            found = await self._look(lost)
            if found is not None:
                return found
            self._intents.settle(lost, None)
            seed = lost.seed
            self._session.note(
                f"an earlier request with these parameters was not accepted, as the library shows: sending it again "
                f"with the same seed, {seed}"
            )
        if seed is None:
            seed = random.randrange(_SEEDS)
        return await self._send({**body, "seed": seed}, drawn=drawn)

    async def _send(self, body: dict[str, Any], *, drawn: bool) -> tuple[Generation, bytes]:
        # A seed that is given may have been used before: what is there already is not the answer.
        end = None if drawn else await newest(self._client)
        intent = self._intents.begin(*self._where, body, drawn=drawn, newest=end)
        self._session.if_interrupted = f"Interrupted. It may have been accepted and paid for. {_AGAIN}"
        try:
            answer = await self._client.send(protocol.create_generation(body))
        except errors.FinetuningError as problem:
            if judge(problem) is not Verdict.UNCERTAIN:
                self._intents.settle(intent, None)
                raise
            self._session.note(f"the answer was lost ({problem.message.rstrip('.')}); looking for the generation")
            found = await self._after(intent, problem)
            if found is None:
                raise
            return found
        self._intents.settle(intent, answer.value.id)
        self._say_clamped(body, answer.value)
        return answer.value, answer.content

    async def _after(self, intent: Intent, problem: errors.FinetuningError) -> tuple[Generation, bytes] | None:
        """Look at once for what was sent a moment ago; None where the library does not show it."""
        problem.hint = f"It may have been accepted and paid for. {_AGAIN}"
        try:
            return await self._look(intent)
        except (errors.APIError, errors.TransportError):
            return None  # the service is not to be reached; the intent stays, for the next time

    async def _look(self, intent: Intent) -> tuple[Generation, bytes] | None:
        found = await find(self._client, intent, self._intents.known())
        if found is None:
            return None
        answer = await self._client.send(protocol.get_generation(found.id))
        self._intents.settle(intent, found.id)
        self._session.note(f"found the paid generation {found.id}, not paying again")
        return answer.value, answer.content

    def _say_clamped(self, body: Mapping[str, Any], created: Generation) -> None:
        for name in ("duration", "bpm"):
            asked, got = body.get(name), getattr(created.parameters, name, None)
            if asked is not None and got is not None and float(asked) != float(got):
                self._session.note(f"{name} clamped from {asked} → {got:g}")
