"""What the deck shows of a take: a name, where it stands, what was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARAMETERS", "Take", "clock", "shortened", "takes_in"]

#: What takes can be spread over, in the order of preference, and the columns in which a frame has it.
PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "bpm": ("bpm",),
    "key": ("key",),
    "scale": ("scale",),
    "time_signature": ("time_signature",),
    "duration": ("requested_duration",),
    "energy": ("energy",),
    "tags": ("tags", "prompt"),
    "seed": ("seed",),
    "replicate": ("replicate",),
}
_TITLE: Final = 72  # characters: what is shown of a take is saved in the notebook, so it must stay small
_REASON: Final = 160
_BAD: Final = frozenset({"failed", "refused", "uncertain"})


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One take in a deck.

    Attributes
    ----------
    key : str
        By which page and kernel speak of it: the id, or of a point of a run that may have none yet, `point-3`.
    id : str or None
        Of the generation, where there is one.
    state : str
        `completed`, or the word for what it is instead.
    reason : str
        Why it failed, or waits.
    duration, bpm : float or None
        Seconds; beats a minute.
    beats : int
        In a bar.
    values : dict
        Of `PARAMETERS`, those that are known.
    """

    key: str
    id: str | None
    point: int | None = None
    title: str
    state: str = "completed"
    reason: str = ""
    duration: float | None = None
    bpm: float | None = None
    beats: int = 4
    audio_url: str | None = None
    values: dict[str, Any] = {}

    @property
    def playable(self) -> bool:
        """Whether there is sound to hear."""
        return self.id is not None and self.state == "completed"

    @property
    def broken(self) -> bool:
        """Whether there never will be."""
        return self.state in _BAD

    @property
    def link(self) -> str | None:
        """The address, where it is one that still works from another machine."""
        try:
            parts = urlsplit(self.audio_url or "")
        except ValueError:
            return None
        return self.audio_url if parts.scheme == "https" and parts.netloc else None

    @property
    def label(self) -> str:
        """What tells it from others: `bpm 85 · C minor · seed 7`."""
        values = self.values
        parts = [] if self.state == "completed" else [self.state]
        if "bpm" in values:
            parts.append(f"bpm {_plain(values['bpm'])}")
        if "key" in values:
            parts.append(" ".join(str(values[name]) for name in ("key", "scale") if name in values))
        if self.beats != 4:  # four is what nobody mentions
            parts.append(f"{self.beats} beats")
        parts += [f"{name} {_plain(values[name])}" for name in ("seed", "replicate") if name in values]
        return " · ".join(parts)


def takes_in(frame: pd.DataFrame, *, points: bool = False) -> list[Take]:
    """Read the takes of a frame, one a row.

    Parameters
    ----------
    frame
        Of a library or of a run; any column may be missing.
    points
        Whether the rows are the points of the deck's own run, and are known by them.
    """
    names = [str(name) for name in frame.columns]
    columns = [frame.iloc[:, place].astype(object) for place in range(len(names))]
    rows = zip(*columns, strict=True) if columns else iter(())
    return [_take({name: _known(value) for name, value in zip(names, row, strict=True)}, points) for row in rows]


def clock(seconds: float | None) -> str:
    """Write a duration as on a record sleeve: `0:42`, `3:05`; nothing where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def shortened(text: str, most: int = _TITLE) -> str:
    """Put text on one line of so many characters."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else one_line[: most - 1].rstrip() + "…"


def _take(row: Mapping[str, Any], points: bool) -> Take:
    number, id_ = row.get("point"), row.get("id")
    point = number if points else None
    values = {name: _first(row, columns) for name, columns in PARAMETERS.items()}
    seconds = _first(row, ("duration", "requested_duration"))
    meter = values["time_signature"]
    return Take(
        key=f"point-{number}" if points or id_ is None else str(id_),
        id=None if id_ is None else str(id_),
        point=None if point is None else int(point),
        title=shortened(str(_first(row, ("title", "prompt", "tags", "id")) or "take")),
        state=str(_first(row, ("state", "status")) or "completed"),
        reason=shortened(str(row.get("error_message") or ""), _REASON),
        duration=None if seconds is None else float(seconds),
        bpm=float(values["bpm"]) if values["bpm"] else None,
        beats=int(meter) if meter else 4,
        audio_url=row.get("audio_url"),
        values={name: value for name, value in values.items() if value is not None},
    )


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _known(value: Any) -> Any:
    """Return a plain Python value; None for each of pandas' ways to say that there is none."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
