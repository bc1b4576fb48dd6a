"""What a person thinks of takes: ratings, rejections, preferences and notes, and which takes are meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from finetuning.errors import ParameterError, SelectionError
from finetuning.parameters import truth, whole
from finetuning.selections import Tracks, ids_of

from .events import Event, Noted, Preferred, Rated, Rejected
from .ledger import now
from .looking import Looking
from .state import Cell

__all__ = ["Judging"]


class Judging(Looking):
    """A run whose takes are judged, whether it goes on or not."""

    def rate(self, tracks: Tracks | int | Iterable[int], rating: int | None) -> Self:
        """Rate takes of this run, 1 to 5; None takes a rating back.

        Parameters
        ----------
        tracks
            Any selection of takes (rows of `frame`, ids), or numbers of points.

        Raises
        ------
        ParameterError, SelectionError
            No such rating; a take that is not of this run.
        """
        return self._judge(lambda cells: _rated(cells, tracks, rating))

    def reject(self, tracks: Tracks | int | Iterable[int], out: bool = True) -> Self:
        """Put takes of this run out of the question; False takes that back. `tracks` as for `rate`."""
        rejected = truth("out", out)
        return self._judge(
            lambda cells: [Rejected(at=now(), point=point, rejected=rejected) for point in _points_of(cells, tracks)]
        )

    def prefer(self, track: Tracks | int, over: Tracks | int, *, same: bool = False) -> Self:
        """Record that of two takes of this run, heard without knowing which is which, one was better.

        Parameters
        ----------
        track, over
            One take each, as for `rate`.
        same
            Whether no difference was heard.

        Raises
        ------
        SelectionError
            These are not two takes of this run.
        """
        return self._judge(lambda cells: [_preferred(cells, track, over, same)])

    def note(self, tracks: Tracks | int | Iterable[int], note: str | None) -> Self:
        """Write a note beside takes of this run; None takes it back. `tracks` as for `rate`."""
        return self._judge(lambda cells: _noted(cells, tracks, note))

    def _judge(self, judged: Callable[[Sequence[Cell]], Sequence[Event]]) -> Self:
        # Which take is meant is read while the journal is held: another process may be adding to it.
        with self._ledger.writing():
            self._ledger.record(*judged(self._ledger.state.cells))
        return self


def _rated(cells: Sequence[Cell], tracks: Any, rating: object) -> list[Rated]:
    """Return the events of a rating.

    Raises
    ------
    ParameterError, SelectionError
        No such rating; a take that is not of this run.
    """
    number = None if rating is None else whole("rating", rating)
    if number is not None and not 1 <= number <= 5:
        raise ParameterError(
            f"rating={number} is not 1 to 5.", parameter="rating", value=rating, hint="None takes one back."
        )
    return [Rated(at=now(), point=point, rating=number) for point in _points_of(cells, tracks)]


def _preferred(cells: Sequence[Cell], track: Any, over: Any, same: bool) -> Preferred:
    """Return the event of a comparison.

    Raises
    ------
    SelectionError
        These are not two takes of this run.
    """
    points = [*_points_of(cells, track), *_points_of(cells, over)]
    if len(set(points)) != 2 or len(points) != 2:
        raise SelectionError("A preference is between two takes.", hint="run.prefer(take, over=another)")
    return Preferred(at=now(), point=points[0], over=points[1], same=truth("same", same))


def _noted(cells: Sequence[Cell], tracks: Any, note: object) -> list[Noted]:
    """Return the events of a note.

    Raises
    ------
    ParameterError, SelectionError
        It is not text; a take that is not of this run.
    """
    if note is not None and not isinstance(note, str):
        raise ParameterError(f"note is a {type(note).__name__}, not text.", parameter="note", value=note)
    if note is not None and not note.isascii():
        try:
            note.encode()
        except UnicodeEncodeError:
            raise ParameterError(
                "note holds half of a surrogate pair, which no file can hold.", parameter="note", value=note
            ) from None
    return [Noted(at=now(), point=point, note=note or None) for point in _points_of(cells, tracks)]


def _points_of(cells: Sequence[Cell], tracks: Any) -> list[int]:
    """Return the points that are meant, each once, in order.

    Parameters
    ----------
    cells
        The run's.
    tracks
        The number of a point, several numbers, or any selection of takes.

    Raises
    ------
    SelectionError
        There is no such point, or a take is not of this run.
    """
    numbers = _numbers(tracks)
    if numbers is not None:
        wrong = [number for number in numbers if not 0 <= number < len(cells)]
        if wrong:
            raise SelectionError(
                f"The run has no point {wrong[0]}.", hint=f"Its points are numbered 0 to {len(cells) - 1}."
            )
        return numbers
    places = {cell.generation.id: point for point, cell in enumerate(cells) if cell.generation is not None}
    ids = ids_of(tracks)
    foreign = [id_ for id_ in ids if id_ not in places]
    if foreign:
        raise SelectionError(
            f"{len(foreign)} of {len(ids)} takes are not of this run, the first: {foreign[0]}.",
            hint="Pass rows of run.frame.",
        )
    return [places[id_] for id_ in ids]


def _numbers(tracks: Any) -> list[int] | None:
    """Read numbers of points; None where the selection is of another kind."""
    if _is_number(tracks):
        return [int(tracks)]
    if isinstance(tracks, (list, tuple, range)) and tracks and all(map(_is_number, tracks)):
        return list(dict.fromkeys(map(int, tracks)))
    return None


def _is_number(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool) and getattr(value, "ndim", 0) == 0
