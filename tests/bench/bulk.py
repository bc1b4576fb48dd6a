"""10,000 ids to add: the requests, and what memory does, beside 1,000 ids."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Sequence

from finetuning import protocol
from finetuning.bulk import run_bulk
from finetuning.records import BulkAnswer

from .timing import line


def peak(count: int) -> tuple[int, int]:
    """Return the requests for `count` ids, and the most bytes held above what the ids and the outcome hold."""
    requests = 0

    async def send(request: protocol.Request[BulkAnswer]) -> BulkAnswer:
        nonlocal requests
        requests += 1
        body = request.body or {}
        return BulkAnswer(added=list(body["trackIds"]))

    def add(chunk: Sequence[str]) -> protocol.Request[BulkAnswer]:
        return protocol.add_tracks("playlist", chunk)

    ids = [f"{number:032x}" for number in range(count)]
    tracemalloc.start()
    outcome = asyncio.run(run_bulk("Added", ids, add, send))
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(outcome.succeeded) == count
    return requests, most - held


def main() -> None:
    peak(100)  # what the first call imports is not the batch's
    few, small = peak(1_000)
    many, large = peak(10_000)
    line("10,000 ids to add: requests", f"{many}", f"1,000 ids: {few}", many / few, "100 requests")
    line(
        "  memory above the outcome, at its most",
        f"{large / 1024:.0f} KiB",
        f"1,000 ids: {small / 1024:.0f} KiB",
        large / small,
        "flat",
    )
