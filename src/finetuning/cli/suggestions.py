"""What Tab offers of the library: the names of playlists, and the ids of the newest tracks.

In a shell each Tab is a process of its own, so what the service said is kept on disk for a minute. In a notebook the
client that is there is asked. Either way a Tab costs one request at most, and whatever goes wrong offers nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import threading
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from finetuning import settings
from finetuning.policy import Policy
from finetuning.replacement import replacing

from .console import Console
from .session import Session

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.keys import ApiKey

__all__ = ["PATIENCE", "Asking", "Kind", "Offer", "ShellAsking", "ask"]

Kind: TypeAlias = Literal["playlists", "tracks"]
#: What is offered: the text that Tab puts in, and a word about it.
Offer: TypeAlias = tuple[str, str]

#: Seconds that the service may take; to start the interpreter takes part of the second, too.
PATIENCE: Final = 0.6
#: Seconds for which what it said is good.
_FRESH: Final = 60.0
_NEWEST: Final = 50
_HASTY: Final = Policy(timeout=PATIENCE, connect_timeout=PATIENCE, retries=0, max_wait=0.0)


async def ask(client: AsyncClient, kind: Kind) -> list[Offer]:
    """Ask the service, with one request."""
    if kind == "tracks":
        tracks = await client.generations(limit=_NEWEST)
        return [(each.id, " · ".join(filter(None, [each.title or each.prompt, each.status]))) for each in tracks]
    playlists = await client.playlists()
    # A name that two share names neither: their ids tell them apart.
    names = Counter((each.name or "").casefold() for each in playlists)
    return [
        (each.name, f"{each.track_count or 0} track(s)")
        if each.name and names[each.name.casefold()] == 1
        else (each.id, each.name or "")
        for each in playlists
    ]


class Asking(Session):
    """The session of a Tab: it keeps the flags that are on the line, and writes nothing."""

    def __init__(self) -> None:
        super().__init__(Console(out=io.StringIO(), err=io.StringIO()))

    def offers(self, kind: Kind) -> Sequence[Offer]:
        """Return what there is of a kind; this one knows of nothing."""
        return ()


class ShellAsking(Asking):
    """The session of a Tab in a shell.

    Attributes
    ----------
    late : bool
        Whether the service was still being asked when time was up.
    """

    late = False

    def offers(self, kind: Kind) -> Sequence[Offer]:
        """Return what the service said within the last minute, or says now."""
        found: list[Offer] = []

        def look() -> None:
            with suppress(Exception):  # the user is typing: there is no place to say what went wrong
                found.extend(self._known(kind))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            looking = threading.Thread(target=look, daemon=True)
            looking.start()
            looking.join(PATIENCE)
        self.late = looking.is_alive()
        return [] if self.late else found

    def _known(self, kind: Kind) -> list[Offer]:
        key, url = self.key(), self.base_url
        if key is None:
            return []
        # Another account's names are not offered, and the file holds nothing of the key that could be used.
        entry = hashlib.sha256(f"{url} {key.reveal()}".encode()).hexdigest()[:16] + f" {kind}"
        kept = _read()
        if entry not in kept:
            kept[entry] = {"at": time.time(), "offers": asyncio.run(_fetched(key, url, kind))}
            with suppress(OSError):  # without the file the next Tab asks again
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
    with replacing(path, durable=False) as file:  # it is only a cache, and the user is typing
        file.write(json.dumps(kept).encode())
