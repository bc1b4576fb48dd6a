"""The course of a run that goes on, or went on, in this process: its runner, on the loop of a client."""

from __future__ import annotations

import concurrent.futures
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from finetuning import errors
from finetuning.records import Account

from .beginning import check_count, check_receiver, in_flight
from .events import Bounded, Extended
from .ledger import now
from .runner import Runner
from .watching import tell, watch

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

    from .following import Told
    from .state import State

__all__ = ["Course", "Options"]

#: Seconds beyond the timeout of a request in which a runner that was told to stop is waited for.
_GRACE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is to go on, as its user says it.

    Attributes
    ----------
    at_once
        How many generations may be in flight; None for as many as the queue holds.
    max_credits
        The most that the run may spend in all; None for no other bound than before.
    receiver
        What the service calls at each end.

    Raises
    ------
    ParameterError
        A number that is not whole, or below 1.
    """

    at_once: int | None = None
    max_credits: int | None = None
    receiver: Told | None = None

    def __post_init__(self) -> None:
        for name in ("at_once", "max_credits"):
            object.__setattr__(self, name, check_count(name, getattr(self, name)))

    def check(self, client: Client) -> None:
        """Refuse a receiver that the service of this client cannot reach.

        Raises
        ------
        ParameterError, FinetuningError
            See `check_receiver`.
        """
        check_receiver(self.receiver, client)

    def bounds(self) -> list[Bounded]:
        """Return the bound as it is journaled, if there is a new one."""
        return [] if self.max_credits is None else [Bounded(at=now(), max_credits=self.max_credits)]

    def in_flight(self, account: Account) -> int:
        """Return how many generations may be in flight."""
        return in_flight(self.at_once, account)


@dataclass(slots=True)
class Course:
    """A runner, where it runs, and what comes of it.

    Attributes
    ----------
    client
        On whose loop it runs.
    runner, future
        The runner, and its end.
    """

    client: Client
    runner: Runner
    future: Future[None]
    _told: bool = field(default=False, init=False)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return not self.future.done()

    def watch(self, name: str, state: State, timeout: float) -> None:
        """Show how it gets on until it has ended; see `watching.watch`."""
        watch(name, state, self.runner, self.future, bar=self.client.progress, timeout=timeout)

    def explain(self, name: str, state: State) -> None:
        """Tell once how it ended; see `watching.tell`."""
        if self.running:
            return
        told, self._told = self._told, True
        if not told:
            tell(name, state, self.future, self.runner)

    def take_in(self, *events: Extended | Bounded) -> bool:
        """Give the runner what is new; False where it sends no more, has come to its end, and recorded nothing."""
        if not self.running:
            return False
        with suppress(errors.FinetuningError, CancelledError):  # it ended this moment
            if self.client.submit(self.runner.take_in(*events)).result():
                return True
        # What it still follows is followed by the one that goes on.
        self._halt()
        return False

    def cancel(self) -> None:
        """Stop the runner, and say no more of it than what is thereby known."""
        if not self.running:
            return
        self._told = True
        self._halt()
        if self.future.done():
            with suppress(CancelledError):
                self.future.result()

    def _halt(self) -> None:
        """Stop the runner and wait until it has ended."""
        with suppress(errors.FinetuningError):  # a closed client has ended the run
            self.client.submit(self.runner.stop())
        # A request that has left is worth waiting for: without its answer nobody knows what was paid.
        timeout = self.client.asynchronous.transport.policy.timeout + _GRACE
        concurrent.futures.wait([self.future], timeout=timeout)
