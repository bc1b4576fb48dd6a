"""Addresses of the service: which are this machine, and which may carry a key."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from finetuning.errors import SettingsError
from finetuning.redaction import redact

__all__ = ["base_url_of", "is_loopback"]

_LOOKS: Final = "It looks like https://pub.finetuning.ai; paths under /v1 are added here."


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


def base_url_of(text: object) -> str:
    """Check a base URL and return it without a trailing slash.

    Raises
    ------
    SettingsError
        It is not an http(s) URL, carries credentials or a query, or would send the key unencrypted over a network.
    """
    if not isinstance(text, str):
        raise SettingsError(f"A base URL is text, not {type(text).__name__}.", hint=_LOOKS)
    text = redact(text.strip())
    if text.startswith("ft_live_"):
        raise SettingsError(f"The base URL {text!r} is an API key.", hint="A key goes into api_key=.")
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError as problem:
        raise SettingsError(f"The base URL {text!r} is not a URL: {problem}.", hint=_LOOKS) from None
    # urlsplit drops some control characters and keeps others, none of which belong into an address.
    if parts.scheme not in ("http", "https") or not host or not text.isprintable() or " " in text or "\\" in text:
        raise SettingsError(f"The base URL {text!r} is not an http(s) URL.", hint=_LOOKS)
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise SettingsError("A base URL carries no user name, password, query or fragment.", hint=_LOOKS)
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(f"The base URL http://{host} would send your key unencrypted.", hint=f"Use https://{host}.")
    return text.rstrip("/").removesuffix("/v1")
