"""The inline player: takes in a notebook, heard one at a time.

The page pulls a take's audio by a custom message when it is first played, and gets it as a binary buffer. Nothing of
it passes through a trait, so nothing of it is saved in the notebook, and no address has to be reachable from the page.

Messages, page to kernel: `{"type": "load", "id": …}`.
Kernel to page: `{"type": "audio", "id": …}` with one buffer, or `{"type": "failed", "id": …, "message": …, "hint": …}`.
"""

from __future__ import annotations

import html
import threading
import uuid
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning.audio.takes import PlayerTake, clock, takes_of
from finetuning.errors import FinetuningError, MissingExtraError

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("The inline player", "lab") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

__all__ = ["Player", "PlayerTake", "takes_of"]

_STATIC = Path(__file__).parent / "static"


class Player(anywidget.AnyWidget):
    """Takes to listen to, in the notebook.

    Space plays and stops, the up and down arrows go from take to take (the sound goes along), left and right move
    five seconds. Only one player on the page sounds at a time.

    Parameters
    ----------
    takes
        What to list, in this order; one that comes twice is listed once.
    fetch
        Called with a take's id when the page first wants to hear it. It must return at once, with the future of the
        encoded audio (MP3 or anything else that browsers decode); the future may be completed on any thread.
    """

    _esm = _STATIC / "player.js"
    _css = _STATIC / "player.css"

    takes = traitlets.List(
        traitlets.Dict(),
        help="What is listed: dictionaries of id, title, label and duration (seconds, or None).",
    ).tag(sync=True)
    stand_in = traitlets.Unicode(
        help="Id of the static table in the page, which is hidden for as long as the player itself is there."
    ).tag(sync=True)

    def __init__(self, takes: Sequence[PlayerTake], fetch: Callable[[str], Future[bytes]]) -> None:
        self._takes = {take.id: take for take in takes}
        self._fetch = fetch
        self._awaited: set[str] = set()
        self._lock = threading.Lock()
        super().__init__(
            takes=[
                {"id": take.id, "title": take.title, "label": take.label, "duration": take.duration}
                for take in self._takes.values()
            ],
            stand_in=f"ft-{uuid.uuid4().hex}",
        )
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        lines = [f"Player of {len(self._takes)} take{'' if len(self._takes) == 1 else 's'}"]
        lines += [
            "  " + "  ".join(filter(None, (take.title, take.label, clock(take.duration))))
            for take in self._takes.values()
        ]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": repr(self), "text/html": self._table()}, metadata

    def _ipython_display_(self) -> None:
        # Two outputs: of one with both, JupyterLab would take the widget, and show only an error when it is gone.
        from IPython.display import display

        show: Callable[..., Any] = display  # its parameters are typed in some versions of IPython only
        show({"text/html": self._table(), "text/plain": repr(self)}, raw=True)
        if self.comm is not None:
            data, metadata = super()._repr_mimebundle_() or ({}, {})
            live = {**data, "text/plain": "(The player appears where this notebook runs.)"}
            show(live, metadata=metadata, raw=True)

    def _table(self) -> str:
        """Write the table that a saved notebook shows where no kernel answers."""
        rows = []
        for take in self._takes.values():
            title = html.escape(take.title)
            if take.link:
                title = f'<a href="{html.escape(take.link)}" target="_blank" rel="noopener noreferrer">{title}</a>'
            cells = (title, html.escape(take.label), clock(take.duration))
            rows.append("<tr>" + "".join(f'<td style="text-align: left">{cell}</td>' for cell in cells) + "</tr>")
        names = ("take", "parameters", "length")
        head = "<thead><tr>" + "".join(f'<th style="text-align: left">{name}</th>' for name in names) + "</tr></thead>"
        return f'<table id="{self.stand_in}">{head}<tbody>{"".join(rows)}</tbody></table>'

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("type") != "load":
            return  # a page of another version; there is nothing that it could be told
        take_id = content.get("id")
        if not isinstance(take_id, str) or take_id not in self._takes:
            self._fail(str(take_id), "This take is not in the player.", "Run the cell again.")
            return
        with self._lock:
            if take_id in self._awaited:  # a second view of this player; the answer goes to both
                return
            self._awaited.add(take_id)
        try:
            future = self._fetch(take_id)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is shown beside the take
            self._explain(take_id, error)
        else:
            future.add_done_callback(lambda done: self._deliver(take_id, done))

    def _deliver(self, take_id: str, done: Future[bytes]) -> None:
        """Send what became of a fetch; called on the thread that completed it."""
        try:
            audio = done.result()
        except Exception as error:  # noqa: BLE001 - likewise
            self._explain(take_id, error)
            return
        if not audio:
            self._fail(take_id, "The audio of this take is empty.", "Download it again, or generate it anew.")
            return
        self._send_once(take_id, {"type": "audio", "id": take_id}, [audio])

    def _explain(self, take_id: str, error: Exception) -> None:
        if isinstance(error, FinetuningError):
            self._fail(take_id, error.message, error.hint or "Press play to try again.")
        elif isinstance(error, CancelledError):
            self._fail(take_id, "Fetching was cancelled.", "Press play to try again.")
        else:
            self._fail(take_id, f"{type(error).__name__}: {error}", "Press play to try again.")

    def _fail(self, take_id: str, message: str, hint: str) -> None:
        self._send_once(take_id, {"type": "failed", "id": take_id, "message": message, "hint": hint}, None)

    def _send_once(self, take_id: str, content: dict[str, Any], buffers: list[bytes] | None) -> None:
        with self._lock:
            self._awaited.discard(take_id)
        self.send(content, buffers)
