"""Bulk requests whose answers are lost: repeated in bounds, visibly, and accounted for truthfully."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import httpx
import hypothesis.strategies as st
import pytest
import respx
from hypothesis import HealthCheck, given, settings

import finetuning as ft
from finetuning import errors
from finetuning.bulk import BulkOutcome

KEY = "ft_live_" + "0123456789abcdef" * 2
URL = "https://pub.finetuning.ai"
SOURCE, TARGET = "pl_source", "pl_target"
ALREADY, NOT_FOUND = "Track already in playlist", "Track not found"
NOT_IN = "Track not found in playlist or not authorized"
NOT_OWNED = "Track not found or not owned by you"
LOST = httpx.ReadError("reset")

Verb = Callable[[ft.AsyncClient, list[str]], Awaitable[BulkOutcome]]
VERBS: dict[str, tuple[str, Verb]] = {
    "added": (f"/v1/playlists/{SOURCE}/tracks", lambda client, ids: client.add_tracks(SOURCE, ids)),
    "removed": (f"/v1/playlists/{SOURCE}/tracks/bulk-remove", lambda client, ids: client.remove_tracks(SOURCE, ids)),
    "moved": (f"/v1/playlists/{SOURCE}/tracks/move", lambda client, ids: client.move_tracks(SOURCE, TARGET, ids)),
    "deleted": ("/v1/generations/bulk-delete", lambda client, ids: client.delete_tracks(ids, yes=True)),
}


# On the wire


@dataclass
class Wire:
    """A service that answers a bulk verb, and reads of its playlists, as scripted.

    The last answer of the verb is repeated for ever. `shelves` holds what each playlist's read is answered with: ids,
    an exception, or a response.
    """

    verb: str
    clock: Any
    answers: list[Any]
    shelves: dict[str, Any] = field(default_factory=dict)
    policy: ft.Policy = field(default_factory=ft.Policy)
    waits: list[tuple[str, float]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def __call__(self, *ids: str) -> BulkOutcome:
        path, verb = VERBS[self.verb]

        async def run() -> BulkOutcome:
            told = lambda reason, seconds: self.waits.append((reason, seconds))  # noqa: E731 - one line is enough
            async with ft.AsyncClient(KEY, URL, policy=self.policy, clock=self.clock, on_wait=told) as client:
                return await verb(client, list(ids))

        # A verb whose answers tell everything reads nothing.
        with respx.mock(base_url=URL, assert_all_called=False) as router:
            router.post(path).mock(side_effect=self._post)
            router.get(url__regex=r"/v1/playlists/\w+$").mock(side_effect=self._get)
            return asyncio.run(run())

    def _post(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        return self._give(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def _get(self, request: httpx.Request) -> httpx.Response:
        playlist = request.url.path.rpartition("/")[2]
        self.reads.append(playlist)
        shown = self.shelves[playlist]
        if isinstance(shown, list):
            shown = {
                "id": playlist,
                "isOwner": True,
                "trackCount": len(shown),
                "tracks": [{"id": id_} for id_ in shown],
            }
        return self._give(shown)

    def _give(self, answer: Any) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json={"data": answer})


@pytest.fixture
def wire(clock: Any) -> Callable[..., Wire]:
    return lambda verb, *answers, **options: Wire(verb, clock, list(answers), **options)


def refusals(verb: str, **reasons: str) -> list[dict[str, str]]:
    return [{"id" if verb == "deleted" else "trackId": id_, "error": reason} for id_, reason in reasons.items()]


def answer(verb: str, *done: str, **reasons: str) -> Any:
    """What the service answers: which ids it changed, and why not the others."""
    if done or verb in ("removed", "deleted"):
        return {verb: list(done), "errors": refusals(verb, **reasons)}
    code = {"added": "ADD_FAILED", "moved": "MOVE_FAILED"}[verb]
    return declined(400, code, refusals(verb, **reasons))


def declined(status: int, code: str, details: Any = None, **headers: str) -> httpx.Response:
    error = {"code": code, "message": "No.", "details": details}
    return httpx.Response(status, json={"error": error}, headers=headers)


# The verb, what the repetition says of the ids, what the playlists hold then, what counts as done, what does not.
REPEATED: dict[str, tuple[str, dict[str, str], dict[str, Any], list[str], dict[str, str]]] = {
    "added before the answer was lost": ("added", {"a": ALREADY, "b": ALREADY}, {}, ["a", "b"], {}),
    "not to be added at all": (
        "added", {"a": ALREADY, "b": NOT_FOUND, "c": "Cannot add private track to public playlist"}, {},
        ["a"], {"b": NOT_FOUND, "c": "Cannot add private track to public playlist"},
    ),
    "added, or not, in words that nobody knows": (
        "added", {"a": "It is there.", "b": "Not with you."}, {SOURCE: ["x", "a"]}, ["a"], {"b": "Not with you."},
    ),
    "removed before": ("removed", {"a": NOT_IN, "b": NOT_IN}, {SOURCE: ["b"]}, ["a"], {"b": NOT_IN}),
    "removed from somebody else's playlist": (
        "removed", {"a": NOT_IN}, {SOURCE: {"id": SOURCE, "isOwner": False, "tracks": []}}, [], {"a": NOT_IN},
    ),
    "removed from a playlist that is none": (
        "removed", {"a": NOT_IN}, {SOURCE: declined(404, "NOT_FOUND")}, [], {"a": NOT_IN},
    ),
    "removed from a playlist that shows no tracks": (
        "removed", {"a": NOT_IN}, {SOURCE: {"id": SOURCE, "isOwner": True}}, [],
        {"a": f"unknown, may have been removed: {NOT_IN}"},
    ),
    "removed from a playlist that shows only some": (
        "removed", {"a": NOT_IN, "b": NOT_IN}, {SOURCE: {"id": SOURCE, "trackCount": 2, "tracks": [{"id": "b"}]}}, [],
        {"a": f"unknown, may have been removed: {NOT_IN}", "b": NOT_IN},
    ),
    "removed from a playlist that cannot be read": (
        "removed", {"a": NOT_IN}, {SOURCE: declined(403, "PRO_PLAN_REQUIRED")}, [],
        {"a": f"unknown, may have been removed: {NOT_IN}"},
    ),
    "moved before, or in both, or in neither": (
        "moved", {"a": NOT_FOUND, "b": ALREADY, "c": NOT_FOUND}, {SOURCE: ["b"], TARGET: ["a", "b"]},
        ["a"], {"b": ALREADY, "c": NOT_FOUND},
    ),
    "moved into a playlist that cannot be read": (
        "moved", {"a": NOT_FOUND, "b": ALREADY}, {SOURCE: ["b"], TARGET: declined(403, "PRO_PLAN_REQUIRED")}, [],
        {"a": f"unknown, may have been moved: {NOT_FOUND}", "b": ALREADY},
    ),
    "moved into a playlist that is none": ("moved", {"a": "Playlist not found"}, {}, [], {"a": "Playlist not found"}),
    "deleted before": ("deleted", {"a": NOT_OWNED, "b": NOT_OWNED}, {}, ["a", "b"], {}),
    "deleted, in words that nobody knows": (
        "deleted", {"a": "Locked"}, {}, [], {"a": "unknown, may have been deleted: Locked"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REPEATED)
def test_a_repetition_s_refusals_are_read_as_what_they_mean(wire: Callable[..., Wire], case: str) -> None:
    verb, reasons, shelves, held, refused = REPEATED[case]
    service = wire(verb, LOST, answer(verb, **reasons), shelves=shelves)
    outcome = service(*reasons)
    assert (outcome.succeeded, outcome.inferred, outcome.refused) == (held, held, refused)
    assert (outcome.error, outcome.not_attempted) == (None, [])
    assert len(service.bodies) == 2
    assert service.bodies[0] == service.bodies[1]
    assert service.reads == list(shelves)


@pytest.mark.parametrize("case", REPEATED)
def test_without_a_loss_the_service_s_reasons_stand(wire: Callable[..., Wire], case: str) -> None:
    verb, reasons, *_ = REPEATED[case]
    service = wire(verb, answer(verb, **reasons))
    outcome = service(*reasons)
    assert (outcome.succeeded, outcome.inferred, outcome.refused) == ([], [], reasons)
    assert (len(service.bodies), service.reads, service.waits) == (1, [], [])


@pytest.mark.parametrize("verb", VERBS)
def test_what_the_repetition_does_itself_is_not_inferred(wire: Callable[..., Wire], verb: str) -> None:
    outcome = wire(verb, LOST, answer(verb, "b", "a"))("a", "b")
    assert (outcome.succeeded, outcome.inferred, outcome.refused) == (["a", "b"], [], {})


@pytest.mark.parametrize(
    "loss",
    [
        LOST,
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        declined(500, "INTERNAL_ERROR"),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(200, text='{"data": {"added": ["a"'),
        httpx.DecodingError("no gzip"),
    ],
    ids=lambda loss: type(loss).__name__ if isinstance(loss, Exception) else str(loss.status_code),
)
def test_whatever_leaves_it_open_is_repeated_with_backoff(
    wire: Callable[..., Wire], clock: Any, loss: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "finetuning")
    service = wire("added", loss, loss, loss, answer("added", a=ALREADY))
    outcome = service("a")
    assert outcome.succeeded == ["a"]
    assert [seconds for _, seconds in service.waits] == clock.slept
    assert len(clock.slept) == 3
    for tries, seconds in enumerate(clock.slept):
        assert 0.5 * 2**tries / 2 <= seconds <= 0.5 * 2**tries
    assert all(reason.endswith(f"on POST {VERBS['added'][0]}") for reason, _ in service.waits)
    assert "3 of 3; harmless: a playlist holds a track once" in caplog.text
    assert "Added after a lost answer: 1 of 1 ids found to be so already" in caplog.text
    assert KEY not in caplog.text
    assert repr(outcome) == (
        "Added 1 of 1 track(s)\n  1 × found to be so when the request was repeated after a lost answer"
    )


@pytest.mark.parametrize("loss", [httpx.ConnectError("refused"), declined(401, "INVALID_API_KEY")])
def test_what_did_nothing_is_not_repeated(wire: Callable[..., Wire], loss: Any) -> None:
    service = wire("deleted", loss)
    with pytest.raises((errors.ConnectError, errors.AuthenticationError)):
        service("a")
    assert (len(service.bodies), service.waits) == (1, [])


def test_retries_0_repeats_nothing_and_reads_nothing(wire: Callable[..., Wire]) -> None:
    service = wire("added", LOST, policy=ft.Policy(retries=0))
    outcome = service("a")
    assert list(outcome.refused) == ["a"]
    assert outcome.refused["a"].startswith("unknown, may have been added: The answer to POST")
    assert isinstance(outcome.error, errors.AnswerLostError)
    assert (len(service.bodies), service.reads, service.waits) == (1, [], [])


@pytest.mark.parametrize("verb", VERBS)
def test_a_service_that_never_answers_is_looked_at_once(wire: Callable[..., Wire], verb: str) -> None:
    ids = [f"t{number}" for number in range(150)]
    shelves = {
        "added": {SOURCE: ids[:40]},
        "removed": {SOURCE: ids[40:]},
        "moved": {SOURCE: ids[40:], TARGET: ids[:40]},
        "deleted": {},
    }[verb]
    service = wire(verb, declined(500, "INTERNAL_ERROR"), shelves=shelves)
    outcome = service(*ids)
    assert (len(service.bodies), service.reads) == (4, list(shelves))
    assert isinstance(outcome.error, errors.ServiceError)
    assert outcome.not_attempted == ids[100:]
    if verb == "deleted":  # nothing can be read that would tell
        assert outcome.refused == dict.fromkeys(ids[:100], "unknown, may have been deleted: No.")
    else:
        assert outcome.succeeded == outcome.inferred == ids[:40]
        assert outcome.refused == dict.fromkeys(ids[40:100], f"not {verb} when looked at afterwards: No.")


def test_a_batch_that_is_found_done_though_no_answer_came_goes_on(wire: Callable[..., Wire]) -> None:
    ids = [f"t{number}" for number in range(101)]
    service = wire("added", LOST, LOST, LOST, LOST, answer("added", ids[100]), shelves={SOURCE: ids[:100]})
    outcome = service(*ids)
    assert (outcome.succeeded, outcome.inferred, outcome.error) == (ids, ids[:100], None)


def test_only_the_batch_that_was_repeated_is_read_that_way(wire: Callable[..., Wire]) -> None:
    ids = [f"t{number}" for number in range(300)]
    again = dict.fromkeys(ids, ALREADY)
    parts = [answer("added", **dict(list(again.items())[start : start + 100])) for start in (0, 100, 200)]
    outcome = wire("added", parts[0], LOST, parts[1], parts[2])(*ids)
    assert outcome.succeeded == outcome.inferred == ids[100:200]
    assert outcome.refused == dict.fromkeys(ids[:100] + ids[200:], ALREADY)


def test_a_service_that_cannot_be_reached_after_a_loss_is_tried_again(wire: Callable[..., Wire]) -> None:
    service = wire("added", LOST, httpx.ConnectError("refused"), answer("added", "a"))
    assert service("a").succeeded == ["a"]
    assert [reason.partition(" ")[0] for reason, _ in service.waits] == ["AnswerLostError", "ConnectError"]


def test_a_service_that_stays_away_after_a_loss_leaves_it_open(wire: Callable[..., Wire]) -> None:
    away = httpx.ConnectError("refused")
    service = wire("added", LOST, away, shelves={SOURCE: away})
    outcome = service("a")
    assert outcome.refused["a"].startswith("unknown, may have been added: The answer to POST")
    assert isinstance(outcome.error, errors.AnswerLostError)  # "nothing was sent" would be true of the last try only
    assert len(service.bodies) == 4


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (declined(401, "INVALID_API_KEY"), errors.AuthenticationError),
        (declined(429, "RATE_LIMITED", **{"Retry-After": "600"}), errors.RateLimitError),
    ],
)
def test_a_repetition_that_is_declined_as_a_whole_leaves_it_open(
    wire: Callable[..., Wire], problem: httpx.Response, kind: type[errors.APIError]
) -> None:
    service = wire("removed", LOST, problem, shelves={SOURCE: problem})
    outcome = service("a")
    assert outcome.refused["a"].startswith("unknown, may have been removed: The answer to POST")
    assert isinstance(outcome.error, kind)
    assert outcome.not_attempted == []


# With the studio


class Line:
    """What stands between client and studio, and loses what a script says.

    Attributes
    ----------
    posts, reads
        What becomes of the bulk requests and of the reads of playlists, one after the other; then all goes well.
    lost
        How many requests were not answered properly.
    sent
        How many bulk requests came.
    """

    def __init__(self, host: Any, studio: ft.studio.Studio) -> None:
        self.posts: list[str] = []
        self.reads: list[str] = []
        self.lost = self.sent = 0
        self._host, self._to = host, urlsplit(studio.url).netloc
        self.url: str = host.url
        host.answer = self._answer

    def script(self, posts: list[str], reads: list[str]) -> None:
        self.posts, self.reads, self.lost, self.sent = list(posts), list(reads), 0, 0

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        post = handler.command == "POST"
        script = self.posts if post else self.reads
        self.sent += post
        fate = script.pop(0) if script else "well"
        self.lost += fate != "well"
        if fate == "before":
            handler.close_connection = True
            return
        if fate == "declined":
            error = b'{"error": {"code": "INTERNAL_ERROR", "message": "The service tripped."}}'
            self._host.send(handler, 500, error, content_type="application/json")
            return
        connection = http.client.HTTPConnection(self._to)
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if fate == "after":
            handler.close_connection = True
        elif fate == "gateway":
            self._host.send(handler, 502, b"<h1>Bad gateway</h1>", content_type="text/html")
        elif fate == "cut":
            handler.close_connection = True
            length = str(len(content) + 1)
            self._host.send(handler, answer.status, content, content_length=length, content_type="application/json")
        else:
            self._host.send(handler, answer.status, content, content_type="application/json")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    """A studio that nobody else counts in."""
    with ft.studio.Studio(tmp_path_factory.mktemp("house"), limits="local", workers=0) as running:
        yield running


@pytest.fixture
def line(host: Any, house: ft.studio.Studio) -> Line:
    return Line(host, house)


FATES = st.sampled_from(["well", "before", "after", "declined", "gateway", "cut"])
#: Where a track is at first: source, target, both, neither.
PLACES = st.sampled_from(["s", "t", "st", ""])


# Each example has its script.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    verb=st.sampled_from(list(VERBS)),
    places=st.lists(PLACES, min_size=1, max_size=7),
    strangers=st.integers(0, 210),
    shuffled=st.randoms(use_true_random=False),
    posts=st.lists(FATES, max_size=9),
    reads=st.lists(FATES, max_size=9),
    retries=st.integers(0, 3),
)
def test_the_outcome_is_what_the_studio_has(
    line: Line, house: ft.studio.Studio, clock: Any, verb: str, places: list[str], strangers: int, shuffled: Any,
    posts: list[str], reads: list[str], retries: int,
) -> None:  # fmt: skip
    """Every id stands once; what succeeded is so, and what is known not to have been done has not been done."""
    with ft.Client(house.api_key, house.url, progress=False) as direct:
        tracks = {direct.generate("lofi", duration=5, wait=False).id: place for place in places}
        ids = [*tracks, *house.house.tracks, *(f"{n:08d}-1111-4111-8111-111111111111" for n in range(strangers))]
        shuffled.shuffle(ids)
        shelf = {"s": house.create_playlist("Source"), "t": house.create_playlist("Target")}
        for name, playlist in shelf.items():
            if members := [id_ for id_, place in tracks.items() if name in place]:
                assert direct.add_tracks(playlist, members).refused == {}

        def state() -> dict[str, tuple[bool, ...]]:
            """Of each id: whether it is in the source, in the target, and in the library."""
            rooms = [set(direct.playlist(playlist).tracks["id"]) for playlist in shelf.values()]
            rooms.append(set(direct.generations(limit=None)["id"]))
            return {id_: tuple(id_ in room for room in rooms) for id_ in ids}

        before = state()
        line.script(posts, reads)
        outcome = asyncio.run(_run(verb, shelf, ids, house.api_key, line.url, ft.Policy(retries=retries), clock))
        after = state()
        for playlist in shelf.values():
            house.delete_playlist(playlist)
        direct.delete_tracks(list(tracks), yes=True)

    assert sorted([*outcome.succeeded, *outcome.refused, *outcome.not_attempted]) == sorted(ids)
    holds: dict[str, Callable[[tuple[bool, ...]], bool]] = {
        "added": lambda where: where[0],
        "removed": lambda where: not where[0],
        "moved": lambda where: where[1] and not where[0],
        "deleted": lambda where: not where[2],
    }
    assert all(holds[verb](after[id_]) for id_ in outcome.succeeded)
    assert set(outcome.inferred) <= set(outcome.succeeded)
    assert all(before[id_] != after[id_] for id_ in set(outcome.succeeded) - set(outcome.inferred))
    assert all(before[id_] == after[id_] for id_ in outcome.not_attempted)
    unknown = {id_ for id_, reason in outcome.refused.items() if reason.startswith("unknown, may have been")}
    assert all(before[id_] == after[id_] for id_ in set(outcome.refused) - unknown)
    assert line.sent <= (retries + 1) * -(-len(ids) // 100)
    if not line.lost:
        assert not outcome.inferred
        assert not unknown
    if outcome.error is None and verb != "deleted" and all(fate == "well" for fate in reads):
        assert not unknown


async def _run(
    verb: str, shelf: dict[str, str], ids: list[str], key: str, url: str, policy: ft.Policy, clock: Any
) -> BulkOutcome:
    async with ft.AsyncClient(key, url, policy=policy, clock=clock) as client:
        if verb == "added":
            return await client.add_tracks(shelf["s"], ids)
        if verb == "removed":
            return await client.remove_tracks(shelf["s"], ids)
        if verb == "moved":
            return await client.move_tracks(shelf["s"], shelf["t"], ids)
        return await client.delete_tracks(ids, yes=True)


def test_101_tracks_with_every_first_answer_lost(line: Line, house: ft.studio.Studio, clock: Any) -> None:
    """What a user sees of it: all is done, nothing is refused."""
    with ft.Client(house.api_key, line.url, clock=clock, progress=False) as client:
        tracks = [client.generate("lofi", duration=5, wait=False).id for _ in range(101)]
        one, two = house.create_playlist("One"), house.create_playlist("Two")

        def check(fate: str, verb: Callable[[], BulkOutcome]) -> None:
            line.script([fate, "well"] * 2, [])
            outcome = verb()
            assert (outcome.succeeded, outcome.refused, outcome.error) == (tracks, {}, None)
            assert outcome.inferred == ([] if fate in ("before", "declined") else tracks)
            assert line.sent == 4

        for fate in ("before", "after", "declined", "gateway", "cut"):
            check(fate, lambda: client.add_tracks(one, tracks))
            check(fate, lambda: client.move_tracks(one, two, tracks))
            check(fate, lambda: client.remove_tracks(two, tracks))
        check("after", lambda: client.delete_tracks(tracks, yes=True))
        assert set(client.generations(limit=None)["id"]).isdisjoint(tracks)
