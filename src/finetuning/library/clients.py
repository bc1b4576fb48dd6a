"""The library of a client's account: kept as any is, and brought up to date by it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from finetuning.errors import LibraryError
from finetuning.keys import ApiKey
from finetuning.protocol import Request
from finetuning.transport import Answer, Transport

from . import places
from .kept import Library, require
from .report import SyncReport
from .steps import drive, drive_async
from .syncing import sync

__all__ = ["AsyncSyncedLibrary", "SyncedLibrary"]


def _now() -> datetime:
    return datetime.now(UTC)


class _Sending(Protocol):
    """The asynchronous client, as far as it matters here: this room is below it."""

    @property
    def transport(self) -> Transport: ...

    async def send(self, request: Request[Any]) -> Answer[Any]: ...


class _Bar(Protocol):
    def counting(self, what: str, total: int | None, *, unit: str) -> AbstractContextManager[Any]: ...


class _Calling(Protocol):
    """The blocking client, likewise."""

    @property
    def asynchronous(self) -> _Sending: ...

    @property
    def progress(self) -> _Bar: ...

    def call(self, work: Coroutine[Any, Any, Any], meter: Any = None) -> Any: ...


class _ClientsLibrary(Library):
    """Finds its folder by the client's key, where that was synced with before."""

    def __init__(self, transport: Transport, now: Callable[[], datetime]) -> None:
        self._base_url = transport.base_url
        self._key: ApiKey | None = transport.api_key
        self._now = now

    @property
    def path(self) -> Path:
        """The folder of the files; see `Library.path`."""
        folder = places.find(self._base_url, self._key)
        if folder is None:
            raise LibraryError(
                f"Nothing of {self._base_url} is kept for this key yet.", hint="client.library.sync() fetches it."
            )
        return folder

    def __repr__(self) -> str:
        folder = places.find(self._base_url, self._key)
        return f"<{type(self).__name__} of {self._base_url}, {'not synced yet' if folder is None else f'in {folder}'}>"


class SyncedLibrary(_ClientsLibrary):
    """The library of a blocking client's account; `client.library` is one."""

    def __init__(self, client: _Calling, now: Callable[[], datetime] = _now) -> None:
        super().__init__(client.asynchronous.transport, now)
        self._client = client

    def sync(self, *, full: bool = False, verify: bool | None = None, details: bool = False) -> SyncReport:
        """Bring the library on this machine up to date, in as few requests as can be.

        What is new stands at the top of the service's listing, 99 rows a request; it is read down to a row that is
        known. Generations that were not finished are looked at again. A library of 100,000 with 50 new ones takes
        three requests: account, one page, playlists; each playlist that changed takes one more.

        What can change later (`play_count`, `like_count`, `is_public`, `title`) is refreshed on the pages that are
        read, so at the top. Only `full=True` refreshes all; it also reads all playlists again.

        What was deleted is seen by its absence. On the pages that are read it is noticed at once. Further down one
        page at the end of the listing tells whether anything is missing, and about ten more find each place; a sync
        does so when the last look is a day old. Nothing is dropped: rows that are gone get a `gone_at`.

        A sync that is interrupted, or killed, goes on where it stopped. What was read is kept.

        Parameters
        ----------
        full
            Whether to read every page: a request for each 98 rows, at 60 requests a minute on the hosted service.
        verify
            Whether to look for deletions in the whole library; None for once a day.
        details
            Whether to ask, once, for each finished generation by itself: the listing leaves out `generation_time`,
            `file_size`, `error_message`, `download_count` and `webhook`. It takes a request each.

        Returns
        -------
        SyncReport

        Raises
        ------
        LibraryHeldError
            Another sync is at it.
        LibraryError
            A file is damaged, not the library's, or cannot be written; the message says what to do.
        MissingExtraError
            pyarrow is not installed.
        """
        require()
        client, requests = self._client, 0
        with client.progress.counting("syncing", None, unit="row") as meter:

            def send(request: Request[Any]) -> Any:
                nonlocal requests
                requests += 1
                return client.call(client.asynchronous.send(request), meter).value

            steps = sync(
                self._base_url, self._key, full=full, verify=verify, details=details, now=self._now(), tell=meter
            )
            return replace(drive(steps, send), requests=requests)


class AsyncSyncedLibrary(_ClientsLibrary):
    """The library of an asynchronous client's account. Its frames are read from the disk, and not awaited."""

    def __init__(self, client: _Sending, now: Callable[[], datetime] = _now) -> None:
        super().__init__(client.transport, now)
        self._client = client

    async def sync(
        self,
        *,
        full: bool = False,
        verify: bool | None = None,
        details: bool = False,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> SyncReport:
        """Bring the library on this machine up to date; see `SyncedLibrary.sync`.

        Parameters
        ----------
        full, verify, details
            As there.
        progress
            Called with the number of rows that were read and, where it is known, of those to read.

        Notes
        -----
        Files are written between two requests, on the loop's own thread: 0.3 s for 100,000 rows.
        """
        require()
        requests = 0

        async def send(request: Request[Any]) -> Any:
            nonlocal requests
            requests += 1
            return (await self._client.send(request)).value

        tell = progress or (lambda done, total: None)
        steps = sync(self._base_url, self._key, full=full, verify=verify, details=details, now=self._now(), tell=tell)
        return replace(await drive_async(steps, send), requests=requests)
