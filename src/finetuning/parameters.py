"""What may be asked of the service, checked before anything is sent.

Each function takes what a user typed and returns what the wire expects, or raises `ParameterError`. Tempo and
duration out of range pass: the service clamps them, and the answer shows to what.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from numbers import Real
from typing import Any, Final

from finetuning.addresses import webhook_of
from finetuning.errors import ParameterError
from finetuning.records import KEYS, LANGUAGES, SCALES, STATUSES, TIME_SIGNATURES
from finetuning.redaction import redact

__all__ = [
    "BPM_RANGE",
    "DURATION_RANGE",
    "LYRICS_MAX",
    "TAGS_MAX",
    "create_body",
    "one_of",
    "patience",
    "shown",
    "status",
    "tonic",
    "truth",
    "whole",
]

BPM_RANGE: Final = (60, 200)
DURATION_RANGE: Final = (5, 210)
TAGS_MAX: Final = 700
LYRICS_MAX: Final = 2000
_SHOWN: Final = 60
#: Beyond this not every JSON reader is exact, and a seed that changes on the way is another piece.
SEED_MAX: Final = 2**53 - 1

#: What each whole number may be, for the hints.
_MEANT: Final = {
    "bpm": f"Tempi are whole numbers from {BPM_RANGE[0]} to {BPM_RANGE[1]} beats a minute; "
    "the service clamps what is outside.",
    "duration": f"Durations are whole numbers from {DURATION_RANGE[0]} to {DURATION_RANGE[1]} seconds; "
    "the service clamps what is outside.",
    "seed": "Seeds are whole numbers within ±(2**53 - 1).",
}
#: What to say of words that are like none of those allowed.
_ELSEWHERE: Final = {
    "scale": "Other modes have no field: say them in the tags, as in 'dorian piano'.",
    "language": "It is the language of the lyrics, by its two letters, such as 'en'.",
}
_KEY_AND_SCALE: Final = re.compile(r"([A-Ga-g](?:[#♯b♭])?)\s*(m|maj(?:or)?|min(?:or)?|dur|moll)", re.IGNORECASE)
_ENHARMONIC: Final = {
    "DB": "C#", "EB": "D#", "FB": "E", "GB": "F#", "AB": "G#", "BB": "A#", "CB": "B", "E#": "F", "B#": "C",
}  # fmt: skip


def create_body(
    tags: str,
    *,
    lyrics: str | None = None,
    duration: float | None = None,
    bpm: float | None = None,
    key: str | None = None,
    scale: str | None = None,
    time_signature: int | str | None = None,
    language: str | None = None,
    seed: int | None = None,
    webhook: str | None = None,
    local: bool = False,
) -> dict[str, Any]:
    """Build the body of `POST /v1/generations`; what is None is left to the service.

    Parameters
    ----------
    tags
        What the music should be, in 1 to 700 characters of free prose.
    lyrics
        Up to 2000 characters; of control characters only new line and tab, here and in the tags.
    duration
        Seconds, a whole number; the service clamps it to 5–210.
    bpm
        Beats a minute, a whole number; the service clamps it to 60–200.
    key
        Tonic: C, C#, D … B; flats and the signs ♯ ♭ are understood.
    scale
        `major` or `minor`.
    time_signature
        Beats in a bar, 2 to 7.
    language
        Of the lyrics: en, ja, de, fr, es, zh, ko, pt, it or ru.
    seed
        An integer; the service draws one where none is given.
    webhook
        URL that the service calls once at the end. HTTPS and public, unless `local`.
    local
        The service is on this machine, so a webhook may be too.

    Raises
    ------
    ParameterError
        A value that the service would refuse.
    """
    body: dict[str, Any] = {"tags": _text("tags", tags, 1, TAGS_MAX)}
    if lyrics is not None and (words := _text("lyrics", lyrics, 0, LYRICS_MAX)):
        body["lyrics"] = words
    if duration is not None:
        body["duration"] = whole("duration", duration, unit="seconds")
    if bpm is not None:
        body["bpm"] = whole("bpm", bpm, unit="beats a minute")
    if key is not None:
        body["key"] = tonic(key)
    if scale is not None:
        body["scale"] = one_of("scale", scale, SCALES)
    if time_signature is not None:
        body["timesignature"] = _time_signature(time_signature)
    if language is not None:
        body["language"] = one_of("language", language, LANGUAGES)
    if seed is not None:
        body["seed"] = whole("seed", seed)
    if webhook is not None:
        body["webhook"] = webhook_of(webhook, local=local)
    return body


def one_of(parameter: str, value: object, allowed: Sequence[str]) -> str:
    """Return the member of `allowed` that `value` names, whatever its case."""
    text = value.strip().lower() if isinstance(value, str) else None
    if text in allowed:
        return str(text)
    near = difflib.get_close_matches(text or "", allowed, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else _ELSEWHERE.get(parameter)
    raise ParameterError(
        f"{parameter}={shown(value)} is not one of {', '.join(allowed)}.",
        parameter=parameter,
        value=value,
        hint=hint,
    )


def status(value: object) -> str:
    """Check a status to filter by."""
    return one_of("status", value, STATUSES)


def tonic(value: object) -> str:
    """Read a key: `c`, `C#`, `C♯`, `Db` and `D♭` are all understood; the wire has sharps only."""
    text = value.strip().upper().replace("♯", "#").replace("♭", "B") if isinstance(value, str) else ""
    if text in KEYS:
        return text
    if text in _ENHARMONIC:
        return _ENHARMONIC[text]
    raise ParameterError(
        f"key={shown(value)} is not one of {', '.join(KEYS)}.", parameter="key", value=value, hint=_tonic_hint(value)
    )


def _tonic_hint(value: object) -> str | None:
    """Guess what was meant by something that is not a tonic alone."""
    text = value.strip() if isinstance(value, str) else ""
    if text.upper() == "H":
        return "The German H is B here, and the German B is A#."
    if text.startswith("ft_live_"):
        return "`key` is the tonic of the music; the API key belongs to ft.connect(api_key=…)."
    split = _KEY_AND_SCALE.fullmatch(text)
    if split is None:
        return None
    scale = "minor" if split[2] == "m" or split[2].lower().startswith(("min", "mol")) else "major"
    return f"Say key={tonic(split[1])!r}, scale={scale!r}."


def whole(parameter: str, value: object, *, unit: str = "") -> int:
    """Read a whole number: an int, a NumPy integer, or a float without a fraction."""
    problem = ParameterError(
        f"{parameter}={shown(value)} is not a whole number{f' of {unit}' if unit else ''}.",
        parameter=parameter,
        value=value,
        hint=_whole_hint(parameter, value),
    )
    # NumPy's truth values are bool_ or bool, by its version, and are no numbers either; an array is not one number.
    if isinstance(value, (str, bytes)) or type(value).__name__ in ("bool", "bool_") or getattr(value, "ndim", None):
        raise problem
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # whether it has __index__ is the question
    except TypeError:
        try:
            real = float(value)  # type: ignore[arg-type]  # likewise __float__
        except (TypeError, ValueError, OverflowError):
            raise problem from None
        if not real.is_integer():
            raise problem from None
        number = int(real)
    if abs(number) > SEED_MAX:
        raise ParameterError(
            f"{parameter}={shown(value)} is beyond 2**53 - 1, where JSON numbers stop being exact.",
            parameter=parameter,
            value=value,
            hint=_MEANT.get(parameter),
        )
    return number


def _whole_hint(parameter: str, value: object) -> str | None:
    """Say what to write instead of what is no whole number, and what is allowed."""
    number = math.nan
    if not isinstance(value, bool) and isinstance(value, (str, Real, Decimal)):
        with suppress(TypeError, ValueError, OverflowError):
            number = float(value)
    advice = []
    if abs(number) <= SEED_MAX:
        advice.append(f"Write {number:.0f}, without quotes." if number.is_integer() else f"Round it: {number:.0f}.")
    if parameter in _MEANT:
        advice.append(_MEANT[parameter])
    return " ".join(advice) or None


def truth(parameter: str, value: object) -> bool:
    """Read True or False, NumPy's too, or 1 or 0; what else has a truth of its own would not mean it."""
    # NumPy's truth values are bool_ or bool, by its version; an array is not one.
    plain = isinstance(value, int) or type(value).__name__ in ("bool", "bool_")
    if not plain or value not in (0, 1):
        raise ParameterError(f"{parameter}={shown(value)} is neither True nor False.", parameter=parameter, value=value)
    return bool(value)


def patience(value: object) -> float:
    """Read a timeout: seconds from 0, or None for as long as it takes."""
    if value is None:
        return math.inf
    try:
        seconds = float(value)  # type: ignore[arg-type]  # whether it has __float__ is the question
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if isinstance(value, (str, bytes, bool)) or not seconds >= 0:
        raise ParameterError(
            f"timeout={shown(value)} is not a number of seconds from 0.",
            parameter="timeout",
            value=value,
            hint="None waits for as long as it takes.",
        )
    return seconds


def shown(value: object) -> str:
    """Show a value in a message: on one line, and not all of a frame."""
    try:
        # Redacted before it is cut: half a key would not be recognised.
        text = redact(" ".join(repr(value).split()))
    except Exception:  # noqa: BLE001 - any object may come here, and a message must not fail over its repr
        return f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _text(parameter: str, value: object, least: int, most: int) -> str:
    if not isinstance(value, str):
        raise ParameterError(f"{parameter} must be text, not {type(value).__name__}.", parameter=parameter, value=value)
    # The service counts what it receives; blank tags describe nothing.
    length = len(value)
    if length < least or (least and not value.strip()):
        raise ParameterError(
            f"{parameter} is empty.",
            parameter=parameter,
            value=value,
            hint="Say in a few words what the music should be, for example 'lofi chill piano'.",
        )
    if length > most:
        raise ParameterError(
            f"{parameter} has {length:,} characters; the service takes at most {most:,}.",
            parameter=parameter,
            value=value,
            hint=f"Shorten it by {length - most:,}.",
        )
    # The service may refuse them after it has taken the credit. A tab and a new line are how lyrics are laid out.
    control = next((char for char in value if char not in "\n\t" and unicodedata.category(char) == "Cc"), None)
    if control is not None:
        raise ParameterError(
            f"{parameter} holds the control character U+{ord(control):04X} at position {value.index(control)}.",
            parameter=parameter,
            value=value,
            hint="Remove it; of control characters only the new line and the tab are sent."
            if control != "\r"
            else "That is a carriage return; lines end in a line feed alone.",
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ParameterError(
            f"{parameter} holds half of a surrogate pair, which is not text that can be sent.",
            parameter=parameter,
            value=value,
        ) from None
    return value


def _time_signature(value: object) -> str:
    head = value.strip().removesuffix("/4").removesuffix("/8") if isinstance(value, str) else value
    if isinstance(head, str):
        head = int(head) if head.isascii() and head.isdigit() and len(head) < 4 else None
    try:
        number = whole("time_signature", head)
    except ParameterError:
        number = 0
    if number not in TIME_SIGNATURES:
        raise ParameterError(
            f"time_signature={shown(value)} is not a number of beats from 2 to 7.",
            parameter="time_signature",
            value=value,
        )
    return str(number)
