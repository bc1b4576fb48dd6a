"""The library kept on this machine: what the service lists, as Parquet files that are read without a connection.

`client.library.sync()` brings them up to date; `finetuning.library.Library.open()` opens them without a client.
"""

from __future__ import annotations

from .kept import Library
from .report import SyncReport

__all__ = ["Library", "SyncReport"]
