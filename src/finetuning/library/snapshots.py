"""What the account had, day by day: the service tells only what it has now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from finetuning.records import Account, snake_case

from . import tables
from .tables import Facts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ACCOUNTS", "no_snapshots", "take_snapshot"]

ACCOUNTS = "accounts"
_COUNTS: Final = (
    "monthly_generations", "generations_used", "monthly_remaining", "pack_credits", "total_remaining", "queue_depth",
)  # fmt: skip


def no_snapshots() -> pa.Table:
    """Make the table without a row."""
    return _table([])


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pandas as pd

    names = dict.fromkeys(("at", "tier", *_COUNTS)) | dict.fromkeys(name for row in rows for name in row)
    columns: dict[str, Any] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if name == "at":
            columns[name] = pd.Series(values, dtype="datetime64[us, UTC]")
        elif name in _COUNTS:
            columns[name] = pd.array(values, dtype="Int64")
        else:
            columns[name] = pd.Series(values, dtype="str" if name == "tier" else None)
    return tables.arrow_of(pd.DataFrame(columns))


def take_snapshot(folder: Path, account: Account, at: datetime) -> None:
    """Add a row, if anything is other than in the last one, or the day is (in UTC)."""
    path = folder / f"{ACCOUNTS}.parquet"
    kept = tables.read(path)
    limits = account.limits
    more = {snake_case(name): value for name, value in limits.extra.items()}
    row = {"at": at, "tier": account.tier} | {name: getattr(limits, name) for name in _COUNTS} | more
    table = _table([row])
    if kept is None:
        tables.write(path, table, Facts(ACCOUNTS))
        return
    both = tables.joined([kept, table])
    *_, last, new = both.slice(both.num_rows - 2).to_pylist() if kept.num_rows else [{"at": None}, *table.to_pylist()]
    same_day = last["at"] is not None and last["at"].date() == new["at"].date()
    if not same_day or {**last, "at": None} != {**new, "at": None}:
        tables.write(path, both, Facts(ACCOUNTS))
