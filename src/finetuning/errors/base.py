"""What every exception of the package is."""

from __future__ import annotations

from typing import Any

from finetuning.redaction import redact

__all__ = ["FinetuningError"]


class FinetuningError(Exception):
    """Base of everything that this package raises on purpose.

    Whatever looks like a key is redacted in both texts, since they may quote what a user or a server said.

    Parameters
    ----------
    message
        What was wrong.
    hint
        What to do next; shown on a line of its own.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = redact(message)
        self.hint = redact(hint) if hint else None
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross process boundaries (joblib, worker processes); keyword arguments would be lost.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[FinetuningError], args: tuple[Any, ...], state: dict[str, Any]) -> FinetuningError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error
