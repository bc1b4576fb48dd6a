"""Progress bars for long work, and nothing for short work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from finetuning.records import Generation

__all__ = ["Bar", "Meter"]

log = logging.getLogger("finetuning")


class Meter:
    """How far one piece of work is: told on any thread, drawn on the one that waits for it.

    Drawing where the work runs would let a display that fails, or a warning that is an error, stop what is paid for.

    Parameters
    ----------
    drawn
        Whether anything is shown.
    what
        A few words before the bar.
    total
        How many there are; None where nobody knows, or nothing is counted.
    options
        For tqdm.
    """

    def __init__(self, drawn: bool, what: str, total: int | None = None, **options: Any) -> None:
        self.what = what
        self._drawn = drawn
        self._options = options
        self._done, self._total = 0, total
        self._note = self._beside = ""
        self._wait: tuple[str, float] | None = None
        self._told = False
        self._shown: Any = None
        self._owner = threading.get_ident()

    def __call__(self, done: int, total: int | None) -> None:
        """Tell how many are done and how many there are."""
        if done != self._done:
            self._wait = None
        self._done, self._total, self._told = done, total, True
        self._draw_here()

    def looked(self, generation: Generation, waited: float, timeout: float) -> None:
        """Tell what is known of a generation that is waited for."""
        self._told = not generation.finished
        self._wait = None
        self._beside = f": {generation.status}, at most {timeout - waited:.0f} s more"

    def waiting(self, reason: str, seconds: float) -> None:
        """Tell that a limit makes us wait from now on; each drawing shows what is left of it."""
        self._wait = (reason, time.monotonic() + seconds)
        self._told = True

    @property
    def done(self) -> int:
        """How many are done, as far as was told."""
        return self._done

    def note(self, text: str) -> None:
        """Show a few words beside the bar."""
        self._note = text
        self._draw_here()

    def draw(self) -> None:
        """Show what was told; called on the thread that owns this."""
        finished = self._total is not None and self._done >= self._total
        if not self._drawn or not self._told or (self._shown is None and finished):
            return
        try:
            if self._shown is None:
                self._shown = _bar_class()(desc=self.what, total=self._total, leave=False, **self._options)
            self._shown.total = self._total
            self._shown.set_description_str(self.what + self._beside, refresh=False)
            self._shown.set_postfix_str(self._countdown() or self._note, refresh=False)
            self._shown.n = self._done
            self._shown.refresh()
        except Exception as problem:  # noqa: BLE001 - a display that fails must not stop what it shows
            log.debug("no progress bar: %s: %s", type(problem).__name__, problem)
            self._drawn = False

    def close(self) -> None:
        """Take the bar away."""
        self._drawn = False
        if self._shown is not None:
            self._shown.close()

    def _countdown(self) -> str:
        wait = self._wait  # told on another thread
        if wait is None:
            return ""
        reason, until = wait
        left = until - time.monotonic()
        return f"{reason}: waiting {left:.0f} s" if left > 0 else ""

    def _draw_here(self) -> None:
        if threading.get_ident() == self._owner:
            self.draw()


class Bar:
    """The meters of one client; several may be open at once, on several threads.

    Parameters
    ----------
    enabled
        Whether anything is shown.
    """

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self._open: list[Meter] = []

    @contextmanager
    def counting(self, what: str, total: int | None, *, unit: str) -> Iterator[Meter]:
        """Count towards `total`; yields a function of how many are done and how many there are."""
        with self._opened(Meter(self.enabled, what, total, unit=unit)) as meter:
            yield meter

    @contextmanager
    def saying(self, what: str) -> Iterator[Meter]:
        """Show words and the time that has passed, where nothing is counted."""
        with self._opened(Meter(self.enabled, what, bar_format="{desc} · {elapsed} {postfix}")) as meter:
            yield meter

    def waiting(self, reason: str, seconds: float) -> None:
        """Say that a limit makes us wait."""
        for meter in list(self._open):
            meter.waiting(reason, seconds)

    def note(self, text: str) -> None:
        """Show a few words beside the bar."""
        for meter in list(self._open):
            meter.note(text)

    @contextmanager
    def _opened(self, meter: Meter) -> Iterator[Meter]:
        self._open.append(meter)
        try:
            yield meter
        finally:
            self._open.remove(meter)
            meter.close()


def _bar_class() -> Any:
    from tqdm.auto import tqdm

    # Its monitor is a thread that stays; meters are drawn regularly and have no use for it.
    return type("Bar", (tqdm,), {"monitor_interval": 0})
