"""What goes wrong on this machine, with what it keeps (journals, the library) and what it runs."""

from __future__ import annotations

from .base import FinetuningError

__all__ = [
    "JournalError",
    "JournalHeldError",
    "LibraryError",
    "LibraryHeldError",
    "MeasureError",
    "StudioError",
    "WebhookError",
]


class JournalError(FinetuningError):
    """The journal of a sweep's run cannot be read or written; the message names the file and the line."""


class JournalHeldError(JournalError):
    """Another run is writing this journal, so this one may not.

    Attributes
    ----------
    pid : int or None
        The process that holds it, where it said so.
    """

    def __init__(self, message: str, *, pid: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.pid = pid


class LibraryError(FinetuningError):
    """The library kept on this machine cannot be found, read or written; the message names the file."""


class LibraryHeldError(LibraryError):
    """Another sync is writing the library, so this one may not.

    Attributes
    ----------
    pid : int or None
        The process that it runs in, where it said so.
    """

    def __init__(self, message: str, *, pid: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.pid = pid


class MeasureError(FinetuningError):
    """Sound that is missing, cannot be decoded, or is too short to be measured."""


class StudioError(FinetuningError):
    """The embedded service could not start, or was used after it was closed."""


class WebhookError(FinetuningError):
    """A receiver of webhooks that cannot listen where it was told to, or that is not serving."""
