"""`ft doctor`, `ft update` and `ft help`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from finetuning.errors import FinetuningError, SettingsError, UsageError
from finetuning.version import __version__

from .flags import Command, session_of
from .installed import how
from .outcome import API, OK, Outcome
from .problems import code_of, sentence
from .session import NO_KEY, Session

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.records import Account

__all__ = ["doctor", "help_", "update"]


@click.command("doctor", cls=Command, example="ft doctor")
@click.pass_context
def doctor(context: click.Context) -> Outcome:
    """Check version, configuration, service and key."""
    session = session_of(context)
    code = OK
    for label, checked in _checks(session):
        good = isinstance(checked, str)
        mark = session.paint("✓" if good else "✗", "green" if good else "red", session.io.out)
        session.print(f"{mark} {label}{checked if isinstance(checked, str) else sentence(checked)}")
        if not isinstance(checked, str):
            code = code or code_of(checked)
    return Outcome(code)


def _checks(session: Session) -> Iterator[tuple[str, str | FinetuningError]]:
    """Yield what is checked and what came of it; a check that nothing can be said of after a failure is left out."""
    yield "ft ", f"v{__version__}"
    try:
        _ = session.settings
        yield "config: ", f"{session.config}" + ("" if session.config.is_file() else " (not there: the defaults hold)")
    except FinetuningError as problem:
        yield "config: ", problem
        if session.flags.base_url is None:
            return
        session.without_settings()
    try:
        yield "base URL: ", session.base_url
    except FinetuningError as problem:
        yield "base URL: ", problem
        return
    try:
        session.greet()
        yield "/health → ", "ok"
    except FinetuningError as problem:
        yield "/health → ", problem
        return
    try:
        with session.narrated():
            key = session.key()
        if key is None:
            raise SettingsError(NO_KEY)

        async def whose(client: AsyncClient) -> Account:
            return await client.me()

        account = session.call_with(key, whose)
        yield "key: ", f"{key}  ({account.email}, {account.tier} tier)"
    except FinetuningError as problem:
        yield "key: ", problem


@click.command("update", cls=Command, example="ft update")
@click.pass_context
def update(context: click.Context) -> Outcome:
    """Upgrade ft by the way it was installed."""
    session = session_of(context)
    way = how()
    if way.command is None:
        session.print(way.advice)
        return Outcome()
    session.tell(f"$ {shlex.join(way.command)}")
    session.io.err.flush()  # before the other program writes there
    try:
        code = session.io.start(way.command)
    except OSError as problem:
        raise UsageError(
            f"{way.command[0]} cannot be started: {problem.strerror}.", hint=f"{way.advice}, where it is installed."
        ) from None
    if code:
        session.error(f"{way.command[0]} ended with {code}. {way.advice}")
    return Outcome(API if code else OK)


@click.command("help", cls=Command, example="ft help generate\nft help playlist add")
@click.argument("names", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def help_(context: click.Context, names: tuple[str, ...]) -> Outcome:
    """Show a command's flags and an example."""
    session = session_of(context)
    within = context.find_root()
    command: click.Command = within.command
    for name in names:
        if not isinstance(command, click.Group):
            raise click.UsageError(f"{within.command_path} has no commands of its own, so no {name!r}.")
        _, found, _ = command.resolve_command(within, [name])
        if found is None:
            raise click.UsageError(f"{name!r} is not a command of {within.command_path}.")
        command = found
        within = click.Context(command, parent=within, info_name=name)
    session.print(command.get_help(within))
    return Outcome(kind="text")
