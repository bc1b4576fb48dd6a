"""The points of a run as they are laid out in a panel: a line for each combination of all axes but the last."""

from __future__ import annotations

from typing import Any, Final

from finetuning.sweep.points import COLUMNS, Plan
from finetuning.sweep.state import STATES

from .form import values_of

__all__ = ["LETTERS", "board", "letters"]

#: One for each state, in the order of `STATES`: a run of a thousand points tells where they stand in a thousand bytes.
LETTERS: Final = "wslgcfru"
#: Longer texts (tags, lyrics) are cut in labels.
_SHOWN: Final = 24
_WORDS: Final = {"time_signature": "metre", "duration": "length"}


def board(plan: Plan) -> dict[str, Any]:
    """Lay out the points of a plan.

    Returns
    -------
    dict
        JSON: `rows`, the labels of the lines; `row`, of each point its line; `cell`, of each point its own label.
        An axis with one value is not named, since it tells nothing apart.
    """
    axes = [name for name in COLUMNS if len(values_of(plan, name)) > 1]
    across = axes[-1:]
    rows: dict[str, int] = {}
    row: list[int] = []
    cell: list[str] = []
    for point in range(len(plan)):
        values = {"replicate": 1} | plan.values(point)
        line = " · ".join(_label(name, values[name]) for name in axes[:-1] if name in values)
        row.append(rows.setdefault(line, len(rows)))
        cell.append(" · ".join(_label(name, values[name]) for name in across if name in values))
    return {"rows": list(rows), "row": row, "cell": cell}


def letters(states: list[str]) -> str:
    """Write where each point stands, a letter a point."""
    return "".join(LETTERS[STATES.index(state)] for state in states)


def _label(name: str, value: Any) -> str:
    text = " ".join(str(value).split()) or "none"
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"
    return short if name == "key" else f"{_WORDS.get(name, name)} {short}"
