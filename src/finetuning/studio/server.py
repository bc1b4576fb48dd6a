"""The web servers: API and media, each at its port, on one event loop in one daemon thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

from finetuning.errors import StudioError

__all__ = ["Server", "listen"]

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Open a listening socket on loopback; port 0 takes any that is free.

    Raises
    ------
    StudioError
        If the port is taken.
    """
    # The protocol by name: asyncio sends small answers at once only on sockets that say that they are TCP, and
    # without it each answer waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StudioError(
            f"The studio cannot listen on port {port}: {error}.", hint="Choose another port, or 0 for any that is free."
        ) from error
    return listener


class _Port(uvicorn.Server):
    """One port, which says when it answers."""

    def __init__(self, app: Any, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                http="h11",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


class Server:
    """Runs ASGI applications until it is closed.

    Parameters
    ----------
    apps
        Each with the socket that it listens on.
    """

    def __init__(self, apps: list[tuple[Any, socket.socket]]) -> None:
        self._sockets = [listener for _, listener in apps]
        self._ready = threading.Semaphore(0)
        self._ports = [_Port(app, self._ready.release) for app, _ in apps]
        self._thread = threading.Thread(target=self._run, name="studio-server", daemon=True)

    def start(self) -> None:
        """Return when every port answers."""
        self._thread.start()
        for _ in self._ports:
            self._ready.acquire()

    def _run(self) -> None:
        # A loop of our own, by name: whatever policy or patch the user's own loop has, it is not shared.
        loop = asyncio.SelectorEventLoop()
        try:
            loop.run_until_complete(self._serve())
        finally:
            loop.close()

    async def _serve(self) -> None:
        served = (port.serve([listener]) for port, listener in zip(self._ports, self._sockets, strict=True))
        await asyncio.gather(*served)

    def abandon(self) -> None:
        """Let go of the ports in a forked child, which would otherwise keep them open when the parent has gone."""
        for listener in self._sockets:
            listener.close()

    def close(self) -> None:
        """Stop; a request that runs has a second to end."""
        for port in self._ports:
            port.should_exit = True
        self._thread.join()
        self.abandon()
