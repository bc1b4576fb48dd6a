"""Which names of this machine a request may have come by.

A page of another site cannot read answers of the studio, unless its name is made to mean this machine after it was
loaded (DNS rebinding). Such a request says in its Host header under which name it was sent, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .answers import Fault

__all__ = ["check_host"]

_LOCAL = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def check_host(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse a request for another host; one of HTTP/1.0, which names none, was sent by no browser.

    Parameters
    ----------
    headers
        Of the ASGI scope: lower-case names and values.

    Raises
    ------
    Fault
        421: the Host header does not name loopback.
    """
    for name, value in headers:
        if name == b"host" and not _LOCAL.fullmatch(value.strip()):
            raise Fault(
                "MISDIRECTED_REQUEST", "The studio serves this machine alone: as 127.0.0.1, localhost or [::1]."
            )
