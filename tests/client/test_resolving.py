from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pandas as pd
import pytest

from finetuning import errors
from finetuning.client.resolving import resolve_playlist
from finetuning.client.views import PlaylistView
from finetuning.frames import playlists_frame
from finetuning.records import Generation, Playlist

UUID = "9d8c7b6a-1111-4222-8333-444455556666"
LISTED = [
    Playlist(id="one", name="Focus Beats", track_count=3),
    Playlist(id="two", name="Sleep"),
    Playlist(id="three", name="sleep ", track_count=1),
    Playlist(id="four", name="Cafe\u0301"),
    Playlist(id="five", name=None),
    Playlist(id="Sleep Beats", name="odd id"),
]
FRAME = playlists_frame(LISTED)


class Row(NamedTuple):
    id: str
    name: str


def resolve(playlist: Any, listed: list[Playlist] | None = None) -> tuple[str, int]:
    """Return the id, and how often the listing was asked for."""
    asked = 0

    async def listing() -> list[Playlist]:
        nonlocal asked
        asked += 1
        return LISTED if listed is None else listed

    return asyncio.run(resolve_playlist(listing, playlist)), asked


@pytest.mark.parametrize(
    "playlist",
    [
        LISTED[0],
        PlaylistView.of(LISTED[0]),
        FRAME.iloc[0],
        FRAME[FRAME["name"] == "Focus Beats"],
        FRAME["id"].iloc[:1].to_frame(),
        Row("one", "Focus Beats"),
        {"id": " one ", "name": "x"},
    ],
    ids=["record", "view", "row", "frame of one", "column of one", "tuple", "dictionary"],
)
def test_what_has_an_id_costs_no_request(playlist: Any) -> None:
    assert resolve(playlist) == ("one", 0)


@pytest.mark.parametrize("text", [UUID, UUID.upper(), f" {UUID}\n", "pl_abc123"])
def test_what_looks_like_an_id_costs_no_request(text: str) -> None:
    assert resolve(text) == (text.strip(), 0)


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("Focus Beats", "one"),
        (" focus BEATS ", "one"),
        ("Caf\u00e9", "four"),
        ("CAFÉ", "four"),
        ("one", "one"),
        ("Sleep Beats", "Sleep Beats"),
        ("odd ID", "Sleep Beats"),
    ],
)
def test_a_name_is_looked_up_whatever_its_case_and_its_accents(name: str, id_: str) -> None:
    assert resolve(name) == (id_, 1)


def test_a_name_that_two_share_lists_both() -> None:
    with pytest.raises(errors.AmbiguousPlaylistError, match="2 playlists are named 'SLEEP'") as caught:
        resolve("SLEEP")
    assert caught.value.candidates == ["two", "three"]
    assert "two (0 tracks); three (1 tracks)" in str(caught.value)


def test_a_name_that_none_has_suggests_the_nearest() -> None:
    with pytest.raises(errors.PlaylistNotFoundError, match="No playlist is named 'Focus Beat'") as caught:
        resolve("Focus Beat")
    assert caught.value.hint == "There are: 'Focus Beats'."
    assert isinstance(caught.value, LookupError)
    with pytest.raises(errors.PlaylistNotFoundError, match="There are: 'Focus Beats', 'Sleep'"):
        resolve("xyz")
    with pytest.raises(errors.PlaylistNotFoundError, match=r"studio\.create_playlist"):
        resolve("xyz", [])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "  ",
        None,
        5,
        b"one",
        [],
        ["one"],
        {},
        {"id": 5},
        Generation(id="x"),
        Playlist(id=""),
        FRAME,
        FRAME.iloc[:0],
        pd.DataFrame(),
        pd.Series({"name": "x"}),
    ],
    ids=lambda wrong: type(wrong).__name__,
)
def test_what_names_no_single_playlist_is_refused_without_a_request(wrong: Any) -> None:
    with pytest.raises(errors.ParameterError) as caught:
        resolve(wrong, [])
    assert caught.value.parameter == "playlist"
