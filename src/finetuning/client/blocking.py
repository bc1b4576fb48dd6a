"""The blocking client: the verbs of `AsyncClient`, with DataFrames and progress bars."""

from __future__ import annotations

import concurrent.futures
import warnings
import weakref
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from finetuning import errors
from finetuning.accessor import register
from finetuning.bulk import BulkOutcome, chunks
from finetuning.clock import Clock
from finetuning.frames import generations_frame, playlists_frame
from finetuning.keys import ApiKey
from finetuning.records import Account, Generation
from finetuning.selections import Tracks, ids_of
from finetuning.transport import Policy

from .aio import AsyncClient
from .listening import Downloaded
from .loop import LoopThread
from .measuring import measured_frame, tempo_asked
from .progress import Bar
from .resolving import PlaylistLike
from .views import PlaylistView

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.audio.measurement import Measurement
    from finetuning.audio.player import Player

__all__ = ["Client"]

T = TypeVar("T")
R = TypeVar("R", covariant=True)

#: How many sounds are fetched at once while others are measured; each is a megabyte or two.
_FETCHED_AHEAD = 8


class Runnable(Protocol[R]):
    """What `Client.run` runs. A sweep knows how; the client, which is below it, need not."""

    def run_on(self, client: Client, *, name: str | None, wait: bool, at_once: int) -> R:
        """Start on this client."""
        ...


class Client:
    """The service, blocking, with DataFrames: what `finetuning.connect()` returns.

    Parameters
    ----------
    api_key, base_url, policy, clock
        As for `AsyncClient`.
    progress
        Whether long work shows a progress bar.
    studio
        The embedded service behind this client, kept for what only the web application does.

    Attributes
    ----------
    studio
        The `Studio` behind this client, or None for the hosted service: it makes playlists and publishes tracks,
        which the API never does.
    """

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        base_url: str | None = None,
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
        progress: bool = True,
        studio: Any = None,
    ) -> None:
        api_key = ApiKey(api_key) if api_key is not None else None
        self._bar = Bar(enabled=progress)
        self._async = AsyncClient(api_key, base_url, policy=policy, clock=clock, on_wait=self._bar.waiting)
        self._loop = LoopThread()
        self.studio = studio
        self._finalizer = weakref.finalize(self, _close, self._loop, self._async)
        register(self)

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self._async.base_url

    @property
    def asynchronous(self) -> AsyncClient:
        """The client underneath, which lives on this client's own loop: hand coroutines of it to `submit`."""
        return self._async

    @property
    def progress(self) -> Bar:
        """What shows how far long work is; for the rooms above, which have long work of their own."""
        return self._bar

    def __repr__(self) -> str:
        return f"Client({self.base_url!r}, {self._async.transport.api_key!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the thread. What was paid for goes on at the service."""
        self._finalizer()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Hand a coroutine to the client's own loop and return at once."""
        return self._loop.submit(work)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Hand a coroutine to the client's own loop and wait for it."""
        return self._loop.run(work)

    # Reading

    def health(self) -> dict[str, Any]:
        """Ask whether the service is up; needs no key."""
        return self.call(self._async.health())

    def me(self) -> Account:
        """Return the account: tier and what is left to spend."""
        return self.call(self._async.me())

    def generation(self, id: str) -> Generation:  # noqa: A002 - the wire's name
        """Return one generation.

        Raises
        ------
        NotFoundError
            There is none with this id in the library.
        """
        return self.call(self._async.generation(id))

    def generations(self, *, status: str | None = None, limit: int | None = 20) -> pd.DataFrame:
        """Return the newest generations as a DataFrame.

        Parameters
        ----------
        status
            Only those: pending, processing, completed or failed.
        limit
            At most so many; None for all, page by page, with progress.

        Returns
        -------
        DataFrame
            One row each, newest first, with the columns and dtypes of `frames.GENERATION_COLUMNS`.
        """
        with self._bar.counting("generations", limit, unit="row") as progress:
            return generations_frame(self.call(self._async.generations(status=status, limit=limit, progress=progress)))

    def playlists(self) -> pd.DataFrame:
        """Return all playlists of the account as a DataFrame, with the columns of `frames.PLAYLIST_COLUMNS`."""
        return playlists_frame(self.call(self._async.playlists()))

    def playlist(self, playlist: PlaylistLike) -> PlaylistView:
        """Return one playlist, by name, id, record or row; its `.tracks` are a DataFrame.

        Raises
        ------
        PlaylistNotFoundError, AmbiguousPlaylistError
            No playlist, or more than one, has that name.
        """
        return PlaylistView.of(self.call(self._async.playlist(playlist)))

    # Making

    def generate(
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
        timeout: float = 300.0,
    ) -> Generation:
        """Make one piece of music; costs a credit. See `AsyncClient.generate` for parameters and errors.

        An interrupt while waiting leaves the generation running and paid for; `client.generations()` shows it.
        """
        body = self._async.body(
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
        created: Generation = self.call(self._async.submit(body))
        return self.wait(created, timeout=timeout) if wait else created

    def wait(self, generation: Generation | str, *, timeout: float = 300.0) -> Generation:
        """Wait until a generation is finished; see `AsyncClient.wait`."""
        with self._bar.waiting_for("generating", timeout) as progress:
            return self.call(self._async.wait(generation, timeout=timeout, progress=progress))

    def run(self, sweep: Runnable[R], name: str | None = None, *, wait: bool = True, at_once: int = 8) -> R:
        """Run a sweep.

        Parameters
        ----------
        sweep
            A `Sweep`.
        name
            Of the run, to load it by later; made from the tags and the time where none is given.
        wait
            Whether to wait for all takes; an interrupt leaves the run going on.
        at_once
            How many generations may be in flight.

        Returns
        -------
        SweepRun
        """
        return sweep.run_on(self, name=name, wait=wait, at_once=at_once)

    # Curating

    def add_tracks(self, playlist: PlaylistLike, tracks: Tracks) -> BulkOutcome:
        """Add tracks to a playlist of yours; any selection, any number."""
        ids = ids_of(tracks)
        with self._bar.counting("adding", len(ids), unit="track") as progress:
            return _checked(self.call(self._async.add_tracks(playlist, ids, progress=progress)))

    def remove_tracks(self, playlist: PlaylistLike, tracks: Tracks) -> BulkOutcome:
        """Remove tracks from a playlist of yours; they stay in the library."""
        ids = ids_of(tracks)
        with self._bar.counting("removing", len(ids), unit="track") as progress:
            return _checked(self.call(self._async.remove_tracks(playlist, ids, progress=progress)))

    def move_tracks(self, source: PlaylistLike, target: PlaylistLike, tracks: Tracks) -> BulkOutcome:
        """Move tracks from one playlist to another: each is added there, and only then removed here."""
        ids = ids_of(tracks)
        with self._bar.counting("moving", len(ids), unit="track") as progress:
            return _checked(self.call(self._async.move_tracks(source, target, ids, progress=progress)))

    def delete_tracks(self, tracks: Tracks, *, yes: bool = False) -> BulkOutcome:
        """Delete tracks for good: from the library, every playlist and public pages.

        Raises
        ------
        ConfirmationError
            Without `yes=True`; nothing was sent.
        """
        ids = ids_of(tracks)
        with self._bar.counting("deleting", len(ids), unit="track") as progress:
            return _checked(self.call(self._async.delete_tracks(ids, yes=yes, progress=progress)))

    # Sound

    def download(
        self, tracks: Tracks, folder: str | Path = ".", *, overwrite: bool = False, at_once: int = 4
    ) -> pd.DataFrame:
        """Download tracks into a folder, several at once.

        Returns
        -------
        DataFrame
            `id`, `path`, `bytes` and `error`, a row for each track, in order. A track that failed has no path and
            its error; a warning says how many.

        Raises
        ------
        FinetuningError
            Not a single track could be downloaded; the first one's error.
        """
        import pandas as pd

        ids = ids_of(tracks)
        with self._bar.counting("downloading", len(ids), unit="track") as progress:
            done = self.call(self._async.download(ids, folder, overwrite=overwrite, at_once=at_once, progress=progress))
        _warn_of_failures(done)
        rows = [
            (each.id, str(each.path) if each.path else None, each.size, each.error.message if each.error else None)
            for each in done
        ]
        frame = pd.DataFrame(rows, columns=["id", "path", "bytes", "error"])
        return frame.astype({"id": "str", "path": "str", "bytes": "Int64", "error": "str"})

    def play(self, tracks: Tracks) -> Player:
        """Show an inline player; the sound is fetched when it is first played.

        Raises
        ------
        MissingExtraError
            ipywidgets or anywidget is not installed.
        """
        from finetuning.audio.player import Player, takes_of

        ids = ids_of(tracks)
        found = self.call(self._async.find_generations(ids))
        for each in found:
            if isinstance(each, errors.FinetuningError):
                raise each
        records = [each for each in found if isinstance(each, Generation)]
        return Player(takes_of(records), fetch=lambda id_: self.submit(self._async.audio(id_)))

    def measure(self, tracks: Tracks) -> pd.DataFrame:
        """Measure the sound of tracks: tempo, key, loudness, peak, silence.

        Returns
        -------
        DataFrame
            The selection's rows (a DataFrame keeps its columns), with those of `measuring.MEASURED_COLUMNS` and
            `measure_error`. Where the frame has `bpm`, half and double of it are told apart.

        Raises
        ------
        MissingExtraError
            What reads sound is not installed.
        """
        from finetuning.audio.measurement import measure

        ids = ids_of(tracks)
        asked = tempo_asked(tracks)
        results: list[Measurement | errors.FinetuningError] = []
        with self._bar.counting("measuring", len(ids), unit="track") as progress:
            for batch in chunks(ids, _FETCHED_AHEAD):
                fetched = [self.submit(self._async.audio(id_)) for id_ in batch]
                for id_, future in zip(batch, fetched, strict=True):
                    try:
                        results.append(measure(future.result(), expected_bpm=asked.get(id_)))
                    except errors.MissingExtraError:
                        raise
                    except errors.FinetuningError as error:
                        results.append(error)
                    progress(len(results), len(ids))
        return measured_frame(tracks, ids, results)


def _checked(outcome: BulkOutcome) -> BulkOutcome:
    """Warn where an error stopped the batch: the outcome alone might go unread."""
    if outcome.error:
        warnings.warn(
            f"{outcome.summary}; stopped by: {outcome.error.message} The outcome's .failed names every other id.",
            errors.PartialWarning,
            stacklevel=3,
        )
    return outcome


def _warn_of_failures(done: list[Downloaded]) -> None:
    failed = [each.error for each in done if each.error]
    if not failed:
        return
    if len(failed) == len(done):
        raise failed[0]
    warnings.warn(
        f"{len(failed)} of {len(done)} downloads failed; the first: {failed[0].message}",
        errors.PartialWarning,
        stacklevel=3,
    )


def _close(loop: LoopThread, client: AsyncClient) -> None:
    # A module-level function: the finalizer must not keep the client alive.
    try:
        loop.run(client.aclose())
    except errors.FinetuningError:
        return  # forked, or closed before
    loop.close()
