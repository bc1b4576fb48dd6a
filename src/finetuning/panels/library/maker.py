"""New playlists: in the studio made here, with the hosted service in the web application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import ipywidgets

from finetuning.errors import ParameterError

from ..trouble import Trouble, shown
from .tasks import Tasks

__all__ = ["Maker"]


class Maker(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A name, a mark for public, a button; or a hint where that is done.

    Parameters
    ----------
    studio
        The embedded service, or None for the hosted one, whose API makes no playlists.
    tasks, trouble
        Where it runs, and where errors are shown.
    made
        Called when there is a new playlist, on the loop's thread.
    """

    def __init__(self, studio: Any, tasks: Tasks, trouble: Trouble, made: Callable[[], None]) -> None:
        self._studio, self._tasks, self._trouble, self._made = studio, tasks, trouble, made
        self.name = ipywidgets.Text(
            description="New playlist", placeholder="Its name", layout=ipywidgets.Layout(width="20rem")
        )
        self.name.style.description_width = "initial"
        self.public = ipywidgets.Checkbox(description="public", indent=False, layout=ipywidgets.Layout(width="6rem"))
        self.make = ipywidgets.Button(
            description="Make", tooltip="Make an empty playlist", layout=ipywidgets.Layout(width="auto")
        )
        self.make.on_click(lambda _: self._make())
        hint = ipywidgets.HTML(
            "<div class='ft-note'>Playlists are made, renamed and deleted, and tracks made public or private, in the "
            "web application; then press Reload.</div>"
        )
        super().__init__(
            [hint] if studio is None else [self.name, self.public, self.make],
            layout=ipywidgets.Layout(align_items="center", flex_flow="row wrap"),
        )

    def _make(self) -> None:
        with shown(self._trouble):
            name, public = self.name.value.strip(), bool(self.public.value)
            if not name:
                raise ParameterError("A playlist needs a name.", parameter="name", hint="Type one.")

            def made(_id: str) -> None:
                self.name.value = ""
                self._made()

            self._tasks.begin(asyncio.to_thread(self._studio.create_playlist, name, public), made)
