from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import respx

import finetuning as ft
from finetuning import errors, protocol
from finetuning.records import Generation

KEY = "ft_live_" + "0123456789abcdef" * 2
URL = "https://pub.finetuning.ai"
ROWS = 260


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    """A studio of this module's own, whose library nobody else changes."""
    with ft.studio.Studio(tmp_path_factory.mktemp("library"), workers=0) as running:
        yield running


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    """Another, to whose library tracks are added while it is read."""
    with ft.studio.Studio(tmp_path_factory.mktemp("growing"), workers=0) as running:
        fill(running)
        yield running


@pytest.fixture(scope="module")
def library(archive: ft.studio.Studio) -> list[str]:
    """A library of 260 generations, newest first."""
    return fill(archive)


def fill(studio: ft.studio.Studio) -> list[str]:
    async def fill() -> list[str]:
        async with ft.AsyncClient(studio.api_key, studio.url) as client:
            return [(await client.submit({"tags": f"piece {n}"})).id for n in range(ROWS)]

    return asyncio.run(fill())[::-1]


@pytest.fixture
def reader(archive: ft.studio.Studio) -> Any:
    with ft.Client(archive.api_key, archive.url, progress=False) as client:
        yield client


@pytest.fixture
def requests(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The requests that were answered so far, and forgets them."""
    caplog.set_level(logging.DEBUG, logger="finetuning")

    def so_far() -> list[str]:
        lines = [record.getMessage() for record in caplog.records if record.name == "finetuning"]
        caplog.clear()
        return [line.partition(" -> ")[0] for line in lines if " -> " in line]

    return so_far


@pytest.mark.parametrize(
    ("limit", "pages"),
    [(1, 1), (20, 1), (98, 1), (99, 1), (100, 2), (198, 2), (199, 3), (250, 3), (260, 3), (999, 3), (None, 3)],
)
def test_pages_are_as_few_as_can_be(
    library: list[str], reader: ft.Client, requests: Any, limit: int | None, pages: int
) -> None:
    frame = reader.generations(limit=limit)
    assert frame["id"].tolist() == library[:limit]
    assert requests() == ["GET /v1/generations"] * pages


def test_no_row_comes_twice_and_none_is_missed_while_tracks_are_made(growing: ft.studio.Studio) -> None:
    async def read() -> tuple[list[str], list[str]]:
        async with ft.AsyncClient(growing.api_key, growing.url) as client:
            before = [each.id for each in await client.generations(limit=None)]
            seen: list[str] = []
            async for each in client.iter_generations():
                seen.append(each.id)
                if len(seen) in (5, 99, 100, 198):
                    for _ in range(3):
                        await client.generate("meanwhile", wait=False)
            return before, seen

    before, seen = asyncio.run(read())
    assert seen == before


def test_a_limit_is_reached_even_though_rows_move(growing: ft.studio.Studio) -> None:
    async def read() -> list[str]:
        async with ft.AsyncClient(growing.api_key, growing.url) as client:
            seen = []
            async for each in client.iter_generations(limit=250):
                seen.append(each.id)
                if len(seen) == 99:
                    for _ in range(60):
                        await client.generate("meanwhile", wait=False)
            return seen

    seen = asyncio.run(read())
    assert len(seen) == len(set(seen)) == 250


def test_only_those_of_a_status(library: list[str], reader: ft.Client) -> None:
    assert reader.generations(status="completed").empty
    assert set(reader.generations(status="pending", limit=5)["status"]) == {"pending"}


@pytest.mark.parametrize("limit", [0, -1, 2.5, "20", True])
def test_a_limit_is_a_number_from_one(reader: ft.Client, requests: Any, limit: Any) -> None:
    with pytest.raises(errors.ParameterError, match="limit"):
        reader.generations(limit=limit)
    assert requests() == []


def test_a_status_that_is_none_is_refused_before_any_request(reader: ft.Client, requests: Any) -> None:
    with pytest.raises(errors.ParameterError, match="Did you mean 'completed'"):
        reader.generations(status="complete")
    assert requests() == []


def test_progress_is_told_page_by_page(archive: ft.studio.Studio, library: list[str]) -> None:
    told: list[tuple[int, int | None]] = []

    async def read() -> None:
        async with ft.AsyncClient(archive.api_key, archive.url) as client:
            await client.generations(limit=250, progress=lambda done, total: told.append((done, total)))

    asyncio.run(read())
    assert told == [(99, 250), (198, 250)]


def page(ids: list[str], **more: Any) -> dict[str, Any]:
    return {"data": {"generations": [{"id": each} for each in ids], **more}}


def read_all(limit: int | None = None) -> list[str]:
    async def read() -> list[str]:
        async with ft.AsyncClient(KEY) as client:
            return [each.id for each in await client.generations(limit=limit)]

    return asyncio.run(read())


@respx.mock
def test_a_service_that_names_the_next_offset_is_followed() -> None:
    pages = [page(["a", "b"], hasMore=True, nextOffset=7), page(["c"], hasMore=False)]
    route = respx.get(f"{URL}/v1/generations")
    route.side_effect = [respx.MockResponse(200, json=each) for each in pages]
    assert read_all() == ["a", "b", "c"]
    assert [call.request.url.params["offset"] for call in route.calls] == ["0", "7"]


@pytest.mark.parametrize("nowhere", [None, 0, -5])
@respx.mock
def test_a_service_that_names_none_or_none_that_leads_on_is_read_all_the_same(nowhere: int | None) -> None:
    pages = [page(["a", "b"], hasMore=True, nextOffset=nowhere), page(["c"], hasMore=False)]
    route = respx.get(f"{URL}/v1/generations")
    route.side_effect = [respx.MockResponse(200, json=each) for each in pages]
    assert read_all() == ["a", "b", "c"]
    assert [call.request.url.params["offset"] for call in route.calls] == ["0", "2"]


@respx.mock
def test_a_listing_without_end_comes_to_an_end() -> None:
    route = respx.get(f"{URL}/v1/generations").respond(json=page(["a", "b"], hasMore=True))
    with pytest.raises(errors.InvalidAnswerError, match="repeats itself"):
        read_all()
    assert route.call_count == 6


@pytest.mark.parametrize("more", [{}, {"hasMore": True}])
@respx.mock
def test_an_empty_page_is_the_last(more: dict[str, bool]) -> None:
    route = respx.get(f"{URL}/v1/generations").respond(json=page([], **more))
    assert read_all() == []
    assert route.call_count == 1


@respx.mock
def test_a_page_with_more_rows_than_asked_for_is_cut() -> None:
    respx.get(f"{URL}/v1/generations").respond(json=page(list("abcdef"), hasMore=True))
    assert read_all(3) == ["a", "b", "c"]


# Looking several up


def find(archive: ft.studio.Studio, ids: list[str]) -> list[Generation | errors.FinetuningError]:
    async def find() -> list[Generation | errors.FinetuningError]:
        async with ft.AsyncClient(archive.api_key, archive.url) as client:
            return await client.find_generations(ids)

    return asyncio.run(find())


def test_few_are_asked_for_one_by_one(archive: ft.studio.Studio, library: list[str], requests: Any) -> None:
    found = find(archive, library[:2])
    assert [each.id for each in found if isinstance(each, Generation)] == library[:2]
    assert sorted(requests()) == sorted(f"GET /v1/generations/{each}" for each in library[:2])


def test_many_are_found_in_the_listing(archive: ft.studio.Studio, library: list[str], requests: Any) -> None:
    wanted = [library[200], library[0], library[100], library[1]]
    found = find(archive, wanted)
    assert [each.id for each in found if isinstance(each, Generation)] == wanted
    assert len(requests()) <= len(wanted)


def test_one_that_is_not_there_costs_only_itself(archive: ft.studio.Studio, library: list[str]) -> None:
    wanted = [*library[:4], "11111111-1111-4111-8111-111111111111"]
    *found, missing = find(archive, wanted)
    assert [each.id for each in found if isinstance(each, Generation)] == wanted[:4]
    assert isinstance(missing, errors.NotFoundError)


def test_an_id_that_is_none_costs_only_itself(archive: ft.studio.Studio, library: list[str]) -> None:
    found = find(archive, [library[0], ".."])
    assert isinstance(found[0], Generation)
    assert isinstance(found[1], errors.ParameterError)


def test_the_listing_is_not_read_beyond_what_it_saves(
    archive: ft.studio.Studio, library: list[str], requests: Any
) -> None:
    strangers = [f"{n:08d}-1111-4111-8111-111111111111" for n in range(4)]
    assert all(isinstance(each, errors.NotFoundError) for each in find(archive, strangers))
    made = requests()
    assert made.count("GET /v1/generations") <= 4
    assert len(made) <= 8


def test_any_request_of_the_protocol_can_be_sent(archive: ft.studio.Studio) -> None:
    async def send() -> None:
        async with ft.AsyncClient(archive.api_key, archive.url) as client:
            answer = await client.send(protocol.me())
            assert answer.value.id
            assert answer.limit
            assert answer.content.startswith(b"{")

    asyncio.run(send())
