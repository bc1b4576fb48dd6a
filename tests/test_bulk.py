from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from finetuning import errors, protocol
from finetuning.bulk import Again, BulkOutcome, chunks, run_bulk
from finetuning.records import BulkAnswer, ItemError


def api(kind: type[errors.APIError], status: int, code: str, details: Any = None) -> errors.APIError:
    return kind("No.", status=status, code=code, details=details)


KEY = "ft_live_" + "0123456789abcdef" * 2
LOST = errors.AnswerLostError("lost")
DECLINED = api(errors.AuthenticationError, 401, "INVALID_API_KEY")


@dataclass
class Patient:
    """Repeats so often, takes a reason that begins with `so` or `not` at its word, and finds what it is told to."""

    retries: int = 2
    found: dict[str, bool | None] | Exception = field(default_factory=dict)
    paused: list[tuple[int, str]] = field(default_factory=list)
    looks: int = 0

    async def pause(self, tries: int, request: protocol.Request[BulkAnswer], problem: errors.FinetuningError) -> bool:
        self.paused.append((tries, type(problem).__name__))
        return tries <= self.retries

    def told(self, reason: str) -> bool | None:
        return {"so": True, "no": False}.get(reason[:2])

    async def look(self) -> Callable[[str], bool | None]:
        self.looks += 1
        if isinstance(self.found, Exception):
            raise self.found
        return self.found.get


def run(
    ids: Sequence[str],
    *answers: BulkAnswer | Exception,
    progress: Callable[[int], None] | None = None,
    again: Again | None = None,
) -> BulkOutcome:
    """Run a batch against answers that come one after the other, the last one forever."""
    left = list(answers)

    async def send(request: protocol.Request[BulkAnswer]) -> BulkAnswer:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(run_bulk("Added", ids, lambda chunk: protocol.add_tracks("p", chunk), send, progress, again))


def accounted(outcome: BulkOutcome) -> list[str]:
    return sorted([*outcome.succeeded, *outcome.refused, *outcome.not_attempted])


names = st.sampled_from([f"t{n}" for n in range(8)] + ["stranger", ""])
items = st.builds(ItemError, id=st.none() | names, track_id=st.none() | names, error=st.text(max_size=5))
answers = st.builds(
    BulkAnswer,
    added=st.lists(names),
    removed=st.lists(names, max_size=2),
    moved=st.lists(names, max_size=2),
    deleted=st.lists(names, max_size=2),
    errors=st.lists(items),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["trackId", "id", "error", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
failures = st.one_of(
    st.builds(lambda details: api(errors.NothingDoneError, 400, "ADD_FAILED", details), json_values),
    st.sampled_from([
        LOST, DECLINED, errors.ConnectError("refused"), errors.InvalidAnswerError("html", status=200),
        errors.InvalidAnswerError("html", status=404), errors.InvalidAnswerError("?"), errors.SettingsError("no"),
        api(errors.ServiceError, 500, "INTERNAL_ERROR"), api(errors.RateLimitError, 429, "RATE_LIMITED"),
        RuntimeError("a fault of ours"), KeyError("x"), RecursionError(),
    ]),
)  # fmt: skip


verdicts = st.none() | st.booleans()
patients = st.builds(
    Patient,
    retries=st.integers(0, 3),
    found=st.dictionaries(names, verdicts) | st.sampled_from([LOST, RuntimeError("a fault of ours")]),
)


@given(st.integers(1, 250), st.lists(answers | failures, min_size=1, max_size=6), st.none() | patients)
def test_every_id_is_accounted_for_exactly_once(
    count: int, drawn: list[BulkAnswer | Exception], again: Patient | None
) -> None:
    ids = [f"t{n}" for n in range(count)]
    try:
        outcome = run(ids, *drawn, again=again)
    except Exception as error:
        if error is drawn[0] and not isinstance(error, errors.NothingDoneError):
            return  # the first request was declined as a whole, and nothing was done
        raise
    assert accounted(outcome) == sorted(ids)
    assert outcome.requested == ids
    assert [each for each in ids if each in outcome.succeeded] == outcome.succeeded
    assert set(outcome.failed["id"]) == set(ids) - set(outcome.succeeded)
    assert outcome.failed["error"].notna().all()
    assert outcome.summary == f"Added {len(outcome.succeeded)} of {count} track(s)"
    assert bool(outcome.not_attempted) <= bool(outcome.error)
    assert set(outcome.inferred) <= set(outcome.succeeded)
    assert again or not outcome.inferred
    assert repr(outcome).startswith(outcome.summary)
    assert outcome._repr_html_().startswith("<div>")


def items_of(*reasons: tuple[str, str]) -> list[ItemError]:
    return [ItemError(track_id=id_, error=reason) for id_, reason in reasons]


def test_a_repetition_s_reasons_are_taken_at_their_word_and_what_they_leave_open_is_looked_at() -> None:
    refusals = items_of(("a", "so it is"), ("b", "not so"), ("c", "eh?"), ("d", "eh?"), ("e", "eh?"))
    again = Patient(found={"c": True, "d": False, "f": True})
    outcome = run([*"abcdefg"], LOST, BulkAnswer(added=["g"], errors=refusals), again=again)
    assert (outcome.succeeded, outcome.inferred) == ([*"acfg"], [*"acf"])
    assert outcome.refused == {"b": "not so", "d": "eh?", "e": "unknown, may have been added: eh?"}
    assert (again.paused, again.looks, outcome.error) == ([(1, "AnswerLostError")], 1, None)


def test_what_the_reasons_tell_is_not_looked_at() -> None:
    again = Patient()
    outcome = run(["a", "b"], LOST, BulkAnswer(errors=items_of(("a", "so"), ("b", "not"))), again=again)
    assert (outcome.succeeded, outcome.refused, again.looks) == (["a"], {"b": "not"}, 0)


@pytest.mark.parametrize("fault", [LOST, RuntimeError(f"ours, with {KEY}")])
def test_a_look_that_fails_loses_nothing(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    refusals = items_of(("a", "so"), ("b", "eh?"))
    outcome = run(["a", "b", "c"], LOST, BulkAnswer(added=["c"], errors=refusals), again=Patient(found=fault))
    assert (outcome.succeeded, outcome.refused) == (["a", "c"], {"b": "unknown, may have been added: eh?"})
    assert "could not be looked at" in caplog.text
    assert type(fault).__name__ in caplog.text
    assert KEY not in caplog.text


def test_an_answer_without_a_loss_is_neither_repeated_nor_read_otherwise() -> None:
    again = Patient(found={"a": True})
    outcome = run(["a"], BulkAnswer(errors=items_of(("a", "so"))), again=again)
    assert (outcome.succeeded, outcome.refused) == ([], {"a": "so"})
    assert (again.paused, again.looks) == ([], 0)


def test_a_fault_of_ours_in_a_repetition_is_an_outcome() -> None:
    again = Patient(found={"a": True})
    outcome = run(["a", "b"], LOST, RuntimeError("oh"), again=again)
    assert (outcome.inferred, outcome.refused) == (["a"], {"b": "unknown, may have been added: lost"})
    assert str(outcome.error).startswith("RuntimeError: oh")
    assert again.paused == [(1, "AnswerLostError")]


def test_patience_ends() -> None:
    again = Patient(retries=2, found={"a": True, "b": False})
    outcome = run(["a", "b"], LOST, again=again)
    assert (outcome.succeeded, outcome.refused) == (["a"], {"b": "not added when looked at afterwards: lost"})
    assert (outcome.error, [tries for tries, _ in again.paused]) == (LOST, [1, 2, 3])


@given(st.lists(st.integers(), max_size=400), st.integers(1, 120))
def test_chunks_are_the_whole_in_order(values: list[int], size: int) -> None:
    ids = list(map(str, values))
    pieces = list(chunks(ids, size))
    assert [each for piece in pieces for each in piece] == ids
    assert all(0 < len(piece) <= size for piece in pieces)


def test_a_hundred_ids_a_request_and_progress_after_each() -> None:
    seen: list[int] = []
    ids = [f"t{n}" for n in range(250)]
    outcome = run(ids, BulkAnswer(added=ids), progress=seen.append)
    assert seen == [100, 100, 50]
    assert outcome.succeeded == ids


def test_a_batch_that_stops_keeps_what_was_done_and_names_what_was_not_tried() -> None:
    ids = [f"t{n}" for n in range(250)]
    outcome = run(ids, BulkAnswer(added=ids[:99]), DECLINED)
    assert (outcome.succeeded, list(outcome.refused)) == (ids[:99], ["t99"])
    assert outcome.refused["t99"] == "the answer does not mention it"
    assert (outcome.not_attempted, outcome.error) == (ids[100:], DECLINED)
    assert outcome.failed["error"].iloc[-1] == "not attempted: No."
    assert "stopped by AuthenticationError: No." in repr(outcome)
    assert "150 × not attempted; repeat the call with .failed" in repr(outcome)


def test_what_may_have_been_done_is_called_so() -> None:
    ids = [f"t{n}" for n in range(250)]
    outcome = run(ids, BulkAnswer(added=ids), LOST)
    assert outcome.refused == dict.fromkeys(ids[100:200], "unknown, may have been added: lost")
    assert (outcome.not_attempted, outcome.error) == (ids[200:], LOST)


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        errors.InvalidAnswerError("html", status=200),
        errors.InvalidAnswerError("html", status=502),
        api(errors.ServiceError, 500, "INTERNAL_ERROR"),
    ],
)
def test_a_first_request_that_may_have_been_done_is_an_outcome(error: errors.FinetuningError) -> None:
    outcome = run(["a"], error)
    assert (outcome.error, list(outcome.refused)) == (error, ["a"])


@pytest.mark.parametrize(
    "error",
    [
        DECLINED,
        errors.ConnectError("refused"),
        errors.InvalidAnswerError("redirected", status=307),
        RuntimeError("ours"),
        errors.InvalidAnswerError("html", status=404),
        api(errors.NotFoundError, 404, "NOT_FOUND"),
    ],
)
def test_a_first_request_that_did_nothing_is_an_error(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        run(["a"], error)
    assert caught.value is error


def test_a_fault_of_ours_does_not_lose_what_was_done() -> None:
    ids = [f"t{n}" for n in range(150)]
    fault = RuntimeError("oh")
    outcome = run(ids, BulkAnswer(added=ids), fault)
    assert outcome.succeeded == ids[:100]
    assert str(outcome.error).startswith("RuntimeError: oh")
    assert outcome.error is not None
    assert outcome.error.__cause__ is fault


@pytest.mark.parametrize("details", [None, {"max": 100}, [], ["a", None, {"trackId": 5}, {"error": "no id"}], "text"])
def test_nothing_done_without_reasons_gives_the_message(details: Any) -> None:
    outcome = run(["a", "b"], api(errors.NothingDoneError, 400, "ADD_FAILED", details))
    assert outcome.refused == {"a": "No.", "b": "No."}
    assert outcome.error is None


def test_nothing_done_with_reasons_gives_them() -> None:
    details = [
        {"trackId": "a", "error": "Track not found"},
        {"id": "b", "error": None},
        {"trackId": "stranger", "error": "x"},
    ]
    outcome = run(["a", "b"], api(errors.NothingDoneError, 400, "MOVE_FAILED", details))
    assert outcome.refused == {"a": "Track not found", "b": "No."}


def test_an_outcome_raises_when_it_is_asked_to() -> None:
    run(["a"], BulkAnswer(added=["a"])).raise_for_failed()
    outcome = run(["a", "b"], BulkAnswer(added=["a"], errors=[ItemError(track_id="b", error="Track not found")]))
    with pytest.raises(errors.FinetuningError, match=r"Added 1 of 2 track\(s\): b: Track not found"):
        outcome.raise_for_failed()
    with pytest.raises(errors.AnswerLostError):
        run(["a"], LOST).raise_for_failed()


def test_an_outcome_is_shown_with_its_reasons_counted_and_escaped() -> None:
    outcome = BulkOutcome("Deleted", ["a", "b", "c", "d"], ["a"], {"b": "<b>gone</b>", "c": "x", "d": "x"})
    assert repr(outcome) == "Deleted 1 of 4 track(s)\n  2 × x\n  1 × <b>gone</b>"
    assert outcome._repr_html_() == (
        "<div><b>Deleted 1 of 4 track(s)</b><ul><li>2 × x</li><li>1 × &lt;b&gt;gone&lt;/b&gt;</li></ul></div>"
    )
    assert BulkOutcome("Added", ["a"], ["a"])._repr_html_() == "<div><b>Added 1 of 1 track(s)</b></div>"


def test_the_table_of_failures_has_its_dtypes_when_it_is_empty() -> None:
    frame = BulkOutcome("Added", ["a"], ["a"]).failed
    assert {str(name): str(dtype) for name, dtype in frame.dtypes.items()} == {"id": "str", "error": "str"}
    assert BulkOutcome("Added", ["a"], not_attempted=["a"]).failed["error"].tolist() == [
        "not attempted: the batch ended before it"
    ]
