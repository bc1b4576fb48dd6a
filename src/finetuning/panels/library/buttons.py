"""The buttons of the library panel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import ipywidgets

from ..trouble import Trouble, shown
from .intents import Verb

__all__ = ["Buttons"]

_VERBS: Final = (
    ("Add…", "Add to a playlist", Verb.ADD),
    ("Remove…", "Remove from a playlist", Verb.REMOVE),
    ("Move…", "Move between playlists", Verb.MOVE),
    ("Download…", "Download to a folder", Verb.DOWNLOAD),
    ("Delete…", "Delete for good", Verb.DELETE),
)
#: What only the studio can do.
_STUDIO: Final = (
    ("Make public…", "Let all see them", Verb.PUBLISH),
    ("Make private…", "Let nobody else see them", Verb.HIDE),
)


class Buttons(dict[str, ipywidgets.Button]):
    """Buttons by what stands on them; what goes wrong when one is pressed is shown.

    Parameters
    ----------
    trouble
        Where.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble

    def make(self, text: str, help_: str, act: Callable[[], object]) -> ipywidgets.Button:
        """Make one more."""
        button = ipywidgets.Button(description=text, tooltip=help_, layout=ipywidgets.Layout(width="auto"))

        def press(_button: object) -> None:
            with shown(self._trouble):
                act()

        button.on_click(press)
        self[text] = button
        return button

    def verbs(self, propose: Callable[[Verb], object], *, studio: bool) -> list[ipywidgets.Button]:
        """Make one for each bulk action, and those of the studio where there is one."""
        offered = _VERBS + _STUDIO if studio else _VERBS
        return [self.make(text, help_, partial(propose, verb)) for text, help_, verb in offered]
