"""`python -m tests.faults --runs 500`: sweeps whose composer and studio are killed, and what was paid twice or lost."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from .killing import Outcome, Stage
from .plots import draw


def play(folder: Path, seeds: list[int]) -> Iterator[Outcome]:
    """Play the plots of some seeds on one stage."""
    with Stage(folder) as stage:
        for seed in seeds:
            yield stage.play(draw(seed))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="how many sweeps")
    parser.add_argument("--seed", type=int, default=0, help="of the first; each further one has the next")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once, each with a studio of its own")
    options = parser.parse_args()
    total, began = Outcome(), time.monotonic()

    def job(folder: Path, seeds: list[int]) -> None:
        for outcome in play(folder, seeds):
            total.add(outcome)
            for problem in outcome.problems:
                sys.stderr.write(f"\n{problem}\n")
            sys.stderr.write(f"\r{total}, {time.monotonic() - began:.0f} s ")
            sys.stderr.flush()

    seeds = range(options.seed, options.seed + options.runs)
    with tempfile.TemporaryDirectory() as base, ThreadPoolExecutor(options.jobs) as pool:
        jobs = [
            pool.submit(job, Path(base) / str(number), list(seeds[number :: options.jobs]))
            for number in range(options.jobs)
        ]
        for done in as_completed(jobs):
            done.result()
    sys.stderr.write("\n")
    sys.stdout.write(f"{total}\n")
    return 0 if total.clean and total.runs == options.runs else 1


if __name__ == "__main__":
    sys.exit(main())
