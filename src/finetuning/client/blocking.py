"""The blocking client: the verbs of `AsyncClient`, with DataFrames and progress bars."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from finetuning import errors, notices, parameters, protocol
from finetuning.bulk import BulkOutcome, chunks
from finetuning.frames import generations_frame, playlists_frame
from finetuning.records import Account, Generation
from finetuning.selections import Tracks, ids_of

from .making import warn_of_clamping
from .outcomes import checked, downloads_frame, with_columns_of
from .resolving import PlaylistLike
from .session import Session

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.audio.measurement import Measurement
    from finetuning.library.clients import SyncedLibrary
    from finetuning.panels.deck.widget import Deck

    from .views import PlaylistView

__all__ = ["Client"]

R = TypeVar("R", covariant=True)

#: How many sounds are fetched while as many are measured; each is a megabyte or two.
_FETCHED_AHEAD = 24


class Runnable(Protocol[R]):
    """What `Client.run` runs. A sweep knows how; the client, which is below it, need not."""

    def run_on(
        self,
        client: Client,
        *,
        name: str | None,
        wait: bool,
        at_once: int | None,
        max_credits: int | None,
        receiver: Any,
    ) -> R:
        """Start on this client."""
        ...


class Playable(Protocol):
    """What `Client.play` plays that is no selection of tracks: a run knows how, and which takes it has."""

    def play_on(self, client: Client, *, rows: str | None, columns: str | None, page: str | None) -> Deck:
        """Show its takes in a deck of this client."""
        ...


class Client(Session):
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

    def generations(self, *, status: str | None = None, limit: int | None = 20, details: bool = False) -> pd.DataFrame:
        """Return the newest generations as a DataFrame.

        Parameters
        ----------
        status
            Only those: pending, processing, completed or failed.
        limit
            At most so many; None for all, page by page, with progress.
        details
            Whether to ask for each generation by itself too. The service's listing leaves out `generation_time`,
            `file_size`, `download_count`, `error_message` and `webhook`; a page of it shows 99 generations for one
            request, and with details each costs one.

        Returns
        -------
        DataFrame
            One row each, newest first, with the columns and dtypes of `frames.GENERATION_COLUMNS`.
        """
        with self._bar.counting("generations", limit, unit="row") as meter:
            rows = self.call(self._async.generations(status=status, limit=limit, progress=meter), meter)
        if details:
            with self._bar.counting("details", len(rows), unit="row") as meter:
                rows = self.call(self._async.detailed(rows, progress=meter), meter)
        return generations_frame(rows)

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
        from .views import PlaylistView

        return PlaylistView.of(self.call(self._async.playlist(playlist)))

    @property
    def library(self) -> SyncedLibrary:
        """What is kept of the account on this machine: `sync()` brings it up to date, the rest needs no connection."""
        from finetuning.library.clients import SyncedLibrary

        return SyncedLibrary(self)

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
        timeout: float | None = 300.0,
    ) -> Generation:
        """Make one piece of music; costs a credit. See `AsyncClient.generate` for parameters and errors.

        An interrupt while waiting leaves the generation running and paid for, and says how to wait for it again.
        """
        patience, wait = parameters.patience(timeout), parameters.truth("wait", wait)  # before anything is paid for
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
        try:
            created = self.call(self._async.send(protocol.create_generation(body))).value
        except KeyboardInterrupt as stop:
            stop.add_note("It may have been accepted and paid for all the same: client.generations() shows it.")
            raise
        warn_of_clamping(body, created)  # on this thread, so that it points at the caller's line
        return self.wait(created, timeout=patience) if wait else created

    def wait(self, generation: Tracks, *, timeout: float | None = 300.0) -> Generation:
        """Wait until a generation is finished; see `AsyncClient.wait`."""
        patience = parameters.patience(timeout)
        ids = ids_of(generation)
        with self._bar.saying("generating") as meter:

            def looked(known: Generation, waited: float) -> None:
                meter.looked(known, waited, patience)

            try:
                return self.call(self._async.wait(generation, timeout=patience, progress=looked), meter)
            except KeyboardInterrupt as stop:
                stop.add_note(f"It goes on and is paid for: client.wait({ids[0]!r}) waits again.")
                raise

    def run(
        self,
        sweep: Runnable[R],
        name: str | None = None,
        *,
        wait: bool = True,
        at_once: int | None = None,
        max_credits: int | None = None,
        receiver: Any = None,
    ) -> R:
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
            How many generations may be in flight; by default as many as the account's queue holds, 20 at most.
        max_credits
            The most that the run may spend; it then pauses, and `run.resume(max_credits=…)` goes on.
        receiver
            A `webhooks.Receiver` that is being served, to be told of ends instead of asking.

        Returns
        -------
        SweepRun
        """
        if not hasattr(type(sweep), "run_on"):
            raise errors.ParameterError(
                f"A value of type {type(sweep).__name__} is not a sweep.",
                parameter="sweep",
                value=sweep,
                hint="Make one first: ft.Sweep('lofi chill piano', bpm=[80, 90]).",
            )
        return sweep.run_on(self, name=name, wait=wait, at_once=at_once, max_credits=max_credits, receiver=receiver)

    # Curating

    def add_tracks(self, playlist: PlaylistLike, tracks: Tracks) -> BulkOutcome:
        """Add tracks to a playlist of yours; any selection, any number."""
        ids = ids_of(tracks)
        return checked(self._change("adding", ids, lambda meter: self._async.add_tracks(playlist, ids, progress=meter)))

    def remove_tracks(self, playlist: PlaylistLike, tracks: Tracks) -> BulkOutcome:
        """Remove tracks from a playlist of yours; they stay in the library."""
        ids = ids_of(tracks)
        return checked(
            self._change("removing", ids, lambda meter: self._async.remove_tracks(playlist, ids, progress=meter))
        )

    def move_tracks(self, source: PlaylistLike, target: PlaylistLike, tracks: Tracks) -> BulkOutcome:
        """Move tracks from one playlist to another: each is added there, and only then removed here."""
        ids = ids_of(tracks)
        return checked(
            self._change("moving", ids, lambda meter: self._async.move_tracks(source, target, ids, progress=meter))
        )

    def delete_tracks(self, tracks: Tracks, *, yes: bool = False) -> BulkOutcome:
        """Delete tracks for good: from the library, every playlist and public pages.

        Raises
        ------
        ConfirmationError
            Without `yes=True`; nothing was sent.
        """
        ids = ids_of(tracks)
        return checked(
            self._change("deleting", ids, lambda meter: self._async.delete_tracks(ids, yes=yes, progress=meter))
        )

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
        ids = ids_of(tracks)
        with self._bar.counting("downloading", len(ids), unit="track") as meter:
            done = self.call(
                self._async.download(ids, folder, overwrite=overwrite, at_once=at_once, progress=meter), meter
            )
        return downloads_frame(done)

    def play(
        self, tracks: Tracks | Playable, *, rows: str | None = None, columns: str | None = None, page: str | None = None
    ) -> Deck:
        """Show tracks in an audition deck; the sound is fetched when it is first played.

        Tracks that are not in the library any more are left out, with a warning.

        Parameters
        ----------
        tracks
            Any selection, or a `SweepRun`, whose takes then appear as they are made.
        rows, columns, page
            The parameters that span the deck; see `Deck`.

        Raises
        ------
        NotFoundError
            None of them is in the library.
        MissingExtraError
            ipywidgets or anywidget is not installed.
        """
        # Asked of the type: a column of a frame may have any name.
        if hasattr(type(tracks), "play_on"):
            return cast("Playable", tracks).play_on(self, rows=rows, columns=columns, page=page)
        tracks = cast("Tracks", tracks)
        found = self.call(self._async.find_generations(ids_of(tracks)))
        records = [each for each in found if isinstance(each, Generation)]
        missing = [each for each in found if isinstance(each, errors.FinetuningError)]
        if missing and not (records and all(isinstance(each, errors.NotFoundError) for each in missing)):
            raise next((each for each in missing if not isinstance(each, errors.NotFoundError)), missing[0])
        if missing:
            notices.warn(
                errors.PartialWarning(f"{len(missing)} of {len(found)} tracks are not in the library any more.")
            )
        # The one import upward: what plays is a panel, and this verb is where everybody looks for it.
        from finetuning.panels.deck.widget import Deck

        return Deck(self, with_columns_of(tracks, generations_frame(records)), rows=rows, columns=columns, page=page)

    def measure(self, tracks: Tracks) -> pd.DataFrame:
        """Measure the sound of tracks: tempo, key, loudness, peak, clipping, brightness, onsets, silence.

        What was measured before, here or in an earlier process, is remembered by the content of the sound. The rest is
        shared by the cores where there is enough of it, and goes wherever `joblib.parallel_config` says: with
        `joblib.parallel_config(backend="dask")` to a Dask cluster.

        Returns
        -------
        DataFrame
            The selection's rows (a DataFrame keeps its columns), with those of `measuring.MEASURED_COLUMNS` and
            `measure_error`, which says why a row has no measures. Where the frame has `bpm`, half and double of it are
            told apart in `measured_bpm`; `heard_bpm` is the tempo before that.

        Raises
        ------
        MissingExtraError
            What reads sound is not installed.
        MeasureError
            This package is not installed on the cluster that joblib is configured for.
        """
        from finetuning.audio.batches import measure_all

        from .measuring import ids_to_measure, measured_frame, tempo_asked

        ids = ids_to_measure(tracks)
        asked = tempo_asked(tracks)
        results: list[Measurement | errors.FinetuningError] = []
        with self._bar.counting("measuring", len(ids), unit="track") as meter:
            records = self.call(self._async.records_of_unheard(ids), meter)
            with closing(self._fetched_ahead(ids, records)) as fetched:
                for sounds in fetched:
                    before = len(results)
                    whole = [sound for sound in sounds if isinstance(sound, bytes)]
                    broken = len(sounds) - len(whole)
                    measured = iter(
                        measure_all(whole, progress=lambda done: meter(before + broken + done, len(ids)))  # noqa: B023
                    )
                    results += [next(measured) if isinstance(sound, bytes) else sound for sound in sounds]
        folded = [
            result if isinstance(result, errors.FinetuningError) else result.folded(asked.get(id_))
            for id_, result in zip(ids, results, strict=True)
        ]
        return measured_frame(tracks, ids, folded)

    def _fetched_ahead(
        self, ids: list[str], records: dict[str, Generation | errors.FinetuningError]
    ) -> Generator[list[bytes | errors.FinetuningError], None, None]:
        """Fetch sounds, some of them while those before are being measured."""
        at_hand: list[concurrent.futures.Future[list[bytes | errors.FinetuningError]]] = []
        try:
            for batch in chunks(ids, _FETCHED_AHEAD):
                at_hand.append(self.submit(self._async.sounds(batch, records)))
                if len(at_hand) > 1:
                    sounds = at_hand[0].result()
                    del at_hand[0]
                    yield sounds
            for future in at_hand:
                yield future.result()
        except concurrent.futures.CancelledError:
            raise errors.FinetuningError("The client was closed before this was done.") from None
        finally:
            for future in at_hand:
                future.cancel()
