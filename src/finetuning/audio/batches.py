"""Many sounds measured: on this machine's cores, or wherever joblib is configured to go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, Final, TypeAlias

from finetuning.audio.measurement import Measurement, analyse, memory
from finetuning.audio.memory import digest
from finetuning.errors import FinetuningError, MeasureError, MissingExtraError

__all__ = ["Measured", "measure_all", "measured"]

#: What comes of one sound.
Measured: TypeAlias = Measurement | FinetuningError

#: Bytes of encoded sound from which on processes of one's own pay: some eight minutes of MP3, two and a half seconds
#: of work, where starting them takes one or two.
_PAYS: Final = 12 * 2**20
#: Fewer sounds are not worth it either.
_HANDFUL: Final = 6
#: What `distributed` raises where workers died again and again over the same work, or lost it.
_DEATHS: Final = frozenset({"KilledWorker", "CancelledError", "FutureCancelledError"})


def measured(data: bytes) -> Measured:
    """Measure one encoded sound; what is wrong with it is returned, not raised.

    This is what is shipped to other processes and machines: bytes in, a measurement out.
    """
    try:
        return analyse(data)
    except FinetuningError as error:
        return error


def measure_all(sounds: Sequence[bytes], *, progress: Callable[[int], None] | None = None) -> list[Measured]:
    """Measure several encoded sounds.

    What is remembered costs a hash. The rest goes through joblib where that is installed: to the backend that
    `joblib.parallel_config` names, such as `"dask"`, `"threading"` or `n_jobs=2`; without any, to a process a core
    where there is enough to do, else one after the other here. A process that dies takes no other sound with it.

    Parameters
    ----------
    sounds
        Whole files.
    progress
        Called with the number of sounds that are done.

    Returns
    -------
    list of Measurement or FinetuningError
        One for each sound, in order; tempi as they are heard.

    Raises
    ------
    MissingExtraError
        What reads sound is not installed, here or where it was to be measured.
    MeasureError
        This package is not installed where it was to be measured.
    """
    known = memory()
    keys = [digest(data) for data in sounds]
    found: dict[bytes, Measured] = dict(known.get(keys))
    todo = {key: data for key, data in zip(keys, sounds, strict=True) if key not in found}

    def tell() -> None:
        if progress is not None:
            progress(sum(key in found for key in keys))

    tell()
    try:
        for key, result in _each(todo):
            found[key] = result
            tell()
    finally:  # an interrupt loses nothing that was done
        known.put({key: each for key in todo if isinstance(each := found.get(key), Measurement)})
    lacking = next((each for each in found.values() if isinstance(each, MissingExtraError)), None)
    if lacking is not None:
        raise lacking
    return [found[key] for key in keys]


def _each(todo: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, Measured]]:
    """Measure each sound where `_way` leads; what a dying process had in hand is measured again."""
    left, way = dict(todo), _way(todo.values())
    if way is None:
        yield from map(_keyed, left, left.values())
        return
    alone = False
    while left:
        # After a death before any result one at a time, so that a sound that kills is told from the others.
        key, data = next(iter(left.items()))
        part = {key: data} if alone else dict(left)
        before = len(left)
        try:
            for done, result in _spread(part, way):
                del left[done]
                yield done, result
        except ImportError as problem:
            raise MeasureError(
                f"What measures cannot be loaded where it was to run: {problem}.",
                hint="Install finetuning[analysis], of this version, on every worker of the cluster.",
            ) from problem
        except Exception as problem:
            if not _is_death(problem):
                raise
            if alone and key in left:
                del left[key]
                yield key, MeasureError("The process that measured it died.", hint="Measure it by itself.")
            alone = alone or len(left) == before


def _way(sounds: Iterable[bytes]) -> dict[str, Any] | None:
    """Return what joblib is to be told beyond its configuration; None where the work is done here."""
    try:
        from joblib.parallel import get_active_backend
    except ImportError:
        return None
    backend, jobs = get_active_backend()
    if jobs is not None or type(backend).__name__ != "LokyBackend":
        return {}  # as it is configured
    sizes = [len(data) for data in sounds]
    return {"n_jobs": -1} if len(sizes) >= _HANDFUL and sum(sizes) >= _PAYS else None


def _spread(part: Mapping[bytes, bytes], way: Mapping[str, Any]) -> Iterator[tuple[bytes, Measured]]:
    """Measure by joblib; results come as they are ready."""
    from joblib import Parallel, delayed

    calls = [delayed(_keyed)(key, data) for key, data in part.items()]
    yield from Parallel(batch_size=1, return_as="generator_unordered", **way)(calls)


def _is_death(problem: Exception) -> bool:
    # Dask's are known by name: it is imported by whoever uses it.
    return isinstance(problem, BrokenExecutor) or type(problem).__name__ in _DEATHS


def _keyed(key: bytes, data: bytes) -> tuple[bytes, Measured]:
    return key, measured(data)
