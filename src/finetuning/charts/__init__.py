"""Charts of a library and of sweeps, with matplotlib: every function takes a frame and `ax=`, and returns its Axes.

>>> ft.charts.generation_times(client.generations(limit=None, details=True), by="bpm")  # doctest: +SKIP

Without `ax` a chart makes its own figure: transparent, in tones that read on white and on black; a style that was
chosen (`plt.style.use("dark_background")`) is kept to. With `ax` nothing of pyplot's state is touched. What cannot be
drawn is left out with its number in the caption; a frame that leaves nothing to draw gives an empty chart that says
why. Rows that repeat an `id` count once. Times are UTC, whatever the zone that they came in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetuning.loading import names_of

if TYPE_CHECKING:
    from finetuning.charts.beliefs import belief as belief
    from finetuning.charts.grids import heat_map as heat_map
    from finetuning.charts.judgements import cost_per_kept as cost_per_kept
    from finetuning.charts.judgements import ratings as ratings
    from finetuning.charts.measured import adherence as adherence
    from finetuning.charts.pairs import effect as effect
    from finetuning.charts.pictures import mel_spectrogram as mel_spectrogram
    from finetuning.charts.pictures import waveform as waveform
    from finetuning.charts.queueing import throughput as throughput
    from finetuning.charts.reasons import failures as failures
    from finetuning.charts.spending import credit_use as credit_use
    from finetuning.charts.times import generation_times as generation_times
    from finetuning.charts.times import generation_times_over_time as generation_times_over_time
    from finetuning.charts.times import time_by_duration as time_by_duration
    from finetuning.charts.wheel import key_flow as key_flow

#: Chart: the module that draws it.
_HOMES = {
    "adherence": "measured",
    "belief": "beliefs",
    "cost_per_kept": "judgements",
    "credit_use": "spending",
    "effect": "pairs",
    "failures": "reasons",
    "generation_times": "times",
    "generation_times_over_time": "times",
    "heat_map": "grids",
    "key_flow": "wheel",
    "mel_spectrogram": "pictures",
    "ratings": "judgements",
    "throughput": "queueing",
    "time_by_duration": "times",
    "waveform": "pictures",
}

__all__ = [
    "adherence",
    "belief",
    "cost_per_kept",
    "credit_use",
    "effect",
    "failures",
    "generation_times",
    "generation_times_over_time",
    "heat_map",
    "key_flow",
    "mel_spectrogram",
    "ratings",
    "throughput",
    "time_by_duration",
    "waveform",
]

__getattr__ = names_of(__name__, _HOMES)


def __dir__() -> list[str]:
    return list(__all__)
