"""Bulk requests: chunks of at most 100 ids, merged into one outcome that accounts for every id exactly once."""

from __future__ import annotations

from .outcomes import BulkOutcome
from .sending import Again, chunks, run_bulk

__all__ = ["Again", "BulkOutcome", "chunks", "run_bulk"]
