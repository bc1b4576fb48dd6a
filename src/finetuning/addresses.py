"""Addresses: which are this machine, which may carry a key, and which the service may call."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from finetuning.errors import ParameterError, SettingsError
from finetuning.redaction import redact

__all__ = ["base_url_of", "is_loopback", "webhook_of"]

WEBHOOK_MAX: Final = 2048

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


def webhook_of(value: object, *, local: bool) -> str:
    """Check a URL that the service is to call; where the service is on this machine (`local`), so may it be.

    Raises
    ------
    ParameterError
        It is not HTTPS, too long, or not public. It is not repeated, since it may hold a secret.
    """

    def refuse(why: str) -> ParameterError:
        return ParameterError(
            f"webhook {why}.",
            parameter="webhook",
            hint="The service calls an HTTPS URL of at most 2048 characters on a public host.",
        )

    if not isinstance(value, str) or not value:
        raise refuse("is not a URL")
    if len(value) > WEBHOOK_MAX:
        raise refuse(f"has {len(value):,} characters")
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise refuse("is not a URL") from None
    if not value.isprintable() or " " in value or "\\" in value:
        raise refuse("holds spaces or other characters that a URL cannot have")
    if not host:
        raise refuse("names no host")
    if is_loopback(host):
        if local and parts.scheme in ("http", "https"):
            return value
        raise refuse(f"points at this machine ({host}), which the hosted service cannot reach")
    if parts.scheme != "https":
        raise refuse(f"is {parts.scheme or 'without a scheme'}, not https")
    try:
        private = not ipaddress.ip_address(host).is_global
    except ValueError:
        # A last label of digits is an address written otherwise (127.1, 0x7f.1), by the URL standard's rules.
        last = host.rstrip(".").rpartition(".")[2]
        private = "." not in host or last[:1].isdigit() or last in ("local", "internal", "lan")
    if private:
        raise refuse(f"points at a private address ({host})")
    return value
