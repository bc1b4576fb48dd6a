"""What is refused here, before any request, and what a machine must have before one can be made."""

from __future__ import annotations

from typing import Any

from finetuning.redaction import redact

from .base import FinetuningError

__all__ = [
    "ConfirmationError",
    "MissingExtraError",
    "NotEnoughCreditsError",
    "ParameterError",
    "SelectionError",
    "SettingsError",
    "UsageError",
]


class UsageError(FinetuningError, ValueError):
    """Refused here, before anything was sent or spent."""


class ParameterError(UsageError):
    """A parameter that the service would not understand.

    Attributes
    ----------
    parameter : str
        Its name as it is written in Python.
    value : object
        What was given; a key among it is redacted.
    """

    def __init__(self, message: str, *, parameter: str, value: Any = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.parameter = parameter
        self.value = redact(value) if isinstance(value, str) else value


class SelectionError(UsageError):
    """A selection from which no track ids can be read."""


class ConfirmationError(UsageError):
    """Something permanent was asked for without `yes=True`."""


class NotEnoughCreditsError(UsageError):
    """A sweep that costs more credits than are left, or than it was allowed to spend."""


class SettingsError(FinetuningError):
    """A configuration file, a credential or a base URL that cannot be used."""


class MissingExtraError(FinetuningError, ImportError):
    """A part of the package that is not installed; the message names the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed.", hint=f"Install it with: pip install 'finetuning[{extra}]'")
