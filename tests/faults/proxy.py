"""A proxy between client and studio that does to each request what a schedule says, and keeps a log of it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from .faults import ANSWERED, Fault, answer_of

__all__ = ["Exchange", "Hold", "Proxy"]

Moment = Literal["arrived", "answered"]

#: Seconds that a late delivery is late: nobody's patience is that short.
_LATE: Final = 0.03
#: With this option set, closing a socket sends a reset instead of an orderly end.
_RESET: Final = struct.pack("ii", 1, 0)
_PASS: Final = Fault("pass")


@dataclass(frozen=True)
class Exchange:
    """One request as it went.

    Attributes
    ----------
    fault : str
        What was done to it.
    delivered : bool
        Whether the service got it.
    status : int or None
        What the service said, whatever the client was shown.
    """

    method: str
    path: str
    fault: str
    delivered: bool
    status: int | None

    @property
    def creates(self) -> bool:
        """Whether it costs a credit."""
        return _creates(self.method, self.path)


@dataclass
class Hold:
    """A request that waits at the proxy, before it is delivered or before it is answered, until it is let go."""

    after: int
    moment: Moment
    reached: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let it go, or let it pass where it has not come yet."""
        self.free.set()

    async def keep(self, moment: Moment) -> None:
        """Wait here, where this is the moment."""
        if moment == self.moment and not self.free.is_set():
            self.reached.set()
            await asyncio.to_thread(self.free.wait, 60)


@dataclass(frozen=True)
class _Message:
    start: bytes
    headers: dict[bytes, bytes]
    body: bytes

    def encode(self, **changed: bytes) -> bytes:
        headers = self.headers | {name.encode(): value for name, value in changed.items()}
        lines = [self.start, *(name + b": " + value for name, value in headers.items())]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


class Proxy:
    """Forwards to one service, each request over a connection of its own.

    Parameters
    ----------
    upstream
        Where the service is.
    before
        Called with method and path of each request that is about to be delivered; may be replaced.

    Attributes
    ----------
    url : str
        Where the proxy is.
    log : list of Exchange
        What went through, in the order of arrival at the service.
    always : Fault or None
        Done to each listing, whatever the schedule says.
    edit : callable or None
        Gets each generation that is read, and may change it before the client sees it.
    """

    def __init__(self, upstream: str, before: Callable[[str, str], None] = lambda method, path: None) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self.before = before
        self._due: deque[Fault] = deque()
        self._hold: Hold | None = None
        self._active = 0
        self.always: Fault | None = None
        self.edit: Callable[[dict[str, Any]], None] | None = None
        self.log: list[Exchange] = []
        self.url = ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="fault-proxy")
        self._thread.start()
        assert self._ready.wait(60)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def plan(self, faults: Iterable[Fault]) -> None:
        """Begin a new schedule and a new log: each request takes the first fault that is meant for its sort."""
        self._due = deque(faults)
        self.log = []

    def hold(self, after: int, moment: Moment) -> Hold:
        """Hold the request that comes after so many others."""
        self._hold = Hold(after, moment)
        return self._hold

    def settle(self) -> None:
        """Return when every request that arrived has been dealt with, that of a client that is gone too."""
        deadline = time.monotonic() + 20
        while self._active:
            assert time.monotonic() < deadline, "a request is still on its way"
            time.sleep(0.001)

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        self._ready.set()
        await self._end.wait()
        server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(await _read(reader), reader, writer):
                    pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, request: _Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Deal with one request; whether the connection may carry another."""
        self._active += 1
        try:
            method, path, _ = request.start.decode().split(" ")
            create = _creates(method, path)
            fault, hold = self._choose(method, path), self._counted()
            await hold.keep("arrived")
            answer = await self._deliver(request, method, path, fault) if fault.delivers else None
            status = int(answer.start.split(b" ")[1]) if answer else None
            self.log.append(Exchange(method, path, fault.kind, fault.delivers, status))
            await hold.keep("answered")
            if fault.kind == "hang":
                await reader.read(1)  # until the client has had enough of it
                return False
            return await self._answer(fault.kind, answer, writer, create=create)
        finally:
            self._active -= 1

    def _choose(self, method: str, path: str) -> Fault:
        create = _creates(method, path)
        if self.always is not None and _lists(method, path):
            return self.always
        found = next((fault for fault in self._due if fault.hits(create=create)), None)
        if found is None:
            return _PASS
        self._due.remove(found)
        return found

    def _counted(self) -> Hold:
        """Return the hold if it is this request's turn, and an open one else."""
        hold = self._hold
        if hold is None:
            hold = Hold(0, "arrived")
            hold.release()
        elif hold.after > 0:
            hold.after -= 1
            hold = Hold(0, "arrived")
            hold.release()
        else:
            self._hold = None
        return hold

    async def _deliver(self, request: _Message, method: str, path: str, fault: Fault) -> _Message:
        if fault.kind == "delay":
            await asyncio.sleep(_LATE)
        self.before(method, path)
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            writer.write(request.encode(connection=b"close"))
            answer = await _read(reader)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        if self.edit is None or method != "GET" or not path.startswith("/v1/generations"):
            return answer
        shown = json.loads(answer.body)
        for row in shown["data"].get("generations", [shown["data"]]):
            self.edit(row)
        body = json.dumps(shown).encode()
        return _Message(answer.start, answer.headers | {b"content-length": b"%d" % len(body)}, body)

    async def _answer(self, kind: str, answer: _Message | None, writer: asyncio.StreamWriter, *, create: bool) -> bool:
        """Answer as the fault has it; whether the connection may carry another request."""
        if kind.startswith("reset"):
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
            return False
        if kind == "lost":
            return False
        if kind in ANSWERED and answer is not None:
            data = answer.encode(connection=b"keep-alive")
            for piece in [data] if kind != "slow_drip" else [data[i : i + 1] for i in range(len(data))]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            return True
        if kind == "truncated" and answer is not None:
            cut = _Message(answer.start, answer.headers, answer.body[: len(answer.body) // 2])
            writer.write(cut.encode(connection=b"keep-alive"))
            await writer.drain()
            return False
        status, headers, body = answer_of(kind, create=create)
        headers |= {"Content-Length": str(len(body))}
        made = {name.encode(): value.encode() for name, value in headers.items()}
        writer.write(_Message(b"HTTP/1.1 %d Said by the proxy" % status, made, body).encode())
        await writer.drain()
        return True


def _creates(method: str, path: str) -> bool:
    return method == "POST" and path == "/v1/generations"


def _lists(method: str, path: str) -> bool:
    return method == "GET" and path.partition("?")[0] == "/v1/generations"


async def _read(reader: asyncio.StreamReader) -> _Message:
    """Read a whole request or answer by its Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
    start, *lines = head.split(b"\r\n")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
    return _Message(start, headers, body)
