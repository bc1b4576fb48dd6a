"""A thread that tells a panel how its run gets on, while the kernel does other things."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from finetuning.sweep.run import SweepRun

__all__ = ["Pulse"]

#: Seconds between two beats at least; more where a beat itself takes long.
_BEAT: Final = 0.25
#: Of all time that beats may take.
_SHARE: Final = 0.2


class Pulse:
    """Beats about four times a second while a run goes on, and once after it.

    Parameters
    ----------
    run
        What is watched.
    beat
        A bound method: called on the pulse's thread with the run and whether it was the last beat. Its owner is held
        weakly; with it the pulse ends.
    """

    def __init__(self, run: SweepRun, beat: Callable[[SweepRun, bool], Any]) -> None:
        self._over = threading.Event()
        owner = weakref.WeakMethod(beat, lambda _: self._over.set())
        self._thread = threading.Thread(target=_go, args=(run, owner, self._over), name="finetuning-pulse", daemon=True)
        self._thread.start()

    @property
    def beating(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Beat no more."""
        self._over.set()


def _go(run: SweepRun, owner: weakref.WeakMethod[Callable[..., Any]], over: threading.Event) -> None:
    # A function of the module: the thread must not keep the pulse alive, nor the panel that holds it.
    while not over.is_set():
        started = time.perf_counter()
        last = not run.running
        beat = owner()
        if beat is None:
            return
        beat(run, last)
        del beat
        if last:
            return
        over.wait(max(_BEAT, (time.perf_counter() - started) / _SHARE))
