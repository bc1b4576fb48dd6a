"""Starts the worker processes, hands them jobs, and records what they made."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import finetuning

from . import generations, jobs
from .generations import Made
from .jobs import Job
from .store import Store

__all__ = ["Foreman", "Worker", "WorkerDied"]

POLL = 0.5
"""Seconds between looks into the queue for what another process put there."""
LONGEST_RENDER = 180.0
"""Seconds after which a worker is taken for stuck; the longest piece takes a tenth of it."""
MOST_DEATHS = 3
logger = logging.getLogger(__name__)


class WorkerDied(Exception):  # noqa: N818 - an event that the foreman expects
    """A worker process ended in the middle of a job."""


class Worker:
    """One worker process.

    Parameters
    ----------
    log
        File that receives what it and its libraries print.
    """

    def __init__(self, log: Path) -> None:
        root = str(Path(finetuning.__file__).parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        # One thread each: several workers share the cores, and sums come out the same on any machine.
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                # -P: a file of the user's folder named like a module of ours must not be imported instead.
                [sys.executable, "-P", "-m", "finetuning.studio.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **single, "PYTHONPATH": os.pathsep.join(paths)},
            )

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
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise WorkerDied("it has no pipes")
        patience = threading.Timer(LONGEST_RENDER, self._process.kill)
        patience.daemon = True
        patience.start()
        try:
            stdin.write(json.dumps(job).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
        except OSError as error:
            raise WorkerDied(str(error)) from None
        finally:
            patience.cancel()
        if not line.endswith(b"\n"):
            raise WorkerDied(f"exit status {self._process.wait()}")
        result: dict[str, Any] = json.loads(line)
        return result

    def kill(self) -> None:
        """End it now. Safe from any thread."""
        self._process.kill()

    def close(self) -> None:
        """End it and let go of its pipes; only when no thread talks to it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # an unsent line, to a process that is gone
                    pass


class Foreman:
    """Keeps the workers busy, one thread each, and the leases alive.

    Parameters
    ----------
    store
        The queue and the library.
    workers
        How many processes; none renders nothing. The first is started at once, the others when they are needed.
    clock
        Seconds since the epoch, for the date of completion.
    on_finished
        Called after a generation ended.
    """

    def __init__(self, store: Store, workers: int, clock: Callable[[], float], on_finished: Callable[[], None]) -> None:
        self.owner = jobs.new_owner()
        self.failures: deque[str] = deque()
        self._store = store
        self._clock = clock
        self._on_finished = on_finished
        self._stopping = threading.Event()
        self._news = threading.Condition()
        self._idle = 0  # workers that run and wait for a job
        self._workers: dict[int, Worker] = {}
        self._threads = [
            threading.Thread(target=self._work, args=(slot,), name=f"studio-worker-{slot}", daemon=True)
            for slot in range(workers)
        ]
        if workers:
            self._threads.append(threading.Thread(target=self._keep_house, name="studio-foreman", daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that there is work."""
        with self._news:
            self._news.notify_all()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        with self._news:
            return [worker.pid for worker in self._workers.values()]

    def abandon(self) -> None:
        """Let go of what belongs to the parent: called in a forked child, where no thread runs."""
        for worker in self._workers.values():
            for pipe in (worker._process.stdin, worker._process.stdout):
                if pipe is not None:
                    os.close(pipe.fileno())

    def close(self) -> None:
        """Stop at once; what was being rendered goes back into the queue."""
        self._stopping.set()
        with self._news:
            self._news.notify_all()
            for worker in self._workers.values():
                worker.kill()
        for thread in self._threads:
            thread.join()
        with self._store.write() as connection:
            jobs.release(connection, self.owner)

    def _keep_house(self) -> None:
        self._sweep()
        while not self._stopping.wait(jobs.LEASE / 6):
            with self._store.write() as connection:
                jobs.extend(connection, self.owner)
                jobs.release_dead(connection)

    def _sweep(self) -> None:
        """Remove what a crash left behind: half-written files, and the sound of deleted generations."""
        for path in self._store.media.iterdir():
            with self._store.read() as connection:
                known = generations.find(connection, path.name.partition(".")[0]) is not None
            stale = path.suffix == ".part" and time.time() - path.stat().st_mtime > 2 * LONGEST_RENDER
            if not known or stale:
                path.unlink(missing_ok=True)

    def _work(self, slot: int) -> None:
        worker: Worker | None = self._hire(slot) if slot == 0 else None
        while not self._stopping.is_set():
            job = self._next(worker is not None)
            if job is None:
                continue
            if worker is None:
                worker = self._hire(slot)
            began = time.perf_counter()
            try:
                result = worker.perform(self._order(job))
            except WorkerDied as death:
                if not self._stopping.is_set():
                    self._bury(job, str(death), time.perf_counter() - began)
                self._dismiss(slot, worker)
                worker = None
            else:
                self._record(job, result, time.perf_counter() - began)
        if worker is not None:
            self._dismiss(slot, worker)

    def _hire(self, slot: int) -> Worker:
        worker = Worker(self._store.folder / "worker.log")
        with self._news:
            self._workers[slot] = worker
            if self._stopping.is_set():
                worker.kill()
        return worker

    def _dismiss(self, slot: int, worker: Worker) -> None:
        with self._news:
            del self._workers[slot]
        worker.close()

    def _next(self, running: bool) -> Job | None:
        with self._store.read() as connection:
            waiting = jobs.waiting(connection)
        # A new process is worth its start only if the running ones do not suffice.
        if waiting > (0 if running else self._idle):
            with self._store.write() as connection:
                job = jobs.claim(connection, self.owner)
            if job is not None:
                return job
        with self._news:
            self._idle += running
            if not self._stopping.is_set():
                self._news.wait(POLL)
            self._idle -= running
        return None

    def _part(self, job: Job) -> Path:
        return self._store.media / f"{job.id}.{self.owner.rpartition(':')[2]}.part"

    def _order(self, job: Job) -> dict[str, Any]:
        brief = {
            "tags": job.tags,
            "lyrics": job.lyrics,
            "bpm": job.bpm,
            "key": job.key,
            "scale": job.scale,
            "time_signature": job.time_signature,
            "duration": job.duration,
            "seed": job.seed,
            "language": job.language,
        }
        fail = self.failures.popleft() if self.failures else None
        return {"id": job.id, "path": str(self._part(job)), "brief": brief, "fail": fail}

    def _bury(self, job: Job, death: str, seconds: float) -> None:
        logger.warning("a worker died on %s (%s)", job.id, death)
        self._part(job).unlink(missing_ok=True)
        if job.deaths + 1 < MOST_DEATHS:
            with self._store.write() as connection:
                jobs.died(connection, self.owner, job.id)
            self.wake()
        else:
            message = f"The piece could not be made: its worker died {MOST_DEATHS} times ({death})."
            self._record(job, {"error": message}, seconds)

    def _record(self, job: Job, result: dict[str, Any], seconds: float) -> None:
        part, final = self._part(job), self._store.media / f"{job.id}.mp3"
        with self._store.write() as connection:
            if not jobs.owned(connection, self.owner, job.id):
                part.unlink(missing_ok=True)  # deleted meanwhile, or finished by another
                return
            if "error" in result:
                generations.fail(connection, job.id, result["error"], seconds, self._clock())
            else:
                made = Made(
                    title=result["title"],
                    duration=result["duration"],
                    midi=base64.b64decode(result["midi"]),
                    understood=json.dumps(result["understood"]),
                    size=result["size"],
                    etag=result["etag"],
                    seconds=seconds,
                )
                # The file stands before the row says so; a crash between the two only repeats the render.
                part.replace(final)
                _sync(final.parent)
                generations.complete(connection, job.id, made, self._clock())
            jobs.discard(connection, job.id)
        self._on_finished()


def _sync(folder: Path) -> None:
    """Make a rename durable."""
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
