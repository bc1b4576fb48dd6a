"""What went wrong in a callback, shown under the panel that it belongs to."""

from __future__ import annotations

import html
import threading
from concurrent.futures import CancelledError
from contextlib import ContextDecorator

from finetuning.errors import FinetuningError, FinetuningWarning, MissingExtraError
from finetuning.redaction import redact

try:
    import ipywidgets
except ImportError as error:
    raise MissingExtraError("What the panels are made of", "lab") from error

__all__ = ["Trouble", "explained", "shown"]

#: Messages that are kept at once; of more the oldest goes.
_MOST = 4
_COLOURS = {
    "alert": "var(--jp-error-color1, #d32f2f)",
    "status": "var(--jp-warn-color1, #b26a00)",
}


class Trouble(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Messages under a panel, each with what to do about it; nothing at all while there are none.

    May be told of trouble on any thread. What it shows is text, whatever it holds.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._said: list[tuple[str, str, str | None]] = []
        self._html = ipywidgets.HTML(layout=ipywidgets.Layout(flex="1 1 auto", margin="0", overflow="hidden"))
        self._dismiss = ipywidgets.Button(
            description="Dismiss",
            tooltip="Take these messages away",
            layout=ipywidgets.Layout(width="auto", flex="0 0 auto", margin="2px"),
        )
        self._dismiss.on_click(lambda _: self.clear())
        self._row = ipywidgets.HBox(
            [self._html, self._dismiss], layout=ipywidgets.Layout(align_items="flex-start", margin="4px 0")
        )
        super().__init__([], layout=ipywidgets.Layout(margin="0"))

    @property
    def messages(self) -> list[tuple[str, str | None]]:
        """What is shown, the oldest first: message and hint."""
        return [(message, hint) for _, message, hint in self._said]

    @property
    def text(self) -> str:
        """All that is shown, as text; empty where nothing is."""
        return "\n".join("\n".join(filter(None, each)) for each in self.messages)

    def show(self, problem: BaseException) -> None:
        """Show an exception: its message, and its hint where it has one. A warning is shown as one."""
        message, hint = explained(problem)
        self.say(message, hint, role="status" if isinstance(problem, FinetuningWarning) else "alert")

    def say(self, message: str, hint: str | None = None, *, role: str = "alert") -> None:
        """Show a message.

        Parameters
        ----------
        message, hint
            Plain texts.
        role
            `alert` for an error, `status` for what is only worth knowing.
        """
        with self._lock:
            entry = (role, message, hint)
            self._said = [*(each for each in self._said if each != entry), entry][-_MOST:]
            self._draw()

    def clear(self) -> None:
        """Take all messages away."""
        with self._lock:
            self._said = []
            self._draw()

    def _draw(self) -> None:
        self._html.value = "".join(_box(*each) for each in self._said)
        self.children = (self._row,) if self._said else ()


def explained(problem: BaseException) -> tuple[str, str | None]:
    """Put an exception into words: what was wrong, and what to do where that is known."""
    if isinstance(problem, FinetuningError):
        return problem.message, problem.hint
    if isinstance(problem, FinetuningWarning):
        return redact(str(problem)), None
    if isinstance(problem, CancelledError):
        return "The client was closed before this was done.", "Make a new one with ft.connect()."
    said = redact(str(problem))
    return f"{type(problem).__name__}: {said}" if said else type(problem).__name__, None


class shown(ContextDecorator):  # noqa: N801 - used as a function is
    """Show whatever exception leaves the block, or the function that this decorates, and go on.

    Interrupts pass: they are meant for whoever waits.

    Parameters
    ----------
    trouble
        Where it is shown.
    """

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: object) -> bool:
        if not isinstance(problem, Exception):
            return False
        self._trouble.show(problem)
        return True


def _box(role: str, message: str, hint: str | None) -> str:
    words = f"<b>{html.escape(message)}</b>" + (f"<br>{html.escape(hint)}" if hint else "")
    style = (
        f"border-left: 4px solid {_COLOURS[role]}; padding: 4px 10px; margin: 2px 0; line-height: 1.4; "
        "color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color2, transparent); "
        "white-space: pre-wrap; overflow-wrap: anywhere;"
    )
    return f'<div role="{role}" dir="auto" style="{style}">{words}</div>'
