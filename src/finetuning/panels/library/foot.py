"""The line below a bulk action: confirming it, watching it, taking it back."""

from __future__ import annotations

import html

import ipywidgets

__all__ = ["Foot"]


class Foot(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The controls of an action; of these, those that its present state needs."""

    def __init__(self) -> None:
        auto = ipywidgets.Layout(width="auto")
        self.typed = ipywidgets.Text(layout=ipywidgets.Layout(width="15rem"))
        self.typed.style.description_width = "initial"
        self.act = ipywidgets.Button(layout=auto)
        self.cancel = ipywidgets.Button(description="Cancel", tooltip="Close this; nothing is sent", layout=auto)
        self.stop = ipywidgets.Button(description="Stop", tooltip="Stop after the request under way", layout=auto)
        self.undo = ipywidgets.Button(description="Undo…", tooltip="Preview what takes it back", layout=auto)
        self.progress = ipywidgets.IntProgress(min=0, max=1, layout=ipywidgets.Layout(width="16rem"))
        self._count = ipywidgets.HTML()
        super().__init__([], layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center"))

    def prepare(self, *, confirming: bool) -> None:
        """Show what an action waits for: a button, and for what cannot be undone its number."""
        self.cancel.description = "Cancel"
        self.children = (*((self.typed,) if confirming else ()), self.act, self.cancel)

    def begin(self, total: int) -> None:
        """Show that it is being done."""
        self.act.disabled = True
        self.stop.disabled = False
        self.progress.max = max(total, 1)
        self.advance(0, total)
        self.children = (self.progress, self._count, self.stop)

    def advance(self, done: int, total: int) -> None:
        """Show how far it is."""
        self.progress.value = done
        self._count.value = html.escape(f"{done:,} of {total:,}")

    def stopping(self) -> None:
        """Show that it ends as soon as it may."""
        self.stop.disabled = True
        self._count.value = "stopping after the request under way…"

    def end(self, *, undo: bool) -> None:
        """Show that it was done, and whether it can be taken back."""
        self.cancel.description = "Close"
        self.children = (*((self.undo,) if undo else ()), self.cancel)
