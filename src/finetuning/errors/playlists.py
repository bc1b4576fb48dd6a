"""A playlist that is not there, is there twice, or is not what it was."""

from __future__ import annotations

from collections.abc import Sequence

from .base import FinetuningError
from .usage import UsageError

__all__ = ["AmbiguousPlaylistError", "PlaylistChangedError", "PlaylistNotFoundError"]


class AmbiguousPlaylistError(UsageError):
    """A name that more than one playlist has.

    Attributes
    ----------
    candidates : list of str
        The ids of the playlists with that name.
    """

    def __init__(self, message: str, *, candidates: list[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.candidates = candidates


class PlaylistNotFoundError(FinetuningError, LookupError):
    """No playlist has that name or id."""


class PlaylistChangedError(FinetuningError):
    """A playlist is not as it was when the plan was made, and not because of the plan.

    Attributes
    ----------
    playlist : str
        Its id.
    came, went : list of str
        The ids that are in it now and were not, and the other way round.
    """

    def __init__(
        self, message: str, *, playlist: str, came: Sequence[str], went: Sequence[str], hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.playlist = playlist
        self.came, self.went = list(came), list(went)
