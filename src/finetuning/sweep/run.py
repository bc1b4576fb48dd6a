"""`SweepRun`: a sweep on its way, and after it; in this process or read back from its journal."""

from __future__ import annotations

import concurrent.futures
import html
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Final

from finetuning import errors, settings
from finetuning.notices import warn
from finetuning.parameters import whole
from finetuning.selections import Tracks

from .checks import check_account, check_at_once, check_credits, warn_of_credits
from .endings import tell
from .events import VERSION, Began, Lost, Noted, Rated
from .ledger import Ledger, begun, exists, now
from .names import default_name, journal_path
from .picking import points_of
from .points import Plan, points_frame
from .runner import Runner
from .shelf import runs_frame, unknown
from .state import FINAL, brief
from .table import run_frame

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.audio.player import Player
    from finetuning.client.blocking import Client

__all__ = ["SweepRun"]

#: Seconds between two glances at a run that is waited for; its own steps do not wait for them.
_GLANCE: Final = 0.1
#: Runs of this process by the file of their journal, so that one that goes on can be had back by its name.
_running: weakref.WeakValueDictionary[Path, SweepRun] = weakref.WeakValueDictionary()


class SweepRun:
    """A run of a sweep, by its name. Made by `client.run(sweep)` and by `SweepRun.load`.

    Everything that it decided, sent and learnt is in its journal, a readable file in the folder `sweeps` of the
    user's data folder. The run goes on in the background; what is asked of it here is answered at once.
    """

    def __init__(self, ledger: Ledger, client: Client | None) -> None:
        self._ledger = ledger
        self._client = client
        self._lock = threading.Lock()
        self._runner: Runner | None = None
        self._future: Future[None] | None = None
        self._told = True
        self._drawn: tuple[int, pd.DataFrame] | None = None

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
        path = journal_path(name if name is not None else default_name(plan.title, now()))
        if begun(path):
            raise exists(path)
        configured = settings.load()
        plan = plan.with_defaults(bpm=configured.default_bpm, duration=configured.default_duration)
        local = client.asynchronous.transport.local
        for point in range(len(plan)):
            plan.body(point, local=local)
        account = client.me()
        check_credits(len(plan), account)
        began = Began(
            at=now(), version=VERSION, name=path.stem, base_url=client.base_url, account=account.id, plan=plan
        )
        run = cls(Ledger.create(path, began), client)
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

    # Looking

    @property
    def name(self) -> str:
        """The name to load it by."""
        return self._ledger.name

    @property
    def path(self) -> Path:
        """The journal."""
        return self._ledger.path

    @property
    def points(self) -> pd.DataFrame:
        """What was to be made, one row a point; see `Sweep.points`."""
        plan = self._ledger.state.began.plan
        return points_frame([plan.values(point) for point in range(len(plan))])

    @property
    def frame(self) -> pd.DataFrame:
        """The run as a DataFrame, as it stands: one row a point; see `table.run_frame` for the columns."""
        self._ledger.refresh()
        version, cells = self._ledger.snapshot()
        drawn = self._drawn
        if drawn is None or drawn[0] != version:
            drawn = self._drawn = version, run_frame(self._ledger.state.began.plan, cells)
        return drawn[1].copy(deep=False)  # pandas copies what is written to

    @property
    def running(self) -> bool:
        """Whether it goes on in this process."""
        return self._future is not None and not self._future.done()

    @property
    def done(self) -> bool:
        """Whether nothing is left to send, or to wait for."""
        self._ledger.refresh()
        return self._ledger.state.done

    @property
    def stopped(self) -> str | None:
        """Why it paused before its end, where it did."""
        if self.running:
            return None
        reason = self._ledger.state.stopped
        return None if self._ledger.state.done else reason

    @property
    def summary(self) -> str:
        """One line: `9 of 12 points finished: 8 completed, 1 failed, 3 in flight`."""
        self._ledger.refresh()
        state = self._ledger.state
        counts = state.counts
        finished = sum(count for name, count in counts.items() if name in FINAL)
        line = f"{finished:,} of {len(state.cells):,} point{'' if len(state.cells) == 1 else 's'} finished"
        runner = self._runner
        doing = runner.doing if runner is not None and self.running else ""
        why = doing or (f"paused: {self.stopped}" if self.stopped else "")
        return f"{line}: {brief(counts)}" + (f"; {why}" if why else "")

    def __repr__(self) -> str:
        return f"SweepRun({self.name!r}: {self.summary})"

    def _repr_html_(self) -> str:
        hint = "" if self.done or self.running else "<br><code>run.resume()</code> goes on with it"
        return f"<div><b>{html.escape(self.name)}</b>: {html.escape(self.summary)}{hint}</div>"

    # Going on

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
            self._watch(client, future, timeout)
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
            # A closed client has ended the run already.
            try:
                client.submit(runner.stop())
            except errors.FinetuningError:
                future.cancel()
            # A request that has left is worth waiting for: without its answer nobody knows what was paid.
            concurrent.futures.wait([future], timeout=client.asynchronous.transport.policy.timeout + 5)
            if future.done() and not future.cancelled():
                future.result()
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
        if not self.running and not self.done:
            client = self._need(client)
            account = client.me()
            check_account(self._ledger.state.began, account, client.base_url)
            self._ledger.hold()
            try:
                state = self._ledger.state
                for point in state.points("sent"):
                    reason = "The process ended before the answer came."
                    self._ledger.record(Lost(at=now(), point=point, reason=reason))
                warn_of_credits(len(state.points("waiting")), account)
                self._launch(client, at_once)
            except BaseException:
                self._ledger.release()
                raise
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
        if rating is not None:
            rating = whole("rating", rating)
            if not 1 <= rating <= 5:
                raise errors.ParameterError(
                    f"rating={rating} is not 1 to 5.", parameter="rating", value=rating, hint="None takes one back."
                )
        with self._ledger.writing():
            points = points_of(self._ledger.state.cells, tracks)
            self._ledger.record(*(Rated(at=now(), point=point, rating=rating) for point in points))
        return self

    def note(self, tracks: Tracks | int | Iterable[int], note: str | None) -> SweepRun:
        """Write a note beside takes of this run; None takes it back. `tracks` as for `rate`."""
        if note is not None and not isinstance(note, str):
            raise errors.ParameterError(f"note is a {type(note).__name__}, not text.", parameter="note", value=note)
        with self._ledger.writing():
            points = points_of(self._ledger.state.cells, tracks)
            self._ledger.record(*(Noted(at=now(), point=point, note=note or None) for point in points))
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

    def _launch(self, client: Client, at_once: int) -> None:
        with self._lock:
            self._client = client
            runner = Runner(client.asynchronous, self._ledger, at_once=at_once)
            self._runner, self._told = runner, False
            self._future = client.submit(self._go(runner))
            _running[self.path] = self

    async def _go(self, runner: Runner) -> None:
        # A method, so that run and client live for as long as it goes on, whoever holds them or not.
        await runner.run()

    def _watch(self, client: Client, future: Future[None], timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        state = self._ledger.state
        total, shown = len(state.cells), ""
        with client.progress.counting(self.name, total, unit="take") as report:
            while not future.done():
                counts = state.counts
                report(sum(count for kind, count in counts.items() if kind in FINAL), total)
                text = self._beside(counts)
                if text != shown:
                    shown = text
                    client.progress.note(text)
                if deadline is not None and time.monotonic() >= deadline:
                    raise errors.StillProcessingError(
                        f"The run {self.name!r} is not done after {timeout:g} s: {brief(counts)}.",
                        id=self.name,
                        hint="It goes on in the background: run.wait() waits again.",
                    )
                concurrent.futures.wait([future], timeout=_GLANCE)

    def _beside(self, counts: dict[str, int]) -> str:
        """Say what the bar does not show."""
        kinds = ("generating", "sent", "failed", "refused", "uncertain")
        text = brief({kind: counts[kind] for kind in kinds if kind in counts})
        doing = self._runner.doing if self._runner else ""
        return "; ".join(filter(None, (text, doing)))

    def _need(self, client: Client | None) -> Client:
        client = client or self._client
        if client is None:
            raise errors.ParameterError(
                f"The run {self.name!r} was loaded without a client.",
                parameter="client",
                hint=f"ft.SweepRun.load({self.name!r}, client), or pass it here.",
            )
        return client
