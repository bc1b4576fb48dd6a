"""More points for a run that has begun, bounds on what it spends, and what tells of ends."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetuning as ft
from finetuning.errors import JournalError, NotEnoughCreditsError, ParameterError, SweepWarning
from finetuning.records import Generation
from finetuning.sweep.events import Accepted, Began, Finished, Intent, Lost
from finetuning.sweep.extending import extension
from finetuning.sweep.journal import Journal
from finetuning.sweep.ledger import Ledger, now

Reopen = Callable[[], ft.Client]
Until = Callable[[Callable[[], Any]], None]

VALUES: dict[str, list[Any]] = {
    "tags": ["piano", "flute", "drums"],
    "energy": ["low", "high", "warm"],
    "bpm": [80, 90, 100, 110],
    "key": ["C", "D", "E"],
    "seed": [1, 2, 3, 4],
    "replicate": [1, 2, 3],
}


def sweep(count: int = 2, **more: Any) -> ft.Sweep:
    return ft.Sweep("piano", seed=list(range(1, count + 1)), duration=5, **more)


def bodies(plan: Any) -> list[tuple[Any, ...]]:
    rows = [plan.values(point) for point in range(len(plan))]
    return sorted(tuple(row.get(name) for name in VALUES) for row in rows)


@given(st.data())
def test_extending_by_the_rest_makes_the_sweep_of_all(data: st.DataObject) -> None:
    every: dict[str, Any] = {
        name: data.draw(st.lists(st.sampled_from(VALUES[name]), unique=True, min_size=1)) for name in VALUES
    }
    cuts = {name: data.draw(st.integers(1, len(values))) for name, values in every.items()}
    first: dict[str, Any] = {name: values[: cuts[name]] for name, values in every.items()}
    whole = ft.Sweep(**every).plan
    plan = ft.Sweep(**first).plan
    before = len(plan)
    rest = {name: values[cuts[name] :] for name, values in every.items() if len(values) > cuts[name]}
    steps = [rest] if data.draw(st.booleans()) else [{name: values} for name, values in rest.items()]
    for step in filter(None, steps):
        old = bodies(plan)
        plan = extension(plan, step, None)
        assert [values for values in bodies(plan) if values in old] == old  # nothing is made again
    assert bodies(plan) == bodies(whole)
    assert {name: sorted(values) for name, values in plan.axes.items()} == {
        name: sorted(values) for name, values in whole.axes.items()
    }
    assert [plan.values(point) for point in range(before)] == [ft.Sweep(**first).plan.values(p) for p in range(before)]


def test_what_all_points_shared_becomes_an_axis() -> None:
    plan = extension(ft.Sweep("piano", bpm=80, seed=[1]).plan, {"bpm": [90]}, None)
    assert plan.axes == {"bpm": [80, 90], "seed": [1]}
    assert [plan.values(point)["bpm"] for point in range(2)] == [80, 90]
    again = extension(plan, {"replicate": 3}, None)
    assert again.axes["replicate"] == [1, 2, 3]
    assert [again.values(point)["replicate"] for point in range(6)] == [1, 1, 2, 3, 2, 3]
    assert "replicate" not in again.body(5, local=True)
    more = extension(plan, {"seed": 2}, None)
    assert len(more) == 6
    assert len({more.values(point)["seed"] for point in range(6)}) == 3


def test_what_was_dropped_stays_dropped() -> None:
    plan = ft.Sweep("piano", bpm=[80, 90], seed=[1, 2], where="bpm == 80 or seed == 2").plan
    grown = extension(plan, {"bpm": [100]}, "seed == 1")
    assert [tuple(grown.values(point)[name] for name in ("bpm", "seed")) for point in range(len(grown))] == [
        (80, 1), (80, 2), (90, 2), (100, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bpm": [80]}, "nothing new"),
        ({}, "nothing new"),
        ({"key": ["C"]}, "leave key to the service"),
        ({"webhook": "https://example.com"}, "cannot be extended by 'webhook'"),
        ({"colour": ["red"]}, "cannot be extended by 'colour'"),
        ({"replicate": 1}, "nothing new"),
        ({"replicate": 0}, "is not 1 to"),
        ({"replicate": [0]}, "is not 1 or more"),
    ],
)
def test_what_cannot_be_added_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        extension(ft.Sweep("piano", bpm=80, seed=[1]).plan, given, None)
    with pytest.raises(ParameterError, match="drops all new points"):
        extension(ft.Sweep("piano", bpm=80, seed=[1]).plan, {"bpm": [90]}, "bpm < 90")


def test_a_run_is_extended_after_its_end_and_twice(service: Any, hosted: ft.Client, reopen: Reopen) -> None:
    run = hosted.run(sweep(2, bpm=[80]), name="grown")
    assert run.extend(bpm=[90]) is run
    ft.SweepRun.load("grown", reopen()).extend(seed=[3], where="bpm == 80")
    again = ft.SweepRun.load("grown")
    assert [(body["bpm"], body["seed"]) for body in service.bodies] == [(80, 1), (80, 2), (90, 1), (90, 2), (80, 3)]
    assert again.done
    assert again.frame.state.tolist() == ["completed"] * 5
    assert run.frame.bpm.tolist() == again.frame.bpm.tolist() == [80, 80, 90, 90, 80]
    assert len(again.points) == 5


def test_a_run_takes_more_in_while_it_goes_on(service: Any, hosted: ft.Client, until: Until) -> None:
    service.looks_needed = 10**9
    run = hosted.run(sweep(2), name="going", wait=False)
    until(lambda: len(service.rows) == 2)
    course = run._course
    run.extend(seed=[3], wait=False)
    until(lambda: len(service.rows) == 3)
    assert run._course is course
    service.looks_needed = 1
    assert run.wait().done
    assert [body["seed"] for body in service.bodies] == [1, 2, 3]


def test_a_run_that_pauses_and_still_follows_goes_on_with_more(service: Any, hosted: ft.Client, until: Until) -> None:
    service.looks_needed = 10**9
    service.script.extend([None, service.error(402, "MONTHLY_LIMIT_REACHED", "spent")])
    run = hosted.run(sweep(2), name="pausing", wait=False)
    until(lambda: run.frame.error_message[1] == "spent [402 MONTHLY_LIMIT_REACHED]")
    assert run.running
    run.extend(seed=[3], wait=False)
    until(lambda: len(service.rows) == 3)
    service.looks_needed = 1
    assert run.wait().frame.state.tolist() == ["completed"] * 3
    assert [body["seed"] for body in service.bodies] == [1, 2, 2, 3]


def test_more_than_is_left_is_refused_before_anything_is_sent(service: Any, hosted: ft.Client) -> None:
    run = hosted.run(sweep(2), name="dear")
    service.account["limits"]["totalRemaining"] = 1
    with pytest.raises(NotEnoughCreditsError):
        run.extend(seed=[3, 4])
    assert len(run.points) == 2
    assert run.extend(seed=[3]).done


def test_what_another_process_has_added_meanwhile_is_not_made_twice(
    service: Any, hosted: ft.Client, reopen: Reopen
) -> None:
    run = hosted.run(sweep(1), name="both")
    other = ft.SweepRun.load("both", reopen())
    handle = service.handle

    def slow(request: Any) -> Any:
        """While the account is asked for, the other adds the same."""
        service.handle = handle
        adding = threading.Thread(target=other.extend, kwargs={"seed": [2]})
        adding.start()
        adding.join()
        return handle(request)

    service.handle = slow
    with pytest.raises(JournalError, match="'both' was extended elsewhere meanwhile"):
        run.extend(seed=[2])
    with pytest.raises(ParameterError, match="nothing new"):
        run.extend(seed=[2])
    assert run.extend(seed=[3]).done  # the journal was let go of
    assert [body["seed"] for body in service.bodies] == [1, 2, 3]


def test_a_bound_on_credits_pauses_and_a_higher_one_goes_on(service: Any, hosted: ft.Client, reopen: Reopen) -> None:
    service.account["limits"]["totalRemaining"] = 2
    with pytest.warns(SweepWarning, match=r"paused with 2 completed, 3 to send: max_credits=2 are spent") as caught:
        run = hosted.run(sweep(5), name="bound", max_credits=2)
    assert "ft.SweepRun.load('bound', client).resume(max_credits=…) goes on with it" in str(caught[0].message)
    assert "<code>run.resume(max_credits=…)</code>" in run._repr_html_()
    with pytest.warns(SweepWarning, match=r"not running here; run\.resume\(max_credits=…\) goes on"):
        ft.SweepRun.load("bound").wait()
    with pytest.raises(ParameterError, match=r"client\)\.resume\(max_credits=…\) goes on with it; or choose"):
        hosted.run(sweep(5), name="bound")
    service.account["limits"]["totalRemaining"] = 100
    with pytest.warns(SweepWarning, match="max_credits=2 are spent"):
        ft.SweepRun.load("bound", reopen()).resume()
    assert len(service.bodies) == 2
    with pytest.warns(SweepWarning, match="max_credits=3 are spent"):
        run.resume(max_credits=3)
    assert len(service.bodies) == 3
    assert run.resume(max_credits=9).done
    with pytest.raises(ParameterError, match="max_credits=0 is not 1 or more"):
        run.resume(max_credits=0)
    run.resume(max_credits=5)  # nothing is left to do, and what it grows by is bound all the same
    with pytest.warns(SweepWarning, match="max_credits=5 are spent"):
        ft.SweepRun.load("bound", reopen()).extend(seed=[6])
    assert len(service.bodies) == 5


def test_a_bound_waits_for_what_a_lost_answer_has_cost(service: Any, hosted: ft.Client) -> None:
    service.script.append(service.error(503, "DOWN", "away"))
    run = hosted.run(sweep(1), name="cheap", max_credits=1)
    assert run.done
    assert len(service.rows) == 1


def test_a_bound_is_raised_while_the_run_goes_on(service: Any, hosted: ft.Client, until: Until) -> None:
    service.looks_needed = 10**9
    run = hosted.run(sweep(3), name="raised", max_credits=2, wait=False)
    until(lambda: len(service.rows) == 2)
    run.resume(max_credits=3, wait=False)
    until(lambda: len(service.rows) == 3)
    service.looks_needed = 1
    assert run.wait().done


def test_replicates_are_made_on_purpose_and_found_apart(service: Any, hosted: ft.Client) -> None:
    import json

    def lose(request: Any) -> Any:
        service.accept(json.loads(request.content))
        raise OSError("cut")

    service.script.extend([lose, None, lose])
    run = hosted.run(ft.Sweep("piano", seed=[7], replicate=3), name="thrice")
    assert run.frame.replicate.tolist() == [1, 2, 3]
    assert sorted(run.frame.id) == ["gen_0", "gen_1", "gen_2"]
    assert service.bodies == [{"tags": "piano", "seed": 7}] * 3


def test_a_twin_of_an_earlier_run_is_not_taken_for_a_lost_one(service: Any, hosted: ft.Client, home: Any) -> None:
    first = hosted.run(sweep(2), name="first")
    first.path.rename(home / "elsewhere.jsonl")  # as if another machine had made it
    service.script.append(service.error(503, "DOWN", "away"))
    second = hosted.run(sweep(2), name="second")
    assert second.done
    assert len(service.rows) == 4
    assert not set(second.frame.id) & {"gen_0", "gen_1"}


class Told:
    """As little as a receiver has to be."""

    url = "https://example.com/hook?token=secret-of-mine"

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Generation], Any]] = []

    def subscribe(self, callback: Callable[[Generation], Any]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)


def test_a_receiver_is_named_to_the_service_and_nowhere_else(service: Any, hosted: ft.Client, clock: Any) -> None:
    told = Told()
    service.echo = True
    clean = service.accept

    def echoing(body: dict[str, Any]) -> Any:
        answer = clean(body)
        for each in service.rows.values():
            each["webhook"] = body["webhook"]
        return service.said({**service.rows[f"gen_{len(service.rows) - 1}"]}, 202) if answer else None

    service.accept = echoing
    run = hosted.run(sweep(2), name="told", receiver=told)
    assert run.done
    assert {body["webhook"] for body in service.bodies} == {told.url}
    assert b"secret-of-mine" not in run.path.read_bytes()
    assert run.frame.webhook.isna().all()
    assert told.callbacks == []
    assert service.requests.count("GET /v1/generations") - 1 <= clock.now / 60 + 1


def test_a_call_is_a_reason_to_look(service: Any, reopen: Reopen, until: Until) -> None:
    service.looks_needed = 1
    told = Told()
    with ft.Client("ft_live_" + "ab3f" * 8, "https://pub.finetuning.ai", progress=False) as client:
        run = client.run(sweep(2), name="called", receiver=told, wait=False)
        until(lambda: len(service.rows) == 2 and told.callbacks)
        until(lambda: run.frame.state.tolist() == ["generating"] * 2)
        told.callbacks[0](Generation(id="forged"))
        assert run.wait(timeout=20).done


def test_what_ended_before_anybody_listened_is_looked_for_at_once(
    service: Any, reopen: Reopen, clock: Any, began: Began, home: Any
) -> None:
    answered = service.accept({"tags": "piano", "bpm": 80, "duration": 5, "seed": 1}).json()["data"]
    row = Generation(id=answered["id"], status="processing", created=answered["createdAt"])
    ledger = Ledger.create(home / "data" / "sweeps" / "lofi.jsonl", began)
    ledger.record(Intent(at=now(), point=0), Accepted(at=now(), point=0, generation=row))
    ledger.release()
    service.looks_needed = 1
    run = ft.SweepRun.load("lofi", reopen()).resume(receiver=Told(), max_credits=1, wait=False)
    with pytest.warns(SweepWarning, match="max_credits=1 are spent"):
        run.wait()
    assert run.states == ["completed", "waiting", "waiting", "waiting"]
    assert clock.now < 60


def test_a_receiver_that_the_service_cannot_reach_is_refused_at_once(service: Any, hosted: ft.Client) -> None:
    told = Told()
    told.url = "http://127.0.0.1:9/hook"
    with pytest.raises(ParameterError, match="webhook"):
        hosted.run(sweep(2), name="far", receiver=told)
    assert service.requests == []
    assert ft.SweepRun.list().empty


def test_what_takes_too_long_is_flagged_and_still_followed(
    service: Any, reopen: Reopen, began: Began, home: Any
) -> None:
    answered = service.accept({"tags": "piano", "seed": 1}).json()["data"]
    row = Generation(id=answered["id"], status="processing", created=answered["createdAt"])
    ledger = Ledger.create(home / "data" / "sweeps" / "lofi.jsonl", began)
    ledger.record(
        Intent(at=now() - timedelta(minutes=6), point=0),
        Accepted(at=now() - timedelta(minutes=6), point=0, generation=row),
    )
    ledger.release()
    run = ft.SweepRun.load("lofi", reopen())
    assert run.frame.error_message[0] == "In the making for over 5 minutes: it may have failed silently."
    assert "1 of them for over 5 minutes: they may have failed silently" in run.summary
    assert run.resume().frame.error_message.isna().all()
    assert run.done


def test_a_journal_of_the_first_version_is_read_and_looked_through(
    service: Any, reopen: Reopen, began: Began, home: Any
) -> None:
    import msgspec

    made = service.accept({"tags": "piano", "bpm": 80, "duration": 5, "seed": 1}).json()["data"]
    path = home / "data" / "sweeps" / "lofi.jsonl"
    ledger = Ledger.create(path, msgspec.structs.replace(began, version=1))
    for point in (0, 1):
        ledger.record(Intent(at=now(), point=point), Lost(at=now(), point=point, reason="cut"))
    ledger.release()
    with pytest.warns(SweepWarning, match="3 completed, 1 uncertain"):
        run = ft.SweepRun.load("lofi", reopen()).resume()
    assert made["id"] in run.frame.error_message[0]  # a year old by this machine's clock: it may be an earlier twin
    assert [(body["bpm"], body["seed"]) for body in service.bodies].count((80, 1)) == 0
    assert len(service.bodies) == 3
    assert run.extend(bpm=[100], wait=False).wait is not None
    with warnings.catch_warnings(), contextlib.suppress(SweepWarning):
        warnings.simplefilter("ignore")
        run.wait()
    assert [type(event).__name__ for event in Journal(path).read()].count("Extended") == 1
    assert sum(isinstance(event, Finished) for event in Journal(path).read()) == 5
