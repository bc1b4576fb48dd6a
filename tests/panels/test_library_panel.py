"""The library panel against the real service, over HTTP, without a browser: its buttons are pressed from here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import finetuning as ft
from finetuning import errors
from finetuning.panels.library.batches import Stop, send_all
from finetuning.panels.library.intents import Verb
from finetuning.panels.library.panel import LibraryPanel

HOSTILE = '<img src=x onerror="window.hacked=1"></div></script><script>window.hacked=1</script>\u202e'
PATIENCE = 60.0

Make = Callable[..., list[str]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    """A studio that renders nothing, whose library only these tests change."""
    with ft.studio.Studio(tmp_path_factory.mktemp("shop"), limits="local", workers=0) as running:
        yield running


@pytest.fixture
def shopper(shop: ft.studio.Studio) -> Iterator[ft.Client]:
    """A client of an empty library."""
    with ft.Client(shop.api_key, shop.url, progress=False, studio=shop) as client:
        yield client
        left = client.generations(limit=None)
        if len(left):
            client.delete_tracks(left, yes=True)
        for playlist in client.playlists()["id"]:
            shop.delete_playlist(playlist)
    ipywidgets.Widget.close_all()


@pytest.fixture
def make(shopper: ft.Client) -> Make:
    def made(number: int, public: bool = False, **more: Any) -> list[str]:
        async def all_() -> list[str]:
            asked = {"duration": 5, "wait": False, **more}
            return [(await shopper.asynchronous.generate("lofi", **asked)).id for _ in range(number)]

        ids = shopper.call(all_())
        if public:
            shopper.studio.set_public(ids)
        return ids

    return made


def opened(client: ft.Client, **more: Any) -> LibraryPanel:
    panel = LibraryPanel(client, **{"table": "own"} | more)
    settled(panel)
    return panel


def settled(panel: LibraryPanel) -> None:
    assert panel.wait(PATIENCE)


def said(panel: LibraryPanel) -> str:
    value: str = panel.desk._said.value
    return value


def act(panel: LibraryPanel) -> None:
    assert not panel.desk.act.disabled, said(panel)
    panel.desk.act.click()
    settled(panel)


def ids_in(client: ft.Client, playlist: str) -> list[str]:
    return list(client.playlist(playlist).tracks["id"])


def test_a_library_is_there_with_its_playlists(shopper: ft.Client, make: Make) -> None:
    make(3, bpm=90)
    playlist = shopper.studio.create_playlist("Focus")
    panel = opened(shopper)
    assert isinstance(panel, ft.LibraryPanel)
    frame = shopper.generations(limit=None)
    pd.testing.assert_frame_equal(panel.frame.drop(columns="rating"), frame)
    assert panel.frame["rating"].dtype == "Int64"
    assert panel.frame["rating"].isna().all()
    assert panel.selected.empty
    assert list(panel.shown["id"]) == list(frame["id"])
    assert "3 tracks" in panel.head.said.value
    assert ("Focus · private · 0 tracks", playlist) in panel.desk.target.options
    assert ("Focus", playlist) in panel.pair.left.picker.options
    assert repr(panel) == "LibraryPanel(3 tracks, 0 selected)"
    assert panel.trouble.text == ""
    assert panel.outcome is None


def test_filters_hide_and_what_is_chosen_stays_so(shopper: ft.Client, make: Make) -> None:
    slow, fast = make(2, bpm=70, key="C", scale="minor"), make(3, bpm=140, key="D", scale="major", time_signature=3)
    shopper.studio.set_public(fast[:1])
    panel = opened(shopper)
    panel.select(slow)
    bar = panel.filters
    bar.bpm.value = (100, 200)
    assert list(panel.shown["id"]) == fast[::-1]
    assert "3 of 5 tracks" in panel.head.said.value
    assert "2 chosen (2 not shown)" in panel.bar.count.value
    assert sorted(panel.selected["id"]) == sorted(slow)
    panel.buttons["All shown"].click()
    assert list(panel.selected["id"]) == fast[::-1]
    bar.public.value = False
    assert list(panel.shown["id"]) == fast[:0:-1]
    panel.buttons["Invert"].click()
    assert panel.selected.empty
    bar.clear()
    assert len(panel.shown) == 5
    for control, value, number in (
        (bar.key, "C", 2),
        (bar.scale, "major", 3),
        (bar.beats, 3, 3),
        (bar.status, "completed", 0),
        (bar.text, "LOFI", 5),
        (bar.text, "techno", 0),
        (bar.since, date(2001, 1, 1), 5),
        (bar.since, date(2999, 1, 1), 0),
    ):
        control.value = value
        assert len(panel.shown) == number
        bar.reset.click()
    assert {control.index for control in (bar.key, bar.scale, bar.beats, bar.status, bar.public)} == {
        0
    }  # "any" is shown
    panel.buttons["Invert"].click()
    assert len(panel.selected) == 5
    panel.buttons["None"].click()
    assert panel.selected.empty
    assert panel.buttons["▶ Play"].disabled


def test_add_with_its_preview_its_difference_and_its_undo(shopper: ft.Client, make: Make) -> None:
    private, public = make(2), make(3, public=True)
    goal = shopper.studio.create_playlist("Best of", public=True)
    shopper.add_tracks(goal, public[:1])
    panel = opened(shopper)
    panel.select([*private, *public])
    panel.buttons["Add…"].click()
    assert "5 tracks chosen. Choose a playlist." in said(panel)
    assert panel.desk.act.disabled
    panel.desk.target.value = goal
    settled(panel)
    assert (
        "5 tracks: 2 will be added to “Best of”, 3 will be refused: 2 private into public, 1 already in the playl"
        in said(panel)
    )
    assert panel.desk.act.description == "Add 2 of 5 tracks"
    assert panel.desk.preview is not None
    foretold = panel.desk.preview
    assert ids_in(shopper, goal) == public[:1]  # nothing was sent
    act(panel)
    assert panel.outcome is not None
    assert set(panel.outcome.succeeded) == set(foretold.will)
    assert set(panel.outcome.refused) == set(foretold.refused)
    assert "“Best of”: 1 → 3 tracks, 5s → 15s; 2 added, 0 removed, 1 kept" in said(panel)
    fates = {id_: panel.desk.fates._rows[id_][1:3] for id_ in panel.desk.fates.order}
    assert fates[public[1]] == ("done", None)
    assert fates[private[0]] == ("failed", "Cannot add private track to public playlist")
    panel.desk.undo.click()
    settled(panel)
    assert "2 tracks: 2 will be removed from “Best of”" in said(panel)
    assert "Undo · Remove from a playlist: “Best of”" in panel.desk._head.value
    assert len(ids_in(shopper, goal)) == 3  # an undo is previewed, too
    act(panel)
    assert ids_in(shopper, goal) == public[:1]
    assert panel.outcome.verb == "Removed"
    panel.desk.undo.click()  # and is itself undone
    settled(panel)
    act(panel)
    assert len(ids_in(shopper, goal)) == 3
    panel.desk.cancel.click()
    assert panel.desk.children == ()
    assert panel.desk.intent is None


def test_a_preview_follows_the_selection(shopper: ft.Client, make: Make) -> None:
    ids = make(3)
    goal = shopper.studio.create_playlist("Goal")
    panel = opened(shopper)
    panel.propose("add")
    assert "No track is chosen" in said(panel)
    panel.desk.target.value = goal
    panel.select(ids[:1])
    settled(panel)
    assert "1 track: 1 will be added" in said(panel)
    panel.select(ids)
    settled(panel)
    assert "3 tracks: 3 will be added" in said(panel)
    act(panel)
    panel.select(ids[:2])  # what was done stays as it was done
    assert "Added 3 of 3" in said(panel)


def test_move_and_remove_from_the_form(shopper: ft.Client, make: Make) -> None:
    ids = make(3)
    here, there = (shopper.studio.create_playlist(name) for name in ("Here", "There"))
    shopper.add_tracks(here, ids)
    panel = opened(shopper)
    panel.select(ids[:2])
    panel.buttons["Move…"].click()
    panel.desk.source.value = here
    assert "Choose both playlists" in said(panel)
    panel.desk.target.value = here
    assert "same playlist" in said(panel)
    panel.desk.target.value = there
    settled(panel)
    assert "2 will be moved from “Here” to “There”" in said(panel)
    act(panel)
    assert (ids_in(shopper, here), ids_in(shopper, there)) == ([ids[2]], list(panel.selected["id"]))
    panel.buttons["Remove…"].click()
    panel.desk.source.value = there
    settled(panel)
    act(panel)
    assert ids_in(shopper, there) == []
    assert panel.desk.done is not None
    assert panel.desk.done.undo is not None


def test_deletion_needs_the_number(shopper: ft.Client, make: Make) -> None:
    ids = make(3)
    panel = opened(shopper)
    panel.select(ids[:2])
    panel.buttons["Delete…"].click()
    assert "gone for good" in said(panel)
    assert panel.desk.typed.description == "To confirm, type 2:"
    for text in ("", "1", "two", "22"):
        panel.desk.typed.value = text
        assert panel.desk.act.disabled
        panel.desk._begin()  # not even where the page were to press it
        assert panel.outcome is None
    panel.desk.typed.value = " 2 "
    assert not panel.desk.act.disabled
    panel.select(ids)  # other tracks are another number
    assert panel.desk.typed.value == ""
    assert panel.desk.act.disabled
    panel.desk.typed.value = "3"
    act(panel)
    assert panel.outcome is not None
    assert sorted(panel.outcome.succeeded) == sorted(ids)
    assert panel.frame.empty
    assert panel.selected.empty
    assert "This cannot be undone." in said(panel)
    assert panel.desk.undo not in panel.desk._foot.children
    # The titles are still told, though the library has forgotten them.
    assert all(panel.desk.fates._rows[id_][0] != id_ for id_ in ids)


def test_a_batch_is_stopped_between_requests(shopper: ft.Client, make: Make) -> None:
    make(250)
    panel = opened(shopper)
    goal = shopper.studio.create_playlist("Goal")
    panel.reload()
    settled(panel)
    panel.select(panel.frame)
    panel.propose("add")
    panel.desk.target.value = goal
    settled(panel)

    def stop(change: dict[str, Any]) -> None:
        if change["new"] == 100:
            with pytest.raises(errors.UsageError, match="being done"):
                panel.propose("delete")
            panel.desk.cancel.click()  # has no effect while it runs
            panel.desk.follow([])
            panel.desk.stop.click()

    panel.desk.progress.observe(stop, "value")
    act(panel)
    outcome = panel.outcome
    assert outcome is not None
    assert (len(outcome.succeeded), len(outcome.not_attempted), outcome.error) == (100, 150, None)
    assert len(ids_in(shopper, goal)) == 100
    assert "150 not attempted" in said(panel)
    assert panel.desk.fates._rows[outcome.not_attempted[0]][1:3] == ("not attempted", "stopped before it")
    panel.desk.undo.click()
    settled(panel)
    assert "100 tracks: 100 will be removed" in said(panel)


def test_what_the_service_declines_is_shown_and_the_form_stays(shopper: ft.Client, make: Make) -> None:
    ids = make(1)
    panel = opened(shopper)
    panel.select(ids)
    goal = shopper.studio.create_playlist("Goal")
    panel.reload()
    settled(panel)
    panel.propose("add")
    panel.desk.target.value = goal
    settled(panel)
    shopper.studio.set_tier("free")
    try:
        act(panel)
    finally:
        shopper.studio.set_tier("pro")
    assert "API" in panel.trouble.text
    assert panel.outcome is None
    assert not panel.desk.running
    act(panel)  # the form is still there
    assert panel.trouble.text == ""
    assert ids_in(shopper, goal) == ids


def test_a_playlist_that_is_gone_is_told_of_under_the_panel(shopper: ft.Client, make: Make) -> None:
    ids = make(1)
    goal = shopper.studio.create_playlist("Goal")
    panel = opened(shopper)
    shopper.studio.delete_playlist(goal)
    panel.select(ids)
    panel.propose("add")
    panel.desk.target.value = goal
    settled(panel)
    assert "not found" in panel.trouble.text.lower()
    assert panel.desk.act.disabled
    panel.pair.left.picker.value = goal
    settled(panel)
    panel.reload()
    settled(panel)
    assert panel.desk.target.value == ""
    assert panel.pair.left.picker.value == ""


def test_a_closed_client_is_told_of_under_the_panel(shop: ft.studio.Studio) -> None:
    client = ft.Client(shop.api_key, shop.url, progress=False)
    panel = opened(client)
    client.close()
    panel.buttons["Refresh"].click()
    assert "closed" in panel.trouble.text
    with pytest.raises(errors.FinetuningError, match="closed"):
        LibraryPanel(client)


def test_playlists_side_by_side(shopper: ft.Client, make: Make) -> None:
    private, public = make(2), make(2, public=True)
    left, right = shopper.studio.create_playlist("Left"), shopper.studio.create_playlist("Right", public=True)
    shopper.add_tracks(left, [*private, *public])
    panel = opened(shopper)
    pair = panel.pair
    pair.buttons["left", Verb.MOVE].click()
    assert "No track is chosen on the left" in panel.trouble.text
    pair.left.picker.value = left
    settled(panel)
    assert pair.left.table.order == [*private, *public]
    assert "private · 4 tracks · 20s" in pair.left.about.value
    pair.left.table.choose([private[0], public[0]])
    pair.buttons["left", Verb.MOVE].click()
    assert "No playlist is chosen on the right" in panel.trouble.text
    pair.right.picker.value = left
    settled(panel)
    pair.buttons["left", Verb.MOVE].click()
    assert "same playlist is on both sides" in panel.trouble.text
    pair.right.picker.value = right
    settled(panel)
    pair.buttons["left", Verb.MOVE].click()
    settled(panel)
    assert "2 tracks: 1 will be moved from “Left” to “Right”, 1 will be refused: private into public" in said(panel)
    assert "Move between playlists: “Left” → “Right”" in panel.desk._head.value
    panel.select(private)  # the library's selection is another matter
    assert "2 tracks: 1 will be moved" in said(panel)
    act(panel)
    assert pair.right.table.order == [public[0]]
    assert pair.left.table.order == [*private, public[1]]
    assert pair.left.table.chosen == [private[0]]
    assert "public · 1 track · 5s" in pair.right.about.value
    pair.right.table.choose([public[0]])
    pair.buttons["right", Verb.ADD].click()
    settled(panel)
    act(panel)
    assert pair.left.table.order == [*private, public[1], public[0]]
    pair.buttons["right", Verb.REMOVE].click()
    settled(panel)
    act(panel)
    assert pair.right.table.order == []
    pair.right.picker.value = ""
    assert pair.right.about.value == ""
    panel.select([public[1]])
    panel.propose("delete")
    panel.desk.typed.value = "1"
    act(panel)
    assert pair.left.table.order == [*private, public[0]]


def test_what_only_the_studio_can_do(shopper: ft.Client, make: Make) -> None:
    ids = make(2)
    panel = opened(shopper)
    panel.select(ids)
    panel.buttons["Make public…"].click()
    act(panel)
    assert panel.frame["is_public"].all()
    panel.desk.undo.click()
    settled(panel)
    act(panel)
    assert not shopper.generations(limit=None)["is_public"].any()
    maker = panel.maker
    maker.make.click()
    assert "needs a name" in panel.trouble.text
    maker.name.value = HOSTILE
    maker.public.value = True
    maker.make.click()
    settled(panel)
    made = shopper.playlists().iloc[0]
    assert (made["name"], made["is_public"], maker.name.value) == (HOSTILE, True, "")
    assert made["id"] in dict(panel.desk.target.options).values()


def test_with_the_hosted_service_that_is_only_said(shopper: ft.Client, shop: ft.studio.Studio, make: Make) -> None:
    ids = make(1)
    with ft.Client(shop.api_key, shop.url, progress=False) as hosted:
        panel = opened(hosted)
        assert "Make public…" not in panel.buttons
        assert "web application" in panel.maker.children[0].value
        panel.propose("publish", ids)
        act(panel)
        assert "never changes who may see a track" in panel.trouble.text


def test_downloads_say_what_became_of_each(client: ft.Client, tmp_path: Path) -> None:
    done = client.generate("slow piano", duration=5, seed=3)
    with client.studio._store.write() as connection:  # one that no worker may take
        connection.execute("UPDATE generations SET title = '../up' WHERE id = ?", (done.id,))
    lost = client.generate("slow piano", duration=5, wait=False)
    client.studio.wait_idle(120)  # what other tests began would fail instead
    client.studio.fail_renders("no strings left")
    failed = client.generate("slow piano", duration=5, wait=False)
    for each in (lost, failed):
        try:
            client.wait(each)
        except errors.GenerationError:
            continue
    panel = opened(client, limit=3)
    panel.select([done.id, failed.id, lost.id])
    panel.propose("download")
    panel.desk.folder.value = str(tmp_path / "takes")
    settled(panel)
    assert "2 will be downloaded" in said(panel)
    assert "1 will be refused: failed, so there is no audio" in said(panel)
    act(panel)
    outcome = panel.outcome
    assert outcome is not None
    assert outcome.summary == "Downloaded 2 of 3 track(s)"
    assert len(list((tmp_path / "takes").iterdir())) == 2
    assert list(outcome.refused.values()) == ["failed, so there is no audio"]
    assert panel.desk.undo not in panel.desk._foot.children
    panel.propose("download")
    settled(panel)
    assert "2 cannot be told from here: a file of that name is there" in said(panel)
    next((tmp_path / "takes").iterdir()).write_bytes(b"other")
    act(panel)
    again = panel.outcome
    assert again is not None
    assert len(again.succeeded) == 1
    assert any("is there already, with 5 bytes" in reason for reason in again.refused.values())
    panel.desk.folder.value = ""
    panel.propose("download")
    assert panel.desk.intent is not None
    assert panel.desk.intent.folder == Path()


def test_playing_shows_a_deck_whose_ratings_come_back(shopper: ft.Client, make: Make) -> None:
    ids = make(3)
    panel = opened(shopper)
    panel.buttons["▶ Play"].click()
    assert "No track is chosen" in panel.trouble.text
    panel.select(ids[:2])
    panel.buttons["▶ Play"].click()
    first = panel.deck
    assert first is not None
    assert sorted(first.frame["id"]) == sorted(ids[:2])
    assert panel._listening.children == (first,)
    assert first.begin
    heard = threading.Event()
    first.on_change(lambda _: heard.set())
    first._handle_custom_msg({"type": "rate", "keys": [ids[0]], "rating": 4, "seq": 1}, [])
    assert heard.wait(PATIENCE)
    assert panel.frame.set_index("id")["rating"].to_dict()[ids[0]] == 4
    heard.clear()
    first._handle_custom_msg({"type": "rate", "keys": [ids[0]], "rating": 0, "seq": 2}, [])
    assert heard.wait(PATIENCE)
    assert panel.frame["rating"].isna().all()
    panel.table._handle_custom_msg({"type": "open", "id": ids[2]}, [])
    assert panel.deck is not None
    assert panel.deck is not first
    assert list(panel.deck.frame["id"]) == [ids[2]]


def test_refresh_brings_what_is_new_and_reading_can_be_stopped(shopper: ft.Client, make: Make) -> None:
    make(120)
    panel = opened(shopper, limit=None)
    panel.select(panel.frame)
    assert panel.desk.target.options == (("None yet: see the tab Playlists", ""),)
    new = make(1)
    playlist = shopper.studio.create_playlist("Late")
    panel.buttons["Refresh"].click()
    settled(panel)
    assert [value for _, value in panel.desk.target.options] == ["", playlist]
    assert panel.frame["id"][0] == new[0]
    assert len(panel.selected) == 120

    def stop(change: dict[str, Any]) -> None:
        if change["new"] == 99:
            panel.reload()  # while one reading is under way there is no other
            panel.buttons["Stop reading"].click()

    panel.head.progress.value = 0
    panel.head.progress.observe(stop, "value")
    panel.buttons["Reload"].click()
    settled(panel)
    assert len(panel.frame) == 121  # what was known stays
    assert panel.trouble.text == ""
    assert panel.buttons["Stop reading"].layout.display == "none"


def test_a_program_is_refused_what_a_person_could_not_do(shopper: ft.Client, make: Make) -> None:
    make(1)
    panel = opened(shopper)
    with pytest.raises(errors.ParameterError, match="not in the table"):
        panel.select(["11111111-1111-4111-8111-111111111111"])
    panel.select(panel.frame)
    panel.select(None)
    assert panel.selected.empty
    with pytest.raises(ValueError, match="burn"):
        panel.propose("burn")
    with pytest.raises(errors.ParameterError, match="limit=0"):
        LibraryPanel(shopper, limit=0)
    with pytest.raises(TypeError, match="colour"):
        LibraryPanel(shopper, colour="red")  # type: ignore[call-arg]
    with pytest.raises(errors.ParameterError, match="drawn by 'excel'") as refused:
        LibraryPanel(shopper, table="excel")  # type: ignore[arg-type]
    assert refused.value.hint == "Choose one of auto, itables, own."


def test_a_saved_notebook_has_a_short_table_and_no_rows_in_its_state(shopper: ft.Client, make: Make) -> None:
    make(150)
    with shopper.studio._store.write() as connection:
        connection.execute("UPDATE generations SET title = ?", (HOSTILE,))
    shopper.studio.create_playlist(HOSTILE)
    panel = opened(shopper)
    bundle, _ = panel._repr_mimebundle_()
    text = bundle["text/html"]
    assert "<img" not in text
    assert "<script" not in text
    assert "… and 140 more" in text
    assert len(text) < 12_000
    panel.select(panel.frame)
    panel.propose("add")
    panel.desk.target.value = panel.desk.target.options[1][1]
    settled(panel)
    act(panel)
    state = {}
    for widget in _widgets(panel):
        if isinstance(widget, ipywidgets.HTML):
            assert "<img" not in widget.value
            assert "<script" not in widget.value
        values = {name: value for name, value in widget.get_state().items() if name not in ("_esm", "_css")}
        state[widget.model_id] = values
    assert len(str(state)) < 80_000
    assert str(state).count("onerror") < 40  # the names of playlists in menus, a few titles of a difference


def test_it_is_shown_as_a_table_that_is_kept_up_to_date(shopper: ft.Client, make: Make) -> None:
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    make(2)
    with capture_output() as shown:
        panel = LibraryPanel(shopper, table="own")
        panel._ipython_display_()
        settled(panel)
        make(1)
        panel.refresh()
        settled(panel)
    assert shell is InteractiveShell.instance()
    tables = [output.data["text/html"] for output in shown.outputs if "text/html" in output.data]
    assert "2 tracks in the library" in tables[0]
    assert "3 tracks in the library" in tables[-1]
    assert panel._stand_in in tables[-1]
    assert panel.table.stand_in == panel._stand_in


def test_a_batch_that_is_declined_later_keeps_what_was_done(shopper: ft.Client) -> None:
    ids = [str(number) for number in range(250)]

    async def send(batch: Any) -> ft.BulkOutcome:
        if batch[0] == "100":
            raise errors.ServiceError("Down.", status=500, code="INTERNAL_ERROR")
        return ft.BulkOutcome("Added", list(batch), succeeded=list(batch))

    outcome = shopper.call(send_all("Added", ids, send, stop=Stop(), progress=lambda *_: None))
    assert (len(outcome.succeeded), len(outcome.not_attempted)) == (100, 150)
    assert outcome.error is not None
    assert outcome.error.message == "Down."


def _widgets(root: Any) -> Iterator[Any]:
    yield root
    for child in getattr(root, "children", ()):
        yield from _widgets(child)
