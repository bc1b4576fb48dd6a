"""The process that composes and renders: one job a line on standard input, one result a line on standard output.

It knows no database. When its parent is gone, so is it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

__all__ = ["main", "perform"]


def perform(job: dict[str, Any]) -> dict[str, Any]:
    """Make one piece and write its sound to `job["path"]`, or the parts of a finished one into that folder.

    Parameters
    ----------
    job
        `id`, `path`, and `brief`: the fields of `finetuning.studio.music.Brief`. With `score` (MIDI, base64) its parts
        are played. With `fail`, the text of a failure that was asked for, nothing is made.

    Returns
    -------
    dict
        `id`, and either `error`, or `title`, `duration` (s), `midi` (base64), `understood`, `size` (bytes) and `etag`,
        or `stems`, the names of the parts.
    """
    try:
        if job.get("fail"):
            return {"id": job["id"], "error": job["fail"]}
        if job.get("score"):
            return {"id": job["id"], "stems": _play_parts(job)}
        from .music import Brief, make_take

        take = make_take(Brief(**job["brief"]))
        with Path(job["path"]).open("wb") as file:
            file.write(take.mp3)
            file.flush()
            os.fsync(file.fileno())
    except Exception as error:  # noqa: BLE001 - what breaks on one brief must not end the worker; the generation says it
        return {"id": job["id"], "error": f"The piece could not be made: {type(error).__name__}: {error}"}
    return {
        "id": job["id"],
        "title": take.title,
        "duration": take.duration,
        "midi": base64.b64encode(take.midi).decode("ascii"),
        "understood": take.understood,
        "size": len(take.mp3),
        "etag": hashlib.sha256(take.mp3).hexdigest()[:32],
    }


def _play_parts(job: dict[str, Any]) -> list[str]:
    """Write each part of a score as a file of its own; their names, in the order of the score."""
    from .music import Brief, make_stems

    names = []
    for name, wave in make_stems(Brief(**job["brief"]), base64.b64decode(job["score"])):
        Path(job["path"], f"{name}.wav").write_bytes(wave)
        names.append(name)
    return names


def _listen(jobs: IO[str], queue: SimpleQueue[str]) -> None:
    """Pass the lines on; at the end of the input, end the process, in the middle of a render if need be."""
    for line in jobs:
        queue.put(line)
    os._exit(0)


def _watch(parent: int) -> None:
    """End the process when it has been orphaned: a fork of the parent may hold the pipe open."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def main() -> None:
    """Work until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for the parent
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints must not speak into the protocol
    queue: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, queue), daemon=True).start()
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    try:
        from . import music

        music.make_take  # noqa: B018 - load the composer before the first job needs it
    except ImportError:
        pass  # said with the first job, where someone reads it
    while True:
        results.write(json.dumps(perform(json.loads(queue.get()))) + "\n")
        results.flush()


if __name__ == "__main__":
    main()
