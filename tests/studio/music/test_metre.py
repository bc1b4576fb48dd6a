from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.studio.music.drums import DRUMS, GROOVES, choose_groove
from finetuning.studio.music.metre import GROUPS, STEPS, bar_hits, group_starts, slots, stress, swing
from finetuning.studio.music.streams import Streams

METRES = sorted(GROUPS)


@pytest.mark.parametrize(
    ("metre", "starts"), [(2, (0,)), (3, (0,)), (4, (0, 2)), (5, (0, 3)), (6, (0, 3)), (7, (0, 2, 4))]
)
def test_bars_group_as_players_count_them(metre: int, starts: tuple[int, ...]) -> None:
    assert group_starts(metre) == starts
    assert sum(GROUPS[metre]) == metre
    weights = [stress(beat, metre) for beat in range(metre)]
    assert weights[0] == max(weights)
    assert all(weights[s] > weights[s + 1] for s in starts)


def test_slots_fill_whole_bars() -> None:
    for metre in METRES:
        lengths, span = slots(metre)
        assert sum(lengths) == metre * span


@pytest.mark.parametrize("metre", METRES)
def test_a_backbeat_closes_every_group_in_every_metre(metre: int) -> None:
    snare = [place for place, _ in bar_hits(("....X...", "....X..."), metre, 0)]
    ends = [start + size - 1 for start, size in zip(group_starts(metre), GROUPS[metre], strict=True)]
    assert snare == ends
    hats = [place for place, _ in bar_hits(("x.o.x.o.", "x.o.x.o."), metre, 0)]
    assert hats == [step / 2 for step in range(2 * metre)]


def test_four_cells_make_two_bars() -> None:
    cells = ("X.......", "........", "....X...", "........")
    assert bar_hits(cells, 4, 0) == ((0.0, 1.0),)
    assert bar_hits(cells, 4, 1) == ((1.0, 1.0),)
    assert bar_hits(cells, 4, 2) == bar_hits(cells, 4, 0)


@pytest.mark.parametrize("name", sorted(GROOVES))
def test_grooves_are_well_formed(name: str) -> None:
    table = GROOVES[name]
    rows = [*table["beats"], table["more"], {table["time"]: table["keep"]}]
    for voice, cells in itertools.chain.from_iterable(row.items() for row in rows):
        assert voice in DRUMS
        assert all(len(cell) == 8 and set(cell) <= STEPS.keys() | {"."} for cell in cells)
    assert len(table["keep"]) == 3
    assert all(len(cells) % 2 == 0 for beat in table["beats"] for cells in beat.values())


@pytest.mark.parametrize("metre", [5, 7])
@pytest.mark.parametrize("name", sorted(GROOVES))
def test_the_kick_marks_the_groups_of_odd_metres(name: str, metre: int) -> None:
    for seed in range(4):
        groove = choose_groove(name, metre, Streams(seed, ""))
        assert set(map(float, group_starts(metre))) <= {place for place, _ in groove.hits("kick", seed)}


@given(st.floats(0, 200), st.floats(0, 200), st.floats(0, 0.2), st.sampled_from([0.5, 1.0]))
def test_swing_keeps_order_and_the_beat(a: float, b: float, amount: float, unit: float) -> None:
    low, high = sorted((a, b))
    assert swing(low, amount, unit) <= swing(high, amount, unit) + 1e-9
    assert swing(float(int(a)), amount, unit) == pytest.approx(int(a))
    assert swing(unit / 2, amount, unit) == pytest.approx(unit * (0.5 + amount))
