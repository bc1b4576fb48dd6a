"""Where a command writes and asks: streams and functions that are handed in, never `sys.stdout` itself."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

__all__ = ["Console"]


def _nobody(prompt: str) -> str:
    raise EOFError(f"nobody can answer {prompt!r}")


def _nothing() -> str:
    return ""


def _run(command: Sequence[str]) -> int:
    return subprocess.run(list(command), check=False).returncode  # noqa: S603 - commands of ours, no shell


@dataclass(kw_only=True)
class Console:
    """What stands between a command and a person, a pipe, a notebook or a test.

    Attributes
    ----------
    out, err
        Data goes to the first; prompts, progress, notes and warnings to the second.
    out_is_terminal, err_is_terminal, in_is_terminal
        Whether a person is at the other end.
    colour
        Whether colour is wanted at all; it is used on a terminal only.
    width
        Columns of the terminal.
    line, hidden
        Ask for a line, with and without echo; the prompt is the argument.
    piped
        Reads all of the standard input.
    start
        Runs another program and returns its exit code.
    """

    out: TextIO
    err: TextIO
    out_is_terminal: bool = False
    err_is_terminal: bool = False
    in_is_terminal: bool = False
    colour: bool = True
    width: int = 100
    line: Callable[[str], str] = _nobody
    hidden: Callable[[str], str] = _nobody
    piped: Callable[[], str] = _nothing
    start: Callable[[Sequence[str]], int] = _run

    @classmethod
    def of_process(cls) -> Console:
        """Return the console of this process."""
        for stream in (sys.stdout, sys.stderr):
            _tolerate(stream)
        return cls(
            out=sys.stdout,
            err=sys.stderr,
            out_is_terminal=sys.stdout.isatty(),
            err_is_terminal=sys.stderr.isatty(),
            in_is_terminal=sys.stdin is not None and sys.stdin.isatty(),
            colour=not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
            width=shutil.get_terminal_size((100, 24)).columns,
            line=_ask,
            hidden=lambda prompt: getpass.getpass(prompt, stream=sys.stderr),
            piped=lambda: sys.stdin.read() if sys.stdin is not None else "",
        )


def _tolerate(stream: Any) -> None:
    """Let what the terminal's encoding lacks be escaped instead of ending the command."""
    stream.reconfigure(errors="backslashreplace")


def _ask(prompt: str) -> str:
    # `input` would write its prompt to the standard output, which is for data.
    sys.stderr.write(prompt)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise EOFError("the input ended")
    return answer.rstrip("\r\n")
