"""What a panel says of its inputs: points, credits, time, and which buttons can be pressed; with the reason if not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finetuning.errors import ParameterError
from finetuning.sweep.points import Plan

from .estimate import Pace, credits_line, refusal, time_line
from .form import Reading
from .growth import Growth, growth

__all__ = ["Standing", "Verdict", "judge"]


@dataclass(frozen=True)
class Standing:
    """Where the run of a panel stands.

    Attributes
    ----------
    name
        The run's.
    plan
        What it is to make.
    running, done
        Whether it goes on in this process; whether nothing is left to send or to wait for.
    uncertain
        Points of which nobody knows whether they were paid for; resuming looks for them once more.
    """

    name: str
    plan: Plan
    running: bool
    done: bool
    uncertain: int


@dataclass(frozen=True)
class Verdict:
    """A judgement of the inputs as they stand.

    Attributes
    ----------
    shown
        What the page shows, JSON.
    may
        By button (`run`, `cancel`, `resume`, `extend`), why it cannot be pressed; None where it can.
    growth
        What extending would add, where it would add anything.
    """

    shown: dict[str, Any]
    may: dict[str, str | None]
    growth: Growth | None


def judge(
    reading: Reading, wanted: Plan | None, standing: Standing | None, *, left: int | None, pace: Pace, busy: str = ""
) -> Verdict:
    """Judge inputs.

    Parameters
    ----------
    reading
        The inputs.
    wanted
        The plan that they come to, with the defaults of the settings; None where they cannot be read.
    standing
        The panel's run, if it has one.
    left
        Credits that are left for anything new, None while nobody knows.
    pace
        How fast takes are made.
    busy
        What is being done at the moment, in words; nothing can be begun meanwhile.
    """
    running = standing is not None and standing.running
    more, why_not = _growth(standing, wanted, left, reading.max_credits)
    may = {
        "run": _run(reading, left, running),
        "cancel": None if running else "Nothing is running.",
        "resume": _resume(standing),
        "extend": why_not,
    }
    if busy:
        may = dict.fromkeys(may, busy)
    return Verdict(shown=_shown(reading, wanted, more, may, left, pace, busy), may=may, growth=more)


def _run(reading: Reading, left: int | None, running: bool) -> str | None:
    if running:
        return "A run is going on; cancel it or wait."
    if reading.sweep is None or reading.problems:
        return _first(reading)
    return refusal(reading.sweep.cost, left, reading.max_credits)


def _first(reading: Reading) -> str:
    problem = next(iter(reading.problems.values()), None)
    return problem.message if problem is not None else "The inputs cannot be read."


def _resume(standing: Standing | None) -> str | None:
    if standing is None:
        return "There is no run yet."
    if standing.running:
        return "It is running."
    if standing.done and not standing.uncertain:
        return "Nothing is left to do."
    return None


def _growth(
    standing: Standing | None, wanted: Plan | None, left: int | None, at_most: int | None
) -> tuple[Growth | None, str | None]:
    """Return what extending would add, and why it cannot be done if it cannot."""
    if standing is None:
        return None, "There is no run yet."
    if wanted is None:
        return None, "The inputs cannot be read."
    try:
        more = growth(standing.plan, wanted)
    except ParameterError as problem:
        return None, " ".join(filter(None, (problem.message, problem.hint)))
    return more, refusal(more.count, left, at_most)


def _shown(
    reading: Reading,
    wanted: Plan | None,
    more: Growth | None,
    may: dict[str, str | None],
    left: int | None,
    pace: Pace,
    busy: str,
) -> dict[str, Any]:
    problems = {name: [problem.message, problem.hint or ""] for name, problem in reading.problems.items()}
    labels = {
        "run": "Run" if wanted is None else f"Run {len(wanted):,}",
        "cancel": "Cancel",
        "resume": "Resume",
        "extend": "Extend" if more is None else f"Extend by {more.count:,}",
    }
    return {
        "formula": "" if wanted is None else wanted.formula,
        "credits": "" if wanted is None else credits_line(len(wanted), left, reading.max_credits),
        "time": "" if wanted is None else time_line(len(wanted), pace),
        "extra": "" if more is None else _extra(more.count, pace),
        "problems": problems,
        "notes": reading.notes,
        "counts": reading.counts,
        "busy": busy,
        "buttons": {name: {"label": labels[name], "why": may[name] or ""} for name in labels},
    }


def _extra(count: int, pace: Pace) -> str:
    adds = f"Extending adds {count:,} point{'' if count == 1 else 's'}, {count:,} credit{'' if count == 1 else 's'}"
    return f"{adds}, {time_line(count, pace)}."
