"""What is to be done with which tracks, before it is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from finetuning.records import Playlist

__all__ = ["Intent", "Verb", "count", "label_of"]


class Verb(StrEnum):
    """What a panel does with many tracks."""

    ADD = "add"
    REMOVE = "remove"
    MOVE = "move"
    DOWNLOAD = "download"
    DELETE = "delete"
    PUBLISH = "publish"
    HIDE = "hide"

    @property
    def done(self) -> str:
        """The participle: `added`."""
        return _DONE[self]


_DONE: Final = {
    Verb.ADD: "added",
    Verb.REMOVE: "removed",
    Verb.MOVE: "moved",
    Verb.DOWNLOAD: "downloaded",
    Verb.DELETE: "deleted",
    Verb.PUBLISH: "made public",
    Verb.HIDE: "made private",
}


@dataclass(frozen=True)
class Intent:
    """One thing to do with a selection.

    Attributes
    ----------
    verb
        What.
    ids
        With which tracks, in order, each once.
    source
        The playlist that they leave, with its tracks; for `remove` and `move`.
    target
        The playlist that they go to, with its tracks; for `add` and `move`.
    folder
        Where files go; for `download`.
    undoing
        Whether this takes back what was done before.
    """

    verb: Verb
    ids: tuple[str, ...]
    source: Playlist | None = None
    target: Playlist | None = None
    folder: Path | None = None
    undoing: bool = False

    @property
    def playlists(self) -> list[Playlist]:
        """The playlists that it changes."""
        return [each for each in (self.source, self.target) if each is not None]

    def on(self, *playlists: Playlist) -> Intent:
        """Return the same intent with newer readings of its playlists."""
        fresh = {each.id: each for each in playlists}
        return replace(
            self,
            source=self.source and fresh.get(self.source.id, self.source),
            target=self.target and fresh.get(self.target.id, self.target),
        )

    def undo(self, done: list[str]) -> Intent | None:
        """Return what takes it back for the tracks that it changed; None where nothing was, or nothing can.

        Adding and removing undo each other, a move is undone by moving back, showing and hiding undo each other. What
        is deleted is gone, and a file that was fetched is the user's.
        """
        opposite = _OPPOSITE.get(self.verb)
        if opposite is None or not done:
            return None
        return Intent(opposite, tuple(done), source=self.target, target=self.source, undoing=not self.undoing)


_OPPOSITE: Final = {
    Verb.ADD: Verb.REMOVE,
    Verb.REMOVE: Verb.ADD,
    Verb.MOVE: Verb.MOVE,
    Verb.PUBLISH: Verb.HIDE,
    Verb.HIDE: Verb.PUBLISH,
}


def label_of(playlist: Playlist | None) -> str:
    """Name a playlist for people: in quotes, by its id where it has no name."""
    return f"“{(playlist.name or '').strip() or playlist.id}”" if playlist else ""


def count(number: int, noun: str = "track") -> str:
    """Count things: `1 track`, `1,200 tracks`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
