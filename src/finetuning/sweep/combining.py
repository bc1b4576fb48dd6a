"""Every combination of the axes, and which of them `where=` keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

from finetuning.errors import ParameterError

from .axes import Axis
from .points import Plan, Row, UnknownFieldError, points_frame
from .series import POINTS_MAX, too_many

__all__ = ["expand"]


def expand(axes: list[Axis], where: Any) -> Plan:
    """Put axes together, every combination that `where` keeps; a plain value is the same for all points."""
    count = math.prod(map(len, axes))
    if count > POINTS_MAX:
        raise too_many(" × ".join(f"{len(axis)} {axis.name}" for axis in axes if len(axis) > 1), count)
    fixed = {axis.name: axis.values[0] for axis in axes if not axis.swept and axis.name != "seed"}
    varied = [axis for axis in axes if axis.name not in fixed]
    names = [axis.name for axis in varied]
    points = [dict(zip(names, values, strict=True)) for values in product(*(axis.values for axis in varied))]
    plan = Plan(fixed=fixed, axes={axis.name: list(axis.values) for axis in varied if axis.swept}, points=points)
    if where is None:
        return plan
    kept = _kept(plan, where)
    if not any(kept):
        raise ParameterError(
            f"where= drops all {len(points):,} points.",
            parameter="where",
            value=where,
            hint="It keeps the points for which it holds.",
        )
    return Plan(fixed=fixed, axes=plan.axes, points=[point for point, keep in zip(points, kept, strict=True) if keep])


def _kept(plan: Plan, where: Any) -> list[bool]:
    rows = [plan.values(point) for point in range(len(plan))]
    if isinstance(where, str):
        return _queried(rows, where)
    if not callable(where):
        raise ParameterError(
            f"where= is a {type(where).__name__}.",
            parameter="where",
            value=where,
            hint="Pass a function of a point, or a query such as 'bpm < 120'.",
        )
    kept = []
    for row in map(Row, rows):
        try:
            kept.append(bool(where(row)))
        except UnknownFieldError as problem:
            raise ParameterError(
                f"where= asks a point for {problem.field!r}, which no point of this sweep has.",
                parameter="where",
                value=where,
                hint=f"They have {', '.join(row)}.",
            ) from problem
        except Exception as problem:
            problem.add_note(f"where= was asked about {row!r}.")
            raise
    return kept


def _queried(rows: list[dict[str, Any]], query: str) -> list[bool]:
    frame = points_frame(rows)
    try:
        found = frame.query(query, engine="python")
    except Exception as problem:  # pandas raises a dozen kinds, SyntaxError and NameError among them
        raise ParameterError(
            f"where={query!r} is not a query of these points: {problem}.",
            parameter="where",
            value=query,
            hint=f"They have {', '.join(frame.columns)}. For variables of your own pass a function.",
        ) from problem
    chosen: Mapping[Any, None] = dict.fromkeys(getattr(found, "index", ()))
    return [point in chosen for point in frame.index]
