"""The command as a process: exit codes, closed pipes, interrupts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from .console import Console
from .outcome import INTERRUPTED, USAGE
from .wording import unwritable

__all__ = ["main"]

#: 128 + SIGPIPE, which a shell shows for a program that a closed pipe has ended.
_CLOSED_PIPE: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on this process's streams and return its exit code."""
    _open_streams()
    try:
        if instruction := os.environ.get("_FT_COMPLETE"):  # a shell asks, by the script of `ft completion`
            from .app import app
            from .completion import complete

            return complete(app, instruction)
        from .running import run

        return _flushed(run(sys.argv[1:] if argv is None else argv, io=Console.of_process()).code)
    except BrokenPipeError:
        _drop_output()
        return _CLOSED_PIPE
    except KeyboardInterrupt:  # before there was anything to say about it
        return INTERRUPTED


def _open_streams() -> None:
    """Let what is written to a stream that was closed by whoever started us, as by `>&-`, go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _flushed(code: int) -> int:
    """Write what is still in the buffer, and return the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        _drop_output()
        if not code:  # else it was told already
            sys.stderr.write(f"error: {unwritable(problem)}\n")
        return code or USAGE
    return code


def _drop_output() -> None:
    """Let go of what is still in the buffer: it has nowhere to go, and the interpreter would say so at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
