"""Any selection of tracks to a list of ids."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from finetuning.errors import SelectionError
from finetuning.records import Generation, Playlist

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Tracks", "ids_of"]

if TYPE_CHECKING:
    #: A DataFrame or Series with an `id` column or ids, an Index, a list, one id, a record.
    Tracks: TypeAlias = pd.DataFrame | pd.Series | pd.Index | Generation | str | Iterable["Generation | str"]
else:
    Tracks: TypeAlias = Any


def ids_of(tracks: Tracks) -> list[str]:
    """Read the ids of any selection: duplicates folded, order kept.

    Parameters
    ----------
    tracks
        A DataFrame with an `id` column (or an index named `id`), one of its rows, a Series or Index of ids, a
        record, one id, or any iterable of ids and records.

    Returns
    -------
    list of str
        Each id once, at the place where it stood first.

    Raises
    ------
    SelectionError
        There is no id in it, it is empty, or some ids are missing or are not text; the message names the rows.
    """
    values = list(_values(tracks))
    if not values:
        raise SelectionError(
            "The selection is empty.", hint="Nothing was sent. Check the condition that selects the rows."
        )
    missing = [place for place, value in enumerate(values) if _is_missing(value)]
    if missing:
        raise SelectionError(
            f"{len(missing)} of {len(values)} rows have no id ({_places(missing)}).",
            hint="Drop them first: df.dropna(subset=['id']).",
        )
    wrong = [place for place, value in enumerate(values) if not isinstance(value, str)]
    if wrong:
        raise SelectionError(
            f"{len(wrong)} of {len(values)} ids are not text ({_places(wrong)}): {values[wrong[0]]!r} is a "
            f"{type(values[wrong[0]]).__name__}.",
            hint="Pass the `id` column, a list of ids, or records.",
        )
    return list(dict.fromkeys(value.strip() for value in values))


def _values(tracks: Any) -> Iterable[Any]:
    if isinstance(tracks, str):
        return [tracks]
    if isinstance(tracks, Generation):
        return [tracks.id]
    if isinstance(tracks, Playlist):
        raise SelectionError(
            f"{tracks.name or tracks.id!r} is a playlist, not a track.",
            hint="Pass its .tracks to mean what is in it.",
        )
    pandas = sys.modules.get("pandas")  # what never imported pandas holds nothing of it
    if pandas is not None:
        if isinstance(tracks, pandas.DataFrame):
            return _of_frame(tracks)
        if isinstance(tracks, pandas.Series):
            return _of_series(tracks)
        if isinstance(tracks, pandas.MultiIndex):
            return _of_multi_index(tracks)
    if isinstance(tracks, (Mapping, bytes)) or not isinstance(tracks, Iterable):
        raise SelectionError(
            f"A {type(tracks).__name__} is not a selection of tracks.",
            hint="Pass a DataFrame with an `id` column, a Series of ids, a list of ids, one id, or a record.",
        )
    return [item.id if isinstance(item, Generation) else item for item in tracks]


def _of_frame(frame: Any) -> Iterable[Any]:
    columns = list(frame.columns)
    if columns.count("id") > 1:
        raise SelectionError("The DataFrame has more than one column named `id`.")
    if "id" in columns:
        return list(frame["id"])
    if "id" in frame.index.names:
        return list(frame.index.get_level_values("id"))
    raise SelectionError(
        f"The DataFrame has no `id` column; it has {', '.join(map(repr, columns[:8])) or 'none'}"
        f"{', …' if len(columns) > 8 else ''}.",
        hint="Select rows of client.generations() or run.frame, and keep the `id` column.",
    )


def _of_series(series: Any) -> Iterable[Any]:
    if series.dtype.kind == "b":
        raise SelectionError(
            "That is a mask of True and False, not a selection.", hint="Apply it to the frame first: df[mask]."
        )
    # A row of a frame is a Series too: its labels are the columns' names.
    if series.name != "id" and "id" in series.index and series.index.is_unique:
        return [series["id"]]
    if series.name != "id" and series.index.name == "id":
        return list(series.index)
    return list(series)


def _of_multi_index(index: Any) -> Iterable[Any]:
    if "id" not in index.names:
        raise SelectionError("The index has several levels, and none is named `id`.")
    return list(index.get_level_values("id"))


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return not isinstance(value, str) and (type(value).__name__ in ("NAType", "NaTType") or value != value)


def _places(places: list[int]) -> str:
    shown = ", ".join(map(str, places[:5]))
    return f"position{'s' if len(places) > 1 else ''} {shown}{', …' if len(places) > 5 else ''}"
