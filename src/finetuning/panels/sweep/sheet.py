"""The page's part of a `SweepPanel`: inputs, buttons and progress, drawn by the files of `static`.

Traits carry what is typed to the kernel (`inputs`) and what is to be shown to the page (all others). Buttons come as
custom messages `{"type": "run" | "cancel" | "resume" | "extend" | "load" | "runs", "inputs": …, "name": …}`, with the
inputs as they stood when the button was pressed.
"""

from __future__ import annotations

from pathlib import Path

from finetuning.errors import MissingExtraError
from finetuning.parameters import BPM_RANGE, DURATION_RANGE, LYRICS_MAX, TAGS_MAX
from finetuning.records import KEYS, LANGUAGES, SCALES, TIME_SIGNATURES
from finetuning.sweep.axes import ENERGIES

from ..parts import script, style
from ..still import new_id

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("The sweep panel", "lab") from error

__all__ = ["Sheet"]

_STATIC = Path(__file__).parent / "static"


class Sheet(anywidget.AnyWidget):
    """Inputs, buttons and progress of a panel. What it shows is text, whatever it holds."""

    _esm = script(_STATIC, "elements", "controls", "numbers", "form", "foot", "board", "sheet")
    _css = style(_STATIC, "form", "controls", "run")

    inputs = traitlets.Dict(help="What is typed and chosen; see `form.Inputs`.").tag(sync=True)
    choices = traitlets.Dict(help="What may be chosen, and how much typed.").tag(sync=True)
    verdict = traitlets.Dict(help="What the inputs come to; see `verdict.Verdict.shown`.").tag(sync=True)
    run = traitlets.Dict(
        help="The run: `name`, `summary`, `running`, and how long the `rest` takes; empty where there is none."
    ).tag(sync=True)
    board = traitlets.Dict(help="Its points, laid out; see `board.board`.").tag(sync=True)
    states = traitlets.Unicode(help="Where each point stands, one of `board.LETTERS` each.").tag(sync=True)
    runs = traitlets.List(traitlets.Dict(), help="Earlier runs to load: `name` and `label`.").tag(sync=True)
    stand_in = traitlets.Unicode(
        help="Id of the static summary in the page, which is hidden for as long as the panel itself is there."
    ).tag(sync=True)

    def __init__(self) -> None:
        super().__init__(
            choices={
                "key": list(KEYS),
                "scale": list(SCALES),
                "time_signature": list(TIME_SIGNATURES),
                "energy": list(ENERGIES),
                "language": list(LANGUAGES),
                "bpm": list(BPM_RANGE),
                "duration": list(DURATION_RANGE),
                "tags_max": TAGS_MAX,
                "lyrics_max": LYRICS_MAX,
            },
            stand_in=new_id(),
        )
