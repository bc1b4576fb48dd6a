"""A run's journal and its state, kept as one: what is recorded is on the disk first, and known to all threads then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from finetuning.errors import JournalError, ParameterError
from finetuning.records import Generation

from .events import Accepted, Began, Event, Finished
from .journal import Journal
from .locks import FileLock
from .state import Cell, State, brief, resuming

__all__ = ["Ledger", "begun", "exists", "now"]


def now() -> datetime:
    """Return the time of this machine, in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Ledger:
    """The journal, its lock and the state that follows from it; safe to use from any thread.

    A ledger that does not hold the lock follows what another process writes: `refresh` reads what is new.

    Parameters
    ----------
    path
        Of the journal, which must exist.

    Raises
    ------
    FileNotFoundError
        There is no journal.
    JournalError
        It is damaged, or of a newer version.
    """

    def __init__(self, path: Path) -> None:
        journal = Journal(path)
        events = journal.read()
        if not events:
            raise JournalError(
                f"{path} is empty: the run was never begun, and nothing was sent.",
                hint="Begin it again under the same name.",
            )
        if not isinstance(events[0], Began):
            raise JournalError(f"{path}, line 1: it does not say how the run began.", hint="Restore that line.")
        if not events[0].plan.sound:
            raise JournalError(f"{path}, line 1: a point lacks its tags or its seed.", hint="Restore that line.")
        self._adopt(path, journal, State(events[0]))
        self._apply(events[1:], line=2)

    def _adopt(self, path: Path, journal: Journal, state: State) -> None:
        self.path = path
        self._journal = journal
        self._lock = FileLock(path.with_suffix(".lock"))
        self._mutex = threading.RLock()
        self._line = 1
        self.state = state
        #: Grows with each event.
        self.version = 0

    @classmethod
    def create(cls, path: Path, began: Began) -> Ledger:
        """Begin a journal, and hold it.

        Raises
        ------
        ParameterError
            A run of that name exists.
        JournalHeldError, JournalError
            Another process is writing it; it cannot be written.
        """
        ledger = cls.__new__(cls)
        ledger._adopt(path, Journal(path), State(began))
        ledger._lock.acquire()
        try:
            if begun(path):
                raise exists(path)
            ledger._journal.append(began)
        except BaseException:
            ledger._lock.release()
            raise
        return ledger

    @property
    def name(self) -> str:
        """The name of the run, as its file has it."""
        return self.path.stem

    @property
    def held(self) -> bool:
        """Whether this ledger holds the lock, and so may record."""
        return self._lock.held

    def hold(self) -> None:
        """Take the lock, and what others wrote before.

        Raises
        ------
        JournalHeldError
            Another run, or another process, has it.
        """
        with self._mutex:
            if self._lock.held:
                return
            self._lock.acquire()
            try:
                self._read()
            except BaseException:
                self._lock.release()
                raise

    def release(self) -> None:
        """Give the lock back."""
        with self._mutex:
            self._lock.release()

    @contextmanager
    def handing_over(self) -> Iterator[None]:
        """Give the lock back where what should take it over fails to begin."""
        try:
            yield
        except BaseException:
            self.release()
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock for a moment, where it is not held already."""
        with self._mutex:
            before = self._lock.held
            self.hold()
            try:
                yield
            finally:
                if not before:
                    self._lock.release()

    def record(self, *events: Event) -> None:
        """Write events to the disk, then take them in.

        Raises
        ------
        JournalError
            The lock is not held, or the disk takes nothing more; nothing is taken in then.
        """
        with self._mutex:
            if not self._lock.held:
                raise JournalError(f"The run {self.name!r} is not held, so nothing is recorded.")
            events = tuple(map(self._discreet, events))
            self._journal.append(*events)
            self._apply(list(events), line=self._line + 1)

    def observe(self, point: int, generation: Generation) -> None:
        """Take in how a generation in flight is getting on, which is worth showing but not a line on the disk."""
        with self._mutex:
            self.state.cells[point].generation = self._unhooked(generation)
            self.version += 1

    def refresh(self) -> None:
        """Read what another process has written since."""
        with self._mutex:
            if not self._lock.held:
                self._read()

    def snapshot(self) -> tuple[int, list[Cell]]:
        """Return the version, and a copy of each point's cell."""
        with self._mutex:
            return self.version, [replace(cell) for cell in self.state.cells]

    def _discreet(self, event: Event) -> Event:
        if isinstance(event, (Accepted, Finished)):
            return msgspec.structs.replace(event, generation=self._unhooked(event.generation))
        return event

    def _unhooked(self, generation: Generation) -> Generation:
        """Leave out a webhook that the sweep does not name: it is a receiver's, with a secret in it."""
        if generation.webhook is None or "webhook" in self.state.began.plan.fixed:
            return generation
        return msgspec.structs.replace(generation, webhook=None)

    def _read(self) -> None:
        try:
            self._apply(self._journal.read(), line=self._line + 1)
        except FileNotFoundError:
            raise JournalError(f"{self.path} is gone.", hint="Restore it; without it the run cannot go on.") from None

    def _apply(self, events: list[Event], line: int) -> None:
        for number, event in enumerate(events, line):
            try:
                self.state.apply(event)
            except ValueError as problem:
                raise JournalError(
                    f"{self.path}, line {number}: {problem}.", hint="Mend or remove that line."
                ) from None
            self._line = number
            self.version += 1


def begun(path: Path) -> bool:
    """Whether there is a journal: a first line that a crash cut short is none, since nothing was sent after it."""
    try:
        return bool(Journal(path).read())
    except FileNotFoundError:
        return False
    except JournalError:
        return True


def exists(path: Path) -> ParameterError:
    """Refuse a name that is taken."""
    try:
        state = Ledger(path).state
    except JournalError as problem:
        return ParameterError(
            f"A run named {path.stem!r} exists, and cannot be read: {problem.message}",
            parameter="name",
            value=path.stem,
            hint="Choose another name.",
        )
    return ParameterError(
        f"A run named {path.stem!r} exists: {len(state.cells)} points, {brief(state.counts)}.",
        parameter="name",
        value=path.stem,
        hint=f"ft.SweepRun.load({path.stem!r}, client).{resuming(state)} goes on with it; or choose another name.",
    )
