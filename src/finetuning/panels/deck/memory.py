"""What was thought of a deck's takes before: recalled for what is new in it, and for what was judged elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from finetuning.sweep.run import SweepRun

from .collection import Collection
from .judges import FileJudge, Judge, RunJudge, is_recording, recorder
from .takes import Take

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

__all__ = ["Memory"]


class Memory:
    """Knows who keeps the judgements of which take.

    Parameters
    ----------
    client
        Whose takes they are.
    collection
        Where what is recalled goes.
    recalled
        Called when something has come, on the thread that records.
    complain
        Called with what went wrong.
    """

    def __init__(
        self,
        client: Client,
        collection: Collection,
        recalled: Callable[[], None],
        complain: Callable[[BaseException], None],
    ) -> None:
        self._client = client
        self._collection = collection
        self._recalled = recalled
        self._complain = complain
        self._file: FileJudge | None = None
        self._seen = -1
        self.run: SweepRun | None = None

    def judge_of(self, take: Take | None) -> Judge:
        """Return who keeps the judgements of a take."""
        if take is not None and take.point is not None and self.run is not None:
            return RunJudge(self.run)
        if self._file is None:
            self._file = FileJudge(self._client)
        return self._file

    def recall(self, takes: list[Take]) -> None:
        """Take in what was thought of these, which one judge keeps; returns at once."""
        if not takes:
            return
        judge = self.judge_of(takes[0])

        def act() -> None:
            try:
                marks, answers = judge.recall(takes)
            except Exception as problem:  # noqa: BLE001 - shown; the takes can be heard all the same
                self._complain(problem)
                return
            self._collection.recall([take.key for take in takes], marks, answers)
            self._recalled()

        recorder().submit(act)

    def catch_up(self) -> None:
        """Take in what the page has said so far, and what was judged elsewhere, in code say."""
        if is_recording():
            return
        recorder().submit(int).result()  # behind what the page has said and is being written down
        run = self.run
        if run is None or run.version == self._seen:
            return
        version = run.version

        def act() -> None:
            takes = [take for take in self._collection.takes if take.point is not None]
            marks, answers = RunJudge(run).recall(takes)
            self._collection.recall([take.key for take in takes], marks, answers)

        recorder().submit(act).result()
        self._seen = version
        self._recalled()
