"""Make, measure and curate AI music in notebooks.

>>> import finetuning as ft
>>> client = ft.connect()  # doctest: +SKIP

Everything public is reached from here and loaded when it is first used, so that the import itself costs little.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from finetuning.loading import collector_held
from finetuning.version import __version__ as __version__

if TYPE_CHECKING:
    from finetuning import audio as audio
    from finetuning import charts as charts
    from finetuning import errors as errors
    from finetuning import playlists as playlists
    from finetuning import studio as studio
    from finetuning import webhooks as webhooks
    from finetuning.bulk import BulkOutcome as BulkOutcome
    from finetuning.client.aio import AsyncClient as AsyncClient
    from finetuning.client.blocking import Client as Client
    from finetuning.connection import connect as connect
    from finetuning.errors import FinetuningError as FinetuningError
    from finetuning.keys import ApiKey as ApiKey
    from finetuning.listening.page import listening_page as listening_page
    from finetuning.notebook import load_ipython_extension as load_ipython_extension
    from finetuning.notebook import unload_ipython_extension as unload_ipython_extension
    from finetuning.panels.deck.widget import Deck as Deck
    from finetuning.panels.library.panel import LibraryPanel as LibraryPanel
    from finetuning.panels.sweep.panel import SweepPanel as SweepPanel
    from finetuning.records import Account as Account
    from finetuning.records import Generation as Generation
    from finetuning.records import Playlist as Playlist
    from finetuning.sweep.plan import Sweep as Sweep
    from finetuning.sweep.run import SweepRun as SweepRun
    from finetuning.transport import Policy as Policy

#: Public name: the module that has it; a module stands for itself.
_HOMES = {
    "Account": "finetuning.records",
    "ApiKey": "finetuning.keys",
    "AsyncClient": "finetuning.client.aio",
    "BulkOutcome": "finetuning.bulk",
    "Client": "finetuning.client.blocking",
    "Deck": "finetuning.panels.deck.widget",
    "FinetuningError": "finetuning.errors",
    "Generation": "finetuning.records",
    "LibraryPanel": "finetuning.panels.library.panel",
    "Playlist": "finetuning.records",
    "Policy": "finetuning.transport",
    "Sweep": "finetuning.sweep.plan",
    "SweepPanel": "finetuning.panels.sweep.panel",
    "SweepRun": "finetuning.sweep.run",
    "connect": "finetuning.connection",
    "listening_page": "finetuning.listening.page",
    "load_ipython_extension": "finetuning.notebook",
    "unload_ipython_extension": "finetuning.notebook",
}
_MODULES = ("audio", "charts", "errors", "playlists", "studio", "webhooks")

__all__ = [
    "Account",
    "ApiKey",
    "AsyncClient",
    "BulkOutcome",
    "Client",
    "Deck",
    "FinetuningError",
    "Generation",
    "LibraryPanel",
    "Playlist",
    "Policy",
    "Sweep",
    "SweepPanel",
    "SweepRun",
    "audio",
    "charts",
    "connect",
    "errors",
    "listening_page",
    "load_ipython_extension",
    "playlists",
    "studio",
    "unload_ipython_extension",
    "webhooks",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"finetuning.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'finetuning' has no attribute {name!r}")
    with collector_held():
        value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
