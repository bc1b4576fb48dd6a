"""A web server for one application, on an event loop and a daemon thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import weakref
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from finetuning.errors import WebhookError

__all__ = ["Server"]

#: Seconds that a request may still take while the server closes.
_GRACE = 1
#: Seconds after which the thread is left to itself, since a listener may hold it.
_WIND_UP = 10.0


#: What a forked child must let go of.
_open: weakref.WeakSet[Server] = weakref.WeakSet()


class _Quiet(H11Protocol):
    """Never writes a line for a request: the secret stands in its address."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.access_log = False


class _Port(uvicorn.Server):
    """Says when it answers, or that it never will."""

    def __init__(self, app: Any) -> None:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            http=_Quiet,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        config.load()
        # At its finest level of logging uvicorn wraps the application into something that logs each address whole.
        config.loaded_app = app
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Server:
    """Serves one application from its making until it is closed.

    Parameters
    ----------
    app
        The ASGI application.
    host, port
        Where to listen; port 0 takes any that is free.

    Raises
    ------
    WebhookError
        The port is taken, or the address is none of this machine.
    """

    def __init__(self, app: Any, host: str, port: int) -> None:
        self._listener = _listen(host, port)
        self.port: int = self._listener.getsockname()[1]
        # Where nobody set up logging, Python prints warnings to the standard error, and so into the notebook.
        logger = logging.getLogger("uvicorn.error")
        if not logger.hasHandlers():
            logger.addHandler(logging.NullHandler())
        self._port = _Port(app)
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="finetuning-webhooks", daemon=True)
        try:
            self._thread.start()
            self._port.ready.wait()
            if self._problem is not None:
                raise self._problem
        except (OSError, RuntimeError) as problem:  # no more threads, or no more files
            self._listener.close()
            raise WebhookError(f"The receiver's server could not be started: {problem}.") from problem
        _open.add(self)

    def _run(self) -> None:
        try:
            # A loop of our own, by name: whatever policy or patch the user's own loop has, it is not shared.
            with contextlib.closing(asyncio.SelectorEventLoop()) as loop:
                loop.run_until_complete(self._port.serve([self._listener]))
        except (OSError, RuntimeError) as problem:
            self._problem = problem
        finally:
            self._listener.close()
            self._port.ready.set()

    def abandon(self) -> None:
        """Let go of the port in a forked child, which would otherwise keep it open when the parent has gone."""
        self._listener.close()

    def close(self) -> None:
        """Stop listening; a request that runs has a second to end."""
        self._port.should_exit = True
        _open.discard(self)
        if threading.current_thread() is not self._thread:  # a listener may close the receiver that tells it
            self._thread.join(_WIND_UP)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as problem:
        raise WebhookError(
            f"The receiver cannot listen on {host}, port {port}: {problem.strerror or problem}.",
            hint="Another program may have the port: choose another, or 0 for any that is free.",
        ) from problem
    # Made anew with the protocol by name: asyncio sends small answers at once only on sockets that say they are TCP.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listener.detach())


def _abandon_all() -> None:
    for server in _open:
        server.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
