"""More points for a run that has begun: new values of its axes, or new axes, and nothing that it has already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from finetuning.errors import ParameterError

from .axes import Axis, read_axis, warn_of_clamping
from .combining import expand
from .counts import replicates_axis, seeds_axis
from .points import COLUMNS, Plan

__all__ = ["extension"]


def extension(plan: Plan, given: Mapping[str, Any], where: str | Callable[[Any], Any] | None) -> Plan:
    """Find the points that new values add to a plan.

    Parameters
    ----------
    plan
        What there is.
    given
        By parameter, values as for `Sweep`; `seed=3` draws three more, `replicate=3` makes all three times in all. A
        parameter that was the same for all points becomes an axis.
    where
        Keeps the new points for which it holds.

    Returns
    -------
    Plan
        The whole plan afterwards: the old points first. Every new point has a new value, so that what was dropped by
        an earlier `where=` stays dropped.

    Raises
    ------
    ParameterError
        A parameter or value that there is not, or nothing new.
    """
    unknown = [name for name in given if name not in COLUMNS or name == "webhook"]
    if unknown:
        raise ParameterError(
            f"A run cannot be extended by {unknown[0]!r}.",
            parameter=unknown[0],
            hint=f"It can by {', '.join(name for name in COLUMNS if name != 'webhook')}.",
        )
    if empty := [name for name, values in given.items() if values is None]:
        raise ParameterError(
            f"{empty[0]}=None is no value to add.",
            parameter=empty[0],
            hint="Leave it out, or give values, as in run.extend(bpm=[100], seed=2).",
        )
    old = {name: list(plan.axes.get(name, [])) or _shared(plan, name) for name in (*plan.axes, *given)}
    old.setdefault("seed", _shared(plan, "seed"))
    new: dict[str, list[Any]] = {}
    for name, values in given.items():
        axis = _axis(name, values)
        warn_of_clamping(axis)
        new[name] = [value for value in axis.values if value not in old[name]]
    if not any(new.values()):
        raise ParameterError(
            "There is nothing new in these values: the run has them all.",
            parameter=next(iter(given), "extend"),
            hint="The same once more, on purpose: replicate=[2].",
        )
    axes = {name: old[name] + new.get(name, []) for name in COLUMNS if name in old}
    fixed = {name: value for name, value in plan.fixed.items() if name not in axes}
    whole = expand(
        [
            *(Axis(name, (value,), swept=False) for name, value in fixed.items()),
            *(Axis(name, tuple(values), swept=True) for name, values in axes.items()),
        ],
        where,
    )
    added = [point for point in whole.points if any(point[name] in values for name, values in new.items())]
    if not added:
        raise ParameterError("where= drops all new points.", parameter="where", value=where)
    shown = {name: values for name, values in axes.items() if name in plan.axes or len(values) > 1}
    return plan.extended(shown, [_without_shared(point, shown) for point in added])


def _axis(name: str, values: Any) -> Axis:
    match name:
        case "seed":
            return seeds_axis(values, None)
        case "replicate":
            return replicates_axis(values)
        case _:
            return read_axis(name, values)


def _shared(plan: Plan, name: str) -> list[Any]:
    """Return what all points have in common, as the only value so far of an axis to be."""
    if name in plan.fixed:
        return [plan.fixed[name]]
    if name == "replicate":
        return [1]  # what was not counted was the first
    if name == "seed":
        return list(dict.fromkeys(point["seed"] for point in plan.points))
    raise ParameterError(
        f"The points of this run leave {name} to the service, so that nobody knows what a new one differs from.",
        parameter=name,
        hint="Begin another sweep that says it.",
    )


def _without_shared(point: dict[str, Any], axes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in point.items() if name in axes or name == "seed"}
