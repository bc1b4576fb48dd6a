"""Lost answers looked for in libraries of every kind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

import finetuning as ft
from finetuning.records import Generation
from finetuning.sweep.finding import Wanted, find

BASE = "https://pub.finetuning.ai"
KEY = "ft_live_" + "ab3f" * 8
AFTER = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def row(id_: str, created: str = "2025-01-15 10:30:00", *, tags: str = "piano", **said: Any) -> dict[str, Any]:
    return {"id": id_, "status": "completed", "prompt": tags, "parameters": said, "createdAt": created}


def wanted(seed: int = 1, *, tags: str = "piano", after: datetime | None = AFTER, **more: Any) -> Wanted:
    kept = {name: more.pop(name) for name in ("before", "doubtful") if name in more}
    return Wanted({"tags": tags, "seed": seed, **more}, after, **kept)


class Library:
    """A listing, newest first, and the whole records."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)
        self.whole: dict[str, dict[str, Any]] = {}
        self.pages: list[int] = []
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        id_ = request.url.path.removeprefix("/v1/generations").strip("/")
        if id_:
            self.asked.append(id_)
            if id_ not in self.whole:
                return httpx.Response(404, json={"error": {"code": "NOT_FOUND", "message": "no"}})
            return httpx.Response(200, json={"data": self.whole[id_]})
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        self.pages.append(offset)
        page = self.rows[offset : offset + limit]
        more = len(self.rows) > offset + limit
        following = offset + limit if more else None
        return httpx.Response(200, json={"data": {"generations": page, "hasMore": more, "nextOffset": following}})


def look(library: Any, lost: dict[int, Wanted], known: frozenset[str] = frozenset()) -> dict[int, Any]:
    async def work() -> dict[int, Generation | str | None]:
        async with ft.AsyncClient(KEY, BASE) as client:
            return await find(client, lost, known)

    with respx.mock(base_url=BASE) as router:
        router.get().mock(side_effect=library)
        found = asyncio.run(work())
    return {point: what.id if isinstance(what, Generation) else what for point, what in found.items()}


def test_what_was_made_is_found_and_what_was_not_is_absent() -> None:
    assert look(Library(row("a", seed=2), row("b", seed=1)), {0: wanted(1), 1: wanted(3)}) == {0: "b", 1: None}


def test_what_answers_another_request_is_not_taken() -> None:
    assert look(Library(row("a", seed=1)), {0: wanted(1)}, frozenset({"a"})) == {0: None}


def test_replicates_and_clamped_twins_get_one_each() -> None:
    library = Library(row("a", seed=1, bpm=200), row("b", seed=1, bpm=200))
    found = look(library, {0: wanted(1, bpm=300), 1: wanted(1, bpm=250), 2: wanted(1, bpm=200)})
    assert sorted(map(str, found.values())) == ["None", "a", "b"]


def test_points_that_share_a_seed_are_told_apart_by_what_differs() -> None:
    library = Library(row("a", seed=1, bpm=90), row("b", seed=1, bpm=80, tags="flute"))
    lost = {0: wanted(1, bpm=80), 1: wanted(1, bpm=90), 2: wanted(1, bpm=80, tags="flute"), 3: wanted(1, bpm=100)}
    assert look(library, lost) == {0: None, 1: "a", 2: "b", 3: None}


def test_a_prompt_that_was_tidied_leaves_doubt() -> None:
    found = look(Library(row("a", seed=1, tags="Piano.")), {0: wanted(1)})
    assert found == {0: "a may be it, and does not say enough to tell."}


@pytest.mark.parametrize(
    ("created", "found"),
    [
        ("2025-01-15 10:29:58", "a"),  # the service's own clocks may differ, and seconds are rounded
        ("2025-01-15T10:30:00.250Z", "a"),
        ("2025-01-15 10:29:54", None),
        ("2024-01-15 10:29:54", None),
    ],
)
def test_what_is_surely_older_is_not_taken(created: str, found: str | None) -> None:
    assert look(Library(row("a", created, seed=1)), {0: wanted(1)}) == {0: found}


def test_what_was_there_before_is_not_taken_however_young() -> None:
    assert look(Library(row("b", seed=1), row("a", seed=1)), {0: wanted(1, before=frozenset({"b"}))}) == {0: "a"}
    assert look(Library(row("a", seed=1)), {0: wanted(1, before=frozenset({"a"}))}) == {0: None}


def test_twins_that_left_one_after_the_other_do_not_take_each_others() -> None:
    library = Library(row("b", seed=1), row("a", seed=1))
    lost = {0: wanted(1), 1: wanted(1, before=frozenset({"a"}))}
    assert look(library, lost) == {0: "a", 1: "b"}
    assert look(library, {0: wanted(1)}) == {0: "a"}  # the other is looked for at another time
    later = datetime(2025, 1, 15, 10, 31, tzinfo=UTC)
    library = Library(row("b", "2025-01-15 10:31:00", seed=1), row("a", seed=1))
    assert look(library, {0: wanted(1), 1: wanted(1, after=later)}) == {0: "a", 1: "b"}


def test_without_a_moment_of_the_service_an_old_twin_leaves_doubt() -> None:
    lost = {0: wanted(1, after=None, doubtful=AFTER)}
    assert "may be it" in look(Library(row("a", "2024-01-15 10:29:54", seed=1)), lost)[0]
    assert look(Library(row("a", seed=1), row("old", "2024-01-15 10:29:54", seed=1)), lost) == {0: "a"}
    assert look(Library(), lost) == {0: None}


def test_rows_that_say_too_little_are_asked_for_once_each() -> None:
    library = Library(*(row(id_) for id_ in "abcd"))
    library.whole = {id_: row(id_, seed=seed) for seed, id_ in enumerate("abc")}
    found = look(library, {0: wanted(1), 1: wanted(2), 2: wanted(9)})
    assert found == {0: "b", 1: "c", 2: "d may be it, and does not say enough to tell."}
    assert sorted(library.asked) == ["a", "b", "c", "d"]


def test_a_seed_that_is_nowhere_echoed_leaves_doubt() -> None:
    library = Library(row("a"))
    library.whole = {"a": row("a")}
    assert look(library, {0: wanted(1), 1: wanted(2)}) == dict.fromkeys(
        (0, 1), "a may be it, and does not say enough to tell."
    )
    assert library.asked == ["a"]


def test_a_library_of_pages_is_read_as_far_as_need_be() -> None:
    newer = [row(f"n{number}", "2025-01-15 11:00:00", seed=1000 + number) for number in range(250)]
    older = [row(f"o{number}", "2025-01-14 11:00:00", seed=2000 + number) for number in range(500)]
    library = Library(*newer, row("a", seed=1), *older)
    assert look(library, {0: wanted(1)}) == {0: "a"}
    assert max(library.pages) < 350


def test_what_is_deleted_between_two_pages_hides_nothing() -> None:
    rows = [row(f"n{number}", "2025-01-15 11:00:00", seed=1000 + number) for number in range(99)]
    library = Library(*rows, row("a", seed=1), row("b", seed=2))

    def deleting(request: httpx.Request) -> httpx.Response:
        answer = library(request)
        if library.pages == [0]:
            del library.rows[:1]  # so that "a" is on the page that was read
        return answer

    assert look(deleting, {0: wanted(1)}) == {0: "a"}
