"""The asynchronous client: every verb, awaitable, with records."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from finetuning import settings
from finetuning.audio.cache import SoundCache
from finetuning.clock import Clock
from finetuning.keys import ApiKey, claim
from finetuning.redaction import redact
from finetuning.transport import Policy, Transport

from .curating import Curating
from .listening import Listening
from .making import Making

if TYPE_CHECKING:
    from finetuning.library.clients import AsyncSyncedLibrary

__all__ = ["AsyncClient"]


class AsyncClient(Curating, Listening, Making):
    """The service, awaitable, with records instead of frames.

    Parameters
    ----------
    api_key
        The key; by default the one that `settings.find_key` finds.
    base_url
        The service; by default the configured or the hosted one.
    policy
        Timeouts, retries, and how long to wait at a rate limit.
    clock
        Time; for tests.
    on_wait
        Called with a reason and seconds before each wait at a limit.

    Examples
    --------
    >>> async with ft.AsyncClient(api_key=key) as client:  # doctest: +SKIP
    ...     generation = await client.generate("lofi chill piano", bpm=85)
    """

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        base_url: str | None = None,
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
        on_wait: Callable[[str, float], None] | None = None,
    ) -> None:
        # Rebound at once: a verbose traceback shows the locals of each frame, and the two are easily swapped.
        api_key, problem = claim(api_key)
        base_url = redact(base_url) if isinstance(base_url, str) else base_url
        if problem:
            raise problem
        if base_url is None:
            base_url = settings.load().base_url
        self._sounds = SoundCache()
        self._transport = Transport(
            base_url, api_key or settings.find_key(), policy=policy, clock=clock, on_wait=on_wait
        )

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self._transport.base_url

    @property
    def transport(self) -> Transport:
        """What sends; for the rooms above that need more than the verbs."""
        return self._transport

    @property
    def library(self) -> AsyncSyncedLibrary:
        """What is kept of the account on this machine: `sync()` brings it up to date, the rest needs no connection."""
        from finetuning.library.clients import AsyncSyncedLibrary

        return AsyncSyncedLibrary(self)

    def __repr__(self) -> str:
        if "_transport" not in vars(self):  # refused while it was made, and shown in a traceback
            return "<AsyncClient, not made>"
        return f"AsyncClient({self.base_url!r}, {self._transport.api_key!r})"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
