"""Where a webhook may go: a public HTTPS address, or, since this is a studio, loopback."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from .answers import invalid

__all__ = ["LONGEST", "TARGET", "check_target", "is_loopback", "may_call"]

LONGEST = 2048
_PORT = "(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_NAME = r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z]"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LOOPBACK = rf"(localhost|127(\.{_OCTET}){{3}}|\[::1\])"
TARGET = rf"(https://{_NAME}|https?://{_LOOPBACK}){_PORT}([/?][!-~]*)?"
"""The URLs that are accepted, as a regular expression; public addresses in figures are accepted besides."""
_ADDRESS = rf"https://({_OCTET}(\.{_OCTET}){{3}}|\[[0-9A-Fa-f:.]+\]){_PORT}([/?][!-~]*)?"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or by its address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_call(host: str, address: str) -> bool:
    """Whether a webhook for `host` may connect to `address`, which the host's name resolved to.

    A public name that resolves to this machine or to a private network is how a service is made to call its
    own neighbours; only a host that says that it is loopback may be.
    """
    resolved = ipaddress.ip_address(address)
    return resolved.is_loopback if is_loopback(host) else resolved.is_global


def check_target(url: Any) -> None:
    """Refuse a webhook that the service would not call.

    Raises
    ------
    Fault
        `VALIDATION_ERROR` for anything but an HTTPS URL of a public host, or HTTP or HTTPS on loopback.
    """
    if not isinstance(url, str):
        raise invalid("webhook", "webhook must be a URL, as a string.")
    if len(url) > LONGEST:
        raise invalid("webhook", f"webhook has {len(url)} characters; at most {LONGEST} are allowed.", max=LONGEST)
    if re.fullmatch(TARGET, url):
        return
    if re.fullmatch(_ADDRESS, url):
        try:
            if ipaddress.ip_address(urlsplit(url).hostname or "").is_global:
                return
        except ValueError:  # brackets around what is no address
            pass
    raise invalid(
        "webhook",
        "webhook must be an HTTPS URL of a public host (the studio also calls http://localhost and 127.0.0.1), "
        "without user name or password.",
    )
