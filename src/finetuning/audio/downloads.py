"""Files from the media host: streamed, resumed, and under their final name only when they are whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from finetuning.errors import DownloadError
from finetuning.media import MediaStream

from .partials import part_of, partial

__all__ = ["MediaHost", "fetch_bytes", "fetch_file"]

#: How much of the end of a partial file is fetched again and compared before the rest is appended to it.
_OVERLAP = 4096
#: How often a download that made some progress is taken up again.
_TRIES = 5


class MediaHost(Protocol):
    """Whatever opens media URLs; `Transport` does."""

    def media(self, url: str, *, start: int = 0, etag: str | None = None) -> AbstractAsyncContextManager[MediaStream]:
        """Open a file from byte `start`."""
        ...


async def fetch_bytes(host: MediaHost, url: str) -> bytes:
    """Fetch a file into memory.

    Raises
    ------
    DownloadError
        It could not be fetched whole.
    """
    async with host.media(url) as stream:
        data = b"".join([chunk async for chunk in stream.chunks])
    if stream.total is not None and len(data) != stream.total:
        raise _short(url, len(data), stream.total)
    return data


async def fetch_file(
    host: MediaHost,
    url: str,
    path: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> int:
    """Fetch a file to disk by way of `<name>.part`.

    A `.part` left by an earlier attempt is continued where the host has ranges, after its end was compared with
    the host's bytes. Of two downloads to the same place the second waits for the first, and keeps what it brought.

    Parameters
    ----------
    host, url
        Where from.
    path
        Final name; its folder is made.
    overwrite
        Fetch again what is there already. Without it, a file of the right length is kept and one of another
        length refused.
    progress
        Called with bytes here and bytes in all.

    Returns
    -------
    int
        The file's length in bytes.

    Raises
    ------
    DownloadError
        The host, the disk, or a length that does not agree. What arrived stays in the `.part`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not overwrite:
            return await _keep(host, url, path)
        async with partial(path) as file:
            if path.exists() and not overwrite:  # another download ended while this one waited for it
                part_of(path).unlink()
                return await _keep(host, url, path)
            length = await _fill(host, url, file, progress)
            file.truncate(length)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
            if os.name == "nt":
                file.close()  # what is open cannot be renamed there
            part_of(path).replace(path)
    except OSError as problem:
        raise DownloadError(
            f"{path} cannot be written: {problem.strerror or problem}.",
            hint="Choose a folder that exists and has room.",
        ) from problem
    return length


async def _keep(host: MediaHost, url: str, path: Path) -> int:
    size = path.stat().st_size
    async with host.media(url) as stream:
        total = stream.total
    if total is not None and size != total:
        raise DownloadError(
            f"{path} is there already, with {size:,} bytes instead of {total:,}.",
            hint="Pass overwrite=True, or another folder.",
        )
    return size


async def _fill(host: MediaHost, url: str, file: BinaryIO, progress: Callable[[int, int | None], None] | None) -> int:
    """Fetch until the file is whole; a connection that breaks off is taken up again where it broke."""
    etag: str | None = None
    total: int | None = None
    here = file.seek(0, os.SEEK_END)
    for attempt in range(1, _TRIES + 1):
        try:
            async with host.media(url, start=max(0, here - _OVERLAP), etag=etag) as stream:
                if stream.start and etag and stream.etag != etag:
                    raise _ChangedError  # a host that has ranges and no If-Range
                etag, total = stream.etag, stream.total
                here = await _append(stream, file, progress)
        except _ChangedError:
            here, etag = file.truncate(0), None
            continue
        except DownloadError:
            before, here = here, file.seek(0, os.SEEK_END)
            if here <= before or attempt == _TRIES:
                raise
            continue
        if total is None or here == total:
            return here
        if here > total:
            here, etag = file.truncate(0), None
    raise _short(url, here, total)


async def _append(stream: MediaStream, file: BinaryIO, progress: Callable[[int, int | None], None] | None) -> int:
    """Write the stream at its place; bytes that are here already must be the same."""
    end = file.seek(0, os.SEEK_END)
    position = stream.start
    async for chunk in stream.chunks:
        if position < end:
            file.seek(position)
            known = file.read(min(len(chunk), end - position))
            if known != chunk[: len(known)]:
                if stream.start:
                    raise _ChangedError
                end = file.truncate(position)
        file.seek(position)
        file.write(chunk)
        position += len(chunk)
        if progress:
            progress(position, stream.total)
    return position if stream.start == 0 else max(position, end)


class _ChangedError(Exception):
    """The partial file is of another version; begin again."""


def _short(url: str, here: int, total: int | None) -> DownloadError:
    name = url.partition("?")[0].rpartition("/")[2]
    return DownloadError(
        f"{name} has {here:,} bytes instead of {total:,}." if total else f"{name} could not be fetched whole.",
        hint="Repeat the download; it goes on where it stopped.",
    )
