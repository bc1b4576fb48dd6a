"""The library as it is kept: frames, without a connection."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from finetuning.errors import MissingExtraError
from finetuning.frames import generations_frame

from . import places, tables
from .playlists import PLAYLISTS, TRACKS, no_playlists, no_tracks
from .snapshots import ACCOUNTS, no_snapshots
from .syncing import GENERATIONS
from .tables import GONE

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Library", "require"]


def require() -> None:
    """Check that what reads and writes Parquet is installed.

    Raises
    ------
    MissingExtraError
        It is not.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError("What reads and writes Parquet (pyarrow)", "analysis")


class Library:
    """What `client.library.sync()` keeps on this machine, read without a connection.

    Each table is one Parquet file in `path`, which pandas, DuckDB and polars read as it is:
    `generations.parquet`, `playlists.parquet`, `playlist_tracks.parquet`, `accounts.parquet`.

    Parameters
    ----------
    folder
        Where they are; `Library.open` finds it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    @classmethod
    def open(cls, where: str | os.PathLike[str] | None = None) -> Library:
        """Open a library without a client.

        Parameters
        ----------
        where
            Its folder, or the id of its account; None where there is one only.

        Raises
        ------
        LibraryError
            There is none, or more than one; the message names those that there are.
        """
        return Library(places.opened(where))

    @property
    def path(self) -> Path:
        """The folder of the files: `duckdb.sql(f"from '{library.path}/generations.parquet'")`.

        Raises
        ------
        LibraryError
            Nothing has been synced with this key yet.
        """
        return self._folder

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._folder)!r})"

    def generations(self, *, gone: bool = False) -> pd.DataFrame:
        """Return the generations, newest first, as of the last sync.

        Parameters
        ----------
        gone
            Whether to return those, too, that have been deleted.

        Returns
        -------
        DataFrame
            The columns and dtypes of `client.generations()`, and `gone_at`: when it was noticed that a generation is
            not in the library any more, which is later than its deletion. What the service's listing leaves out
            (`generation_time`, `error_message`, …) is there for what was synced with `details=True`. Where the
            service sends what is neither text, number nor truth, the column holds it as JSON text.

        Raises
        ------
        LibraryError
            Nothing was synced yet, or the file is damaged.
        MissingExtraError
            pyarrow is not installed.
        """
        return self._frame(GENERATIONS, lambda: tables.with_gone(tables.arrow_of(generations_frame([]))), gone=gone)

    def playlists(self, *, gone: bool = False) -> pd.DataFrame:
        """Return the playlists, as `client.playlists()` does, and `gone_at`; errors as for `generations`.

        Parameters
        ----------
        gone
            Whether to return those, too, that have been deleted.
        """
        return self._frame(PLAYLISTS, no_playlists, gone=gone)

    def playlist_tracks(self) -> pd.DataFrame:
        """Return which tracks stand in which playlist, in their order; errors as for `generations`.

        Returns
        -------
        DataFrame
            `playlist_id`, `position` (from 1), `id` and `title` of the track. A playlist that was deleted keeps the
            tracks that it had.
        """
        frame = self._frame(TRACKS, no_tracks)
        return frame.sort_values(["playlist_id", "position"], kind="stable", ignore_index=True)

    def accounts(self) -> pd.DataFrame:
        """Return what the account had at each sync, oldest first; errors as for `generations`.

        A sync adds a row where anything changed since the last one, and at least one a day (UTC).

        Returns
        -------
        DataFrame
            `at`, `tier`, and in credits `monthly_generations`, `generations_used`, `monthly_remaining`,
            `pack_credits`, `total_remaining`; `queue_depth` in generations.
        """
        return self._frame(ACCOUNTS, no_snapshots)

    def _frame(self, name: str, empty: Callable[[], pa.Table], *, gone: bool = True) -> pd.DataFrame:
        require()
        table = tables.read(self.path / f"{name}.parquet")
        if table is None:
            table = empty()
        if not gone:
            table = table.filter(table[GONE].is_null())
        return tables.frame_of(table)
