"""A whole sync: account, generations, playlists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from finetuning.keys import ApiKey
from finetuning.protocol import me
from finetuning.records import Account

from . import places
from .files import swept
from .listing import Listing
from .locks import held
from .mirror import Mirror
from .playlists import read_playlists
from .report import SyncReport
from .snapshots import take_snapshot
from .steps import Steps

__all__ = ["GENERATIONS", "sync"]

GENERATIONS = "generations"


def sync(
    base_url: str,
    key: ApiKey | None,
    *,
    full: bool,
    verify: bool | None,
    details: bool,
    now: datetime,
    tell: Callable[[int, int | None], None],
) -> Steps[SyncReport]:
    """Bring the library of a key's account up to date; see `SyncedLibrary.sync`."""
    account: Account = yield me()
    folder = places.folder_of(base_url, account.id)
    with held(folder):
        swept(folder)
        places.sign(folder, base_url, account.id, key)
        take_snapshot(folder, account, now)
        mirror = Mirror(folder / f"{GENERATIONS}.parquet")
        verified = yield from Listing(mirror, now, tell).read(full=full, verify=verify, details=details)
        playlists = yield from read_playlists(folder, now, full=full)
        return SyncReport(mirror.new, mirror.changed, mirror.gone, playlists, verified=verified)
