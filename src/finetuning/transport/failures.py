"""What it means that a request failed: whether it was delivered, and whether it may be sent again."""

from __future__ import annotations

from typing import Any, Final

import httpx

from finetuning import errors, protocol

__all__ = ["may_repeat", "transport_error"]

#: Answers of a read that another try may mend.
_PASSING: Final = frozenset({500, 502, 503, 504})


def transport_error(request: protocol.Request[Any], cause: Exception, base_url: str) -> errors.TransportError:
    """Turn what httpx raised into what is raised here."""
    what = str(cause).rstrip(".") or type(cause).__name__
    # A host name that cannot be encoded, or an address that no URL can have, shows only here.
    nowhere = isinstance(cause, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError))
    if nowhere or isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return errors.ConnectError(
            f"{base_url} could not be reached: {what}.",
            request=str(request),
            hint="Nothing was sent. Check the network and the base URL; ft.connect('studio') works offline.",
        )
    if isinstance(cause, httpx.DecodingError):
        return errors.InvalidAnswerError(
            f"The answer to {request} cannot be decompressed: {what}.", request=str(request)
        )
    return errors.AnswerLostError(
        f"The answer to {request} was lost ({type(cause).__name__}: {what}).",
        request=str(request),
        hint="Reading again is harmless."
        if request.repeatable
        else "It may or may not have been carried out: look before repeating it.",
    )


def may_repeat(request: protocol.Request[Any], problem: errors.FinetuningError) -> bool:
    """Whether another try does no harm, and may mend it."""
    if isinstance(problem, errors.ConnectError):
        return False  # a wrong address stays wrong; whoever waits for the network says so above
    if isinstance(problem, errors.InvalidAnswerError):
        return request.repeatable and problem.status in _PASSING
    return request.repeatable
