"""Loading modules when they are first needed, and large ones without looking for garbage among them."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["collector_held", "names_of"]


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


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package whose public names are loaded when they are first asked for.

    Parameters
    ----------
    package
        Its name.
    homes
        Public name: the module of the package that has it.
    """

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{home}"), name)
        setattr(sys.modules[package], name, value)  # found once, and then at hand
        return value

    return load
