"""What is told and stops nothing; what a warning carries is not lost where warnings are errors."""

from __future__ import annotations

from typing import Any

__all__ = ["ClampedWarning", "FinetuningWarning", "PartialWarning", "ServiceWarning", "SweepWarning"]


class FinetuningWarning(UserWarning):
    """Base of the warnings of this package."""


class ClampedWarning(FinetuningWarning):
    """The service moved a value into its range; the warning names both.

    Attributes
    ----------
    generation : Generation or None
        What was accepted and paid for, which must not be lost where warnings are errors.
    """

    def __init__(self, message: str, *, generation: Any = None) -> None:
        super().__init__(message)
        self.generation = generation


class PartialWarning(FinetuningWarning):
    """Some tracks were changed or fetched and others not.

    Attributes
    ----------
    outcome : BulkOutcome or list or None
        What became of each, which must not be lost where warnings are errors.
    """

    def __init__(self, message: str, *, outcome: Any = None) -> None:
        super().__init__(message)
        self.outcome = outcome


class SweepWarning(FinetuningWarning):
    """A sweep is not quite as it was written, or its run ended with something left to do."""


class ServiceWarning(FinetuningWarning):
    """An answer that can be used but is not as documented."""
