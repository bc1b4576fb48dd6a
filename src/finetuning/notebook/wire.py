"""How a command that runs in a notebook reaches the service: by the notebook's client, on that client's loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from finetuning.cli.session import Session
from finetuning.client.aio import AsyncClient
from finetuning.client.blocking import Client
from finetuning.client.loop import LoopThread
from finetuning.connection import connect
from finetuning.keys import ApiKey

__all__ = ["Wire"]

T = TypeVar("T")


class Wire:
    """What one line needs; closed with it.

    Parameters
    ----------
    current
        Returns the notebook's client, connecting where there is none.

    Attributes
    ----------
    client : Client or None
        The client that was asked for.
    own : bool
        Whether it was made for this line, of its flags.
    session : Session or None
        Of the command, which knows what `--config` says.
    """

    def __init__(self, current: Callable[[], Client]) -> None:
        self._current = current
        self._loop = LoopThread()
        self.client: Client | None = None
        self.own = False
        self.session: Session | None = None

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        if self.own and self.client is not None:
            self.client.close()
        self._loop.close()

    def reach(self, *, api_key: ApiKey | None = None, base_url: str | None = None) -> AsyncClient:
        """Return the client that the flags mean; without flags it is the notebook's."""
        if self.client is None:
            if base_url is None and self.session is not None and self.session.flags.config is not None:
                base_url = self.session.base_url
            self.own = api_key is not None or base_url is not None
            self.client = connect(base_url or "hosted", api_key=api_key) if self.own else self._current()
        return self.client.asynchronous

    def execute(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine: the notebook's own loop is running already, and waits for the cell."""
        return self.client.call(work) if self.client is not None else self._loop.run(work)
