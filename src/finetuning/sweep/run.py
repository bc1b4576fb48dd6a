"""`SweepRun`: a sweep on its way, and after it; in this process or read back from its journal."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from finetuning import errors
from finetuning.notices import warn
from finetuning.selections import Tracks

from .beginning import begin, check_account, check_at_once, warn_of_credits
from .events import Lost
from .judging import noted, rated
from .ledger import Ledger, now
from .looking import Looking
from .names import journal_path
from .points import Plan
from .runner import Runner
from .shelf import runs_frame, unknown
from .watching import tell, watch

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.audio.player import Player
    from finetuning.client.blocking import Client

__all__ = ["SweepRun"]

#: Runs of this process by the file of their journal, so that one that goes on can be had back by its name.
_running: weakref.WeakValueDictionary[Path, SweepRun] = weakref.WeakValueDictionary()


class SweepRun(Looking):
    """A run of a sweep, by its name. Made by `client.run(sweep)` and by `SweepRun.load`.

    Everything that it decided, sent and learnt is in its journal, a readable file in the folder `sweeps` of the
    user's data folder. The run goes on in the background; what is asked of it here is answered at once.
    """

    def __init__(self, ledger: Ledger, client: Client | None) -> None:
        super().__init__(ledger)
        self._client = client
        self._lock = threading.Lock()
        self._runner: Runner | None = None
        self._future: Future[None] | None = None
        self._told = True

    # Beginning

    @classmethod
    def start(
        cls, plan: Plan, client: Client, *, name: str | None = None, wait: bool = True, at_once: int = 8
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
            How many generations may be in flight.

        Raises
        ------
        ParameterError
            A run of that name exists; a value that this service would refuse. Nothing was sent.
        NotEnoughCreditsError
            The sweep costs more than is left. Nothing was sent.
        """
        at_once = check_at_once(at_once)
        run = cls(begin(plan, client, name), client)
        with run._lock, run._ledger.handing_over():
            run._launch(client, at_once)
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
        return self._future is not None and not self._future.done()

    @property
    def doing(self) -> str:
        """What it is waiting for, with the seconds left; empty where nothing is in the way, or nothing goes on."""
        runner = self._runner
        return runner.doing if runner is not None and self.running else ""

    def wait(self, timeout: float | None = None) -> SweepRun:
        """Wait until the run has ended, with a progress bar; returns the run.

        Parameters
        ----------
        timeout
            Seconds to wait at most; by default as long as it takes.

        Raises
        ------
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
        future, runner, client = self._future, self._runner, self._client
        if future is None or runner is None or client is None:
            if not self.done:
                warn(errors.SweepWarning(f"The run {self.name!r} is not running here; run.resume() goes on with it."))
            return self
        try:
            watch(self.name, self._ledger.state, runner, future, bar=client.progress, timeout=timeout)
        except KeyboardInterrupt:
            print(  # noqa: T201 - whoever interrupts must know that it goes on, and is paid for
                f"The run {self.name!r} goes on in the background. run = ft.SweepRun.load({self.name!r}, client), "
                "then: run.wait() waits again, run.cancel() sends no more, run.resume() goes on after that.",
                file=sys.stderr,
            )
            raise
        told, self._told = self._told, True
        if not told:
            tell(self.name, self._ledger.state.counts, future, runner)
        return self

    def cancel(self) -> SweepRun:
        """Send no more. What is paid for goes on at the service; `resume` collects it, and sends the rest."""
        future, runner, client = self._future, self._runner, self._client
        if future is not None and runner is not None and client is not None and not future.done():
            self._told = True
            with suppress(errors.FinetuningError):  # a closed client has ended the run
                client.submit(runner.stop())
            # A request that has left is worth waiting for: without its answer nobody knows what was paid.
            with suppress(CancelledError):
                future.result(timeout=client.asynchronous.transport.policy.timeout + 5)
        return self

    def resume(self, client: Client | None = None, *, wait: bool = True, at_once: int = 8) -> SweepRun:
        """Go on: collect what is in flight, send what was not sent. Uncertain points are left as they are.

        Parameters
        ----------
        client
            By default the one that it was loaded or begun with.
        wait, at_once
            As for `client.run`.

        Raises
        ------
        JournalHeldError
            Another process runs it.
        ParameterError
            There is no client, or it is another account's.
        """
        at_once = check_at_once(at_once)
        with self._lock:
            if not self.running and not self.done:
                self._go_on(self._need(client), at_once)
        return self.wait() if wait else self

    # Judging

    def rate(self, tracks: Tracks | int | Iterable[int], rating: int | None) -> SweepRun:
        """Rate takes of this run, 1 to 5; None takes a rating back.

        Parameters
        ----------
        tracks
            Any selection of takes (rows of `frame`, ids), or numbers of points.

        Raises
        ------
        ParameterError, SelectionError
            No such rating; a take that is not of this run.
        """
        with self._ledger.writing():
            self._ledger.record(*rated(self._ledger.state.cells, tracks, rating))
        return self

    def note(self, tracks: Tracks | int | Iterable[int], note: str | None) -> SweepRun:
        """Write a note beside takes of this run; None takes it back. `tracks` as for `rate`."""
        with self._ledger.writing():
            self._ledger.record(*noted(self._ledger.state.cells, tracks, note))
        return self

    def play(self, tracks: Tracks | None = None) -> Player:
        """Show an inline player for takes of this run, by default all that are completed.

        Raises
        ------
        SelectionError
            None is completed yet.
        """
        if tracks is None:
            frame = self.frame
            tracks = frame[frame["state"] == "completed"]
            if tracks.empty:
                raise errors.SelectionError(
                    f"No take of {self.name!r} is completed: {self.summary}.", hint="run.wait() waits for them."
                )
        return self._need(None).play(tracks)

    # Within

    def _go_on(self, client: Client, at_once: int) -> None:
        account = client.me()
        check_account(self._ledger.state.began, account, client.base_url)
        self._ledger.hold()
        with self._ledger.handing_over():
            state = self._ledger.state
            why = "The process ended before the answer came."
            lost = [Lost(at=now(), point=point, reason=why) for point in state.points("sent")]
            if lost:
                self._ledger.record(*lost)
            warn_of_credits(len(state.points("waiting")), account)
            self._launch(client, at_once)

    def _launch(self, client: Client, at_once: int) -> None:
        runner = Runner(client.asynchronous, self._ledger, at_once=at_once)
        self._future = client.submit(self._go(runner))
        self._client, self._runner, self._told = client, runner, False
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
        return client
