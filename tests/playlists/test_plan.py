"""A plan says what the service then does, moves nothing before, and accounts for every id."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pandas as pd
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

import finetuning as ft
from finetuning import errors
from finetuning.playlists import Plan, Plans, PlaylistChangedError, plan
from finetuning.playlists.carrying import changed_since
from finetuning.playlists.fates import Knowledge, Steps, in_order, judge, steps
from finetuning.records import Generation, Playlist

from .conftest import NOBODYS, World


def ids(frame: pd.DataFrame) -> list[str]:
    assert list(frame.columns) == ["id", "title", "reason"]
    assert set(map(str, frame.dtypes)) == {"str"}
    return list(frame["id"])


def test_it_moves_nothing_until_it_is_applied(world: World) -> None:
    name = world.playlist(world.takes[0])
    planned = plan(world.client, name.upper(), world.takes[:3])
    assert ids(planned.add) == world.takes[1:3]
    assert ids(planned.keep) == world.takes[:1]
    assert ids(planned.remove) == ids(planned.refused) == []
    assert planned.summary == (
        f"“{name}” (private, 1 track(s)): 2 to add, 0 to remove, 1 kept, 0 refused; 2 request(s)"
    )
    assert ".apply() does it" in repr(planned)
    assert world.held(name) == world.takes[:1]
    done = planned.apply()
    assert world.held(name) == world.takes[:3]
    assert (done.added, done.removed, done.refused) == (world.takes[1:3], [], {})
    assert repr(done) == done.summary == f"“{name}”: 2 added"
    assert "Done: " in repr(planned)


def test_applying_twice_changes_nothing_more_and_reports_every_id_again(world: World) -> None:
    name = world.playlist(*world.takes[:2])
    planned = plan(world.client, name, world.takes[1:4], exact=True)
    first, second = planned.apply(), planned.apply()
    assert sorted(first.succeeded) == sorted(second.succeeded) == sorted([world.takes[0], *world.takes[2:4]])
    assert sorted(second.already) == sorted(second.requested)
    assert second.summary == f"“{name}”: 3 so already"
    assert world.held(name) == world.takes[1:4]
    assert plan(world.client, name, world.takes[1:4], exact=True).empty


@pytest.mark.parametrize("public", [True, False])
def test_refusals_say_why_and_are_those_of_the_service(world: World, public: bool) -> None:
    name = world.playlist(public=public)
    stranger = world.client.playlist(world.studio.house.playlist).tracks
    wanted = [*world.takes[:2], world.failed, NOBODYS, ".."]
    planned = plan(world.client, name, wanted)
    reasons = dict(zip(planned.refused["id"], planned.refused["reason"], strict=True))
    assert reasons.pop(world.failed).startswith("failed")
    assert reasons.pop(NOBODYS).startswith("not in the library")
    assert "'..'" in reasons.pop("..")
    if public:
        assert list(reasons) == [world.takes[1]]
        assert reasons[world.takes[1]].startswith("private track into a public playlist")
        assert world.client.add_tracks(name, world.takes[1]).refused == {
            world.takes[1]: "Cannot add private track to public playlist"
        }
    else:
        assert reasons == {}
    strangers = plan(world.client, name, stranger.head(1))
    assert ids(strangers.add) == (list(stranger["id"][:1]) if public else [])
    assert ("not certain" in repr(strangers)) is public
    assert list(strangers.add.title) == (list(stranger["title"][:1]) if public else [])
    assert strangers.apply().refused == {}
    assert len(world.held(name)) == int(public)


def test_rules_are_given_the_whole_library(world: World) -> None:
    name = world.playlist()
    slow = [take for take, bpm in zip(world.takes, (80, 90, 100, 120, 84, 88, 96, 110), strict=True) if bpm < 90]
    by_mask = plan(world.client, name, lambda library: library.bpm.lt(90) & library.status.eq("completed"))
    by_rows = plan(world.client, name, lambda library: library[(library.bpm < 90) & (library.status == "completed")])
    assert set(ids(by_mask.add)) == set(ids(by_rows.add)) == set(slow)
    nothing = plan(world.client, name, lambda library: library[library.bpm > 1000])
    assert nothing.empty
    assert nothing.requests == 0
    assert "nothing to do" in repr(nothing)
    assert nothing.apply().summary == f"“{name}”: nothing to change"
    with pytest.raises(errors.SelectionError, match="mask of 2 rows"):
        plan(world.client, name, lambda _: pd.Series([True, False]))
    with pytest.raises(errors.SelectionError, match="returned nothing"):
        plan(world.client, name, lambda _: None)


def test_repeated_rows_and_empty_selections_are_told(world: World, frame: pd.DataFrame) -> None:
    name = world.playlist(world.takes[0])
    rows = frame[frame.id.isin(world.takes[:2])]
    planned = plan(world.client, name, pd.concat([rows, rows]))
    assert "2 row(s) of the selection repeat a track" in repr(planned)
    assert ids(plan(world.client, name, frame.iloc[:0], exact=True).remove) == world.takes[:1]
    assert plan(world.client, name, []).empty
    with pytest.raises(errors.SelectionError):
        plan(world.client, name, frame[["title"]])


def test_order_costs_taking_out_and_adding_again(world: World) -> None:
    name = world.playlist(*world.takes[:4])
    wanted = [world.takes[0], *world.takes[3:0:-1], world.takes[4]]
    without = plan(world.client, name, wanted, exact=True)
    assert not without.ordered
    assert "With order=True 2 track(s) are taken out and added again: 3 request(s)" in repr(without)
    ordering = plan(world.client, name, wanted, exact=True, order=True)
    assert ordering.ordered
    assert ordering.requests == 3
    assert "put in order" in ordering.summary
    assert list(ordering.keep["reason"]).count("taken out and added again, for the order") == 2
    done = ordering.apply()
    assert world.held(name) == wanted
    assert done.reordered
    assert done.added == [world.takes[4]]
    back = plan(world.client, name, ordering.before, exact=True, order=True)
    back.apply()
    assert world.held(name) == world.takes[:4]


def test_undo_takes_back_what_it_did_and_only_that(world: World) -> None:
    name = world.playlist(*world.takes[:3])
    planned = plan(world.client, name, [world.takes[0], world.takes[5]], exact=True)
    with pytest.raises(errors.UsageError, match="nothing to take back"):
        planned.undo()
    planned.apply()
    world.client.add_tracks(name, world.takes[6])  # somebody else's wish, which stays
    done = planned.undo()
    assert set(world.held(name)) == {*world.takes[:3], world.takes[6]}
    assert done.added == world.takes[1:3]
    assert done.removed == [world.takes[5]]
    with pytest.raises(errors.UsageError):
        planned.undo()


def test_a_playlist_that_changed_since_is_not_touched_unless_told(world: World) -> None:
    name = world.playlist(*world.takes[:2])
    planned = plan(world.client, name, world.takes[1:3], exact=True)
    world.client.add_tracks(name, world.takes[5])
    world.client.remove_tracks(name, world.takes[1])
    with pytest.raises(PlaylistChangedError, match=r"1 track\(s\) came, 1 track\(s\) went") as caught:
        planned.apply()
    assert (caught.value.came, caught.value.went) == ([world.takes[5]], [world.takes[1]])
    assert world.held(name) == [world.takes[0], world.takes[5]]
    planned.apply(anyway=True)
    assert set(world.held(name)) == set(world.takes[1:3])


def test_that_it_changed_can_be_caught_by_either_name() -> None:
    assert ft.playlists.PlaylistChangedError is ft.errors.PlaylistChangedError


def test_what_the_plan_itself_did_is_no_change_in_its_way(world: World) -> None:
    name = world.playlist(world.takes[0])
    planned = plan(world.client, name, world.takes[1:4], exact=True)
    world.client.add_tracks(name, world.takes[2])  # as if it had been stopped part-way
    done = planned.apply()
    assert done.already == [world.takes[2]]
    assert set(world.held(name)) == set(world.takes[1:4])


def test_an_order_that_changed_is_noticed_where_order_is_wanted(world: World) -> None:
    name = world.playlist(*world.takes[:4])
    planned = plan(world.client, name, [*world.takes[:2], world.takes[3], world.takes[2]], order=True)
    world.client.remove_tracks(name, world.takes[0])
    world.client.add_tracks(name, world.takes[0])
    with pytest.raises(PlaylistChangedError, match="its order is another"):
        planned.apply()


def test_playlists_that_are_not_there_are_said_to_be_made_elsewhere(world: World) -> None:
    name = world.playlist()
    with pytest.raises(errors.PlaylistNotFoundError) as caught:
        plan(world.client, name + "x", world.takes)
    assert repr(name) in str(caught.value)
    assert "client.studio.create_playlist" in str(caught.value)
    with pytest.raises(errors.PlaylistNotFoundError, match="create_playlist"):
        plan(world.client, NOBODYS, world.takes)
    with pytest.raises(errors.ParameterError, match="another user's"):
        plan(world.client, world.studio.house.playlist, world.takes)


def test_arguments_that_make_no_sense_are_refused(world: World) -> None:
    name = world.playlist()
    with pytest.raises(errors.ParameterError, match="not a blocking client"):
        plan(name, world.takes)  # type: ignore[call-overload]
    with pytest.raises(errors.ParameterError, match="beside a dictionary"):
        plan(world.client, {name: world.takes}, world.takes)
    with pytest.raises(errors.ParameterError, match="several"):
        plan(world.client, name, world.takes, move=True)  # type: ignore[call-overload]
    with pytest.raises(errors.ParameterError, match="No tracks"):
        plan(world.client, name)  # type: ignore[call-overload]
    with pytest.raises(errors.ParameterError, match="No playlists"):
        plan(world.client, {})
    with pytest.raises(errors.ParameterError, match="given twice"):
        plan(world.client, {name: world.takes, name.upper(): world.takes})


def test_several_playlists_are_planned_and_done_together(world: World) -> None:
    one, two = world.playlist(*world.takes[:3]), world.playlist(world.takes[4])
    planned = plan(world.client, {one: world.takes[0], two: world.takes[2:4]}, move=True)
    assert isinstance(planned, Plans)
    assert [each.name for each in planned] == [one, two]
    assert isinstance(planned[one], Plan)
    assert isinstance(planned[0], Plan)
    with pytest.raises(KeyError):
        planned["another"]
    assert list(planned.remove.itertuples(index=False, name=None)) == [
        (one, world.takes[2], planned.remove["title"][0], f"moves to “{two}”")
    ]
    assert list(planned.add["reason"]) == [f"moves from “{one}”", ""]
    assert len(planned.keep) == 3
    assert planned.refused.empty
    assert planned.requests == 4
    assert not planned.empty
    assert len(planned) == 2
    assert two in planned.summary
    done = planned.apply()
    assert world.held(one) == world.takes[:2]
    assert world.held(two) == [world.takes[4], *world.takes[2:4]]
    assert done.failed.empty
    assert done.summary == repr(done) == f"“{one}”: 1 removed\n“{two}”: 2 added"
    done.raise_for_failed()
    planned.undo()
    assert (set(world.held(one)), world.held(two)) == (set(world.takes[:3]), [world.takes[4]])
    with pytest.raises(errors.UsageError):
        planned.undo()
    assert planned._repr_html_().count("<details") >= 4
    assert done._repr_html_().startswith("<div>")


def test_a_track_leaves_only_when_it_has_arrived(world: World) -> None:
    take = world.takes[6]
    one, two = world.playlist(take), world.playlist(public=True)
    planned = plan(world.client, {one: [], two: [take]}, move=True)
    world.studio.set_public(take, False)  # in between, so that the service refuses it
    try:
        done = planned.apply()
    finally:
        world.studio.set_public(take, True)
    assert world.held(one) == [take]
    assert done[one].refused == {take: "stays here, since it could not be added where it goes"}
    assert "Cannot add private track" in done[two].refused[take]
    assert list(done.failed["playlist"]) == [one, two]
    with pytest.raises(errors.FinetuningError):
        done.raise_for_failed()


def test_an_exact_playlist_gives_its_tracks_to_others_that_want_them(world: World) -> None:
    one, two = world.playlist(*world.takes[:2]), world.playlist()
    planned = plan(world.client, {one: world.takes[0], two: world.takes[1]}, exact=True)
    assert list(planned.remove["reason"]) == [f"moves to “{two}”"]
    both = plan(world.client, {one: world.takes[:2], two: world.takes[:2]})
    assert both.remove.empty
    both.apply()
    assert world.held(one) == world.held(two) == world.takes[:2]


KEY, URL = "ft_live_" + "0123456789abcdef" * 2, "https://pub.finetuning.ai"
SHELF = "/v1/playlists/pl_one"


class Wire:
    """A service that holds one playlist and a library of four, and of whose verbs one is out of order."""

    def __init__(self, router: respx.Router, held: list[str], broken: str) -> None:
        self.held, self.broken, self.calls = list(held), broken, [""]
        router.get(SHELF).mock(side_effect=self._read)
        router.get("/v1/generations").mock(side_effect=self._library)
        router.get(url__regex=r"/v1/generations/\w+$").mock(side_effect=self._one)
        router.post(url__regex=r"/v1/playlists/pl_one/").mock(side_effect=self._change)

    def _read(self, _: httpx.Request) -> httpx.Response:
        tracks = [self._track(id_) for id_ in self.held]
        data = {"id": "pl_one", "name": "One", "isPublic": False, "isOwner": True, "trackCount": len(tracks) + 1}
        return httpx.Response(200, json={"data": data | {"tracks": tracks}})

    def _library(self, _: httpx.Request) -> httpx.Response:
        rows = [self._track(id_) for id_ in "abcd"]
        return httpx.Response(200, json={"data": {"generations": rows, "hasMore": False}})

    def _one(self, request: httpx.Request) -> httpx.Response:
        id_ = request.url.path.rpartition("/")[2]
        if id_ == "forbidden":
            return httpx.Response(403, json={"error": {"code": "PRO_PLAN_REQUIRED", "message": "no"}})
        return httpx.Response(200, json={"data": self._track(id_)})

    def _track(self, id_: str) -> dict[str, str]:
        return {"id": id_, "title": id_.upper(), "status": "completed"}

    def _change(self, request: httpx.Request) -> httpx.Response:
        ids = json.loads(request.content)["trackIds"]
        verb = "removed" if request.url.path.endswith("bulk-remove") else "added"
        self.calls.append(verb)
        if verb == self.broken:
            error = {"code": "VALIDATION_ERROR", "message": "it broke"}
            return httpx.Response(400, json={"error": error})
        self.held = [id_ for id_ in self.held if id_ not in ids] + (ids if verb == "added" else [])
        return httpx.Response(200, json={"data": {verb: ids}})


@pytest.fixture
def wired() -> Iterator[tuple[ft.Client, Callable[[str, str], Wire]]]:
    with respx.mock(base_url=URL, assert_all_called=False) as router, ft.Client(KEY, URL, progress=False) as client:
        yield client, lambda held, broken: Wire(router, list(held), broken)


def test_a_service_that_fails_part_way_is_accounted_for_and_gone_on_with(wired: Any) -> None:
    client, make = wired
    wire = make("ab", "removed")
    planned = plan(client, "pl_one", ["c", "d"], exact=True)
    assert "The service shows 2 of its 3 tracks" in repr(planned)
    with pytest.warns(errors.PartialWarning, match="Stopped by: it broke") as caught:
        done = planned.apply()
    assert caught[0].message.outcome is done  # type: ignore[union-attr]
    assert wire.calls == ["", "added", "removed"]
    assert (done.succeeded, done.refused, done.not_attempted) == (["c", "d"], {}, ["a", "b"])
    wire.broken = ""
    assert planned.apply().removed == ["a", "b"]
    assert wire.held == ["c", "d"]


def test_what_was_taken_out_for_the_order_and_not_added_again_is_named(wired: Any) -> None:
    client, make = wired
    wire = make("abc", "added")
    planned = plan(client, "pl_one", ["c", "b", "a"], order=True)
    with pytest.warns(errors.PartialWarning):
        done = planned.apply()
    assert done.refused == dict.fromkeys("ba", "taken out, and not added again: it broke")
    assert wire.held == ["c"]
    wire.broken = ""
    assert planned.apply().added == ["b", "a"]
    assert wire.held == ["c", "b", "a"]


def test_a_first_request_that_is_declined_is_raised(wired: Any) -> None:
    client, make = wired
    make("a", "added")
    planned = plan(client, "pl_one", ["b", "c"])
    with pytest.raises(errors.InvalidRequestError, match="it broke"):  # declined as a whole: nothing was changed
        planned.apply()
    assert ".apply() does it" in repr(planned)


def test_a_library_that_cannot_be_read_is_not_taken_for_one_without_the_track(wired: Any) -> None:
    client, make = wired
    make("", "")
    assert plan(client, "pl_one", ["a", "zz"]).refused.empty
    with pytest.raises(errors.PlanRequiredError):
        plan(client, "pl_one", ["forbidden"])


def test_it_shows_hostile_titles_as_text(world: World) -> None:
    name = "<img src=x onerror=alert(1)>"
    world.studio.create_playlist(name)
    shown = plan(world.client, name, [*world.takes[:2], "<script>"])._repr_html_()
    assert "<img" not in shown
    assert "<script" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert shown.count("<tr") == 3


def test_long_plans_are_cut_in_html_and_say_so() -> None:
    from finetuning.playlists.showing import plan_html

    many = pd.DataFrame({"id": [f"t{n}" for n in range(130)], "title": "T", "reason": ""})
    none = many.iloc[:0]
    shown = plan_html("s", [], {"refused": none, "add": many, "remove": none, "keep": none}, "e")
    assert "… and 30 more: .add" in shown
    assert shown.count("<tr") == 100


def test_what_records_alone_say(world: World) -> None:
    take = Generation(id="x", status="completed", is_public=True)
    public, private = (Playlist(id="p", is_public=shown, tracks=[]) for shown in (True, False))
    known = Knowledge({}, {"x": take})
    assert judge(["x"], public, known).accepted == ["x"]
    assert judge(["x"], private, known).refused == {"x": "another user's track into a private playlist"}
    waiting = Knowledge({"x": Generation(id="x", status="processing")})
    assert judge(["x"], private, waiting).refused == {"x": "not completed yet"}
    unseen = judge(["x"], public, Knowledge({"x": Generation(id="x", status="completed")}))
    assert unseen.accepted == ["x"]
    assert unseen.doubts == {"x": "whether it is public is not known"}


def test_the_package_names_what_it_has() -> None:
    assert "plan" in dir(ft.playlists)
    assert all(hasattr(ft.playlists, name) for name in dir(ft.playlists))
    with pytest.raises(AttributeError, match="nothing"):
        _ = ft.playlists.nothing


def test_a_playlist_that_was_published_since_has_changed() -> None:
    before, after = (Playlist(id="p", name="P", is_public=shown, tracks=[]) for shown in (False, True))
    problem = changed_since(before, after, Steps([], [], [], [], []), order=False)
    assert problem is not None
    assert "it is public now" in problem.message


def test_a_playlist_that_was_deleted_since_is_not_found(world: World) -> None:
    id_ = world.studio.create_playlist("Deleted")
    planned = plan(world.client, id_, world.takes[:2])
    world.studio.delete_playlist(id_)
    with pytest.raises(errors.NotFoundError):
        planned.apply()
    with pytest.raises(errors.SelectionError):
        plan(world.client, world.playlist(), "")


LETTERS = st.lists(st.sampled_from("abcdefghij"), unique=True)


@given(
    inside=LETTERS, wanted=LETTERS, exact=st.booleans(), order=st.booleans(), leaving=st.sets(st.sampled_from("abc"))
)
def test_steps_lead_where_they_should(
    inside: list[str], wanted: list[str], exact: bool, order: bool, leaving: set[str]
) -> None:
    todo = steps(inside, wanted, exact=exact, order=order, leaving=leaving)
    assert sorted([*todo.add, *todo.again, *todo.remove, *todo.keep]) == sorted({*inside, *wanted})
    after = after_doing(inside, todo)
    assert set(wanted) <= set(after)
    assert in_order(wanted, todo) == ([each for each in after if each in wanted] == wanted)
    if order:
        assert in_order(wanted, todo)
    if exact:
        assert set(after) == set(wanted)
    assert not steps(after, wanted, exact=exact, order=order, leaving=leaving)


def after_doing(inside: list[str], todo: Steps) -> list[str]:
    return [each for each in inside if each in todo.keep] + todo.arriving


PLACES = st.lists(st.integers(0, 9), max_size=8, unique=True)


@settings(max_examples=25)
@given(held=PLACES, wanted=PLACES, public=st.booleans(), exact=st.booleans(), order=st.booleans())
def test_what_is_planned_is_what_the_service_does(
    world: World, held: list[int], wanted: list[int], public: bool, exact: bool, order: bool
) -> None:
    everything = [*world.takes, world.failed, NOBODYS]
    allowed = [world.takes[place] for place in held if place < 8 and not (public and place % 2)]
    name = world.playlist(*allowed, public=public)
    wish = [everything[place] for place in wanted]
    planned = plan(world.client, name, wish, exact=exact, order=order)
    parts = [*ids(planned.add), *ids(planned.keep), *ids(planned.refused)]
    assert sorted([*parts, *ids(planned.remove)]) == sorted({*allowed, *wish})
    done = planned.apply()
    assert done.refused == {}
    assert not done.not_attempted
    assert sorted(done.succeeded) == sorted(done.requested)
    now = world.held(name)
    assert set(now) == {*ids(planned.keep), *ids(planned.add)}
    if order:
        assert [each for each in now if each in wish] == [each for each in wish if each in now]
    assert plan(world.client, name, wish, exact=exact, order=order).empty
    if not planned.empty and (done.added or done.removed):
        planned.undo()
        assert set(world.held(name)) == set(allowed)
