"""The API as an ASGI application: one gate that every request passes, in one order."""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

from . import accounts
from .accounts import Account
from .answers import Answer, Fault
from .hosts import check_host
from .limits import API_TIERS, Draw
from .operations import OPERATIONS, Call, Context, Operation

__all__ = ["Api"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 256 * 1024
"""Bytes of a request's body; the largest that is valid has some 40,000."""
ANONYMOUS = ""
logger = logging.getLogger(__name__)


class Api:
    """Every path under `/v1`, `/health` and `/openapi.json`.

    The order of the gate: find the operation, read the key, draw on the rate bucket, check the plan, then run. So
    every answer announces a bucket, and a request that is refused early costs what it costs the hosted service. Only
    a request for another host is refused before all that: it draws on nothing.

    Parameters
    ----------
    context
        What operations work on.
    pool
        Threads in which they run: each waits for the database.
    """

    def __init__(self, context: Context, pool: ThreadPoolExecutor) -> None:
        self._context = context
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = await _body(receive)
        headers = {name.lower(): value for name, value in reversed(scope["headers"])}
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._pool, self._answer, scope, headers.get(b"x-api-key"), body)
        content = b"" if scope["method"] == "HEAD" else answer.body
        sent = {"content-type": "application/json", "content-length": str(len(answer.body)), **answer.headers}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            }
        )
        await send({"type": "http.response.body", "body": content})

    def _answer(self, scope: Scope, key: bytes | None, body: bytes | None) -> Answer:
        draw: Draw | None = None
        try:
            check_host(scope["headers"])
            operation, path, refusal = _resolve(scope["method"], scope["path"])
            account, unknown = self._identify(key)
            creates = operation is not None and operation.creates
            draw = self._context.buckets.draw(account.id if account else ANONYMOUS, create=creates)
            if draw.retry_after is not None and (operation is None or operation.limited):
                raise Fault(
                    "GENERATION_RATE_LIMITED" if creates else "RATE_LIMITED",
                    f"At most {draw.limit} requests a minute; try again in {draw.retry_after} s.",
                    retry_after=draw.retry_after,
                )
            if operation is None:  # that a path does not exist is no secret: it is said without a key
                raise refusal
            if operation.needs_key:
                self._admit(account, unknown)
            if body is None:
                raise Fault("PAYLOAD_TOO_LARGE", f"The request's body is larger than {LARGEST_BODY} bytes.")
            query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
            answer = self._run(operation, Call(account, path, query, body))
        except Fault as fault:
            answer = fault.answer()
        except Exception as error:
            # Whatever went wrong, the client gets the envelope; the log says what it was.
            logger.exception("the studio failed on %s %s", scope["method"], scope["path"])
            answer = Fault("INTERNAL_ERROR", f"The studio failed: {type(error).__name__}.").answer()
        if draw is not None:
            answer.headers.update(draw.headers)
        return answer

    def _identify(self, key: bytes | None) -> tuple[Account | None, Fault]:
        """Find whose key it is; what to say if it is nobody's and the operation needs one."""
        if not key:
            return None, Fault("MISSING_API_KEY", "Send your API key in the X-API-Key header.")
        with self._context.store.read() as connection:
            account = accounts.by_key(connection, key.decode("latin-1"))
        if account is not None and account.deleted:
            return None, Fault("ACCOUNT_DELETED", "The account of this API key has been deleted.")
        return account, Fault("INVALID_API_KEY", "This API key is not known here.")

    def _admit(self, account: Account | None, unknown: Fault) -> None:
        if account is None:
            raise unknown
        if self._context.plan_required and account.tier not in API_TIERS:
            raise Fault("PRO_PLAN_REQUIRED", f"API access needs the pro plan; this account is on {account.tier}.")

    def _run(self, operation: Operation, call: Call) -> Answer:
        if operation.needs_key:
            self._context.faults.raise_next(operation)
        try:
            return operation.run(self._context, call)
        except sqlite3.Error:
            if not operation.creates:
                raise
            logger.exception("the studio could not accept a generation")
            raise Fault("GENERATION_FAILED", "The generation could not be accepted; nothing was spent.") from None


async def _body(receive: Receive) -> bytes | None:
    """Read the request's body; None if it is too large. The rest of one is dropped, so that the client hears."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size <= LARGEST_BODY:
            chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks) if size <= LARGEST_BODY else None


_ROUTES: dict[re.Pattern[str], dict[str, Operation]] = {}
for _operation in OPERATIONS:
    _pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(_operation.path)))
    _ROUTES.setdefault(_pattern, {}).update(dict.fromkeys(_operation.methods, _operation))


def _resolve(method: str, path: str) -> tuple[Operation | None, dict[str, str], Fault]:
    """Find the operation; the first path that matches decides, so a literal one stands before its template."""
    for pattern, operations in _ROUTES.items():
        match = pattern.fullmatch(path)
        if match:
            allowed = ", ".join(operations)
            refusal = Fault(
                "METHOD_NOT_ALLOWED", f"{method} is not allowed here; allowed: {allowed}.", headers={"allow": allowed}
            )
            return operations.get(method), match.groupdict(), refusal
    return None, {}, Fault("NOT_FOUND", "There is nothing at this path.")
