"""Loading large modules without looking for garbage among them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_held"]


@contextmanager
def collector_held() -> Iterator[None]:
    """Hold the garbage collector while the first modules are imported, and let it pass them by from then on.

    What an import makes is there to stay. Looking for garbage in it takes a sixth of the time of `import pandas,
    httpx`, and once more as long when the process ends; so it goes to the permanent generation (`gc.freeze`).
    Where pandas is loaded already, a session is under way whose objects are not ours to freeze, and nothing is done.
    """
    if "pandas" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
