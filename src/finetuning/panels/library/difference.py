"""A playlist before and after."""

from __future__ import annotations

from dataclasses import dataclass

from finetuning.client.views import seconds
from finetuning.records import Generation, Playlist

from .intents import label_of

__all__ = ["Difference", "length_of"]


@dataclass(frozen=True)
class Difference:
    """What has become of a playlist between two readings of it.

    Attributes
    ----------
    before, after
        The readings, with tracks.
    """

    before: Playlist
    after: Playlist

    @property
    def added(self) -> list[Generation]:
        """Tracks that are in it now and were not."""
        known = {track.id for track in self.before.tracks or []}
        return [track for track in self.after.tracks or [] if track.id not in known]

    @property
    def removed(self) -> list[Generation]:
        """Tracks that were in it and are not now."""
        known = {track.id for track in self.after.tracks or []}
        return [track for track in self.before.tracks or [] if track.id not in known]

    @property
    def kept(self) -> list[Generation]:
        """Tracks that were in it and are."""
        known = {track.id for track in self.before.tracks or []}
        return [track for track in self.after.tracks or [] if track.id in known]

    @property
    def summary(self) -> str:
        """One line: `“Focus”: 12 → 14 tracks, 9m 12s → 10m 33s; 2 added, 0 removed, 12 kept`."""
        then, now = len(self.before.tracks or []), len(self.after.tracks or [])
        return (
            f"{label_of(self.after)}: {then:,} → {now:,} tracks, {length_of(self.before)} → {length_of(self.after)}; "
            f"{len(self.added):,} added, {len(self.removed):,} removed, {len(self.kept):,} kept"
        )


def length_of(playlist: Playlist) -> str:
    """Say how long a playlist is, as the command does; summed from its tracks where the service does not say."""
    total = playlist.total_duration
    if total is None:
        total = sum(track.duration or 0 for track in playlist.tracks or [])
    return seconds(total)
