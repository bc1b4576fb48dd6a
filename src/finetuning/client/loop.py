"""One thread that owns one event loop, so that blocking code can use the asynchronous client anywhere.

It works in scripts, in notebooks whose own loop is running, and under other loops; and what runs on it goes on
while a cell computes.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from finetuning.errors import FinetuningError

__all__ = ["LoopThread", "Work"]

T = TypeVar("T")

#: Seconds between two looks at what runs, for whoever shows how far it is.
_PULSE = 0.1
#: Seconds that something cancelled may take to clean up.
_CLEAN_UP = 5.0
#: Seconds that everything may take to clean up, before the thread is left to itself.
_WIND_UP = 10.0


class Work(concurrent.futures.Future[T], Generic[T]):
    """A coroutine on another thread's loop. Unlike asyncio's own bridge it is done only when its clean-up is, too."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        super().__init__()
        self._coroutine = coroutine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start on a loop; called on any thread."""
        self._loop = loop
        loop.call_soon_threadsafe(self._begin)

    def cancel(self) -> bool:
        """Ask the coroutine to stop; the future is cancelled when it has."""
        if self.done():
            return False
        if self._loop is None:
            self._stop()
            return True
        try:
            self._loop.call_soon_threadsafe(self._stop)
        except RuntimeError:  # the loop has ended, and with it everything on it
            return False
        return True

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._coroutine)
        self._task.add_done_callback(self._end)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        elif super().cancel():  # interrupted before it was handed over
            self.set_running_or_notify_cancel()
            self._coroutine.close()

    def _end(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
        elif error := task.exception():
            self.set_exception(error)
        else:
            self.set_result(task.result())


class LoopThread:
    """An event loop on a daemon thread of its own; the thread starts with the first coroutine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it takes no more work."""
        return self._closed or self._forked

    @property
    def _forked(self) -> bool:
        return self._process not in (0, os.getpid())

    def submit(self, work: Coroutine[Any, Any, T]) -> Work[T]:
        """Hand a coroutine to the loop and return at once.

        Raises
        ------
        FinetuningError
            The loop was closed, or belongs to the process that this one was forked from.
        """
        handed = Work(work)
        try:
            self._hand_over(handed)
        except BaseException:
            handed.cancel()
            raise
        return handed

    def run(self, work: Coroutine[Any, Any, T], pulse: Callable[[], None] | None = None) -> T:
        """Hand a coroutine to the loop and wait for its result.

        An interrupt (Ctrl-C, the kernel's stop button) cancels the coroutine, lets it clean up, and is raised
        here as `KeyboardInterrupt`.

        Parameters
        ----------
        work
            What to wait for.
        pulse
            Called now and then on this thread while it waits.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise FinetuningError(
                "A blocking call was made from the client's own loop, which would wait for itself.",
                hint="Use AsyncClient inside coroutines.",
            )
        future = Work(work)
        try:  # from here on, so that an interrupt cannot fall between handing over and waiting
            self._hand_over(future)
            while pulse and not concurrent.futures.wait([future], _PULSE).done:
                pulse()
            return future.result()
        except concurrent.futures.CancelledError:
            raise FinetuningError("The client was closed before this was done.") from None
        except BaseException:
            if future.cancel():
                concurrent.futures.wait([future], _CLEAN_UP)
            raise
        finally:
            del future  # it holds the error that holds this frame

    def close(self, last: Coroutine[Any, Any, Any] | None = None) -> None:
        """Cancel what is running, run `last`, stop the loop and join its thread. May be called again."""
        loop = thread = None
        if not self._forked:
            with self._lock:
                self._closed = True
                loop, thread = self._loop, self._thread
                self._loop = self._thread = None
                if loop is not None:
                    loop.call_soon_threadsafe(loop.create_task, _wind_up(last))
        if loop is None and last is not None:
            last.close()  # nothing was ever begun, or not in this process
        if thread is not None and thread is not threading.current_thread():
            thread.join(_WIND_UP)

    def _hand_over(self, work: Work[Any]) -> None:
        if self._forked:  # asked before the lock, which may have been held when the process was forked
            raise FinetuningError(
                "This client belongs to the process that this one was forked from.",
                hint="Make a new one here with ft.connect().",
            )
        # Under the lock, so that whatever is begun is begun before `close` winds up, which then sees it.
        with self._lock:
            work.begin(self._running())

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise FinetuningError("This client is closed.", hint="Make a new one with ft.connect().")
        if self._loop is None:
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_serve, args=(loop,), name="finetuning-loop", daemon=True)
            try:
                thread.start()
            except RuntimeError as problem:  # no more threads, or the interpreter is about to end
                loop.close()
                raise FinetuningError(f"The client's thread could not be started: {problem}.") from None
            self._loop, self._thread, self._process = loop, thread, os.getpid()
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        # A request that is cancelled while httpcore closes expired connections before it leaves some of them open, and
        # known to nobody but the loop. (Not every kind of loop keeps this list, and none in public.)
        for transport in list(getattr(loop, "_transports", {}).values()):
            transport.abort()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _wind_up(last: Coroutine[Any, Any, Any] | None) -> None:
    """Cancel everything, let it clean up, and end the loop."""
    this = asyncio.current_task()
    try:
        while others := asyncio.all_tasks() - {this}:
            # What was begun a moment ago takes its first step: a task that never did leaves a coroutine unawaited.
            await asyncio.sleep(0)
            for task in others:
                task.cancel()
            await asyncio.wait(others)
        if last is not None:
            await last
    finally:
        asyncio.get_running_loop().stop()
