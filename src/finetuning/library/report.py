"""What a sync did."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SyncReport"]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync found.

    Attributes
    ----------
    new, changed, gone
        Generations that the library had not, had otherwise, and that were found to be deleted.
    playlists
        Playlists whose tracks were read again.
    requests
        Requests that it took.
    verified
        Whether the whole library was looked through for deletions, not only the pages that were read.
    """

    new: int = 0
    changed: int = 0
    gone: int = 0
    playlists: int = 0
    requests: int = 0
    verified: bool = False

    @property
    def summary(self) -> str:
        """One line: `50 new, 3 changed, 1 gone; 2 playlists read; 6 requests`."""
        parts = [f"{self.new:,} new, {self.changed:,} changed, {self.gone:,} gone"]
        if self.playlists:
            parts.append(f"{_counted(self.playlists, 'playlist')} read")
        parts.append(_counted(self.requests, "request"))
        return "; ".join(parts)

    def __str__(self) -> str:
        return self.summary

    def __repr__(self) -> str:
        return f"<SyncReport: {self.summary}>"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
