"""Bars of two to seven quarter notes: how they group, where they are strong, and rhythms that fit all of them.

A rhythm is written as *cells*: strings of eight sixteenths, which is two beats. A group of two beats takes a cell as
it is; a group of three gets a beat in the middle that keeps the time (whatever repeats on every beat goes on there,
what marks the group's first or last beat does not). Five beats are 3 + 2 and seven are 2 + 2 + 3, so that one set of
cells gives every metre a groove with its accents in the right places.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

__all__ = ["GROUPS", "bar_hits", "group_starts", "paced_hits", "slots", "stress", "swing"]

GROUPS: dict[int, tuple[int, ...]] = {2: (2,), 3: (3,), 4: (2, 2), 5: (3, 2), 6: (3, 3), 7: (2, 2, 3)}
"""Beats a group, by beats a bar."""

SLOTS: dict[int, tuple[tuple[int, ...], int]] = {
    2: ((4,), 2),
    3: ((3,), 1),
    4: ((4,), 1),
    5: ((5,), 1),
    6: ((3, 3), 1),
    7: ((4, 3), 1),
}

STEPS = {"X": 1.0, "x": 0.82, "o": 0.62, "g": 0.42}


def slots(metre: int) -> tuple[tuple[int, ...], int]:
    """Lengths in beats of the stretches that carry one chord each, and the bars that they span together."""
    return SLOTS[metre]


@cache
def group_starts(metre: int) -> tuple[int, ...]:
    """Beats on which the groups of a bar begin."""
    starts, beat = [], 0
    for size in GROUPS[metre]:
        starts.append(beat)
        beat += size
    return tuple(starts)


def stress(beat: float, metre: int) -> float:
    """Metrical weight, 0.55 to 1, of a place in the bar (in beats from its start)."""
    if beat % 1 < 1e-6:
        whole = round(beat)
        return 1.0 if whole == 0 else 0.9 if whole in group_starts(metre) else 0.8
    return 0.68 if beat % 0.5 < 1e-6 else 0.55


def stretch(cell: str) -> str:
    """Make a cell of two beats one of three: the inner beat keeps only what sounds on both of the others."""
    first, last = cell[:4], cell[4:]
    inner = "".join(min(a, b, key=lambda c: STEPS.get(c, 0.0)) for a, b in zip(first, last, strict=True))
    return first + inner + last


@lru_cache(4096)
def bar_hits(cells: Sequence[str], metre: int, bar: int) -> tuple[tuple[float, float], ...]:
    """Places (in beats from the start of the bar) and strengths of a rhythm.

    Two cells make a pattern of one bar, four a pattern of two bars; the first of a pair opens the bar, the second
    serves its other groups.
    """
    pair = cells[2 * (bar % (len(cells) // 2)) :][:2]
    hits: list[tuple[float, float]] = []
    for index, (start, size) in enumerate(zip(group_starts(metre), GROUPS[metre], strict=True)):
        cell = pair[min(index, 1)]
        steps = cell if size == 2 else stretch(cell)
        hits.extend((start + step / 4, STEPS[mark]) for step, mark in enumerate(steps) if mark in STEPS)
    return tuple(hits)


def paced_hits(cells: Sequence[str], metre: int, bar: int, pace: float) -> tuple[tuple[float, float], ...]:
    """Play a rhythm at its own speed, at half of it or at twice, without leaving the bars.

    Parameters
    ----------
    cells : sequence of str
        The rhythm, as ``bar_hits`` takes it.
    metre, bar : int
        Beats a bar, and which bar.
    pace : float
        1.0 as written. At 0.5 a cell lasts a whole bar, its second half from the bar's last group on (a bar of two
        beats is half a cell): the backbeat comes once a bar. At 2.0 a cell lasts a beat, and every group begins with
        the first of the pair.
    """
    return (
        _slow(tuple(cells), metre, bar)
        if pace < 1
        else _fast(tuple(cells), metre, bar)
        if pace > 1
        else bar_hits(tuple(cells), metre, bar)
    )


@lru_cache(4096)
def _slow(cells: tuple[str, ...], metre: int, bar: int) -> tuple[tuple[float, float], ...]:
    if metre == 2:
        cell = cells[bar // 2 % len(cells)]
        steps = cell[4:] if bar % 2 else cell[:4]
        return tuple((step / 2, STEPS[mark]) for step, mark in enumerate(steps) if mark in STEPS)
    cell = cells[bar % len(cells)]
    turn = group_starts(metre)[-1] or 2
    # what keeps time, and so does the same in both halves, goes on through a third and a fourth beat
    alike = [mark in STEPS for mark in cell[:4]] == [mark in STEPS for mark in cell[4:]]
    hits = []
    for start, end, steps in ((0, turn, cell[:4]), (turn, metre, cell[4:])):
        row = (steps * (1 + alike))[: 2 * (end - start)]
        hits += [(start + step / 2, STEPS[mark]) for step, mark in enumerate(row) if mark in STEPS]
    return tuple(hits)


@lru_cache(4096)
def _fast(cells: tuple[str, ...], metre: int, bar: int) -> tuple[tuple[float, float], ...]:
    pair = cells[2 * (bar % (len(cells) // 2)) :][:2]
    return tuple(
        (start + beat + step / 8, STEPS[mark])
        for start, size in zip(group_starts(metre), GROUPS[metre], strict=True)
        for beat in range(size)
        for step, mark in enumerate(pair[beat % 2])
        if mark in STEPS
    )


def swing(beat: float, amount: float, unit: float) -> float:
    """Delay the off-beats of a unit (1.0: swung eighths, 0.5: swung sixteenths) by ``amount`` units, smoothly."""
    whole, rest = divmod(beat / unit, 1.0)
    bent = rest * (1 + 2 * amount) if rest < 0.5 else 0.5 + amount + (rest - 0.5) * (1 - 2 * amount)
    return float((whole + bent) * unit)
