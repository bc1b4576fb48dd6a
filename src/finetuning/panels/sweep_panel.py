"""`SweepPanel`: plan, pay for, run and hear a sweep without a second line of code."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from finetuning import notices, settings
from finetuning.client.blocking import Client
from finetuning.errors import FinetuningError, MissingExtraError, ParameterError
from finetuning.sweep.names import journal_path
from finetuning.sweep.plan import Sweep, seeds_axis
from finetuning.sweep.points import Plan
from finetuning.sweep.run import SweepRun

from .board import board, letters
from .estimate import rest_line
from .form import Inputs, inputs_of, read, same
from .pulse import Pulse
from .purse import Purse
from .sheet import Sheet
from .summary import page, text
from .trouble import Trouble, shown
from .verdict import Standing, Verdict, judge

try:
    import ipywidgets
except ImportError as error:  # pragma: no cover - the sheet has said so by now
    raise MissingExtraError("The sweep panel", "lab") from error

if TYPE_CHECKING:
    import pandas as pd

    from .deck import Deck

__all__ = ["SweepPanel"]

_BUSY: Final = {
    "run": "Beginning the run…",
    "cancel": "Cancelling; a request that has left is waited for…",
    "resume": "Going on with the run…",
    "extend": "Extending the run…",
    "load": "Loading the run…",
}


class SweepPanel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Plan a sweep, see what it costs and how long it takes, run it, and hear its takes as they arrive.

    The run goes on in the background, and the panel shows it while other cells compute. What is pressed while a cell
    runs reaches the kernel when that cell has ended.

    Parameters
    ----------
    client
        On whose account it runs.
    sweep
        What the inputs begin with.
    name
        Of the run. Where there is a run of that name already, the panel shows it.

    Attributes
    ----------
    sheet
        Inputs, buttons and progress.
    trouble
        What went wrong, shown under them.

    Raises
    ------
    ParameterError
        These are no client and no sweep; no such name.
    JournalError
        The run of that name cannot be read.
    MissingExtraError
        ipywidgets or anywidget is not installed.

    Examples
    --------
    >>> panel = ft.SweepPanel(client)  # doctest: +SKIP
    >>> panel.results  # doctest: +SKIP
    """

    # Of the class, since a panel that is refused what it was given is closed all the same, when it is collected.
    sheet: Sheet = None  # type: ignore[assignment]
    trouble: Trouble = None  # type: ignore[assignment]
    _place: Any = None
    _pulse: Pulse | None = None
    _deck: Deck | None = None

    def __init__(self, client: Client, sweep: Sweep | None = None, *, name: str | None = None) -> None:
        _check(client, sweep)
        self._lock = threading.RLock()
        self._client = client
        self._purse = Purse(client)
        self._run: SweepRun | None = None
        self._given: tuple[dict[str, Any], Sweep] | None = None
        self._busy = self._answered = ""
        self._closed = False
        self._outputs: list[Any] = []
        run = SweepRun.load(name, client) if name is not None and journal_path(name).exists() else None
        inputs = self._beginning(sweep, run, "" if name is None or run is not None else name)
        if sweep is not None:
            self._given = inputs.plain(), sweep
        self.sheet = Sheet()
        self.trouble = Trouble()
        self._place = ipywidgets.VBox([], layout=ipywidgets.Layout(margin="8px 0 0 0"))
        super().__init__([self.sheet, self.trouble, self._place], layout=ipywidgets.Layout(max_width="100%"))
        self.sheet.inputs = inputs.plain()
        self._reading = read(inputs)
        self.sheet.observe(self._on_inputs, "inputs")
        self.sheet.on_msg(self._on_message)
        self._look()
        if run is not None:
            self._adopt(run)
        self._judge()
        self._in_background(self._list)

    # What is asked for, and what came of it

    @property
    def run(self) -> SweepRun | None:
        """The run that is shown; None before there is one."""
        return self._run

    @property
    def sweep(self) -> Sweep:
        """What the inputs ask for now.

        Raises
        ------
        ParameterError
            They cannot be read; the message says why.
        """
        with self._lock:
            sweep, problems = self._wanted(), self._reading.problems
        if sweep is None:
            raise next(iter(problems.values()))
        return sweep

    @property
    def deck(self) -> Deck:
        """Where its takes are heard; they appear as they are made."""
        from .deck import Deck

        with self._lock:
            if self._deck is None:
                self._deck = Deck(self._client, self._run)
            return self._deck

    @property
    def results(self) -> pd.DataFrame:
        """The run as a DataFrame, one row a point; empty, with the same columns, before there is one."""
        run = self._run
        return run.frame if run is not None else _nothing(self._wanted())

    @property
    def selected(self) -> pd.DataFrame:
        """The takes that are selected in the deck; feeds `add_tracks` and the like."""
        return self.deck.selected

    @property
    def ratings(self) -> pd.DataFrame:
        """What was judged in the deck; see `Deck.ratings`."""
        return self.deck.ratings

    def close(self) -> None:
        """Take the panel from the page. A run goes on; `SweepRun.load` has it."""
        self._closed = True
        if self._pulse is not None:
            self._pulse.stop()
        for widget in (self._deck, self.sheet, self.trouble, self._place):
            if widget is not None:
                widget.close()
        super().close()

    # Inputs

    def _beginning(self, sweep: Sweep | None, run: SweepRun | None, name: str) -> Inputs:
        """Return what the inputs begin with: the sweep that is given, the run that there is, or nothing."""
        if sweep is not None:
            return inputs_of(sweep.plan, name=name)
        if run is not None:
            return inputs_of(run.plan)
        return Inputs(seed=str(seeds_axis(None, None).values[0]), name=name)

    def _on_inputs(self, change: Any) -> None:
        with shown(self.trouble):
            self._take(change["new"])
            self._judge()

    def _take(self, inputs: dict[str, Any]) -> None:
        reading = read(Inputs.of(inputs))
        with self._lock:
            self._reading = reading

    def _wanted(self) -> Sweep | None:
        """Return the sweep as it was given while the inputs are as it filled them, else what they come to."""
        given = self._given
        if given is not None and same(given[0], self.sheet.inputs):
            return given[1]
        return self._reading.sweep

    def _plan(self) -> Plan | None:
        sweep = self._wanted()
        if sweep is None:
            return None
        configured = settings.load()
        return sweep.plan.with_defaults(bpm=configured.default_bpm, duration=configured.default_duration)

    def _judge(self) -> Verdict:
        """Judge the inputs, and show it."""
        with self._lock:
            verdict = judge(
                self._reading, self._plan(), self._standing(), left=self._purse.left, pace=self._purse.pace,
                busy=self._busy,
            )  # fmt: skip
            if not self._closed:
                self.sheet.verdict = verdict.shown | {"answered": self._answered}
            return verdict

    def _standing(self) -> Standing | None:
        run = self._run
        if run is None:
            return None
        uncertain = run.states.count("uncertain")
        return Standing(run.name, run.plan, running=run.running, done=run.done, uncertain=uncertain)

    # Buttons

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return  # a page of another version
        kind = content.get("type")
        if kind == "runs":
            self._in_background(self._list)
        elif kind in _BUSY:
            with shown(self.trouble):
                self._press(kind, content)

    def _press(self, kind: str, content: dict[str, Any]) -> None:
        """Do what a button says, if it may be done; what takes time is done on a thread of its own."""
        self.trouble.clear()
        answers = str(content.get("press", ""))
        try:
            if isinstance(content.get("inputs"), dict):
                self._take(content["inputs"])
                self.sheet.inputs = content["inputs"]
            verdict = self._judge()
            reason = verdict.may.get(kind, self._busy or None)
            if reason is not None:
                self.trouble.say(reason)
                return
            work = self._work(kind, verdict, content)
        finally:
            # Whatever came of it, the page is told that this press was heard.
            self._answered = answers
            self._judge()
        self._begin(_BUSY[kind], work)

    def _work(self, kind: str, verdict: Verdict, content: dict[str, Any]) -> Callable[[], None]:
        """Prepare what a button does, from the inputs as they are now."""
        run, sweep, at_most = self._run, self._wanted(), self._reading.max_credits
        if kind == "load":
            return lambda: self._load(str(content.get("name", "")))
        if kind == "run" and sweep is not None:
            name = str(self.sheet.inputs.get("name", "")).strip() or None
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

    def _begin(self, busy: str, work: Callable[[], None]) -> None:
        with self._lock:
            self._busy = busy
        self._judge()

        def do() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._busy = ""

        self._in_background(do)

    def _in_background(self, work: Callable[[], None]) -> None:
        def do() -> None:
            with notices.gathered() as warnings, shown(self.trouble):
                work()
            for warning in warnings:
                self.trouble.show(warning)
            with shown(self.trouble):
                self._judge()

        threading.Thread(target=do, name="finetuning-panel", daemon=True).start()

    # The run

    def _start(self, sweep: Sweep, name: str | None, at_most: int | None) -> None:
        run = self._client.run(sweep, name, wait=False, max_credits=at_most)
        if name is not None:  # it is taken now, and the next run needs another
            with self._lock:
                self.sheet.inputs = {**self.sheet.inputs, "name": ""}
        self._purse.reserve(min(len(sweep), at_most or len(sweep)))
        self._adopt(run)

    def _load(self, name: str) -> None:
        run = SweepRun.load(name, self._client)
        inputs = inputs_of(run.plan).plain()
        self._take(inputs)
        self._given = None
        self.sheet.inputs = inputs
        self._adopt(run)

    def _adopt(self, run: SweepRun) -> None:
        """Show another run, in a deck of its own."""
        with self._lock:
            before, self._deck, self._run = self._deck, None, run
        self._lay(run)
        self._place.children = (self.deck,)
        if before is not None:
            before.close()
        self._follow(run)

    def _go_on(self, run: SweepRun, credits_due: int) -> None:
        """Show that the run has other points, or goes on, or does not."""
        self._purse.reserve(credits_due)
        self._lay(run)
        self.deck.add(run)
        self._follow(run)

    def _follow(self, run: SweepRun) -> None:
        with self._lock:
            if self._pulse is not None:
                self._pulse.stop()
            self._pulse = None if self._closed else Pulse(run, self._beat)
        self._show_outputs()

    def _beat(self, run: SweepRun, last: bool) -> None:
        if run is not self._run or self._closed:
            return
        with shown(self.trouble):
            if len(run.states) != len(self.sheet.states):
                self._lay(run)
            self._tell(run)
        if last:
            self._ended(run)

    def _lay(self, run: SweepRun) -> None:
        self.sheet.board = board(run.plan)
        self._tell(run)

    def _tell(self, run: SweepRun) -> None:
        states, running = run.states, run.running
        self.sheet.states = letters(states)
        rest = rest_line(states.count("waiting"), self._purse.pace) if running else ""
        self.sheet.run = {"name": run.name, "summary": run.summary, "running": running, "rest": rest}

    def _ended(self, run: SweepRun) -> None:
        with notices.gathered() as warnings, shown(self.trouble):
            run.explain()
        for warning in warnings:
            self.trouble.show(warning)
        with shown(self.trouble):
            self._look()
            self._list()
            self._show_outputs()
            self._judge()

    def _look(self) -> None:
        """Ask what is left to spend; the answer is shown when it is there."""

        def told(problem: BaseException | None) -> None:
            with shown(self.trouble):
                if problem is not None and not self._closed:
                    self.trouble.show(problem)
                self._judge()

        self._purse.look(told, self._reserved)

    def _reserved(self) -> int:
        run = self._run
        return run.states.count("waiting") if run is not None and run.running else 0

    def _list(self) -> None:
        frame = SweepRun.list()
        if not self._closed:
            self.sheet.runs = [
                {"name": name, "label": f"{name}: {done:,} of {points:,} completed" + (f", {left:,} left" * bool(left))}
                for name, points, done, left in zip(
                    frame["name"], frame["points"], frame["completed"], frame["left"], strict=True
                )
            ]

    # As an output

    def __repr__(self) -> str:
        return text(self._wanted(), self._run)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        data = super()._repr_mimebundle_(**kwargs) or {}
        return {**data, "text/plain": repr(self), "text/html": self._page()}

    def _ipython_display_(self) -> None:
        # Two outputs: of one with both, JupyterLab would take the widget, and show only an error when it is gone.
        from IPython.display import display

        show: Callable[..., Any] = display  # its parameters are typed in some versions of IPython only
        handle = show({"text/html": self._page(), "text/plain": repr(self)}, raw=True, display_id=True)
        if handle is not None:
            self._outputs.append(handle)
        if self.comm is not None:
            data = super()._repr_mimebundle_() or {}
            show({**data, "text/plain": "(The panel appears where this notebook runs.)"}, raw=True)

    def _show_outputs(self) -> None:
        """Bring what a saved notebook will show up to date."""
        for handle in self._outputs:
            with suppress(FinetuningError, OSError):
                handle.update({"text/html": self._page(), "text/plain": repr(self)}, raw=True)

    def _page(self) -> str:
        return page(self.sheet.stand_in, self._wanted(), self._run)


def _check(client: object, sweep: object) -> None:
    if not isinstance(client, Client):
        raise ParameterError(
            f"A value of type {type(client).__name__} is not a client.",
            parameter="client",
            hint="Connect first: client = ft.connect(); ft.SweepPanel(client).",
        )
    if sweep is not None and not isinstance(sweep, Sweep):
        raise ParameterError(
            f"A value of type {type(sweep).__name__} is not a sweep.",
            parameter="sweep",
            hint="Make one first: ft.Sweep('lofi chill piano', bpm=[80, 90]); a run is shown by name=.",
        )


def _nothing(sweep: Sweep | None) -> pd.DataFrame:
    """Return what a run's frame is before there is a run."""
    from finetuning.sweep.state import Cell
    from finetuning.sweep.table import run_frame

    plan = (sweep or Sweep("music")).plan
    first = Plan(fixed=plan.fixed, axes=plan.axes, points=plan.points[:1])
    return run_frame(first, [Cell()]).iloc[:0]
