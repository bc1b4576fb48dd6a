"""What the deck's page says, and what it is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Protocol

from finetuning.errors import FinetuningError, SelectionError

from ..trouble import explained
from .blindness import Blind
from .hearing import Heard, heard, listeners
from .judges import Answer, Judge, recorder

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

    from .collection import Collection
    from .takes import Take

__all__ = ["Conversation", "Speaker"]

_AGAIN: Final = "Press play to try again."


class Speaker(Protocol):
    """What the conversation needs of a deck."""

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send to the page."""
        ...

    def judge_of(self, take: Take | None) -> Judge:
        """Return who keeps judgements of a take."""
        ...

    def announce(self, what: str, takes: list[Take]) -> None:
        """Tell whoever wants to know."""
        ...

    def complain(self, problem: BaseException) -> None:
        """Show what went wrong."""
        ...

    def show_judgements(self) -> None:
        """Bring the page up to date."""
        ...


class Conversation:
    """Answers the page; every call returns at once, and the work is done on other threads."""

    def __init__(self, deck: Speaker, collection: Collection, client: Client) -> None:
        self._deck = deck
        self._collection = collection
        self._client = client
        self._awaited: set[str] = set()
        self._lock = threading.Lock()
        self._blind: Blind | None = None
        self.current: str | None = None
        self._heard: dict[str, Callable[[dict[str, Any]], None]] = {
            "load": self._load,
            "rate": self._rate,
            "reject": self._reject,
            "select": self._select,
            "current": self._at,
            "blind": self._blindly,
            "answer": self._answer,
        }

    @property
    def blind(self) -> bool:
        """Whether questions are being asked."""
        return self._blind is not None

    def hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Take a message of the page; one of another version is left alone."""
        act = self._heard.get(content.get("type", "")) if isinstance(content, dict) else None
        if act is not None:
            act(content)

    # Sound

    def _load(self, content: dict[str, Any]) -> None:
        key = str(content.get("key"))
        take = self._collection.take(content.get("key"))
        if take is None or not take.playable or take.id is None:
            self._fail(key, SelectionError("This take has no sound.", hint="Wait until it is made."))
            return
        with self._lock:
            if key in self._awaited:  # a second view of this deck; the answer goes to both
                return
            self._awaited.add(key)
        id_ = take.id
        try:
            fetched = self._client.submit(self._client.asynchronous.audio(id_))
        except FinetuningError as problem:
            self._fail(key, problem)
        else:
            fetched.add_done_callback(lambda done: listeners().submit(self._listen, key, id_, done))

    def _listen(self, key: str, id_: str, fetched: Future[bytes]) -> None:
        try:
            audio = fetched.result()
            if not audio:
                raise SelectionError("The audio of this take is empty.", hint="Download it again, or generate it anew.")
            measured = heard(id_, audio)
        except Exception as problem:  # noqa: BLE001 - whatever went wrong is shown beside the take
            self._fail(key, problem)
            return
        self._send_once(key, _measures(key, measured), [audio, measured.picture])

    def _fail(self, key: str, problem: BaseException) -> None:
        self._send_once(key, {"type": "failed", "key": key, **_told(problem, _AGAIN)}, None)

    def _send_once(self, key: str, content: dict[str, Any], buffers: list[bytes] | None) -> None:
        with self._lock:
            self._awaited.discard(key)
        self._deck.send(content, buffers)

    # Judgements

    def _rate(self, content: dict[str, Any]) -> None:
        rating = content.get("rating") or None

        def record(takes: list[Take]) -> None:
            for judge, part in self._by_judge(takes):
                judge.rate(part, rating)
            self._collection.judge([take.key for take in takes], rating=rating)

        self._record(content, "rating", record)

    def _reject(self, content: dict[str, Any]) -> None:
        out = bool(content.get("rejected"))

        def record(takes: list[Take]) -> None:
            for judge, part in self._by_judge(takes):
                judge.reject(part, out)
            self._collection.judge([take.key for take in takes], rejected=out)

        self._record(content, "rating", record)

    def _select(self, content: dict[str, Any]) -> None:
        on = bool(content.get("on"))
        self._record(content, "selection", lambda takes: self._collection.select([take.key for take in takes], on))

    def _at(self, content: dict[str, Any]) -> None:
        take = self._collection.take(content.get("key"))
        if take is not None:
            self.current = take.key
            recorder().submit(self._deck.announce, "current", [take])

    def _record(self, content: dict[str, Any], what: str, work: Callable[[list[Take]], None]) -> None:
        """Do what changes something in its turn, then say that it is done, or why not."""
        seq = content.get("seq")
        found = [self._collection.take(key) for key in content.get("keys") or ()]
        takes = [take for take in found if take is not None]

        def act() -> None:
            try:
                work(takes)
            except Exception as problem:  # noqa: BLE001 - shown under the deck
                self._deck.send({"type": "refused", "seq": seq, **_told(problem)})
                return
            self._deck.show_judgements()
            self._deck.send({"type": "done", "seq": seq})
            self._deck.announce(what, takes)

        recorder().submit(act)

    def _by_judge(self, takes: list[Take]) -> list[tuple[Judge, list[Take]]]:
        points = [take for take in takes if take.point is not None]
        others = [take for take in takes if take.point is None]
        return [(self._deck.judge_of(part[0]), part) for part in (points, others) if part]

    # Blind questions

    def _blindly(self, content: dict[str, Any]) -> None:
        on = bool(content.get("on"))

        def act() -> None:
            if on:
                marks = self._collection.marks
                keys = [
                    take.key
                    for take in self._collection.takes
                    if take.playable and not (take.key in marks and marks[take.key].rejected)
                ]
                if len(keys) < 2:
                    self._deck.complain(
                        SelectionError("A blind comparison takes two takes.", hint="Wait for more, or reject fewer.")
                    )
                    self._end()
                    return
                self._blind = Blind(keys, self._collection.answers)
                self._ask()
            else:
                self._end()

        recorder().submit(act)

    def _answer(self, content: dict[str, Any]) -> None:
        def act() -> None:
            asked = self._blind.asked if self._blind is not None else None
            outcome = content.get("outcome")
            if asked is None or content.get("number") != asked.number or outcome not in ("a", "b", "same"):
                return  # answered in another view
            better, other = (asked.b, asked.a) if outcome == "b" else (asked.a, asked.b)
            takes = [self._collection.take(better), self._collection.take(other)]
            first, second = takes
            try:
                if first is None or second is None:
                    raise SelectionError("A take of this question is gone.", hint="Begin again with b.")
                judge = self._deck.judge_of(first if second.point is not None else None)
                judge.prefer(first, second, outcome == "same")
            except Exception as problem:  # noqa: BLE001 - shown under the deck; the question stands
                self._deck.complain(problem)
                self._deck.send({"type": "question", **asked._asdict()})
                return
            self._collection.answer(Answer(better, other, outcome == "same"))
            self._ask()
            self._deck.announce("rating", [first, second])

        recorder().submit(act)

    def _ask(self) -> None:
        question = self._blind.next(self._collection.answers) if self._blind is not None else None
        if question is None:
            self._end()
        else:
            self._deck.send({"type": "question", **question._asdict()})

    def _end(self) -> None:
        self._blind = None
        self._deck.show_judgements()
        self._deck.send({"type": "stands"})


def _told(problem: BaseException, otherwise: str | None = None) -> dict[str, str | None]:
    message, hint = explained(problem)
    return {"message": message, "hint": hint or otherwise}


def _measures(key: str, measured: Heard) -> dict[str, Any]:
    return {"type": "audio", "key": key, "loudness": measured.loudness, "peak": measured.peak}
