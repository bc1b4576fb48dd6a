"""What it takes the command to start, each in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from finetuning.studio import Studio

from .timing import line, paired

#: What a table on the terminal has no use for.
HEAVY = ("IPython", "ipywidgets", "matplotlib", "numpy", "pandas")


def program(*argv: str) -> str:
    return f"import os, sys; sys.stdout = open(os.devnull, 'w'); from finetuning.cli import main; main({list(argv)!r})"


def loaded(code: str) -> list[str]:
    asked = f"{code}\nsys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stderr
    return said.split()


def main() -> None:
    ours, beside, ratio = paired(program("--help"), "import httpx")
    line("ft --help", f"{ours:.3f} s", f"import httpx {beside:.3f} s", ratio, "at most 1.5")
    with tempfile.TemporaryDirectory() as folder, Studio(folder, workers=0) as studio:
        listing = program("list", "--base-url", studio.url, "--api-key", studio.api_key)
        ours, beside, ratio = paired(listing, "import httpx")
        line("ft list, with a request to the studio", f"{ours:.3f} s", f"import httpx {beside:.3f} s", ratio, "-")
        for name, code in (("--help", program("--help")), ("list", listing)):
            found = loaded(code)
            line(f"  large modules that ft {name} imports", f"{len(found)}", " ".join(found) or "none", len(found), "0")
