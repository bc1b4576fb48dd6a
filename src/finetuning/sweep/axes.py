"""What a user writes for one parameter of a sweep, read as one value or as several.

Several values are an axis: a list, tuple, range, array, Series or Index, or text such as `"80, 90, ..., 140"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Final

from finetuning.errors import ParameterError, SweepWarning
from finetuning.notices import warn
from finetuning.parameters import create_body, tonic
from finetuning.records import KEYS

__all__ = ["ENERGIES", "POINTS_MAX", "Axis", "energetic", "read_axis", "split_text", "too_many"]

#: A sweep of more points is a mistake: at ten generations a minute it would take most of a day.
POINTS_MAX: Final = 10_000
#: How an energy is said in the tags; any other short word becomes "<word> energy".
ENERGIES: Final = {
    "low": "low energy, relaxed",
    "medium": "medium energy, steady",
    "high": "high energy, driving",
}
_ENERGY_MAX: Final = 40
#: In tags and lyrics a comma is a comma.
_PROSE: Final = ("tags", "lyrics")
_ELLIPSIS: Final = re.compile(r"\.{3}|…")


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
            return Axis(name, (_checked(name, parts[0]),), swept=False)
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
            hint=f"Leave {name} out to let the service choose.",
        )
    checked = [_in_place(name, value, place, len(values)) for place, value in enumerate(values, 1)]
    unique = tuple(dict.fromkeys(checked))
    if len(unique) < len(checked):
        twice = [value for value in unique if checked.count(value) > 1]
        warn(SweepWarning(f"The axis {name} names {', '.join(map(str, twice[:5]))} more than once; each is made once."))
    return Axis(name, unique, swept=True)


def split_text(name: str, text: str) -> list[Any]:
    """Read text with commas, where `...` goes on in the step of the two values before it, up to the one after it.

    Numbers step in numbers, keys in semitones from C to B; a single value before the ellipsis steps by one.

    Raises
    ------
    ParameterError
        An ellipsis without a beginning or an end, between words that have no order, or that would step past its end.
    """
    items = [item.strip() for item in text.split(",")]
    values: list[Any] = []
    for place, item in enumerate(items):
        if _ELLIPSIS.fullmatch(item):
            _check_ellipsis(name, text, items, place)
        elif place and _ELLIPSIS.fullmatch(items[place - 1]):
            before = [entry for entry in items[max(0, place - 3) : place - 1] if not _ELLIPSIS.fullmatch(entry)]
            values += _series(name, text, before, item)
        elif item:
            values.append(_number(item))
        else:
            raise ParameterError(
                f"{name}={text!r} has nothing {'between two commas' if 0 < place < len(items) - 1 else 'there'}.",
                parameter=name,
                value=text,
            )
    return values


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


def too_many(name: str, count: int | None = None) -> ParameterError:
    """Refuse a sweep that is larger than anybody means."""
    makes = f"{count:,} points" if count else f"more than {POINTS_MAX:,} values"
    return ParameterError(
        f"{name} makes {makes}; a sweep has at most {POINTS_MAX:,} points, each a credit.",
        parameter=name,
        hint="Make the steps wider, or run several sweeps.",
    )


def _number(item: str) -> Any:
    try:
        number = Decimal(item)
    except InvalidOperation:
        return item
    if not number.is_finite():
        return item
    return int(number) if number == number.to_integral_value() and number.adjusted() < 20 else float(number)


def _check_ellipsis(name: str, text: str, items: list[str], place: int) -> None:
    neighbours = [items[i] if 0 <= i < len(items) else "" for i in (place - 1, place + 1)]
    if not all(neighbours) or any(map(_ELLIPSIS.fullmatch, neighbours)):
        raise ParameterError(
            f"In {name}={text!r} the ellipsis stands at no place between two values.",
            parameter=name,
            value=text,
            hint="Write it as in '80, 90, ..., 140'.",
        )


def _series(name: str, text: str, before: list[str], end: str) -> list[Any]:
    """Return the values after `before`, up to and including `end`."""
    known = [_place(name, text, item) for item in (*before, end)]
    start, stop = known[-2], known[-1]
    step = start - known[0] if len(known) == 3 else Decimal(1 if stop >= start else -1)
    if step and abs(stop - start) > POINTS_MAX * abs(step):
        raise too_many(name)
    count, rest = divmod(stop - start, step) if step else (Decimal(0), Decimal(1))
    if rest or count < 1:
        raise ParameterError(
            f"{name}={text!r}: steps of {_written(name, step)} from {before[-1]} do not arrive at {end}.",
            parameter=name,
            value=text,
            hint="Write the last value as it is to be reached, as in '80, 90, ..., 140' or '140, 130, ..., 80'.",
        )
    places = [start + step * i for i in range(1, int(count) + 1)]
    return [KEYS[int(place)] if name == "key" else _number(str(place)) for place in places]


def _place(name: str, text: str, item: str) -> Decimal:
    if name == "key":
        return Decimal(KEYS.index(tonic(item)))
    try:
        number = Decimal(item)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite():
        return number
    raise ParameterError(
        f"In {name}={text!r} the ellipsis stands beside {item!r}, which is not a number.", parameter=name, value=text
    )


def _written(name: str, step: Decimal) -> str:
    return f"{step} semitone(s)" if name == "key" else str(step)


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
