"""`SweepPanel`: plan, pay for, run and hear a sweep without a second line of code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetuning.client.blocking import Client
from finetuning.errors import MissingExtraError, ParameterError
from finetuning.sweep.names import journal_path
from finetuning.sweep.plan import Sweep, seeds_axis
from finetuning.sweep.points import Plan
from finetuning.sweep.run import SweepRun

from ..still import Still
from ..trouble import Trouble
from .form import Inputs, inputs_of
from .helm import Helm
from .sheet import Sheet
from .summary import page, text

try:
    import ipywidgets
except ImportError as error:  # pragma: no cover - the sheet has said so by now
    raise MissingExtraError("The sweep panel", "lab") from error

if TYPE_CHECKING:
    import pandas as pd

    from ..deck.widget import Deck

__all__ = ["SweepPanel"]


class SweepPanel(Still, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
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

    def __init__(self, client: Client, sweep: Sweep | None = None, *, name: str | None = None) -> None:
        _check(client, sweep)
        run = SweepRun.load(name, client) if name is not None and journal_path(name).exists() else None
        inputs = _beginning(sweep, run, "" if name is None or run is not None else name)
        self.sheet = Sheet()
        self.trouble = Trouble()
        place = ipywidgets.VBox([], layout=ipywidgets.Layout(margin="8px 0 0 0"))
        super().__init__([self.sheet, self.trouble, place], layout=ipywidgets.Layout(max_width="100%"))
        self._helm = Helm(client, self.sheet, place, self.trouble, inputs=inputs, sweep=sweep, news=self._renew_page)
        self._helm.begin(run)

    # The buttons

    def start(self) -> SweepRun:
        """Do what the button Run does, and return the run at once; `.wait()` on it waits for its takes.

        Raises
        ------
        ParameterError
            The inputs are no sweep; the message says why. Nothing was sent.
        NotEnoughCreditsError
            It cannot be paid for. Nothing was sent.
        """
        return self._helm.do("run")

    def cancel(self) -> SweepRun:
        """Do what the button Cancel does: send no more; what is paid for goes on at the service."""
        return self._helm.do("cancel")

    def resume(self) -> SweepRun:
        """Do what the button Resume does: collect what is paid for, send the rest."""
        return self._helm.do("resume")

    def extend(self) -> SweepRun:
        """Do what the button Extend does: make what the inputs ask for beyond the run."""
        return self._helm.do("extend")

    # What is asked for, and what came of it

    @property
    def run(self) -> SweepRun | None:
        """The run that is shown; None before there is one."""
        return self._helm.showing.run

    @property
    def sweep(self) -> Sweep:
        """What the inputs ask for now.

        Raises
        ------
        ParameterError
            They cannot be read; the message says why.
        """
        return self._helm.sweep

    @property
    def deck(self) -> Deck:
        """Where its takes are heard; they appear as they are made."""
        return self._helm.showing.deck

    @property
    def results(self) -> pd.DataFrame:
        """The run as a DataFrame, one row a point; empty, with the same columns, before there is one."""
        run = self.run
        return run.frame if run is not None else _nothing(self._helm.wanted)

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
        helm: Helm | None = vars(self).get("_helm")
        if helm is not None:  # one that was refused what it was given is closed too, when it is collected
            helm.showing.close()
        for widget in self.children:
            widget.close()
        super().close()

    # As an output

    def __repr__(self) -> str:
        return text(self._helm.wanted, self.run)

    def _page(self) -> str:
        return page(self.sheet.stand_in, self._helm.wanted, self.run)


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


def _beginning(sweep: Sweep | None, run: SweepRun | None, name: str) -> Inputs:
    """Return what the inputs begin with: the sweep that is given, the run that there is, or nothing."""
    if sweep is not None:
        return inputs_of(sweep.plan, name=name)
    if run is not None:
        return inputs_of(run.plan)
    return Inputs(seed=str(seeds_axis(None, None).values[0]), name=name)


def _nothing(sweep: Sweep | None) -> pd.DataFrame:
    """Return what a run's frame is before there is a run."""
    from finetuning.sweep.state import Cell
    from finetuning.sweep.table import run_frame

    plan = (sweep or Sweep("music")).plan
    first = Plan(fixed=plan.fixed, axes=plan.axes, points=plan.points[:1])
    return run_frame(first, [Cell()]).iloc[:0]
