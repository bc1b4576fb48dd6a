"""Many sounds measured: on this machine's cores, or wherever joblib is configured to go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, Final, TypeAlias

from finetuning.audio.cluster import WorkersDiedError, on_cluster
from finetuning.audio.measurement import MEASURES, Measurement, analyse, memory
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
        yield from ((key, measured(data)) for key, data in left.items())
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
        except Exception as problem:
            if not isinstance(problem, (BrokenExecutor, WorkersDiedError)):
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
    """Measure by joblib; results come as they are ready.

    Raises
    ------
    MeasureError
        What measures is not to be had over there.
    """
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    shipped = _shipped()
    backend, _ = get_active_backend()
    if type(backend).__name__ == "DaskDistributedBackend":
        backend.effective_n_jobs(-1)  # waits for workers, and says so where none come
        results = on_cluster(backend.client, shipped, part)
    else:
        calls = [delayed(shipped)(key, data) for key, data in part.items()]
        results = Parallel(batch_size=1, return_as="generator_unordered", **way)(calls)
    wrong = ""
    for key, version, result in results:
        if version == MEASURES:
            yield key, result
        else:  # the others are waited for: what is left behind would be complained of later
            wrong = f"it has measures of version {version}, not {MEASURES}" if version else result
    if wrong:
        raise MeasureError(
            f"What measures cannot be had where it was to run: {wrong}.",
            hint="Install finetuning[studio], of the version that is here, on every worker of the cluster.",
        )


def _shipped() -> Callable[[bytes, bytes], tuple[bytes, int, Any]]:
    """Return what joblib sends: a function that travels by value, and looks for `measured` when it is there.

    A worker that has no such package would break off over a function that it cannot load, and be waited for forever.
    """

    def there(key: bytes, data: bytes) -> tuple[bytes, int, Any]:
        try:
            from finetuning.audio.batches import measured
            from finetuning.audio.measurement import MEASURES
        except ImportError as problem:
            return key, 0, str(problem)
        return key, MEASURES, measured(data)

    return there
