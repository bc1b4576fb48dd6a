"""`ft studio`: the stand-in service from the command line, and what only the hosted web application does.

The one module of the command that knows the studio.
"""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finetuning.errors import StudioError, UsageError

from .flags import Group, Whole, an_id, session_of
from .outcome import Outcome

if TYPE_CHECKING:
    from finetuning.studio import Studio

__all__ = ["studio"]

_PORTS = Whole(0, 65535)


class _Folder(click.Path):
    """A folder that is there, or can be made."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a path."""
        if not value or (Path(value).exists() and not Path(value).is_dir()):
            raise UsageError(f"--data-dir {str(value)!r} is not a folder.", hint="Name one that is, or a new one.")
        return super().convert(value, param, ctx)


def _data_dir(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--data-dir",
        type=_Folder(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="The studio's folder. [default: `studio` in the data folder, which FINETUNING_DATA_HOME moves]",
    )(function)


studio = Group(
    name="studio",
    help="Run the studio, a stand-in for the service on this machine, and do what the web application does. It makes "
    "its music by rules: it is not the hosted model, and does not sing. It needs no account and costs nothing.",
    example="ft studio serve --port 8765",
)


@studio.command("serve", example="ft studio serve --port 8765 --data-dir ./studio")
@click.option("--port", type=_PORTS, default=0, metavar="N", help="Where the API listens. [default: any that is free]")
@click.option(
    "--media-port", type=_PORTS, default=0, metavar="N", help="Where sounds are served. [default: any that is free]"
)
@_data_dir
@click.option("--hosted-limits", is_flag=True, help="Enforce the limits of the hosted service.")
@click.pass_context
def serve(context: click.Context, port: int, media_port: int, data_dir: Path | None, hosted_limits: bool) -> Outcome:
    """Run the studio until Ctrl-C, and print its URL and its key.

    It listens on this machine alone. The key is the studio's own and opens nothing else.
    """
    session = session_of(context)
    limits = "hosted" if hosted_limits else "local"
    with _terminated_as_interrupted():
        try:
            with _opened(data_dir, limits=limits, port=port, media_port=media_port) as running:
                # Not by the session, which shows no key: this one is what the command is for.
                session.io.out.write(
                    f"Studio at {running.url}\nKey {running.api_key}\n\n"
                    f"export FINETUNING_API_KEY={running.api_key}\n"
                    f"ft list --base-url {running.url}\n"
                    f"ft studio playlist create 'Focus Beats' --data-dir {shlex.quote(str(running.data_dir))}\n"
                )
                session.io.out.flush()
                session.note("a stand-in for the service, on this machine, with a rule-based composer; Ctrl-C stops it")
                session.io.err.flush()
                until_told = threading.Event()
                while not until_told.wait(1):  # in turns: on Windows a wait without end hears no Ctrl-C
                    pass
        except KeyboardInterrupt:
            session.note("stopped; what was being made goes on at the next start")
    return Outcome(kind="text")


playlist = Group(
    name="playlist",
    help="Make playlists in the studio, which need not be running.",
    example='ft studio playlist create "Focus Beats"',
)
studio.add_command(playlist)


@playlist.command("create", example='ft studio playlist create "Focus Beats" --public')
@click.argument("name", metavar="NAME")
@click.option("--public", is_flag=True, help="Let everyone see it; it then takes public tracks only.")
@_data_dir
@click.pass_context
def create(context: click.Context, name: str, public: bool, data_dir: Path | None) -> Outcome:
    """Make an empty playlist, and print its id."""
    if not name.strip():
        raise UsageError("The playlist's name is empty.", hint="Give one: ft studio playlist create 'Focus Beats'.")
    with _opened(data_dir, workers=0) as opened:
        _name_folder(context, opened)
        session_of(context).print(opened.create_playlist(name, public=public))
    return Outcome(kind="text")


@studio.command("publish", example="ft studio publish 3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10")
@click.argument("tracks", nargs=-1, required=True, metavar="ID...")
@_data_dir
@click.pass_context
def publish(context: click.Context, tracks: tuple[str, ...], data_dir: Path | None) -> Outcome:
    """Make tracks public: all of them or, where one is not there, none."""
    return _set_public(context, tracks, data_dir, public=True)


@studio.command("unpublish", example="ft studio unpublish 3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10")
@click.argument("tracks", nargs=-1, required=True, metavar="ID...")
@_data_dir
@click.pass_context
def unpublish(context: click.Context, tracks: tuple[str, ...], data_dir: Path | None) -> Outcome:
    """Make tracks private: all or none. They leave the public playlists that they are in."""
    return _set_public(context, tracks, data_dir, public=False)


def _set_public(context: click.Context, tracks: tuple[str, ...], data_dir: Path | None, *, public: bool) -> Outcome:
    wanted = list(dict.fromkeys(an_id(track) for track in tracks))
    with _opened(data_dir, workers=0) as opened:
        _name_folder(context, opened)
        opened.set_public(wanted, public)
    session_of(context).print(f"{'Published' if public else 'Unpublished'} {len(wanted)} track(s)")
    return Outcome(kind="text")


def _name_folder(context: click.Context, studio: Studio) -> None:
    """Say which studio is changed where an address was given, which these commands do not go by."""
    session = session_of(context)
    if session.flags.base_url:
        session.note(
            f"--base-url is not used here; the studio in {studio.data_dir} is changed (--data-dir for another)"
        )


@contextmanager
def _opened(
    data_dir: Path | None, limits: str = "local", *, port: int = 0, media_port: int = 0, workers: int | None = None
) -> Iterator[Studio]:
    """Start a studio on a folder, which others may have open too, and close it.

    Raises
    ------
    UsageError
        A port is taken, or the folder cannot be used.
    MissingExtraError
        The studio is not installed.
    """
    from finetuning.studio import Studio

    try:
        started = Studio(data_dir, limits, port=port, media_port=media_port, workers=workers)
    except StudioError as problem:
        raise UsageError(problem.message, hint=problem.hint) from problem
    with started:
        yield started


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, so that both end the studio in order."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
