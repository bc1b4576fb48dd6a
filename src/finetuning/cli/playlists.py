"""`ft playlists` and `ft playlist …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from finetuning import protocol

from .flags import Command, Group, json_flag, session_of
from .jsontext import indented
from .library import track_table
from .outcome import Outcome
from .tables import block, table
from .wording import age, duration

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.records import Playlist
    from finetuning.transport import Answer

__all__ = ["playlist", "playlists"]

_HEADER: Final = ("ID", "NAME", "TRACKS", "DURATION", "VISIBILITY", "UPDATED")


def _visibility(is_public: bool | None) -> str:
    return "-" if is_public is None else "public" if is_public else "private"


@click.command("playlists", cls=Command, example="ft playlists")
@json_flag
@click.pass_context
def playlists(context: click.Context, as_json: bool) -> Outcome:
    """List your playlists."""
    session = session_of(context)
    answer = session.call(lambda client: client.send(protocol.list_playlists()))
    found = answer.value.playlists
    rows = [
        (
            each.id,
            each.name or "-",
            "-" if each.track_count is None else str(each.track_count),
            duration(each.total_duration),
            _visibility(each.is_public),
            age(each.updated_at),
        )
        for each in found
    ]
    if as_json:
        session.print(indented(answer.content))
    else:
        session.print(table(_HEADER, rows, columns=session.columns, flexible=1))
    return Outcome(kind="playlists", value=found)


playlist = Group(
    name="playlist",
    help="Show a playlist, and change what is in it. PLAYLIST is its id, or its name in any case.",
    example='ft playlist show "Focus Beats"',
)


@playlist.command("show", example='ft playlist show "Focus Beats"')
@click.argument("name", metavar="PLAYLIST")
@json_flag
@click.pass_context
def show(context: click.Context, name: str, as_json: bool) -> Outcome:
    """Show a playlist and its tracks."""
    session = session_of(context)

    async def read(client: AsyncClient) -> Answer[Playlist]:
        from finetuning.client.resolving import resolve_playlist

        return await client.send(protocol.get_playlist(await resolve_playlist(client.playlists, name)))

    answer = session.call(read)
    found = answer.value
    if as_json:
        session.print(indented(answer.content))
        return Outcome(kind="playlist", value=found)
    tracks = found.tracks or []
    session.print(
        block(
            [
                ("ID", found.id),
                ("Name", found.name),
                ("Description", found.description or None),
                ("Owner", None if found.is_owner is None or found.is_owner else "another user"),
                ("Visibility", _visibility(found.is_public)),
                ("Tracks", str(len(tracks) if found.track_count is None else found.track_count)),
                ("Duration", duration(found.total_duration)),
                ("Updated", age(found.updated_at)),
            ]
        )
    )
    if tracks:
        session.print("")
        session.print(track_table(session, tracks))
    return Outcome(kind="playlist", value=found)
