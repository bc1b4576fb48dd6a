"""What can still be done with takes when some of them are gone, and what a listing leaves out."""

from __future__ import annotations

import warnings

import pytest

import finetuning as ft
from finetuning import errors


@pytest.fixture
def two(client: ft.Client) -> list[ft.Generation]:
    return [client.generate("lofi piano", bpm=90, duration=5, seed=seed) for seed in (1, 2)]


def test_a_deck_leaves_out_what_is_gone_and_says_so(client: ft.Client, two: list[ft.Generation]) -> None:
    client.delete_tracks(two[0], yes=True)
    with pytest.warns(errors.PartialWarning, match="1 of 2 tracks are not in the library"):
        deck = client.play(two)
    assert [take["k"] for take in deck.takes] == [two[1].id]


def test_a_deck_of_nothing_that_is_left_is_refused(client: ft.Client, two: list[ft.Generation]) -> None:
    client.delete_tracks(two, yes=True)
    with pytest.raises(errors.NotFoundError, match="may have been deleted"):
        client.play(two)


def test_what_was_heard_lately_can_be_heard_once_more(client: ft.Client, two: list[ft.Generation]) -> None:
    heard = client.call(client.asynchronous.audio(two[0].id))
    client.delete_tracks(two[0], yes=True)
    assert client.call(client.asynchronous.audio(two[0].id)) == heard


def test_details_fill_what_the_listing_leaves_out(client: ft.Client, two: list[ft.Generation]) -> None:
    listed = client.generations(limit=2)
    assert listed["generation_time"].isna().all()
    detailed = client.generations(limit=2, details=True)
    assert list(detailed["id"]) == list(listed["id"])
    assert (detailed["generation_time"] > 0).all()
    assert (detailed["file_size"] > 10_000).all()
    assert dict(detailed.dtypes) == dict(listed.dtypes)


def test_details_of_what_was_deleted_meanwhile_stay_as_listed(client: ft.Client, two: list[ft.Generation]) -> None:
    rows = client.call(client.asynchronous.generations(limit=2))
    client.delete_tracks(two[0], yes=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detailed = client.call(client.asynchronous.detailed(rows))
    times = {row.id: row.generation_time for row in detailed}
    assert times[two[0].id] is None
    assert times[two[1].id] is not None
