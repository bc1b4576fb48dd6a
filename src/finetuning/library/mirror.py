"""The generations as they are kept: one table, in the order of the listing, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning.frames import generations_frame
from finetuning.records import Generation

from . import tables
from .tables import GONE, Facts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Mirror"]


class Mirror:
    """The table of generations in memory, and what a sync does to it.

    Rows stand in the order of the listing. Those that are gone keep their place, with a mark.

    Parameters
    ----------
    path
        Its file.

    Attributes
    ----------
    ids : list of str
        Of all rows, in order.
    at : dict
        Row number by id.
    gaps : list of str
        Ids directly below which rows may be missing, from the top down.
    new, changed, gone : int
        What was done since it was read.
    """

    def __init__(self, path: Path) -> None:
        table = tables.read(path)
        self.path = path
        if table is None:
            table, facts = tables.with_gone(tables.arrow_of(generations_frame([]))), Facts("generations")
        else:
            facts = tables.facts_of(table, path)
        self._facts = facts
        self.gaps = list(facts.gaps)
        self.verified_at = facts.verified_at
        self.new = self.changed = self.gone = 0
        self._saved = self._state if path.exists() else None
        self._take(table)

    def _take(self, table: pa.Table) -> None:
        self._table = table
        self.ids: list[str] = table["id"].to_pylist()
        self.at = {id_: number for number, id_ in enumerate(self.ids)}
        self._live = table[GONE].is_null().to_pylist()

    @property
    def _state(self) -> tuple[Any, ...]:
        return self.new, self.changed, self.gone, tuple(self.gaps), self.verified_at

    def live(self, first: int = 0, stop: int | None = None) -> list[str]:
        """Return the ids of a range of rows, without those that are gone."""
        rows = slice(first, stop)
        return [id_ for id_, here in zip(self.ids[rows], self._live[rows], strict=True) if here]

    def is_live(self, id_: str) -> bool:
        """Whether there is such a row, and it is not gone."""
        return id_ in self.at and self._live[self.at[id_]]

    def unfinished(self, since: datetime) -> list[str]:
        """Return the ids of what was not finished when it was last read, and is not older than a moment."""
        import pyarrow.compute as pc

        ended = pc.is_in(self._table["status"], value_set=_array(["completed", "failed"]))
        recent = pc.fill_null(pc.greater_equal(self._table["created_at"], _scalar(since)), True)
        wanted = pc.and_(pc.and_(pc.invert(ended), recent), self._table[GONE].is_null())
        found: list[str] = self._table["id"].filter(wanted).to_pylist()
        return found

    def undetailed(self) -> list[str]:
        """Return the ids of what is finished and was never asked for by itself, as far as its fields tell."""
        import pyarrow.compute as pc

        ended = pc.is_in(self._table["status"], value_set=_array(["completed", "failed"]))
        bare = pc.and_(self._table["generation_time"].is_null(), self._table["download_count"].is_null())
        found: list[str] = (
            self._table["id"].filter(pc.and_(pc.and_(ended, bare), self._table[GONE].is_null())).to_pylist()
        )
        return found

    def merge(self, rows: Sequence[Generation]) -> None:
        """Take over rows that follow each other in the listing.

        Known ones are refreshed where they stand: what the listing leaves out (the time that a generation took, say)
        is kept. New ones are put below the one that they follow, and at the top where the first is new.

        Parameters
        ----------
        rows
            As they were listed; a row that comes twice counts where it came first.
        """
        import numpy as np
        import pyarrow as pa

        unique = {row.id: row for row in rows}
        if not unique:
            return
        count = len(self.ids)
        incoming = tables.with_gone(tables.arrow_of(generations_frame(unique.values())))
        both = tables.joined([self._table, incoming])
        order = np.arange(count)
        places: list[int] = []
        numbers: list[int] = []
        known: list[tuple[int, int]] = []
        place = 0
        for number, id_ in enumerate(unique, count):
            there = self.at.get(id_)
            if there is None:
                places.append(place)
                numbers.append(number)
            else:
                known.append((there, number))
                place = there + 1
        mended: list[dict[str, Any]] = []
        olds = both.take(np.array([there for there, _ in known], "int64")).to_pylist()
        news = both.take(np.array([number for _, number in known], "int64")).to_pylist()
        for (there, _), old, new in zip(known, olds, news, strict=True):
            row = {**old, **{name: value for name, value in new.items() if value is not None}, GONE: None}
            if row != old:
                order[there] = both.num_rows + len(mended)
                mended.append(row)
        if mended:
            both = pa.concat_tables([both, pa.Table.from_pylist(mended, schema=both.schema)])
        self.new += len(numbers)
        self.changed += len(mended)
        if numbers or mended:
            # A table of many small pieces is slow to search and to write: taking rows puts them into one.
            self._take(both.take(np.insert(order, np.array(places, "int64"), numbers)).combine_chunks())

    def mark_gone(self, ids: Iterable[str], at: datetime) -> None:
        """Say of rows that they are not in the listing any more; they stay."""
        import pyarrow.compute as pc

        lost = [id_ for id_ in ids if self.is_live(id_)]
        if not lost:
            return
        marks = pc.if_else(pc.is_in(self._table["id"], value_set=_array(lost)), _scalar(at), self._table[GONE])
        self._take(self._table.set_column(self._table.schema.get_field_index(GONE), GONE, marks))
        self.gone += len(lost)

    def save(self) -> None:
        """Write the file, if there is anything new to write."""
        if self._state != self._saved:
            self._facts.gaps, self._facts.verified_at = self.gaps, self.verified_at
            tables.write(self.path, self._table, self._facts)
            self._saved = self._state


def _array(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, type=pa.large_string())


def _scalar(moment: datetime) -> Any:
    import pyarrow as pa

    return pa.scalar(moment, type=pa.timestamp("us", tz="UTC"))
