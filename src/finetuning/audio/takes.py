"""What a player shows of a take: a name, what was asked for, how long it is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetuning.records import Generation

__all__ = ["PlayerTake", "clock", "takes_of"]

_TITLE = 72  # characters: the state of a player is saved in the notebook, so a take in it must stay small


class PlayerTake(msgspec.Struct, frozen=True, kw_only=True):
    """One take in a player.

    Attributes
    ----------
    id : str
        What the player asks for when it is to be heard.
    title : str
        Any text; it is shown as text.
    label : str
        What distinguishes the take, such as `bpm 85 · C minor · seed 7`.
    duration : float or None
        Seconds, where they are known.
    audio_url : str or None
        Where a saved notebook may link to; only an HTTPS address is.
    """

    id: str
    title: str
    label: str = ""
    duration: float | None = None
    audio_url: str | None = None

    @property
    def link(self) -> str | None:
        """The address, where it is one that still works from another machine."""
        try:
            parts = urlsplit(self.audio_url or "")
        except ValueError:
            return None
        return self.audio_url if parts.scheme == "https" and parts.netloc else None


def takes_of(records: Sequence[Generation]) -> list[PlayerTake]:
    """Describe generations for a player, in their order.

    Parameters
    ----------
    records
        Those that have no sound yet are listed too, with their status.

    Returns
    -------
    list of PlayerTake
    """
    return [
        PlayerTake(
            id=record.id,
            title=_shortened(record.title or record.prompt or record.id),
            label=_label(record),
            duration=record.duration if record.duration is not None else record.requested_duration,
            audio_url=record.audio_url,
        )
        for record in records
    ]


def clock(seconds: float | None) -> str:
    """Write a duration as on a record sleeve: `0:42`, `3:05`; nothing where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _shortened(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _TITLE else one_line[: _TITLE - 1].rstrip() + "…"


def _label(record: Generation) -> str:
    parts = []
    if record.status not in (None, "completed"):
        parts.append(str(record.status))
    if record.bpm is not None:
        parts.append(f"bpm {record.bpm:g}")
    if record.key:
        parts.append(f"{record.key} {record.scale}" if record.scale else record.key)
    if record.time_signature not in (None, 4):  # four is what nobody mentions
        parts.append(f"{record.time_signature} beats")
    if record.seed is not None:
        parts.append(f"seed {record.seed}")
    return " · ".join(parts)
