"""A studio and a composer's script as processes, killed and started again, and the account of what came of it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

from .books import Books, Row, acknowledged
from .plots import Kill, Plot

__all__ = ["Outcome", "Stage", "StuckError", "free_port"]

#: Seconds that anything may take which is not the experiment; the machine may be busy.
_PATIENCE: Final = 120.0
_GLANCE: Final = 0.002
#: Where `tests` can be imported from.
_ROOT: Final = Path(__file__).parents[2]
#: Below the ports that outgoing connections are given, lest one of them sits on the studio's while it is down.
_PORTS: Final = (15000, 30000)


class StuckError(Exception):
    """Something that was waited for did not happen."""


@dataclass
class Outcome:
    """What came of one sweep, or of many."""

    runs: int = 0
    kills: int = 0
    duplicates: int = 0
    losses: int = 0
    partial: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was paid twice, lost or left half-written."""
        return not (self.duplicates or self.losses or self.partial or self.problems)

    def add(self, other: Outcome) -> None:
        """Count another in."""
        for name in ("runs", "kills", "duplicates", "losses", "partial"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

    def __str__(self) -> str:
        return (
            f"{self.runs} runs, {self.kills} kills, {self.duplicates} duplicates, {self.losses} losses, "
            f"{self.partial} partial files"
        )


class Process:
    """A process that can be killed at any moment, and started again.

    Parameters
    ----------
    arguments
        Of the interpreter.
    environment
        All that it gets.
    output
        File for what it prints, begun anew at each start; with `.err` for its errors, which are kept.
    """

    def __init__(self, arguments: list[str], environment: dict[str, str], output: Path) -> None:
        self._arguments = arguments
        self._environment = environment
        self.output = output
        self.errors = output.with_suffix(".err")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.output.open("wb") as output, self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                cwd=_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs, or was never started."""
        return None if self._process is None else self._process.poll()

    def said(self, word: str) -> bool:
        """Whether it has printed a line."""
        return word.encode() in self.output.read_bytes().split()

    def kill(self) -> bool:
        """Kill it with SIGKILL; whether there was something to kill."""
        if self._process is None:
            return False
        alive = self._process.poll() is None
        self._process.kill()
        self._process.wait()
        return alive


class Stage:
    """A studio in a folder of its own, on which one sweep after another is played.

    Parameters
    ----------
    folder
        For everything.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Without proxies, which do not know this machine's loopback; unmeasured, since what is killed while it writes
        # its coverage down would leave a broken file.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith("COV")
        }
        self._environment = {
            **kept,
            "FINETUNING_CONFIG_HOME": str(folder / "config"),
            "FINETUNING_DATA_HOME": str(folder / "data"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        self._environment.pop("FINETUNING_API_KEY", None)
        self._port, media_port = free_port(), free_port()
        command = ["-m", "tests.faults.house", str(folder / "studio"), str(self._port), str(media_port)]
        self._studio = Process(command, self._environment, folder / "studio.out")
        self._books = Books(folder / "studio")

    def __enter__(self) -> Stage:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._studio.start()
        self._answers()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._studio.kill()

    def play(self, plot: Plot) -> Outcome:
        """Run a sweep while it is plotted against, then see what came of it.

        Whatever is amiss is in the outcome, and not raised.
        """
        name, outcome = f"plot-{plot.seed}", Outcome(runs=1)
        folder, journal = self._folder / name, self._folder / "data" / "sweeps" / f"{name}.jsonl"
        folder.mkdir()
        before = self._books.spent
        url = f"http://127.0.0.1:{self._port}"
        arguments = ["-m", "tests.faults.composer", url, self._books.key, name, str(plot.points), str(folder)]
        client = Process(arguments, self._environment, folder / "client.out")
        client.start()
        try:
            for kill in plot.kills:
                outcome.kills += self._carry_out(kill, client, journal)
            self._wait(lambda: client.status is not None, f"{name}: the client does not end")
            if client.status:
                raise StuckError(f"{name}: the client ended with {client.status}: {_tail(client.errors)}")
        except StuckError as problem:
            outcome.problems.append(str(problem))
            client.kill()
        self._judge(plot, folder, journal, self._books.spent - before, outcome)
        return outcome

    def _carry_out(self, kill: Kill, client: Process, journal: Path) -> int:
        """Wait for the moment, kill, and start again what was killed; returns how many were."""

        def size() -> int:
            return journal.stat().st_size if journal.exists() else 0

        if kill.when != "start":
            begun = size()
            moments: dict[str, Callable[[], bool]] = {
                "up": lambda: client.said("up"),
                "written": lambda: size() >= begun + kill.written,
                "made": lambda: client.said("made"),
            }
            self._wait(lambda: client.status is not None or moments[kill.when](), f"{kill}: its moment does not come")
        time.sleep(kill.pause)  # random, and no state is waited for: where the kill falls is the experiment
        if client.status is not None:
            return 0
        killed = 0
        if kill.target != "client":
            killed += self._studio.kill()
        if kill.target != "studio" and client.kill():
            killed += 1
            client.start()
        if kill.target != "client":
            time.sleep(kill.down)  # likewise
            self._studio.start()
            self._answers()
        return killed

    def _judge(self, plot: Plot, folder: Path, journal: Path, spent: int, outcome: Outcome) -> None:
        """Compare what the studio has with what the run shows, and with the files."""
        rows = {row.id: row for row in self._books.rows(folder.name)}
        made = {row.identity for row in rows.values()}
        outcome.duplicates = max(len(rows), spent) - len(made)
        result = folder / "frame.json"
        frame = json.loads(result.read_text()) if result.exists() else []
        shown = {id_ for _, _, id_ in frame if id_}
        completed = {seed for seed, state, id_ in frame if state == "completed" and _is(rows, id_, seed)}
        missing = set(range(1, plot.points + 1)) - completed
        named = {id_ for ids in acknowledged(journal).values() for id_ in ids} if journal.exists() else set()
        files = sorted((folder / "takes").glob("*.mp3"))
        outcome.losses = len(missing) + len(named - shown) + max(0, len(completed) - len(files))
        outcome.partial = sum(not _is_whole(path, rows) for path in files)
        media = self._folder / "studio" / "media"
        outcome.partial += sum(not _is_whole(media / f"{id_}.mp3", rows) for id_ in rows if id_ in shown)
        if not outcome.clean:
            outcome.problems.append(f"{plot}: {outcome}; {len(rows)} made, {spent} spent, frame {frame}")

    def _answers(self) -> None:
        """Wait until the studio answers."""

        def healthy() -> bool:
            if self._studio.status is not None:
                raise StuckError(f"The studio ended: {_tail(self._studio.errors)}")
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except OSError:
                return False
            finally:
                connection.close()

        self._wait(healthy, "the studio does not answer")

    def _wait(self, condition: Callable[[], bool], problem: str) -> None:
        deadline, pause = time.monotonic() + _PATIENCE, threading.Event()
        while not condition():
            if time.monotonic() > deadline:
                raise StuckError(problem)
            pause.wait(_GLANCE)


def _is(rows: dict[str, Row], id_: str | None, seed: int) -> bool:
    """Whether a generation is completed at the studio, and is that of a point."""
    row = rows.get(id_ or "")
    return row is not None and row.status == "completed" and row.seed == seed


def _is_whole(path: Path, rows: dict[str, Row]) -> bool:
    """Whether a file is to the byte what the service says; its name is the id, or ends in the first 8 of it."""
    data = path.read_bytes() if path.exists() else b""
    digest = hashlib.sha256(data).hexdigest()[:32]
    stem = path.stem if path.stem in rows else path.stem.rpartition("-")[2]
    return any(row.file_size == len(data) and row.etag == digest for row in rows.values() if row.id.startswith(stem))


def free_port() -> int:
    """Return a port on which nobody listens, and which nobody is given who does not ask for it."""
    while True:
        port = random.SystemRandom().randrange(*_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-2000:]
