"""What became of many tracks: a table, or a word where the outcome alone might go unread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from finetuning import notices
from finetuning.bulk import BulkOutcome
from finetuning.errors import PartialWarning

from .listening import Downloaded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["checked", "downloads_frame", "with_columns_of"]


def checked(outcome: BulkOutcome) -> BulkOutcome:
    """Warn where an error stopped the batch, and return the outcome."""
    if outcome.error:
        reason = outcome.error.message.rstrip()
        stop = "" if reason.endswith((".", "!", "?", "…")) else "."  # the service's own words may have none
        notices.warn(
            PartialWarning(
                f"{outcome.summary}; stopped by: {reason}{stop} The outcome's .failed names every other id.",
                outcome=outcome,
            )
        )
    return outcome


def downloads_frame(done: Sequence[Downloaded]) -> pd.DataFrame:
    """Put downloads into a DataFrame with the columns `id`, `path`, `bytes` and `error`, and warn of failures.

    Raises
    ------
    FinetuningError
        Not a single track could be downloaded; the first one's error.
    """
    import pandas as pd

    failed = [each.error for each in done if each.error]
    if failed and len(failed) == len(done):
        raise failed[0]
    rows = [
        (each.id, str(each.path) if each.path else None, each.size, each.error.message if each.error else None)
        for each in done
    ]
    frame = pd.DataFrame(rows, columns=["id", "path", "bytes", "error"])
    frame = frame.astype({"id": "str", "path": "str", "bytes": "Int64", "error": "str"})
    if failed:
        notices.warn(
            PartialWarning(
                f"{len(failed)} of {len(done)} downloads failed; the first: {failed[0].message}", outcome=frame
            )
        )
    return frame


def with_columns_of(tracks: Any, found: pd.DataFrame) -> pd.DataFrame:
    """Put what only the selection says of its tracks, such as the energy that a run asked for, beside what is known.

    Parameters
    ----------
    tracks
        Any selection; one that is no frame with ids adds nothing.
    found
        The generations, with their `id`.
    """
    import pandas as pd

    if not isinstance(tracks, pd.DataFrame) or "id" not in tracks:
        return found
    # What is still true of a take now is in `found`; a run's `state` may be old, and `point` is its own counting.
    more = [name for name in tracks.columns if name not in found.columns and name not in ("state", "point")]
    known = tracks.drop_duplicates("id").set_index("id")[more]
    return found.join(known, on="id")
