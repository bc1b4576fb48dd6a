"""What the library panel foretells is what the service does, and what it cannot know it does not claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finetuning as ft
from finetuning.panels.library.batches import Stop
from finetuning.panels.library.doing import Doing, Done
from finetuning.panels.library.holdings import Holdings
from finetuning.panels.library.intents import Intent, Verb, count, label_of
from finetuning.panels.library.judges import Reason, Shelf
from finetuning.panels.library.preview import Preview, preview
from finetuning.records import Generation, Parameters, Playlist

NOBODYS = "11111111-1111-4111-8111-111111111111"
#: What the service says where the panel foretells a reason; a stranger's track has no documented text.
WORDS = {
    Verb.ADD: {
        Reason.PRIVATE: "Cannot add private track to public playlist",
        Reason.ALREADY: "Track already in playlist",
        Reason.FOREIGN: "Cannot add another user's track to private playlist",
    },
    Verb.MOVE: {
        Reason.PRIVATE: "Cannot add private track to public playlist",
        Reason.ALREADY: "Track already in playlist",
        Reason.NOT_IN: "Track not found",
        Reason.FOREIGN: "Cannot add another user's track to private playlist",
    },
    Verb.REMOVE: {Reason.NOT_IN: "Track not found in playlist or not authorized"},
    Verb.DELETE: {Reason.GONE: "Track not found or not owned by you"},
}
GONE_WHEN_ADDED = {"Track not found", "Cannot add another user's track to private playlist"}


@dataclass
class World:
    """A studio, its client, and eight tracks of the user's, every other one public."""

    studio: ft.studio.Studio
    client: ft.Client
    tracks: list[str]

    def fresh(self, limit: int | None = None) -> Doing:
        """Read the library, and stand ready."""
        holdings = Holdings(self.client.asynchronous, limit)
        self.client.call(holdings.load(lambda _: None))
        return Doing(self.client.asynchronous, holdings, self.studio)

    def run(self, doing: Doing, intent: Intent) -> tuple[Preview, Done]:
        foretold = self.client.call(doing.look(intent))
        return foretold, self.client.call(doing.do(foretold, Stop(), lambda *_: None))

    def playlist(self, public: bool, tracks: list[str]) -> Playlist:
        """Make one with these in it, as far as the rules allow."""
        id_ = self.studio.create_playlist("One", public)
        if tracks:
            self.client.call(self.client.asynchronous.add_tracks(id_, tracks))
        return self.client.call(self.client.asynchronous.playlist(id_))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        ft.studio.Studio(tmp_path_factory.mktemp("world"), limits="local", workers=0) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as client,
    ):
        tracks = [client.generate("lofi", duration=5, seed=seed, wait=False).id for seed in range(8)]
        studio.set_public(tracks[::2])
        yield World(studio, client, tracks)


#: Places of tracks: the user's own, two of a stranger's public ones, a stranger's private one, and nobody's.
PLACES = st.lists(st.integers(0, 11), max_size=12, unique=True)


def named(world: World, places: list[int]) -> list[str]:
    house = world.studio.house
    everything = [*world.tracks, *house.tracks[:2], house.private_track, NOBODYS]
    return [everything[place] for place in places]


@settings(max_examples=40)
@given(
    verb=st.sampled_from([Verb.ADD, Verb.REMOVE, Verb.MOVE]),
    chosen=PLACES.filter(bool),
    first=PLACES,
    second=PLACES,
    public=st.tuples(st.booleans(), st.booleans()),
)
def test_what_is_foretold_of_playlists_is_what_the_service_does(
    world: World, verb: Verb, chosen: list[int], first: list[int], second: list[int], public: tuple[bool, bool]
) -> None:
    ids = named(world, chosen)
    source = world.playlist(public[0], named(world, first))
    target = world.playlist(public[1], named(world, second))
    intent = Intent(
        verb,
        tuple(ids),
        source=source if verb != Verb.ADD else None,
        target=target if verb != Verb.REMOVE else None,
    )
    doing = world.fresh()
    if verb == Verb.ADD:
        world.client.call(doing.playlist(source.id))  # strangers' tracks that were seen there are known
    foretold, done = world.run(doing, intent)
    assert [*foretold.will, *foretold.refused, *foretold.unsure] != []
    assert sorted([*foretold.will, *foretold.refused, *foretold.unsure]) == sorted(ids)
    assert set(foretold.will) <= set(done.outcome.succeeded)
    assert set(foretold.refused) <= set(done.outcome.refused)
    # Only of a stranger's track that was seen nowhere, and only for a public playlist, it cannot be told.
    own = set(world.tracks)
    assert not own & set(foretold.unsure)
    if not (target.is_public and verb == Verb.ADD):
        assert not foretold.unsure
    for id_, reason in foretold.refused.items():
        said = done.outcome.refused[id_]
        if reason == Reason.GONE:
            assert said in GONE_WHEN_ADDED
        else:
            assert said == WORDS[verb][reason]
    for difference in done.differences:
        entered = {track.id for track in difference.added}
        left = {track.id for track in difference.removed}
        assert entered == (set(done.outcome.succeeded) if difference.after.id == target.id else set())
        assert left == (set(done.outcome.succeeded) if difference.after.id == source.id else set())
    if done.undo is not None:
        before = {each.id: {track.id for track in each.tracks or []} for each in foretold.intent.playlists}
        again, back = world.run(doing, done.undo)
        assert again.will == list(done.undo.ids)
        assert not back.outcome.refused
        assert {each.after.id: {track.id for track in each.after.tracks or []} for each in back.differences} == before
    else:
        assert not done.outcome.succeeded


@settings(max_examples=15)
@given(
    chosen=st.lists(st.sampled_from(["own", "public", "stranger", "nobody"]), min_size=1, max_size=4, unique=True),
)
def test_what_is_foretold_of_deletion_is_what_the_service_does(world: World, chosen: list[str]) -> None:
    make = {
        "own": lambda: world.client.generate("lofi", duration=5, wait=False).id,
        "public": lambda: world.client.generate("lofi", duration=5, wait=False).id,
        "stranger": lambda: world.studio.house.tracks[0],
        "nobody": lambda: NOBODYS,
    }
    ids = [make[kind]() for kind in chosen]
    public = [id_ for kind, id_ in zip(chosen, ids, strict=True) if kind == "public"]
    if public:
        world.studio.set_public(public)
    doing = world.fresh()
    foretold, done = world.run(doing, Intent(Verb.DELETE, tuple(ids)))
    assert foretold.will == done.outcome.succeeded
    assert {id_: WORDS[Verb.DELETE][reason] for id_, reason in foretold.refused.items()} == done.outcome.refused
    assert any("gone for good" in note for note in foretold.notes)
    assert any("1 track of these is public" in note for note in foretold.notes) == bool(public)
    assert done.undo is None
    assert not set(doing.shelf.library) & set(done.outcome.succeeded)


def test_what_a_part_of_the_library_cannot_tell_is_not_claimed(world: World) -> None:
    doing = world.fresh(limit=2)
    assert not doing.shelf.whole
    unread = [id_ for id_ in world.tracks if id_ not in doing.shelf.library]
    private = world.playlist(False, [])
    foretold, done = world.run(doing, Intent(Verb.ADD, tuple(unread), target=private))
    assert list(foretold.unsure) == unread
    assert not foretold.will
    assert foretold.possible
    assert "cannot be told from here" in foretold.sentence
    assert foretold.fate(unread[0]).startswith("cannot be told: it may not be in the library")
    assert done.outcome.succeeded == unread
    # Seen in the playlist by now, they still may be somebody else's.
    other = world.playlist(False, [])
    assert list(world.client.call(doing.look(Intent(Verb.ADD, tuple(unread), target=other))).unsure) == unread
    assert set(world.client.call(doing.look(Intent(Verb.DELETE, tuple(unread)))).unsure) == set(unread)
    assert set(world.client.call(doing.look(Intent(Verb.HIDE, tuple(unread)))).unsure) == set(unread)


def test_showing_and_hiding_is_told_from_what_is_public(world: World) -> None:
    doing = world.fresh()
    ids = (*world.tracks[:4], NOBODYS)
    foretold, done = world.run(doing, Intent(Verb.PUBLISH, ids))
    assert foretold.will == [world.tracks[1], world.tracks[3]]
    assert foretold.refused == {
        world.tracks[0]: Reason.ALREADY_PUBLIC,
        world.tracks[2]: Reason.ALREADY_PUBLIC,
        NOBODYS: Reason.GONE,
    }
    assert foretold.sent == foretold.will
    assert done.outcome.succeeded == foretold.will
    assert done.outcome.refused[NOBODYS] == "not in the library"
    assert done.outcome.summary == "Made public 2 of 5 track(s)"
    assert all(doing.shelf.library[id_].is_public for id_ in world.tracks[:4])
    assert done.undo is not None
    back, undone = world.run(doing, done.undo)
    assert "undo does not put it back" in back.notes[0]
    assert undone.outcome.succeeded == done.outcome.succeeded
    assert set(world.client.generations(limit=None).query("is_public")["id"]) & set(world.tracks) == set(
        world.tracks[::2]
    )


def record(id_: str, **more: Any) -> Generation:
    return Generation(**{"id": id_, "title": f"Take {id_}", "status": "completed", "audio_url": "https://x/y", **more})


def test_downloads_are_told_from_status_and_from_what_is_in_the_folder(tmp_path: Path) -> None:
    library = {
        each.id: each
        for each in (
            record("done"),
            record("there"),
            record("broken", status="failed", audio_url=None),
            record("waits", status="processing", audio_url=None),
            record("bare", audio_url=None),
        )
    }
    (tmp_path / "take-there-there.mp3").write_bytes(b"x")
    found = preview(Intent(Verb.DOWNLOAD, (*library, "gone"), folder=tmp_path), Shelf(library, whole=True))
    assert found.will == ["done"]
    assert found.refused == {
        "broken": Reason.FAILED,
        "waits": Reason.NO_AUDIO,
        "bare": Reason.NO_AUDIO,
        "gone": Reason.GONE,
    }
    assert list(found.unsure) == ["there"]
    assert found.sent == ["done", "there"]
    assert found.sentence == (
        f"6 tracks: 1 will be downloaded to {tmp_path}, 4 will be refused: 2 not completed, so there is no audio, "
        "1 failed, so there is no audio, 1 not in the library, 1 cannot be told from here: a file of that name is "
        "there, which is kept if it is whole"
    )


def test_a_sentence_has_the_numbers_and_the_reasons() -> None:
    library = {each.id: each for each in (record("a"), record("b", is_public=False), record("c", is_public=True))}
    public = Playlist(id="p", name="Focus", is_public=True, tracks=[], track_count=0)
    found = preview(Intent(Verb.ADD, ("b", "c"), target=public), Shelf(library, whole=True))
    assert found.sentence == "2 tracks: 1 will be added to “Focus”, 1 will be refused: private into public"
    assert (found.fate("b"), found.fate("c")) == ("refused: private into public", "will be added")
    unknown = preview(Intent(Verb.ADD, ("a",), target=public), Shelf(library, whole=True))
    assert unknown.unsure == {"a": "whether it is public is not known"}
    private = Playlist(id="q", is_public=False, tracks=[record("a")], track_count=5)
    torn = preview(Intent(Verb.ADD, ("a", "b"), target=private), Shelf(library, whole=True))
    assert torn.refused == {"a": Reason.ALREADY}
    assert torn.unsure == {"b": "not all of the playlist was shown"}
    leaving = preview(Intent(Verb.REMOVE, ("a", "b"), source=private), Shelf(library, whole=True))
    assert (leaving.will, leaving.unsure) == (["a"], {"b": "not all of the playlist was shown"})
    moving = preview(Intent(Verb.MOVE, ("a",), source=private, target=public), Shelf(library, whole=True))
    assert moving.unsure == {"a": "whether it is public is not known"}
    assert moving.sentence.startswith("1 track: none will be moved from “q” to “Focus”")
    undone = preview(Intent(Verb.REMOVE, ("a",), source=private).undo(["a"]) or Intent(Verb.ADD, ()), Shelf(library))
    assert undone.notes == ["They come to the end of the playlist, whatever their place was before."]


def test_an_intent_that_lacks_its_playlist_is_a_mistake_of_the_program() -> None:
    with pytest.raises(AssertionError, match="has none"):
        preview(Intent(Verb.ADD, ("a",)), Shelf({}))


def test_what_undoes_what() -> None:
    a, b = Playlist(id="a", name="A"), Playlist(id="b", name=" ")
    move = Intent(Verb.MOVE, ("x", "y"), source=a, target=b)
    back = move.undo(["x"])
    assert back == Intent(Verb.MOVE, ("x",), source=b, target=a, undoing=True)
    assert back.undo(["x"]) == Intent(Verb.MOVE, ("x",), source=a, target=b)
    assert Intent(Verb.ADD, ("x",), target=a).undo(["x"]) == Intent(Verb.REMOVE, ("x",), source=a, undoing=True)
    assert Intent(Verb.ADD, ("x",), target=a).undo([]) is None
    assert Intent(Verb.DELETE, ("x",)).undo(["x"]) is None
    assert Intent(Verb.DOWNLOAD, ("x",)).undo(["x"]) is None
    assert (label_of(a), label_of(b), label_of(None)) == ("“A”", "“b”", "")
    assert (count(1), count(1200), count(0)) == ("1 track", "1,200 tracks", "0 tracks")
    assert record("x", parameters=Parameters(bpm=1)).bpm == 1
