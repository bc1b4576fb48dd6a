from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import finetuning as ft
from finetuning.errors import (
    AuthenticationError,
    JournalError,
    NotEnoughCreditsError,
    ParameterError,
    PlanRequiredError,
    SweepWarning,
)
from finetuning.records import Account, Limits
from finetuning.sweep.beginning import check_credits
from finetuning.sweep.events import Accepted, Began, Intent, Lost, encode
from finetuning.sweep.journal import Journal
from finetuning.sweep.ledger import Ledger, now

STARTED = "2025-01-15T10:30:00Z"
Reopen = Callable[[], ft.Client]
Until = Callable[[Callable[[], Any]], None]


def sweep(count: int = 4, **more: Any) -> ft.Sweep:
    return ft.Sweep("piano", seed=list(range(1, count + 1)), duration=5, **more)


def kinds(run: ft.SweepRun) -> list[str]:
    return [type(event).__name__ for event in Journal(run.path).read()]


def states(run: ft.SweepRun) -> list[str]:
    return [str(state) for state in run.frame.state]


def test_what_goes_over_the_wire(service: Any, hosted: ft.Client) -> None:
    run = hosted.run(ft.Sweep("piano", energy="high", bpm=[80, 90], key="Db", seed=[7], duration=5), name="wire")
    assert service.bodies == [
        {"tags": "piano, high energy, driving", "bpm": bpm, "key": "C#", "duration": 5, "seed": 7} for bpm in (80, 90)
    ]
    assert service.requests[:2] == ["GET /v1/me", "GET /v1/generations"]
    assert service.requests.count("POST /v1/generations") == 2
    assert run.done
    assert not any(request.startswith("GET /v1/generations/gen") for request in service.requests)
    assert run.frame.generation_time.isna().all()
    assert run.details().frame.generation_time.tolist() == [41.5, 41.5]
    assert ft.SweepRun.load("wire").frame.generation_time.tolist() == [41.5, 41.5]
    assert run.frame.audio_url[0] == "https://media.test/gen_0.mp3"


def test_each_intent_is_on_the_disk_before_its_request(service: Any, hosted: ft.Client, home: Any) -> None:
    path = home / "data" / "sweeps" / "order.jsonl"
    seen: list[list[str]] = []

    def look(request: httpx.Request) -> httpx.Response:
        seen.append([type(event).__name__ for event in Journal(path).read()])
        return service.accept({"tags": "piano"})  # type: ignore[no-any-return]  # the fixture is untyped

    service.script.extend([look, look])
    run = hosted.run(sweep(2), name="order")
    assert seen == [["Began", "Intent"], ["Began", "Intent", "Accepted", "Intent"]]
    assert kinds(run) == ["Began", "Intent", "Accepted", "Intent", "Accepted", "Finished", "Finished"]


def test_no_more_are_in_flight_than_allowed_and_all_are_followed_by_listing(service: Any, hosted: ft.Client) -> None:
    run = hosted.run(sweep(9), name="three", at_once=3)
    assert run.done
    assert service.most_at_once == 3
    assert "GET /v1/generations" in service.requests
    assert [body["seed"] for body in service.bodies] == list(range(1, 10))


def test_a_generous_service_is_asked_for_what_the_listing_leaves_out(service: Any, hosted: ft.Client) -> None:
    service.limit = 600
    run = hosted.run(sweep(2), name="generous")
    assert run.frame.generation_time.tolist() == [41.5, 41.5]


@pytest.mark.parametrize(("limit", "longest"), [(60, 15.0), (600, 1.5)])
def test_looks_keep_the_pace_of_the_limit(
    service: Any, hosted: ft.Client, clock: Any, limit: int, longest: float
) -> None:
    service.limit, service.looks_needed = limit, 40
    hosted.run(sweep(2), name="pace")
    looks = service.requests.count("GET /v1/generations") - 1
    assert clock.now <= (looks + 1) * longest
    assert clock.now >= (looks - 1) * longest / 3
    assert max(clock.slept) <= 2.0


def made_and_lost(service: Any, problem: Any) -> Callable[[httpx.Request], httpx.Response]:
    """Carry a create out, and lose the answer."""

    def step(request: httpx.Request) -> httpx.Response:
        service.accept(json.loads(request.content))
        return service.step(problem, request)  # type: ignore[no-any-return]  # the fixture is untyped

    return step


def test_a_lost_answer_is_looked_for_and_only_what_was_not_made_is_sent_again(
    service: Any, hosted: ft.Client, clock: Any
) -> None:
    oops = service.error(500, "INTERNAL_ERROR", "oops")
    service.script.extend([None, made_and_lost(service, httpx.ReadTimeout("slow")), oops, None])
    run = hosted.run(sweep(), name="lost")
    assert states(run) == ["completed"] * 4
    assert [body["seed"] for body in service.bodies] == [1, 2, 3, 4, 3]
    assert run.frame.id.tolist() == ["gen_0", "gen_1", "gen_3", "gen_2"]
    assert [row["parameters"]["seed"] for row in service.rows.values()] == [1, 2, 4, 3]
    assert kinds(run).count("Lost") == 2
    assert kinds(run).count("Absent") == 1
    assert run.frame.error_message.isna().all()


ANSWERS = [
    httpx.Response(502, html="<h1>Bad gateway</h1>"),
    httpx.Response(202, content=b'{"data": {"id": "gen'),
    httpx.RemoteProtocolError("cut"),
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("made", [True, False])
def test_answers_that_are_none_are_looked_for(service: Any, hosted: ft.Client, answer: Any, made: bool) -> None:
    service.script.append(made_and_lost(service, answer) if made else answer)
    run = hosted.run(sweep(2), name="none")
    assert [kind for kind in kinds(run) if kind != "Oriented"][1:3] == ["Intent", "Lost"]
    assert states(run) == ["completed"] * 2
    assert len(service.rows) == 2
    assert len(service.bodies) == (2 if made else 3)


def test_what_is_not_echoed_leaves_a_lost_point_uncertain_and_unsent(
    service: Any, hosted: ft.Client, reopen: Reopen
) -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        service.accept({"tags": "piano"})
        raise httpx.ReadTimeout("slow")

    service.script.extend([None, silent])
    with pytest.warns(SweepWarning, match="done: 2 completed, 1 uncertain; .* is not sent again"):
        run = hosted.run(sweep(3), name="silent")
    assert states(run) == ["completed", "uncertain", "completed"]
    assert run.frame.error_message[1] == "gen_1 may be it, and does not say enough to tell."
    with pytest.warns(SweepWarning, match="1 uncertain"):
        ft.SweepRun.load("silent", reopen()).resume()
    del service.rows["gen_1"]  # whether it was ours or not, what was uncertain is not sent again
    with pytest.warns(SweepWarning, match="1 uncertain"):
        again = ft.SweepRun.load("silent", reopen()).resume()
    assert len(service.bodies) == 3
    assert kinds(again).count("Undecided") == 1
    service.rows["gen_1"] = {"id": "gen_1", "status": "completed", "prompt": "piano", "createdAt": STARTED}
    service.rows["gen_1"]["parameters"] = {"seed": 2, "duration": 5}
    service.looks["gen_1"] = 9
    assert states(ft.SweepRun.load("silent", reopen()).resume()) == ["completed"] * 3
    assert len(service.bodies) == 3


def test_three_lost_answers_in_a_row_are_looked_for_before_more_is_sent(service: Any, hosted: ft.Client) -> None:
    service.script.extend([service.error(503, "DOWN", "away") for _ in range(3)])
    run = hosted.run(sweep(6), name="down")
    assert states(run) == ["completed"] * 6
    assert [body["seed"] for body in service.bodies][:4] == [1, 2, 3, 3]
    assert sorted(body["seed"] for body in service.bodies) == [1, 1, 2, 2, 3, 3, 4, 5, 6]
    assert kinds(run)[1:7] == ["Intent", "Lost"] * 3


def test_a_point_that_is_lost_again_and_again_pauses_the_run(service: Any, hosted: ft.Client) -> None:
    service.script.extend([service.error(503, "DOWN", "away") for _ in range(6)])
    with pytest.warns(SweepWarning, match=r"paused with 1 to be looked for: point 0 was sent 6 times, the last: away"):
        run = hosted.run(sweep(1), name="away")
    assert len(service.bodies) == 6
    assert states(run) == ["lost"]
    assert states(run.resume()) == ["completed"]
    assert len(service.bodies) == 7


def test_one_in_flight_at_a_time_does_not_wait_for_ever_for_what_was_lost(service: Any, hosted: ft.Client) -> None:
    service.script.append(httpx.ReadTimeout("slow"))
    run = hosted.run(sweep(2), name="one", at_once=1)
    assert states(run) == ["completed"] * 2
    assert service.most_at_once == 1


def test_a_refused_point_is_marked_and_the_others_are_made(service: Any, hosted: ft.Client) -> None:
    service.script.extend([service.error(400, "VALIDATION_ERROR", "bad seed"), None])
    with pytest.warns(SweepWarning, match="done: 1 completed, 1 refused"):
        run = hosted.run(sweep(2), name="refused")
    assert states(run) == ["refused", "completed"]
    assert run.frame.error_message[0] == "bad seed [400 VALIDATION_ERROR]"


def test_a_generation_that_fails_is_marked_with_the_reason(service: Any, hosted: ft.Client) -> None:
    service.ends = {"gen_0": "failed"}
    with pytest.warns(SweepWarning, match="done: 1 completed, 1 failed"):
        run = hosted.run(sweep(2), name="failed")
    assert states(run) == ["failed", "completed"]
    assert run.frame.error_message[0] == "The model was unhappy."


def test_a_full_queue_waits_for_one_of_ours(service: Any, hosted: ft.Client) -> None:
    service.script.extend([None, service.error(429, "QUEUE_FULL", "full"), None])
    run = hosted.run(sweep(2), name="queue")
    assert states(run) == ["completed", "completed"]
    assert kinds(run)[:6] == ["Began", "Intent", "Accepted", "Intent", "Declined", "Finished"]
    assert [body["seed"] for body in service.bodies] == [1, 2, 2]


def test_a_queue_that_others_fill_is_waited_for(service: Any, hosted: ft.Client, clock: Any) -> None:
    service.script.extend([service.error(429, "QUEUE_FULL", "full") for _ in range(12)])
    run = hosted.run(sweep(1), name="others")
    assert states(run) == ["completed"]
    assert clock.slept[:8] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_full_queue_that_asks_for_more_than_patience_pauses_the_run(
    service: Any, hosted: ft.Client, clock: Any
) -> None:
    service.script.extend(
        [service.error(429, "QUEUE_FULL", "full", **{"Retry-After": str(wait)}) for wait in (90, 90, 3600)]
    )
    with pytest.warns(SweepWarning, match="paused with 2 to send: full"):
        run = hosted.run(sweep(2), name="hour")
    assert clock.slept == [90, 90]
    assert states(run.resume()) == ["completed"] * 2


def test_a_rate_limit_is_waited_out_as_long_as_the_service_asks(service: Any, hosted: ft.Client, clock: Any) -> None:
    limit = {"Retry-After": "40"}
    service.script.extend([service.error(429, "GENERATION_RATE_LIMITED", "slow down", **limit) for _ in range(3)])
    run = hosted.run(sweep(1), name="limit")
    assert states(run) == ["completed"]
    assert clock.slept[:3] == [40, 40, 40]
    assert kinds(run)[1:5] == ["Intent", "Declined", "Intent", "Declined"]


def test_a_limit_beyond_patience_pauses_the_run_and_it_resumes(service: Any, hosted: ft.Client, clock: Any) -> None:
    later = {"Retry-After": "3600"}
    service.script.extend([None, service.error(429, "GENERATION_RATE_LIMITED", "come back", **later)])
    with pytest.warns(SweepWarning, match="paused with 1 completed, 2 to send: come back"):
        run = hosted.run(sweep(3), name="patience")
    assert run.frame.error_message[1] == "come back [429 GENERATION_RATE_LIMITED]"
    assert not run.done
    assert "run.resume()" in run._repr_html_()
    with pytest.warns(SweepWarning, match="paused with 1 completed, 2 to send: The rate limit leaves no room for an"):
        run.resume()
    assert len(service.bodies) == 2
    clock.now += 3600
    run.resume()
    assert states(run) == ["completed"] * 3
    assert [body["seed"] for body in service.bodies] == [1, 2, 2, 3]


def test_out_of_credits_stops_cleanly_with_what_is_paid_collected(service: Any, hosted: ft.Client) -> None:
    service.script.extend([None, service.error(402, "MONTHLY_LIMIT_REACHED", "spent")])
    with pytest.warns(SweepWarning, match="paused with 1 completed, 2 to send: spent"):
        run = hosted.run(sweep(3), name="credits")
    service.account["limits"]["totalRemaining"] = 1
    service.script.extend([None, service.error(402, "MONTHLY_LIMIT_REACHED", "spent")])
    with pytest.raises(SweepWarning, match="2 credits would be needed"):
        run.resume()  # a warning that is an error must not leave the journal held
    assert len(service.bodies) == 2
    with pytest.warns(SweepWarning) as caught:
        run.resume()
    said = [str(each.message) for each in caught]
    assert said[0] == "2 credits would be needed to the end and 1 is left; it goes so far."
    assert "paused with 2 completed, 1 to send" in said[1]


def test_what_costs_more_than_is_left_is_refused_before_anything_is_sent(service: Any, hosted: ft.Client) -> None:
    service.account["limits"]["totalRemaining"] = 3
    with pytest.raises(NotEnoughCreditsError, match="costs 4 credits, one a point; 3 are left") as caught:
        hosted.run(sweep(), name="dear")
    assert "Drop 1 point or more" in str(caught.value)
    assert service.requests == ["GET /v1/me"]
    assert ft.SweepRun.list().empty
    service.account["limits"] = {}
    assert hosted.run(sweep(), name="dear").done


@pytest.mark.parametrize(
    ("cost", "left", "says", "hint"),
    [
        (4, 1, "costs 4 credits, one a point; 1 is left.", "Drop 3 points or more"),
        (4, 3, "costs 4 credits, one a point; 3 are left.", "Drop 1 point or more"),
        (4, 0, "costs 4 credits, one a point; none is left.", "The next month brings more credits, or a pack does."),
        (1, 0, "costs 1 credit, one a point; none is left.", "The next month brings more credits, or a pack does."),
    ],
)
def test_what_is_missing_is_counted_and_the_way_out_is_one(cost: int, left: int, says: str, hint: str) -> None:
    with pytest.raises(NotEnoughCreditsError, match=says) as caught:
        check_credits(cost, Account(id="usr_1", limits=Limits(total_remaining=left)))
    assert (caught.value.hint or "").startswith(f"Nothing was sent. {hint}")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(401, "INVALID_API_KEY", AuthenticationError), (403, "PRO_PLAN_REQUIRED", PlanRequiredError)],
)
def test_what_no_waiting_mends_is_raised_and_leaves_a_run_that_resumes(
    service: Any, hosted: ft.Client, status: int, code: str, error: type[Exception]
) -> None:
    service.script.extend([None, service.error(status, code)])
    with pytest.raises(error):
        hosted.run(sweep(3), name="shut")
    run = ft.SweepRun.load("shut", hosted)
    assert run.frame.state.value_counts().to_dict()["waiting"] == 2
    assert states(run.resume()) == ["completed"] * 3


def test_an_unreachable_service_is_tried_again_and_then_paused(service: Any, hosted: ft.Client, clock: Any) -> None:
    service.script.extend([httpx.ConnectError("refused"), httpx.ConnectError("refused")])
    assert hosted.run(sweep(1), name="back").done
    assert clock.slept[:2] == [1, 2]
    service.script.extend([httpx.ConnectError("refused") for _ in range(20)])
    with pytest.warns(SweepWarning, match="paused with 1 to send: .* could not be reached"):
        run = hosted.run(sweep(1), name="gone")
    service.script.clear()
    assert run.resume().done


def test_looks_that_fail_are_repeated_more_slowly(service: Any, hosted: ft.Client, clock: Any) -> None:
    service.reads.extend([None, *(httpx.ConnectError("no") for _ in range(3))])
    moments = []
    clean = service.handle

    def timed(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            moments.append(clock.now)
        return clean(request)  # type: ignore[no-any-return]  # the fixture is untyped

    service.handle = timed
    assert hosted.run(sweep(2), name="blind").done
    pauses = [after - before for before, after in itertools.pairwise(moments[2:6])]
    assert len(pauses) == 3
    assert all(later > sooner for sooner, later in itertools.pairwise(pauses))


def test_a_service_that_cannot_be_read_at_first_is_asked_again_and_nothing_is_sent_before(
    service: Any, hosted: ft.Client, clock: Any
) -> None:
    service.reads.extend([httpx.ConnectError("no") for _ in range(3)])
    assert hosted.run(sweep(2), name="late").done
    assert clock.slept[:3] == [1, 2, 4]
    assert service.requests[:6] == ["GET /v1/me", *["GET /v1/generations"] * 4, "POST /v1/generations"]


def test_a_run_that_cannot_look_pauses_with_what_is_paid_in_flight(
    service: Any, hosted: ft.Client, reopen: Reopen
) -> None:
    service.reads.extend([None, *[httpx.ConnectError("no")] * 10])
    with pytest.warns(SweepWarning, match="paused with 2 in flight: .* could not be reached"):
        hosted.run(sweep(2), name="dark")
    assert ft.SweepRun.load("dark", reopen()).resume().done
    assert len(service.bodies) == 2


def test_a_look_that_is_forbidden_ends_the_run_with_the_error(service: Any, hosted: ft.Client) -> None:
    service.reads.extend([None, service.error(401, "INVALID_API_KEY")])
    with pytest.raises(AuthenticationError):
        hosted.run(sweep(2), name="forbidden")
    assert ft.SweepRun.load("forbidden", hosted).resume().done


def test_what_the_listing_does_not_show_is_asked_for(service: Any, hosted: ft.Client) -> None:
    service.unlisted = {"gen_1"}
    assert hosted.run(sweep(3), name="hidden").done
    assert "GET /v1/generations/gen_1" in service.requests


def test_a_listing_is_not_read_beyond_what_is_in_flight(service: Any, hosted: ft.Client) -> None:
    old = {"status": "completed", "createdAt": "2024-12-31 10:00:00"}
    service.rows = {f"old_{number}": {"id": f"old_{number}", **old} for number in range(300)}
    service.looks = dict.fromkeys(service.rows, 0)
    service.unlisted = {"gen_300"}

    def crowded(request: httpx.Request) -> httpx.Response:
        answer = service.accept({"tags": "piano"})
        service.rows["foreign"] = {"id": "foreign", "status": "completed", "createdAt": "2025-02-01 10:00:00"}
        service.looks["foreign"] = 0
        return answer  # type: ignore[no-any-return]  # the fixture is untyped

    service.script.extend([None, crowded])
    assert hosted.run(sweep(3), name="beyond").done
    pages = [each for each in service.requests if each == "GET /v1/generations"]
    assert len(pages) <= 3
    service.undated = True
    assert hosted.run(sweep(3), name="undated").done


def test_a_reason_stays_the_first_one(service: Any, hosted: ft.Client, until: Until) -> None:
    service.looks_needed = 10**9
    service.script.extend([None, service.error(402, "MONTHLY_LIMIT_REACHED", "spent")])
    run = hosted.run(sweep(2), name="first", wait=False)
    until(lambda: states(run) == ["generating", "waiting"] and len(service.bodies) == 2)
    until(lambda: run.frame.error_message[1] == "spent [402 MONTHLY_LIMIT_REACHED]")
    run.cancel()
    assert run.stopped == "spent [402 MONTHLY_LIMIT_REACHED]"


def test_a_detail_that_cannot_be_read_is_done_without(service: Any, hosted: ft.Client) -> None:
    service.limit = 600
    service.reads.extend([None, None, None, *[service.error(500, "INTERNAL_ERROR") for _ in range(4)]])
    run = hosted.run(sweep(2), name="plain")
    assert states(run) == ["completed"] * 2
    assert run.frame.generation_time.isna().tolist().count(True) == 1


def test_a_deleted_generation_is_given_up_after_a_few_looks(service: Any, hosted: ft.Client) -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        answer = service.accept({"tags": "piano"})
        del service.rows["gen_0"]
        return answer  # type: ignore[no-any-return]  # the fixture is untyped

    service.script.append(lose)
    with pytest.warns(SweepWarning, match="1 failed"):
        run = hosted.run(sweep(1), name="deleted")
    assert run.frame.error_message[0] == "It is no longer in the library."
    assert service.requests.count("GET /v1/generations/gen_0") == 3


def test_a_create_that_is_finished_at_once_is_not_followed(service: Any, hosted: ft.Client) -> None:
    service.script.append(service.said({"id": "gen_9", "status": "completed", "creditsRemaining": 1}, 202))
    run = hosted.run(sweep(1), name="quick")
    assert kinds(run) == ["Began", "Intent", "Accepted", "Finished"]


def test_the_frame_shows_what_the_service_clamped(service: Any, hosted: ft.Client) -> None:
    with pytest.warns(ft.errors.ClampedWarning):
        wide = ft.Sweep("piano", bpm=[50, 300], seed=1)
    run = hosted.run(wide, name="wide")
    assert [body["bpm"] for body in service.bodies] == [50, 300]
    assert run.frame.bpm.tolist() == [60, 200]
    assert run.points.bpm.tolist() == [50, 300]


def test_configured_defaults_are_decided_once(service: Any, hosted: ft.Client, home: Any, reopen: Reopen) -> None:
    config = home / "config" / "config.json"
    config.parent.mkdir()
    config.write_text('{"defaultBpm": 99, "defaultDuration": 33}')
    service.script.extend([None, service.error(402, "MONTHLY_LIMIT_REACHED")])
    with pytest.warns(SweepWarning):
        hosted.run(ft.Sweep("piano", seed=2), name="defaults")
    config.write_text('{"defaultBpm": 60}')
    ft.SweepRun.load("defaults", reopen()).resume()
    assert {(body["bpm"], body["duration"]) for body in service.bodies} == {(99, 33)}


def test_a_loopback_webhook_is_refused_by_the_hosted_service(service: Any, hosted: ft.Client) -> None:
    with pytest.raises(ParameterError, match="webhook"):
        hosted.run(ft.Sweep("piano", webhook="http://127.0.0.1:1/x"))
    assert service.requests == []


@pytest.mark.parametrize("made", [True, False])
def test_a_crash_between_intent_and_answer_is_looked_for(
    service: Any, reopen: Reopen, began: Began, home: Any, made: bool
) -> None:
    path = home / "data" / "sweeps" / "lofi.jsonl"
    ledger = Ledger.create(path, began)
    answered = service.accept({"tags": "piano", "bpm": 80, "duration": 5, "seed": 1}).json()["data"]
    row = ft.Generation(id=answered["id"], status="pending", created=answered["createdAt"])
    left = Intent(at=now(), point=1, after=row.created_at)
    ledger.record(Intent(at=now(), point=0), Accepted(at=now(), point=0, generation=row), left)
    ledger.release()
    if made:
        service.accept({"tags": "piano", "bpm": 80, "duration": 5, "seed": 2})
    run = ft.SweepRun.load("lofi")
    assert "1 in flight, 1 sent without an answer yet, 2 to send" in repr(run)
    with pytest.raises(ParameterError, match="loaded without a client"):
        run.resume()
    run.resume(reopen())
    assert states(run) == ["completed"] * 4
    assert sorted((body["bpm"], body["seed"]) for body in service.bodies) == [(80, 2)] * (not made) + [(90, 1), (90, 2)]
    assert len(service.rows) == 4
    assert any(isinstance(event, Lost) and event.point == 1 for event in Journal(path).read())


def test_a_run_is_not_continued_on_another_account(service: Any, reopen: Reopen, began: Began, home: Any) -> None:
    Ledger.create(home / "data" / "sweeps" / "lofi.jsonl", began).release()
    service.account["id"] = "usr_2"
    with pytest.raises(ParameterError, match=r"belongs to the account usr_1 at .*; this client's is usr_2"):
        ft.SweepRun.load("lofi", reopen()).resume()
    assert service.bodies == []


def test_cancelling_waits_for_the_answer_and_leaves_the_rest(service: Any, hosted: ft.Client, until: Until) -> None:
    service.looks_needed = 10**9
    run = hosted.run(sweep(4), name="cancel", at_once=2, wait=False)
    until(lambda: len(service.rows) == 2)
    running = [run.running]
    assert ft.SweepRun.load("cancel") is run
    run.cancel()
    assert [*running, run.running] == [True, False]
    assert run.stopped == "cancelled"
    assert states(run) == ["generating", "generating", "waiting", "waiting"]
    assert run.wait() is run
    service.looks_needed = 1
    assert states(run.resume()) == ["completed"] * 4
    assert run.cancel() is run
    assert run.resume() is run
    assert len(service.bodies) == 4


def test_cancelling_a_pause_does_not_wait_for_its_end(service: Any, reopen: Reopen, until: Until) -> None:
    service.script.append(service.error(429, "GENERATION_RATE_LIMITED", "slow down", **{"Retry-After": "100"}))
    with ft.Client("ft_live_" + "ab3f" * 8, "https://pub.finetuning.ai", progress=False) as client:
        run = client.run(sweep(2), name="pause", wait=False)
        until(lambda: "slow down [429 GENERATION_RATE_LIMITED], going on in " in run.summary)
        assert run.doing.endswith(" s")
        with pytest.raises(ft.errors.StillProcessingError, match="'pause' is not done after 0 s: 2 to send"):
            run.wait(timeout=0)
        run.cancel()
    assert states(run) == ["waiting", "waiting"]
    assert ft.SweepRun.load("pause", reopen()).resume().done


def test_closing_the_client_leaves_a_run_that_resumes(service: Any, clock: Any, reopen: Reopen, until: Until) -> None:
    service.looks_needed = 10**9
    client = ft.Client("ft_live_" + "ab3f" * 8, "https://pub.finetuning.ai", progress=False)
    run = client.run(sweep(4), name="closed", at_once=2, wait=False)
    until(lambda: states(run)[:2] == ["generating", "generating"])
    client.close()
    with pytest.warns(SweepWarning, match="paused with 2 in flight, 2 to send: the client was closed"):
        run.wait()
    run.cancel()
    service.looks_needed = 1
    again = ft.SweepRun.load("closed", reopen())
    assert again is not run
    assert states(again.resume()) == ["completed"] * 4
    assert states(run) == ["completed"] * 4
    assert len(service.bodies) == 4
    with pytest.raises(ft.FinetuningError, match="closed"):
        ft.Sweep("piano").run_on(client)


def test_a_request_that_is_cut_off_by_closing_is_looked_for(service: Any, reopen: Reopen) -> None:
    service.hang = True
    client = ft.Client("ft_live_" + "ab3f" * 8, "https://pub.finetuning.ai", progress=False)
    run = client.run(sweep(2), name="cut", wait=False)
    assert service.hangs.wait(20)
    client.close()
    assert states(run) == ["lost", "waiting"]
    assert run.frame.error_message[0] == "Before the answer came, the client was closed."
    service.hang = False
    assert states(ft.SweepRun.load("cut", reopen()).resume()) == ["completed"] * 2


def test_a_disk_that_fills_up_ends_the_run_with_the_error(service: Any, hosted: ft.Client, home: Any) -> None:
    path = home / "data" / "sweeps" / "full.jsonl"

    def fill(request: httpx.Request) -> httpx.Response:
        path.rename(path.with_suffix(".kept"))
        path.mkdir()
        return service.accept({"tags": "piano"})  # type: ignore[no-any-return]  # the fixture is untyped

    service.script.append(fill)
    with pytest.raises(JournalError, match="cannot be written") as caught:
        hosted.run(sweep(2), name="full")
    assert caught.value.__notes__ == ["The service had accepted point 0 as gen_0."]
    assert len(service.bodies) == 1


def test_no_key_is_in_the_journal(service: Any, hosted: ft.Client) -> None:
    key = "ft_live_" + "ab3f" * 8
    service.script.append(service.error(400, "VALIDATION_ERROR", f"bad {key}"))
    with pytest.warns(SweepWarning):
        run = hosted.run(sweep(1), name="secret")
    assert b"bad ft_live_ab3f...****" in run.path.read_bytes()
    assert key.encode() not in run.path.read_bytes()
    assert encode(Journal(run.path).read()[0]) in run.path.read_bytes()
