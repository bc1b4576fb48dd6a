"""A studio with one render process, until it is killed: `python -m tests.faults.house FOLDER PORT MEDIA_PORT`."""

from __future__ import annotations

import sys
import threading

from finetuning.studio import Studio


def main() -> None:
    folder, port, media_port = sys.argv[1:]
    # One: its libraries take a second to load after each kill, and a second process would have nothing left to do.
    with Studio(folder, port=int(port), media_port=int(media_port), workers=1):
        threading.Event().wait()


if __name__ == "__main__":
    main()
