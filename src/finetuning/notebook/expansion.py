"""What is written behind `%ft`, to the arguments of a command.

Words are divided and quoted as in a shell. `{expression}`, `{{expression}}` and `$name` stand for values of the
notebook, wherever they are written: text and numbers become themselves, a selection of tracks becomes its ids, each an
argument of its own. A backslash takes a space, a quote, a brace or a dollar literally, and is itself anywhere else.
"""

from __future__ import annotations

import ast
import difflib
import numbers
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from finetuning.client.views import PlaylistView
from finetuning.errors import SelectionError, UsageError
from finetuning.records import Playlist
from finetuning.selections import ids_of

__all__ = ["expand"]

_ESCAPABLE: Final = frozenset(" '\"{}$")
_NAME: Final = re.compile(r"\$([^\W\d]\w*)")
_BRACES: Final = (("{{", "}}"), ("{", "}"))


@dataclass(frozen=True, slots=True)
class Hole:
    """A place where a value goes: how it was written, and the expression that gives the value."""

    written: str
    code: str


#: What a word consists of: characters, and holes between them.
Word: TypeAlias = list[str | Hole]


def expand(line: str, namespace: Mapping[str, Any]) -> list[str]:
    """Divide a line into arguments and fill in the values that it names.

    Parameters
    ----------
    line
        What the user wrote.
    namespace
        The user's variables. Expressions are evaluated in it: they are the user's own code.

    Returns
    -------
    list of str
        The arguments.

    Raises
    ------
    UsageError
        A quote or brace is not closed, a variable does not exist, or an expression fails.
    SelectionError
        A value is no text, no number and no selection of tracks, or is an empty selection.
    """
    scope = dict(namespace)
    return [text for word in _words(line) for text in _texts(word, scope)]


def _words(line: str) -> Iterator[Word]:
    word: Word | None = None
    quote = ""
    place = 0
    while place < len(line):
        char = line[place]
        name = _NAME.match(line, place)
        if not quote and char.isspace():
            if word is not None:
                yield word
            word, place = None, place + 1
            continue
        word = [] if word is None else word
        if char == "\\" and line[place + 1 : place + 2] in _ESCAPABLE and place + 1 < len(line):
            word.append(line[place + 1])
            place += 2
        elif char == quote or (not quote and char in "'\""):
            quote = "" if quote else char
            place += 1
        elif char == "{":
            hole = _hole(line, place)
            word.append(hole)
            place += len(hole.written)
        elif name:
            word.append(Hole(name[0], name[1]))
            place = name.end()
        else:
            word.append(char)
            place += 2 if line.startswith("$$", place) else 1
    if quote:
        raise UsageError(f"A {quote} is not closed.", hint=f"Close it, or write \\{quote} to mean the character.")
    if word is not None:
        yield word


def _hole(line: str, start: int) -> Hole:
    """Find where a brace closes: at the first place where what it holds is an expression."""
    for opening, closing in _BRACES:
        if not line.startswith(opening, start):
            continue
        begin = start + len(opening)
        end = line.find(closing, begin)
        while end >= 0:
            code = line[begin:end].strip()
            if _is_expression(code):
                return Hole(line[start : end + len(closing)], code)
            end = line.find(closing, end + 1)
    raise UsageError(
        f"The brace at {line[start : start + 20]!r} does not hold a Python expression.",
        hint="Write {name}, or an expression such as {df[df.bpm > 120]}. A brace that is meant literally is \\{.",
    )


def _is_expression(code: str) -> bool:
    try:
        ast.parse(code, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _texts(word: Word, scope: dict[str, Any]) -> list[str]:
    """Fill the holes of a word; only one that is the whole word may become several arguments."""
    if len(word) == 1 and isinstance(word[0], Hole):
        return _filled(word[0], scope)
    return ["".join(_one(piece, scope) if isinstance(piece, Hole) else piece for piece in word)]


def _one(hole: Hole, scope: dict[str, Any]) -> str:
    texts = _filled(hole, scope)
    if len(texts) > 1:
        raise SelectionError(
            f"{hole.written} is {len(texts):,} tracks, and stands within a word.",
            hint="Put spaces around it; then each track is an argument of its own.",
        )
    return texts[0]


def _filled(hole: Hole, scope: dict[str, Any]) -> list[str]:
    value = _evaluated(hole, scope)
    if isinstance(value, str | os.PathLike):
        return [os.fspath(value)]
    if isinstance(value, numbers.Number):
        return [str(value)]
    if isinstance(value, Playlist | PlaylistView):
        return [value.id]
    try:
        return ids_of(value)
    except SelectionError as problem:
        raise SelectionError(f"{hole.written}: {problem.message}", hint=problem.hint) from None


def _evaluated(hole: Hole, scope: dict[str, Any]) -> Any:
    try:
        return eval(hole.code, scope)  # noqa: S307 - the user's own code, in the user's own kernel
    except NameError as problem:
        name = problem.name or hole.code
        near = difflib.get_close_matches(name, [known for known in scope if not known.startswith("_")], n=1)
        raise UsageError(
            f"There is no variable {name!r}, which {hole.written} names.",
            hint=f"Did you mean {near[0]!r}?" if near else "Braces hold variables and expressions of this notebook.",
        ) from None
    except Exception as problem:
        raise UsageError(f"{hole.written} cannot be evaluated: {type(problem).__name__}: {problem}.") from problem
