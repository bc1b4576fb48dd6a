"""Webhooks: one POST when a generation ends, never repeated, whatever the answer and even across a crash."""

from __future__ import annotations

import http.client
import logging
import socket
import sqlite3
import ssl
import threading
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

import msgspec

from . import views
from .store import Store
from .targets import may_call

__all__ = ["Webhooks"]

TIMEOUT = 10.0
"""Seconds that a target may take to connect, and to answer."""
POLL = 1.0
"""Seconds between looks for what another process left unsent."""
THREADS = 2
logger = logging.getLogger(__name__)


class Webhooks:
    """Fires what is due.

    A webhook is marked as fired, on disk, before it is sent: it may be lost in a crash, it is never sent twice.

    Parameters
    ----------
    store
        The library.
    media_url
        Where audio is served.
    """

    def __init__(self, store: Store, media_url: str) -> None:
        self._store = store
        self._media_url = media_url
        self._news = threading.Condition()
        self._stopping = False
        self._sockets: dict[int, socket.socket | None] = {}
        self._threads = [
            threading.Thread(target=self._run, args=(n,), name=f"studio-webhooks-{n}", daemon=True)
            for n in range(THREADS)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that a generation ended."""
        with self._news:
            self._news.notify_all()

    @property
    def busy(self) -> bool:
        """Whether one is being sent."""
        with self._news:
            return bool(self._sockets)

    def close(self) -> None:
        """Stop at once; what has not been marked is fired at the next start."""
        with self._news:
            self._stopping = True
            for open_socket in self._sockets.values():
                if open_socket is not None:
                    _shut(open_socket)
            self._news.notify_all()
        for thread in self._threads:
            thread.join(timeout=2)

    def _run(self, number: int) -> None:
        while True:
            row = self._take(number)
            if row is not None:
                try:
                    self._send(number, row)
                finally:
                    with self._news:
                        del self._sockets[number]
                continue
            with self._news:
                if self._stopping:
                    return
                self._news.wait(POLL)

    def _take(self, number: int) -> sqlite3.Row | None:
        """Mark the next one as fired; of two processes that see it, one gets it."""
        with self._news:
            if self._stopping:
                return None
        with self._store.read() as connection:
            due = connection.execute(
                """SELECT id FROM generations WHERE webhook IS NOT NULL AND webhook_fired = 0
                    AND status IN ('completed', 'failed') ORDER BY seq LIMIT 1"""
            ).fetchone()
        if due is None:
            return None
        with self._news:
            self._sockets[number] = None
        with self._store.write() as connection:
            row: sqlite3.Row | None = connection.execute(
                "UPDATE generations SET webhook_fired = 1 WHERE id = ? AND webhook_fired = 0 RETURNING *",
                (due["id"],),
            ).fetchone()
        if row is None:
            with self._news:
                del self._sockets[number]
        return row

    def _send(self, number: int, row: sqlite3.Row) -> None:
        url = urlsplit(row["webhook"])
        try:
            status = self._post(number, url, msgspec.json.encode(views.webhook(row, self._media_url)))
        except (OSError, http.client.HTTPException) as error:
            # The URL may hold a secret, so only its host is said.
            logger.warning("the webhook of %s to %s was not delivered: %s", row["id"], url.hostname, error)
        else:
            logger.info("the webhook of %s to %s was answered %s", row["id"], url.hostname, status)

    def _post(self, number: int, url: SplitResult, body: bytes) -> int:
        host = url.hostname or ""
        port = url.port or (443 if url.scheme == "https" else 80)
        # Connecting to the very address that was checked leaves no moment in which the name could change.
        opened = _connect(host, port)
        with self._news:
            self._sockets[number] = opened
            if self._stopping:
                _shut(opened)
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        try:
            if url.scheme == "https":
                opened = ssl.create_default_context().wrap_socket(opened, server_hostname=host)
            connection.sock = opened
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            headers = {"Content-Type": "application/json", "User-Agent": "finetuning-webhook/1.0"}
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
            opened.close()


def _connect(host: str, port: int) -> socket.socket:
    """Connect to a host that webhooks may go to.

    Raises
    ------
    OSError
        If it cannot be reached, or its name leads into a private network.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for *_, address in found]
    if not all(may_call(host, address) for address in addresses):
        raise OSError("the name leads to a private address")
    failure: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=TIMEOUT)
        except OSError as error:
            failure = error
    raise failure or OSError("the name leads nowhere")


def _shut(opened: socket.socket) -> None:
    """Wake the thread that waits on a socket."""
    with suppress(OSError):  # it may have been closed this moment
        opened.shutdown(socket.SHUT_RDWR)
