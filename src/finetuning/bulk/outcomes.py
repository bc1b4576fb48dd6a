"""`BulkOutcome`: what became of each id, shown and raised."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from finetuning.errors import FinetuningError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BulkOutcome"]


@dataclass(eq=False)
class BulkOutcome:
    """What a bulk verb did: every id that was asked for is in exactly one of the three lists.

    Attributes
    ----------
    verb : str
        `Added`, `Removed`, `Moved` or `Deleted`.
    requested : list of str
        The ids asked for, in order, each once.
    succeeded : list of str
        The ids that were changed, those in `inferred` included.
    refused : dict of str to str
        The service's reason for each id that it would not change, or that no answer accounts for.
    not_attempted : list of str
        The ids that were never sent, because `error` stopped the batch before them.
    error : FinetuningError or None
        What stopped the batch, if anything did.
    inferred : list of str
        Those of `succeeded` that no answer confirms: the answer to their request was lost, and when it was repeated
        what was asked for was so already (or, for all that can be known, had been so before).
    """

    verb: str
    requested: list[str]
    succeeded: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    not_attempted: list[str] = field(default_factory=list)
    error: FinetuningError | None = None
    inferred: list[str] = field(default_factory=list)

    @property
    def failed(self) -> pd.DataFrame:
        """The ids that were not changed, with the reason: columns `id` and `error`, both text."""
        import pandas as pd

        reasons = dict(self.refused)
        stopped = f"not attempted: {self.error.message if self.error else 'the batch ended before it'}"
        reasons |= dict.fromkeys(self.not_attempted, stopped)
        return pd.DataFrame({"id": list(reasons), "error": list(reasons.values())}, dtype="str")

    @property
    def summary(self) -> str:
        """One line: `Added 2 of 3 track(s)`."""
        return f"{self.verb} {len(self.succeeded)} of {len(self.requested)} track(s)"

    def raise_for_failed(self) -> None:
        """Raise what stopped the batch, or a `FinetuningError` where any track was not changed."""
        if self.error:
            raise self.error
        if self.refused:
            first, reason = next(iter(self.refused.items()))
            raise FinetuningError(f"{self.summary}: {first}: {reason}")

    def _lines(self) -> Iterator[str]:
        if self.error:
            yield f"stopped by {type(self.error).__name__}: {self.error.message}"
        if self.inferred:
            yield f"{len(self.inferred)} × found to be so when the request was repeated after a lost answer"
        for reason, count in _counted(self.refused.values()):
            yield f"{count} × {reason}"
        if self.not_attempted:
            yield f"{len(self.not_attempted)} × not attempted; repeat the call with .failed to go on"

    def __repr__(self) -> str:
        return "\n  ".join([self.summary, *self._lines()])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self._lines())
        return f"<div><b>{html.escape(self.summary)}</b>{f'<ul>{items}</ul>' if items else ''}</div>"


def _counted(reasons: Any) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])
