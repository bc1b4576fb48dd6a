"""`Suggestion`: points to try next, shown, made, and added to the run that they were learnt from."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finetuning.errors import ParameterError

from .points import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from finetuning.client.blocking import Client

    from .run import SweepRun

__all__ = ["Suggestion"]


@dataclass(frozen=True, slots=True, repr=False)
class Suggestion:
    """Points to try next, and why.

    Attributes
    ----------
    source
        The run that it is for, and learnt from.
    value
        What is believed in: `rating`, `preference` (strengths in logits), or a column.
    rows
        What each point sets beyond what all points of the run share, its seed among it.
    points : DataFrame
        One row a point: tags and every parameter that is set, seeds fixed; as `Sweep.points`.
    belief : DataFrame
        One row a candidate: its parameters; `mean` and `std`, in units of the value, of what a seed will make of it on
        average; `suggested`, whether it is among the points. Numeric axes lie in it between the values that were
        tried, too. Without anything to learn from, `mean` and `std` are NaN.
    measured : DataFrame
        What was learnt from: of each point its number as the index, parameters and seed, and `rating`, whatever value
        that is.
    """

    source: SweepRun
    value: str
    rows: list[dict[str, Any]]
    points: pd.DataFrame
    belief: pd.DataFrame
    measured: pd.DataFrame

    @property
    def cost(self) -> int:
        """Credits: one a point."""
        return len(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def run(self, *, wait: bool = True, client: Client | None = None, max_credits: int | None = None) -> SweepRun:
        """Add these points to the run, and make them; as `run.extend(suggestion)`.

        Raises
        ------
        ParameterError
            The run has them already.
        NotEnoughCreditsError
            They cost more than is left. Nothing was sent.
        """
        return self.source.extend(self, wait=wait, client=client, max_credits=max_credits)

    def check(self, run: SweepRun, axes: Mapping[str, Any], where: Any) -> None:
        """Refuse another run than its own, and values for axes beside a suggestion, which is whole as it is.

        Raises
        ------
        ParameterError
            It is for another run, or there are some.
        """
        if self.source.path != run.path:
            raise ParameterError(
                f"The suggestion is for the run {self.source.name!r}, and this is {run.name!r}.",
                parameter="suggestion",
                hint="Points of one run would lack what tells those of another apart: ask this one, run.suggest(4).",
            )
        beside = [*axes, *(["where"] if where is not None else [])]
        if beside:
            raise ParameterError(
                f"{beside[0]} was given beside a suggestion, which says all there is to say of its points.",
                parameter=beside[0],
                hint=f"Ask for what is meant: run.suggest(4, {beside[0]}=…).",
            )

    def plan(self, before: Plan) -> Plan:
        """Return a plan with these points behind its own; what it has already is not added.

        Raises
        ------
        ParameterError
            It has all of them.
        """
        have = [before.values(point) for point in range(len(before))]
        rows = [row for row in self.rows if before.fixed | row not in have]
        if not rows:
            raise ParameterError("The run has these points already.", parameter="suggestion", hint="Ask it for others.")
        axes = {name: list(values) for name, values in before.axes.items()}
        for name in rows[0]:
            if name in before.fixed:
                axes[name] = [before.fixed[name]]
            if name in axes:
                axes[name] = list(dict.fromkeys([*axes[name], *(row[name] for row in rows)]))
        return before.extended(axes, rows)

    @property
    def summary(self) -> str:
        """One line: `3 points, 3 credits, from 12 ratings: bpm=104; bpm=98; bpm=110`."""
        learnt = (
            f"from {_many(len(self.measured), self.value)}"
            if len(self.measured)
            else "spread out: nothing is rated yet"
        )
        names = [name for name in self.belief.columns if name not in ("mean", "std", "suggested")]
        said = ["; ".join(", ".join(f"{name}={row[name]}" for name in names) for row in self.rows[:4])]
        more = "; …" if len(self.rows) > 4 else ""
        return f"{_many(len(self), 'point')}, {_many(self.cost, 'credit')}, {learnt}: {said[0]}{more}"

    def __repr__(self) -> str:
        return f"Suggestion({self.source.name!r}: {self.summary})"

    def _repr_html_(self) -> str:
        names = [name for name in self.belief.columns if name not in ("mean", "std", "suggested")]
        known = self.belief.set_index(names) if len(self.measured) else None
        head = "".join(f"<th>{html.escape(name)}</th>" for name in (*names, "seed", f"expected {self.value}"))
        body = ""
        for row in self.rows:
            expected = "?"
            if known is not None:
                found = known.loc[[tuple(row[name] for name in names)] if len(names) > 1 else [row[names[0]]]].iloc[0]
                expected = f"{found['mean']:.2f} ± {found['std']:.2f}"
            cells = (*(str(row[name]) for name in names), str(row["seed"]), expected)
            body += "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
        return (
            f"<div><b>{html.escape(self.source.name)}</b>: {html.escape(self.summary.partition(':')[0])}"
            f"<table><tr>{head}</tr>{body}</table><code>suggestion.run()</code> makes them</div>"
        )


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
