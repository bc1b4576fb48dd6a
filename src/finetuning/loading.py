"""Loading large modules without looking for garbage among them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_held"]


@contextmanager
def collector_held() -> Iterator[None]:
    """Hold the garbage collector while modules are imported, and leave it as it was.

    What an import makes is there to stay; looking for garbage in it is a sixth of the time that `import pandas,
    httpx` takes. At the end it is moved to the oldest generation at once: as young objects they would all be looked
    through by the very next collection.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():  # somebody else's frozen objects stay frozen
                gc.freeze()
                gc.unfreeze()
            gc.enable()
