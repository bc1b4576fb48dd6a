"""What a bulk action still has to be told: from which playlist, to which, to which folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import ipywidgets

from finetuning.records import Playlist

from .intents import Intent, Verb
from .telling import option_of

__all__ = ["Form"]


class Form(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Menus of playlists and a folder; of these, what the action at hand needs.

    Parameters
    ----------
    changed
        Called when a person has chosen otherwise.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._playlists: dict[str, Playlist] = {}
        self._changed = changed
        self.source = ipywidgets.Dropdown(description="From", layout=ipywidgets.Layout(width="20rem"))
        self.target = ipywidgets.Dropdown(description="To", layout=ipywidgets.Layout(width="20rem"))
        self.folder = ipywidgets.Text(
            value="takes", description="Folder", continuous_update=False, layout=ipywidgets.Layout(width="28rem")
        )
        for control in (self.source, self.target, self.folder):
            control.style.description_width = "3.2rem"
            control.observe(self._told, "value")
        super().__init__([], layout=ipywidgets.Layout(flex_flow="row wrap"))

    def offer(self, playlists: Iterable[Playlist]) -> None:
        """Take over which playlists there are; what is chosen stays chosen where it is still there."""
        self._playlists = {each.id: each for each in playlists}
        none = "Choose a playlist…" if self._playlists else "None yet: see the tab Playlists"
        options = [(none, ""), *((option_of(each), each.id) for each in self._playlists.values())]
        for control in (self.source, self.target):
            value = control.value if control.value in self._playlists else ""
            if list(control.options) != options:
                control.unobserve(self._told, "value")
                control.options = options
                control.value = value
                control.observe(self._told, "value")

    def ask(self, verb: Verb | None) -> None:
        """Show what this verb needs; nothing for None."""
        self.children = tuple(getattr(self, name) for name in _NEEDS.get(verb, ())) if verb else ()

    def filled(self, intent: Intent, ids: Sequence[str]) -> Intent:
        """Return the intent with what is chosen here, and with these tracks."""
        needs = _NEEDS.get(intent.verb, ())
        source = self._playlists.get(self.source.value) if "source" in needs else None
        target = self._playlists.get(self.target.value) if "target" in needs else None
        folder = Path(self.folder.value.strip() or ".") if "folder" in needs else None
        return Intent(intent.verb, tuple(ids), source, target, folder, intent.undoing)

    def _told(self, _change: object) -> None:
        self._changed()


_NEEDS: Final = {
    Verb.ADD: ("target",),
    Verb.REMOVE: ("source",),
    Verb.MOVE: ("source", "target"),
    Verb.DOWNLOAD: ("folder",),
}
