"""How the command says durations, ages and sizes; and its own words for what the library says in Python."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

__all__ = ["age", "duration", "for_the_command", "moment", "plain", "size", "unwritable"]

_DAY: Final = 86_400
#: From so many days on, the date says more than their number.
_LATELY: Final = 7

#: What hints of the library tell a Python programmer, and what they tell here.
_INSTEAD: Final = {
    "Pass api_key=, or set FINETUNING_API_KEY.": "Run `ft auth login`, pass --api-key, or set FINETUNING_API_KEY.",
    "ft.connect('studio') works offline": "`ft studio serve` works offline",
    "ft.connect('studio') needs no account": "`ft studio serve` needs no account",
    "client.me().limits tells what is left": "`ft me` tells what is left",
    "(in the studio: client.studio.create_playlist(name))": "(in the studio: `ft studio playlist create NAME`)",
    "A key goes into api_key=: ft.connect(api_key=…).": "A key goes into --api-key.",
    "A key goes into api_key=.": "A key goes into --api-key.",
    "the API key belongs to ft.connect(api_key=…)": "the API key belongs to --api-key",
    "Pass overwrite=True, or another folder.": "Pass --force, or another -o.",
    "Give Studio another data_dir": "Give another --data-dir",
    "give Studio another data_dir": "give another --data-dir",
}
_FLAGS: Final = {"time_signature": "time-sig", "timesignature": "time-sig"}
_ASSIGNMENT: Final = re.compile(r"\b(key|scale|bpm|duration|time_signature|language|lyrics|seed|webhook|status|limit)=")
_CALL: Final = re.compile(r"\b(?:client|ft|run|df|studio)\.\w+")


def duration(seconds: float | None) -> str:
    """Say a duration: `42s`, `3m`, `3m 20s`."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{rest}s" if not minutes else f"{minutes}m {rest}s" if rest else f"{minutes}m"


def age(then: datetime | None, now: datetime | None = None) -> str:
    """Say how long ago something was: `just now`, `3 min ago`, `2 hours ago`, `5 days ago`, then the date."""
    if then is None:
        return "-"
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if -_DAY < seconds < 60:  # a little in the future is only another clock
        return "just now"
    if not 0 <= seconds < _LATELY * _DAY:
        return then.strftime("%Y-%m-%d")
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    count, unit = (int(seconds // 3600), "hour") if seconds < _DAY else (int(seconds // _DAY), "day")
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def moment(then: datetime | None) -> str | None:
    """Say a moment to the second, in UTC."""
    return None if then is None else then.strftime("%Y-%m-%d %H:%M:%S UTC")


def size(count: int | None) -> str | None:
    """Say a number of bytes: `812 B`, `64 kB`, `1.4 MB`."""
    if count is None:
        return None
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def plain(text: str) -> str:
    """Put text on one line, without what would steer a terminal."""
    shown = (" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    return " ".join("".join(letter for letter in shown if unicodedata.category(letter) not in ("Cf", "Cs")).split())


def unwritable(problem: OSError) -> str:
    """Say that the standard output takes nothing, of a disk that is full for example."""
    return f"The output cannot be written: {problem.strerror}."


def for_the_command(text: str | None) -> str | None:
    """Say in the command's words what the library says in Python's; None where it has no such words.

    `key='H' is not …` becomes `--key 'H' is not …`; a hint that names a Python call that has no counterpart here
    would only mislead.
    """
    if not text:
        return None
    for python, command in _INSTEAD.items():
        text = text.replace(python, command)
    text = _ASSIGNMENT.sub(lambda found: f"--{_FLAGS.get(found[1], found[1])} ", text)
    return None if _CALL.search(text) else text
