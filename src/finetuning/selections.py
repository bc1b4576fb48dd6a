"""Any selection of tracks to a list of ids."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from finetuning.errors import SelectionError
from finetuning.records import Generation, Playlist

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OTHER_COLUMNS", "Tracks", "ids_of"]

if TYPE_CHECKING:
    #: A DataFrame or Series with an `id` column or ids, an Index, a list, one id, a record.
    Tracks: TypeAlias = pd.DataFrame | pd.Series | pd.Index | Generation | str | Iterable["Generation | str"]
else:
    Tracks: TypeAlias = Any

#: The other columns of a generations frame, none of which holds ids. (`frames` has their dtypes, in the same order.)
OTHER_COLUMNS: Final = (
    "title", "prompt", "type", "status", "bpm", "key", "scale", "time_signature", "language", "seed", "duration",
    "requested_duration", "generation_time", "file_size", "is_public", "play_count", "download_count", "like_count",
    "error_message", "audio_url", "webhook", "created_at", "completed_at",
)  # fmt: skip
_FORMS: Final = "Pass a DataFrame with an `id` column, a Series of ids, a list of ids, one id, or a record."


def ids_of(tracks: Tracks) -> list[str]:
    """Read the ids of any selection: duplicates folded, order kept.

    Parameters
    ----------
    tracks
        A DataFrame with an `id` column (or an index named `id`), one of its rows (a Series, a tuple of
        `itertuples`, a dictionary), a Series or Index of ids, a record, one id, or any iterable of ids, rows and
        records.

    Returns
    -------
    list of str
        Each id once, at the place where it stood first.

    Raises
    ------
    SelectionError
        There is no id in it, it is empty, or some ids are missing or are not text; the message names the rows. So
        it does of a mask, of groups, and of another column of the generations frame.
    """
    values = [_id_in(value) for value in _values(tracks)]
    truths = [type(value).__name__ in ("bool", "bool_") for value in values]
    if any(truths) and all(truth or _is_missing(value) for truth, value in zip(truths, values, strict=True)):
        raise _a_mask()
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
        kind = type(values[wrong[0]]).__name__
        raise SelectionError(
            f"{len(wrong)} of {len(values)} ids are not text ({_places(wrong)}); the first is of type {kind}.",
            hint=_FORMS,
        )
    halves = [place for place, value in enumerate(values) if not _can_be_sent(value)]
    if halves:
        raise SelectionError(
            f"{len(halves)} of {len(values)} ids cannot be sent ({_places(halves)}): "
            "half of a surrogate pair is no text.",
            hint="They were damaged on the way; take them from client.generations() again.",
        )
    return list(dict.fromkeys(value.strip() for value in values))


def _values(tracks: Any) -> Iterable[Any]:
    if isinstance(tracks, str) and not tracks.strip():
        raise SelectionError(
            "The id is empty.", hint="Pass the id of a track; client.generations() has them in its column `id`."
        )
    if isinstance(tracks, str) or _is_row(tracks):
        return [tracks]
    if getattr(tracks, "ndim", 0) and getattr(getattr(tracks, "dtype", None), "kind", None) == "b":
        raise _a_mask()
    if isinstance(tracks, Playlist):
        raise SelectionError(
            f"{tracks.name or tracks.id!r} is a playlist, not a track.",
            hint="Pass client.playlist(…).tracks to mean what is in it.",
        )
    pandas = sys.modules.get("pandas")  # what never imported pandas holds nothing of it
    if pandas is not None:
        if isinstance(tracks, pandas.DataFrame):
            return _of_frame(tracks)
        if isinstance(tracks, pandas.Series):
            return _of_series(tracks)
        if isinstance(tracks, pandas.MultiIndex):
            return _of_multi_index(tracks)
        if isinstance(tracks, pandas.Index):
            return _of_column(tracks)
        if isinstance(tracks, (pandas.api.typing.DataFrameGroupBy, pandas.api.typing.SeriesGroupBy)):
            raise SelectionError(
                f"A {type(tracks).__name__} is groups of rows, not a selection of them.",
                hint="Choose from each group first: .head(1) keeps its first row, .first() its first values.",
            )
    if isinstance(tracks, (Mapping, bytes)) or not isinstance(tracks, Iterable):
        frame = next((name for name in ("tracks", "frame", "failed") if hasattr(tracks, name)), None)
        raise SelectionError(
            f"A value of type {type(tracks).__name__} is not a selection of tracks.",
            hint=f"Pass its .{frame}." if frame else _FORMS,
        )
    return tracks


def _id_in(item: Any) -> Any:
    """Read the id of a record or a row; anything else is the id itself, or is found wanting later."""
    if isinstance(item, Generation) or isinstance(getattr(item, "_fields", None), tuple):
        return getattr(item, "id", item)
    return item["id"] if _is_row(item) else item


def _is_row(item: Any) -> bool:
    """Whether this is one track with its columns: a record, a Series, a named tuple or a dictionary."""
    if isinstance(item, Generation):
        return True
    if isinstance(item, Mapping):
        return "id" in item
    if isinstance(item, tuple):
        return "id" in getattr(item, "_fields", ())
    pandas = sys.modules.get("pandas")
    # The labels of a row are the columns' names; a column that is itself called `id` holds ids.
    return (
        pandas is not None
        and isinstance(item, pandas.Series)
        and "id" not in (item.name, item.index.name)
        and item.index.nlevels == 1
        and item.index.is_unique
        and "id" in item.index
    )


def _of_frame(frame: Any) -> Iterable[Any]:
    columns = list(frame.columns)
    if columns.count("id") > 1:
        raise SelectionError("The DataFrame has more than one column named `id`.")
    if "track_count" in columns and "id" in columns:
        raise SelectionError(
            "These are playlists, not tracks.", hint="Pass client.playlist(…).tracks to mean what is in one."
        )
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
    if series.name != "id" and "id" in series.index.names:
        return list(series.index.get_level_values("id"))
    return _of_column(series)


def _of_column(column: Any) -> Iterable[Any]:
    """Return the values of a Series or an Index, unless its name says that they are something else than ids."""
    if isinstance(column.name, str) and column.name in OTHER_COLUMNS:
        raise SelectionError(
            f"That is the column {column.name!r}, which holds no ids.",
            hint="Pass the column `id` of the same rows, or the rows themselves.",
        )
    return list(column)


def _of_multi_index(index: Any) -> Iterable[Any]:
    if "id" not in index.names:
        raise SelectionError("The index has several levels, and none is named `id`.")
    return list(index.get_level_values("id"))


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)


def _can_be_sent(value: str) -> bool:
    """Whether UTF-8 has it; half of a surrogate pair it has not."""
    return value.isascii() or value.encode(errors="replace").decode() == value


def _a_mask() -> SelectionError:
    return SelectionError(
        "That is a mask of True and False, not a selection.", hint="Apply it to the frame first: df[mask]."
    )


def _places(places: list[int]) -> str:
    shown = ", ".join(map(str, places[:5]))
    return f"position{'s' if len(places) > 1 else ''} {shown}{', …' if len(places) > 5 else ''}"
