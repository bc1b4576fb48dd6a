"""Frames to draw, with the dtypes that are documented, and what is read back from a drawing."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetuning.records import KEYS, SCALES, STATUSES, Account, Limits

START = np.datetime64("2026-03-02T08:00:00", "us")  # a Monday


def library(rows: int = 60, seed: int = 0) -> pd.DataFrame:
    """A library as measured and rated: every column that a chart draws."""
    draw = np.random.default_rng(seed)
    bpm = draw.choice([80, 100, 120], rows)
    duration = draw.uniform(5, 200, rows)
    time = 3 + 0.25 * duration + draw.gamma(2, 1, rows)
    created = pd.to_datetime(START + np.arange(rows) * np.timedelta64(7200, "s"), utc=True)
    return pd.DataFrame(
        {
            "id": pd.array([f"id-{number}" for number in range(rows)], dtype="str"),
            "prompt": pd.array(draw.choice(["lofi", "deep house"], rows), dtype="str"),
            "status": pd.Categorical(["completed"] * rows, categories=STATUSES),
            "bpm": pd.array(bpm, dtype="Int64"),
            "key": pd.Categorical(draw.choice(["C", "A", "F#"], rows), categories=KEYS),
            "scale": pd.Categorical(draw.choice(SCALES, rows), categories=SCALES),
            "seed": pd.array(draw.integers(0, 4, rows), dtype="Int64"),
            "duration": duration,
            "requested_duration": np.full(rows, 60.0),
            "generation_time": time,
            "error_message": pd.array([None] * rows, dtype="str"),
            "created_at": created,
            "completed_at": created + pd.to_timedelta(time + 1, unit="s"),
            "rating": pd.array(draw.integers(1, 6, rows), dtype="Int64"),
            "rejected": np.zeros(rows, dtype=bool),
            "measured_bpm": bpm * draw.choice([1.0, 1.01, 2.0], rows),
            "bpm_confidence": draw.uniform(0, 1, rows),
            "measured_key": pd.array(draw.choice(["C", "A", "F#"], rows), dtype="str"),
            "measured_scale": pd.array(draw.choice(SCALES, rows), dtype="str"),
        }
    )


def with_status(frame: pd.DataFrame, **counts: int) -> pd.DataFrame:
    """Let the first rows have other statuses: `failed=3, processing=2`."""
    words = [word for word, number in counts.items() for _ in range(number)]
    status = [*words, *["completed"] * (len(frame) - len(words))]
    return frame.assign(status=pd.Categorical(status, categories=STATUSES))


def believed(rows: pd.DataFrame | None = None) -> Any:
    """What a suggester believes, at the places of some rows."""
    frame = library() if rows is None else rows
    points = frame[["bpm", "key"]].assign(
        mean=np.linspace(2, 4, len(frame)), std=0.5, suggested=np.arange(len(frame)) == 1
    )
    return SimpleNamespace(belief=points, measured=frame[["bpm", "key", "rating"]])


def account(monthly: int = 100, packs: int = 20) -> Account:
    return Account(
        id="a",
        limits=Limits(
            monthly_generations=500,
            generations_used=500 - monthly,
            monthly_remaining=monthly,
            pack_credits=packs,
            total_remaining=monthly + packs,
        ),
    )


def wave(signal: np.ndarray[Any, Any], rate: int = 44_100) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


def tone(hertz: float = 440.0, seconds: float = 1.0, rate: int = 44_100) -> bytes:
    at = np.arange(int(seconds * rate)) / rate
    return wave(0.5 * np.sin(2 * np.pi * hertz * at), rate)


def axes(polar: bool = False) -> Axes:
    """An Axes of the caller's own, which pyplot knows nothing of."""
    made: Axes = Figure(figsize=(7, 5)).add_subplot(projection="polar" if polar else None)
    return made


def first(drawn: Any) -> Axes:
    found: Axes = drawn[0] if isinstance(drawn, tuple) else drawn
    return found


def render(drawn: Any) -> None:
    """Put it on paper, where some mistakes only show."""
    figure: Any = first(drawn).get_figure(root=True)
    if not hasattr(figure.canvas, "buffer_rgba"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        FigureCanvasAgg(figure)
    figure.canvas.draw()


def text_of(ax: Axes, kind: str) -> str:
    """The caption of an Axes, or what it says where there is nothing to show; on one line."""
    return " ".join(" ".join(text.get_text() for text in ax.texts if text.get_gid() == kind).split())


def caption(drawn: Any) -> str:
    return text_of(first(drawn), "caption")


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def ticks(ax: Axes) -> list[str]:
    """What stands along the lower side, each on one line."""
    return [" ".join(label.get_text().split()) for label in ax.get_xticklabels()]


def xs(line: Any) -> list[float]:
    return list(line.get_xdata())


def ys(line: Any) -> list[float]:
    return list(line.get_ydata())
