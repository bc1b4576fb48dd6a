"""The studio as one object: starts everything, and stops everything."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from platformdirs import user_data_path

from finetuning.errors import StudioError

from . import accounts
from .app import Api
from .controls import Controls, check_count, check_soundfont, check_tier
from .foreman import Foreman
from .house import House, furnish, look_up
from .limits import Buckets, named
from .media import Media
from .operations import Context, Faults
from .server import Server, listen
from .store import Store
from .webhooks import Webhooks

__all__ = ["Studio", "default_folder"]

THREADS = 4
"""Requests that may wait for the database at once, API and media together."""
_all: weakref.WeakSet[Studio] = weakref.WeakSet()


def default_folder() -> Path:
    """Where a studio lives that is not told: in the user's data folder, or in `FINETUNING_DATA_HOME`."""
    home = os.environ.get("FINETUNING_DATA_HOME")
    return (Path(home) if home else user_data_path("finetuning", appauthor=False)) / "studio"


class Studio(Controls):
    """A stand-in for the hosted service, on loopback: real API, real database, real audio, no account and no cost.

    Its music is made by a rule-based composer, not by the hosted model, and it does not sing lyrics. Several
    studios, in one process or in many, may share a folder: each serves the same library, and each piece is
    rendered once. Pieces that were accepted and not finished are finished at the next start.

    Parameters
    ----------
    data_dir
        Folder of the database and the audio; None for the user's data folder.
    limits
        `"local"` announces generous limits; `"hosted"` enforces the documented ones.
    port, media_port
        Where to listen on 127.0.0.1; 0 takes any port that is free.
    tier
        `"free"`, `"plus"`, `"pro"` or `"lifetime"`; None keeps what the folder says, `"pro"` at first.
    credits
        As `set_credits`; None keeps what the folder says.
    clock
        Seconds since the epoch: dates, months and rate windows follow it.
    workers
        Render processes; None for one a core, at most 4. With 0 nothing is rendered.
    soundfont
        What plays: the path of an `.sf2` file, or `"bundled"` for the one that is the same on every machine. None for
        what `FINETUNING_SOUNDFONT` says, else `FluidR3_GM.sf2` where it is installed, else the bundled one.
    plan_required
        Whether `free` and `plus` are turned away, as by the hosted service.

    Attributes
    ----------
    url, media_url : str
        Base URLs of the API and of the media host.
    api_key : str
        The key of the user's account.
    data_dir : Path
        The folder.
    house : House
        Ids of what belongs to the second account.

    Raises
    ------
    StudioError
        If an argument is not understood, the folder cannot be used, or a port is taken.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str] | None = None,
        limits: str = "local",
        *,
        port: int = 0,
        media_port: int = 0,
        tier: str | None = None,
        credits: int | None = None,  # noqa: A002 - the service's word
        clock: Callable[[], float] = time.time,
        workers: int | None = None,
        plan_required: bool = True,
        soundfont: str | os.PathLike[str] | None = None,
    ) -> None:
        self._limits = named(limits)
        if tier is not None:
            check_tier(tier)
        if credits is not None:
            check_count("credits", credits)
        if workers is not None:
            check_count("workers", workers)
        self._soundfont = None if soundfont is None else check_soundfont(soundfont)
        self._clock = clock
        self._pid = os.getpid()
        self._workers = min(4, os.cpu_count() or 1) if workers is None else workers
        self.data_dir = (Path(data_dir) if data_dir is not None else default_folder()).expanduser().absolute()
        with ExitStack() as undo:
            self._store = Store(self.data_dir)
            undo.callback(self._store.close)
            self.api_key, self.house = self._move_in()
            if tier is not None:
                self.set_tier(tier)
            if credits is not None:
                self.set_credits(credits)
            sockets = []
            for number in (port, media_port):
                sockets.append(listen(number))
                undo.callback(sockets[-1].close)
            self.url, self.media_url = ("http://{}:{}".format(*listener.getsockname()) for listener in sockets)
            self._webhooks = Webhooks(self._store, self.media_url)
            self._foreman = Foreman(self._store, self._workers, clock, self._webhooks.wake, self._soundfont)
            self._faults = Faults()
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="studio-request")
            undo.callback(self._pool.shutdown)
            context = Context(
                store=self._store,
                limits=self._limits,
                buckets=Buckets(self._limits, clock),
                faults=self._faults,
                clock=clock,
                media_url=self.media_url,
                plan_required=plan_required,
                wake=self._foreman.wake,
                soundfont=self._soundfont,
            )
            self._media = Media(self._store, self._pool, self._workers > 0, self._foreman.wake)
            apps = (Api(context, self._pool), self._media)
            self._server = Server(list(zip(apps, sockets, strict=True)))
            self._server.start()
            self._foreman.start()
            self._webhooks.start()
            undo.pop_all()
        self._closed = False
        _all.add(self)
        atexit.register(self.close)

    def _move_in(self) -> tuple[str, House]:
        with self._store.write() as connection:
            user = accounts.by_role(connection, "user")
            if user is None:
                user = accounts.create(connection, "user", "Studio")
                furnish(connection, self._clock())
            return accounts.key_of(connection, user), look_up(connection)

    def __repr__(self) -> str:
        state = "closed" if self._closed else self.url
        return (
            f"<Studio {state}: a stand-in for the hosted service with a rule-based composer; it does not sing; "
            f"{self._limits.name} limits; data in {self.data_dir}; key {self.api_key[:12]}...****>"
        )

    def __enter__(self) -> Studio:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop threads, processes and ports; what was being rendered is finished by the next studio."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        atexit.unregister(self.close)
        _all.discard(self)
        self._media.stopping = True
        self._server.close()
        self._foreman.close()
        self._webhooks.close()
        self._pool.shutdown()
        self._store.close()

    def _abandon(self) -> None:
        """In a forked child: keep nothing of the parent's open. The URLs still lead to the parent."""
        self._closed = True
        self._server.abandon()
        self._foreman.abandon()

    @property
    def limits(self) -> str:
        """Which limits it keeps: `"local"` or `"hosted"`."""
        return self._limits.name

    @property
    def closed(self) -> bool:
        """Whether it has been closed, or belongs to the process that this one was forked from."""
        return self._closed or os.getpid() != self._pid

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the render processes that run."""
        return self._foreman.pids

    def wait_idle(self, timeout: float = 60.0) -> None:
        """Return when everything that was accepted has ended and every webhook was sent.

        Raises
        ------
        StudioError
            After `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while left := self._unfinished():
            if time.monotonic() > deadline:
                raise StudioError(f"{left} generations or webhooks are unfinished after {timeout:g} s.")
            time.sleep(0.02)

    def _unfinished(self) -> int:
        with self._store.read() as connection:
            rendering: int = connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
            due: int = connection.execute(
                """SELECT count(*) FROM generations WHERE webhook IS NOT NULL AND webhook_fired = 0
                    AND status IN ('completed', 'failed')"""
            ).fetchone()[0]
        return rendering + due + self._webhooks.busy


def _abandon_all() -> None:
    for studio in list(_all):
        studio._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
