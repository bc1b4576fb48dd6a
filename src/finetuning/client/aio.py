"""The asynchronous client: every verb, awaitable, with records."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from finetuning import errors, parameters, protocol, settings
from finetuning.audio.downloads import fetch_bytes, fetch_file
from finetuning.audio.names import file_names
from finetuning.bulk import BulkOutcome, run_bulk
from finetuning.clock import Clock
from finetuning.keys import ApiKey
from finetuning.records import Account, BulkAnswer, Created, Generation, Playlist
from finetuning.selections import Tracks, ids_of
from finetuning.transport import Answer, Policy, Transport

from .polling import Poller
from .resolving import PlaylistLike, resolve_playlist

__all__ = ["AsyncClient", "Downloaded"]

T = TypeVar("T")
#: Called with how many are done and how many there are, None where nobody knows.
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What became of one download: `path` and `size` in bytes, or the `error` that stopped it."""

    id: str
    path: Path | None = None
    size: int | None = None
    error: errors.FinetuningError | None = None


class AsyncClient:
    """The service, awaitable, with records instead of frames.

    Parameters
    ----------
    api_key
        The key; by default the one that `settings.find_key` finds.
    base_url
        The service; by default the configured or the hosted one.
    policy
        Timeouts, retries, and how long to wait at a rate limit.
    clock
        Time; for tests.
    on_wait
        Called with a reason and seconds before each wait at a limit.

    Examples
    --------
    >>> async with ft.AsyncClient(api_key=key) as client:  # doctest: +SKIP
    ...     generation = await client.generate("lofi chill piano", bpm=85)
    """

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        base_url: str | None = None,
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
        on_wait: Callable[[str, float], None] | None = None,
    ) -> None:
        # Rebound at once: a verbose traceback shows the locals of each frame.
        api_key = ApiKey(api_key) if api_key is not None else settings.find_key()
        base_url = base_url or settings.load().base_url
        self._transport = Transport(base_url, api_key, policy=policy, clock=clock, on_wait=on_wait)
        self._poller = Poller(self._transport)

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self._transport.base_url

    @property
    def transport(self) -> Transport:
        """What sends; for the rooms above that need more than the verbs."""
        return self._transport

    def __repr__(self) -> str:
        return f"AsyncClient({self.base_url!r}, {self._transport.api_key!r})"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def send(self, request: protocol.Request[T]) -> Answer[T]:
        """Send any request of `protocol`; the answer holds the record and the raw body."""
        return await self._transport.send(request)

    async def _value(self, request: protocol.Request[T]) -> T:
        return (await self._transport.send(request)).value

    # Reading

    async def health(self) -> dict[str, Any]:
        """Ask whether the service is up; needs no key."""
        return await self._value(protocol.health())

    async def me(self) -> Account:
        """Return the account: tier and what is left to spend."""
        return await self._value(protocol.me())

    async def generation(self, id: str) -> Generation:  # noqa: A002 - the wire's name
        """Return one generation.

        Raises
        ------
        NotFoundError
            There is none with this id in the library.
        """
        return await self._value(protocol.get_generation(id))

    async def iter_generations(
        self, *, status: str | None = None, limit: int | None = None
    ) -> AsyncIterator[Generation]:
        """Go through the library, newest first, page by page; no row comes twice.

        Parameters
        ----------
        status
            Only those: pending, processing, completed or failed.
        limit
            At most so many; None for all.

        Notes
        -----
        A track that is created meanwhile moves every later row on by one, so that a page begins with a row that
        the page before ended with. Such rows are skipped, and another page is fetched where they leave a gap.
        """
        limit = check_limit(limit)
        seen: set[str] = set()
        offset = 0
        while limit is None or len(seen) < limit:
            # Whole pages, even for the last one: the surplus absorbs rows that moved.
            size = limit if limit is not None and limit <= protocol.PAGE_MAX else protocol.PAGE_MAX
            page = await self._value(protocol.list_generations(size, offset, status))
            for generation in page.generations:
                if generation.id not in seen:
                    seen.add(generation.id)
                    yield generation
                    if len(seen) == limit:
                        return
            if not page.has_more or not page.generations:
                return
            following = page.next_offset
            offset = following if following is not None and following > offset else offset + len(page.generations)

    async def generations(
        self, *, status: str | None = None, limit: int | None = 20, progress: Progress | None = None
    ) -> list[Generation]:
        """Return the newest generations.

        Parameters
        ----------
        status
            Only those: pending, processing, completed or failed.
        limit
            At most so many; None for all.
        progress
            Called with the number of rows so far.
        """
        found: list[Generation] = []
        async for generation in self.iter_generations(status=status, limit=limit):
            found.append(generation)
            if progress and len(found) % protocol.PAGE_MAX == 0:
                progress(len(found), limit)
        return found

    async def playlists(self) -> list[Playlist]:
        """Return all playlists of the account, without their tracks."""
        return (await self._value(protocol.list_playlists())).playlists

    async def playlist(self, playlist: PlaylistLike) -> Playlist:
        """Return one playlist with its tracks, by id, name, record or row of the frame.

        Raises
        ------
        PlaylistNotFoundError, AmbiguousPlaylistError
            No playlist, or more than one, has that name.
        """
        return await self._value(protocol.get_playlist(await resolve_playlist(self, playlist)))

    # Making

    async def generate(
        self,
        tags: str,
        *,
        bpm: float | None = None,
        key: str | None = None,
        scale: str | None = None,
        time_signature: int | str | None = None,
        duration: float | None = None,
        seed: int | None = None,
        lyrics: str | None = None,
        language: str | None = None,
        webhook: str | None = None,
        wait: bool = True,
        timeout: float = 300.0,  # noqa: ASYNC109 - the music's, not the request's
        progress: Callable[[Generation, float], None] | None = None,
    ) -> Generation:
        """Make one piece of music; costs a credit.

        Parameters
        ----------
        tags, bpm, key, scale, time_signature, duration, seed, lyrics, language, webhook
            See `parameters.create_body`; what is left out the service chooses (bpm 120, 60 s, 4 beats a bar, or
            what the configuration says).
        wait
            Whether to wait until the music is there. A webhook does not change this.
        timeout
            Seconds to wait at most.
        progress
            Called with the record and the seconds waited, at each look.

        Raises
        ------
        ParameterError
            Before anything was sent.
        OutOfCreditsError, RateLimitError, QueueFullError
            The service declined; nothing was spent.
        AnswerLostError
            It may have been accepted and paid for. It is never sent again here; look at `generations()`.
        GenerationError
            The service gave it up.
        StillProcessingError
            `timeout` passed; it goes on, and its id is on the exception.
        """
        created = await self.submit(
            self.body(
                tags,
                bpm=bpm,
                key=key,
                scale=scale,
                time_signature=time_signature,
                duration=duration,
                seed=seed,
                lyrics=lyrics,
                language=language,
                webhook=webhook,
            )
        )
        return await self.wait(created, timeout=timeout, progress=progress) if wait else created

    def body(self, tags: str, **given: Any) -> dict[str, Any]:
        """Check parameters and build the create body, with the configured defaults; sends nothing."""
        configured = settings.load()
        if given.get("bpm") is None:
            given["bpm"] = configured.default_bpm
        if given.get("duration") is None:
            given["duration"] = configured.default_duration
        return parameters.create_body(tags, local=self._transport.local, **given)

    async def submit(self, body: Mapping[str, Any]) -> Created:
        """Send a create body once, and warn of what the service clamped."""
        created = await self._value(protocol.create_generation(body))
        warn_of_clamping(body, created)
        return created

    async def wait(
        self,
        generation: Generation | str,
        *,
        timeout: float = 300.0,  # noqa: ASYNC109 - the music's, not the request's
        progress: Callable[[Generation, float], None] | None = None,
    ) -> Generation:
        """Wait until a generation is finished.

        Raises
        ------
        GenerationError
            The service gave it up; the record is on the exception.
        StillProcessingError
            `timeout` seconds passed.
        """
        return await self._poller.wait(generation, timeout=timeout, progress=progress)

    # Curating

    async def add_tracks(
        self, playlist: PlaylistLike, tracks: Tracks, *, progress: Progress | None = None
    ) -> BulkOutcome:
        """Add tracks to a playlist of yours."""
        ids = ids_of(tracks)
        target = await resolve_playlist(self, playlist)
        return await self._bulk("Added", ids, lambda chunk: protocol.add_tracks(target, chunk), progress)

    async def remove_tracks(
        self, playlist: PlaylistLike, tracks: Tracks, *, progress: Progress | None = None
    ) -> BulkOutcome:
        """Remove tracks from a playlist of yours; they stay in the library."""
        ids = ids_of(tracks)
        source = await resolve_playlist(self, playlist)
        return await self._bulk("Removed", ids, lambda chunk: protocol.remove_tracks(source, chunk), progress)

    async def move_tracks(
        self, source: PlaylistLike, target: PlaylistLike, tracks: Tracks, *, progress: Progress | None = None
    ) -> BulkOutcome:
        """Move tracks from one playlist to another: each is added there, and only then removed here."""
        ids = ids_of(tracks)
        origin = await resolve_playlist(self, source)
        goal = await resolve_playlist(self, target)
        if origin == goal:
            raise errors.ParameterError("Source and target are the same playlist.", parameter="target", value=target)
        return await self._bulk("Moved", ids, lambda chunk: protocol.move_tracks(origin, goal, chunk), progress)

    async def delete_tracks(
        self, tracks: Tracks, *, yes: bool = False, progress: Progress | None = None
    ) -> BulkOutcome:
        """Delete tracks for good: from the library, every playlist and public pages.

        Raises
        ------
        ConfirmationError
            Without `yes=True`; nothing was sent.
        """
        ids = ids_of(tracks)
        if yes is not True:
            raise errors.ConfirmationError(
                f"This permanently deletes {len(ids)} track(s) from your library — everywhere, not just playlists.",
                hint="Pass yes=True to do it.",
            )
        return await self._bulk("Deleted", ids, protocol.delete_generations, progress)

    async def _bulk(
        self,
        verb: str,
        ids: list[str],
        request: Callable[[Any], protocol.Request[BulkAnswer]],
        progress: Progress | None,
    ) -> BulkOutcome:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if progress:
                progress(done, len(ids))

        return await run_bulk(verb, ids, request, self._value, advance)

    # Sound

    async def audio(self, id: str) -> bytes:  # noqa: A002 - the wire's name
        """Return the MP3 of one generation, in memory."""
        return await fetch_bytes(self._transport, audio_url(await self.generation(id)))

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
            Made if it is not there. Names are `<title>-<first 8 characters of the id>.mp3`.
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
        at_once = max(1, parameters.whole("at_once", at_once))
        gate = asyncio.Semaphore(at_once)
        finished = 0

        async def find(id_: str) -> Generation | errors.FinetuningError:
            async with gate:
                try:
                    return await self.generation(id_)
                except (errors.APIError, errors.TransportError, errors.ParameterError) as error:
                    return error

        async def fetch(found: Generation | errors.FinetuningError, id_: str) -> Downloaded:
            nonlocal finished
            async with gate:
                try:
                    if isinstance(found, errors.FinetuningError):
                        raise found
                    path = Path(folder) / names[found.id]
                    size = await fetch_file(self._transport, audio_url(found), path, overwrite=overwrite)
                    result = Downloaded(id_, path, size)
                except errors.FinetuningError as error:
                    result = Downloaded(id_, error=error)
            finished += 1
            if progress:
                progress(finished, len(ids))
            return result

        found = await asyncio.gather(*map(find, ids))
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


def check_limit(limit: int | None) -> int | None:
    """Check a `limit`: a whole number from 1, or None for all."""
    if limit is None:
        return None
    number = parameters.whole("limit", limit)
    if number < 1:
        raise errors.ParameterError(f"limit={limit} is not 1 or more; None means all.", parameter="limit", value=limit)
    return number


def warn_of_clamping(body: Mapping[str, Any], created: Generation) -> None:
    """Warn where the service moved tempo or duration into its range."""
    given = created.parameters
    for name in ("bpm", "duration"):
        asked, got = body.get(name), getattr(given, name, None)
        if asked is not None and got is not None and float(asked) != float(got):
            warnings.warn(f"{name} clamped from {asked} → {got:g}", errors.ClampedWarning, stacklevel=3)
