"""What is meant by a number: so many seeds, so many times."""

from __future__ import annotations

from typing import Any, Final

from finetuning.errors import ParameterError
from finetuning.parameters import whole

from .axes import Axis, read_axis
from .series import POINTS_MAX

__all__ = ["replicates_axis", "seeds_axis"]

#: Drawn seeds are below this, so that every reader of JSON and every column holds them.
_SEEDS: Final = 2**31


def seeds_axis(seed: object, random_state: object) -> Axis:
    """Read how many seeds to draw, and draw them; or the seeds themselves."""
    if seed is None or (getattr(seed, "ndim", 0) == 0 and hasattr(seed, "__index__")):
        count = 1 if seed is None else whole("seed", seed)
        if not 1 <= count <= POINTS_MAX:
            raise ParameterError(
                f"seed={seed} would draw {count:,} seeds; it says how many, 1 to {POINTS_MAX:,}.",
                parameter="seed",
                value=seed,
                hint=f"For the seed {count} itself write seed=[{count}].",
            )
        return Axis("seed", tuple(_draw(count, random_state)), swept=seed is not None)
    return read_axis("seed", seed)


def replicates_axis(replicate: object) -> Axis:
    """Read how many times to make each point, or the numbers of the times."""
    if getattr(replicate, "ndim", 0) == 0 and hasattr(replicate, "__index__"):
        count = whole("replicate", replicate)
        if not 1 <= count <= POINTS_MAX:
            raise ParameterError(
                f"replicate={count} is not 1 to {POINTS_MAX:,} times.", parameter="replicate", value=replicate
            )
        return Axis("replicate", tuple(range(1, count + 1)), swept=True)
    return read_axis("replicate", replicate)


def _draw(count: int, random_state: Any) -> list[int]:
    """Draw distinct seeds, one after the other, so that a larger count only adds to a smaller one."""
    import numpy as np

    try:
        generator = np.random.default_rng(random_state)
    except (TypeError, ValueError) as problem:
        raise ParameterError(
            f"random_state={random_state!r} cannot start a generator: {problem}.",
            parameter="random_state",
            value=random_state,
        ) from None
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        drawn[int(generator.integers(_SEEDS))] = None
    return list(drawn)
