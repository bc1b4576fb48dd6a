"""`df.ft`: the verbs on a DataFrame of tracks.

The accessor holds nothing but the frame. The verbs go to the client that was made last in this process and is still
open, or to the one that is passed.
"""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from finetuning.errors import FinetuningError
from finetuning.selections import ids_of

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.bulk import BulkOutcome

__all__ = ["TrackVerbs", "Verbs", "current", "register"]


class Verbs(Protocol):
    """What the accessor needs of a client; `Client` has it."""

    def add_tracks(self, playlist: Any, tracks: Any) -> BulkOutcome:
        """Add."""
        ...

    def remove_tracks(self, playlist: Any, tracks: Any) -> BulkOutcome:
        """Remove."""
        ...

    def move_tracks(self, source: Any, target: Any, tracks: Any) -> BulkOutcome:
        """Move."""
        ...

    def delete_tracks(self, tracks: Any, *, yes: bool = False) -> BulkOutcome:
        """Delete."""
        ...

    def download(self, tracks: Any, folder: str | Path = ".", *, overwrite: bool = False) -> pd.DataFrame:
        """Download."""
        ...

    def measure(self, tracks: Any) -> pd.DataFrame:
        """Measure."""
        ...

    def play(self, tracks: Any, *, rows: str | None = None, columns: str | None = None, page: str | None = None) -> Any:
        """Play."""
        ...


#: The clients of this process, the newest last: the one piece of state, kept out of the frames on purpose.
_clients: list[weakref.ref[Any]] = []


def current() -> Verbs:
    """Return the client that was made last and is not closed.

    Raises
    ------
    FinetuningError
        There is none.
    """
    for reference in reversed(_clients):
        client = reference()
        if client is not None and not client.closed:
            found: Verbs = client
            return found
    raise FinetuningError(
        "df.ft has no client to work with.", hint="Connect first, client = ft.connect(), or pass client=."
    )


def register(client: Any) -> None:
    """Make `client`, which has `Verbs` and `closed`, the one that `df.ft` works with, and give DataFrames `ft`."""
    import pandas as pd

    _clients[:] = [known for known in _clients if known() is not None]
    _clients.append(weakref.ref(client))
    if getattr(pd.DataFrame, "ft", None) is not TrackVerbs:
        pd.api.extensions.register_dataframe_accessor("ft")(TrackVerbs)


class TrackVerbs:
    """The verbs for the tracks of a frame, which needs an `id` column."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def __repr__(self) -> str:
        return f"<ft: {len(self._frame)} row(s); add_to, remove_from, move, delete, download, play, measure>"

    @property
    def ids(self) -> list[str]:
        """The ids of the rows, each once, in order."""
        return ids_of(self._frame)

    def add_to(self, playlist: Any, *, client: Verbs | None = None) -> BulkOutcome:
        """Add these tracks to a playlist of yours, by name, id, record or row."""
        return (client or current()).add_tracks(playlist, self._frame)

    def remove_from(self, playlist: Any, *, client: Verbs | None = None) -> BulkOutcome:
        """Remove these tracks from a playlist of yours."""
        return (client or current()).remove_tracks(playlist, self._frame)

    def move(self, source: Any, target: Any, *, client: Verbs | None = None) -> BulkOutcome:
        """Move these tracks from one playlist to another."""
        return (client or current()).move_tracks(source, target, self._frame)

    def delete(self, *, yes: bool = False, client: Verbs | None = None) -> BulkOutcome:
        """Delete these tracks for good; needs `yes=True`."""
        return (client or current()).delete_tracks(self._frame, yes=yes)

    def download(
        self, folder: str | Path = ".", *, overwrite: bool = False, client: Verbs | None = None
    ) -> pd.DataFrame:
        """Download these tracks into a folder; returns `id`, `path`, `bytes`, `error`."""
        return (client or current()).download(self._frame, folder, overwrite=overwrite)

    def play(
        self,
        *,
        rows: str | None = None,
        columns: str | None = None,
        page: str | None = None,
        client: Verbs | None = None,
    ) -> Any:
        """Show these tracks in an audition deck, spread over `rows`, `columns` and `page`; see `Deck`."""
        return (client or current()).play(self._frame, rows=rows, columns=columns, page=page)

    def measure(self, *, client: Verbs | None = None) -> pd.DataFrame:
        """Measure the sound of these tracks; returns the frame with the measured columns beside it."""
        return (client or current()).measure(self._frame)
