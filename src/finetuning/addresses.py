"""Addresses of the service: which are this machine, and which may carry a key."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from finetuning.errors import SettingsError
from finetuning.keys import redact

__all__ = ["base_url_of", "is_loopback"]


def is_loopback(host: str | None) -> bool:
    """Whether `host` names this machine: localhost, 127.0.0.0/8 or ::1."""
    if not host:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url_of(text: str) -> str:
    """Check a base URL and return it without a trailing slash.

    Raises
    ------
    SettingsError
        It is not an http(s) URL, carries credentials or a query, or would send the key unencrypted over a network.
    """
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname
        _ = parts.port
    except ValueError as problem:
        raise SettingsError(f"The base URL {redact(text)!r} is not a URL: {problem}.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(
            f"The base URL {redact(text)!r} is not an http(s) URL.",
            hint="It looks like https://pub.finetuning.ai; paths under /v1 are added here.",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError("A base URL carries no user name, password, query or fragment.")
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(f"The base URL http://{host} would send your key unencrypted.", hint=f"Use https://{host}.")
    return text.strip().rstrip("/").removesuffix("/v1")
