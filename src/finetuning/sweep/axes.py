"""What a user writes for one parameter of a sweep, read as one value or as several.

Several values are an axis: a list, tuple, range, array, Series or Index, or text such as `"80, 90, ..., 140"`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from finetuning.errors import ClampedWarning, ParameterError, SweepWarning
from finetuning.notices import warn
from finetuning.parameters import BPM_RANGE, DURATION_RANGE, create_body, whole

from .series import POINTS_MAX, as_series, number, split_text, too_many

__all__ = ["ENERGIES", "Axis", "energetic", "read_axis", "warn_of_clamping"]

#: How an energy is said in the tags; any other short word becomes "<word> energy".
ENERGIES: Final = {
    "low": "low energy, relaxed",
    "medium": "medium energy, steady",
    "high": "high energy, driving",
}
_ENERGY_MAX: Final = 40
#: In tags and lyrics a comma is a comma.
_PROSE: Final = ("tags", "lyrics")
_RANGES: Final = {"bpm": (BPM_RANGE, "beats a minute"), "duration": (DURATION_RANGE, "seconds")}


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of one parameter, as the wire has them, each once.

    Attributes
    ----------
    swept
        Whether several values were meant: a list of one is an axis of one value, a plain value is none.
    """

    name: str
    values: tuple[Any, ...]
    swept: bool

    def __len__(self) -> int:
        return len(self.values)


def read_axis(name: str, given: object) -> Axis:
    """Read and check what was given for one parameter.

    Parameters
    ----------
    name
        The parameter, as `Sweep` calls it.
    given
        One value, or several: a list, tuple, range, array, Series, Index, or text (for tags and lyrics text is
        always one value).

    Raises
    ------
    ParameterError
        A value that the service would refuse, no values at all, or too many; the message names parameter and value.

    Warns
    -----
    SweepWarning
        Values that mean the same are folded into one.
    """
    if isinstance(given, str) and name not in _PROSE:
        parts = split_text(name, given)
        if not _is_list(given):
            if name == "seed":
                raise ParameterError(
                    f"seed={given!r} might mean one seed or so many of them.",
                    parameter="seed",
                    value=given,
                    hint="seed=[7] is the seed 7; seed=7 draws seven.",
                )
            return Axis(name, (_one_in_text(name, given, parts[0]),), swept=False)
        values: list[Any] = parts
    elif _is_one(given):
        return Axis(name, (_checked(name, given),), swept=False)
    else:
        values = _several(name, given)
    if not values:
        raise ParameterError(
            f"The axis {name} has no values.",
            parameter=name,
            value=given,
            hint="Give at least one text, such as 'lofi chill piano'."
            if name == "tags"
            else f"Leave {name} out to let the service choose.",
        )
    checked = [_in_place(name, value, place, len(values)) for place, value in enumerate(values, 1)]
    unique = tuple(dict.fromkeys(checked))
    if len(unique) < len(checked):
        twice = [value for value in unique if checked.count(value) > 1]
        warn(SweepWarning(f"The axis {name} names {', '.join(map(str, twice[:5]))} more than once; each is made once."))
    return Axis(name, unique, swept=True)


def _one_in_text(name: str, text: str, part: Any) -> Any:
    """Check a text without commas; where it is refused and may mean several values, say how those are written."""
    try:
        return _checked(name, part)
    except ParameterError as problem:
        meant = _several_meant(name, text)
        if meant is None:
            raise
        hint = f"Several values are separated by commas: {name}={meant!r}."
        raise ParameterError(problem.message, parameter=name, value=text, hint=hint) from None


def _several_meant(name: str, text: str) -> str | None:
    """Return `80...140`, `80-140` or `C A` as an axis is written; None where it means no such thing."""
    series = as_series(name, text)
    words = text.split()
    if series or len(words) < 2:
        return series
    try:
        for word in words:
            _checked(name, number(word))
    except ParameterError:
        return None
    return ", ".join(words)


def warn_of_clamping(axis: Axis) -> None:
    """Warn of tempi or durations that the service will move into its range."""
    if axis.name not in _RANGES:
        return
    (low, high), unit = _RANGES[axis.name]
    outside = [value for value in axis.values if not low <= value <= high]
    if not outside:
        return
    moved = ", ".join(f"{value} → {min(max(value, low), high)}" for value in outside[:5])
    clamped = [min(max(value, low), high) for value in axis.values]
    twice = "; some points will then be the same" if len(set(clamped)) < len(clamped) else ""
    more = ", …" if len(outside) > 5 else ""
    warn(ClampedWarning(f"{axis.name} is {low} to {high} {unit}: the service will clamp {moved}{more}{twice}."))


def energetic(tags: str, energy: str | None) -> str:
    """Say the energy in the tags: the service has no field for it."""
    return tags if energy is None else f"{tags}, {ENERGIES.get(energy, f'{energy} energy')}"


def _is_list(text: str) -> bool:
    return "," in text


def _is_one(given: object) -> bool:
    if isinstance(given, (str, bytes, Mapping)) or given is None:
        return True
    return not isinstance(given, Iterable) or getattr(given, "ndim", 1) == 0


def _several(name: str, given: Any) -> list[Any]:
    if isinstance(given, Set):
        raise ParameterError(
            f"{name} is a set, which has no order.", parameter=name, value=given, hint=f"Pass sorted({name})."
        )
    values = list(islice(given, POINTS_MAX + 1))
    if len(values) > POINTS_MAX:
        raise too_many(name)
    return values


def _in_place(name: str, value: Any, place: int, count: int) -> Any:
    if value is None:
        raise ParameterError(
            f"The axis {name} holds None ({place} of {count}).",
            parameter=name,
            hint=f"Leave {name} out to let the service choose; make that a sweep of its own.",
        )
    try:
        return _checked(name, value)
    except ParameterError as problem:
        raise ParameterError(
            f"The axis {name}, value {place} of {count}: {problem.message}",
            parameter=name,
            value=value,
            hint=problem.hint,
        ) from None


def _checked(name: str, value: Any) -> Any:
    """Return the value as a point holds it, or refuse it as the service would."""
    if name == "energy":
        return _energy(value)
    if name == "replicate":
        return _replicate(value)
    if name == "tags":
        create_body(value)
        return value.strip()
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()  # a NumPy scalar, of which JSON knows nothing
    field = "timesignature" if name == "time_signature" else name
    # Loopback webhooks pass here; which service this will run on is known only when it runs.
    body = create_body("x", local=True, **{name: value})
    if name == "lyrics":
        return body.get("lyrics", "")  # none at all is a value: sung and unsung may be compared
    return int(body[field]) if name == "time_signature" else body[field]


def _replicate(value: object) -> int:
    number = whole("replicate", value)
    if number < 1:
        raise ParameterError(
            f"replicate={number} is not 1 or more.", parameter="replicate", value=value, hint="The first is number 1."
        )
    return number


def _energy(value: Any) -> str:
    word = " ".join(value.split()).lower() if isinstance(value, str) else ""
    word = word.removesuffix("energy").strip()
    if not word or len(word) > _ENERGY_MAX or "," in word:
        raise ParameterError(
            f"energy={value!r} is not a short word.",
            parameter="energy",
            value=value,
            hint=f"Say {', '.join(ENERGIES)}, or another word; it becomes '<word> energy' in the tags.",
        )
    return word
