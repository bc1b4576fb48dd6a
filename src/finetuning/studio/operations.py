"""What each endpoint does, and the table of them all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from . import accounts, generations, jobs, playlists, views
from .accounts import Account
from .answers import Answer, Fault, success
from .bodies import read_create, read_ids, read_move, read_page
from .limits import Buckets, Limits, longest
from .openapi import document
from .soundfonts import find_font
from .store import Store

__all__ = ["OPERATIONS", "Call", "Context", "Faults", "Operation"]


class Faults:
    """Failures that were asked for, one request each."""

    def __init__(self) -> None:
        self._codes: deque[str] = deque()
        self._lock = threading.Lock()

    def add(self, code: str, times: int) -> None:
        """Let the next requests end in `code`."""
        with self._lock:
            self._codes.extend([code] * times)

    def raise_next(self, operation: Operation) -> None:
        """End this request in the failure that is due, if one is; `GENERATION_FAILED` waits for a create."""
        with self._lock:
            if not self._codes or (self._codes[0] == "GENERATION_FAILED" and not operation.creates):
                return
            code = self._codes.popleft()
        raise Fault(code, "This failure was asked for with Studio.fail_next().")


@dataclass(frozen=True)
class Context:
    """What operations work on.

    Attributes
    ----------
    store : Store
    limits : Limits
    buckets : Buckets
    faults : Faults
    clock : callable
        Seconds since the epoch.
    media_url : str
        Where audio is served: scheme, host and port.
    plan_required : bool
        Whether a tier without API access is turned away.
    wake : callable
        Tells the foreman that there is work.
    soundfont : str or None
        The SoundFont that was asked for.
    """

    store: Store
    limits: Limits
    buckets: Buckets
    faults: Faults
    clock: Callable[[], float]
    media_url: str
    plan_required: bool
    wake: Callable[[], None]
    soundfont: str | None = None


@dataclass(frozen=True)
class Call:
    """One request that passed the gate."""

    account: Account | None
    path: dict[str, str]
    query: dict[str, str]
    body: bytes

    @property
    def caller(self) -> Account:
        """The account; the gate has seen to it that there is one."""
        if self.account is None:
            raise LookupError("an operation without a key asked for the caller")
        return self.account


@dataclass(frozen=True)
class Operation:
    """One endpoint: where it is, how it is counted, and what it does."""

    path: str
    methods: tuple[str, ...]
    run: Callable[[Context, Call], Answer]
    needs_key: bool = True
    creates: bool = False
    limited: bool = True


def health(context: Context, call: Call) -> Answer:
    """`GET /health`: with the SoundFont by name and hash; null where there is none, and nothing can be rendered."""
    try:
        font = find_font(context.soundfont).told()
    except (OSError, ValueError):
        font = None
    return Answer(200, msgspec.json.encode({"status": "ok", "service": "finetuning studio", "soundfont": font}))


def openapi(context: Context, call: Call) -> Answer:
    """`GET /openapi.json`."""
    return Answer(200, msgspec.json.encode(document()))


def me(context: Context, call: Call) -> Answer:
    """`GET /v1/me`."""
    with context.store.read() as connection:
        balance = accounts.balance(connection, call.caller, context.limits, context.clock())
    return success(views.account(call.caller, balance, context.limits))


def create(context: Context, call: Call) -> Answer:
    """`POST /v1/generations`: checked, charged and queued in one transaction, answered when it is on disk."""
    draft = read_create(call.body, longest=longest(call.caller.tier))
    settled = generations.settle(draft)
    now = context.clock()
    with context.store.write() as connection:
        # Read again under the lock: another request, or kernel, may have spent the last credit.
        account = accounts.again(connection, call.caller)
        depth = context.limits.queue_depth
        if jobs.in_flight(connection, account.id) >= depth:
            raise Fault("QUEUE_FULL", f"{depth} generations are in flight; wait until one has ended.", retry_after=5)
        balance = accounts.balance(connection, account, context.limits, now)
        if balance.total < 1:
            raise Fault("MONTHLY_LIMIT_REACHED", f"All {balance.monthly} credits of this month are used.")
        row = generations.insert(connection, account.id, draft, settled, now)
        remaining = accounts.charge(connection, account, balance, row["id"], now)
        jobs.enqueue(connection, row["id"], account.id)
    context.wake()
    return success(views.created(row, remaining), 202)


def library(context: Context, call: Call) -> Answer:
    """`GET /v1/generations`."""
    page = read_page(call.query)
    with context.store.read() as connection:
        rows, more = generations.page(connection, call.caller.id, page)
    return success(
        {
            "generations": [views.generation(row, context.media_url) for row in rows],
            "hasMore": more,
            "nextOffset": page.offset + len(rows) if more else None,
        }
    )


def generation(context: Context, call: Call) -> Answer:
    """`GET /v1/generations/:id`; another's is not found, public or not, since the reference promises no more."""
    with context.store.read() as connection:
        row = generations.find(connection, call.path["id"], call.caller.id)
    if row is None:
        raise Fault("NOT_FOUND", "Generation not found")
    return success(views.generation(row, context.media_url, detail=True))


def bulk_delete(context: Context, call: Call) -> Answer:
    """`POST /v1/generations/bulk-delete`."""
    ids = read_ids(call.body, "ids")
    deleted: list[str] = []
    errors: list[dict[str, str]] = []
    with context.store.write() as connection:
        for track_id in ids:
            if generations.delete(connection, track_id, call.caller.id):
                deleted.append(track_id)
            else:
                errors.append({"id": track_id, "error": "Track not found or not owned by you"})
    for track_id in deleted:
        (context.store.media / f"{track_id}.mp3").unlink(missing_ok=True)
    return _bulk("deleted", deleted, errors)


def _bulk(verb: str, done: list[str], errors: list[dict[str, str]], failure: str | None = None) -> Answer:
    if failure and not done:
        raise Fault(failure, f"No track was {verb}.", details=errors)
    return success({verb: done, "errors": errors} if errors else {verb: done})


def playlist_list(context: Context, call: Call) -> Answer:
    """`GET /v1/playlists`."""
    with context.store.read() as connection:
        rows = playlists.listing(connection, call.caller.id)
    return success({"playlists": [views.playlist(row) for row in rows]})


def playlist(context: Context, call: Call) -> Answer:
    """`GET /v1/playlists/:id`."""
    with context.store.read() as connection:
        row = playlists.visible(connection, call.path["id"], call.caller.id)
        if row is None:
            raise Fault("NOT_FOUND", "Playlist not found")
        tracks = playlists.tracks(connection, row["id"])
    data = views.playlist(row)
    data["isOwner"] = row["account_id"] == call.caller.id
    data["tracks"] = [views.generation(track, context.media_url) for track in tracks]
    return success(data)


def add(context: Context, call: Call) -> Answer:
    """`POST /v1/playlists/:id/tracks`."""
    ids = read_ids(call.body, "trackIds")
    with context.store.write() as connection:
        outcome = playlists.add(connection, call.path["id"], call.caller.id, ids, context.clock())
    return _bulk("added", outcome.done, outcome.errors, "ADD_FAILED")


def remove(context: Context, call: Call) -> Answer:
    """`POST /v1/playlists/:id/tracks/bulk-remove`."""
    ids = read_ids(call.body, "trackIds")
    with context.store.write() as connection:
        outcome = playlists.remove(connection, call.path["id"], call.caller.id, ids, context.clock())
    return _bulk("removed", outcome.done, outcome.errors)


def move(context: Context, call: Call) -> Answer:
    """`POST /v1/playlists/:id/tracks/move`."""
    source = call.path["id"]
    ids, target = read_move(call.body, source)
    with context.store.write() as connection:
        outcome = playlists.move(connection, source, target, call.caller.id, ids, context.clock())
    return _bulk("moved", outcome.done, outcome.errors, "MOVE_FAILED")


GET, POST = ("GET", "HEAD"), ("POST",)
OPERATIONS = (
    Operation("/health", GET, health, needs_key=False, limited=False),
    Operation("/openapi.json", GET, openapi, needs_key=False, limited=False),
    Operation("/v1/me", GET, me),
    Operation("/v1/generations", GET, library),
    Operation("/v1/generations", POST, create, creates=True),
    Operation("/v1/generations/bulk-delete", POST, bulk_delete),
    Operation("/v1/generations/{id}", GET, generation),
    Operation("/v1/playlists", GET, playlist_list),
    Operation("/v1/playlists/{id}", GET, playlist),
    Operation("/v1/playlists/{id}/tracks", POST, add),
    Operation("/v1/playlists/{id}/tracks/bulk-remove", POST, remove),
    Operation("/v1/playlists/{id}/tracks/move", POST, move),
)
