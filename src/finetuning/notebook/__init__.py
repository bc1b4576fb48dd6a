"""What `%load_ext finetuning` does.

It gives the notebook `%ft` and `%%ft sweep`, and makes `asyncio.run(...)` work in a cell, where a loop is running
already, so that examples written for `AsyncClient` can be pasted. Nothing else in the package rests on the latter:
`Client`, which the magics use, brings a loop of its own.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

from finetuning.errors import FinetuningWarning, MissingExtraError

if TYPE_CHECKING:
    from .magics import FinetuningMagics

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

#: What each shell was given.
_given: dict[int, FinetuningMagics] = {}


def load_ipython_extension(shell: Any) -> None:
    """Give `shell`, which is IPython's and hands itself in, the magics; and let `asyncio.run` be called in a cell.

    Raises
    ------
    MissingExtraError
        nest-asyncio is not installed.
    """
    from .magics import FinetuningMagics  # here: `import finetuning` must not wait for IPython

    if id(shell) not in _given:
        _given[id(shell)] = FinetuningMagics(shell)
        _given[id(shell)].register()
    _nest()


def unload_ipython_extension(shell: Any) -> None:
    """Take the magics back. The loop stays as it is: nest-asyncio's change cannot be undone safely while it runs."""
    magics = _given.pop(id(shell), None)
    if magics is not None:
        magics.unregister()


def _nest() -> None:
    if sys.version_info >= (3, 14):
        # Measured: nest-asyncio 1.6, the last release, breaks anyio there.
        warnings.warn(
            "nest-asyncio does not work on Python 3.14: write `await …` in a cell instead of `asyncio.run(…)`.",
            FinetuningWarning,
            stacklevel=3,
        )
        return
    try:
        import nest_asyncio
    except ImportError:
        raise MissingExtraError("nest-asyncio", "lab") from None
    nest_asyncio.apply()
