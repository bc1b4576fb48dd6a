"""A run as a DataFrame: what each point asked for, what the service made of it, what a person thought of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from finetuning.frames import GENERATION_COLUMNS, generations_frame
from finetuning.records import Generation, Parameters

from .axes import energetic
from .points import COLUMNS, Plan, points_frame
from .state import SLOW, STATES, Cell

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run_frame"]

#: A point's parameter: the generation's column that shows it. What is missing is shown under its own name.
_SHOWN_AS: Final = {"duration": "requested_duration"}


#: Shown of what is still followed; it is flagged, not forgotten.
_SLOW: Final = f"In the making for over {SLOW / 60:.0f} minutes: it may have failed silently."


def run_frame(plan: Plan, cells: Sequence[Cell], slow: Collection[int] = ()) -> pd.DataFrame:
    """Put a run into a DataFrame, one row a point.

    Parameters
    ----------
    plan
        What was to be made.
    cells
        What is known of each point.
    slow
        Points that have been in the making for so long that they may have failed silently.

    Returns
    -------
    DataFrame
        `point`; what the points set (`duration` as `requested_duration`), where the service has answered as it has
        clamped it; `state` (categorical, `state.STATES`); the remaining columns of `frames.GENERATION_COLUMNS`, of
        which `error_message` also says why a point is refused, lost, uncertain or waiting once more, or that it is
        late; `rating` (Int64, 1
        to 5), `rejected` (bool) and `note`. The dtypes are those of a generations frame, from the first moment on.
    """
    import numpy as np
    import pandas as pd

    rows = [plan.values(point) for point in range(len(plan))]
    asked = points_frame(rows)
    made = generations_frame(
        _shown(row, cell, point in slow) for point, (row, cell) in enumerate(zip(rows, cells, strict=True))
    )
    columns: dict[str, Any] = {"point": pd.array(range(len(rows)), dtype="int64")}
    for name in COLUMNS:
        shown = _SHOWN_AS.get(name, name)
        if name in asked:
            columns[shown] = made[shown] if shown in made else asked[name].array
    columns["state"] = pd.Categorical([cell.state for cell in cells], categories=STATES)
    # What the service added since this version comes last, as in every frame.
    for column in (*GENERATION_COLUMNS, *map(str, made.columns)):
        columns.setdefault(column, made[column])
    columns["rating"] = pd.array([cell.rating for cell in cells], dtype="Int64")
    columns["rejected"] = np.array([cell.rejected for cell in cells], dtype=np.bool_)
    columns["note"] = pd.array([cell.note for cell in cells], dtype="str")
    return pd.DataFrame(columns)


def _shown(values: Mapping[str, Any], cell: Cell, slow: bool) -> Generation:
    """Return the generation of a point, or one that stands in for it, with what the service left unsaid."""
    prompt = energetic(values["tags"], values.get("energy"))
    # The id is missing, not empty, until there is one; a record is not validated when it is made here.
    known = cell.generation or Generation(id=None)  # type: ignore[arg-type]
    return msgspec.structs.replace(
        known,
        prompt=known.prompt or prompt,
        parameters=_completed(known, values),
        error_message=known.error_message or cell.reason or (_SLOW if slow else None),
        webhook=known.webhook or values.get("webhook"),
    )


def _completed(known: Generation, values: Mapping[str, Any]) -> Parameters:
    said = known.parameters or Parameters()
    asked = {
        "bpm": values.get("bpm"),
        "duration": values.get("duration"),
        "timesignature": values.get("time_signature"),
        "language": values.get("language"),
        "seed": values.get("seed"),
    }
    unsaid = {name: value for name, value in asked.items() if value is not None and getattr(said, name) is None}
    return msgspec.structs.replace(
        said,
        **unsaid,
        keyscale=None,
        key=known.key or values.get("key"),
        scale=known.scale or values.get("scale"),
    )
