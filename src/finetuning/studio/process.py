"""One worker process, seen from the studio."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from .soundfonts import VARIABLE

__all__ = ["LONGEST_RENDER", "Worker", "WorkerDied"]

LONGEST_RENDER = 180.0
"""Seconds after which a worker is taken for stuck; the longest piece takes a tenth of it."""


class WorkerDied(Exception):  # noqa: N818 - an event that the foreman expects
    """A worker process ended in the middle of a job."""


class Worker:
    """A process that makes one piece after another.

    Parameters
    ----------
    log
        File that receives what it and its libraries print.
    patience
        Seconds that one job may take.
    soundfont
        The SoundFont that it plays with; None for what the environment says.
    """

    def __init__(self, log: Path, patience: float = LONGEST_RENDER, soundfont: str | None = None) -> None:
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        # One thread each: several workers share the cores, and sums come out the same on any machine.
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        chosen = {VARIABLE: soundfont} if soundfont else {}
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                # -P: a file of the user's folder named like a module of ours must not be imported instead.
                [sys.executable, "-P", "-m", "finetuning.studio.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **single, **chosen, "PYTHONPATH": os.pathsep.join(paths)},
            )
        # Asked for above, so they are there; the types of subprocess cannot say it.
        self._orders, self._results = self._process.stdin, self._process.stdout
        self._patience = patience

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def perform(self, job: dict[str, Any]) -> dict[str, Any]:
        """Have one job done.

        Raises
        ------
        WorkerDied
            If the process ended, or took longer than any job can take.
        """
        watchdog = threading.Timer(self._patience, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            line = self._exchange(json.dumps(job).encode() + b"\n")
        finally:
            watchdog.cancel()
        result: dict[str, Any] = json.loads(line)
        return result

    def _exchange(self, order: bytes) -> bytes:
        assert self._orders is not None and self._results is not None  # noqa: S101, PT018 - see __init__
        line = b""
        with suppress(BrokenPipeError):  # it died before it could read; its exit status says more
            self._orders.write(order)
            self._orders.flush()
            line = self._results.readline()
        if not line.endswith(b"\n"):
            self._process.kill()
            raise WorkerDied(f"exit status {self._process.wait()}")
        return line

    def kill(self) -> None:
        """End it now. Safe from any thread."""
        self._process.kill()

    def close(self) -> None:
        """End it and let go of its pipes; only when no thread talks to it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._orders, self._results):
            if pipe is not None:
                with suppress(BrokenPipeError):  # an unsent line, to a process that is gone
                    pipe.close()

    def abandon(self) -> None:
        """In a forked child: let go of the parent's pipes, past the locks of threads that do not exist here."""
        for pipe in (self._orders, self._results):
            raw = getattr(pipe, "raw", None)
            if raw is not None:
                raw.close()
