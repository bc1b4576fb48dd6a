"""Whatever faults a schedule has, and wherever a run is stopped: each point is made once, paid once, and found."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

import finetuning as ft

from .books import Books, Kiln, acknowledged, events
from .clocks import VirtualClock
from .faults import DELIVERED, KINDS, REFUSED, Fault
from .proxy import Proxy
from .voyages import Stop, Voyage

pytestmark = [
    pytest.mark.filterwarnings("ignore::finetuning.errors.SweepWarning"),  # a pause is not what is asked here
]

FAULTS = st.lists(st.builds(Fault, st.sampled_from(KINDS), st.sampled_from(["create", "read", "any"])), max_size=12)
STOPS = st.lists(
    st.builds(
        Stop,
        st.sampled_from(["close", "cancel", "drop"]),
        st.integers(0, 10),
        st.sampled_from(["arrived", "answered"]),
    ),
    max_size=3,
)
#: How many tempi, seeds and replicates: 2 to 8 points.
SIZES = st.sampled_from([(1, 2), (2, 1), (1, 3), (1, 1, 2), (2, 2), (1, 5), (1, 2, 3), (3, 2), (1, 7), (2, 2, 2)])
Size = tuple[int, ...]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """What closed clients leave behind is told of here, not in the middle of another test."""
    yield
    gc.collect()


Sail = Callable[..., tuple[ft.SweepRun, ft.Sweep, int]]


@pytest.fixture(scope="session")
def sail(proxy: Proxy, silent: ft.studio.Studio, virtual: VirtualClock, books: Books, numbers: Iterator[int]) -> Sail:
    """Run a sweep of its own through faults and stops; returns the run, the sweep and the credits it cost."""

    def one(
        size: Size, faults: Sequence[Fault] = (), stops: Sequence[Stop] = (), policy: ft.Policy | None = None
    ) -> tuple[ft.SweepRun, ft.Sweep, int]:
        number = next(numbers)
        name, seeds = f"voyage {number}", 10 * number
        bpm, seed = [80, 100, 120][: size[0]], list(range(seeds, seeds + size[1]))
        replicate = size[2] if len(size) > 2 else None
        sweep = ft.Sweep(name, bpm=bpm, seed=seed, replicate=replicate, duration=5)
        before = books.spent
        run = Voyage(proxy, silent.api_key, virtual, sweep, name, policy).sail(faults, stops)
        return run, sweep, books.spent - before

    return one


def check_once(run: ft.SweepRun, books: Books, sweep: ft.Sweep, spent: int) -> None:
    """Nothing was made twice, nothing was paid that was not made, and nothing that was acknowledged is forgotten."""
    rows = books.rows(sweep.points.tags[0])
    assert len(rows) == spent
    wanted = Counter(zip(sweep.points.bpm, sweep.points.seed, strict=True))  # more than one where they are replicates
    made = Counter((row.bpm, row.seed) for row in rows)
    assert made <= wanted, "a point was made twice"
    named = acknowledged(run.path)
    assert all(len(ids) == 1 for ids in named.values()), "a point has two generations"
    shown = run.frame.id.dropna()
    assert {id_ for ids in named.values() for id_ in ids} <= set(shown)
    assert shown.is_unique
    assert set(shown) <= {row.id for row in rows}


def check_journal(run: ft.SweepRun) -> None:
    """It begins as it should, tells an intent before each answer, and reads as the run does."""
    lines = events(run.path)
    assert [line["kind"] for line in lines].count("began") == 1
    assert lines[0]["kind"] == "began"
    intended: set[int] = set()
    for line in lines:
        if line["kind"] == "intent":
            intended.add(line["point"])
        assert "generation" not in line or line["point"] in intended
    what = ["point", "seed", "id", "state"]
    pd.testing.assert_frame_equal(ft.SweepRun.load(run.name).frame.reset_index()[what], run.frame.reset_index()[what])


def check_all(run: ft.SweepRun, sweep: ft.Sweep, books: Books, spent: int) -> None:
    """All points are there, each once."""
    check_journal(run)
    check_once(run, books, sweep, spent)
    assert run.frame.state.tolist() == ["completed"] * len(sweep), run.frame.error_message.tolist()
    rows = books.rows(sweep.points.tags[0])
    assert {row.id for row in rows} == set(run.frame.id)
    assert spent == len(sweep)
    made = {row.id: (row.bpm, row.seed) for row in rows}
    asked = list(zip(sweep.points.bpm, sweep.points.seed, strict=True))
    assert run.frame.id.map(made).tolist() == asked, "a point has another's generation"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(size=SIZES, faults=FAULTS)
def test_each_point_is_made_and_paid_once_whatever_goes_wrong(
    sail: Sail, books: Books, size: Size, faults: list[Fault]
) -> None:
    note(f"{size}, {faults}")
    run, sweep, spent = sail(size, faults)
    check_all(run, sweep, books, spent)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(size=(1, 3), faults=[], stops=[Stop("close", 2, "arrived")])
@example(size=(1, 3), faults=[], stops=[Stop("close", 2, "answered")])
# Both replicates are lost, the second after the first is in the library: each is only one of the two rows.
@example(size=(1, 1, 2), faults=[], stops=[Stop("close", 2, "arrived")] * 2)
@given(size=SIZES, faults=FAULTS, stops=STOPS)
def test_a_run_that_is_stopped_goes_on_and_pays_nothing_twice(
    sail: Sail, books: Books, size: Size, faults: list[Fault], stops: list[Stop]
) -> None:
    note(f"{size}, {faults}, {stops}")
    run, sweep, spent = sail(size, faults, stops)
    check_all(run, sweep, books, spent)


@pytest.mark.parametrize("on", ["create", "read"])
@pytest.mark.parametrize("kind", KINDS[1:])
def test_each_fault_alone_and_three_times_in_a_row(sail: Sail, books: Books, proxy: Proxy, kind: str, on: Any) -> None:
    for times in (1, 3):
        run, sweep, spent = sail((1, 4), [Fault(kind, on)] * times)
        hit = [each for each in proxy.log if each.fault == kind]
        assert [each.delivered for each in hit] == [kind not in REFUSED] * times
        check_all(run, sweep, books, spent)


def test_an_answer_that_never_comes_is_looked_for(sail: Sail, books: Books) -> None:
    # The one wait that takes real time: whether a socket stays silent only the machine's clock can say.
    run, sweep, spent = sail((1, 3), [Fault("hang", "create")], policy=ft.Policy(timeout=2))
    check_all(run, sweep, books, spent)


@pytest.mark.parametrize("kind", DELIVERED)
def test_while_the_listing_cannot_be_read_nothing_is_sent_again(
    sail: Sail, books: Books, proxy: Proxy, silent: ft.studio.Studio, virtual: VirtualClock, kind: str
) -> None:
    proxy.always = Fault("html_502_before")
    try:
        run, sweep, spent = sail((1, 4), [Fault("pass", "create"), Fault(kind, "create")])
    finally:
        proxy.always = None
    check_journal(run)
    check_once(run, books, sweep, spent)
    assert run.frame.state[1] not in ("completed", "generating"), "nobody can know of it"
    creates = [each for each in proxy.log if each.creates]
    assert len(creates) == spent
    # When the listing is back, what was lost is found, and the rest is made.
    with ft.Client(silent.api_key, proxy.url, clock=virtual, progress=False) as client:
        before = books.spent
        run = ft.SweepRun.load(run.name, client).resume()
        check_all(run, sweep, books, spent + books.spent - before)


def test_a_listing_that_does_not_echo_the_seed_decides_nothing(sail: Sail, books: Books, proxy: Proxy) -> None:
    proxy.edit = lambda row: row["parameters"].pop("seed", None)
    try:
        run, sweep, spent = sail((1, 3), [Fault("pass", "create"), Fault("lost", "create")])
    finally:
        proxy.edit = None
    check_once(run, books, sweep, spent)
    assert spent == 3
    assert run.frame.state.tolist() == ["completed", "uncertain", "completed"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_others_make_of_the_same_seed_leaves_no_doubt(
    sail: Sail,
    books: Books,
    silent: ft.studio.Studio,
    proxy: Proxy,
    numbers: Iterator[int],
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    # In the same second, which is as fine as the listing tells times, and on another machine, whose journals are not
    # to be had here. The tags are what tells the two apart.
    tags, seed = f"something else {when}", 10 * (next(numbers) + 1)

    def make() -> None:
        with ft.Client(silent.api_key, silent.url, progress=False) as other:
            other.generate(tags, bpm=80, seed=seed, duration=5, wait=False)

    def meanwhile(method: str, path: str) -> None:
        if any(each.creates for each in proxy.log) and not books.rows(tags):
            make()
        finish(method, path)

    finish = proxy.before
    if when == "before":
        make()
    else:
        monkeypatch.setattr(proxy, "before", meanwhile)
    run, sweep, spent = sail((1, 2), [Fault("reset_before", "create")])
    assert (len(books.rows(tags)), seed) == (1, sweep.points.seed[0])
    check_all(run, sweep, books, spent - (when == "meanwhile"))


@pytest.mark.parametrize("hours", [-30, 30])
def test_the_clocks_of_service_and_client_need_not_agree(
    tmp_path: Path, virtual: VirtualClock, numbers: Iterator[int], hours: int
) -> None:
    name = f"voyage {next(numbers)}"
    sweep = ft.Sweep(name, bpm=80, seed=[1, 2, 3], duration=5)
    faults = [Fault(kind, "create") for kind in ("lost", "pass", "reset_before", "html_502_after")]
    with (
        ft.studio.Studio(tmp_path / "studio", workers=0, clock=lambda: time.time() + hours * 3600) as studio,
        Proxy(studio.url, Kiln(studio.data_dir).fire) as proxy,
    ):
        run = Voyage(proxy, studio.api_key, virtual, sweep, name).sail(faults)
        books = Books(studio.data_dir)
        check_all(run, sweep, books, books.spent)
