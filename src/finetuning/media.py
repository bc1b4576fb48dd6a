"""What the media host answers, read without doing I/O: where a stream starts, and how long the whole file is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from finetuning.errors import DownloadError

__all__ = ["MediaStream", "count_in", "plain", "read_media"]

_NOT_SOUND: Final = frozenset(
    {"application/json", "application/problem+json", "application/xml", "application/xhtml+xml"}
)


@dataclass(frozen=True, slots=True)
class MediaStream:
    """A file on its way: where it starts, how long the whole is (None: it ends where it ends), and its bytes."""

    start: int
    total: int | None
    etag: str | None
    chunks: AsyncIterator[bytes] = field(repr=False)


def read_media(
    where: str, status: int, headers: Mapping[str, str], start: int, chunks: AsyncIterator[bytes]
) -> MediaStream:
    """Read the head of an answer to a request for a file from byte `start` on.

    Parameters
    ----------
    where
        The address, for messages.
    status, headers, chunks
        What came back; the mapping should ignore case.
    start
        What was asked for; a host without ranges sends the whole file.

    Raises
    ------
    DownloadError
        The host declined, or what it sends could not be checked to be whole.
    """
    if status not in (200, 206):
        raise DownloadError(
            f"The media host answered {status} for {where}.",
            hint="The track may have been deleted." if status in (403, 404, 410) else "Try again in a moment.",
        )
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _NOT_SOUND:
        # A sign-in page or an error page, served as if all were well, must not become an MP3 that blocks the real one.
        raise DownloadError(
            f"The media host sent {kind} instead of sound for {where}.",
            hint="A network's sign-in page is the usual cause; try again in a moment.",
        )
    if headers.get("content-encoding", "identity") != "identity":
        raise DownloadError(f"The media host compressed {where}, so that its length cannot be checked.")
    first: int | None = 0
    total = count_in(headers, "content-length")
    if status == 206:
        unit, _, span = headers.get("content-range", "").partition(" ")
        first, total = _count(span.partition("-")[0]), _count(span.rpartition("/")[2])
        # From beyond `start` on there would be a hole in the file.
        if unit.lower() != "bytes" or first is None or total is None or first > start:
            raise DownloadError(
                f"The media host sent another part of {where} than was asked for.", hint="Try again in a moment."
            )
    elif total is None and headers.get("transfer-encoding", "").lower() != "chunked":
        raise DownloadError(f"The media host does not say how long {where} is, so a part could pass for the whole.")
    if total == 0:
        raise DownloadError(f"The media host has an empty file at {where}.", hint="Try again in a moment.")
    return MediaStream(first or 0, total, headers.get("etag"), chunks)


def plain(url: str) -> str:
    """Return a URL without its query, which may be signed."""
    return url.partition("?")[0]


def count_in(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header that is a count; what is not one, or is absurdly long, is as good as not sent."""
    return _count(headers.get(name, ""))


def _count(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
