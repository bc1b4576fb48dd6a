"""The command as a process: exit codes, closed pipes, interrupts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from .console import Console
from .outcome import INTERRUPTED

__all__ = ["main"]

#: 128 + SIGPIPE, which a shell shows for a program that a closed pipe has ended.
_CLOSED_PIPE: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on this process's streams and return its exit code."""
    try:
        if instruction := os.environ.get("_FT_COMPLETE"):  # a shell asks, by the script of `ft completion`
            from .app import app
            from .completion import complete

            return complete(app, instruction)
        from .running import run

        outcome = run(sys.argv[1:] if argv is None else argv, io=Console.of_process())
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go; without this the interpreter says so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    except KeyboardInterrupt:  # before there was anything to say about it
        return INTERRUPTED
    return outcome.code
