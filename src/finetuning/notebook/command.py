"""A command of `ft` run in a notebook: errors come out as they are, and records as frames."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click
from IPython.display import display

from finetuning.bulk import BulkOutcome
from finetuning.cli.app import app
from finetuning.cli.outcome import Outcome
from finetuning.cli.session import Session
from finetuning.client.blocking import Client
from finetuning.client.outcomes import downloads_frame
from finetuning.errors import FinetuningError, MissingExtraError, PartialWarning, UsageError
from finetuning.frames import generations_frame, playlists_frame
from finetuning.records import Generation

__all__ = ["SWEEP", "invoked", "play", "returned", "sweep_flags"]

#: The flags of `%%ft sweep`.
SWEEP: Final = click.Command(
    "%%ft sweep",
    params=[
        click.Option(["--name"]),
        click.Option(["--no-wait"], is_flag=True),
        click.Option(["--at-once"], type=int, default=8),
    ],
    add_help_option=False,
)


def invoked(words: Sequence[str], session: Session) -> tuple[str | None, Outcome]:
    """Run a command.

    Returns
    -------
    name, outcome
        The command's name, as far as there was one, and what it came to.

    Raises
    ------
    UsageError
        A command, flag or argument that is not understood.
    FinetuningError
        Whatever else went wrong.
    """
    name = None
    try:
        with _understood(), app.make_context("ft", list(words), obj=session) as context:
            result = app.invoke(context)
            name = context.invoked_subcommand
    except click.exceptions.Exit as end:
        result = Outcome(end.exit_code)
    except KeyboardInterrupt:
        if session.if_interrupted:
            session.tell(session.if_interrupted)
        raise
    return name, result if isinstance(result, Outcome) else Outcome()


def sweep_flags(words: Sequence[str]) -> dict[str, Any]:
    """Read the flags of `%%ft sweep`: `name`, `no_wait`, `at_once`.

    Raises
    ------
    UsageError
        Something else.
    """
    with _understood(), SWEEP.make_context(SWEEP.name, list(words)) as context:
        return context.params


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as problem:
        raise UsageError(problem.format_message()) from None


def returned(outcome: Outcome) -> Any:
    """Return what a command gives a notebook: a DataFrame, a record, a `BulkOutcome`, or None for mere text.

    Raises
    ------
    FinetuningError
        A command that failed: a bulk command that changed nothing, or one that has said already what went wrong.
    """
    value = outcome.value
    if outcome.code and value is None:
        raise FinetuningError(
            f"The command ended with exit code {outcome.code}.", hint="What it said stands above this message."
        )
    if isinstance(value, BulkOutcome):
        if outcome.code and not value.succeeded:
            value.raise_for_failed()
        return value
    frames: dict[str | None, Any] = {
        "downloads": downloads_frame,
        "generations": generations_frame,
        "playlist": lambda playlist: generations_frame(playlist.tracks or []),
        "playlists": playlists_frame,
    }
    if outcome.kind not in frames:
        return value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartialWarning)  # the command has said it, id by id
        return frames[outcome.kind](value)


def play(value: Any, client: Client) -> None:
    """Show a deck for a finished generation, where decks are installed."""
    if not isinstance(value, Generation) or value.status != "completed":
        return
    try:
        deck = client.play(value)
    except MissingExtraError:
        return
    display(deck)  # type: ignore[no-untyped-call]
