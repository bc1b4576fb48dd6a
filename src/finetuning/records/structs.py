"""The records themselves.

The structs refuse unknown fields on purpose: a refusal is how a newer service is noticed at no cost on the
fast path. `finetuning.decoding` then takes the slower way, which keeps every unknown field in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from finetuning.redaction import redact

from .values import beats, parse_time, split_keyscale

__all__ = [
    "Account",
    "BulkAnswer",
    "Created",
    "Generation",
    "GenerationPage",
    "ItemError",
    "Limits",
    "Parameters",
    "Playlist",
    "PlaylistList",
    "Record",
]


class _Nothing(dict[str, Any]):
    """An empty dictionary that stays one, copied and pickled as the one it is."""

    __slots__ = ()

    def __setitem__(self, name: str, value: Any) -> None:
        raise TypeError("the `extra` of a record without extra fields is shared; set `record.extra = {…}` instead")

    def __reduce__(self) -> str:
        return "_NOTHING"


#: Shared by all records that hold nothing extra: a dictionary for each would cost a hundred thousand rows dearly.
_NOTHING: Final[Mapping[str, Any]] = _Nothing()


class Record(
    msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, repr_omit_defaults=True, gc=False
):
    """Base of every record; records hold no cycles, so the garbage collector need not follow them.

    `extra` holds the fields that the service sent and this version does not name, under their wire names; and those
    of a row that are not of the type documented, so that one of them does not cost the whole page.
    """

    extra: Mapping[str, Any] = _NOTHING

    def __repr__(self) -> str:
        # A webhook's address, or a field that is new to this version, may hold a key.
        return redact(super().__repr__())


class Limits(Record):
    """What an account may still spend. Counts are in credits; one generation costs one."""

    monthly_generations: int | None = None
    generations_used: int | None = None
    monthly_remaining: int | None = None
    pack_credits: int | None = None
    total_remaining: int | None = None
    queue_depth: int | None = None


class Account(Record):
    """Whose key this is, the tier, and what is left."""

    id: str
    email: str | None = None
    name: str | None = None
    tier: str | None = None
    limits: Limits = msgspec.field(default_factory=Limits)


class Parameters(Record):
    """What the service was asked for, after its clamping.

    `timesignature` is a string in the answer to a create and a number everywhere else.
    """

    bpm: int | float | None = None
    duration: int | float | None = None
    keyscale: str | None = None
    timesignature: int | str | None = None
    seed: int | None = None
    language: str | None = None
    # Unverified in the service's answers, but the create body's own names, so a reader should know them.
    key: str | None = None
    scale: str | None = None
    lyrics: str | None = None
    tags: str | None = None


class Generation(Record):
    """One piece of music: what was asked, where it stands, and what came of it.

    `duration` is in seconds; `created` and `completed` hold the service's own text, and `created_at` and
    `completed_at` the same moments as aware datetimes in UTC.
    """

    id: str
    title: str | None = None
    prompt: str | None = None
    type: str | None = None
    status: str | None = None
    audio_url: str | None = None
    duration: float | None = None
    is_public: bool | None = None
    play_count: int | None = None
    like_count: int | None = None
    download_count: int | None = None
    parameters: Parameters | None = None
    file_size: int | None = None
    generation_time: float | None = None
    error_message: str | None = None
    webhook: str | None = None
    created: str | None = msgspec.field(default=None, name="createdAt")
    completed: str | None = msgspec.field(default=None, name="completedAt")

    @property
    def created_at(self) -> datetime | None:
        """When the request was accepted."""
        return parse_time(self.created)

    @property
    def completed_at(self) -> datetime | None:
        """When the music was ready, or the attempt was given up."""
        return parse_time(self.completed)

    @property
    def bpm(self) -> int | float | None:
        """The tempo that was asked for, in beats a minute, after clamping."""
        return self.parameters.bpm if self.parameters else None

    @property
    def key(self) -> str | None:
        """The tonic, one of `KEYS`."""
        given = self.parameters
        return (split_keyscale(given.keyscale)[0] or given.key) if given else None

    @property
    def scale(self) -> str | None:
        """`major` or `minor`."""
        given = self.parameters
        return (split_keyscale(given.keyscale)[1] or given.scale) if given else None

    @property
    def time_signature(self) -> int | None:
        """Beats in a bar, 2 to 7."""
        value = self.parameters.timesignature if self.parameters else None
        return beats(value)

    @property
    def language(self) -> str | None:
        """The language of the lyrics."""
        return self.parameters.language if self.parameters else None

    @property
    def seed(self) -> int | None:
        """The seed, drawn by the service where none was given."""
        return self.parameters.seed if self.parameters else None

    @property
    def requested_duration(self) -> float | None:
        """The length that was asked for, in seconds, after clamping."""
        return self.parameters.duration if self.parameters else None

    @property
    def finished(self) -> bool:
        """Whether the service has done with it, well or badly."""
        return self.status in ("completed", "failed")


class Created(Generation):
    """The answer to a create request: a generation, and what is left to spend."""

    credits_remaining: int | None = None


class GenerationPage(Record):
    """One page of the listing, newest first."""

    generations: list[Generation]
    has_more: bool = False
    next_offset: int | None = None


class Playlist(Record):
    """A playlist; `tracks` is None in a listing, which carries none. `total_duration` is in seconds."""

    id: str
    name: str | None = None
    description: str | None = None
    track_count: int | None = None
    total_duration: float | None = None
    is_public: bool | None = None
    is_owner: bool | None = None
    created: str | None = msgspec.field(default=None, name="createdAt")
    updated: str | None = msgspec.field(default=None, name="updatedAt")
    tracks: list[Generation] | None = None

    @property
    def created_at(self) -> datetime | None:
        """When it was made."""
        return parse_time(self.created)

    @property
    def updated_at(self) -> datetime | None:
        """When it last changed."""
        return parse_time(self.updated)


class PlaylistList(Record):
    """All playlists of the account, at once."""

    playlists: list[Playlist]


class ItemError(Record):
    """Why one item of a bulk request was refused. Deletes name the item `id`, playlists `trackId`."""

    id: str | None = None
    track_id: str | None = None
    error: str = "no reason given"

    @property
    def item(self) -> str:
        """The id that was refused."""
        return self.id or self.track_id or ""


class BulkAnswer(Record):
    """What one bulk request did; the field that is filled is the verb's own."""

    added: list[str] = []
    removed: list[str] = []
    moved: list[str] = []
    deleted: list[str] = []
    errors: list[ItemError] = []

    @property
    def succeeded(self) -> list[str]:
        """The ids that the request changed, whatever the verb."""
        return self.added or self.removed or self.moved or self.deleted
