"""From what went wrong to one line and an exit code."""

from __future__ import annotations

import traceback

import click

from finetuning import errors

from .files import NotReadyError
from .outcome import API, NETWORK, USAGE
from .session import Session
from .wording import for_the_command

__all__ = ["code_of", "report", "sentence"]

_HINTS: dict[type[errors.FinetuningError], str] = {
    errors.AuthenticationError: "`ft auth login` stores another key; keys are made in the web application.",
    errors.OutOfCreditsError: "`ft me` tells what is left; a pack or the next month brings more.",
}


def report(problem: Exception, session: Session) -> int:
    """Say what went wrong on stderr, and return the exit code.

    What is refused here takes one line, the hint included; what the service says stands alone on its line, verbatim,
    with the hint beneath it.
    """
    if session.flags.verbose:
        session.tell("".join(traceback.format_exception(problem)).rstrip())
    if isinstance(problem, click.ClickException):
        session.error(problem.format_message())
        return USAGE
    if not isinstance(problem, errors.FinetuningError):
        session.error(f"{type(problem).__name__}: {problem}. This is a fault of ft; -v shows where.")
        return API
    if isinstance(problem, errors.APIError):
        session.error(problem.message)
        if hint := _HINTS.get(type(problem)) or for_the_command(problem.hint):
            session.tell(hint)
    else:
        session.error(sentence(problem))
    return code_of(problem)


def sentence(problem: errors.FinetuningError) -> str:
    """Say what went wrong and what to do about it, on one line."""
    message = for_the_command(problem.message) or problem.message
    hint = for_the_command(problem.hint)
    return f"{message} {hint}" if hint else message


def code_of(problem: errors.FinetuningError) -> int:
    """Return the exit code of an error."""
    if isinstance(problem, errors.DownloadError) and isinstance(problem.__cause__, OSError):
        return USAGE  # the disk's, not the network's
    if isinstance(problem, errors.TransportError):
        return NETWORK
    if isinstance(problem, (errors.APIError, errors.GenerationError, errors.StillProcessingError, NotReadyError)):
        return API
    return USAGE
