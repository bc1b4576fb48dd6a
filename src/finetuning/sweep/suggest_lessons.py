"""What a run has taught so far: ratings, blind comparisons, or any measure of its takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from finetuning.errors import ParameterError

from .ranking import Comparison, rank

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from finetuning.client.blocking import Client

    from .looking import Looking

__all__ = ["Lessons", "lessons_of"]

#: Put out of the question is as bad as it gets.
_REJECTED = 1.0


@dataclass(frozen=True, slots=True)
class Lessons:
    """What was heard of which points.

    Attributes
    ----------
    name
        What the values are: `rating`, `preference`, or a column.
    points : ndarray of int64, shape (lessons,)
        Numbers of points, ascending.
    values : ndarray of float64, shape (lessons,)
        As they are named.
    variance : ndarray of float64, shape (lessons,)
        What is known of how wrong each value is, beyond chance: 0 but for preferences.
    """

    name: str
    points: NDArray[np.int64]
    values: NDArray[np.float64]
    variance: NDArray[np.float64]


def lessons_of(run: Looking, value: Any, client: Client | None) -> Lessons:
    """Read what a run has taught.

    Parameters
    ----------
    run
        Which.
    value
        None for ratings, else blind comparisons; `"rating"`, `"preference"`; a column of `run.frame`, or one that
        measuring adds; or a Series with one value a point, as a column of `run.frame` is.
    client
        To measure with.

    Raises
    ------
    ParameterError
        There is no such column, or it holds no numbers.
    """
    frame = run.frame
    if value is None:
        rated = _rated(frame)
        compared = _preferred(run) if not len(rated.points) else rated
        return compared if len(compared.points) else rated
    if isinstance(value, str):
        if value == "rating":
            return _rated(frame)
        if value == "preference":
            return _preferred(run)
        return _from_column(value, _column(frame, value, client))
    if getattr(value, "ndim", 0) == 1 and hasattr(value, "reindex"):
        return _from_column(str(value.name or "value"), value.reindex(frame.index))
    raise ParameterError(
        f"value is a {type(value).__name__}.",
        parameter="value",
        value=value,
        hint="Name a column of run.frame or one that measuring adds, or pass a Series like one.",
    )


def _rated(frame: pd.DataFrame) -> Lessons:
    ratings = frame["rating"].astype("float64").where(~frame["rejected"], _REJECTED)
    return _from_column("rating", ratings)


def _preferred(run: Looking) -> Lessons:
    answers = run.preferences
    points = sorted({point for better, other, _ in answers for point in (better, other)})
    if not points:
        return Lessons("preference", np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    places = {point: place for place, point in enumerate(points)}
    ranking = rank(
        len(points),
        [Comparison(places[better], places[other], "same" if same else "a") for better, other, same in answers],
    )
    return Lessons("preference", np.array(points), ranking.strength, np.diag(ranking.covariance).copy())


def _column(frame: pd.DataFrame, name: str, client: Client | None) -> pd.Series[Any]:
    from finetuning.client.measuring import MEASURED_COLUMNS

    if name in frame:
        return frame[name]
    if name in MEASURED_COLUMNS:
        if client is None:
            raise ParameterError(
                f"Measuring {name} needs a client.",
                parameter="client",
                hint="ft.SweepRun.load(run.name, client), or run.suggest(…, client=client).",
            )
        made = frame[frame["state"] == "completed"]
        return client.measure(made)[name].reindex(frame.index) if len(made) else frame["duration"] * np.nan
    raise ParameterError(
        f"The run has no column {name!r}.",
        parameter="value",
        value=name,
        hint="Name one of run.frame, 'preference', or what measuring adds: " + ", ".join(MEASURED_COLUMNS) + ".",
    )


def _from_column(name: str, column: pd.Series[Any]) -> Lessons:
    try:
        values = column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):
        raise ParameterError(f"The column {name!r} holds no numbers.", parameter="value", value=name) from None
    known = np.flatnonzero(np.isfinite(values))
    return Lessons(name, known.astype(np.int64), values[known], np.zeros(len(known)))
