"""What the inputs of a panel ask for beyond the run that it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finetuning.errors import ParameterError
from finetuning.notices import gathered
from finetuning.sweep.extending import extension
from finetuning.sweep.points import Plan

from .form import FIELDS, values_of

__all__ = ["Growth", "growth"]


@dataclass(frozen=True)
class Growth:
    """What `SweepRun.extend` is to be given.

    Attributes
    ----------
    axes
        The new values, by parameter.
    where
        Holds for the points that are asked for: an old value that is no longer chosen is not combined with new ones.
    count
        How many points it adds, a credit each.
    """

    axes: dict[str, list[Any]]
    where: Callable[[Any], bool]
    count: int


def growth(before: Plan, wanted: Plan) -> Growth:
    """Find what a run lacks of a plan.

    Parameters
    ----------
    before
        The run's.
    wanted
        What the inputs ask for, with the same defaults.

    Raises
    ------
    ParameterError
        Nothing is lacking, or what is lacking cannot be added; the message says why.
    """
    old = {name: _values(before, name) for name in FIELDS}
    new = {name: _values(wanted, name) for name in FIELDS}
    added = {name: [value for value in new[name] if value not in old[name]] for name in FIELDS}
    added = {name: values for name, values in added.items() if values}
    if not added:
        raise ParameterError(_nothing(before, wanted, old, new), parameter="extend")
    for name in FIELDS:
        if old[name] and not new[name]:
            raise ParameterError(
                f"The run says {name}, which the inputs leave to the service.",
                parameter=name,
                hint=f"Choose {name}, or begin another run.",
            )
    allowed = {name: frozenset(values) for name, values in new.items() if values}

    def where(point: Any) -> bool:
        return all(point[name] in values for name, values in allowed.items() if name in point)

    with gathered():  # of clamping the inputs tell
        whole = extension(before, added, where)
    return Growth(added, where, len(whole) - len(before))


def _values(plan: Plan, name: str) -> list[Any]:
    values = values_of(plan, name)
    return values or [1] if name == "replicate" else values


def _nothing(before: Plan, wanted: Plan, old: dict[str, list[Any]], new: dict[str, list[Any]]) -> str:
    """Say why there is nothing to add."""
    if any(old[name] and not new[name] for name in FIELDS):
        return "The inputs name no value that the run has not."
    points = {_identity(before, point) for point in range(len(before))}
    lacking = sum(_identity(wanted, point) not in points for point in range(len(wanted)))
    if lacking:
        return f"The run left {lacking:,} of these combinations out; another run can make them."
    return "The run has all that the inputs ask for."


def _identity(plan: Plan, point: int) -> tuple[Any, ...]:
    values = {"replicate": 1} | plan.values(point)
    return tuple(values.get(name) for name in FIELDS)
