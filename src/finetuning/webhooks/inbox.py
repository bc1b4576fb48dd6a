"""What was told, and who waits for it. Nothing here acts: it remembers, and passes on."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from finetuning.errors import StillProcessingError
from finetuning.frames import generations_frame
from finetuning.records import Generation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Inbox", "Listener"]

log = logging.getLogger("finetuning.webhooks")
log.addHandler(logging.NullHandler())

Listener = Callable[[Generation], object]

#: Deliveries that are remembered, and the bytes that they may have come in: whoever learns the token may post at will.
_MOST: Final = 10_000
_MOST_BYTES: Final = 32 * 1024 * 1024
#: Seconds between two wakings of who waits, since not every system lets Ctrl-C end a wait without end.
_NAP: Final = 1.0
_SHOWN: Final = 5


@dataclass(slots=True, eq=False)
class _Told:
    generation: Generation
    at: datetime
    size: int


@dataclass(slots=True, eq=False)
class _Waiter:
    missing: dict[str, None]
    given_up: bool = False


class Inbox:
    """The newest deliveries, by id. Any thread may use it.

    Parameters
    ----------
    hide
        Takes secrets out of what is logged of a listener's error.
    most, most_bytes
        Deliveries kept, and the sum of the bytes of their bodies; the oldest go first.
    """

    def __init__(self, hide: Callable[[str], str], *, most: int = _MOST, most_bytes: int = _MOST_BYTES) -> None:
        self._hide = hide
        self._most = most
        self._most_bytes = most_bytes
        self._news = threading.Condition()
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._bytes = 0
        self._repeats = 0
        self._listeners: dict[object, Listener] = {}
        self._waiters: list[_Waiter] = []

    def __len__(self) -> int:
        with self._news:
            return len(self._told)

    @property
    def repeats(self) -> int:
        """Deliveries of an id that had been told of already."""
        with self._news:
            return self._repeats

    def take(self, generation: Generation, size: int) -> bool:
        """Remember a delivery, tell the listeners and then who waits, unless its id was told of before.

        Parameters
        ----------
        generation
            What was said.
        size
            Bytes that it came in.

        Returns
        -------
        bool
            Whether it was news.
        """
        with self._news:
            if generation.id in self._told:
                self._repeats += 1
                return False
            self._told[generation.id] = _Told(generation, datetime.now(UTC), size)
            self._bytes += size
            while len(self._told) > self._most or self._bytes > self._most_bytes:
                _, oldest = self._told.popitem(last=False)
                self._bytes -= oldest.size
            listeners = list(self._listeners.values())
        try:
            for listener in listeners:  # outside the lock, since a listener may well ask what was received
                self._tell(listener, generation)
        finally:
            with self._news:
                # Kept apart from what is remembered: a flood must not make anybody miss what is waited for.
                for waiter in self._waiters:
                    waiter.missing.pop(generation.id, None)
                self._news.notify_all()
        return True

    def _tell(self, listener: Listener, generation: Generation) -> None:
        try:
            listener(generation)
        except Exception:  # noqa: BLE001 - somebody else's code, whose errors are not the service's
            what = f"a listener failed at the delivery of {generation.id!r}:\n{traceback.format_exc()}"
            log.error("%s", self._hide(what))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every new delivery, until what is returned is called."""
        ticket = object()  # the same callable may be subscribed twice
        with self._news:
            self._listeners[ticket] = listener

        def unsubscribe() -> None:
            with self._news:
                self._listeners.pop(ticket, None)

        return unsubscribe

    def frame(self) -> pd.DataFrame:
        """Return what is remembered, oldest first, with the column `received_at`."""
        import pandas as pd

        with self._news:
            told = list(self._told.values())
        frame = generations_frame(each.generation for each in told)
        frame["received_at"] = pd.Series([each.at for each in told], dtype="datetime64[ns, UTC]")
        return frame

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Return the ids that were not told of, or were forgotten since."""
        with self._news:
            return [id_ for id_ in ids if id_ not in self._told]

    def wait(self, ids: Sequence[str], timeout: float | None) -> None:
        """Block until every id was told of.

        Raises
        ------
        StillProcessingError
            `timeout` seconds passed, or `give_up` was called.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._news:
            waiter = _Waiter({id_: None for id_ in ids if id_ not in self._told})
            self._waiters.append(waiter)
            try:
                while waiter.missing and not waiter.given_up:
                    left = _NAP if deadline is None else min(_NAP, deadline - time.monotonic())
                    if left <= 0:
                        break
                    self._news.wait(left)
            finally:
                self._waiters.remove(waiter)
        if waiter.missing:
            when = "before the receiver was closed" if waiter.given_up else f"within {timeout:g} s"
            raise _unheard_of(list(waiter.missing), len(ids), when)

    def give_up(self) -> None:
        """Wake all who wait; nothing more will come."""
        with self._news:
            for waiter in self._waiters:
                waiter.given_up = True
            self._news.notify_all()


def _unheard_of(missing: list[str], total: int, when: str) -> StillProcessingError:
    shown = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
    return StillProcessingError(
        f"{len(missing)} of {total} takes were not told of {when}: {shown}.",
        id=missing[0],
        missing=missing,
        hint="A webhook is sent once and may get lost: client.generations() shows where they stand.",
    )
