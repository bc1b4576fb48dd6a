"""Reading a library: page by page, and again with as few requests as will do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import finetuning as ft
from finetuning.panels.library.holdings import Holdings


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.Client]:
    """A library of 350."""
    with (
        ft.studio.Studio(tmp_path_factory.mktemp("big"), limits="local", workers=0) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as client,
    ):
        client.call(fill(client, 350))
        with studio._store.write() as connection:
            connection.execute("UPDATE generations SET status = 'completed'")
        yield client


async def fill(client: ft.Client, number: int) -> None:
    for seed in range(number):
        await client.asynchronous.generate("lofi", duration=5, seed=seed, wait=False)


@pytest.fixture
def sent(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The requests since it was asked last."""
    caplog.set_level(logging.DEBUG, logger="finetuning")

    def taken() -> list[str]:
        found = [record.getMessage().partition(" -> ")[0] for record in caplog.records if " -> " in record.getMessage()]
        caplog.clear()
        return found

    return taken


def load(client: ft.Client, limit: int | None = None) -> tuple[Holdings, list[int]]:
    holdings = Holdings(client.asynchronous, limit)
    pages: list[int] = []
    client.call(holdings.load(pages.append))
    return holdings, pages


def test_all_of_it_page_by_page(big: ft.Client) -> None:
    holdings, pages = load(big)
    assert pages == [99, 198, 297, 350]
    assert holdings.whole
    frame = big.generations(limit=None)
    assert list(holdings.records) == list(frame["id"])
    assert holdings.frame().equals(frame)
    assert list(holdings.frame(["nobody", frame["id"][3]])["id"]) == [frame["id"][3]]


def test_no_more_than_the_limit(big: ft.Client) -> None:
    holdings, pages = load(big, 120)
    assert pages == [99, 120]
    assert not holdings.whole
    assert len(holdings.records) == 120


def test_a_refresh_costs_one_page_where_little_is_new(big: ft.Client, sent: Callable[[], list[str]]) -> None:
    holdings, _ = load(big)
    before = list(holdings.records)
    new = big.generate("new", duration=5, wait=False).id
    sent()
    big.call(holdings.refresh(lambda _: None))
    assert len(sent()) == 1
    assert list(holdings.records) == [new, *before]
    big.delete_tracks(new, yes=True)
    sent()
    big.call(holdings.refresh(lambda _: None))  # a page that lacks it, and one look at it
    assert len(sent()) == 2
    assert list(holdings.records) == before


def test_a_refresh_looks_again_at_what_was_not_finished(big: ft.Client, sent: Callable[[], list[str]]) -> None:
    with big.studio._store.write() as connection:
        connection.execute("UPDATE generations SET status = 'processing' WHERE seed = 5")
    holdings, _ = load(big)
    old = next(id_ for id_, record in holdings.records.items() if record.status == "processing")
    with big.studio._store.write() as connection:
        connection.execute("UPDATE generations SET status = 'failed', error_message = 'no' WHERE id = ?", (old,))
    sent()
    big.call(holdings.refresh(lambda _: None))
    assert len(sent()) == 2
    assert holdings.records[old].status == "failed"
    assert holdings.records[old].error_message == "no"
    big.call(holdings.load(lambda _: None))  # the listing has no message; what was read of it before is kept
    assert holdings.records[old].error_message == "no"


def test_a_refresh_reads_on_until_it_meets_what_is_known(big: ft.Client, sent: Callable[[], list[str]]) -> None:
    holdings, _ = load(big, 10)
    before = list(holdings.records)
    big.call(fill(big, 130))
    sent()
    big.call(holdings.refresh(lambda _: None))
    assert len(sent()) == 2
    assert list(holdings.records)[130:140] == before
    assert not holdings.whole
    big.delete_tracks(list(holdings.records)[:130], yes=True)


def test_a_refresh_of_nothing_and_of_a_small_library_reads_all(tmp_path: Path) -> None:
    with (
        ft.studio.Studio(tmp_path, limits="local", workers=0) as studio,
        ft.Client(studio.api_key, studio.url, progress=False) as client,
    ):
        client.call(fill(client, 3))
        holdings = Holdings(client.asynchronous, 1)
        client.call(holdings.refresh(lambda _: None))
        read = (len(holdings.records), holdings.whole)
        client.call(holdings.refresh(lambda _: None))  # one page has all of it
        assert [read, (len(holdings.records), holdings.whole)] == [(1, False), (3, True)]


def test_what_is_deleted_or_renewed_here(big: ft.Client) -> None:
    holdings, _ = load(big, 5)
    first, second, *_ = holdings.records.values()
    holdings.drop([first.id, "nobody"])
    assert first.id not in holdings.records
    holdings.renew([first, second])
    assert first.id not in holdings.records
    assert len(holdings.records) == 4
