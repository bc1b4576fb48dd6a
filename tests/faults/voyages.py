"""A sweep run through the fault proxy, stopped where a plan says, and resumed until it is done."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import finetuning as ft
from finetuning import errors
from finetuning.clock import Clock

from .faults import Fault
from .proxy import Moment, Proxy

__all__ = ["Stop", "Voyage", "until"]

#: What a fault may raise, and another attempt may mend.
_PASSING: Final = (errors.TransportError, errors.ServiceError, errors.RateLimitError)


@dataclass(frozen=True)
class Stop:
    """A moment at which a run is stopped.

    Attributes
    ----------
    how : str
        `close`: the client is closed while the service is at it. `cancel`: the run is. `drop`: nobody holds run and
        client any more, and the run is loaded by a new client.
    after : int
        Requests that pass before the one that it is stopped at.
    moment : str
        Whether that request is stopped at before it is delivered, or after.
    """

    how: Literal["close", "cancel", "drop"]
    after: int
    moment: Moment


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; fail if it never is."""
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        pause.wait(0.001)


class Voyage:
    """One sweep from its beginning to its end.

    Parameters
    ----------
    proxy, api_key, clock
        What its clients get.
    sweep, name
        What is run.
    policy
        Of each client.
    """

    def __init__(
        self, proxy: Proxy, api_key: str, clock: Clock, sweep: ft.Sweep, name: str, policy: ft.Policy | None = None
    ) -> None:
        self._proxy = proxy
        self._clock = clock
        self._key = api_key
        self._sweep = sweep
        self._name = name
        self._policy = policy or ft.Policy(retries=1)

    def sail(self, faults: Sequence[Fault], stops: Sequence[Stop] = ()) -> ft.SweepRun:
        """Run it, and resume it as often as faults and stops may make necessary, until nothing is left to do."""
        self._proxy.plan(faults)
        with ThreadPoolExecutor(1) as pool:
            for stop in stops:
                if stop.how == "drop":
                    self._drop(stop, pool)
                else:
                    self._stop(stop, pool)
            # Each attempt that fails has used up a fault at least.
            for _ in range(len(faults) + 2):
                client = self._client()
                self._settle(pool.submit(self._go, client), client)
                run = self._loaded()
                if run is not None and run.done:
                    break
        assert run is not None, "it was never begun"
        return run

    def _stop(self, stop: Stop, pool: ThreadPoolExecutor) -> None:
        """Begin or resume with a new client, and stop it when the moment comes, if it does."""
        client = self._client()
        hold = self._proxy.hold(stop.after, stop.moment)
        going = pool.submit(self._go, client)
        until(lambda: going.done() or hold.reached.is_set())
        if not going.done():
            if stop.how == "close":
                client.close()  # the request stays at the proxy, which delivers it to the end
            hold.release()
            if stop.how == "cancel" and (run := self._loaded()) is not None:
                run.cancel()
        hold.release()
        self._settle(going, client)

    def _drop(self, stop: Stop, pool: ThreadPoolExecutor) -> None:
        """Let go of run and client while they are at it, and have another client ask for the run by its name."""
        hold = self._proxy.hold(stop.after, stop.moment)
        going = pool.submit(self._go, self._client(), wait=False)
        until(lambda: hold.reached.is_set() or (going.done() and not self._is_running()))
        gc.collect()
        hold.release()
        until(going.done)
        other = self._client()
        self._settle(pool.submit(self._go, other), other)

    def _settle(self, going: Future[None], client: ft.Client) -> None:
        """Wait for the end of an attempt, which a fault may have ended."""
        try:
            going.result(timeout=60)
        except _PASSING:
            pass
        except errors.FinetuningError:
            if not client.closed:
                raise
        client.close()
        self._proxy.settle()

    def _go(self, client: ft.Client, *, wait: bool = True) -> None:
        run = self._loaded(client)
        if run is None:
            client.run(self._sweep, name=self._name, wait=wait)
        else:
            run.resume(wait=wait)

    def _loaded(self, client: ft.Client | None = None) -> ft.SweepRun | None:
        try:
            return ft.SweepRun.load(self._name, client)
        except errors.ParameterError:
            return None  # it was not begun

    def _is_running(self) -> bool:
        run = self._loaded()
        return run is not None and run.running

    def _client(self) -> ft.Client:
        return ft.Client(self._key, self._proxy.url, clock=self._clock, policy=self._policy, progress=False)
