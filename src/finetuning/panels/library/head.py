"""The line above the library: how much of it was read, and reading it anew."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets

from .buttons import Buttons

__all__ = ["Head"]


class Head(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Numbers, the progress of reading, and its buttons.

    Parameters
    ----------
    buttons
        Where its buttons are known by what stands on them.
    limit
        How many tracks are read at most; None for all.
    stop, refresh, reload
        What the buttons do.
    """

    def __init__(
        self,
        buttons: Buttons,
        limit: int | None,
        *,
        stop: Callable[[], object],
        refresh: Callable[[], object],
        reload: Callable[[], object],
    ) -> None:
        self.said = ipywidgets.HTML(layout=ipywidgets.Layout(flex="1 1 auto"))
        self.progress = ipywidgets.IntProgress(
            min=0, max=limit or 1, layout=ipywidgets.Layout(width="8rem", visibility="hidden")
        )
        self._stop = buttons.make("Stop reading", "Keep what was read so far", stop)
        self._stop.layout.display = "none"
        super().__init__(
            [
                self.said,
                self.progress,
                self._stop,
                buttons.make("Refresh", "Read what is new", refresh),
                buttons.make("Reload", "Read everything anew", reload),
            ],
            layout=ipywidgets.Layout(align_items="center"),
        )

    def say(self, numbers: str) -> None:
        """Say how much there is."""
        self.said.value = f"<span role='status'><b>Library</b> · {html.escape(numbers)}</span>"

    def begin(self) -> None:
        """Show that it is being read."""
        self.progress.layout.visibility = "visible"
        self._stop.layout.display = ""

    def advance(self, number: int) -> None:
        """Show how many tracks have come."""
        self.progress.max = max(self.progress.max, number)
        self.progress.value = number

    def end(self) -> None:
        """Show that it was read."""
        self.progress.layout.visibility = "hidden"
        self._stop.layout.display = "none"
