"""The line below the library: what is chosen, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets

from .buttons import Buttons
from .choice import Choice
from .intents import Verb

__all__ = ["Bar"]


class Bar(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Choosing, playing, and the bulk actions.

    Parameters
    ----------
    buttons
        Where its buttons are known by what stands on them.
    table
        In which tracks are chosen.
    play
        Called with the ids that are to be heard.
    propose
        Called with a bulk action.
    studio
        Whether the actions are offered that only the studio can do.
    """

    def __init__(
        self,
        buttons: Buttons,
        table: Choice,
        *,
        play: Callable[[Sequence[str]], object],
        propose: Callable[[Verb], object],
        studio: bool,
    ) -> None:
        self._table = table
        self.count = ipywidgets.HTML()
        none = buttons.make("None", "Choose none", lambda: table.choose([]))
        hear = buttons.make("▶ Play", "Hear what is chosen", lambda: play(table.chosen))
        self._of_some = (none, hear)
        choice = [
            self.count,
            buttons.make("All shown", "Choose all that the filters leave", lambda: table.choose(table.order)),
            none,
            buttons.make("Invert", "Choose those that are shown and not chosen", self._invert),
            hear,
        ]
        wrap = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        rows = [ipywidgets.HBox(each, layout=wrap) for each in (choice, buttons.verbs(propose, studio=studio))]
        super().__init__(rows, layout=ipywidgets.Layout(flex_flow="row wrap", justify_content="space-between"))

    def say(self) -> None:
        """Say how many are chosen."""
        chosen = self._table.chosen
        hidden = len(set(chosen) - set(self._table.order))
        besides = f" ({hidden:,} not shown)" if hidden else ""
        self.count.value = f"<span role='status'>{len(chosen):,} chosen{besides}</span>"
        for button in self._of_some:
            button.disabled = not chosen

    def _invert(self) -> None:
        chosen = set(self._table.chosen)
        self._table.choose(id_ for id_ in self._table.order if id_ not in chosen)
