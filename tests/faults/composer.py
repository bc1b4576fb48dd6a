"""A composer's script, which may be killed at any moment: run a sweep, or go on with it, then download the takes.

`python -m tests.faults.composer URL KEY NAME POINTS FOLDER` says `up` when it begins and `made` when all takes are
there. When it ends in order, `FOLDER/frame.json` holds what the run shows.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import finetuning as ft
from finetuning import errors

from .clocks import HurriedClock

#: What ends when the service is back.
PASSING = (errors.TransportError, errors.ServiceError, errors.RateLimitError)
#: Seconds between two tries, while the service is down.
PAUSE = 0.05


def swept(client: ft.Client, name: str, points: int) -> ft.SweepRun:
    """Begin the run or go on with it, until nothing is left to do."""
    sweep = ft.Sweep(name, seed=list(range(1, points + 1)), duration=5)
    while True:
        try:
            try:
                run = client.run(sweep, name=name)
            except errors.ParameterError as taken:
                if taken.parameter != "name":
                    raise
                run = ft.SweepRun.load(name, client).resume()
        except PASSING:
            run = None
        if run is not None and run.done:
            return run
        time.sleep(PAUSE)


def downloaded(client: ft.Client, run: ft.SweepRun, folder: Path) -> None:
    """Fetch all takes that are made."""
    frame = run.frame
    takes = frame[frame.state == "completed"]
    while len(takes):
        try:
            if client.download(takes, folder).error.isna().all():
                return
        except PASSING:
            pass
        time.sleep(PAUSE)


def say(word: str) -> None:
    """Tell whoever watches how far it is."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    url, key, name, points, where = sys.argv[1:]
    folder = Path(where)
    say("up")
    # What waits for the service waits a tenth of the time; what happens there takes the time that it takes.
    policy = ft.Policy(timeout=60, retries=1, max_wait=20)
    with ft.Client(key, url, clock=HurriedClock(10), policy=policy, progress=False) as client:
        run = swept(client, name, int(points))
        say("made")
        downloaded(client, run, folder / "takes")
    frame = run.frame
    rows = [
        [int(seed), str(state), None if id_ != id_ else id_]
        for seed, state, id_ in zip(frame.seed, frame.state, frame.id, strict=True)
    ]
    part = folder / "frame.part"
    part.write_text(json.dumps(rows))
    part.replace(folder / "frame.json")


if __name__ == "__main__":
    main()
