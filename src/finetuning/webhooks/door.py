"""The ASGI application: who may come in, with what, and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, Final, TypeAlias

from . import deliveries
from .inbox import Inbox, log
from .secret import Secret

__all__ = ["Door", "Receive", "Scope", "Send"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Bytes of a body; the documented one has about one thousand.
BODY_MAX: Final = 64 * 1024
#: Seconds in which a body must be there.
PATIENCE: Final = 10.0

_ALLOW: Final = (b"allow", b"POST")
#: What is left of the body is not read, so the connection is of no more use.
_CLOSE: Final = (b"connection", b"close")


class _Refusal(Exception):  # noqa: N818 - an answer, which nobody but the door sees
    def __init__(self, status: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


class _GoneError(Exception):
    """The caller hung up half-way."""


class Door:
    """Lets deliveries in.

    Parameters
    ----------
    secret
        What a caller must know.
    inbox
        Where deliveries go.
    paths
        Where it may be called, without the prefix that it is mounted at.
    patience
        Seconds in which a body must be there.
    """

    def __init__(self, secret: Secret, inbox: Inbox, paths: Collection[str], *, patience: float = PATIENCE) -> None:
        self._secret = secret
        self._inbox = inbox
        self._paths = {path.rstrip("/") for path in paths}
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the application's life."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            raise ValueError(f"a webhook does not come by {scope['type']!r}")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope)
            content = await self._body(scope, receive)
            try:
                generation = deliveries.read(content)
            except deliveries.NotADeliveryError as problem:
                raise _Refusal(400, self._secret.hide(str(problem))) from None
        except _GoneError:
            return
        except _Refusal as refusal:
            # Neither the path nor the query: what is posted to the wrong place may hold the right secret.
            self._log(f"a delivery was refused: {refusal.status} {refusal.reason}")
            await _send(send, refusal.status, refusal.reason, *_fit(scope, refusal.headers))
            return
        news = self._inbox.take(generation, len(content))
        self._log(f"told that {generation.id!r} is {generation.status}{'' if news else ', once more'}")
        await _send(send, 204)

    def _log(self, text: str) -> None:
        log.debug("%s", self._secret.hide(text))

    def _check(self, scope: Scope) -> None:
        path, root = scope["path"], scope.get("root_path", "").rstrip("/")
        # Whoever mounts an application puts the prefix into the root path, and may leave it in the path or not.
        inner = path.removeprefix(root) if path.startswith(f"{root}/") or path == root else path
        if not {path.rstrip("/"), inner.rstrip("/")} & self._paths:
            raise _Refusal(404, "Nothing is here.")
        if scope["method"] != "POST":
            raise _Refusal(405, "A webhook is a POST.", _ALLOW)
        if not self._secret.opens(scope.get("query_string", b"")):
            raise _Refusal(403, "The token is missing or wrong.")
        kinds = _header(scope, b"content-type")
        if len(kinds) != 1 or kinds[0].partition(b";")[0].strip().lower() != b"application/json":
            raise _Refusal(415, "A webhook is application/json.")

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """Read the body, and no more of it than is allowed."""
        too_large = _Refusal(413, f"The body is larger than {BODY_MAX:,} bytes.", _CLOSE)
        for length in _header(scope, b"content-length"):
            if not length.isdigit() or len(length) > 18 or int(length) > BODY_MAX:
                raise too_large
        content = bytearray()
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _GoneError
                    content += message.get("body", b"")
                    if len(content) > BODY_MAX:
                        raise too_large
                    if not message.get("more_body", False):
                        return bytes(content)
        except TimeoutError:
            raise _Refusal(408, f"The body was not there within {self._patience:g} s.", _CLOSE) from None


async def _live(receive: Receive, send: Send) -> None:
    """Say yes to start-up and shut-down; a door needs neither."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _send(send: Send, status: int, reason: str = "", *headers: tuple[bytes, bytes]) -> None:
    body = f"{reason}\n".encode() if reason else b""
    about = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*(about if body else ()), *headers]})
    await send({"type": "http.response.body", "body": body})


def _fit(scope: Scope, headers: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    """Leave out what HTTP/2 forbids."""
    return [each for each in headers if each != _CLOSE or str(scope.get("http_version", "1.1")).startswith("1")]


def _header(scope: Scope, name: bytes) -> list[bytes]:
    return [bytes(value) for key, value in scope["headers"] if key.lower() == name]
