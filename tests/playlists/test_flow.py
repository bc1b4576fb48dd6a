"""An order is one of the rows given, never dearer than theirs, and the best where that can be known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from finetuning import errors
from finetuning.playlists import flow
from finetuning.playlists.paths import EXACT, cost_of, shortest_path
from finetuning.playlists.wheel import Place, key_steps, place_of, tempo_changes
from finetuning.records import KEYS, SCALES

from .conftest import World

#: The wheel as it is printed.
PRINTED = {
    "1A": "G# minor", "2A": "D# minor", "3A": "A# minor", "4A": "F minor", "5A": "C minor", "6A": "G minor",
    "7A": "D minor", "8A": "A minor", "9A": "E minor", "10A": "B minor", "11A": "F# minor", "12A": "C# minor",
    "1B": "B major", "2B": "F# major", "3B": "C# major", "4B": "G# major", "5B": "D# major", "6B": "A# major",
    "7B": "F major", "8B": "C major", "9B": "G major", "10B": "D major", "11B": "A major", "12B": "E major",
}  # fmt: skip


def frame(*rows: tuple[Any, ...], **more: Any) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["bpm", "key", "scale"]).assign(**more)
    return made.assign(id=[f"t{place}" for place in range(len(made))])


@pytest.mark.parametrize(("code", "name"), PRINTED.items())
def test_the_wheel_is_the_one_that_is_printed(code: str, name: str) -> None:
    place = place_of(100, *name.split())
    assert isinstance(place, Place)
    assert (place.code, place.bpm) == (code, 100)


def test_flats_are_understood_and_what_is_no_key_is_not() -> None:
    assert place_of(100, "Bb", "minor") == place_of(100, "A♯", "minor") == Place(3, True, 100)
    assert place_of(100, "H", "minor") == "no key"
    assert place_of(100, "C", "dorian") == place_of(100, "C", None) == place_of(100, "C", pd.NA) == "no scale"


def test_neighbours_on_the_wheel_are_one_step_apart() -> None:
    places = [place_of(100, *PRINTED[code].split()) for code in ("8A", "9A", "7A", "8B", "9B", "2A", "12A")]
    assert [place for place in places if isinstance(place, str)] == []
    steps = key_steps([place for place in places if isinstance(place, Place)])
    assert steps[0].tolist() == [0, 1, 1, 1, 2, 6, 4]
    assert (steps == steps.T).all()


def test_half_and_double_tempo_are_the_same_tempo() -> None:
    places = [Place(8, False, bpm) for bpm in (80, 160, 40, 80 * 2 ** (1 / 12), 120)]
    assert tempo_changes(places)[0] == pytest.approx([0, 0, 0, 1, -4.98], abs=1e-3)  # down a fourth is nearer
    assert np.abs(tempo_changes(places)).max() <= 6


def test_it_goes_round_the_wheel() -> None:
    mixed = frame(
        (100, "D", "major"), (100, "C", "major"), (100, "E", "major"), (100, "G", "major"), (100, "A", "major")
    )
    ordered = flow(mixed, "t1")
    assert list(ordered.camelot) == ["8B", "9B", "10B", "11B", "12B"]
    assert ordered.key_step.tolist()[1:] == [1, 1, 1, 1]
    assert np.isnan(ordered.step_cost.iloc[0])
    assert ordered.tempo_step.tolist()[1:] == [0, 0, 0, 0]
    assert list(ordered.index) == [1, 3, 0, 4, 2]


def test_tempo_counts_as_much_as_it_is_told_to() -> None:
    mixed = frame((100, "C", "major"), (106, "C", "major"), (100, "G", "major"))
    heavy, light = flow(mixed, "t0", tempo_weight=10), flow(mixed, "t0", tempo_weight=0)
    assert list(heavy.id) == ["t0", "t2", "t1"]
    assert list(light.id) == ["t0", "t1", "t2"]
    assert light.step_cost.sum() == 1
    assert heavy.tempo_step.iloc[-1] == pytest.approx(0.06)


def test_what_was_measured_goes_before_what_was_asked_for_row_by_row() -> None:
    measured = frame(
        (100, "C", "major"), (100, "C", "major"),
        measured_bpm=[120.0, np.nan], measured_key=["A", "G"], measured_scale=["minor", None],
    )  # fmt: skip
    assert sorted(flow(measured).camelot) == ["8A", "8B"]  # a tonic without its scale is no key
    assert set(flow(measured, measured=False).camelot) == {"8B"}
    assert abs(flow(measured).tempo_step.iloc[1]) > 0.1


def test_rows_without_a_place_stand_at_the_end_and_say_why() -> None:
    odd = frame(
        (None, "C", "major"),
        (90, "C", "major"),
        (90, None, "major"),
        (90, "C", None),
        (-4, "C", "major"),
        ("x", "D", "minor"),
    )
    ordered = flow(odd)
    assert list(ordered.id) == ["t1", "t0", "t2", "t3", "t4", "t5"]
    assert list(ordered.flow_reason.fillna("")) == ["", "no tempo", "no key", "no scale", "no tempo", "no tempo"]
    assert ordered.step_cost.isna().all()
    assert ordered.camelot.notna().sum() == 1


def test_an_arc_bends_the_order_to_the_energy() -> None:
    loud = frame(*[(100, "C", "major")] * 9, loudness=[-10, -20, -14, -12, -18, -16, -11, -13, -19])
    assert flow(loud, arc="rise").loudness.is_monotonic_increasing
    assert flow(loud, arc="fall").loudness.is_monotonic_decreasing
    arch = flow(loud, arc="arch").loudness.tolist()
    assert arch.index(-10) in (3, 4, 5)
    many = frame(*[(100, "C", "major")] * 30, onset_density=np.random.default_rng(1).permutation(30).astype(float))
    assert flow(many, arc="rise").onset_density.corr(pd.Series(range(30), index=flow(many, arc="rise").index)) > 0.95
    with pytest.raises(errors.ParameterError, match="loudness or onset_density"):
        flow(frame((100, "C", "major")), arc="rise")


def test_arguments_that_make_no_sense_are_refused() -> None:
    one = frame((100, "C", "major"), (None, "C", "major"))
    for arguments, problem in [
        ({"start": "nobody"}, "none of these"),
        ({"start": "t1"}, "no tempo"),
        ({"arc": "up"}, "rise, fall, arch"),
        ({"tempo_weight": -1}, "from 0"),
        ({"tempo_weight": "x"}, "from 0"),
        ({"tempo_weight": None}, "from 0"),
    ]:
        with pytest.raises(errors.ParameterError, match=problem):
            flow(one, **arguments)  # type: ignore[arg-type]
    with pytest.raises(errors.ParameterError, match="not a DataFrame"):
        flow(["t0"])  # type: ignore[arg-type]
    with pytest.raises(errors.ParameterError, match="2,001 tracks"):
        flow(frame(*[(100, "C", "major")] * 2001))


def test_an_energy_that_is_no_number_is_none() -> None:
    three = frame(*[(100, "C", "major")] * 3)
    with pytest.raises(errors.ParameterError, match="needs a column"):
        flow(three.assign(loudness="loud"), arc="rise")
    mixed = three.assign(loudness=pd.Series(["loud", -9.0, -20.0], index=three.index, dtype=object))
    assert len(flow(mixed, arc="rise")) == 3
    onsets = three.assign(loudness="loud", onset_density=[3.0, 1.0, 2.0])
    assert flow(onsets, arc="rise").onset_density.tolist() == [1.0, 2.0, 3.0]


def test_frames_without_rows_or_columns_come_back() -> None:
    assert list(flow(pd.DataFrame()).columns) == ["camelot", "key_step", "tempo_step", "step_cost", "flow_reason"]
    assert flow(frame((100, "C", "major"))).camelot.tolist() == ["8B"]
    assert flow(pd.DataFrame({"id": ["a", "b"]})).flow_reason.tolist() == ["no tempo", "no tempo"]


def test_a_library_of_the_service_can_be_ordered_again(world: World, frame: pd.DataFrame) -> None:
    ordered = flow(frame, world.takes[0])
    assert sorted(ordered.id) == sorted(frame.id)
    again = flow(ordered, world.takes[0])
    assert list(again.columns) == list(ordered.columns)
    assert ordered.step_cost.sum() == pytest.approx(again.step_cost.sum())


ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(60, 200)),
        st.one_of(st.none(), st.sampled_from(KEYS)),
        st.one_of(st.none(), st.sampled_from(SCALES)),
    ),
    max_size=40,
)


@settings(max_examples=40)
@given(rows=ROWS)
def test_it_is_a_permutation_never_worse_than_the_order_given_and_always_the_same(rows: list[tuple[Any, ...]]) -> None:
    given_ = frame(*rows)
    ordered = flow(given_)
    assert sorted(ordered.id) == sorted(given_.id)
    places = [place for row in rows if isinstance(place := place_of(*row), Place)]
    costs = key_steps(places) + np.abs(tempo_changes(places)) if places else np.zeros((0, 0))
    assert ordered.step_cost.sum() <= np.diagonal(costs, 1).sum() + 1e-9
    pd.testing.assert_frame_equal(ordered, flow(given_))


def costs_of(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    points = rng.random((n, 2))
    return np.abs(points[:, None] - points[None]).sum(-1), rng.random((n, n))


@given(n=st.integers(1, 6), seed=st.integers(0, 10**6), fixed=st.booleans(), standing=st.booleans())
def test_few_points_are_gone_through_on_the_cheapest_path(n: int, seed: int, fixed: bool, standing: bool) -> None:
    costs, places = costs_of(n, seed)
    start = 0 if fixed else None
    found = shortest_path(costs, places if standing else None, start)
    places = places if standing else np.zeros((n, n))
    all_ = (np.array(path) for path in itertools.permutations(range(n)) if not fixed or path[0] == 0)
    assert cost_of(found, costs, places) == pytest.approx(min(cost_of(path, costs, places) for path in all_))


@settings(max_examples=30)
@given(n=st.integers(EXACT + 1, 40), seed=st.integers(0, 10**6), fixed=st.booleans(), standing=st.booleans())
def test_many_points_are_gone_through_on_a_path_that_no_small_change_betters(
    n: int, seed: int, fixed: bool, standing: bool
) -> None:
    costs, places = costs_of(n, seed)
    places = places if standing else np.zeros((n, n))
    start = n // 2 if fixed else None
    found = shortest_path(costs, places, start)
    assert sorted(found) == list(range(n))
    assert not fixed or found[0] == start
    total = cost_of(found, costs, places)
    first = 1 if fixed else 0
    for i, j in itertools.combinations(range(first, n), 2):
        turned = found.copy()
        turned[i : j + 1] = found[i : j + 1][::-1]
        assert cost_of(turned, costs, places) >= total - 1e-6
        moved = np.insert(np.delete(found, i), j, found[i])
        assert cost_of(moved, costs, places) >= total - 1e-6


def test_the_approximation_is_near_the_optimum_where_that_is_known() -> None:
    ratios = []
    for seed in range(12):
        costs, none = costs_of(EXACT, seed)
        exact = cost_of(shortest_path(costs), costs, none * 0)
        # A thirteenth point in the place of the first costs nothing to visit and makes the approximation do it.
        wider = costs[np.ix_([0, *range(EXACT)], [0, *range(EXACT)])]
        ratios.append(cost_of(shortest_path(wider), wider, np.zeros_like(wider)) / exact)
    assert np.mean(ratios) <= 1.03
    assert max(ratios) <= 1.1
