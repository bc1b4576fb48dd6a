"""The secret in a webhook's URL: the one thing that tells the service from anybody else."""

from __future__ import annotations

import hmac
import secrets
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from finetuning.errors import ParameterError
from finetuning.redaction import redact

__all__ = ["Secret", "claim"]

_BYTES: Final = 24
_HINT: Final = "Leave token out, and one is drawn; or pass secrets.token_urlsafe(24) and keep it secret."


class Secret:
    """A token that cannot be printed or pickled by accident.

    Parameters
    ----------
    text
        The token; None draws one of 24 random bytes.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        self._text = secrets.token_urlsafe(_BYTES) if text is None else text

    @property
    def query(self) -> str:
        """`token=…`, as it stands in the URL."""
        return f"token={quote(self._text, safe='')}"

    def opens(self, query: bytes) -> bool:
        """Whether a query string holds this token, once, and no other; compared in constant time."""
        fields = (field.partition(b"=") for field in query.split(b"&"))
        told = [unquote_to_bytes(value.replace(b"+", b" ")) for name, _, value in fields if name == b"token"]
        return len(told) == 1 and hmac.compare_digest(told[0], self._text.encode())

    def hide(self, text: str) -> str:
        """Take the token out of a text, in both its spellings, and whatever looks like a key."""
        for spelling in (self.query.removeprefix("token="), self._text):
            text = text.replace(spelling, "****")
        return redact(text)

    def __repr__(self) -> str:
        return "Secret('****')"

    def __reduce__(self) -> str:
        raise TypeError("the token of a receiver is not pickled: a pickle would hold it in plain text")


def claim(text: object) -> tuple[Secret, ParameterError | None]:
    """Take a token over without raising, so that the caller can let go of the text before the error is raised.

    Returns
    -------
    secret, problem
        The token, and what is wrong with it; in that case the token is one of our own.
    """
    why = _what_is_wrong(text)
    if why:
        return Secret(None), ParameterError(f"token {why}.", parameter="token", hint=_HINT)
    return Secret(text if isinstance(text, str) else None), None


def _what_is_wrong(text: object) -> str | None:
    if text is None:
        return None
    if not isinstance(text, str):
        return f"is a {type(text).__name__}, not text"
    if not text.strip():
        return "is empty, which would let everybody in"
    if redact(text) != text:
        return "holds an API key, which must not stand in a URL"
    if not text.isprintable():  # which half of a surrogate pair is not, either
        return "holds characters that cannot be printed"
    return None
