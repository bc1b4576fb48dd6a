"""What a journal records: one event a line, first how the run began."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from finetuning.records import Generation

from .points import Plan

__all__ = [
    "VERSION",
    "Absent",
    "Accepted",
    "Began",
    "Bounded",
    "Declined",
    "Event",
    "Extended",
    "Finished",
    "Intent",
    "Judged",
    "Lost",
    "Noted",
    "Oriented",
    "PointEvent",
    "Preferred",
    "Rated",
    "Refused",
    "Rejected",
    "Stopped",
    "Undecided",
    "encode",
    "parse",
    "version_of",
]

#: Of the format; a journal of a newer one is not touched.
VERSION: Final = 2

#: Moments are compared with one another, so each says of which zone it is.
_Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class _Event(
    msgspec.Struct,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag=str.lower,
):
    at: _Moment


class Began(_Event):
    """The first line: what is to be made, for whom, seeds and all, before anything is sent.

    Attributes
    ----------
    base_url, account
        Of the service; a run is not continued on another account.
    """

    version: int
    name: str
    base_url: str
    plan: Plan
    account: str | None = None


class Extended(_Event):
    """More is to be made: points that follow the last so far, seeds and all.

    Attributes
    ----------
    axes
        The values of each axis, with the new ones. A parameter that all points shared before may be among them.
    """

    axes: dict[str, list[Any]]
    points: list[dict[str, Any]]


class Bounded(_Event):
    """How many credits the run may spend in all from here on; None for as many as it needs."""

    max_credits: int | None = None


class Oriented(_Event):
    """What is sent from here on is none of these generations, which the library held as its newest.

    Attributes
    ----------
    before
        Ids, as far back as the service's own moments do not tell for certain.
    """

    before: list[str]


class _PointEvent(_Event):
    point: int


class Intent(_PointEvent):
    """A request is about to leave. Without an answer after it, nobody knows whether it was paid for.

    Attributes
    ----------
    after
        A moment of the service's own clock before it, from what it had created last; what the request makes is
        created then or later. No clock of this machine is compared with the service's.
    """

    after: _Moment | None = None


class Accepted(_PointEvent):
    """The service answered: it is making this."""

    generation: Generation


class Declined(_PointEvent):
    """The service took nothing on and nothing was spent; the point may be sent again."""

    reason: str


class Refused(_PointEvent):
    """The service will not make this point, now or later."""

    reason: str


class Lost(_PointEvent):
    """The request left and its answer was lost: it may have been paid for, and is looked for before anything else."""

    reason: str


class Absent(_PointEvent):
    """The listing shows that the lost request made nothing; the point may be sent again."""

    reason: str


class Undecided(_PointEvent):
    """The listing cannot tell whether the lost request made something: the point is not sent again."""

    reason: str


class Finished(_PointEvent):
    """The generation ended, well or badly; recorded again where more was learnt of it."""

    generation: Generation


class Rated(_PointEvent):
    """A person's judgement, 1 to 5, or None to take it back."""

    rating: int | None = None


class Rejected(_PointEvent):
    """Whether a person has put the take out of the question."""

    rejected: bool = True


class Preferred(_PointEvent):
    """Heard blindly, the take was better than another, or as good.

    Attributes
    ----------
    over
        The point of the other.
    same
        Whether no difference was heard.
    """

    over: int
    same: bool = False


class Noted(_PointEvent):
    """A person's words, or None to take them back."""

    note: str | None = None


class Stopped(_Event):
    """The run paused before its end."""

    reason: str


Judged: TypeAlias = Rated | Rejected | Preferred | Noted
PointEvent: TypeAlias = Intent | Accepted | Declined | Refused | Lost | Absent | Undecided | Finished | Judged
Event: TypeAlias = Began | Extended | Bounded | Oriented | PointEvent | Stopped

_decoder: Final = msgspec.json.Decoder(Event)


class _Head(msgspec.Struct):
    kind: str
    version: int


def encode(event: Event) -> bytes:
    """Write an event as one line of JSON, without its end; what is null is left out."""
    return msgspec.json.encode(_pruned(msgspec.to_builtins(event)))


def parse(line: bytes) -> Event:
    """Read one line.

    Raises
    ------
    msgspec.DecodeError
        It is not JSON, or (`msgspec.ValidationError`) not an event of this version.
    """
    event: Event = _decoder.decode(line)
    return event


def version_of(line: bytes) -> int | None:
    """Return the format that the first line of a journal says it has, or None where it is no such line."""
    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return head.version if head.kind == "began" else None


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(item) for name, item in value.items() if not _says_nothing(name, item)}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _says_nothing(name: str, item: Any) -> bool:
    return item is None or (name == "extra" and not item)
