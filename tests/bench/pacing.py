"""200 points at the hosted limits, in virtual time: the run, one take after the other, and a crowd that retries."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from unittest.mock import patch

import httpx

import finetuning as ft

from .hosted import Day, drawn, opened
from .timing import line

POINTS = 200
CREATES, WINDOW = 10, 60.0


def bound(times: list[float]) -> float:
    """Return the least seconds that any client could take: creates as the windows open, ends seen at once."""
    return max(number // CREATES * WINDOW + seconds for number, seconds in enumerate(times))


def ours(times: list[float]) -> tuple[float, Day]:
    """Run it as a sweep."""
    with opened(times) as (studio, day), ft.Client(studio.api_key, studio.url, clock=day, progress=False) as client:
        ended: list[float] = []
        run = client.run(ft.Sweep("lofi piano", seed=list(range(len(times))), duration=60), name="bench", wait=False)
        course = run._course
        assert course is not None
        course.future.add_done_callback(lambda _: ended.append(day.now))
        run.wait()
        assert (run.frame.state == "completed").all(), run.summary
        return ended[0], day


def one_by_one(times: list[float]) -> tuple[float, Day]:
    """Make one after the other, each followed by itself: first after 3 s, growing by 1.3 to 15 s."""
    with opened(times) as (studio, day):

        async def work() -> float:
            async with ft.AsyncClient(studio.api_key, studio.url, clock=day) as client:
                for seed in range(len(times)):
                    await client.generate("lofi piano", seed=seed, duration=60, timeout=None)
            return day.now

        return asyncio.run(work()), day


def crowd(times: list[float]) -> tuple[float, Day]:
    """Send all at once, wait as told where there is no room, follow each by itself every 3 s."""
    with opened(times) as (studio, day):

        async def ask(client: httpx.AsyncClient, method: str, path: str, **more: object) -> httpx.Response:
            while True:
                day.under_way += 1
                answer = await client.request(method, path, **more)  # type: ignore[arg-type]
                day.under_way -= 1
                day.asked.append((day.now, method, path, answer.status_code))
                if answer.status_code != 429:
                    return answer
                await day.sleep(float(answer.headers.get("Retry-After", 1)))

        async def make(client: httpx.AsyncClient, seed: int) -> None:
            body = {"tags": "lofi piano", "seed": seed, "duration": 60}
            created = (await ask(client, "POST", "/v1/generations", json=body)).json()["data"]
            while True:
                await day.sleep(3.0)
                row = (await ask(client, "GET", f"/v1/generations/{created['id']}")).json()["data"]
                if row["status"] == "completed":
                    return

        async def work() -> float:
            async with httpx.AsyncClient(
                base_url=studio.url, headers={"X-API-Key": studio.api_key}, timeout=None
            ) as client:
                await asyncio.gather(*(make(client, seed) for seed in range(len(times))))
            return day.now

        return asyncio.run(work()), day


def main() -> None:
    times = drawn(POINTS)
    least = bound(times)
    with tempfile.TemporaryDirectory() as home, patch.dict("os.environ", {"FINETUNING_DATA_HOME": home}):
        seconds, day = ours(times)
    refused = day.count("POST", 429) + day.count("GET", 429)
    line(
        f"{POINTS} points at the hosted limits",
        f"{seconds:.0f} s",
        f"least possible {least:.0f} s",
        seconds / least,
        "at most 1.02",
    )
    line("  answered 429", f"{refused}", "", float("nan"), "none")
    line("  reads a finished take", f"{day.count('GET') / POINTS:.2f}", "", float("nan"), "at most 1.0")
    line("  seen late by, median", f"{statistics.median(day.delays()):.1f} s", "", float("nan"), "at most 3 s")
    for name, way in (("one after the other", one_by_one), ("all at once, retried", crowd)):
        other, day = way(times)
        refused = day.count("POST", 429) + day.count("GET", 429)
        late = statistics.median(day.delays())
        beside = f"{refused:,} × 429, {day.count('GET') / POINTS:.1f} reads a take, {late:.1f} s late"
        line(f"  beside: {name}", f"{other:.0f} s", beside, other / seconds, "")


if __name__ == "__main__":
    main()
