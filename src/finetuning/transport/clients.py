"""The HTTP clients, and what they may log.

Two, never one: the API's carries the key and follows no redirect (httpx strips `Authorization` on a cross-origin
redirect, and would forward `X-API-Key`); the media client follows redirects and has no key to lose.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from finetuning.keys import ApiKey
from finetuning.policy import Policy
from finetuning.redaction import redact
from finetuning.version import __version__

__all__ = ["api_client", "media_client"]

#: Seconds that an unused connection is kept. Servers close theirs after 5 or more, and a create that is sent into a
#: connection as it closes would be lost without anyone knowing whether it was paid for.
_KEEPALIVE: Final = 4.0


def _redacted(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), None
    return True


# At DEBUG they print the headers of answers, and there are proxies that send back what they got.
for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(_redacted)


class _KeyHeader(httpx.Auth):
    """Adds the key to each request as it leaves, so that no header mapping of ours ever holds it."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["X-API-Key"] = self._key.reveal()
        yield request


def api_client(base_url: str, key: ApiKey | None, policy: Policy, *, local: bool) -> httpx.AsyncClient:
    """Make the client that talks to the service; `local`: which is on this machine."""
    return httpx.AsyncClient(
        auth=_KeyHeader(key) if key else None,
        follow_redirects=False,
        # Trusting nobody costs nothing to set up, and no TLS is spoken to an http address.
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if base_url.startswith("http:") else True,
        **_options(policy, local=local),
    )


def media_client(
    policy: Policy, check: Callable[[httpx.Request], Awaitable[None]], *, local: bool
) -> httpx.AsyncClient:
    """Make the client that fetches media; `check` is asked before each of its requests, redirects included."""
    return httpx.AsyncClient(
        follow_redirects=True, max_redirects=5, event_hooks={"request": [check]}, **_options(policy, local=local)
    )


def _options(policy: Policy, *, local: bool) -> dict[str, Any]:
    return {
        # However many wait for a connection: what waits here was not sent, and is not lost.
        "timeout": httpx.Timeout(policy.timeout, connect=policy.connect_timeout, pool=None),
        "limits": httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_KEEPALIVE),
        # A proxy from the environment would be asked for 127.0.0.1 and cannot know it.
        "trust_env": not local,
        "headers": {"User-Agent": f"finetuning-python/{__version__}"},
    }
