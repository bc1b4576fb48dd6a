"""`ft list` and `ft get`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from finetuning import parameters, protocol
from finetuning.errors import InvalidAnswerError

from .flags import Command, Whole, an_id, json_flag, session_of
from .jsontext import envelope, indented
from .outcome import Outcome
from .session import Session
from .tables import block, table
from .wording import age, duration, moment, size

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.records import Generation

__all__ = ["details", "get", "listing", "track_table"]

_HEADER: Final = ("ID", "STATUS", "DURATION", "PROMPT", "CREATED")
_COLOURS: Final = {"completed": "green", "failed": "red", "processing": "yellow", "pending": "yellow"}


def track_table(session: Session, tracks: list[Generation]) -> Any:
    """Lay tracks out as `ft list` shows them."""

    def paint(place: int, cell: str, padded: str) -> str:
        colour = _COLOURS.get(cell) if place == 1 else None
        return session.paint(padded, colour, session.io.out) if colour else padded

    rows = [
        (
            track.id,
            track.status or "-",
            duration(track.duration if track.duration is not None else track.requested_duration),
            track.prompt or track.title or "-",
            age(track.created_at),
        )
        for track in tracks
    ]
    return table(_HEADER, rows, columns=session.columns, flexible=3, paint=paint)


@click.command("list", cls=Command, example="ft list --status completed --limit 50\nft list --all --json")
@click.option("--limit", type=Whole(1, protocol.PAGE_MAX), default=20, show_default=True, help="How many, 1 to 99.")
@click.option("--offset", type=Whole(0), default=0, show_default=True, help="How many of the newest to pass over.")
@click.option("--status", metavar="STATUS", help="Only pending, processing, completed or failed. [default: any]")
@click.option("--all", "everything", is_flag=True, help="The whole library, page by page.")
@json_flag
@click.pass_context
def listing(
    context: click.Context, limit: int, offset: int, status: str | None, everything: bool, as_json: bool
) -> Outcome:
    """List your tracks, newest first."""
    session = session_of(context)
    status = None if status is None else parameters.status(status)
    if everything:
        given = context.get_parameter_source("limit"), context.get_parameter_source("offset")
        if click.core.ParameterSource.COMMANDLINE in given:
            raise click.UsageError("--all lists everything; leave out --limit and --offset.")
        return _everything(session, status, as_json)
    answer = session.call(lambda client: client.send(protocol.list_generations(limit, offset, status)))
    page = answer.value
    session.print(indented(answer.content) if as_json else track_table(session, page.generations))
    if page.has_more:
        following = page.next_offset if page.next_offset is not None else offset + len(page.generations)
        session.note(f"there are more; go on with --offset {following}")
    return Outcome(kind="generations", value=page.generations)


def _everything(session: Session, status: str | None, as_json: bool) -> Outcome:
    tracks: list[Generation] = []
    rows: list[Any] = []

    async def read(client: AsyncClient) -> None:
        import msgspec

        seen: set[str] = set()
        offset = 0
        while True:
            answer = await client.send(protocol.list_generations(protocol.PAGE_MAX, offset, status))
            page = answer.value
            raw = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])["data"]
            originals = msgspec.json.decode(
                msgspec.json.decode(raw, type=dict[str, msgspec.Raw])["generations"], type=list[msgspec.Raw]
            )
            before = len(seen)
            for track, original in zip(page.generations, originals, strict=True):
                if track.id not in seen:  # a row that moved on because another came before it
                    seen.add(track.id)
                    tracks.append(track)
                    rows.append(original)
            if not page.has_more or not page.generations:
                return
            if len(seen) == before:
                raise InvalidAnswerError(
                    "The listing repeats itself, and more is said to follow.", request="GET /v1/generations"
                )
            offset = max(page.next_offset or 0, offset + 1)

    session.call(read)
    if as_json:
        session.print(envelope({"generations": rows, "hasMore": False, "nextOffset": None}))
    else:
        session.print(track_table(session, tracks))
    return Outcome(kind="generations", value=tracks)


def details(track: Generation) -> list[tuple[str, str | None]]:
    """Say all that is known of a track."""

    def count(number: int | None) -> str | None:
        return None if number is None else str(number)

    key = " ".join(filter(None, (track.key, track.scale))) or None
    return [
        ("ID", track.id),
        ("Title", track.title),
        ("Type", track.type),
        ("Status", track.status),
        ("Error", track.error_message),
        ("Prompt", track.prompt),
        ("Duration", duration(track.duration) if track.duration is not None else None),
        ("Asked for", duration(track.requested_duration) if track.requested_duration is not None else None),
        ("BPM", None if track.bpm is None else f"{track.bpm:g}"),
        ("Key", key),
        ("Time signature", count(track.time_signature)),
        ("Language", track.language),
        ("Seed", count(track.seed)),
        (
            "Visibility",
            {True: "public", False: "private"}.get(track.is_public) if track.is_public is not None else None,
        ),
        ("Plays", count(track.play_count)),
        ("Likes", count(track.like_count)),
        ("Downloads", count(track.download_count)),
        ("Size", size(track.file_size)),
        ("Made in", None if track.generation_time is None else f"{track.generation_time:g} s"),
        ("Audio", track.audio_url),
        ("Webhook", "set" if track.webhook else None),  # its URL holds a secret
        ("Created", moment(track.created_at)),
        ("Completed", moment(track.completed_at)),
    ]


@click.command("get", cls=Command, example="ft get 3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10")
@click.argument("id_", metavar="ID")
@json_flag
@click.pass_context
def get(context: click.Context, id_: str, as_json: bool) -> Outcome:
    """Show one track in full."""
    session = session_of(context)
    track = an_id(id_)
    answer = session.call(lambda client: client.send(protocol.get_generation(track)))
    session.print(indented(answer.content) if as_json else block(details(answer.value)))
    return Outcome(kind="generation", value=answer.value)
