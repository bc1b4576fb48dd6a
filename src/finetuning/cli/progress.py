"""Progress on a terminal's stderr, and nothing elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from .session import Session

__all__ = ["Progress", "progress"]

#: Seconds between two drawings of a clock that ticks.
_TICK: Final = 0.2


class Progress:
    """A bar that may not be there.

    Parameters
    ----------
    bar
        tqdm's, or None.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def __call__(self, done: int, total: int | None) -> None:
        """Show how many are done and how many there are."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.n = done
            self._bar.refresh()

    def say(self, text: str) -> None:
        """Show a few words beside it."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    async def tick(self) -> None:
        """Keep the clock going until it is cancelled."""
        while self._bar is not None:
            self._bar.refresh()
            await asyncio.sleep(_TICK)


@contextmanager
def progress(session: Session, what: str, total: int | None = None, **options: Any) -> Iterator[Progress]:
    """Show progress while the block runs, on a terminal; what makes us wait is shown beside it.

    Parameters
    ----------
    session
        Whose stderr.
    what
        A few words.
    total
        How many there are.
    options
        For tqdm; without any there is a clock and no bar.
    """
    if not session.io.err_is_terminal:
        yield Progress(None)
        return
    from tqdm.std import tqdm

    # Its monitor is a thread that stays.
    drawn = type("Bar", (tqdm,), {"monitor_interval": 0})
    options = options or {"bar_format": "{desc} · {elapsed} {postfix}"}
    with drawn(desc=what, total=total, file=session.io.err, leave=False, **options) as bar:
        shown = Progress(bar)
        session.on_note = shown.say
        try:
            yield shown
        finally:
            session.on_note = None
