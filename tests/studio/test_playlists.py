"""Playlists: whose, who may see them, what may go into them, and partial success."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from finetuning.errors import StudioError
from finetuning.studio import Studio

Make = Callable[..., str]
NOT_FOUND = "Playlist not found"
NOT_YOURS = "Not authorized to modify this playlist"
NO_TRACK = "Track not found"
PRIVATE = "Cannot add private track to public playlist"
FOREIGN = "Cannot add another user's track to private playlist"
ALREADY = "Track already in playlist"
NOT_IN = "Track not found in playlist or not authorized"


def ids_in(api: httpx.Client, playlist: str) -> list[str]:
    return [track["id"] for track in api.get(f"/v1/playlists/{playlist}").json()["data"]["tracks"]]


def test_playlists_in_their_shape(open_studio: Callable[..., Studio], connect: Any, clock: Any) -> None:
    studio = open_studio(clock=clock)
    api = connect(studio)
    first = studio.create_playlist("Focus Beats", description="to work by")
    clock.now += 60
    second = studio.create_playlist("Focus Beats", public=True)
    tracks = [
        api.post("/v1/generations", json={"tags": "x", "duration": n}).json()["data"]["id"] for n in (10, 20.25, 30.5)
    ]
    added = api.post(f"/v1/playlists/{first}/tracks", json={"trackIds": tracks})
    assert (added.status_code, added.json()) == (200, {"data": {"added": tracks}})
    listed = api.get("/v1/playlists").json()["data"]["playlists"]
    assert [playlist["id"] for playlist in listed] == [second, first]
    assert listed[0]["description"] is None
    assert listed[0]["isPublic"] is True
    expected = {
        "id": first,
        "name": "Focus Beats",
        "description": "to work by",
        "trackCount": 3,
        "totalDuration": 61,
        "isPublic": False,
        "createdAt": "2025-01-15 10:30:00",
        "updatedAt": "2025-01-15 10:31:00",
    }
    assert listed[1] == expected
    detail = api.get(f"/v1/playlists/{first}").json()["data"]
    shown = detail.pop("tracks")
    assert detail == {**expected, "isOwner": True}
    assert shown == api.get("/v1/generations").json()["data"]["generations"][::-1]


def test_another_users_playlists(studio: Studio, api: httpx.Client) -> None:
    public = api.get(f"/v1/playlists/{studio.house.playlist}").json()["data"]
    assert public["isOwner"] is False
    assert [track["id"] for track in public["tracks"]] == list(studio.house.tracks)
    assert {track["isPublic"] for track in public["tracks"]} == {True}
    assert {track["status"] for track in public["tracks"]} == {"completed"}
    assert api.get(f"/v1/playlists/{studio.house.private_playlist}").status_code == 404
    assert api.get("/v1/playlists").json()["data"]["playlists"] == []
    for track in (studio.house.tracks[0], studio.house.private_track):
        assert api.get(f"/v1/generations/{track}").status_code == 404


@pytest.mark.parametrize(
    ("playlist", "track", "error"),
    [
        ("private", "private", None),
        ("private", "public", None),
        ("private", "foreign public", FOREIGN),
        ("private", "foreign private", NO_TRACK),
        ("private", "nonexistent", NO_TRACK),
        ("public", "private", PRIVATE),
        ("public", "public", None),
        ("public", "foreign public", None),
        ("public", "foreign private", NO_TRACK),
        ("public", "nonexistent", NO_TRACK),
        ("foreign public", "public", NOT_YOURS),
        ("foreign private", "public", NOT_FOUND),
        ("nonexistent", "public", NOT_FOUND),
    ],
)
@pytest.mark.parametrize("verb", ["add", "move"])
def test_who_may_put_what_where(
    studio: Studio, api: httpx.Client, make: Make, playlist: str, track: str, error: str | None, verb: str
) -> None:
    own_private, own_public = make(), make()
    studio.set_public(own_public)
    tracks = {
        "private": own_private,
        "public": own_public,
        "foreign public": studio.house.tracks[0],
        "foreign private": studio.house.private_track,
        "nonexistent": "no-such-track",
    }
    playlists = {
        "private": studio.create_playlist("private"),
        "public": studio.create_playlist("public", public=True),
        "foreign public": studio.house.playlist,
        "foreign private": studio.house.private_playlist,
        "nonexistent": "no-such-playlist",
    }
    target, chosen = playlists[playlist], tracks[track]
    if verb == "add":
        answer = api.post(f"/v1/playlists/{target}/tracks", json={"trackIds": [chosen]})
        done, code = "added", "ADD_FAILED"
    else:
        # A private track comes from a private playlist; another's, which can be in a public one only, from there.
        source = studio.create_playlist("source", public=track == "foreign public")
        api.post(f"/v1/playlists/{source}/tracks", json={"trackIds": [chosen]})
        was = ids_in(api, source)
        answer = api.post(
            f"/v1/playlists/{source}/tracks/move", json={"trackIds": [chosen], "targetPlaylistId": target}
        )
        done, code = "moved", "MOVE_FAILED"
        assert ids_in(api, source) == ([] if error is None else was)
    if error is None:
        assert (answer.status_code, answer.json()) == (200, {"data": {done: [chosen]}})
        assert ids_in(api, target) == [chosen]
    else:
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == code
        assert answer.json()["error"]["details"] == [{"trackId": chosen, "error": error}]


def test_adding_succeeds_in_part_and_in_order(studio: Studio, api: httpx.Client, make: Make) -> None:
    playlist, first, second = studio.create_playlist("mine"), make(), make()
    body = {"trackIds": [second, "nope", first, second]}
    assert api.post(f"/v1/playlists/{playlist}/tracks", json=body).json()["data"] == {
        "added": [second, first],
        "errors": [{"trackId": "nope", "error": NO_TRACK}, {"trackId": second, "error": ALREADY}],
    }
    assert ids_in(api, playlist) == [second, first]


def test_removing(studio: Studio, api: httpx.Client, make: Make) -> None:
    playlist, first, second = studio.create_playlist("mine"), make(), make()
    api.post(f"/v1/playlists/{playlist}/tracks", json={"trackIds": [first, second]})
    remove = f"/v1/playlists/{playlist}/tracks/bulk-remove"
    assert api.post(remove, json={"trackIds": [first]}).json() == {"data": {"removed": [first]}}
    answer = api.post(remove, json={"trackIds": [first, second]}).json()["data"]
    assert answer == {"removed": [second], "errors": [{"trackId": first, "error": NOT_IN}]}
    assert api.get(f"/v1/generations/{first}").status_code == 200, "it stays in the library"
    for other in (playlist, "nope", studio.house.playlist, studio.house.private_playlist):
        track = studio.house.tracks[0]
        answer = api.post(f"/v1/playlists/{other}/tracks/bulk-remove", json={"trackIds": [track]})
        assert answer.status_code == 200
        assert answer.json()["data"] == {"removed": [], "errors": [{"trackId": track, "error": NOT_IN}]}
    assert len(ids_in(api, studio.house.playlist)) == len(studio.house.tracks)


def test_moving(studio: Studio, api: httpx.Client, make: Make) -> None:
    source, target = studio.create_playlist("a"), studio.create_playlist("b")
    first, second, third = make(), make(), make()
    api.post(f"/v1/playlists/{source}/tracks", json={"trackIds": [first, second]})
    api.post(f"/v1/playlists/{target}/tracks", json={"trackIds": [second]})
    body = {"trackIds": [first, second, third], "targetPlaylistId": target}
    assert api.post(f"/v1/playlists/{source}/tracks/move", json=body).json()["data"] == {
        "moved": [first],
        "errors": [{"trackId": second, "error": ALREADY}, {"trackId": third, "error": NO_TRACK}],
    }
    assert ids_in(api, source) == [second], "what could not be added has not left"
    assert ids_in(api, target) == [second, first]
    foreign = api.post(
        f"/v1/playlists/{studio.house.playlist}/tracks/move",
        json={"trackIds": [studio.house.tracks[0]], "targetPlaylistId": target},
    )
    assert foreign.json()["error"]["details"] == [{"trackId": studio.house.tracks[0], "error": NOT_YOURS}]


def test_a_hidden_track_leaves_public_playlists(studio: Studio, api: httpx.Client, make: Make) -> None:
    track, public, private = make(), studio.create_playlist("open", public=True), studio.create_playlist("own")
    studio.set_public(track)
    assert api.get(f"/v1/generations/{track}").json()["data"]["isPublic"] is True
    for playlist in (public, private):
        api.post(f"/v1/playlists/{playlist}/tracks", json={"trackIds": [track]})
    studio.set_public(track, False)
    assert ids_in(api, public) == []
    assert ids_in(api, private) == [track]


def test_what_the_web_application_does(studio: Studio, api: httpx.Client, make: Make) -> None:
    playlist, track = studio.create_playlist("before"), make()
    api.post(f"/v1/playlists/{playlist}/tracks", json={"trackIds": [track]})
    studio.rename_playlist(playlist, "after")
    assert api.get(f"/v1/playlists/{playlist}").json()["data"]["name"] == "after"
    studio.delete_playlist(playlist)
    assert api.get(f"/v1/playlists/{playlist}").status_code == 404
    assert api.get(f"/v1/generations/{track}").status_code == 200
    for other in (playlist, studio.house.playlist):
        with pytest.raises(StudioError, match="no playlist with the id"):
            studio.rename_playlist(other, "x")
        with pytest.raises(StudioError, match="no playlist with the id"):
            studio.delete_playlist(other)
    for name in ("", "  ", None):
        with pytest.raises(StudioError, match="name that is not empty"):
            studio.create_playlist(name)  # type: ignore[arg-type]
    for public in ("no", None, 2, pd.NA):
        with pytest.raises(StudioError, match=r"public is .*\nSay True or False"):
            studio.create_playlist("x", public)  # type: ignore[arg-type]
        with pytest.raises(StudioError, match=r"public is .*\nSay True or False"):
            studio.set_public(track, public)  # type: ignore[arg-type]
    studio.set_public(track, np.True_)  # type: ignore[arg-type]
    assert api.get(f"/v1/generations/{track}").json()["data"]["isPublic"] is True


def test_tracks_are_named_in_many_ways(studio: Studio, api: httpx.Client, make: Make) -> None:
    ids = [make(), make()]

    def public() -> list[bool]:
        return [api.get(f"/v1/generations/{track}").json()["data"]["isPublic"] for track in ids]

    frame = pd.DataFrame({"id": ids, "bpm": [1, 2]})
    record = SimpleNamespace(id=ids[0])
    for tracks in (ids, tuple(ids), frame, frame["id"], pd.Index(ids), [record, ids[1]]):
        studio.set_public(tracks, True)
        assert public() == [True, True]
        studio.set_public(tracks, False)
        assert public() == [False, False]
    studio.set_public(record)
    assert public() == [True, False]
    for wrong, message in (
        (pd.DataFrame({"a": [1]}), "no column `id`"),
        ([ids[1], 5], "5 names no track"),
        (5, "5 names no track"),
        ([ids[1], "nope"], "no track with the id 'nope'"),
        ([ids[1], studio.house.tracks[0]], "no track with the id"),
    ):
        with pytest.raises(StudioError, match=message):
            studio.set_public(wrong)
    assert public() == [True, False], "all of them, or none"
