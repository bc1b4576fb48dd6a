"""What stands for a sweep panel where no kernel answers: a saved notebook, a page on the web."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ..deck.standing import table
from ..deck.takes import takes_in

if TYPE_CHECKING:
    from finetuning.sweep.plan import Sweep
    from finetuning.sweep.run import SweepRun

__all__ = ["page", "text"]

#: So many takes at most; a saved notebook is to stay small.
_MOST = 200


def text(sweep: Sweep | None, run: SweepRun | None) -> str:
    """Write the summary for a terminal."""
    asked = "no sweep yet" if sweep is None else repr(sweep)
    return f"SweepPanel({asked})" if run is None else f"SweepPanel({asked}, {run!r})"


def page(stand_in: str, sweep: Sweep | None, run: SweepRun | None) -> str:
    """Write the summary for a page: what is asked for, where the run stands, and its takes.

    Parameters
    ----------
    stand_in
        Id of the element, by which the panel hides it for as long as it is there itself.
    sweep, run
        As they stand.
    """
    parts = ["<b>Sweep panel</b>" if sweep is None else sweep._repr_html_()]
    if run is not None:
        parts.append(f"<div><b>{html.escape(run.name)}</b>: {html.escape(run.summary)}</div>")
        frame = run.frame
        parts.append(table(takes_in(frame.iloc[:_MOST], points=True), f"{stand_in}-takes", ""))
        if len(frame) > _MOST:
            parts.append(f"<div>… and {len(frame) - _MOST:,} more</div>")
    return f'<div id="{html.escape(stand_in)}">{"".join(parts)}</div>'
