"""`ft delete` and `ft playlist add|remove|move`: any number of ids, and an account of each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from finetuning import errors

from .flags import Command, ids, json_flag, session_of
from .jsontext import envelope
from .outcome import API, OK, Outcome
from .playlists import playlist
from .progress import progress
from .session import Session
from .wording import for_the_command

if TYPE_CHECKING:
    from finetuning.bulk import BulkOutcome
    from finetuning.client.aio import AsyncClient
    from finetuning.client.sender import Progress

__all__ = ["delete"]

Work = Callable[["AsyncClient", "Progress"], Coroutine[Any, Any, "BulkOutcome"]]

_PRIVATE = "Cannot add private track to public playlist"
_tracks = click.argument("tracks", metavar="ID...", nargs=-1, required=True)


def _change(session: Session, doing: str, count: int, work: Work, as_json: bool) -> Outcome:
    """Run a bulk verb and say what became of each id."""
    session.if_interrupted = f"Interrupted while {doing} {count} track(s). Repeating the command does no harm."

    with progress(session, doing, count, unit="track") as shown:

        def advance(done: int, total: int | None) -> None:
            shown(done, total)
            session.if_interrupted = (
                f"Interrupted while {doing} {count} track(s), after {done}. Repeating the command does no harm."
            )

        outcome = session.call(lambda client: work(client, advance))
    session.print(_as_json(outcome) if as_json else outcome.summary)
    for id_ in outcome.inferred:
        session.note(
            f"{id_}: the answer was lost; when the request was repeated, it was {outcome.verb.lower()} already"
        )
    for id_, reason in outcome.refused.items():
        session.warn(f"{id_}: {reason}")
    if _PRIVATE in outcome.refused.values():
        session.note("make the track public in the web application, or add it to a private playlist")
    if outcome.error:
        for id_ in outcome.not_attempted:
            session.warn(f"{id_}: not attempted")
        session.error(
            f"stopped: {for_the_command(outcome.error.message)} {len(outcome.succeeded)} done, "
            f"{len(outcome.refused)} failed, {len(outcome.not_attempted)} not attempted."
        )
    return Outcome(OK if outcome.succeeded and not outcome.error else API, "bulk", outcome)


def _as_json(outcome: BulkOutcome) -> str:
    verb = outcome.verb.lower()
    name = "id" if verb == "deleted" else "trackId"
    data: dict[str, Any] = {
        verb: outcome.succeeded,
        "errors": [{name: id_, "error": reason} for id_, reason in outcome.refused.items()],
    }
    if outcome.error is None:
        return envelope(data)
    code = outcome.error.code if isinstance(outcome.error, errors.APIError) else type(outcome.error).__name__
    return envelope(
        data | {"notAttempted": outcome.not_attempted}, error={"code": code, "message": outcome.error.message}
    )


@click.command("delete", cls=Command, example="ft delete 3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10 --yes")
@_tracks
@click.option("-y", "--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@json_flag
@click.pass_context
def delete(context: click.Context, tracks: tuple[str, ...], yes: bool, as_json: bool) -> Outcome:
    """Delete tracks for good, everywhere.

    They are gone from the library, every playlist and public pages. Who answers the question with no, or with nothing,
    has nothing deleted, and the exit code is 0.
    """
    session = session_of(context)
    chosen = ids(tracks)
    if not yes:
        if not session.io.in_is_terminal:
            raise click.UsageError("Deleting is permanent, and nobody can be asked here; pass --yes to do it.")
        session.tell("This permanently deletes the track from your library — everywhere, not just playlists.")
        if not session.agrees(f"Delete {len(chosen)} track(s)?"):
            session.tell("Nothing was deleted.")
            return Outcome()
    return _change(
        session,
        "deleting",
        len(chosen),
        lambda client, advance: client.delete_tracks(chosen, yes=True, progress=advance),
        as_json,
    )


@playlist.command(
    "add", example='ft list --json | jq -r ".data.generations[].id" | xargs ft playlist add "Focus Beats"'
)
@click.argument("name", metavar="PLAYLIST")
@_tracks
@json_flag
@click.pass_context
def add(context: click.Context, name: str, tracks: tuple[str, ...], as_json: bool) -> Outcome:
    """Add tracks to a playlist of yours."""
    chosen = ids(tracks)
    return _change(
        session_of(context),
        "adding",
        len(chosen),
        lambda client, advance: client.add_tracks(name, chosen, progress=advance),
        as_json,
    )


@playlist.command("remove", example='ft playlist remove "Focus Beats" 3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10')
@click.argument("name", metavar="PLAYLIST")
@_tracks
@json_flag
@click.pass_context
def remove(context: click.Context, name: str, tracks: tuple[str, ...], as_json: bool) -> Outcome:
    """Remove tracks from a playlist of yours; they stay in the library."""
    chosen = ids(tracks)
    return _change(
        session_of(context),
        "removing",
        len(chosen),
        lambda client, advance: client.remove_tracks(name, chosen, progress=advance),
        as_json,
    )


@playlist.command("move", example='ft playlist move "Focus Beats" Archive 3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10')
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@_tracks
@json_flag
@click.pass_context
def move(context: click.Context, source: str, target: str, tracks: tuple[str, ...], as_json: bool) -> Outcome:
    """Move tracks from one playlist to another.

    Each is added there, and only then removed here.
    """
    chosen = ids(tracks)
    return _change(
        session_of(context),
        "moving",
        len(chosen),
        lambda client, advance: client.move_tracks(source, target, chosen, progress=advance),
        as_json,
    )
