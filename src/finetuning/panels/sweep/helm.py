"""What a sweep panel does: judges its inputs, and does what its buttons say on threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from finetuning import notices, settings
from finetuning.errors import ParameterError
from finetuning.sweep.plan import Sweep
from finetuning.sweep.points import Plan
from finetuning.sweep.run import SweepRun

from ..trouble import Trouble, shown
from .form import Inputs, inputs_of, read, same
from .purse import Purse
from .sheet import Sheet
from .showing import Showing
from .verdict import Verdict, judge

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

__all__ = ["Helm"]

_BUSY: Final = {
    "run": "Beginning the run…",
    "cancel": "Cancelling; a request that has left is waited for…",
    "resume": "Going on with the run…",
    "extend": "Extending the run…",
    "load": "Loading the run…",
}


class Helm:
    """Stands between what a person does in the sheet, and runs.

    Parameters
    ----------
    client
        On whose account sweeps run.
    sheet, place, trouble
        The parts of the panel: inputs and progress, the box of the deck, what went wrong.
    inputs
        What the inputs begin with.
    sweep
        What they were filled from; it may hold what they cannot.
    news
        Called when what a saved notebook would show has changed, on any thread.
    """

    def __init__(
        self,
        client: Client,
        sheet: Sheet,
        place: Any,
        trouble: Trouble,
        *,
        inputs: Inputs,
        sweep: Sweep | None,
        news: Callable[[], Any],
    ) -> None:
        self._client = client
        self._sheet = sheet
        self._trouble = trouble
        self._news = news
        self._lock = threading.RLock()
        self._given = None if sweep is None else (inputs.plain(), sweep)
        self._busy = self._answered = ""
        self._reading = read(inputs)
        self.purse = Purse(client)
        self.showing = Showing(client, sheet, place, trouble, lambda: self.purse.pace, self._ended)
        sheet.inputs = inputs.plain()
        sheet.observe(self._on_inputs, "inputs")
        sheet.on_msg(self._on_message)

    def begin(self, run: SweepRun | None) -> None:
        """Show what there is, and ask what nobody knows yet."""
        self.look()
        if run is not None:
            self._adopt(run)
        self._judge()
        self._in_background(self._list)

    # Inputs

    @property
    def wanted(self) -> Sweep | None:
        """The sweep as it was given while the inputs are as it filled them, else what they come to."""
        given = self._given
        if given is not None and same(given[0], self._sheet.inputs):
            return given[1]
        return self._reading.sweep

    @property
    def sweep(self) -> Sweep:
        """The same, or the error that says why there is none."""
        with self._lock:
            sweep, problems = self.wanted, self._reading.problems
        if sweep is None:
            raise next(iter(problems.values()))
        return sweep

    def _on_inputs(self, change: Any) -> None:
        with shown(self._trouble):
            self._take(change["new"])
            self._judge()

    def _take(self, inputs: dict[str, Any]) -> None:
        reading = read(Inputs.of(inputs))
        with self._lock:
            self._reading = reading

    def _plan(self) -> Plan | None:
        sweep = self.wanted
        if sweep is None:
            return None
        configured = settings.load()
        return sweep.plan.with_defaults(bpm=configured.default_bpm, duration=configured.default_duration)

    def _judge(self) -> Verdict:
        """Judge the inputs, and show it."""
        with self._lock:
            verdict = judge(
                self._reading,
                self._plan(),
                self.showing.standing,
                left=self.purse.left,
                pace=self.purse.pace,
                busy=self._busy,
            )
            if not self.showing.closed:
                self._sheet.verdict = verdict.shown | {"answered": self._answered}
            return verdict

    # Buttons

    def do(self, kind: str) -> SweepRun:
        """Do what a button says, on this thread; the run that came of it.

        Raises
        ------
        ParameterError
            It cannot be pressed now; the message says why.
        FinetuningError
            What the run raised.
        """
        verdict = self._judge()
        reason = self._busy or (verdict.may.get(kind) if kind != "run" else None)
        if reason:
            raise ParameterError(reason, parameter=kind)
        if kind == "run":
            self.sweep  # noqa: B018 - raises what is wrong with the inputs
        try:
            self._work(kind, verdict, {})()
        finally:
            self._judge()
        run = self.showing.run
        if run is None:  # pragma: no cover - the verdict has refused it
            raise ParameterError("There is no run.", parameter=kind)
        return run

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return  # a page of another version
        kind = content.get("type")
        if kind == "runs":
            self._in_background(self._list)
        elif kind in _BUSY:
            with shown(self._trouble):
                self._press(kind, content)

    def _press(self, kind: str, content: dict[str, Any]) -> None:
        """Do what a button says, if it may be done; what takes time is done on a thread of its own."""
        self._trouble.clear()
        work = None
        try:
            if isinstance(content.get("inputs"), dict):
                self._take(content["inputs"])
                self._sheet.inputs = content["inputs"]
            verdict = self._judge()
            reason = verdict.may.get(kind, self._busy or None)
            if reason is not None:
                self._trouble.say(reason)
                return
            work = self._work(kind, verdict, content)
            self._busy = _BUSY[kind]
        finally:
            # Whatever came of it, the page is told that this press was heard.
            self._answered = str(content.get("press", ""))
            self._judge()
        self._in_background(self._alone(work))

    def _work(self, kind: str, verdict: Verdict, content: dict[str, Any]) -> Callable[[], None]:
        """Prepare what a button does, from the inputs as they are now."""
        run, sweep, at_most = self.showing.run, self.wanted, self._reading.max_credits
        if kind == "load":
            return lambda: self._load(str(content.get("name", "")))
        if kind == "run" and sweep is not None:
            name = str(self._sheet.inputs.get("name", "")).strip() or None
            return lambda: self._start(sweep, name, at_most)
        if run is None:  # pragma: no cover - the verdict has refused it
            raise ParameterError("There is no run.", parameter="run")
        if kind == "cancel":
            return lambda: self._go_on(run.cancel(), 0)
        if kind == "extend" and verdict.growth is not None:
            count = verdict.growth.count
            more: dict[str, Any] = {"where": verdict.growth.where, **verdict.growth.axes}
            return lambda: self._go_on(run.extend(wait=False, max_credits=at_most, **more), count)
        waiting = run.states.count("waiting")
        return lambda: self._go_on(run.resume(self._client, wait=False, max_credits=at_most), waiting)

    def _alone(self, work: Callable[[], None]) -> Callable[[], None]:
        def do() -> None:
            try:
                work()
            finally:
                self._busy = ""

        return do

    def _in_background(self, work: Callable[[], None]) -> None:
        def do() -> None:
            with notices.gathered() as warnings, shown(self._trouble):
                work()
            for warning in warnings:
                self._trouble.show(warning)
            with shown(self._trouble):
                self._judge()

        threading.Thread(target=do, name="finetuning-panel", daemon=True).start()

    # Runs

    def _start(self, sweep: Sweep, name: str | None, at_most: int | None) -> None:
        run = self._client.run(sweep, name, wait=False, max_credits=at_most)
        if name is not None:  # it is taken now, and the next run needs another
            self._sheet.inputs = {**self._sheet.inputs, "name": ""}
        self.purse.reserve(min(len(sweep), at_most or len(sweep)))
        self._adopt(run)

    def _load(self, name: str) -> None:
        run = SweepRun.load(name, self._client)
        inputs = inputs_of(run.plan).plain()
        self._take(inputs)
        self._given = None
        self._sheet.inputs = inputs
        self._adopt(run)

    def _adopt(self, run: SweepRun) -> None:
        self.showing.adopt(run)
        self._news()

    def _go_on(self, run: SweepRun, credits_due: int) -> None:
        self.purse.reserve(credits_due)
        self.showing.go_on(run)
        self._news()

    def _ended(self, run: SweepRun) -> None:
        with notices.gathered() as warnings, shown(self._trouble):
            run.explain()
        for warning in warnings:
            self._trouble.show(warning)
        # Each by itself: nothing can be asked of a client that is closed, and the run has ended all the same.
        for tell in (self.look, self._list, self._news, self._judge):
            with shown(self._trouble):
                tell()

    def look(self) -> None:
        """Ask what is left to spend; the answer is shown when it is there."""

        def told(problem: BaseException | None) -> None:
            with shown(self._trouble):
                if problem is not None and not self.showing.closed:
                    self._trouble.show(problem)
                self._judge()

        self.purse.look(told, lambda: self.showing.waiting)

    def _list(self) -> None:
        frame = SweepRun.list()
        rows = zip(frame["name"], frame["points"], frame["completed"], frame["left"], strict=True)
        runs = [
            {"name": name, "label": f"{name}: {done:,} of {points:,} completed" + (f", {left:,} left" if left else "")}
            for name, points, done, left in rows
        ]
        if not self.showing.closed:
            self._sheet.runs = runs
