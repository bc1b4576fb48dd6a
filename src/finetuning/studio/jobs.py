"""The queue: who renders what, under a lease, so that each piece is rendered once and none is lost."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from . import generations

__all__ = [
    "HOUSE", "LEASE", "USER", "Job", "claim", "died", "discard", "enqueue", "extend", "forget_owner", "in_flight",
    "is_queued", "new_owner", "owned", "release", "release_dead", "waiting",
]  # fmt: skip

USER, HOUSE = 0, 1
"""Priorities; the smaller goes first."""
LEASE = 30.0
"""Seconds after which a job of an owner that is not heard of is anyone's."""
_HOST = socket.gethostname()
_living: set[str] = set()


def new_owner() -> str:
    """Name one studio of one process: `host:pid:uuid`."""
    owner = f"{_HOST}:{os.getpid()}:{uuid4()}"
    _living.add(owner)
    return owner


def forget_owner(owner: str) -> None:
    """Say that an owner of this process has ended."""
    _living.discard(owner)


def _is_dead(owner: str) -> bool:
    """Whether the owner's process is known to be gone; its lease need not run out then."""
    host, pid, _ = owner.rsplit(":", 2)
    if host != _HOST or os.name != "posix":  # elsewhere there is no harmless way to ask
        return False
    if int(pid) == os.getpid():  # a process before this one may have had the same number, above all in a container
        return owner not in _living
    try:
        os.kill(int(pid), 0)
    except OSError as error:
        return error.errno == errno.ESRCH  # any other refusal means that there is such a process
    return False


@dataclass(frozen=True)
class Job:
    """A piece to render."""

    id: str
    brief: dict[str, Any]
    deaths: int


def enqueue(connection: sqlite3.Connection, generation_id: str, account_id: str, priority: int = USER) -> None:
    """Ask for a piece to be rendered; asking twice is the same."""
    connection.execute(
        "INSERT OR IGNORE INTO jobs (generation_id, account_id, priority) VALUES (?, ?, ?)",
        (generation_id, account_id, priority),
    )


def in_flight(connection: sqlite3.Connection, account_id: str) -> int:
    """Count the generations of an account that are not finished."""
    count: int = connection.execute("SELECT count(*) FROM jobs WHERE account_id = ?", (account_id,)).fetchone()[0]
    return count


def is_queued(connection: sqlite3.Connection, generation_id: str) -> bool:
    """Whether a piece waits to be rendered, or is being rendered."""
    row = connection.execute("SELECT 1 FROM jobs WHERE generation_id = ?", (generation_id,)).fetchone()
    return row is not None


def waiting(connection: sqlite3.Connection) -> int:
    """Count the jobs that may be claimed now."""
    count: int = connection.execute(
        "SELECT count(*) FROM jobs WHERE owner IS NULL OR lease < ?", (time.time(),)
    ).fetchone()[0]
    return count


def claim(connection: sqlite3.Connection, owner: str) -> Job | None:
    """Take the oldest job of the highest priority, if there is one."""
    now = time.time()
    row = connection.execute(
        """SELECT g.*, j.deaths FROM jobs j JOIN generations g ON g.id = j.generation_id
            WHERE j.owner IS NULL OR j.lease < ? ORDER BY j.priority, j.seq LIMIT 1""",
        (now,),
    ).fetchone()
    if row is None:
        return None
    job = Job(row["id"], generations.brief(row), row["deaths"])
    connection.execute("UPDATE jobs SET owner = ?, lease = ? WHERE generation_id = ?", (owner, now + LEASE, job.id))
    connection.execute("UPDATE generations SET status = 'processing' WHERE id = ? AND status = 'pending'", (job.id,))
    return job


def extend(connection: sqlite3.Connection, owner: str, ids: list[str]) -> None:
    """Say that the owner is alive and at work on these."""
    connection.executemany(
        "UPDATE jobs SET lease = ? WHERE owner = ? AND generation_id = ?",
        [(time.time() + LEASE, owner, generation_id) for generation_id in ids],
    )


def owned(connection: sqlite3.Connection, owner: str, id: str) -> bool:  # noqa: A002 - the wire's name
    """Whether the job is still the owner's: it may have been deleted, or taken over while the owner slept."""
    row = connection.execute("SELECT 1 FROM jobs WHERE generation_id = ? AND owner = ?", (id, owner)).fetchone()
    return row is not None


def died(connection: sqlite3.Connection, owner: str, id: str) -> None:  # noqa: A002 - the wire's name
    """Give a job back because the worker died on it."""
    connection.execute("UPDATE jobs SET deaths = deaths + 1 WHERE generation_id = ? AND owner = ?", (id, owner))
    release(connection, owner, id)


def release(connection: sqlite3.Connection, owner: str, id: str | None = None) -> None:  # noqa: A002 - the wire's name
    """Give back one job of an owner, or all."""
    rows = connection.execute(
        """UPDATE jobs SET owner = NULL, lease = NULL WHERE owner = ? AND generation_id = coalesce(?, generation_id)
            RETURNING generation_id""",
        (owner, id),
    ).fetchall()
    connection.executemany(
        "UPDATE generations SET status = 'pending' WHERE id = ? AND status = 'processing'",
        [(row["generation_id"],) for row in rows],
    )


def release_dead(connection: sqlite3.Connection) -> bool:
    """Give back the jobs of studios whose process is gone; whether there were any."""
    owners = [row["owner"] for row in connection.execute("SELECT DISTINCT owner FROM jobs WHERE owner IS NOT NULL")]
    dead = [owner for owner in owners if _is_dead(owner)]
    for owner in dead:
        release(connection, owner)
    return bool(dead)


def discard(connection: sqlite3.Connection, id: str) -> None:  # noqa: A002 - the wire's name
    """Take a finished job out of the queue."""
    connection.execute("DELETE FROM jobs WHERE generation_id = ?", (id,))
