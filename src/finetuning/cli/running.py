"""Run the command inside a process: what the terminal, the notebook's `%ft` and the tests share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import click

from .app import app
from .console import Console
from .outcome import INTERRUPTED, Outcome
from .problems import report
from .session import Session

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient

__all__ = ["Console", "Outcome", "run"]


def run(
    argv: Sequence[str],
    *,
    io: Console,
    client: Callable[..., AsyncClient] | None = None,
    execute: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
) -> Outcome:
    """Run one command.

    Parameters
    ----------
    argv
        The words behind `ft`.
    io
        Where it writes and asks.
    client
        Makes the client, called with `api_key` and `base_url` (None where no flag says them); whoever hands it in
        closes it. Without it the command makes its own from flags, environment, settings and keychain.
    execute
        Runs a coroutine to its end: `asyncio.run`, or, where a loop is running, that of another thread.

    Returns
    -------
    Outcome
        The exit code, and the records that the command showed.

    Raises
    ------
    BrokenPipeError
        Nobody reads `io.out` any more.
    """
    session = Session(io, client, execute)
    try:
        with app.make_context("ft", list(argv), obj=session) as context:
            result = app.invoke(context)
        return result if isinstance(result, Outcome) else Outcome()
    except click.exceptions.Exit as end:
        return Outcome(end.exit_code)
    except (KeyboardInterrupt, click.Abort):
        session.tell(session.if_interrupted or "Interrupted.")
        return Outcome(INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception as problem:  # noqa: BLE001 - no traceback reaches a user who did not ask for one
        return Outcome(report(problem, session))
