"""The verbs that fetch sound."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetuning import errors, parameters
from finetuning.audio.cache import SoundCache
from finetuning.audio.downloads import fetch_bytes, fetch_file
from finetuning.audio.names import file_names
from finetuning.records import Generation
from finetuning.selections import Tracks, ids_of

from .reading import Reading
from .sender import Progress

__all__ = ["Downloaded", "Listening", "audio_url"]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What became of one download: `path` and `size` in bytes, or the `error` that stopped it."""

    id: str
    path: Path | None = None
    size: int | None = None
    error: errors.FinetuningError | None = None


class Listening(Reading):
    """Fetches the sound of generations."""

    _sounds: SoundCache

    async def audio(self, id: str) -> bytes:  # noqa: A002 - the wire's name
        """Return the MP3 of one generation, in memory.

        What was fetched lately is kept, up to 64 MiB: the sound of a generation never changes, and what was deleted
        a moment ago can still be heard once more.
        """
        sound = self._sounds.get(id)
        if sound is None:
            sound = await fetch_bytes(self._transport, audio_url(await self.generation(id)))
            self._sounds.put(id, sound)
        return sound

    async def records_of_unheard(self, ids: Sequence[str]) -> dict[str, Generation | errors.FinetuningError]:
        """Look up what `sounds` needs to know of these ids; what was fetched lately needs no looking up."""
        unheard = [id_ for id_ in ids if self._sounds.get(id_) is None]
        return dict(zip(unheard, await self.find_generations(unheard), strict=True)) if unheard else {}

    async def sounds(
        self, ids: Sequence[str], records: Mapping[str, Generation | errors.FinetuningError], *, at_once: int = 8
    ) -> list[bytes | errors.FinetuningError]:
        """Return the MP3s of several generations, in memory, each or what stands in its way.

        Parameters
        ----------
        ids
            Which, in this order.
        records
            What was found of them; what is not in there is looked up if it has to be fetched.
        at_once
            How many at the same time.
        """
        gate = asyncio.Semaphore(at_once)

        async def one(id_: str) -> bytes | errors.FinetuningError:
            async with gate:
                record = records.get(id_)
                try:
                    if not isinstance(record, Generation):
                        if record is not None:
                            raise record
                        return await self.audio(id_)
                    sound = await fetch_bytes(self._transport, audio_url(record))
                except errors.FinetuningError as error:
                    return error
                self._sounds.put(id_, sound)
                return sound

        return await asyncio.gather(*map(one, ids))

    async def download(
        self,
        tracks: Tracks,
        folder: str | Path = ".",
        *,
        overwrite: bool = False,
        at_once: int = 4,
        progress: Progress | None = None,
    ) -> list[Downloaded]:
        """Download tracks into a folder, several at once, each under its final name only when it is whole.

        Parameters
        ----------
        tracks
            Any selection.
        folder
            Made if it is not there; `~` is the home folder. Names are `<title>-<first 8 characters of the id>.mp3`.
        overwrite
            Fetch again what is there.
        at_once
            How many at the same time.
        progress
            Called with the number of tracks finished and in all.

        Returns
        -------
        list of Downloaded
            One for each track, in order; a track that failed has its `error`.
        """
        ids = ids_of(tracks)
        at_once = parameters.whole("at_once", at_once)
        if at_once < 1:
            raise errors.ParameterError(f"at_once={at_once} is not 1 or more.", parameter="at_once", value=at_once)
        try:
            target = Path(folder).expanduser()
            if b"\0" in os.fsencode(target):  # which also refuses half of a surrogate pair
                raise ValueError("no path holds a null character")
        except (TypeError, ValueError, RuntimeError) as problem:
            why = str(problem).rstrip(".")
            raise errors.ParameterError(
                f"folder={parameters.shown(folder)} is not a folder: {why}.", parameter="folder", value=folder
            ) from None
        gate = asyncio.Semaphore(at_once)
        finished = 0

        async def fetch(found: Generation | errors.FinetuningError, id_: str) -> Downloaded:
            nonlocal finished
            async with gate:
                try:
                    if isinstance(found, errors.FinetuningError):
                        raise found
                    path = target / names[found.id]
                    size = await fetch_file(self._transport, audio_url(found), path, overwrite=overwrite)
                    result = Downloaded(id_, path, size)
                except errors.FinetuningError as error:
                    result = Downloaded(id_, error=error)
            finished += 1
            if progress:
                progress(finished, len(ids))
            return result

        found = await self.find_generations(ids)
        names = file_names(item for item in found if isinstance(item, Generation))
        return await asyncio.gather(*map(fetch, found, ids))


def audio_url(generation: Generation) -> str:
    """Return where the sound is.

    Raises
    ------
    DownloadError
        There is none yet, or there never will be.
    """
    if generation.audio_url and generation.status == "completed":
        return generation.audio_url
    hint = {
        "failed": generation.error_message or "The service gave no reason.",
        "completed": "The service lists it as completed, without an address; ask again in a moment.",
    }.get(generation.status or "", "Wait for it: client.wait(id).")
    raise errors.DownloadError(
        f"{generation.id} is {generation.status or 'of unknown status'} and has no audio.", hint=hint
    )
