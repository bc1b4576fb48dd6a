"""API keys that cannot be printed by accident."""

from __future__ import annotations

import re
from typing import Final

from finetuning.errors import SettingsError
from finetuning.redaction import redact

__all__ = ["ApiKey", "claim", "redact"]

_SHAPE: Final = re.compile(r"ft_live_[0-9a-f]{32}")


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
        self._text = ""  # a verbose traceback shows this object too, made or not
        plain: object = text.reveal() if isinstance(text, ApiKey) else text
        problem = _what_is_wrong(plain)
        if not problem:
            self._text = str(plain).strip()
            return
        # It shows the locals of each frame, and a key that is miscopied is still a secret.
        del text, plain
        raise SettingsError(
            f"That is not an API key ({problem}).",
            hint="A key is 'ft_live_' followed by 32 characters 0-9 a-f; "
            "create one in the web application under Settings, API keys.",
        )

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


def claim(text: str | ApiKey | None) -> tuple[ApiKey | None, SettingsError | None]:
    """Take a key over without raising, so that the caller can let go of the text before the error is raised.

    Returns
    -------
    key, problem
        The key, or what is wrong with it; two times None where there is none.
    """
    if text is None:
        return None, None
    try:
        return ApiKey(text), None
    except SettingsError as problem:
        return None, problem.with_traceback(None)


def _what_is_wrong(text: object) -> str | None:
    if not isinstance(text, str):
        return f"a {type(text).__name__}, not text"
    text = text.strip()
    if _SHAPE.fullmatch(text):
        return None
    if not text:
        return "it is empty"
    if not text.startswith("ft_live_"):
        return f"{len(text)} characters that do not start with 'ft_live_'"
    rest = text.removeprefix("ft_live_")
    if len(rest) != 32:
        return f"{len(rest)} characters after 'ft_live_' instead of 32"
    return "a character after 'ft_live_' is not 0-9 or a-f"
