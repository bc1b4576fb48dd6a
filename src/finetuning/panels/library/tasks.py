"""Work of a panel in the background: begun at once, ended with a callback, and never without a word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from finetuning.client.session import Session

from ..trouble import Trouble, shown

__all__ = ["Tasks"]

T = TypeVar("T")


class Tasks:
    """What runs on a client's loop for a panel.

    Parameters
    ----------
    client
        Whose loop it is.
    trouble
        Where errors are shown, those of the callbacks too.
    """

    def __init__(self, client: Session, trouble: Trouble) -> None:
        self._client = client
        self._trouble = trouble
        self._open = 0
        self._changed = threading.Condition()

    def begin(
        self,
        work: Coroutine[Any, Any, T],
        then: Callable[[T], None],
        *,
        otherwise: Callable[[], None] = lambda: None,
    ) -> Future[T]:
        """Hand work to the loop and return at once.

        Parameters
        ----------
        work
            What to do.
        then
            Called with its result, on the loop's thread.
        otherwise
            Called instead where it failed or was cancelled; its error is shown then.

        Raises
        ------
        FinetuningError
            The client is closed.
        """
        with self._changed:
            self._open += 1
        try:
            future = self._client.submit(work)
        except BaseException:
            self._end()
            raise

        def ended(done: Future[T]) -> None:
            try:
                with shown(self._trouble):
                    if done.cancelled():
                        otherwise()
                    elif error := done.exception():
                        self._trouble.show(error)
                        otherwise()
                    else:
                        then(done.result())
            finally:
                self._end()

        future.add_done_callback(ended)
        return future

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; False where it still is after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)

    def _end(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()
