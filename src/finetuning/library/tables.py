"""Parquet files: records to Arrow and back, read and written as a whole.

A table of 100,000 generations takes 5 MB; it is written in 0.1–0.3 s and read in 0.05 s. So each table is one file,
written anew beside the old one and then put in its place: whoever reads it sees each row once, and never half a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from finetuning.errors import LibraryError
from finetuning.records import KEYS, SCALES, STATUSES

from .files import beside, replaced

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["GONE", "Facts", "arrow_of", "facts_of", "frame_of", "joined", "read", "with_gone", "write"]

FORMAT: Final = 1
#: Column with the moment at which a row's absence was noticed.
GONE: Final = "gone_at"
_FACTS: Final = b"finetuning"
_CATEGORIES: Final = {"status": STATUSES, "key": KEYS, "scale": SCALES}


class Facts(msgspec.Struct):
    """What a file says about itself, in its schema's metadata.

    Attributes
    ----------
    table
        Which table it is.
    format
        Of the version that wrote it. One that is newer may have more columns, which are kept.
    needs
        The oldest format that a reader must know.
    gaps
        Of the generations: ids directly below which rows may be missing, since a sync was interrupted there.
    verified_at
        Of the generations: when the whole listing was last looked through for deletions, in seconds since the epoch.
    """

    table: str
    format: int = FORMAT
    needs: int = 1
    gaps: list[str] = []
    verified_at: float | None = None


def arrow_of(frame: pd.DataFrame) -> pa.Table:
    """Turn a frame of `finetuning.frames` into Arrow.

    Categories become text, times microseconds, which every reader of Parquet knows; what has no type of its own there
    (objects, lists, numbers of more than 64 bits) becomes JSON text.
    """
    import pandas as pd
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            columns[str(name)] = pa.array(column.astype("str"), type=pa.large_string(), from_pandas=True)
        elif isinstance(column.dtype, pd.DatetimeTZDtype):
            columns[str(name)] = pa.array(column.dt.as_unit("us"), type=_moment())
        elif column.dtype == object:
            columns[str(name)] = pa.array([_text(value) for value in column])
        else:
            columns[str(name)] = pa.array(column, from_pandas=True)
    return pa.table(columns)


def _moment() -> Any:
    import pyarrow as pa

    return pa.timestamp("us", tz="UTC")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def with_gone(table: pa.Table) -> pa.Table:
    """Add the column that says since when a row is gone: empty."""
    import pyarrow as pa

    return table.append_column(GONE, pa.nulls(table.num_rows, _moment()))


def joined(tables: list[pa.Table]) -> pa.Table:
    """Put tables below each other; a column that only some have is empty in the others."""
    import pyarrow as pa

    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # a field of the service's that changed its type: both are text then
        return pa.concat_tables(_as_text(tables), promote_options="permissive")


def _as_text(tables: list[pa.Table]) -> list[pa.Table]:
    import pyarrow as pa

    kinds: dict[str, set[Any]] = {}
    for table in tables:
        for field in table.schema:
            kinds.setdefault(field.name, set()).add(field.type)
    for name, types in kinds.items():
        try:
            pa.unify_schemas([pa.schema([(name, kind)]) for kind in types], promote_options="permissive")
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            tables = [_cast(table, name, pa.large_string()) for table in tables]
    return tables


def _cast(table: pa.Table, name: str, kind: Any) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table if at < 0 else table.set_column(at, name, table.column(at).cast(kind))


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Turn a table into a frame with the dtypes of `finetuning.frames`."""
    import pandas as pd
    import pyarrow as pa

    dtypes = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas(types_mapper=dtypes.get)
    for name, column in frame.items():
        if name in _CATEGORIES:
            known = _CATEGORIES[str(name)]
            new = sorted(set(column.dropna()).difference(known))
            frame[name] = pd.Categorical(column, categories=[*known, *new])
        elif isinstance(column.dtype, pd.DatetimeTZDtype):
            frame[name] = column.dt.as_unit("ns")
    return frame


def read(path: Path) -> pa.Table | None:
    """Read a table; None where there is none yet.

    Raises
    ------
    LibraryError
        The file is damaged, somebody else's, or of a version that this one cannot read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Not mapped into memory: where files are locked while they are, a sync could not put a new one in its place.
        table = pq.read_table(path, memory_map=False, partitioning=None)
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(path, f"it cannot be read as Parquet ({str(problem).splitlines()[0]})") from None
    facts = facts_of(table, path)
    if facts.needs > FORMAT:
        raise LibraryError(
            f"{path} was written by a newer version of finetuning (format {facts.format}).",
            hint="Upgrade this one: pip install -U finetuning",
        )
    for name in _CATEGORIES:
        table = _cast(table, name, pa.large_string())
    return table


def facts_of(table: pa.Table, path: Path) -> Facts:
    """Read what a file says about itself.

    Raises
    ------
    LibraryError
        It is not a file of this package, or of another table.
    """
    try:
        facts = msgspec.json.decode((table.schema.metadata or {})[_FACTS], type=Facts)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        raise _unreadable(path, "it was not written by finetuning") from None
    if facts.table != path.stem:
        raise _unreadable(path, f"it holds {facts.table}")
    return facts


def _unreadable(path: Path, why: str) -> LibraryError:
    lost = (
        "Credits of days gone by are in this file alone: look for a copy of it first."
        if path.stem == "accounts"
        else "The next sync then reads everything again."
    )
    return LibraryError(f"{path} is not the library's: {why}.", hint=f"Move it out of the folder. {lost}")


def write(path: Path, table: pa.Table, facts: Facts) -> None:
    """Put a table in the place of the one that was there, with what pandas needs to restore the dtypes.

    Raises
    ------
    LibraryError
        It cannot be written; what was there is as it was.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in _CATEGORIES:
        table = _cast(table, name, pa.dictionary(pa.int32(), pa.large_string()))
    dtypes = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    empty = table.slice(0, 0).replace_schema_metadata(None).to_pandas(types_mapper=dtypes.get)
    told = pa.Schema.from_pandas(empty, preserve_index=False).metadata
    table = table.replace_schema_metadata({**told, _FACTS: msgspec.json.encode(facts)})
    repeated = ("prompt", "type", "language", "playlist_id", "tier", *_CATEGORIES)
    try:
        pq.write_table(
            table,
            beside(path),
            compression="zstd",
            use_dictionary=[name for name in repeated if name in table.schema.names],
        )
        replaced(path)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise LibraryError(
            f"{path} cannot be written: {reason}.", hint="What it holds is as it was; make room, then sync again."
        ) from None
