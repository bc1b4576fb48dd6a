"""What goes onto a page: each row of the selection, with its sound or the reason why it has none."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from finetuning import errors
from finetuning.audio.downloads import fetch_file
from finetuning.audio.names import file_names
from finetuning.audio.sound import read_sound
from finetuning.client.listening import audio_url
from finetuning.frames import generations_frame
from finetuning.records import Generation
from finetuning.selections import ids_of

from .folder import AUDIO, PageFolder
from .waveform import heights, outline

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

__all__ = ["Entry", "fetch", "gather"]

_AT_ONCE: Final = 4
_SUFFIXES: Final = frozenset({".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a"})
_ADDRESS: Final = re.compile(r"https?://\S+?(?=[.,;]?(\s|$))")


@dataclass
class Entry:
    """A row of the page.

    Attributes
    ----------
    values
        What is known of the track, by column.
    reason
        Why there is no sound, where there is none.
    source
        A file of the user's, or the record whose sound the media host has.
    file
        The name of the sound, relative to the page.
    picture
        The outline of the waveform; empty where what reads sound is not installed.
    """

    values: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    source: Path | Generation | None = None
    file: str = ""
    picture: str = ""

    @property
    def id(self) -> str:
        """The track's id; empty where it never got one."""
        return str(self.values.get("id") or "")

    @property
    def title(self) -> str:
        """What it is called: the title, else the prompt."""
        return str(self.values.get("title") or self.values.get("prompt") or self.id or "Untitled")

    def refuse(self, reason: str) -> None:
        """Say why it has no sound; addresses, which mean something on this machine only, are left out."""
        self.reason, self.source, self.file = _ADDRESS.sub("its address", reason), None, ""


def gather(tracks: Any, client: Client | None) -> list[Entry]:
    """Return an entry for each row, in order, and each id once.

    Parameters
    ----------
    tracks
        Any selection. Rows of a frame without an id, as a run has of takes that were never made, are kept with their
        reason; a column `path` names files that are there already.
    client
        Who looks up what has no file; needed only where there is such a track.
    """
    import pandas as pd

    if isinstance(tracks, pd.DataFrame) and ("id" in tracks.columns or "id" in tracks.index.names):
        frame = tracks if "id" in tracks.columns else tracks.reset_index()
        if frame["id"].notna().any():
            ids_of(frame.dropna(subset=["id"]))  # refuses what is no frame of tracks
        rows = [_known(row) for row in frame.astype(object).to_dict("records")]
    else:
        rows = [{"id": id_} for id_ in ids_of(tracks)]
    if not rows:
        raise errors.SelectionError(
            "The selection is empty.", hint="Nothing was written. Check the condition that selects the rows."
        )
    entries: dict[Any, Entry] = {}
    for place, row in enumerate(rows):
        entries.setdefault(row.get("id") or place, Entry(row))
    _look_up(list(entries.values()), client)
    _name(list(entries.values()))
    return list(entries.values())


def fetch(entries: list[Entry], folder: PageFolder, client: Client | None) -> None:
    """Bring the sounds into the folder, and draw them; what fails is told in its entry."""
    wanted = [entry for entry in entries if entry.source is not None]
    folder.expect([entry.file for entry in wanted])
    distant = [entry for entry in wanted if isinstance(entry.source, Generation) and not folder.holds(entry.file)]
    if distant and client is not None:
        with client.progress.counting("downloading", len(distant), unit="track") as meter:
            client.call(_download(distant, folder, client, meter), meter)
    for entry in wanted:
        if isinstance(entry.source, Path):
            try:
                folder.put(entry.file, entry.source)
            except OSError as problem:
                entry.refuse(f"{entry.source.name} cannot be copied: {problem.strerror or problem}")
    for entry in wanted:
        if entry.reason is None:
            _draw(entry, folder)


def _known(row: Mapping[Any, Any]) -> dict[str, Any]:
    import pandas as pd

    return {str(name): value for name, value in row.items() if not (pd.api.types.is_scalar(value) and pd.isna(value))}


def _look_up(entries: list[Entry], client: Client | None) -> None:
    """Find out where each sound is; what the service says now goes before what a frame said then."""
    for entry in entries:
        path = entry.values.get("path")
        if not entry.id:
            entry.refuse(str(entry.values.get("error_message") or "it was never made"))
        elif path is not None and Path(path).is_file():
            entry.source = Path(path)
    asked = [entry for entry in entries if entry.id and entry.source is None]
    if not asked:
        return
    if client is None:
        raise errors.ParameterError(
            f"The sound of {len(asked)} track(s) is not on this machine.",
            parameter="client",
            hint="Connect first, client = ft.connect(), or pass client=.",
        )
    with client.progress.saying("looking tracks up") as meter:
        found = client.call(client.asynchronous.find_generations([entry.id for entry in asked]), meter)
    failed = [each for each in found if isinstance(each, Generation) and each.status == "failed"]
    detailed = {each.id: each for each in client.call(client.asynchronous.detailed(failed))}  # with the reason
    for entry, each in zip(asked, found, strict=True):
        if isinstance(each, errors.NotFoundError):
            entry.refuse("it is not in the library any more")
            continue
        if not isinstance(each, Generation):
            raise each
        record = detailed.get(each.id, each)
        entry.values |= _known(generations_frame([record]).astype(object).to_dict("records")[0])
        if record.status == "failed":
            entry.refuse(f"it failed: {record.error_message or 'the service gave no reason'}")
        elif record.status != "completed" or not record.audio_url:
            entry.refuse(f"it is not finished: {record.status or 'of unknown status'}")
        else:
            entry.source = record


def _name(entries: list[Entry]) -> None:
    """Name the files as downloads are named; no title leads out of the folder."""
    sounding = [entry for entry in entries if entry.source is not None]
    names = file_names(
        Generation(id=entry.id, title=entry.values.get("title"), prompt=entry.values.get("prompt"))
        for entry in sounding
    )
    for entry in sounding:
        suffix = entry.source.suffix.lower() if isinstance(entry.source, Path) else ".mp3"
        stem = names[entry.id].removesuffix(".mp3")
        entry.file = f"{AUDIO}/{stem}{suffix if suffix in _SUFFIXES else '.mp3'}"


async def _download(entries: list[Entry], folder: PageFolder, client: Client, progress: Any) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def one(entry: Entry) -> None:
        nonlocal done
        if not isinstance(entry.source, Generation):
            return
        async with gate:
            try:
                url = audio_url(entry.source)
                path = folder.path / entry.file
                await fetch_file(client.asynchronous.transport, url, path, overwrite=entry.file in folder.before)
            except errors.FinetuningError as error:
                entry.refuse(error.message)
        done += 1
        progress(done, len(entries))

    await asyncio.gather(*map(one, entries))


def _draw(entry: Entry, folder: PageFolder) -> None:
    try:
        sound = read_sound(folder.path / entry.file)
    except errors.MissingExtraError:
        return  # the page plays without pictures
    except errors.MeasureError as error:
        entry.refuse(error.message.replace(str(folder.path), "").lstrip("'"))
        return
    entry.picture = outline(heights(sound))
    entry.values["duration"] = sound.duration
