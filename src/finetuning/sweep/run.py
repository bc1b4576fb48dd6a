"""`SweepRun`: a sweep on its way, and after it; in this process or read back from its journal."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning import errors
from finetuning.client.session import Session
from finetuning.notices import warn
from finetuning.parameters import patience, truth
from finetuning.selections import Tracks

from .beginning import begin, check_account, check_credits, warn_of_credits
from .course import Course, Options
from .events import Bounded, Event, Extended, Finished, Lost
from .extending import extension
from .following import Told
from .ledger import Ledger, now
from .names import journal_path
from .points import Plan
from .runner import Runner
from .shelf import runs_frame, unknown
from .state import resuming
from .suggest import Suggesting, Suggestion

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client
    from finetuning.panels.deck.widget import Deck
    from finetuning.records import Account

__all__ = ["SweepRun"]

#: Runs of this process by the file of their journal, so that one that goes on can be had back by its name.
_running: weakref.WeakValueDictionary[Path, SweepRun] = weakref.WeakValueDictionary()


class SweepRun(Suggesting):
    """A run of a sweep, by its name. Made by `client.run(sweep)` and by `SweepRun.load`.

    Everything that it decided, sent and learnt is in its journal, a readable file in the folder `sweeps` of the
    user's data folder. The run goes on in the background; what is asked of it here is answered at once.
    """

    def __init__(self, ledger: Ledger, client: Client | None) -> None:
        super().__init__(ledger)
        self._client = client
        self._lock = threading.Lock()
        self._course: Course | None = None

    # Beginning

    @classmethod
    def start(
        cls,
        plan: Plan,
        client: Client,
        *,
        name: str | None = None,
        wait: bool = True,
        at_once: int | None = None,
        max_credits: int | None = None,
        receiver: Told | None = None,
    ) -> SweepRun:
        """Begin a run.

        Parameters
        ----------
        plan
            A sweep's.
        client
            On whose loop it runs.
        name
            Letters and digits count; by default made of the tags and the time.
        wait
            Whether to wait for all takes, with a progress bar. An interrupt leaves the run going on.
        at_once
            How many generations may be in flight; by default as many as the account's queue holds, 20 at most.
        max_credits
            The most that the run may spend; it then pauses, and `resume(max_credits=…)` goes on.
        receiver
            A `webhooks.Receiver` that is being served: the service calls it at each end, and the library is read
            once a minute only.

        Raises
        ------
        ParameterError
            A run of that name exists; a value that this service would refuse. Nothing was sent.
        NotEnoughCreditsError
            The sweep costs more than is left. Nothing was sent.
        """
        wait = truth("wait", wait)  # before anything is paid for
        options = Options(at_once, max_credits, receiver)
        options.check(client)
        ledger, account = begin(plan, client, name, options.max_credits)
        run = cls(ledger, client)
        with run._lock, ledger.handing_over():
            run._launch(client, account, options)
        return run.wait() if wait else run

    @classmethod
    def load(cls, name: str, client: Client | None = None) -> SweepRun:
        """Return the run of that name: the running one if it runs in this process, else from its journal.

        Parameters
        ----------
        name
            As it was given, or as `SweepRun.list` shows it.
        client
            Needed to resume and to play; reading the journal needs no service.

        Raises
        ------
        ParameterError
            There is none.
        JournalError
            The journal is damaged; the message names the line.
        """
        path = journal_path(name)
        live = _running.get(path)
        if live is not None and live.running:
            return live
        try:
            return cls(Ledger(path), client)
        except FileNotFoundError:
            raise unknown(name) from None

    @classmethod
    def list(cls) -> pd.DataFrame:
        """Return all runs, the newest first.

        Returns
        -------
        DataFrame
            `name`, `tags`, `points`, then how many of them are `completed`, `failed`, `refused`, `uncertain` and
            `left` (to send or to wait for); `done` (nothing left), `created_at`, `updated_at` (UTC). A journal
            that cannot be read is left out, with a warning.
        """
        return runs_frame()

    # Going on

    @property
    def running(self) -> bool:
        """Whether it goes on in this process."""
        return self._course is not None and self._course.running

    @property
    def doing(self) -> str:
        """What it is waiting for, with the seconds left; empty where nothing is in the way, or nothing goes on."""
        course = self._course
        return course.runner.doing if course is not None and course.running else ""

    def wait(self, timeout: float | None = None) -> SweepRun:
        """Wait until the run has ended, with a progress bar; returns the run.

        Parameters
        ----------
        timeout
            Seconds to wait at most; by default as long as it takes.

        Raises
        ------
        ParameterError
            `timeout` is not a number of seconds.
        StillProcessingError
            `timeout` passed; the run goes on.
        FinetuningError
            What made the run pause, where it is more than a limit: a key that is no longer valid, a disk that is
            full. The run can be resumed.

        Warns
        -----
        SweepWarning
            The run paused, or some points were not made; once.
        """
        seconds = patience(timeout)
        course = self._course
        if course is None:
            if not self.done:
                call = resuming(self._ledger.state)
                warn(errors.SweepWarning(f"The run {self.name!r} is not running here; run.{call} goes on with it."))
            return self
        try:
            course.watch(self.name, self._ledger.state, seconds)
        except KeyboardInterrupt:
            print(  # noqa: T201 - whoever interrupts must know that it goes on, and is paid for
                f"The run {self.name!r} goes on in the background. run = ft.SweepRun.load({self.name!r}, client), "
                "then: run.wait() waits again, run.cancel() sends no more, run.resume() goes on after that.",
                file=sys.stderr,
            )
            raise
        self.explain()
        return self

    def explain(self) -> None:
        """Tell what `wait` tells at the end, without waiting: once, and nothing while the run goes on.

        Raises
        ------
        FinetuningError
            What made the run pause, where it is more than a limit.

        Warns
        -----
        SweepWarning
            The run paused, or some points were not made.
        """
        if self._course is not None:
            self._course.explain(self.name, self._ledger.state)

    def cancel(self) -> SweepRun:
        """Send no more. What is paid for goes on at the service; `resume` collects it, and sends the rest."""
        if self._course is not None:
            self._course.cancel()
        return self

    def resume(
        self,
        client: Client | None = None,
        *,
        wait: bool = True,
        at_once: int | None = None,
        max_credits: int | None = None,
        receiver: Told | None = None,
    ) -> SweepRun:
        """Go on: find out what became of lost requests, collect what is in flight, send what was not sent.

        Parameters
        ----------
        client
            By default the one that it was loaded or begun with.
        wait, at_once, receiver
            As for `client.run`.
        max_credits
            The most that the run may spend in all, from its beginning; by default as before.

        Raises
        ------
        JournalHeldError
            Another process runs it.
        ParameterError
            There is no client, or it is another account's.
        """
        wait = truth("wait", wait)  # before anything is paid for
        options = Options(at_once, max_credits, receiver)
        with self._lock:
            bound = options.bounds()
            if not self._take_in(*bound):
                if not self.done or self._ledger.state.points("uncertain"):
                    self._go_on(self._need(client), options, bound)
                elif bound:
                    with self._ledger.writing():  # for what it may be extended by
                        self._ledger.record(*bound)
        return self.wait() if wait else self

    def extend(
        self,
        suggestion: Suggestion | None = None,
        *,
        where: str | Callable[[Any], Any] | None = None,
        wait: bool = True,
        client: Client | None = None,
        at_once: int | None = None,
        max_credits: int | None = None,
        receiver: Told | None = None,
        **axes: Any,
    ) -> SweepRun:
        """Add values to the axes, or new axes, and make the points that this adds; what there is is not made again.

        Parameters
        ----------
        suggestion
            Points that `suggest` proposed, instead of values for axes.
        where
            Keeps the new points for which it holds; see `Sweep`.
        wait, client, at_once, max_credits, receiver
            As for `resume`. A run that goes on takes the new points in, and keeps what it was begun with.
        **axes
            `bpm=[100, 110]` adds tempi; `seed=2` draws two more seeds; a parameter that all points share becomes an
            axis.

        Raises
        ------
        ParameterError
            A parameter that the run leaves to the service, or nothing new. Nothing was sent.
        NotEnoughCreditsError
            The new points cost more than is left. Nothing was sent.

        Examples
        --------
        >>> run.extend(bpm=[100], seed=1)  # doctest: +SKIP
        """
        wait = truth("wait", wait)  # before anything is paid for
        options = Options(at_once, max_credits, receiver)
        client = self._need(client)
        if suggestion is not None:
            _checked(suggestion).check(self, axes, where)
        with self._lock:
            self._ledger.refresh()
            before = self._ledger.state.began.plan
            plan = extension(before, axes, where) if suggestion is None else suggestion.plan(before)
            for point in range(len(before), len(plan)):
                plan.body(point, local=client.asynchronous.transport.local)
            added = Extended(at=now(), axes=plan.axes, points=plan.points[len(before) :])
            check_credits(len(added.points), client.me())
            events: list[Extended | Bounded] = [*options.bounds(), added]
            if not self._take_in(*events):
                self._go_on(client, options, events, before)
        return self.wait() if wait else self

    def details(self) -> SweepRun:
        """Ask for what a listing leaves out of finished takes: `generation_time`, `file_size`, `download_count`.

        One request each, at the pace of the rate limit, with progress. A studio is generous, and there a run asks by
        itself.
        """
        client = self._need(None)
        _, cells = self._ledger.snapshot()
        lacking = {
            cell.generation.id: (point, cell.generation)
            for point, cell in enumerate(cells)
            if cell.generation is not None and cell.generation.finished and cell.generation.generation_time is None
        }
        with client.progress.counting("details", len(lacking), unit="take") as meter:
            known = [row for _, row in lacking.values()]
            rows = client.call(client.asynchronous.detailed(known, progress=meter), meter)
        learnt = [row for row in rows if row.finished and row.generation_time is not None]
        if learnt:
            with self._ledger.writing():
                self._ledger.record(*(Finished(at=now(), point=lacking[row.id][0], generation=row) for row in learnt))
        return self

    # Playing

    def play(
        self,
        tracks: Tracks | None = None,
        *,
        rows: str | None = None,
        columns: str | None = None,
        page: str | None = None,
    ) -> Deck:
        """Show takes of this run in an audition deck, by default all, which appear as they are made.

        Parameters
        ----------
        tracks
            Any selection of takes that are made.
        rows, columns, page
            The parameters that span the deck; see `Deck`.
        """
        client = self._need(None)
        if tracks is None:
            return self.play_on(client, rows=rows, columns=columns, page=page)
        return client.play(tracks, rows=rows, columns=columns, page=page)

    def play_on(
        self, client: Client, *, rows: str | None = None, columns: str | None = None, page: str | None = None
    ) -> Deck:
        """Show all takes in a deck of this client; `run.play()` is the usual way."""
        from finetuning.panels.deck.widget import Deck

        return Deck(client, self, rows=rows, columns=columns, page=page)

    # Within

    def _go_on(self, client: Client, options: Options, events: Sequence[Event], plan: Plan | None = None) -> None:
        options.check(client)
        account = client.me()
        check_account(self._ledger.state.began, account, client.base_url)
        self._ledger.hold()
        with self._ledger.handing_over():
            state = self._ledger.state
            if plan is not None and plan is not state.began.plan:
                # What is new was found by comparing with less, and might be made twice.
                raise errors.JournalError(
                    f"The run {self.name!r} was extended elsewhere meanwhile.",
                    hint="Nothing was sent. Extend it again: what it has by now is not made twice.",
                )
            why = "The process ended before the answer came."
            news: list[Event] = [Lost(at=now(), point=point, reason=why) for point in state.points("sent")]
            news.extend(events)
            if news:
                self._ledger.record(*news)
            warn_of_credits(len(state.points("waiting")), account)
            self._launch(client, account, options)

    def _take_in(self, *events: Extended | Bounded) -> bool:
        return self._course is not None and self._course.take_in(*events)

    def _launch(self, client: Client, account: Account, options: Options) -> None:
        at_once = options.in_flight(account)
        runner = Runner(client.asynchronous, self._ledger, at_once=at_once, told=options.receiver)
        self._client, self._course = client, Course(client, runner, client.submit(self._go(runner)))
        _running[self.path] = self

    async def _go(self, runner: Runner) -> None:
        # A method, so that run and client live for as long as it goes on, whoever holds them or not.
        await runner.run()

    def _need(self, client: Client | None) -> Client:
        client = client or self._client
        if client is None:
            raise errors.ParameterError(
                f"The run {self.name!r} was loaded without a client.",
                parameter="client",
                hint=f"ft.SweepRun.load({self.name!r}, client), or pass it here.",
            )
        if not isinstance(client, Session):
            raise errors.ParameterError(
                f"A value of type {type(client).__name__} is not a client.",
                parameter="client",
                value=client,
                hint="Pass what ft.connect() returns.",
            )
        return client


def _checked(suggestion: object) -> Suggestion:
    if not isinstance(suggestion, Suggestion):
        raise errors.ParameterError(
            f"A value of type {type(suggestion).__name__} is not a suggestion.",
            parameter="suggestion",
            value=suggestion,
            hint="Values go by the name of their axis: run.extend(bpm=[100, 110]).",
        )
    return suggestion
