"""What `%load_ext finetuning` does.

It makes `asyncio.run(...)` work in a cell, where a loop is running already, so that examples written for
`AsyncClient` can be pasted. Nothing else in the package rests on it: `Client` brings a loop of its own.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from finetuning.errors import FinetuningWarning, MissingExtraError

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """Let `asyncio.run` be called in a cell; `shell` is IPython's, which hands itself in.

    Raises
    ------
    MissingExtraError
        nest-asyncio is not installed.
    """
    if sys.version_info >= (3, 14):
        # Measured: nest-asyncio 1.6, the last release, breaks anyio there.
        warnings.warn(
            "nest-asyncio does not work on Python 3.14: write `await …` in a cell instead of `asyncio.run(…)`.",
            FinetuningWarning,
            stacklevel=2,
        )
        return
    try:
        import nest_asyncio
    except ImportError:
        raise MissingExtraError("nest-asyncio", "lab") from None
    nest_asyncio.apply()


def unload_ipython_extension(shell: Any) -> None:
    """Leave the loop as it is: what nest-asyncio changed cannot be undone safely while it runs."""
