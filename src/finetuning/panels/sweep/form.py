"""What stands in the inputs of a `SweepPanel`, read as a sweep; and a sweep, written into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final

import msgspec

from finetuning.errors import ParameterError
from finetuning.notices import gathered
from finetuning.parameters import whole
from finetuning.sweep.axes import Axis, read_axis
from finetuning.sweep.names import journal_path
from finetuning.sweep.plan import Sweep, warn_of_clamping
from finetuning.sweep.points import Plan
from finetuning.sweep.series import split_text

__all__ = ["FIELDS", "Inputs", "Reading", "inputs_of", "keywords", "listed", "read", "same", "values_of"]

#: The inputs that are parameters of a sweep.
FIELDS: Final = (
    "tags", "lyrics", "bpm", "key", "scale", "time_signature", "duration", "energy", "seed", "language", "replicate",
)  # fmt: skip
#: From this many values on a regular series is written with an ellipsis.
_SERIES: Final = 4


class Inputs(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is typed and chosen; what is empty is left to the service.

    Attributes
    ----------
    tags, lyrics
        Texts; more than one make an axis.
    bpm, duration
        One value, or several as in `"72, 80, ..., 104"`.
    key, scale, time_signature, energy, language
        What is chosen.
    seed
        The seeds themselves, with commas between them.
    replicate
        How often each point is made.
    name, max_credits
        Of the run; empty for none.
    """

    tags: list[str] = msgspec.field(default_factory=lambda: [""])
    lyrics: list[str] = msgspec.field(default_factory=lambda: [""])
    bpm: str = ""
    key: list[str] = []
    scale: list[str] = []
    time_signature: list[int] = []
    duration: str = ""
    energy: list[str] = []
    seed: str = ""
    language: list[str] = []
    replicate: str = ""
    name: str = ""
    max_credits: str = ""

    @classmethod
    def of(cls, given: object) -> Inputs:
        """Read what a page sent.

        Raises
        ------
        ParameterError
            It is not what this version's page would send.
        """
        try:
            return msgspec.convert(given, cls)
        except msgspec.ValidationError as problem:
            raise ParameterError(
                f"These are not inputs of a panel: {problem}.",
                parameter="inputs",
                hint="Run the panel's cell again; the page may be of another version.",
            ) from None

    def plain(self) -> dict[str, Any]:
        """Return them as a page takes them."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


@dataclass
class Reading:
    """What inputs come to.

    Attributes
    ----------
    sweep : Sweep or None
        What they ask for; None where they cannot be read.
    problems : dict
        By input, what is wrong with it; what is wrong with all of them together is under `""`.
    notes : dict
        By input, what is worth knowing.
    counts : dict
        By input, how many values it has.
    max_credits : int or None
        The most that a run may spend.
    """

    sweep: Sweep | None = None
    problems: dict[str, ParameterError] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    max_credits: int | None = None


def read(inputs: Inputs) -> Reading:
    """Read inputs, each by itself, so that all that is wrong is shown at once; then put them together."""
    reading = Reading()

    def attempt(name: str, work: Callable[[], Any]) -> Any:
        with gathered() as warnings:
            try:
                done = work()
            except ParameterError as problem:
                reading.problems[name if problem.parameter not in FIELDS else problem.parameter] = problem
                done = None
        for warning in warnings:
            reading.notes.setdefault(name, []).append(str(warning))
        return done

    given: dict[str, Any] = {}
    for name in FIELDS:
        value = attempt(name, partial(_given, inputs, name))
        if value is not None:
            given[name] = value
            axis = attempt(name, partial(_axis, name, value))
            reading.counts[name] = len(axis) if axis is not None else 0
    reading.max_credits = attempt("max_credits", lambda: _count("max_credits", inputs.max_credits))
    attempt("name", lambda: _check_name(inputs.name))
    if not reading.problems.keys() & set(FIELDS):
        with gathered():  # each was told above already
            try:
                reading.sweep = Sweep(**given)
            except ParameterError as problem:
                reading.problems[problem.parameter if problem.parameter in FIELDS else ""] = problem
    return reading


def keywords(inputs: Inputs) -> dict[str, Any]:
    """Return the keywords of `Sweep` that stand in the inputs.

    Raises
    ------
    ParameterError
        A text that is no list of values.
    """
    found = ((name, _given(inputs, name)) for name in FIELDS)
    return {name: value for name, value in found if value is not None}


def inputs_of(plan: Plan, *, name: str = "", max_credits: int | None = None) -> Inputs:
    """Write a plan into inputs. A webhook, and which points were dropped, have no place there."""
    values = {name: values_of(plan, name) for name in FIELDS}
    return Inputs(
        tags=values["tags"],
        lyrics=values["lyrics"] or [""],
        bpm=listed(values["bpm"]),
        key=values["key"],
        scale=values["scale"],
        time_signature=values["time_signature"],
        duration=listed(values["duration"]),
        energy=values["energy"],
        seed=", ".join(map(str, values["seed"])),
        language=values["language"],
        replicate=str(max(values["replicate"], default="")),
        name=name,
        max_credits="" if max_credits is None else str(max_credits),
    )


def values_of(plan: Plan, name: str) -> list[Any]:
    """Return the values that a plan has of one parameter, in order; none where the service chooses."""
    if name in plan.axes:
        return list(plan.axes[name])
    if name in plan.fixed:
        return [plan.fixed[name]]
    return list(dict.fromkeys(point[name] for point in plan.points if name in point))


def listed(values: Sequence[int]) -> str:
    """Write numbers as an axis is written, a regular series of them with an ellipsis."""
    steps = {later - earlier for earlier, later in pairwise(values)}
    if len(values) >= _SERIES and len(steps) == 1 and steps != {0}:
        return f"{values[0]}, {values[1]}, ..., {values[-1]}"
    return ", ".join(map(str, values))


def _given(inputs: Inputs, name: str) -> Any:
    """Return what one input says, as `Sweep` takes it; None where it says nothing."""
    value = getattr(inputs, name)
    if name == "tags":
        return _one_or_all(value) if value else ""
    if name == "lyrics":
        return _one_or_all(value) if any(text.strip() for text in value) else None
    if name == "seed":
        return _seeds(value)
    if name == "replicate":
        count = _count("replicate", value)
        return count if count is not None and count > 1 else None
    if isinstance(value, str):
        return value.strip().strip(",").strip() or None
    return _one_or_all(value) if value else None


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _seeds(text: str) -> list[Any]:
    text = text.strip().strip(",").strip()
    if not text:
        raise ParameterError("There is no seed.", parameter="seed", hint="Say how many to draw, or which ones.")
    return split_text("seed", text)


def _axis(name: str, value: Any) -> Axis:
    axis = read_axis(name, range(1, value + 1) if name == "replicate" else value)
    warn_of_clamping(axis)
    return axis


def _count(name: str, text: str) -> int | None:
    """Read a count that may be left out."""
    text = text.strip()
    if not text:
        return None
    number = whole(name, int(text) if text.isascii() and text.lstrip("+-").isdigit() else text)
    if number < 1:
        raise ParameterError(f"{name}={number} is not 1 or more.", parameter=name, value=number)
    return number


def _check_name(name: str) -> None:
    if name.strip() and journal_path(name).exists():
        raise ParameterError(
            f"A run named {name.strip()!r} exists.",
            parameter="name",
            value=name,
            hint="Choose another name, or none; or load that run from the list of earlier runs.",
        )


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sets of inputs ask for the same points, whatever the run is called and may spend."""
    return all(one.get(name) == other.get(name) for name in FIELDS)
