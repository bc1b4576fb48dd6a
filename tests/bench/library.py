"""Syncing a library of 100,000 with 50 new rows, beside reading the whole listing of the same service."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from pathlib import Path

import finetuning as ft
from finetuning.studio import generations
from finetuning.studio.bodies import Draft
from finetuning.studio.generations import Settled
from finetuning.studio.store import Store

from .timing import line

ROWS, NEW = 100_000, 50
PROMPTS = ("lofi chill piano with rain on the window", "driving synthwave", "calm ambient pads", "smoky jazz trio")


def fill(folder: Path, first: int, count: int) -> None:
    """Put finished generations into a studio's library, oldest first, without making them."""
    store = Store(folder)
    with store.write() as connection:
        owner = connection.execute("SELECT id FROM accounts WHERE role = 'user'").fetchone()["id"]
        for number in range(first, first + count):
            draft = Draft(PROMPTS[number % 4], "", 60.0, 60 + number % 140, "C", "minor", 4, None, number, None)
            settled = Settled(f"Take {number} {uuid.uuid4().hex[:8]}", number, "C", "minor")
            generations.insert(
                connection, owner, draft, settled, 1.7e9 + 90 * number, completed=True, public=number % 5 == 0
            )
    store.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FINETUNING_DATA_HOME"] = scratch
        with (
            ft.studio.Studio(Path(scratch) / "studio", workers=0) as studio,
            ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as client,
        ):
            fill(studio.data_dir, 0, ROWS)
            studio.create_playlist("Focus Beats")
            start = time.perf_counter()
            first = client.library.sync()
            seconds = time.perf_counter() - start
            rows, times = ROWS, []
            for _ in range(3):
                fill(studio.data_dir, rows, NEW)
                rows += NEW
                start = time.perf_counter()
                report = client.library.sync()
                times.append(time.perf_counter() - start)
                assert (report.new, report.changed, report.gone) == (NEW, 0, 0), report
            quick = min(times)
            start = time.perf_counter()
            listed = client.generations(limit=None)
            plain = time.perf_counter() - start
            start = time.perf_counter()
            kept = client.library.generations()
            read = time.perf_counter() - start
            assert len(listed) == len(kept) == rows
            assert list(listed.id) == list(kept.id)
            gone = list(listed.id[[40_000, 90_000]])
            client.delete_tracks(gone, yes=True)
            start = time.perf_counter()
            verified = client.library.sync(verify=True)
            found = time.perf_counter() - start
            assert verified.gone == 2, verified
    pages = -(-len(listed) // 99)
    beside = f"the whole listing, {pages:,} requests {plain:.2f} s"
    line(f"library of {ROWS:,}: sync with {NEW} new: seconds", f"{quick:.2f} s", beside, plain / quick, "at most 1 s")
    line(
        f"library of {ROWS:,}: sync with {NEW} new: requests", f"{report.requests}", beside,
        pages / report.requests, "at most 3 requests",
    )  # fmt: skip
    line(
        f"library of {ROWS:,}: first sync", f"{seconds:.2f} s", beside, plain / seconds, f"{first.requests:,} requests"
    )
    line(f"library of {ROWS:,}: frame without a connection", f"{read:.2f} s", beside, plain / read, "no request")
    line(
        f"library of {ROWS:,}: two deletions found", f"{found:.2f} s", beside, plain / found,
        f"{verified.requests} requests",
    )  # fmt: skip
