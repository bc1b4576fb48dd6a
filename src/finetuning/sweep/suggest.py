"""What to try next: points proposed from what was heard so far, within what may be spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from finetuning.errors import FinetuningError, NotEnoughCreditsError, ParameterError, SweepWarning
from finetuning.notices import warn
from finetuning.parameters import truth, whole

from .judging import Judging
from .points import Plan, points_frame
from .state import State
from .suggest_belief import Scale, believe, choose, spread
from .suggest_lessons import Lessons, lessons_of
from .suggest_space import Space, space_of
from .suggestion import Suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from finetuning.client.blocking import Client

__all__ = ["Suggesting", "Suggestion"]

#: Of these nothing will be heard.
_LOST = frozenset({"failed", "refused", "uncertain"})


class Suggesting(Judging):
    """A run that proposes what to try next."""

    _client: Client | None

    def suggest(
        self,
        n: int = 4,
        *,
        credits: int | None = None,  # noqa: A002 - what they are called everywhere
        value: Any = None,
        maximise: bool = True,
        random_state: Any = None,
        client: Client | None = None,
        **axes: Any,
    ) -> Suggestion:
        """Propose the next points, from what was heard so far.

        A Gaussian process over the axes learns from the takes that were judged; proposed are the points from which the
        greatest improvement is expected, one after the other, each as if those before it had been heard to be as
        expected. Points of the run that nobody has judged yet are taken to be as expected, too. What seeds do is
        chance to it. Where nothing was judged, the points are those farthest from all that the run has.

        Parameters
        ----------
        n
            How many.
        credits
            The most that they may cost, at one credit a point. What the account has left, and what the run may spend,
            bound them as well.
        value
            What to learn from: by default ratings (1 to 5; a rejected take counts as 1), or where there are none, blind
            comparisons. `"preference"` for those; a column of `frame`; a column that measuring adds, such as
            `"brightness"`; or a Series with a value a point.
        maximise
            Whether more of it is better.
        random_state
            For `numpy.random.default_rng`; the same gives the same points and seeds.
        client
            By default the run's; asked for what is left, and to measure.
        **axes
            What may be tried, instead of the values between (numeric axes) or among (others) those of the run:
            `bpm=range(60, 181)`. A parameter that all points share becomes an axis.

        Returns
        -------
        Suggestion
            `.run()`, or `run.extend(suggestion)`, makes them. Nothing is sent before.

        Raises
        ------
        ParameterError
            Nothing to choose along; a value or parameter that there is not.
        NotEnoughCreditsError
            Not even one point can be paid for.
        MissingExtraError
            scikit-learn is not installed.

        Warns
        -----
        SweepWarning
            Fewer points than asked for, since no more can be paid for.

        References
        ----------
        D. R. Jones, M. Schonlau and W. J. Welch (1998), "Efficient global optimization of expensive black-box
        functions", J. Global Optimization 13; for several at once D. Ginsbourger, R. Le Riche and L. Carraro (2010),
        "Kriging is well-suited to parallelize optimization". Comparisons are turned into strengths as in `ranking`.

        Examples
        --------
        >>> run.suggest(4, credits=10).run()  # doctest: +SKIP
        """
        run: Any = self
        client = self._client if client is None else run._need(client)
        maximise = truth("maximise", maximise)
        random = _generator(random_state)
        plan = self.plan
        state = self._ledger.state
        count = _affordable(_positive("n", n), credits, state, client)
        space, points = space_of(plan, axes, random)
        lessons = lessons_of(self, value, client)
        chosen, mean, std = _chosen(space, points, lessons, self.states, count, maximise, random)
        rows = _seeded([space.candidates[place] for place in chosen], space.names, points, plan, random)
        belief = points_frame([dict(zip(space.names, each, strict=True)) for each in space.candidates])
        belief = belief[space.names].reset_index(drop=True)
        belief["mean"], belief["std"] = mean, std
        belief["suggested"] = np.isin(np.arange(len(belief)), chosen)
        heard = points_frame([plan.values(int(point)) for point in lessons.points] or [plan.values(0)])
        measured = heard.iloc[: len(lessons.points)][[*space.names, "seed"]].copy()
        measured.index = _index(lessons.points)
        measured["rating"] = lessons.values
        shown = points_frame([Plan(fixed=plan.fixed, axes={}, points=rows).values(place) for place in range(len(rows))])
        return Suggestion(run, lessons.name, rows, shown, belief, measured)


def _chosen(
    space: Space,
    points: Sequence[tuple[Any, ...]],
    lessons: Lessons,
    states: Sequence[str],
    count: int,
    maximise: bool,
    random: np.random.Generator,
) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64]]:
    """Return the chosen candidates, and what is believed of all, in units of the value."""
    candidates = space.places(space.candidates)
    made = space.places(points)
    seed = int(random.integers(2**31))
    judged = set(lessons.points.tolist())
    unheard = [point for point, state in enumerate(states) if point not in judged and state not in _LOST]
    if not judged:
        unknown = np.full(len(candidates), np.nan)
        return spread(made[unheard], candidates, count), unknown, unknown
    scale = Scale.of(lessons.values, rated=lessons.name == "rating", maximise=maximise)
    heard = scale.sign * (lessons.values - scale.mean) / scale.unit
    belief = believe(made[lessons.points], heard, lessons.variance / scale.unit**2, seed)
    mean, std = belief.at(candidates)
    chosen = choose(belief.with_points(made[unheard]), candidates, count)
    return chosen, scale.mean + scale.sign * scale.unit * mean, scale.unit * std


def _seeded(
    chosen: Sequence[tuple[Any, ...]],
    names: Sequence[str],
    points: Sequence[tuple[Any, ...]],
    plan: Plan,
    random: np.random.Generator,
) -> list[dict[str, Any]]:
    """Give each point a seed of the run that was not tried there, so that takes can be compared; else a new one."""
    known = [plan.values(point) for point in range(len(plan))]
    seeds = list(dict.fromkeys(row["seed"] for row in known))
    used = {(point, row["seed"]) for point, row in zip(points, known, strict=True)}
    rows = []
    for place, point in enumerate(chosen):
        turned = [*seeds[place % len(seeds) :], *seeds[: place % len(seeds)]]
        seed = next((seed for seed in turned if (point, seed) not in used), None)
        while seed is None or (point, seed) in used:
            seed = int(random.integers(2**31))
        used.add((point, seed))
        kept = {name: value for name, value in plan.points[0].items() if name == "replicate"}
        rows.append(dict(zip(names, point, strict=True)) | kept | {"seed": seed})
    return rows


def _affordable(wanted: int, credits: int | None, state: State, client: Client | None) -> int:  # noqa: A002
    """Return how many points can be paid for, at most as many as are wanted."""
    bounds = {"are allowed": wanted if credits is None else whole("credits", credits)}
    ahead = len(state.points("waiting"))
    if state.max_credits is not None:
        bounds["the run may spend"] = state.max_credits - state.spent - ahead
    if client is not None:
        try:
            left = client.me().limits.total_remaining
        except FinetuningError:  # a suggestion is made without the service, too; making the points will tell
            left = None
        if left is not None:
            bounds["are left beside what the run is to make"] = left - ahead
    least = min(bounds, key=lambda name: bounds[name])
    count = max(0, bounds[least])
    if not count:
        raise NotEnoughCreditsError(
            f"No point can be paid for: {count} credits {least}.", hint="Nothing was sent. Pass more credits, or wait."
        )
    if count < wanted:
        warn(SweepWarning(f"{count:,} of {wanted:,} points are suggested: so many credits {least}."))
    return min(count, wanted)


def _positive(name: str, count: object) -> int:
    number = whole(name, count)
    if number < 1:
        raise ParameterError(f"{name}={number} is not 1 or more.", parameter=name, value=count)
    return number


def _generator(random_state: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as problem:
        raise ParameterError(
            f"random_state={random_state!r} cannot start a generator: {problem}.",
            parameter="random_state",
            value=random_state,
        ) from None


def _index(points: NDArray[np.int64]) -> pd.Index[int]:
    import pandas as pd

    return pd.Index(points, name="point")
