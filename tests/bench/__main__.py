"""`python -m tests.bench [name …]`: a line a figure, with its ratio to something run beside it on the same machine."""

from __future__ import annotations

import importlib
import sys

ROOMS = ("frames", "imports", "command", "bulk", "pacing", "music", "measure", "adherence", "deck", "library", "charts")


def main() -> None:
    chosen = sys.argv[1:] or ROOMS
    unknown = [name for name in chosen if name not in ROOMS]
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: not one of {', '.join(ROOMS)}")
    for name in chosen:
        importlib.import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    main()
