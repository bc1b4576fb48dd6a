"""What the verbs of the blocking client stand on: its loop, its progress bars, and the asynchronous client."""

from __future__ import annotations

import concurrent.futures
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

from finetuning.accessor import register
from finetuning.bulk import BulkOutcome
from finetuning.clock import Clock
from finetuning.errors import FinetuningError
from finetuning.keys import ApiKey, claim
from finetuning.loading import collector_held
from finetuning.redaction import redact
from finetuning.transport import Policy

from .aio import AsyncClient
from .loop import LoopThread
from .progress import Bar, Meter

__all__ = ["Session"]

T = TypeVar("T")
S = TypeVar("S", bound="Session")


class Session:
    """One asynchronous client on a loop of its own, for blocking code.

    Parameters
    ----------
    api_key, base_url, policy, clock
        As for `AsyncClient`.
    progress
        Whether long work shows a progress bar.
    studio
        The embedded service behind this client, kept for what only the web application does.

    Attributes
    ----------
    studio
        The `Studio` behind this client, or None for the hosted service: it makes playlists and publishes tracks,
        which the API never does.
    """

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        base_url: str | None = None,
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
        progress: bool = True,
        studio: Any = None,
    ) -> None:
        # Rebound at once: a verbose traceback shows the locals of each frame, and the two are easily swapped.
        api_key, problem = claim(api_key)
        base_url = redact(base_url) if isinstance(base_url, str) else base_url
        if problem:
            raise problem
        self._bar = Bar(enabled=progress)
        with collector_held():  # httpx and pandas load the rest of themselves here
            self._async = AsyncClient(api_key, base_url, policy=policy, clock=clock, on_wait=self._bar.waiting)
            register(self)
        self._loop = LoopThread()
        self.studio = studio
        self._finalizer = weakref.finalize(self, _close, self._loop, self._async)

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self._async.base_url

    @property
    def asynchronous(self) -> AsyncClient:
        """The client underneath, which lives on this client's own loop: hand coroutines of it to `submit`."""
        return self._async

    @property
    def progress(self) -> Bar:
        """What shows how far long work is; for the rooms above, which have long work of their own."""
        return self._bar

    @property
    def closed(self) -> bool:
        """Whether it was closed, or belongs to the process that this one was forked from."""
        return self._loop.closed

    def __repr__(self) -> str:
        if "_async" not in vars(self):  # refused while it was made, and shown in a traceback
            return f"<{type(self).__name__}, not made>"
        state = ", closed" if self.closed else ""
        return f"{type(self).__name__}({self.base_url!r}, {self._async.transport.api_key!r}{state})"

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the thread. What was paid for goes on at the service."""
        self._finalizer()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Hand a coroutine to the client's own loop and return at once."""
        return self._loop.submit(work)

    def call(self, work: Coroutine[Any, Any, T], meter: Meter | None = None) -> T:
        """Hand a coroutine to the client's own loop and wait for it.

        Parameters
        ----------
        work
            What to wait for.
        meter
            What to draw meanwhile; without one there is something to see only if a limit makes us wait.
        """
        if meter is not None:
            return self._loop.run(work, meter.draw)
        with self._bar.saying("finetuning") as silent:
            return self._loop.run(work, silent.draw)

    @contextmanager
    def _together(self, works: Iterable[Coroutine[Any, Any, T]]) -> Iterator[list[concurrent.futures.Future[T]]]:
        """Submit several; what is not done at the end, because of an error or an interrupt, is cancelled."""
        futures = [self.submit(work) for work in works]
        try:
            yield futures
        except concurrent.futures.CancelledError:
            raise FinetuningError("The client was closed before this was done.") from None
        finally:
            for future in futures:
                future.cancel()

    def _change(
        self, doing: str, ids: list[str], verb: Callable[[Meter], Coroutine[Any, Any, BulkOutcome]]
    ) -> BulkOutcome:
        """Run a bulk verb under a bar; an interrupt says how far it came."""
        with self._bar.counting(doing, len(ids), unit="track") as meter:
            try:
                return self.call(verb(meter), meter)
            except KeyboardInterrupt as stop:
                stop.add_note(
                    f"Interrupted while {doing} {len(ids):,} track(s), after about {meter.done:,}. Repeating the call "
                    "does no harm: what is done already is only reported as such."
                )
                raise


def _close(loop: LoopThread, client: AsyncClient) -> None:
    # A module-level function: the finalizer must not keep the client alive.
    loop.close(client.aclose())
