"""What an import and a first frame cost, each in fresh interpreters."""

from __future__ import annotations

import tempfile

from finetuning.studio import Studio

from .timing import line, paired


def main() -> None:
    ours, pandas, ratio = paired("import finetuning", "import pandas")
    line("import finetuning", f"{ours:.3f} s", f"import pandas {pandas:.3f} s", ratio, "at most 0.2")
    bare = paired("pass", "pass")[0]
    line(
        "  the same without the interpreter's own start",
        f"{max(0.0, ours - bare):.3f} s",
        f"import pandas {pandas - bare:.3f} s",
        max(0.0, ours - bare) / (pandas - bare),
        "at most 0.2",
    )
    with tempfile.TemporaryDirectory() as folder, Studio(folder) as studio:
        first = (
            "import finetuning as ft\n"
            f"client = ft.connect({studio.url!r}, api_key={studio.api_key!r})\n"
            "client.generations()\n"
            "client.close()\n"
        )
        ours, beside, ratio = paired(first, "import pandas, httpx")
    line("connect and the first frame", f"{ours:.3f} s", f"import pandas, httpx {beside:.3f} s", ratio, "at most 1.15")
