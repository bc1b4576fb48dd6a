"""What a receiver may be given, and the address that comes of it."""

from __future__ import annotations

import asyncio
from numbers import Real
from typing import Any
from urllib.parse import urlsplit

from finetuning.addresses import is_loopback, webhook_of
from finetuning.errors import ParameterError

__all__ = ["bad_place", "bad_url", "check_callback", "check_timeout", "with_token"]


def with_token(base: str, query: str) -> str:
    """Put the token behind whatever query a URL has."""
    path = "" if urlsplit(base).path else "/"
    head, mark, rest = base.partition("?")
    return f"{head}{path}?{rest}{'&' if mark and rest else ''}{query}"


def check_callback(callback: object) -> None:
    """Refuse what cannot be called, or what would have to be awaited."""
    if callable(callback) and not asyncio.iscoroutinefunction(callback):
        return
    what = "a coroutine function" if callable(callback) else f"a {type(callback).__name__}"
    raise ParameterError(
        f"callback is {what}, not a plain function.",
        parameter="callback",
        hint="Hand over to a loop with: lambda told: loop.call_soon_threadsafe(queue.put_nowait, told).",
    )


def check_timeout(timeout: object) -> None:
    """Refuse what is not a number of seconds, nor None."""
    if timeout is None:
        return
    # Written so that what is not a number, NaN, is refused too.
    if isinstance(timeout, bool) or not isinstance(timeout, Real) or not float(timeout) >= 0:
        raise ParameterError(
            f"timeout={timeout!r} is not a number of seconds.",
            parameter="timeout",
            value=timeout,
            hint="Give seconds, 0 or more, or None to wait for ever.",
        )


def bad_place(host: Any, port: Any, public: bool) -> ParameterError | None:
    """Say what is wrong with an address to listen on."""
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        return ParameterError(
            f"port={port!r} is not a port.",
            parameter="port",
            value=port,
            hint="Give a whole number from 0 to 65535; 0 takes any port that is free.",
        )
    if not isinstance(host, str) or not host:
        return ParameterError(
            "host is not the name or address of a network interface.",
            parameter="host",
            hint="127.0.0.1 is this machine.",
        )
    if not public and not is_loopback(host):
        return ParameterError(
            f"host={host!r} opens the receiver to a network, where the service would not call it by that address.",
            parameter="host",
            value=host,
            hint="Give public_url= as well, the HTTPS address of the tunnel or proxy before it.",
        )
    return None


def bad_url(url: Any, query: str) -> ParameterError | None:
    """Say what is wrong with a public URL, without repeating it: it may hold a secret of its own."""
    hint = "Give an HTTPS address on a public host, such as https://example.com/ready/; the token is added here."
    try:
        webhook_of(url, local=True)
        if "#" in url or any(field.partition("=")[0] == "token" for field in urlsplit(url).query.split("&")):
            why = "holds a fragment or a `token`"
        else:
            webhook_of(with_token(url, query), local=True)
            return None
    except ParameterError as problem:
        why = problem.message.removeprefix("webhook ").removesuffix(".")
    return ParameterError(f"public_url {why}.", parameter="public_url", hint=hint)
