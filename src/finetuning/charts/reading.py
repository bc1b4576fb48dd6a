"""A frame, or a run, as arrays to draw: what is missing is named, what cannot be drawn is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from finetuning.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Rows", "label", "moments_of", "numbers_of", "plural", "seconds", "table_of"]

#: Column: where it comes from.
_SOURCES: Final = {
    "generation_time": "client.generations(limit=None, details=True) and run.frame have it",
    "rating": "run.frame has it, once takes are rated with run.rate(…) or in a deck",
    "measured_bpm": "df.ft.measure() adds it",
    "measured_key": "df.ft.measure() adds it",
    "measured_scale": "df.ft.measure() adds it",
    "at": "the account snapshots of the local library have it",
}
_DOCUMENTED: Final = "client.generations() and run.frame have it"
_LABELS: Final = {
    "bpm": "tempo (bpm)",
    "created_at": "created (UTC)",
    "day": "day (UTC)",
    "duration": "duration (s)",
    "file_size": "file size (bytes)",
    "generation_time": "generation time (s)",
    "hour": "hour of the day (UTC)",
    "leading_silence": "leading silence (s)",
    "loudness": "loudness (LUFS)",
    "measured_bpm": "measured tempo (bpm)",
    "measured_duration": "measured duration (s)",
    "rating": "rating (1 to 5)",
    "requested_duration": "requested duration (s)",
    "time_signature": "time signature (beats in a bar)",
    "trailing_silence": "trailing silence (s)",
    "true_peak": "true peak (dBTP)",
    "weekday": "day of the week (UTC)",
}


def label(column: str) -> str:
    """Name a column for an axis, with its unit where it has one."""
    return _LABELS.get(column, column.replace("_", " "))


def plural(number: int, word: str) -> str:
    """Say a number of things: `1 take`, `1,200 takes`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def seconds(value: float) -> str:
    """Say seconds, with as many digits as matter."""
    return f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"


def table_of(source: Any, parameter: str = "df") -> pd.DataFrame:
    """Return the frame that is given, or the one of a run.

    Raises
    ------
    ParameterError
        It is neither.
    """
    frame = source if isinstance(source, pd.DataFrame) else getattr(source, "frame", None)
    if not isinstance(frame, pd.DataFrame):
        raise ParameterError(
            f"{parameter} is a {type(source).__name__}, not a DataFrame.",
            parameter=parameter,
            hint="Pass a frame such as client.generations() returns, or a SweepRun.",
        )
    lying = [name for name in frame.index.names if name is not None and name not in frame.columns]
    return frame.reset_index(level=lying) if lying else frame


def numbers_of(values: pd.Series[Any]) -> Numbers:
    """Read numbers, float64; NaN where there is none, or none that is finite."""
    found = pd.to_numeric(values, errors="coerce")
    array: Numbers = found.to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(array), array, np.nan)


def moments_of(values: pd.Series[Any]) -> NDArray[np.datetime64]:
    """Read times of any zone, in UTC, datetime64[us]; those without a zone are taken for UTC."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.full(len(values), np.datetime64("NaT", "us"))
    iso: Any = {} if pd.api.types.is_datetime64_any_dtype(values.dtype) else {"format": "ISO8601"}
    found = pd.to_datetime(values, utc=True, errors="coerce", **iso)
    array: NDArray[np.datetime64] = found.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return array


class Rows:
    """The rows of a frame that are drawn, and a count of the others.

    Parameters
    ----------
    source
        A DataFrame, or a run, whose frame is meant.
    needs
        The columns without which there is nothing to draw.
    once
        Whether rows that repeat an `id` count once.

    Attributes
    ----------
    notes : list of str
        What was left out, in words.

    Raises
    ------
    ParameterError
        It is no frame, a column is missing, or there twice.
    """

    def __init__(self, source: Any, needs: Iterable[str] = (), *, once: bool = True) -> None:
        self.frame = table_of(source)
        self._at = np.arange(len(self.frame))
        self._left: list[str] = []
        self.need(needs)
        if once and "id" in self.frame.columns:
            codes, _ = self.codes("id")
            _, first = np.unique(codes, return_index=True)
            again = np.ones(len(codes), dtype=bool)
            again[first] = False
            self.drop(again & (codes >= 0), "listed twice")

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, name: object) -> bool:
        return name in self.frame.columns

    @property
    def notes(self) -> list[str]:
        """One sentence on what was left out, or none."""
        return [f"Left out: {', '.join(self._left)}."] if self._left else []

    @property
    def reason(self) -> str:
        """Why there are no rows left."""
        return f"of {plural(len(self.frame), 'row')} none is left." if len(self.frame) else "the frame has no rows."

    def need(self, names: Iterable[str]) -> None:
        """Refuse a frame without these columns."""
        missing = [name for name in names if name not in self.frame.columns]
        if missing:
            has = [str(name) for name in self.frame.columns]
            sources = {_SOURCES.get(name, _DOCUMENTED if name in _LABELS else "") for name in missing} - {""}
            shown = ", ".join(has[:30]) + (", …" if len(has) > 30 else "")
            raise ParameterError(
                f"The frame has no column {' and no column '.join(map(repr, missing))}. It has: {shown or 'none'}.",
                parameter=missing[0],
                hint=f"Where it comes from: {'; '.join(sorted(sources))}." if sources else None,
            )

    def column(self, name: str) -> pd.Series[Any]:
        """Return a column of the rows that are left."""
        found: Any = self.frame[name]
        if isinstance(found, pd.DataFrame):
            raise ParameterError(
                f"The frame has {found.shape[1]} columns {name!r}.",
                parameter=name,
                hint="df.loc[:, ~df.columns.duplicated()] keeps the first of each.",
            )
        taken: pd.Series[Any] = found if len(self._at) == len(found) else found.iloc[self._at]
        return taken

    def numbers(self, name: str) -> Numbers:
        """Return a column as float64, NaN where there is none."""
        return numbers_of(self.column(name))

    def moments(self, name: str) -> NDArray[np.datetime64]:
        """Return a column of times as datetime64[us] in UTC."""
        return moments_of(self.column(name))

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return a column as text, "" where there is none."""
        codes, found = self.codes(name)
        words = np.array([*map(str, found), ""], dtype=object)  # what is missing has the code -1: the last
        array: NDArray[np.object_] = words[codes]
        return array

    def codes(self, name: str) -> tuple[NDArray[np.intp], Any]:
        """Return a column as numbers of its distinct values, -1 where there is none, and these values."""
        values = self.column(name)
        try:
            return pd.factorize(values)
        except TypeError:  # lists, or what else cannot be told apart but by how it reads
            return pd.factorize(values.astype(object).map(str).mask(values.isna(), None))

    def drop(self, out: Mask, why: str) -> None:
        """Leave rows out, and count them under `why`; without it, since they are told of elsewhere, they are not."""
        number = int(np.count_nonzero(out))
        if number:
            self._at = self._at[~out]
            self._left += [f"{number:,} {why}"] if why else []

    def drop_unfinished(self, also: Sequence[str] = ()) -> None:
        """Leave out what is not completed, under its status; statuses in `also` are kept as well."""
        if "status" not in self.frame.columns:
            return
        words = self.statuses()
        for word in sorted(set(words) - {"completed", *also}):
            out = words == word
            self.drop(out, word)
            words = words[~out]

    def statuses(self) -> NDArray[np.object_]:
        """Return each row's status; where the service has none, its state within the run."""
        words = self.texts("status")
        if "state" in self.frame.columns:
            words = np.where(words == "", self.texts("state"), words)
        return np.where(words == "", "without a status", words)

    def drop_missing(self, *names: str, negative: bool = True) -> None:
        """Leave out rows in which one of these numbers is missing, or below 0 where `negative` is not allowed."""
        for name in names:
            values = self.numbers(name)
            self.drop(np.isnan(values), f"without {name}")
            if not negative:
                values = self.numbers(name)
                self.drop(values < 0, f"with a negative {name}")

    def drop_timeless(self, name: str) -> None:
        """Leave out rows without this time."""
        self.drop(np.isnat(self.moments(name)), f"without {name}")
