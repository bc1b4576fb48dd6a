"""Starts the worker processes, hands them jobs, and records what they made."""

from __future__ import annotations

import base64
import json
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import generations, jobs
from .generations import Made
from .jobs import Job
from .process import LONGEST_RENDER, Worker, WorkerDied
from .store import Store

__all__ = ["Foreman"]

POLL = 0.5
"""Seconds between looks into the queue for what another process put there."""
MOST_DEATHS = 3
TROUBLE = (sqlite3.Error, OSError)
"""What a full disk or a stuck database looks like: said in the log and tried again, since jobs must not be lost."""
logger = logging.getLogger(__name__)


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
    soundfont
        What the workers play with; None for what the environment says.
    """

    def __init__(
        self,
        store: Store,
        workers: int,
        clock: Callable[[], float],
        on_finished: Callable[[], None],
        soundfont: str | None = None,
    ) -> None:
        self.owner = jobs.new_owner()
        self.failures: deque[str] = deque()
        self._store = store
        self._clock = clock
        self._on_finished = on_finished
        self._soundfont = soundfont
        self._stopping = threading.Event()
        self._news = threading.Condition()
        self._workers: dict[int, Worker] = {}  # by slot, as is the next
        self._held: dict[int, str] = {}
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
            worker.abandon()

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
        jobs.forget_owner(self.owner)

    def _keep_house(self) -> None:
        """Take over from the dead, at once and then now and again; keep the own leases alive."""
        swept = False
        while not self._stopping.is_set():
            try:
                with self._store.write() as connection:
                    jobs.extend(connection, self.owner, list(self._held.values()))
                    released = jobs.release_dead(connection)
                if released:
                    self.wake()
                if not swept:
                    self._sweep()
                    swept = True
            except TROUBLE:
                logger.exception("the studio's housekeeping failed")
            self._stopping.wait(jobs.LEASE / 6)

    def _sweep(self) -> None:
        """Remove what a crash left behind: half-written files, and the sound of deleted generations."""
        for path in list(self._store.media.iterdir()):
            with self._store.read() as connection:
                known = generations.find(connection, path.name.partition(".")[0]) is not None
            with suppress(FileNotFoundError):  # another studio may be at it too
                stale = path.suffix == ".part" and time.time() - path.stat().st_mtime > 2 * LONGEST_RENDER
                if stale or not known:
                    path.unlink()

    def _work(self, slot: int) -> None:
        while not self._stopping.is_set():
            try:
                if slot == 0 and slot not in self._workers:
                    self._hire(slot)  # before there is work: the first piece need not wait for the imports
                self._turn(slot)
            except TROUBLE:
                logger.exception("a worker's thread failed; it tries again")
                self._stopping.wait(POLL)
            finally:
                self._held.pop(slot, None)
        self._dismiss(slot)

    def _turn(self, slot: int) -> None:
        """Take one job, if there is one, and see it through."""
        job = self._next(slot)
        if job is None:
            return
        worker = self._workers.get(slot) or self._hire(slot)
        began = time.perf_counter()
        try:
            result = worker.perform(self._order(job))
        except WorkerDied as death:
            self._dismiss(slot)
            if not self._stopping.is_set():
                self._bury(job, str(death), time.perf_counter() - began)
        else:
            self._record(job, result, time.perf_counter() - began)

    def _hire(self, slot: int) -> Worker:
        worker = Worker(self._store.folder / "worker.log", soundfont=self._soundfont)
        with self._news:
            self._workers[slot] = worker
            if self._stopping.is_set():
                worker.kill()
        return worker

    def _dismiss(self, slot: int) -> None:
        with self._news:
            worker = self._workers.pop(slot, None)
        if worker is not None:
            worker.close()

    def _next(self, slot: int) -> Job | None:
        with self._store.read() as connection:
            waiting = jobs.waiting(connection)
        # A new process is worth its start only if the running ones do not suffice.
        if waiting > (0 if slot in self._workers else self._free()):
            with self._store.write() as connection:
                job = jobs.claim(connection, self.owner)
                if job is not None:
                    self._held[slot] = job.id
                    return job
        with self._news:
            if not self._stopping.is_set():
                self._news.wait(POLL)
        return None

    def _free(self) -> int:
        """Count the processes that run and have nothing to do."""
        with self._news:
            return sum(slot not in self._held for slot in self._workers)

    def _part(self, job: Job) -> Path:
        return self._store.media / f"{job.id}.{self.owner.rpartition(':')[2]}.part"

    def _order(self, job: Job) -> dict[str, Any]:
        fail = self.failures.popleft() if self.failures else None
        return {"id": job.id, "path": str(self._part(job)), "brief": job.brief, "fail": fail}

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
