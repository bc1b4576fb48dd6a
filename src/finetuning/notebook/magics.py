"""`%ft` and `%%ft sweep`."""

from __future__ import annotations

import getpass
import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand

from finetuning import accessor
from finetuning.cli.console import Console
from finetuning.cli.session import Session
from finetuning.client.blocking import Client
from finetuning.connection import connect
from finetuning.errors import FinetuningError, UsageError
from finetuning.redaction import redact
from finetuning.sweep.run import SweepRun

from .cell import read_sweep
from .command import invoked, play, returned, sweep_flags
from .completion import Library, matcher
from .expansion import expand
from .wire import Wire

__all__ = ["FinetuningMagics"]


@magics_class
class FinetuningMagics(Magics):
    """The `ft` command for notebooks.

    Parameters
    ----------
    shell
        IPython's.
    """

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._shell = shell
        self._connected: Client | None = None
        self._library = Library(_newest)
        self._matcher = matcher(self._library)

    def register(self) -> None:
        """Give the shell `%ft`, `%%ft` and their completion."""
        self._shell.register_magics(self)
        self._shell.Completer.custom_matchers.append(self._matcher)

    def unregister(self) -> None:
        """Take them out of the shell again."""
        self._shell.Completer.custom_matchers.remove(self._matcher)
        for kind in ("line", "cell"):
            self._shell.magics_manager.magics[kind].pop("ft", None)

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def ft(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Run the `ft` command: `%ft list --limit 50`, `%ft help`; or a sweep, `%%ft sweep` above a cell of YAML.

        Commands and flags are those of the terminal. Lists come back as DataFrames (`df = %ft list`), a track as
        its record, a bulk command as a `BulkOutcome`. `{expression}` and `$name` stand for values of the notebook,
        a DataFrame for its ids: `%ft playlist add "Focus Beats" {keepers}`.
        """
        try:
            arguments = expand(line, {**self._shell.user_ns, **(local_ns or {})})
            return self._run(arguments) if cell is None else self._sweep(arguments, cell)
        except FinetuningError as problem:
            # Our frames between the user's line and the message say nothing; IPython shows what this returns.
            shown = f"{type(problem).__name__}: {problem}"
            problem._render_traceback_ = partial(list, [shown])  # type: ignore[attr-defined]
            raise
        finally:
            self._library.forget()

    def _client(self) -> Client:
        """Return the client that was made last, or connect."""
        newest = _newest()
        if newest is None:
            # Kept here: what was made last is only pointed at, and the user has no name for this one.
            newest = self._connected = connect()
        return newest

    def _run(self, arguments: Sequence[str]) -> Any:
        if arguments[:1] == ["sweep"]:
            raise UsageError("A sweep is a cell: `%%ft sweep`, and its tags and axes below, in YAML.")
        written = io.StringIO()
        console = Console(
            # Until it is stopped a studio says nothing more, so what it says is not kept back.
            out=sys.stdout if arguments[:2] == ["studio", "serve"] else written,
            err=sys.stderr,
            start=_shown,
            piped=lambda: getpass.getpass("API key: "),  # what is piped elsewhere is typed here
        )
        with Wire(self._client) as wire:
            session = Session(console, wire.reach, wire.execute)
            wire.session = session
            name, outcome = invoked(arguments, session)
            text = written.getvalue()
            if "--json" in arguments and outcome.kind not in ("text", None):
                return json.loads(text)
            # The last two say where they put the sound, and the key.
            if outcome.value is None or name == "generate" or "login" in arguments:
                sys.stdout.write(text)
            value = returned(outcome)
            if name == "generate" and wire.client is not None and not wire.own:
                play(value, wire.client)
        return value

    def _sweep(self, arguments: Sequence[str], cell: str) -> SweepRun:
        if arguments[:1] != ["sweep"]:
            raise UsageError(
                f"`%%ft {' '.join(arguments[:1])}` is not a cell of its own.",
                hint="`%%ft sweep` is; any other command is a line, such as `%ft list`.",
            )
        flags = sweep_flags(arguments[1:])
        sweep = read_sweep(cell)
        return self._client().run(sweep, name=flags["name"], wait=not flags["no_wait"], at_once=flags["at_once"])


def _shown(command: Sequence[str]) -> int:
    """Run a program, and show in the cell what it says while it says it: its terminal is the server's, not ours."""
    with subprocess.Popen(  # noqa: S603 - commands of ours, no shell
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(redact(line))
    if process.returncode == 0:
        sys.stdout.write("Restart the kernel to use what is new.\n")
    return process.returncode


def _newest() -> Client | None:
    """Return the client that was made last and is open."""
    try:
        client = accessor.current()
    except FinetuningError:
        return None
    return client if isinstance(client, Client) else None
