"""One thread that owns one event loop, so that blocking code can use the asynchronous client anywhere.

It works in scripts, in notebooks whose own loop is running, and under other loops; and what runs on it goes on
while a cell computes.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from finetuning.errors import FinetuningError

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """An event loop on a daemon thread of its own; the thread starts with the first coroutine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._closed = False

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Hand a coroutine to the loop and return at once.

        Raises
        ------
        FinetuningError
            The loop was closed, or belongs to the process that this one was forked from.
        """
        try:
            loop = self._running()
        except FinetuningError:
            work.close()
            raise
        return asyncio.run_coroutine_threadsafe(work, loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Hand a coroutine to the loop and wait for its result.

        An interrupt (Ctrl-C, the kernel's stop button) cancels the coroutine, lets it clean up, and is raised
        here as `KeyboardInterrupt`.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise FinetuningError(
                "A blocking call was made from the client's own loop, which would wait for itself.",
                hint="Use AsyncClient inside coroutines.",
            )
        future = self.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            concurrent.futures.wait([future], timeout=5)
            raise

    def close(self) -> None:
        """Cancel what is running, stop the loop and join its thread. May be called again."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or self._process != os.getpid():
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise FinetuningError("This client is closed.", hint="Make a new one with ft.connect().")
            if self._loop is not None:
                if self._process != os.getpid():
                    raise FinetuningError(
                        "This client belongs to the process that this one was forked from.",
                        hint="Make a new one here with ft.connect().",
                    )
                return self._loop
            ready = threading.Event()
            self._loop = asyncio.new_event_loop()
            self._process = os.getpid()
            self._thread = threading.Thread(
                target=_serve, args=(self._loop, ready), name="finetuning-loop", daemon=True
            )
            self._thread.start()
            ready.wait()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    loop.call_soon(ready.set)
    try:
        loop.run_forever()
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
