"""The media host: sound by range, at a port of its own, for anyone and without a key."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from . import generations, jobs
from .answers import Fault
from .hosts import check_host
from .store import Store

__all__ = ["Media"]

PATH = re.compile(r"/media/([0-9a-f-]{36})\.mp3")
SINGLE_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-\d{1,18})")
PATIENCE = 10.0
"""Seconds that a first listener waits for a piece that has not been rendered yet, before it is told to ask again."""
AGAIN, MUCH_LATER = "1", "3600"
"""Seconds until then, with workers and without any."""
SHARED = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
    "cross-origin-resource-policy": "cross-origin",
}


class Media:
    """`GET /media/<id>.mp3` as an ASGI application: ranges, conditions, HEAD, any origin.

    Parameters
    ----------
    store
        The library and its folder.
    pool
        Threads in which the database is asked.
    renders
        Whether this studio has workers.
    wake
        Tells the foreman that there is work.
    """

    def __init__(self, store: Store, pool: ThreadPoolExecutor, renders: bool, wake: Callable[[], None]) -> None:
        self._store = store
        self._pool = pool
        self._renders = renders
        self._wake = wake
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope)
        response = await self._respond(request)
        response.headers.update(SHARED)
        if not _is_single_range(request.headers.get("range", "")):
            # A range that is malformed, in another unit or manifold may be ignored; the whole file answers it.
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"range"]}
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            check_host(request.headers.raw)
        except Fault as fault:
            answer = fault.answer()
            return Response(answer.body, answer.status, media_type="application/json")
        if request.method == "OPTIONS":
            return Response(
                status_code=204,
                headers={"access-control-allow-methods": "GET, HEAD", "access-control-allow-headers": "Range"},
            )
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Only GET and HEAD.", 405, {"allow": "GET, HEAD, OPTIONS"})
        if "x-api-key" in request.headers or "authorization" in request.headers:
            # The real host is a public bucket: a client that sends its key there gives it away.
            return PlainTextResponse("The media host needs no key, and a key must never be sent to it.", 400)
        match = PATH.fullmatch(request.url.path)
        if self.stopping:
            return PlainTextResponse("The studio is being closed.", 503)
        row = await self._rendered(match[1]) if match else None
        if row is None:
            return PlainTextResponse("No such file.", 404)
        if row["etag"] is None:
            again = AGAIN if self._renders else MUCH_LATER
            return PlainTextResponse("This piece has not been rendered yet.", 503, {"retry-after": again})
        headers = {"etag": f'"{row["etag"]}"', "cache-control": "public, max-age=31536000, immutable"}
        known = request.headers.get("if-none-match", "")
        if known.strip() == "*" or row["etag"] in re.findall(r'"([^"]*)"', known):
            return Response(status_code=304, headers=headers)
        path = self._store.media / f"{row['id']}.mp3"
        if not path.exists():  # deleted this moment, or by hand
            return PlainTextResponse("No such file.", 404)
        if request.method == "GET":
            wanted = request.headers.get("range", "")
            await self._in_thread(self._count, row["id"], wanted)
        return FileResponse(
            path, headers=headers, media_type="audio/mpeg", filename=path.name, content_disposition_type="inline"
        )

    async def _rendered(self, id: str) -> sqlite3.Row | None:  # noqa: A002 - the wire's name
        """Find a completed piece; the house's and those of a made-up past are rendered when somebody first listens."""
        deadline = time.monotonic() + PATIENCE
        row = await self._in_thread(self._find, id)
        while row and not row["etag"] and self._renders and not self.stopping and time.monotonic() < deadline:
            await self._in_thread(self._ask_for, row)
            await asyncio.sleep(0.1)
            if not self.stopping:  # otherwise the pool may be gone
                row = await self._in_thread(self._find, id)
        return row

    def _in_thread(
        self, work: Callable[..., sqlite3.Row | None], *values: object
    ) -> asyncio.Future[sqlite3.Row | None]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work, *values)

    def _find(self, id: str) -> sqlite3.Row | None:  # noqa: A002 - the wire's name
        with self._store.read() as connection:
            row = generations.find(connection, id)
        return row if row is not None and row["status"] == "completed" else None

    def _ask_for(self, row: sqlite3.Row) -> None:
        with self._store.read() as connection:
            asked = jobs.is_queued(connection, row["id"])
        if not asked:
            with self._store.write() as connection:
                jobs.enqueue(connection, row["id"], row["account_id"], jobs.HOUSE)
            self._wake()

    def _count(self, id: str, wanted: str) -> None:  # noqa: A002 - the wire's name
        """Count what begins at the beginning: a player asks for `bytes=0-`, a download for the whole file."""
        if not wanted or wanted.startswith("bytes=0-"):
            with self._store.write() as connection:
                generations.count_listen(connection, id, download=not wanted)


def _is_single_range(text: str) -> bool:
    match = SINGLE_RANGE.fullmatch(text.strip())
    return match is not None and not (match[1] and match[2] and int(match[1]) > int(match[2]))
