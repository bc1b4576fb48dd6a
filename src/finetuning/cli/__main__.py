"""`python -m finetuning.cli`, which is `ft`."""

from __future__ import annotations

import sys

from finetuning.cli import main

if __name__ == "__main__":
    sys.exit(main())
