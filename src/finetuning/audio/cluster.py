"""Work for the Dask cluster that joblib is configured for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["WorkersDiedError", "on_cluster"]

R = TypeVar("R")


class WorkersDiedError(Exception):
    """Some of the work was lost with its workers."""


def on_cluster(client: Any, work: Callable[[bytes, bytes], R], part: Mapping[bytes, bytes]) -> Iterator[R]:
    """Carry work out on a cluster; results come as they are ready.

    joblib's own way to a cluster waits forever for what is lost with a worker, or what the scheduler gives up after
    too many deaths, so the work is handed to the client of its backend.

    Parameters
    ----------
    client
        A `distributed.Client`.
    work
        What to call, with key and value.
    part
        The values by their keys.

    Raises
    ------
    WorkersDiedError
        After all other results.
    """
    from distributed import as_completed

    with warnings.catch_warnings():
        # Of sounds above 10 MB; scattered, they would be lost with the worker that has them.
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        waiting = {client.submit(work, key, data, pure=False) for key, data in part.items()}
    lost: BaseException | None = None
    try:
        for future in as_completed(list(waiting)):  # type: ignore[no-untyped-call]
            waiting.discard(future)
            problem = future.exception() if future.status == "error" else None
            if problem is None and future.status == "finished":
                yield future.result()
            elif problem is None or type(problem).__name__ == "KilledWorker":
                lost = problem or WorkersDiedError(future.status)
            else:
                raise problem
    finally:
        with suppress(Exception):  # the cluster may be gone
            client.cancel(list(waiting))
    if lost is not None:
        raise WorkersDiedError(str(lost)) from lost
