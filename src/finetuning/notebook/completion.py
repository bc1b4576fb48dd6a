"""Tab behind `%ft` and in a cell of `%%ft sweep`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from click.shell_completion import split_arg_string
from IPython.core.completer import SimpleCompletion, context_matcher

from finetuning.cli.app import app
from finetuning.cli.completion import items
from finetuning.cli.suggestions import PATIENCE, Asking, Kind, Offer, ask

from .cell import PARAMETERS
from .command import SWEEP

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

    from finetuning.client.blocking import Client

__all__ = ["Library", "matcher"]

#: `%ft` begins a line, or stands behind what its result is assigned to.
_LINE: Final = re.compile(r"\s*(?:[^=%\"'#]+=\s*)?%ft\s+(?P<typed>.*)", re.DOTALL)
_CELL: Final = re.compile(r"%%ft\s+(?P<typed>[^\n]*)")
_PLAIN: Final = re.compile(r"[\w.:/@+,=-]+")


class Library(Asking):
    """What the service said a moment ago about playlists and tracks.

    Parameters
    ----------
    current
        Returns the client to ask, or None.
    clock
        Seconds; any origin.
    """

    #: Seconds for which an answer, or the want of one, is good.
    FRESH = 10.0

    def __init__(self, current: Callable[[], Client | None], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._current = current
        self._clock = clock
        self._kept: dict[Kind, tuple[float, int, Sequence[Offer]]] = {}

    def offers(self, kind: Kind) -> Sequence[Offer]:
        """Return what there is, within a second; nothing where that cannot be found out."""
        client = self._current()
        if client is None:
            return []
        now = self._clock()
        at, whose, offers = self._kept.get(kind, (0.0, 0, []))
        if whose == id(client) and now - at < self.FRESH:
            return offers
        offers = []
        with suppress(Exception):  # the user is typing: there is no place to say what went wrong
            asked = client.submit(ask(client.asynchronous, kind))
            try:
                offers = asked.result(PATIENCE)
            finally:
                asked.cancel()
        self._kept[kind] = now, id(client), offers
        return offers

    def forget(self) -> None:
        """Ask anew next time; a command may have changed anything."""
        self._kept.clear()


def matcher(library: Library) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """Return what IPython's completer calls on Tab."""

    @context_matcher(identifier="finetuning.ft")  # type: ignore[untyped-decorator]  # IPython leaves it so
    def complete(context: CompletionContext) -> SimpleMatcherResult:
        typed = context.text_until_cursor
        cell = _CELL.match(context.full_text)
        if cell and context.cursor_line > 0:
            return _parameters(typed)
        if cell:
            return _sweep_line(typed)
        line = _LINE.fullmatch(typed)
        return _words(line["typed"], library) if line else _nothing()

    found: Callable[[CompletionContext], SimpleMatcherResult] = complete
    return found


def _nothing() -> SimpleMatcherResult:
    return {"completions": [], "matched_fragment": "", "suppress": False}


def _offer(fragment: str, texts: list[tuple[str, str]]) -> SimpleMatcherResult:
    completions = [SimpleCompletion(text=text, type=kind) for text, kind in texts]
    return {"completions": completions, "matched_fragment": fragment, "suppress": bool(texts), "ordered": True}


def _parameters(typed: str) -> SimpleMatcherResult:
    if not re.fullmatch(r"\w*", typed):
        return _nothing()
    return _offer(typed, [(f"{name}: ", "keyword") for name in PARAMETERS if name.startswith(typed)])


def _sweep_line(typed: str) -> SimpleMatcherResult:
    words = typed.split(" ")
    offered = ("sweep",) if len(words) == 2 else [flag for option in SWEEP.params for flag in option.opts]
    return _offer(words[-1], [(word, "keyword") for word in offered if word.startswith(words[-1])])


def _words(typed: str, library: Library) -> SimpleMatcherResult:
    start, quote = _last_word(typed)
    word = typed[start:]
    if word.rfind("{") > word.rfind("}"):
        return _nothing()  # an expression, which IPython completes
    found = items(app, library, split_arg_string(typed[:start]), word.lstrip("'\""))
    # What stands before the `=` of a flag stays.
    fragment = word.partition("=")[2] if word.startswith("--") and "=" in word else word
    return _offer(
        fragment, [(_quoted(item.value, quote), "keyword") for item in found if item.type not in ("file", "dir")]
    )


def _last_word(typed: str) -> tuple[int, str]:
    """Return where the word under the cursor begins, and the quote that is open in it."""
    start, quote = 0, ""
    for place, char in enumerate(typed):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char.isspace():
            start = place + 1
    return start, quote


def _quoted(text: str, quote: str) -> str:
    """Write a value as `expand` reads it."""
    if not quote and _PLAIN.fullmatch(text):
        return text
    return '"' + re.sub(r'(["{}$])', r"\\\1", text) + '"'
