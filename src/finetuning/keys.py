"""API keys that cannot be printed by accident."""

from __future__ import annotations

import re
from typing import Final

from finetuning.errors import SettingsError

__all__ = ["ApiKey", "redact"]

_SHAPE: Final = re.compile(r"ft_live_[0-9a-f]{32}")
# Redaction is broader than the shape: a key that is cut, too long or badly copied is still a secret.
_ANYWHERE: Final = re.compile(r"ft_live_([0-9A-Za-z]{0,4})[0-9A-Za-z]*")


def redact(text: str) -> str:
    """Replace every key in `text` by its first four characters: `ft_live_ab3f...****`."""
    return _ANYWHERE.sub(r"ft_live_\1...****", text)


class ApiKey:
    """A key of the service: `ft_live_` and 32 hexadecimal characters.

    Only `reveal` gives it away; `str`, `repr` and formatting show `ft_live_ab3f...****`; it cannot be pickled.

    Parameters
    ----------
    text
        The key; spaces around it are ignored.

    Raises
    ------
    SettingsError
        It does not have the shape of a key. The message does not repeat it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | ApiKey) -> None:
        plain: object = text.reveal() if isinstance(text, ApiKey) else text
        cleaned = plain.strip() if isinstance(plain, str) else ""
        if not _SHAPE.fullmatch(cleaned):
            raise SettingsError(
                f"That is not an API key ({_what_is_wrong(plain)}).",
                hint="A key is 'ft_live_' followed by 32 characters 0-9 a-f; "
                "create one in the web application under Settings, API keys.",
            )
        self._text = cleaned

    def reveal(self) -> str:
        """Return the key itself, for the one header that carries it."""
        return self._text

    def __repr__(self) -> str:
        return f"ApiKey('{self}')"

    def __str__(self) -> str:
        return redact(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("an API key is not pickled: a pickle would hold it in plain text")


def _what_is_wrong(text: object) -> str:
    if not isinstance(text, str):
        return f"a {type(text).__name__}, not text"
    text = text.strip()
    if not text:
        return "it is empty"
    if not text.startswith("ft_live_"):
        return f"{len(text)} characters that do not start with 'ft_live_'"
    rest = text.removeprefix("ft_live_")
    if len(rest) != 32:
        return f"{len(rest)} characters after 'ft_live_' instead of 32"
    return "a character after 'ft_live_' is not 0-9 or a-f"
