"""Two playlists side by side, and what goes from one to the other."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable
from typing import Final, Literal

import ipywidgets

from finetuning.errors import SelectionError
from finetuning.records import Playlist

from ..trouble import Trouble, shown
from .difference import length_of
from .doing import Doing
from .intents import Intent, Verb, count
from .rows import PLAYLIST, playlist_row
from .table import Table
from .tasks import Tasks

__all__ = ["Pair", "Side"]

Name = Literal["left", "right"]
_WIDTH: Final = "calc(50% - 4px)"


class Side(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """One playlist: which, what it is, what is in it.

    Parameters
    ----------
    name
        `left` or `right`.
    """

    def __init__(self, name: Name) -> None:
        self.name = name
        self.playlist: Playlist | None = None
        self.picker = ipywidgets.Dropdown(description=name.capitalize(), layout=ipywidgets.Layout(width="auto"))
        self.picker.style.description_width = "3.2rem"
        self.about = ipywidgets.HTML()
        self.table = Table(PLAYLIST, label=f"The {name} playlist", height="18rem", nothing="No tracks.")
        super().__init__([self.picker, self.about, self.table], layout=ipywidgets.Layout(width=_WIDTH))

    def show(self, playlist: Playlist | None) -> None:
        """Show a reading of a playlist with its tracks, or none."""
        self.playlist = playlist
        self.table.fill((track.id, playlist_row(track)) for track in (playlist.tracks or [] if playlist else []))
        if playlist is None:
            self.about.value = ""
            return
        visible = {True: "public", False: "private", None: ""}[playlist.is_public]
        number = count(len(playlist.tracks or []))
        head = " · ".join(filter(None, (visible, number, length_of(playlist), playlist.description)))
        self.about.value = f"<div class='ft-note' role='status' dir='auto'>{html.escape(head)}</div>"


class Pair(ipywidgets.VBox):  # type: ignore[misc]
    """Two playlists, with buttons that prepare moving, copying and removing what is chosen in them.

    Parameters
    ----------
    doing
        Reads playlists.
    tasks
        Where that runs.
    trouble
        Where errors are shown.
    propose
        Called with an intent when one of the buttons is pressed.
    """

    def __init__(self, doing: Doing, tasks: Tasks, trouble: Trouble, propose: Callable[[Intent], None]) -> None:
        self._doing, self._tasks, self._trouble, self._propose = doing, tasks, trouble, propose
        self._lock = threading.RLock()
        self._turns = {"left": 0, "right": 0}
        self.left, self.right = Side("left"), Side("right")
        for side in (self.left, self.right):
            side.picker.observe(lambda _, side=side: self._pick(side), "value")
        self.buttons: dict[tuple[Name, Verb], ipywidgets.Button] = {}
        self._arm(self.left, self.right, "{} →")
        self._arm(self.right, self.left, "← {}")
        super().__init__(
            [
                ipywidgets.HBox(
                    [self.left, self.right],
                    layout=ipywidgets.Layout(justify_content="space-between", align_items="flex-start"),
                )
            ]
        )
        self.add_class("ft-pair")

    def offer(self, playlists: Iterable[Playlist]) -> None:
        """Take over which playlists there are; what is shown stays, unless it is gone."""
        with self._lock:
            known = {each.id: " ".join((each.name or each.id).split()) for each in playlists}
            options = [("Choose a playlist…", ""), *((name, id_) for id_, name in known.items())]
            for side in (self.left, self.right):
                before = side.picker.value
                if list(side.picker.options) == options:
                    continue
                side.picker.unobserve_all("value")
                side.picker.options = options
                side.picker.value = before if before in known else ""
                side.picker.observe(lambda _, side=side: self._pick(side), "value")
                if before not in known:
                    side.show(None)

    def take(self, playlists: Iterable[Playlist]) -> None:
        """Take over newer readings, with tracks, of what is shown."""
        with self._lock:
            fresh = {each.id: each for each in playlists}
            for side in (self.left, self.right):
                if side.playlist is not None and side.playlist.id in fresh:
                    side.show(fresh[side.playlist.id])

    def read(self) -> None:
        """Read what is shown anew."""
        for side in (self.left, self.right):
            self._pick(side)

    def _pick(self, side: Side) -> None:
        with self._lock, shown(self._trouble):
            self._turns[side.name] += 1
            turn = self._turns[side.name]
            if not side.picker.value:
                side.show(None)
                return

            def arrived(playlist: Playlist) -> None:
                with self._lock:
                    if turn == self._turns[side.name]:
                        side.show(playlist)

            self._tasks.begin(self._doing.playlist(side.picker.value), arrived)

    def _arm(self, source: Side, target: Side, arrow: str) -> None:
        """Put the buttons under one side."""
        what = f"what is chosen on the {source.name}"
        verbs = (
            (Verb.MOVE, arrow.format("Move"), f"Move {what} to the {target.name}"),
            (Verb.ADD, arrow.format("Copy"), f"Add {what} to the {target.name}, too"),
            (Verb.REMOVE, "Remove", f"Remove {what} from its playlist"),
        )
        for verb, text, help_ in verbs:
            button = ipywidgets.Button(description=text, tooltip=help_, layout=ipywidgets.Layout(width="auto"))
            goal = None if verb == Verb.REMOVE else target
            button.on_click(lambda _, verb=verb, goal=goal: self._ask(verb, source, goal))
            self.buttons[source.name, verb] = button
        bar = ipywidgets.HBox([self.buttons[source.name, verb] for verb, _, _ in verbs])
        source.children = (*source.children, bar)

    def _ask(self, verb: Verb, source: Side, target: Side | None) -> None:
        with self._lock, shown(self._trouble):
            chosen = source.table.chosen
            if not chosen or source.playlist is None:
                raise SelectionError(
                    f"No track is chosen on the {source.name}.", hint="Choose a playlist there, then rows in its table."
                )
            if target is not None and target.playlist is None:
                raise SelectionError(f"No playlist is chosen on the {target.name}.", hint="Choose one above the table.")
            goal = target.playlist if target else None
            if goal is not None and goal.id == source.playlist.id:
                raise SelectionError("The same playlist is on both sides.", hint="Choose another one on one side.")
            leaves = source.playlist if verb in (Verb.MOVE, Verb.REMOVE) else None
            self._propose(Intent(verb, tuple(chosen), source=leaves, target=goal))
