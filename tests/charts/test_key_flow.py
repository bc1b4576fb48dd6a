from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from finetuning import charts
from finetuning.camelot import camelot
from finetuning.errors import ParameterError
from finetuning.records import KEYS, SCALES

from .frames import axes, caption, text_of

#: As it stands on every DJ's wheel.
WHEEL = {
    1: ("G# minor", "B major"), 2: ("D# minor", "F# major"), 3: ("A# minor", "C# major"), 4: ("F minor", "G# major"),
    5: ("C minor", "D# major"), 6: ("G minor", "A# major"), 7: ("D minor", "F major"), 8: ("A minor", "C major"),
    9: ("E minor", "G major"), 10: ("B minor", "D major"), 11: ("F# minor", "A major"), 12: ("C# minor", "E major"),
}  # fmt: skip


def playlist(*keys: str, bpm: list[float | None] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame([key.split() for key in keys], columns=["key", "scale"])
    return frame if bpm is None else frame.assign(bpm=pd.array(bpm, dtype="Float64"))


def lines(ax: Any) -> list[str]:
    return [line.get_gid() for line in ax.lines if line.get_gid()]


def test_keys_have_their_places_on_the_wheel() -> None:
    found = {camelot(key, scale): f"{key} {scale}" for key in KEYS for scale in SCALES}
    assert found == {(n, "AB"[at]): name for n, names in WHEEL.items() for at, name in enumerate(names)}
    assert camelot("H", "major") is camelot("C", "dorian") is None


def test_neighbours_are_joined_and_jumps_are_marked() -> None:
    ax: Any = charts.key_flow(
        playlist("C major", "A minor", "E minor", "F# major", "F# major", bpm=[90, 92, 60, 120, None])
    )
    assert lines(ax) == ["near", "near", "jump", "near"]
    styles = {line.get_gid(): line.get_linestyle() for line in ax.lines if line.get_gid()}
    assert styles == {"near": "-", "jump": "--"}
    assert sum(line.get_marker() == "x" for line in ax.lines) == 1
    dots = np.concatenate([np.asarray(each.get_offsets()) for each in ax.collections])
    turns = np.rint(dots[:, 0] / (np.pi / 6)).astype(int)
    assert sorted(turns) == [2, 2, 8, 8, 9]
    assert [text.get_text() for text in ax.texts if text.get_gid() is None] == ["1", "2", "3", "4", "5"]
    assert caption(ax).startswith("5 tracks, 1 jump of key, 1 leap of tempo over 6%.")  # twice the tempo is no leap
    assert [label.get_text() for label in ax.get_xticklabels()][7] == "8\nAm · C"
    figure: Any = ax.get_figure(root=True)
    assert figure.axes[1].get_ylabel() == "tempo (bpm)"


def test_no_two_tracks_lie_on_each_other() -> None:
    ax: Any = charts.key_flow(playlist(*["C major"] * 9, *["A minor"] * 3, bpm=[90.0] * 12))
    dots = np.asarray(ax.collections[0].get_offsets())
    x, y = dots[:, 1] * np.sin(dots[:, 0]), dots[:, 1] * np.cos(dots[:, 0])
    gaps = np.hypot(x[:, None] - x, y[:, None] - y) + np.eye(12)
    assert gaps.min() > 0.05
    assert (np.abs(dots[:, 0] - 8 * np.pi / 6) < np.pi / 12).all()  # each within its field


def test_without_tempo_nothing_is_said_of_it() -> None:
    ax: Any = charts.key_flow(playlist("C major", "D minor"))
    assert "tempo" not in caption(ax)
    figure: Any = ax.get_figure(root=True)
    assert figure.axes == [ax]


def test_many_tracks_become_frequencies() -> None:
    ax: Any = charts.key_flow(playlist(*["C major", "G major", "F# minor"] * 30))
    assert sorted(lines(ax)) == ["jump", "jump", "near"]
    assert [text.get_text() for text in ax.texts if text.get_gid() is None] == ["30"] * 3
    assert caption(ax).startswith("90 tracks, 59 jumps of key.")


def test_measured_keys_may_be_drawn_instead() -> None:
    frame = playlist("C major", "C major").rename(columns=lambda name: f"measured_{name}")
    assert lines(charts.key_flow(frame, measured=True)) == ["near"]
    with pytest.raises(ParameterError, match="no column 'measured_key'") as caught:
        charts.key_flow(playlist("C major"), measured=True)
    assert "df.ft.measure() adds it" in str(caught.value)


def test_tracks_without_a_key_are_counted() -> None:
    frame = pd.DataFrame({"key": ["C", None, "H"], "scale": ["major", "minor", "major"]})
    assert caption(charts.key_flow(frame)).endswith("Left out: 2 without key and scale.")
    assert text_of(charts.key_flow(frame.tail(2)), "nothing").endswith("of 2 rows none is left.")


def test_an_axes_that_is_not_round_is_refused() -> None:
    with pytest.raises(ParameterError, match="ax is not polar"):
        charts.key_flow(playlist("C major"), ax=axes())
