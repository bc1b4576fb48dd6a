"""The cheapest way through all points: exact for a few, improved step by step for many; always the same answer.

The costs are those of going from point to point, and of a point's standing at a place in the order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["EXACT", "cost_of", "shortest_path"]

#: Up to so many points the answer is the best there is.
EXACT: Final = 12
#: So many points begin a path each, of which the best is kept.
_STARTS: Final = 8
#: The more points, the fewer starts: so many pairs are looked at for all of them together.
_WORK: Final = 80_000
#: A change must gain more than rounding does.
_GAIN: Final = 1e-9
#: The longest stretch that is moved as one.
_STRETCH: Final = 3


def cost_of(path: NDArray[np.intp], costs: NDArray[np.float64], standing: NDArray[np.float64]) -> float:
    """Add up a path: its steps, and each point's standing where it does."""
    return float(costs[path[:-1], path[1:]].sum() + standing[path, np.arange(len(path))].sum())


def shortest_path(
    costs: NDArray[np.float64], standing: NDArray[np.float64] | None = None, start: int | None = None
) -> NDArray[np.intp]:
    """Find a cheap path through all points, open at its end.

    Parameters
    ----------
    costs
        Shape (n, n): of going from one to another; the same in both directions.
    standing
        Shape (n, n): of point i being the j-th.
    start
        Where to begin; anywhere where none is given.

    Returns
    -------
    ndarray of int, shape (n,)
        The best there is up to `EXACT` points. Beyond, the best of several paths to the nearest neighbour and of the
        order given, each improved by turning stretches round and by moving short ones until neither gains. Never
        dearer than the order given (with `start` in front).

    References
    ----------
    M. Held and R. M. Karp (1962), "A dynamic programming approach to sequencing problems", J. SIAM 10 (1);
    G. A. Croes (1958), "A method for solving traveling-salesman problems", Operations Research 6 (6), for 2-opt;
    I. Or (1976), thesis, Northwestern University, for the moving of short stretches.
    """
    n = len(costs)
    if standing is None:
        standing = np.zeros((n, n))
    if n <= EXACT:
        return _exact(costs, standing, start)
    given = np.arange(n)
    if start is not None:
        given = np.concatenate([[start], np.delete(given, start)])
    starts = max(1, min(_STARTS, _WORK // n**2))
    firsts = [start] if start is not None else np.unique(np.linspace(0, n - 1, starts).astype(int)).tolist()
    paths = [_nearest(costs, standing, first) for first in firsts]
    if len(firsts) == _STARTS or start is not None:
        paths.insert(0, given)
    better = [given, *(_improved(path, costs, standing, fixed=start is not None) for path in paths)]
    totals = [cost_of(path, costs, standing) for path in better]
    return better[int(np.argmin(totals))]


def _exact(costs: NDArray[np.float64], standing: NDArray[np.float64], start: int | None) -> NDArray[np.intp]:
    n = len(costs)
    if n == 0:
        return np.arange(0)
    best = np.full((1 << n, n), np.inf)
    before = np.full((1 << n, n), -1, dtype=np.intp)
    for first in range(n) if start is None else [start]:
        best[1 << first, first] = standing[first, 0]
    for visited in range(1, 1 << n):
        count = visited.bit_count()
        if count == n or not np.isfinite(best[visited]).any():
            continue
        through = best[visited][:, None] + costs
        cheapest = through.argmin(axis=0)
        for point in range(n):
            if visited >> point & 1:
                continue
            total = through[cheapest[point], point] + standing[point, count]
            after = visited | 1 << point
            if total < best[after, point] - _GAIN:
                best[after, point], before[after, point] = total, cheapest[point]
    visited = (1 << n) - 1
    path = [int(best[visited].argmin())]
    while len(path) < n:
        last = path[-1]
        path.append(int(before[visited, last]))
        visited ^= 1 << last
    return np.array(path[::-1])


def _nearest(costs: NDArray[np.float64], standing: NDArray[np.float64], first: int) -> NDArray[np.intp]:
    n = len(costs)
    path, left = [first], np.ones(n, dtype=bool)
    left[first] = False
    for place in range(1, n):
        price = np.where(left, costs[path[-1]] + standing[:, place], np.inf)
        path.append(int(price.argmin()))
        left[path[-1]] = False
    return np.array(path)


def _improved(
    path: NDArray[np.intp], costs: NDArray[np.float64], standing: NDArray[np.float64], *, fixed: bool
) -> NDArray[np.intp]:
    """Take the changes that gain most, as many at once as do not touch, until none gains; each gains, so it ends."""
    kinds: list[Callable[..., Gains]] = [_turns]
    kinds += [partial(_moves, length=length) for length in range(1, _STRETCH + 1)]
    while True:
        made = (_taken(path, *kind(path, costs, standing, fixed)) for kind in kinds)
        gain, changed = max(made, key=lambda pair: pair[0])
        if gain <= _GAIN:
            return path
        path = changed


def _taken(
    path: NDArray[np.intp], gain: NDArray[np.float64], change: Callable[[int, int], tuple[int, NDArray[np.intp]]]
) -> tuple[float, NDArray[np.intp]]:
    """Make the best changes that are apart from one another: then what each gains is what it gains alone.

    Parameters
    ----------
    gain
        Of each change, by its two numbers.
    change
        Returns, of a change, the first place that it touches and the points that then stand from there on.
    """
    partner = gain.argmax(axis=1)
    best = gain[np.arange(len(gain)), partner]
    total, changed, busy = 0.0, path.copy(), np.zeros(len(path) + 2, dtype=bool)
    for row in np.argsort(-best, kind="stable"):
        if best[row] <= _GAIN:
            break
        low, points = change(int(row), int(partner[row]))
        span = np.s_[low : low + len(points) + 2]  # with the neighbours, to which its steps lead
        if not busy[span].any():
            busy[span] = True
            changed[low : low + len(points)] = points
            total += float(best[row])
    return total, changed


def _framed(path: NDArray[np.intp], costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return costs by place along the path, with free steps from and to a place outside at both ends."""
    n = len(path)
    framed = np.zeros((n + 2, n + 2))
    framed[1:-1, 1:-1] = costs[np.ix_(path, path)]
    return framed


#: What each change gains, by its two numbers, and how it is made.
Gains: TypeAlias = tuple["NDArray[np.float64]", "Callable[[int, int], tuple[int, NDArray[np.intp]]]"]


def _turns(path: NDArray[np.intp], costs: NDArray[np.float64], standing: NDArray[np.float64], fixed: bool) -> Gains:
    """Say what turning each stretch round gains."""
    n = len(path)
    framed = _framed(path, costs)
    steps = np.diagonal(framed, 1)
    # Place k of the path is k + 1 in the frame: the stretch i…j is between i and j + 2 there.
    gain = steps[:n, None] + steps[None, 1:] - framed[:n, 1:-1] - framed[1:-1, 2:]
    if standing.any():
        here = standing[path]
        now = np.concatenate([[0.0], np.cumsum(np.diagonal(here))])
        turned = np.zeros((n + 1, n + 1))  # of the stretch i…j: what its points cost at each other's places
        both = here + here.T
        turned[np.arange(n), np.arange(n)] = np.diagonal(here)
        for length in range(1, n):
            i = np.arange(n - length)
            inner = turned[i + 1, i + length - 1] if length > 1 else 0.0
            turned[i, i + length] = inner + both[i, i + length]
        gain = gain + (now[None, 1:] - now[:-1, None]) - turned[:n, :n]
    gain = np.where(np.tri(n, dtype=bool).T, gain, -np.inf)
    np.fill_diagonal(gain, 0.0)
    if fixed:
        gain[0] = 0.0
    return gain, lambda i, j: (i, path[i : j + 1][::-1])


def _moves(
    path: NDArray[np.intp], costs: NDArray[np.float64], standing: NDArray[np.float64], fixed: bool, length: int
) -> Gains:
    """Say what moving each stretch of this length into each gap gains."""
    n = len(path)
    framed = _framed(path, costs)
    steps = np.diagonal(framed, 1)
    i = np.arange(n - length + 1)  # the stretch is i … i + length - 1
    closed = framed[i, i + length + 1]  # what joins its neighbours
    saved = steps[i] + steps[i + length] - closed
    gap = np.arange(n + 1)  # into the step between the places gap - 1 and gap
    opened = framed[gap[None, :], i[:, None] + 1] + framed[i[:, None] + length, gap[None, :] + 1] - steps[None, :]
    gain = saved[:, None] - opened
    inside = (gap[None, :] >= i[:, None]) & (gap[None, :] <= i[:, None] + length)
    if standing.any():
        gain = gain - _standing_change(standing[path], i, gap, length)
    gain = np.where(inside, 0.0, gain)
    if fixed:
        gain[0], gain[:, 0] = 0.0, 0.0

    def change(at: int, to: int) -> tuple[int, NDArray[np.intp]]:
        stretch = path[at : at + length]
        if to > at:
            return at, np.concatenate([path[at + length : to], stretch])
        return to, np.concatenate([stretch, path[to:at]])

    return gain, change


def _standing_change(
    here: NDArray[np.float64], i: NDArray[np.intp], gap: NDArray[np.intp], length: int
) -> NDArray[np.float64]:
    """Say what moving the stretch at i into a gap changes in the cost of standing."""
    n = len(here)
    at = np.arange(n)
    own = np.diagonal(here)

    def shifted(by: int) -> NDArray[np.float64]:
        """Sum from the start what it costs that each point stands `by` places on."""
        inside = (at + by >= 0) & (at + by < n)
        change = np.where(inside, here[at, np.clip(at + by, 0, n - 1)] - own, 0.0)
        return np.concatenate([[0.0], np.cumsum(change)])

    back, on = shifted(-length), shifted(length)
    later = back[gap][None, :] - back[i + length][:, None]  # those jumped over come earlier
    earlier = on[i][:, None] - on[gap][None, :]
    target = np.where(gap[None, :] > i[:, None], gap[None, :] - length, gap[None, :])
    change = np.where(gap[None, :] > i[:, None], later, earlier)
    for offset in range(length):
        place = np.clip(target + offset, 0, n - 1)
        change = change + here[(i + offset)[:, None], place] - own[i + offset][:, None]
    return change
