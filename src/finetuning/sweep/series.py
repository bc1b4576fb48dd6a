"""Several values in one text: `"80, 90, ..., 140"`."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from finetuning.errors import ParameterError
from finetuning.parameters import tonic
from finetuning.records import KEYS

__all__ = ["POINTS_MAX", "as_series", "number", "split_text", "too_many"]

#: A sweep of more points is a mistake: at ten generations a minute it would take most of a day.
POINTS_MAX: Final = 10_000
_ELLIPSIS: Final = re.compile(r"\.{3}|…")
#: From one value to another, written in any way but ours.
_SPAN: Final = re.compile(r"([\w#♯♭]+)\s*(?:\.{2,3}|…|[-–—:]|\bto\b)\s*([\w#♯♭]+)")


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
            values.append(number(item))
        else:
            between = 0 < place < len(items) - 1
            where = "between two commas" if between else "after the last comma" if place else "before the first comma"
            raise ParameterError(
                f"{name}={text!r} has nothing {where}.",
                parameter=name,
                value=text,
                hint="Take one comma away; to go on in the same step write as in '80, 90, ..., 140'.",
            )
    return values


def as_series(name: str, text: str) -> str | None:
    """Return `80...140`, `80-140` or `80 to 140` as it is written here; None where it is no such thing."""
    span = _SPAN.fullmatch(text.strip())
    if span is None:
        return None
    try:
        start, stop = (_place(name, text, each) for each in span.groups())
    except ParameterError:
        return None
    tens = name != "key" and not (stop - start) % 10 and abs(stop - start) > 10
    second = f" {start + (10 if stop > start else -10)}," if tens else ""
    return f"{span[1]},{second} ..., {span[2]}" if start != stop else None


def too_many(name: str, count: int | None = None) -> ParameterError:
    """Refuse a sweep that is larger than anybody means."""
    makes = f"{count:,} points" if count else f"more than {POINTS_MAX:,} values"
    return ParameterError(
        f"{name} makes {makes}; a sweep has at most {POINTS_MAX:,} points, each a credit.",
        parameter=name,
        hint="Make the steps wider, or run several sweeps.",
    )


def number(item: str) -> Any:
    """Read a number, an integer where it is whole; what is none stays text."""
    try:
        exact = Decimal(item)
    except InvalidOperation:
        return item
    if not exact.is_finite():
        return item
    return int(exact) if exact == exact.to_integral_value() and exact.adjusted() < 20 else float(exact)


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
    return [KEYS[int(place)] if name == "key" else number(str(place)) for place in places]


def _place(name: str, text: str, item: str) -> Decimal:
    if name == "key":
        return Decimal(KEYS.index(tonic(item)))
    try:
        exact = Decimal(item)
    except InvalidOperation:
        exact = Decimal("NaN")
    if exact.is_finite():
        return exact
    raise ParameterError(
        f"In {name}={text!r} the ellipsis stands beside {item!r}, which is not a number.", parameter=name, value=text
    )


def _written(name: str, step: Decimal) -> str:
    return f"{step} semitone(s)" if name == "key" else str(step)
