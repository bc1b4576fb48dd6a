"""What the service says of an account while a panel is open: credits that are left, and how long takes last took."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from finetuning.records import Account

from .estimate import History, Pace

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

__all__ = ["Purse"]

#: How many of the newest completed generations are looked at for the time that they took.
_RECENT: Final = 20


class Purse:
    """Credits and pace, asked for in the background.

    Parameters
    ----------
    client
        On whose loop the questions are asked.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._history = History()
        self._account: Account | None = None
        self._reserved = 0
        self._asked = 0

    @property
    def left(self) -> int | None:
        """Credits that are left for anything new; None while nobody knows."""
        with self._lock:
            left = self._account.limits.total_remaining if self._account is not None else None
            return None if left is None else max(left - self._reserved, 0)

    @property
    def pace(self) -> Pace:
        """How fast takes are made."""
        return Pace.known(self._client.asynchronous.transport.limits, self._account, self._history.median)

    def reserve(self, count: int) -> None:
        """Take in that so many credits will be spent; the next answer to `look` knows better."""
        with self._lock:
            self._reserved += count

    def look(self, told: Callable[[BaseException | None], Any], reserved: Callable[[], int] = lambda: 0) -> None:
        """Ask anew, and return at once.

        Parameters
        ----------
        told
            Called on another thread when the answer is there, with what went wrong if anything did.
        reserved
            Asked at that moment how many credits a run that goes on will still spend.

        Raises
        ------
        FinetuningError
            The client is closed.
        """
        with self._lock:
            self._asked += 1
            number = self._asked
        answer = self._client.submit(self._ask())

        def take(done: Future[tuple[Account, list[Any]]]) -> None:
            problem = None
            try:
                account, rows = done.result()
            except BaseException as error:  # noqa: BLE001 - a cancelled one among them; whoever asked shows it
                problem = error
            else:
                self._history.learn(rows)
                kept = reserved()
                with self._lock:
                    if number == self._asked:  # an older answer knows less
                        self._account, self._reserved = account, kept
            told(problem)

        answer.add_done_callback(take)

    async def _ask(self) -> tuple[Account, list[Any]]:
        client = self._client.asynchronous
        account = await client.me()
        return account, await client.generations(status="completed", limit=_RECENT)
