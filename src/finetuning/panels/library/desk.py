"""Where bulk actions are prepared, confirmed, watched and taken back."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable, Sequence

import ipywidgets

from finetuning.errors import UsageError
from finetuning.records import Generation, Playlist

from ..trouble import Trouble, shown
from .batches import Stop
from .doing import Doing, Done
from .foot import Foot
from .form import Form
from .intents import Intent, Verb, count
from .preview import Preview, preview
from .rows import FATES, fate
from .table import Table
from .tasks import Tasks
from .telling import ACTS, HEADS, goal_of, lacking, summary_of

__all__ = ["Desk"]


class Desk(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """One bulk action at a time: its form, its preview, its confirmation, its progress, its outcome, its undoing.

    Parameters
    ----------
    doing
        Looks and does.
    tasks
        Where it runs.
    trouble
        Where errors are shown.
    changed
        Called with what was done, on the loop's thread.
    """

    def __init__(self, doing: Doing, tasks: Tasks, trouble: Trouble, changed: Callable[[Done], None]) -> None:
        self._doing, self._tasks, self._trouble, self._changed = doing, tasks, trouble, changed
        self._lock = threading.RLock()
        self._intent: Intent | None = None
        self._preview: Preview | None = None
        self._done: Done | None = None
        self._stop: Stop | None = None
        self._turn = 0  # what was asked for in an earlier turn is not shown in this one
        self._fixed = False
        self._named: dict[str, Generation] = {}
        self._fresh: dict[str, Playlist] = {}

        self._head = ipywidgets.HTML()
        self._form = Form(self._on_form)
        self.source, self.target, self.folder = self._form.source, self._form.target, self._form.folder
        self._said = ipywidgets.HTML()
        self.fates = Table(FATES, label="What becomes of each track", choosing=False, height="11rem")
        foot = self._foot = Foot()
        self.typed, self.progress = foot.typed, foot.progress
        self.act, self.cancel, self.stop, self.undo = foot.act, foot.cancel, foot.stop, foot.undo
        self.typed.observe(lambda _: self._confirm(), "value")
        self.act.on_click(lambda _: self._begin())
        self.cancel.on_click(lambda _: self.close_form())
        self.stop.on_click(lambda _: self._wish())
        self.undo.on_click(lambda _: self._take_back())
        super().__init__(())
        self.add_class("ft-desk")

    # What it was told

    @property
    def intent(self) -> Intent | None:
        """What is being prepared, done, or was done last."""
        return self._intent

    @property
    def preview(self) -> Preview | None:
        """What was told of it, once its playlists were read."""
        return self._preview

    @property
    def done(self) -> Done | None:
        """What was done last, while it is shown."""
        return self._done

    @property
    def running(self) -> bool:
        """Whether something is being done."""
        return self._stop is not None

    def offer(self, playlists: Iterable[Playlist]) -> None:
        """Take over which playlists there are."""
        with self._lock:
            self._form.offer(playlists)

    def propose(self, intent: Intent, *, fixed: bool = False) -> None:
        """Begin to prepare an action.

        Parameters
        ----------
        intent
            What; playlists and folder may be left open.
        fixed
            Whether its playlists are not to be chosen here, and its tracks do not follow the selection.

        Raises
        ------
        UsageError
            Another action is being done.
        """
        with self._lock:
            if self.running:
                raise UsageError("An action is being done.", hint="Wait for its end, or press Stop.")
            self._turn += 1
            self._intent, self._preview, self._done, self._fixed = intent, None, None, fixed
            self._fresh, self._named = {}, {}
            self.typed.value = ""
            self.fates.fill([])
            self._say("")
            where = f": {goal_of(intent)}" if fixed and intent.playlists else ""
            head = html.escape(f"{'Undo · ' if intent.undoing else ''}{HEADS[intent.verb]}{where}")
            self._head.value = f"<b dir='auto'>{head}</b>"
            self._form.ask(None if fixed else intent.verb)
            self._lay(form=True)
            self._look()

    def follow(self, ids: Sequence[str]) -> None:
        """Take over another selection while an action is being prepared."""
        with self._lock:
            if self._intent is None or self._fixed or self.running or self._done or tuple(ids) == self._intent.ids:
                return
            self.typed.value = ""  # the number that was typed was of other tracks
            self._intent = self._filled(ids)
            self._look()

    def close_form(self) -> None:
        """Close it; nothing is sent."""
        with self._lock:
            if self.running:
                return
            self._turn += 1
            self._intent = self._preview = self._done = None
            self.children = ()

    # Preparing

    def _filled(self, ids: Sequence[str] | None = None) -> Intent:
        """Read the form."""
        intent = self._intent
        if intent is None:
            raise AssertionError("nothing is being prepared")
        ids = intent.ids if ids is None else tuple(ids)
        if self._fixed:
            return Intent(intent.verb, tuple(ids), intent.source, intent.target, intent.folder, intent.undoing)
        return self._form.filled(intent, ids)

    def _on_form(self) -> None:
        with self._lock, shown(self._trouble):
            if self._intent is not None and not self._done and not self.running:
                self._look()

    def _look(self) -> None:
        """Tell what will become of each track, after reading those playlists that were not read in this form."""
        intent = self._intent = self._filled()
        self._preview = None
        missing = lacking(intent)
        if missing:
            self.fates.fill([])
            self._say(missing)
            self._confirm()
            return
        if all(each.id in self._fresh for each in intent.playlists):
            self._tell(preview(intent.on(*self._fresh.values()), self._doing.shelf))
            return
        self._turn += 1
        turn = self._turn
        self._say("Reading the playlist…")
        self._confirm()
        self._tasks.begin(self._doing.look(intent), lambda found: self._looked(turn, found))

    def _looked(self, turn: int, found: Preview) -> None:
        with self._lock:
            if turn != self._turn or self._intent is None:
                return
            self._fresh |= {each.id: each for each in found.intent.playlists}
            current = self._intent.on(*self._fresh.values())
            self._tell(found if current.ids == found.intent.ids else preview(current, self._doing.shelf))

    def _tell(self, found: Preview) -> None:
        self._preview, self._intent = found, found.intent
        notes = "".join(f"<div class='ft-note'>{html.escape(note)}</div>" for note in found.notes)
        self._say(html.escape(found.sentence) + notes, escaped=True)
        records = self._records()
        rows = [fate(id_, records, "refused", str(reason)) for id_, reason in found.refused.items()]
        rows += [fate(id_, records, "not certain", why) for id_, why in found.unsure.items()]
        rows += [fate(id_, records, f"will be {found.intent.verb.done}") for id_ in found.will]
        self.fates.fill(rows)
        self._confirm()

    def _confirm(self) -> None:
        """Let it be done where there is something to do and, for what cannot be undone, its number was typed."""
        with self._lock:
            found, intent = self._preview, self._intent
            if intent is None or self._done or self.running:
                return
            likely = len(found.will) + len(found.unsure) if found else 0
            total = len(intent.ids)
            many = f"{likely:,} of {count(total)}" if likely != total else count(total)
            self.act.description = f"{ACTS[intent.verb]} {many}" if likely else ACTS[intent.verb]
            self.act.button_style = "danger" if intent.verb == Verb.DELETE else "primary"
            self.act.tooltip = found.sentence if found else "Not yet: see above"
            sure = intent.verb != Verb.DELETE or self.typed.value.strip().replace(",", "") == str(total)
            self.act.disabled = not (found and found.possible and sure)
            self.typed.description = f"To confirm, type {total}:"
            self.typed.placeholder = str(total)

    # Doing

    def _begin(self) -> None:
        with self._lock, shown(self._trouble):
            self._confirm()
            found = self._preview
            if found is None or self.act.disabled or self.running:
                return
            stop = self._stop = Stop()
            self._trouble.clear()
            self._lay(running=len(found.sent))
            try:
                work = self._doing.do(found, stop, self._foot.advance)
                self._tasks.begin(work, self._finish, otherwise=self._give_up)
            except BaseException:
                self._give_up()
                raise

    def _wish(self) -> None:
        with self._lock:
            if self._stop is not None:
                self._stop.wish()
                self._foot.stopping()

    def _give_up(self) -> None:
        """Go back to the form: nothing was done, and the trouble says why."""
        with self._lock:
            self._stop = None
            self.typed.value = ""
            self._lay(form=True)
            self._confirm()

    def _finish(self, done: Done) -> None:
        with self._lock:
            self._stop, self._done = None, done
            outcome = done.outcome
            records = self._records()
            rows = [fate(id_, records, "failed", reason) for id_, reason in outcome.refused.items()]
            left = outcome.error.message if outcome.error else "stopped before it"
            rows += [fate(id_, records, "not attempted", left) for id_ in outcome.not_attempted]
            inferred = set(outcome.inferred)
            rows += [
                fate(id_, records, "done", "found to be so after a lost answer" if id_ in inferred else None)
                for id_ in outcome.succeeded
            ]
            self.fates.fill(rows)
            self._say(summary_of(done), escaped=True)
            if outcome.error:
                self._trouble.show(outcome.error)
            if done.unread:
                self._trouble.show(done.unread)
            self._lay()
        self._changed(done)

    def _take_back(self) -> None:
        with self._lock, shown(self._trouble):
            if self._done and self._done.undo and not self.running:
                self.propose(self._done.undo, fixed=True)

    # Showing

    def _records(self) -> dict[str, Generation]:
        shelf = self._doing.shelf
        records = {**shelf.others, **shelf.library}
        ids = self._intent.ids if self._intent else ()
        self._named |= {id_: records[id_] for id_ in ids if id_ in records}  # what is deleted keeps its title here
        return self._named

    def _say(self, text: str, *, escaped: bool = False) -> None:
        self._said.value = f"<div role='status' dir='auto'>{text if escaped else html.escape(text)}</div>"

    def _lay(self, *, form: bool = False, running: int | None = None) -> None:
        """Show the form, or so many tracks under way, or what came of it."""
        if running is not None:
            self._foot.begin(running)
        elif form:
            self._foot.prepare(confirming=self._intent is not None and self._intent.verb == Verb.DELETE)
        else:
            self._foot.end(undo=bool(self._done and self._done.undo))
        middle = (self._form,) if form and self._form.children else ()
        self.children = (self._head, *middle, self._said, self.fates, self._foot)
