"""What Tab offers of the library: the names of playlists, and the ids of the newest tracks.

In a shell each Tab is a process of its own, so what the service said is kept on disk for a minute. In a notebook the
client that is there is asked, and memory is enough. Either way a Tab costs one request at most and a second at most,
and whatever goes wrong offers nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import click
from click.shell_completion import CompletionItem

from finetuning import settings
from finetuning.addresses import base_url_of
from finetuning.keys import ApiKey
from finetuning.policy import Policy

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient

__all__ = ["PATIENCE", "Kind", "Offer", "ask", "playlists", "tracks"]

Kind: TypeAlias = Literal["playlists", "tracks"]
#: What is offered: the text that Tab puts in, and a word about it.
Offer: TypeAlias = tuple[str, str]

#: Seconds that the service may take; starting the interpreter takes part of the second, too.
PATIENCE: Final = 0.6
#: Seconds for which what it said is good.
_FRESH: Final = 60.0
_NEWEST: Final = 50
_HASTY: Final = Policy(timeout=PATIENCE, connect_timeout=PATIENCE, retries=0, max_wait=0.0)


async def ask(client: AsyncClient, kind: Kind) -> list[Offer]:
    """Ask the service, with one request."""
    if kind == "tracks":
        return [
            (each.id, " · ".join(filter(None, [each.title or each.prompt, each.status])))
            for each in await client.generations(limit=_NEWEST)
        ]
    listed = await client.playlists()
    # A name that two share names neither: there the ids tell them apart.
    shared = Counter((each.name or "").casefold() for each in listed)
    return [
        (each.id, each.name or "")
        if shared[(each.name or "").casefold()] > 1 or not each.name
        else (each.name, f"{each.track_count or 0} track(s)")
        for each in listed
    ]


def playlists(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer playlists: the `shell_complete` of an argument that names one."""
    return _offered("playlists", context, incomplete)


def tracks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer tracks that are not on the line already: the `shell_complete` of an argument of ids."""
    given = context.params.get(parameter.name or "") or ()
    return [item for item in _offered("tracks", context, incomplete) if item.value not in given]


def _offered(kind: Kind, context: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    known: Callable[[Kind], Sequence[Offer]] | None = context.find_root().obj
    offers = known(kind) if callable(known) else _from_shell(kind, _flags(context))
    begun = incomplete.casefold()
    return [CompletionItem(text, help=about) for text, about in offers if text.casefold().startswith(begun)]


def _flags(context: click.Context) -> dict[str, Any]:
    """Collect the global flags that are on the line, before the command or after it."""
    flags: dict[str, Any] = {}
    step: click.Context | None = context
    while step is not None:
        flags = {name: value for name, value in step.params.items() if value is not None} | flags
        step = step.parent
    return flags


def _from_shell(kind: Kind, flags: dict[str, Any]) -> list[Offer]:
    found: list[Offer] = []

    def look() -> None:
        with suppress(Exception):  # there is no place to say what went wrong: the user is typing
            found.extend(_known(kind, flags))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        looking.join(PATIENCE)
    if looking.is_alive():
        # A name that is being resolved would hold the interpreter's end up for seconds. This process has nothing
        # else to do, and nothing to say.
        os._exit(0)
    return found


def _known(kind: Kind, flags: dict[str, Any]) -> list[Offer]:
    config = flags.get("config")
    url = base_url_of(flags.get("base_url") or settings.load(Path(config) if config else None).base_url)
    given = flags.get("api_key")
    key = ApiKey(given) if given else settings.find_key()
    if key is None:
        return []
    # Another account's names are not offered, and the file holds nothing of the key that could be used.
    entry = hashlib.sha256(f"{url} {key.reveal()}".encode()).hexdigest()[:16] + f" {kind}"
    kept = _read()
    if entry not in kept:
        kept[entry] = {"at": time.time(), "offers": asyncio.run(_fetched(key, url, kind))}
        _write(kept)
    return [(text, about) for text, about in kept[entry]["offers"]]


async def _fetched(key: ApiKey, url: str, kind: Kind) -> list[Offer]:
    from finetuning.client.aio import AsyncClient  # here: what is kept on disk is offered without importing it

    async with AsyncClient(key, url, policy=_HASTY) as client:
        return await ask(client, kind)


def _file() -> Path:
    return settings.data_dir() / "completion.json"


def _read() -> dict[str, Any]:
    """Return what is kept and still fresh."""
    try:
        kept = json.loads(_file().read_bytes())
        now = time.time()
        return {name: entry for name, entry in kept.items() if 0 <= now - entry["at"] < _FRESH}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # none yet, or not ours: it is only a cache
        return {}


def _write(kept: dict[str, Any]) -> None:
    """Replace the file as a whole, for the user alone: two shells may write at once."""
    path = _file()
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="completion-", suffix=".json", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(kept, file)
    Path(name).replace(path)
