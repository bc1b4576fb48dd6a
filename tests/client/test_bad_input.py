"""What a tired composer types: each thing gets its own exception, before any request where that can be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import finetuning as ft
from finetuning import errors
from finetuning.records import Generation, Playlist

KEY = "ft_live_" + "0123456789abcdef" * 2
FRAME = pd.DataFrame({"id": ["a", "b"], "bpm": [80, 120]})
HOLES = pd.DataFrame({"id": pd.Series(["a", None], dtype="str")})
NAN = float("nan")
LISTING = b'{"data": {"playlists": [{"id": "one", "name": "Sleep"}, {"id": "two", "name": "sleep"}]}}'

BEFORE: dict[str, tuple[type[errors.FinetuningError], str, Callable[[Any], Any]]] = {
    # Parameters
    "tags that are no text": (errors.ParameterError, "tags must be text", lambda c: c.generate(5)),
    "tags of a frame": (errors.ParameterError, "tags must be text", lambda c: c.generate(FRAME)),
    "no tags": (errors.ParameterError, "tags is empty", lambda c: c.generate("")),
    "blank tags": (errors.ParameterError, "tags is empty", lambda c: c.generate("  \n")),
    "tags too long": (errors.ParameterError, "701 characters", lambda c: c.generate("x" * 701)),
    "lyrics too long": (errors.ParameterError, "2,001 characters", lambda c: c.generate("x", lyrics="y" * 2001)),
    "lyrics that are no text": (errors.ParameterError, "lyrics must be text", lambda c: c.generate("x", lyrics=["la"])),
    "an unknown key": (errors.ParameterError, "key='H'", lambda c: c.generate("x", key="H")),
    "key and scale in one": (errors.ParameterError, "scale='minor'", lambda c: c.generate("x", key="C minor")),
    "an unknown scale": (errors.ParameterError, "scale='dorian'", lambda c: c.generate("x", scale="dorian")),
    "a tempo in words": (errors.ParameterError, "bpm='fast'", lambda c: c.generate("x", bpm="fast")),
    "a tempo that is no whole number": (errors.ParameterError, "bpm=92.5", lambda c: c.generate("x", bpm=92.5)),
    "a duration that is missing": (errors.ParameterError, "duration=nan", lambda c: c.generate("x", duration=NAN)),
    "a time signature of 8": (errors.ParameterError, "from 2 to 7", lambda c: c.generate("x", time_signature=8)),
    "a time signature without end": (
        errors.ParameterError, "from 2 to 7", lambda c: c.generate("x", time_signature="4" * 5000)),
    "a language by its name": (errors.ParameterError, "'English'", lambda c: c.generate("x", language="English")),
    "a seed that is no number": (errors.ParameterError, "seed='lucky'", lambda c: c.generate("x", seed="lucky")),
    "a patience past floats": (errors.ParameterError, "timeout=1000", lambda c: c.generate("x", timeout=10**400)),
    "a patience in words": (errors.ParameterError, "timeout='long'", lambda c: c.generate("x", timeout="long")),
    "a local webhook": (errors.ParameterError, "not https", lambda c: c.generate("x", webhook="http://example.com/")),
    "a status that is none": (errors.ParameterError, "status='done'", lambda c: c.generations(status="done")),
    "a limit of nothing": (errors.ParameterError, "limit=0", lambda c: c.generations(limit=0)),
    "an id that is none": (errors.ParameterError, "is not an id", lambda c: c.generation(None)),
    "a record for an id": (errors.ParameterError, "is not an id", lambda c: c.generation(Generation(id="x"))),
    # Selections
    "an empty selection": (errors.SelectionError, "empty", lambda c: c.add_tracks("P", [])),
    "a frame that is empty": (errors.SelectionError, "empty", lambda c: c.add_tracks("P", FRAME[FRAME.bpm > 500])),
    "a mask": (errors.SelectionError, "mask", lambda c: c.add_tracks("P", FRAME.bpm > 100)),
    "a column without ids": (errors.SelectionError, "holds no ids", lambda c: c.add_tracks("P", FRAME.bpm)),
    "a frame without ids": (errors.SelectionError, "no `id` column", lambda c: c.add_tracks("P", FRAME[["bpm"]])),
    "missing ids": (errors.SelectionError, "position 1", lambda c: c.remove_tracks("P", HOLES)),
    "playlists for tracks": (errors.SelectionError, "is a playlist", lambda c: c.download(Playlist(id="p"))),
    "nothing for tracks": (errors.SelectionError, "NoneType", lambda c: c.download(None)),
    "a folder with a null": (errors.ParameterError, "no path holds a null", lambda c: c.download("x", "a\0b")),
    "half a character for a folder": (errors.ParameterError, "surrogates", lambda c: c.download("x", "\ud800")),
    "numbers for tracks": (errors.SelectionError, "type int", lambda c: c.play(range(3))),
    "nothing to measure": (errors.SelectionError, "empty", lambda c: c.measure([])),
    "two to wait for": (errors.SelectionError, "2 generations", lambda c: c.wait(["a", "b"])),
    # Playlists
    "a playlist without a name": (errors.ParameterError, "empty name", lambda c: c.playlist(" ")),
    "a number for a playlist": (errors.ParameterError, "int does not name", lambda c: c.add_tracks(5, "a")),
    "two rows for a playlist": (errors.ParameterError, "DataFrame", lambda c: c.add_tracks(FRAME, "a")),
    "a track for a playlist": (errors.ParameterError, "Generation", lambda c: c.playlist(Generation(id="x"))),
    "no target": (errors.ParameterError, "NAType does not name", lambda c: c.move_tracks("pl_a", pd.NA, "a")),
    "two rows for a target": (errors.ParameterError, "DataFrame", lambda c: c.move_tracks("pl_a", FRAME, "a")),
    "source and target alike": (errors.ParameterError, "same playlist", lambda c: c.move_tracks("P", "P", "a")),
    "deletion without a yes": (errors.ConfirmationError, "permanently deletes 2", lambda c: c.delete_tracks(FRAME)),
    # The rest
    "no folder": (errors.ParameterError, "is not a folder", lambda c: c.download("a", None)),
    "none at once": (errors.ParameterError, "at_once=0", lambda c: c.download("a", at_once=0)),
    "no sweep": (errors.ParameterError, "not a sweep", lambda c: c.run("lofi")),
}  # fmt: skip


@pytest.mark.parametrize("what", BEFORE)
def test_it_is_refused_before_any_request(host: Any, what: str) -> None:
    kind, why, verb = BEFORE[what]
    with ft.Client(KEY, host.url, progress=False) as client, pytest.raises(kind) as caught:
        verb(client)
    assert why in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert host.seen == []


BLOCKING_ONLY = {"numbers for tracks", "nothing to measure", "no sweep"}


@pytest.mark.parametrize("what", [what for what in BEFORE if what not in BLOCKING_ONLY])
def test_and_by_the_asynchronous_client_too(host: Any, what: str) -> None:
    kind, why, verb = BEFORE[what]

    async def ask() -> None:
        async with ft.AsyncClient(KEY, host.url) as client:
            await verb(client)

    with pytest.raises(kind) as caught:
        asyncio.run(ask())
    assert why in str(caught.value)
    assert host.seen == []


def test_a_webhook_on_this_machine_is_for_the_studio_only() -> None:
    with ft.Client(KEY, progress=False) as client:
        for url in ("http://127.0.0.1:8000/hook", "https://localhost/hook", "https://10.0.0.1/hook"):
            with pytest.raises(errors.ParameterError, match="webhook") as caught:
                client.generate("x", webhook=url)
            assert caught.value.parameter == "webhook"
            assert "HTTPS" in str(caught.value)


def test_a_name_that_two_playlists_share_lists_them_and_changes_nothing(host: Any) -> None:
    host.answer = lambda handler: host.send(handler, 200, LISTING)
    with ft.Client(KEY, host.url, progress=False) as client, pytest.raises(errors.AmbiguousPlaylistError) as caught:
        client.add_tracks("Sleep", FRAME)
    assert caught.value.candidates == ["one", "two"]
    assert [each[:2] for each in host.seen] == [("GET", "/v1/playlists")]


def test_a_name_that_no_playlist_has_changes_nothing(host: Any) -> None:
    host.answer = lambda handler: host.send(handler, 200, LISTING)
    with ft.Client(KEY, host.url, progress=False) as client, pytest.raises(errors.PlaylistNotFoundError) as caught:
        client.move_tracks("Sleep well", "one", FRAME)
    assert "There are: 'Sleep'" in str(caught.value)
    assert [each[0] for each in host.seen] == ["GET"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html><title>Hotel Wi-Fi</title></html>", "Hotel Wi-Fi"),
        (b'{"data": {"id": "usr', "truncated"),
        (b"", "no body"),
    ],
)
def test_an_answer_that_is_not_the_service_s(host: Any, content: bytes, why: str) -> None:
    host.answer = lambda handler: host.send(handler, 200, content, content_type="text/html")
    with ft.Client(KEY, host.url, progress=False) as client, pytest.raises(errors.InvalidAnswerError) as caught:
        client.me()
    assert why in str(caught.value)
    assert caught.value.hint


def test_a_tempo_out_of_range_is_clamped_and_told(client: ft.Client) -> None:
    with pytest.warns(errors.ClampedWarning) as caught:
        take = client.generate("x", bpm=500, duration=-3, wait=False)
    assert [str(each.message) for each in caught] == ["bpm clamped from 500 → 200", "duration clamped from -3 → 5"]
    assert (take.bpm, take.requested_duration) == (200, 5)


@pytest.mark.parametrize("verb", ["generate", "generations", "download"])
def test_a_keyword_that_is_none_is_refused(client: ft.Client, verb: str) -> None:
    with pytest.raises(TypeError, match="tempo"):
        getattr(client, verb)("lofi", tempo=90)
