"""Media: files of a host that is not the service, streamed over a client that has no key to lose."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from finetuning import errors, protocol
from finetuning.addresses import is_loopback
from finetuning.media import MediaStream, plain, read_media
from finetuning.policy import Policy

from .clients import media_client

__all__ = ["Media"]


class Media:
    """Streams media.

    Parameters
    ----------
    policy
        Timeouts, and how long to wait for a host that is not ready.
    local
        Whether the service is on this machine, from where media comes over http, too.
    wait
        Waits, for a reason, some seconds.
    """

    def __init__(self, policy: Policy, *, local: bool, wait: Callable[[str, float], Awaitable[None]]) -> None:
        self._policy, self._local, self._wait = policy, local, wait
        self._client = media_client(policy, self._check, local=local)

    async def aclose(self) -> None:
        """Close the HTTP client."""
        await self._client.aclose()

    @asynccontextmanager
    async def stream(self, url: str, *, start: int = 0, etag: str | None = None) -> AsyncGenerator[MediaStream]:
        """Open a file, as `Transport.media` does."""
        headers = {"Accept-Encoding": "identity"}  # a coded length is not the file's
        if start:
            headers["Range"] = f"bytes={start}-"
            if etag and not etag.startswith("W/"):
                headers["If-Range"] = etag
        problem: errors.DownloadError
        waited = 0.0
        try:
            while True:
                async with self._client.stream("GET", url, headers=headers) as response:
                    if response.status_code == 416 and start:
                        break
                    later = self._later(response)
                    if later is None or waited + later > self._policy.max_wait:
                        where, sound = plain(str(response.url)), response.aiter_raw()
                        yield read_media(where, response.status_code, response.headers, start, sound)
                        return
                waited += later
                await self._wait("the media host is not ready", later)
            # The file ends before `start`, so it is not the one that the bytes here are of.
            async with self.stream(url) as whole:
                yield whole
                return
        except (httpx.InvalidURL, UnicodeError) as cause:
            problem = errors.DownloadError(f"{plain(url)!r} is not an address: {str(cause).rstrip('.')}.")
        except (httpx.HTTPError, OSError) as cause:
            problem = errors.DownloadError(
                f"The download of {plain(url)} broke off: {str(cause).rstrip('.') or type(cause).__name__}.",
                hint="Repeat it; it goes on where it stopped.",
            )
        raise problem

    async def _check(self, request: httpx.Request) -> None:
        """Refuse, for the first request of a download and each redirect, whatever is not a plain media URL."""
        url = request.url
        if url.username or url.password or (url.scheme != "https" and not (self._local and is_loopback(url.host))):
            address = f"{url.scheme}://{url.host}" if url.host else "without a host"
            raise errors.DownloadError(
                f"The media address {address} is not followed.",
                hint="Media comes over https and without credentials.",
            )
        request.headers.pop("X-API-Key", None)
        request.headers.pop("Authorization", None)

    @staticmethod
    def _later(response: httpx.Response) -> float | None:
        """When the media host wants to be asked again, in seconds; None where it has answered."""
        if response.status_code not in (429, 503):
            return None
        return protocol.retry_after(response.headers)
