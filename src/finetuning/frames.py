"""Records to DataFrames.

The columns, their order and their dtypes are the same whatever the service sent, on an empty frame too; fields
that it adds later become columns at the end, under their snake_case names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from finetuning import notices
from finetuning.errors import ServiceWarning
from finetuning.records import (
    KEYS,
    SCALES,
    STATUSES,
    Generation,
    Parameters,
    Playlist,
    beats,
    parse_time,
    snake_case,
    split_keyscale,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GENERATION_COLUMNS", "PLAYLIST_COLUMNS", "generations_frame", "playlists_frame"]

_CATEGORIES: Final[dict[str, Sequence[str]]] = {"status": STATUSES, "key": KEYS, "scale": SCALES}

#: Column: dtype, where "time" is datetime64[ns, UTC] and "category" has the full list of its values.
GENERATION_COLUMNS: Final[dict[str, str]] = {
    "id": "str",
    "title": "str",
    "prompt": "str",
    "type": "str",
    "status": "category",
    "bpm": "Int64",
    "key": "category",
    "scale": "category",
    "time_signature": "Int64",
    "language": "str",
    "seed": "Int64",
    "duration": "float64",
    "requested_duration": "float64",
    "generation_time": "float64",
    "file_size": "Int64",
    "is_public": "boolean",
    "play_count": "Int64",
    "download_count": "Int64",
    "like_count": "Int64",
    "error_message": "str",
    "audio_url": "str",
    "webhook": "str",
    "created_at": "time",
    "completed_at": "time",
}
PLAYLIST_COLUMNS: Final[dict[str, str]] = {
    "id": "str",
    "name": "str",
    "description": "str",
    "track_count": "Int64",
    "total_duration": "float64",
    "is_public": "boolean",
    "created_at": "time",
    "updated_at": "time",
}

_INFERRED: Final[dict[str, Any]] = {"integer": "Int64", "boolean": "boolean", "floating": "float64", "string": "str"}
_NO_PARAMETERS: Final = Parameters()


def generations_frame(records: Iterable[Generation]) -> pd.DataFrame:
    """Put generations into a DataFrame, one row each, in the order given.

    Parameters
    ----------
    records
        Any number of generations, none included.

    Returns
    -------
    DataFrame
        With the columns of `GENERATION_COLUMNS`, then one for each field that this version does not know. Seconds
        are float64, counts nullable Int64, times datetime64[ns, UTC]; `status`, `key` and `scale` are categorical
        with the full list of categories, to which a value that is new to this version is added.
    """
    rows = list(records)
    asked = [row.parameters or _NO_PARAMETERS for row in rows]
    # One comprehension a column: a hundred thousand rows pass here, and each attribute is looked up once.
    split = {text: split_keyscale(text) for text in {given.keyscale for given in asked}}
    columns: dict[str, list[Any]] = {
        "id": [row.id for row in rows],
        "title": [row.title for row in rows],
        "prompt": [row.prompt for row in rows],
        "type": [row.type for row in rows],
        "status": [row.status for row in rows],
        "bpm": [given.bpm for given in asked],
        "key": [split[given.keyscale][0] or given.key for given in asked],
        "scale": [split[given.keyscale][1] or given.scale for given in asked],
        "time_signature": _beats([given.timesignature for given in asked]),
        "language": [given.language for given in asked],
        "seed": [given.seed for given in asked],
        "duration": [row.duration for row in rows],
        "requested_duration": [given.duration for given in asked],
        "generation_time": [row.generation_time for row in rows],
        "file_size": [row.file_size for row in rows],
        "is_public": [row.is_public for row in rows],
        "play_count": [row.play_count for row in rows],
        "download_count": [row.download_count for row in rows],
        "like_count": [row.like_count for row in rows],
        "error_message": [row.error_message for row in rows],
        "audio_url": [row.audio_url for row in rows],
        "webhook": [row.webhook for row in rows],
        "created_at": [row.created for row in rows],
        "completed_at": [row.completed for row in rows],
    }
    unknown = _unknown([row.extra for row in rows], columns)
    unknown |= _unknown([given.extra for given in asked], {**columns, **unknown}, prefix="parameters_")
    return _frame(columns, GENERATION_COLUMNS, unknown)


def playlists_frame(records: Iterable[Playlist]) -> pd.DataFrame:
    """Put playlists into a DataFrame, one row each, in the order given.

    Returns
    -------
    DataFrame
        With the columns of `PLAYLIST_COLUMNS`, then one for each field that this version does not know;
        `total_duration` is in seconds.
    """
    rows = list(records)
    columns: dict[str, list[Any]] = {
        "id": [row.id for row in rows],
        "name": [row.name for row in rows],
        "description": [row.description for row in rows],
        "track_count": [row.track_count for row in rows],
        "total_duration": [row.total_duration for row in rows],
        "is_public": [row.is_public for row in rows],
        "created_at": [row.created for row in rows],
        "updated_at": [row.updated for row in rows],
    }
    return _frame(columns, PLAYLIST_COLUMNS, _unknown([row.extra for row in rows], columns))


def _beats(values: list[int | str | None]) -> list[int | None]:
    read = {value: beats(value) for value in set(values)}
    return [read[value] for value in values]


def _unknown(
    extras: list[Mapping[str, Any]], taken: dict[str, list[Any]], prefix: str = "extra_"
) -> dict[str, list[Any]]:
    """Columns for fields without a name here; one whose snake_case name is taken gets the prefix."""
    names = dict.fromkeys(name for extra in extras if extra for name in extra)
    columns: dict[str, list[Any]] = {}
    for name in names:
        column = snake_case(name)
        while column in taken or column in columns:
            column = prefix + column
        columns[column] = [extra.get(name) for extra in extras]
    return columns


def _frame(columns: dict[str, list[Any]], dtypes: dict[str, str], unknown: dict[str, list[Any]]) -> pd.DataFrame:
    import pandas as pd  # here, not above: `import finetuning` must not wait for pandas

    typed: dict[str, Any] = {name: _typed(name, columns[name], dtype) for name, dtype in dtypes.items()}
    return pd.DataFrame(typed | {name: _untyped(values) for name, values in unknown.items()})


def _untyped(values: list[Any]) -> Any:
    """Choose a dtype that holds every value exactly, missing ones too: a count must not become a float."""
    import pandas as pd

    kind = pd.api.types.infer_dtype(values, skipna=True)
    try:
        return _array(values, _INFERRED.get(kind, "object"))
    except (TypeError, ArithmeticError):
        return pd.array(values, dtype="object")


def _array(values: list[Any], dtype: Any) -> Any:
    import numpy as np
    import pandas as pd

    with np.errstate(invalid="raise"):  # for integers beyond 64 bits beside negative ones NumPy would merely warn
        return pd.array(values, dtype=dtype)


def _typed(name: str, values: list[Any], dtype: Any) -> Any:
    import numpy as np
    import pandas as pd

    if dtype == "time":
        return _times(name, values)
    if dtype == "category":
        known = _CATEGORIES[name]
        new = sorted({value for value in values if value is not None}.difference(known))
        return pd.Categorical(values, categories=[*known, *new])
    if dtype == "float64":
        return np.array(values, dtype="float64")  # None becomes NaN
    try:
        return _array(values, dtype)
    except (TypeError, ValueError, ArithmeticError) as problem:
        # A tempo of 92.5 or a seed beyond 64 bits is worth more than the dtype that it breaks.
        other: Any = "Float64" if name == "bpm" else "object"
        _warn(name, problem, f"its dtype is {other}, not {dtype}")
        return pd.array(values, dtype=other)


def _times(name: str, values: list[str | None]) -> Any:
    import pandas as pd

    try:
        return pd.to_datetime(pd.Series(values, dtype="str"), format="ISO8601", utc=True).dt.as_unit("ns")
    except ValueError as problem:  # not a time, or one that nanoseconds cannot count
        _warn(name, problem, "what cannot be read is NaT")
    return pd.Series([_nanoseconds(value) for value in values], dtype="datetime64[ns, UTC]")


def _nanoseconds(value: str | None) -> Any:
    import pandas as pd

    try:
        moment = parse_time(value)
        return pd.NaT if moment is None else pd.Timestamp(moment).as_unit("ns")
    except ValueError:
        return pd.NaT


def _warn(name: str, problem: Exception, so: str) -> None:
    reason = str(problem).partition("\n")[0]
    notices.warn(ServiceWarning(f"Column {name!r} is not as documented ({reason}); {so}."))
