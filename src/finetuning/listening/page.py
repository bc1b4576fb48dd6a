"""`listening_page`: a folder with players, to be sent, put on any host, or opened as it is."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning.accessor import current
from finetuning.errors import FinetuningError, ParameterError
from finetuning.selections import Tracks

from .folder import INDEX, PageFolder
from .gathering import Entry, fetch, gather
from .markup import HIDDEN, render

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client

__all__ = ["ListeningPage", "listening_page"]


@dataclass(frozen=True)
class ListeningPage:
    """A page that was written; wherever a path is wanted it is the one of its `index.html`.

    Attributes
    ----------
    path : Path
        The page.
    tracks : int
        How many of them play.
    files, bytes : int
        How many files the page consists of, and how large they are together.
    missing : DataFrame
        `id`, `title` and `reason` of the rows that have no sound; they are listed on the page too.
    """

    path: Path
    tracks: int
    files: int
    bytes: int
    missing: pd.DataFrame

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def summary(self) -> str:
        """One line: `12 track(s), 13 file(s), 4.2 MB; 2 row(s) without sound`."""
        left = f"; {len(self.missing):,} row(s) without sound" if len(self.missing) else ""
        return f"{self.tracks:,} track(s), {self.files:,} file(s), {self.bytes / 1e6:,.1f} MB{left}"

    def __repr__(self) -> str:
        reasons = [f"{title}: {reason}" for title, reason in zip(self.missing.title, self.missing.reason, strict=True)]
        return "\n  ".join([f"{self.path}: {self.summary}", *reasons])

    def _repr_html_(self) -> str:
        path = html.escape(str(self.path))
        items = "".join(
            f"<li dir='auto'>{html.escape(f'{title}: {reason}')}</li>"
            for title, reason in zip(self.missing.title, self.missing.reason, strict=True)
        )
        return (
            f"<div><b><code>{path}</code></b>: {html.escape(self.summary)}{f'<ul>{items}</ul>' if items else ''}</div>"
        )


def listening_page(
    tracks: Tracks,
    folder: str | os.PathLike[str],
    *,
    title: str | None = None,
    description: str | None = None,
    columns: Sequence[str] | None = None,
    client: Client | None = None,
) -> ListeningPage:
    """Write a page with players for these tracks: `index.html` and the sounds beside it, and nothing from a network.

    It plays from a folder as from any static host, in light and dark, on a telephone and by keyboard: space plays and
    pauses, the arrows wind by five seconds and go from track to track. Written again into the same folder it is brought
    up to date: sounds that are there are kept, and what an earlier page wrote and this one does not need is removed;
    other files in the folder are never touched.

    Parameters
    ----------
    tracks
        Any selection. Of a frame also `rating`, `note` or `notes` are shown, files named in a column `path` are taken
        instead of being fetched, and rows that failed, are not finished or were never made are listed with the reason.
    folder
        Made if it is not there.
    title, description
        Of the page; the description may have several lines.
    columns
        What to show of each track, instead of tempo, key, metre and seed.
    client
        Fetches the sounds; by default the client that was made last.

    Returns
    -------
    ListeningPage
        May be used as a path; says how many files and bytes it has, and what is missing.

    Raises
    ------
    SelectionError
        The selection is empty, or names no tracks.
    ParameterError
        The folder cannot be used or holds another page, a title or description is no text, a column is not there or
        not to be shared, or sounds must be fetched and there is no client.
    """
    import pandas as pd

    if not isinstance(folder, str | os.PathLike):
        raise ParameterError(
            f"folder={folder!r} is no path.", parameter="folder", value=folder, hint='Such as "page/".'
        )
    for name, words in (("title", title), ("description", description)):
        if not isinstance(words, str | None):
            raise ParameterError(f"{name}={words!r} is no text.", parameter=name, value=words, hint="Pass a str.")
    chosen = None if columns is None else [columns] if isinstance(columns, str) else list(columns)
    hidden = [name for name in chosen or [] if name in HIDDEN]
    if hidden:
        raise ParameterError(
            f"The column {hidden[0]!r} is not for a page that is shared.", parameter="columns", value=hidden[0]
        )
    client = client or _current()
    entries = gather(tracks, client)
    known = {name for entry in entries for name in entry.values} | set(getattr(tracks, "columns", []))
    unknown = [name for name in chosen or [] if name not in known]
    if unknown:
        raise ParameterError(
            f"No column is named {unknown[0]!r}.",
            parameter="columns",
            value=unknown[0],
            hint=f"There are: {', '.join(sorted(map(str, known - HIDDEN)))}.",
        )
    place = PageFolder(folder)
    fetch(entries, place, client)
    place.expect([INDEX])
    place.put(INDEX, render(entries, title=title, description=description, columns=chosen).encode())
    sounding = [entry for entry in entries if entry.reason is None]
    sizes = place.finish([INDEX, *(entry.file for entry in sounding)])
    missing = pd.DataFrame(_missing(entries), columns=["id", "title", "reason"]).astype("str")
    return ListeningPage(place.path / INDEX, len(sounding), len(sizes), sum(sizes.values()), missing)


def _current() -> Any:
    """Return the client that was made last, where there is one: a page of files that are there needs none."""
    try:
        return current()
    except FinetuningError:
        return None


def _missing(entries: Sequence[Entry]) -> list[tuple[str, str, str]]:
    return [(entry.id, entry.title, entry.reason) for entry in entries if entry.reason is not None]
