"""The takes that a deck holds: a table, and beside it what a person thought of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from finetuning.errors import FinetuningError, SelectionError
from finetuning.frames import generations_frame
from finetuning.records import Generation
from finetuning.selections import ids_of

from .blindness import Standing, standings
from .judges import Answer, Mark
from .takes import Take, takes_in

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client

__all__ = ["Collection", "frame_of"]

#: Columns of which a frame has at least one where it is more than ids.
_TELLING = ("status", "state", "audio_url")


class Collection:
    """Takes in their order, with marks and answers; every method may be called on any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._frame: pd.DataFrame = generations_frame([])
        self._takes: dict[str, Take] = {}
        self._marks: dict[str, Mark] = {}
        self._answers: list[Answer] = []
        self._selected: dict[str, None] = {}

    @property
    def takes(self) -> list[Take]:
        """All of them."""
        with self.lock:
            return list(self._takes.values())

    def take(self, key: object) -> Take | None:
        """Return one of them."""
        with self.lock:
            return self._takes.get(key) if isinstance(key, str) else None

    def put(self, frame: pd.DataFrame, *, points: bool = False) -> list[Take]:
        """Take rows in; those that are known are replaced where they stand. Returns their takes."""
        import pandas as pd

        new = takes_in(frame, points=points)
        fresh = {take.key: place for place, take in enumerate(new)}
        with self.lock:
            before = list(self._takes)
            kept = [place for place, key in enumerate(before) if key not in fresh]
            parts = [part for part in (self._frame.iloc[kept], frame.iloc[list(fresh.values())]) if len(part)]
            stacked = pd.concat(parts, ignore_index=True) if parts else frame
            stands = {key: place for place, key in enumerate([*(before[place] for place in kept), *fresh])}
            order = [*before, *(key for key in fresh if key not in self._takes)]
            self._frame = stacked.iloc[[stands[key] for key in order]].reset_index(drop=True)
            known = self._takes | {take.key: take for take in new}
            self._takes = {key: known[key] for key in order}
        return new

    def drop(self, ids: Iterable[str]) -> list[Take]:
        """Let go of the takes with these ids; returns them."""
        gone = set(ids)
        with self.lock:
            out = [take for take in self._takes.values() if take.id in gone]
            kept = [place for place, take in enumerate(self._takes.values()) if take.id not in gone]
            self._frame = self._frame.iloc[kept].reset_index(drop=True)
            for take in out:
                del self._takes[take.key]
                self._selected.pop(take.key, None)
        return out

    # What a person thought

    def judge(self, keys: Iterable[str], **change: Any) -> None:
        """Change `rating` or `rejected` of takes."""
        with self.lock:
            for key in keys:
                self._marks[key] = self._marks.get(key, Mark())._replace(**change)

    def recall(self, keys: Iterable[str], marks: Mapping[str, Mark], answers: Sequence[Answer]) -> None:
        """Replace what is known of these takes by what was recorded."""
        with self.lock:
            mine = set(keys)
            for key in mine:
                self._marks.pop(key, None)
            self._marks.update(marks)
            self._answers = [a for a in self._answers if not {a.better, a.other} <= mine]
            self._answers += answers

    def answer(self, answer: Answer) -> None:
        """Take one blind comparison in."""
        with self.lock:
            self._answers.append(answer)

    def select(self, keys: Iterable[str], on: bool) -> None:
        """Mark takes as selected, or not."""
        with self.lock:
            for key in keys:
                self._selected.pop(key, None)
                if on and key in self._takes:
                    self._selected[key] = None

    @property
    def marks(self) -> dict[str, Mark]:
        """Of the takes that have any."""
        with self.lock:
            return {key: mark for key, mark in self._marks.items() if mark != Mark() and key in self._takes}

    @property
    def answers(self) -> list[Answer]:
        """All that were given about two of these takes."""
        with self.lock:
            return [a for a in self._answers if a.better in self._takes and a.other in self._takes]

    @property
    def chosen(self) -> list[str]:
        """The keys of the selected takes, in the order of the deck."""
        with self.lock:
            return [key for key in self._takes if key in self._selected]

    def standings(self) -> list[Standing]:
        """Rank what was compared."""
        return standings([take.key for take in self.takes], self.answers)

    # As frames

    def judged(self, *, all_columns: bool) -> pd.DataFrame:
        """Return the rows with ratings and ranks; only `id` of their own columns where not all are wanted."""
        import pandas as pd

        with self.lock:
            keys = list(self._takes)
            marks = [self._marks.get(key, Mark()) for key in keys]
            frame = self._frame.copy(deep=False) if all_columns else self._frame[["id"]].copy()
        ranked = {standing.key: standing for standing in self.standings()}
        where = [ranked.get(key) for key in keys]
        frame["rating"] = pd.array([mark.rating for mark in marks], dtype="Int64")
        frame["rejected"] = pd.array([mark.rejected for mark in marks], dtype="bool")
        for column, field in (("rank", "rank"), ("rank_low", "low"), ("rank_high", "high")):
            frame[column] = pd.array([None if at is None else getattr(at, field) for at in where], dtype="Int64")
        frame["compared"] = pd.array([0 if at is None else at.compared for at in where], dtype="int64")
        return frame

    def selected(self) -> pd.DataFrame:
        """Return the rows of the selected takes that are made."""
        with self.lock:
            rows = [place for place, (key, take) in enumerate(self._takes.items()) if key in self._selected and take.id]
            return self.judged(all_columns=True).iloc[rows].reset_index(drop=True)


def frame_of(client: Client, tracks: Any) -> pd.DataFrame:
    """Turn a selection into a frame of takes; only of bare ids the service is asked for more.

    Raises
    ------
    SelectionError
        It is none.
    FinetuningError
        What the service said of an id.
    """
    import pandas as pd

    if isinstance(tracks, pd.DataFrame) and "id" in tracks and any(name in tracks for name in _TELLING):
        made = tracks["id"].notna()
        if not made.all() and not {"state", "point"} <= set(tracks):
            raise SelectionError("Some rows have no id.", hint="Keep rows of tracks that exist: df[df.id.notna()].")
        if made.any():
            ids_of(tracks[made])  # which says what is wrong with them
        return tracks[~(tracks["id"].duplicated() & made)].reset_index(drop=True)
    if isinstance(tracks, Generation):
        return generations_frame([tracks])
    if not isinstance(tracks, (pd.DataFrame, pd.Series, pd.Index, str)) and isinstance(tracks, Iterable):
        tracks = list(tracks)
        if tracks and all(isinstance(each, Generation) for each in tracks):
            return generations_frame({each.id: each for each in tracks}.values())
    found = client.call(client.asynchronous.find_generations(ids_of(tracks)))
    for each in found:
        if isinstance(each, FinetuningError):
            raise each
    return generations_frame([each for each in found if isinstance(each, Generation)])
