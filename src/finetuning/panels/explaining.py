"""What went wrong, in words for the page: the message and what to do."""

from __future__ import annotations

from concurrent.futures import CancelledError

from finetuning.errors import FinetuningError
from finetuning.redaction import redact

__all__ = ["explained"]


def explained(problem: BaseException, hint: str = "") -> dict[str, str]:
    """Return `message` and `hint`.

    Parameters
    ----------
    problem
        Any exception.
    hint
        What to do, where it does not say so itself.
    """
    if isinstance(problem, FinetuningError):
        return {"message": problem.message, "hint": problem.hint or hint}
    if isinstance(problem, CancelledError):
        return {"message": "Fetching was cancelled.", "hint": hint}
    return {"message": redact(f"{type(problem).__name__}: {problem}"), "hint": hint}
