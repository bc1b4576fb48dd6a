from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from finetuning import charts
from finetuning.charts.measured import RELATIONS, key_relations
from finetuning.charts.reading import Rows
from finetuning.charts.wheel import spots_of
from finetuning.errors import ParameterError

from .frames import axes, caption, legend, library, text_of, xs, ys


def tempi(*pairs: tuple[float | None, float | None], **columns: Any) -> pd.DataFrame:
    asked, found = zip(*pairs, strict=True)
    return pd.DataFrame(
        {"bpm": pd.array(asked, dtype="Int64"), "measured_bpm": np.array(found, dtype=float), **columns}
    )


def test_tempo_is_drawn_against_what_was_asked_for() -> None:
    frame = tempi((100, 100), (100, 103.9), (100, 104.1), (100, 199), (100, 50), (None, 90), (90, None))
    ax = charts.adherence(frame, "tempo")
    assert not isinstance(ax, tuple)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("requested tempo (bpm)", "measured tempo (bpm)")
    (points,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert ys(points) == [100, 103.9, 104.1, 199, 50]
    assert np.allclose(np.asarray(points.get_xdata(), dtype=float), 100, atol=0.1)
    assert legend(ax) == ["double", "as asked, ±4 %", "half", "a track"]
    assert len({line.get_linestyle() for line in ax.lines[:3]}) == 3
    assert caption(ax) == (
        "2 of 5 (40%; 95 %: 12% to 77%) within 4%; 2 more an octave away. "
        "Left out: 1 without bpm, 1 without measured_bpm."
    )


def test_a_measure_that_is_unsure_is_hollow() -> None:
    ax: Any = charts.adherence(tempi((100, 100), (90, 91), bpm_confidence=[0.9, 0.1]), "tempo")
    hollow = next(line for line in ax.lines if line.get_label() == "measure unsure")
    assert ys(hollow) == [91]
    assert hollow.get_markerfacecolor() == "none"


def test_octaves_out_of_sight_are_not_drawn() -> None:
    ax: Any = charts.adherence(tempi((100, 100), (0, 5)), "tempo")
    assert legend(ax) == ["as asked, ±4 %", "a track"]
    assert caption(ax).endswith("Left out: 1 with a tempo of 0 or less.")


def test_many_tracks_are_where_they_are() -> None:
    ax: Any = charts.adherence(tempi(*[(100, 100.0)] * 2500), "tempo", ax=axes())
    points = next(line for line in ax.lines if line.get_label() == "a track")
    assert set(xs(points)) == {100}


def keys(*rows: str | None, asked: str = "C major") -> pd.DataFrame:
    found = [(None, None) if row is None else row.split() for row in rows]
    key, scale = asked.split()
    return pd.DataFrame(found, columns=["measured_key", "measured_scale"]).assign(key=key, scale=scale)


def test_keys_are_counted_by_how_they_stand_to_each_other() -> None:
    ax: Any = charts.adherence(keys("C major", "C major", "A minor", "G major", "C minor", "F# major", None), "key")
    assert [label.get_text() for label in ax.get_yticklabels()] == list(RELATIONS)
    assert np.allclose([bar.get_width() for bar in ax.patches], np.array([2, 1, 1, 1, 1]) / 6 * 100)
    assert len({bar.get_hatch() for bar in ax.patches}) == 5
    assert ax.get_xlabel() == "tracks (%)"
    assert caption(ax) == "2 of 6 (33%; 95 %: 10% to 70%) exact. Left out: 1 without a measured key."


@pytest.mark.parametrize(
    ("asked", "found", "relation"),
    [
        ("C major", "A minor", "relative"),
        ("F# minor", "A major", "relative"),
        ("C major", "F major", "fifth"),
        ("A minor", "E minor", "fifth"),
        ("C# major", "F# major", "fifth"),
        ("A minor", "A major", "parallel"),
        ("D# major", "D# minor", "parallel"),
        ("C major", "E minor", "other"),
        ("C major", "D major", "other"),
        ("B minor", "B minor", "exact"),
    ],
)
def test_keys_stand_to_each_other_as_music_has_it(asked: str, found: str, relation: str) -> None:
    rows = Rows(keys(found, asked=asked))
    place = key_relations(spots_of(rows, "key", "scale"), spots_of(rows, "measured_key", "measured_scale"))
    assert [RELATIONS[at] for at in place] == [relation]


def test_tracks_asked_for_no_key_are_left_out() -> None:
    ax: Any = charts.adherence(keys("C major").assign(scale=None), "key")
    assert text_of(ax, "nothing")
    assert caption(ax) == "Left out: 1 asked for no key."


def test_both_stand_beside_each_other() -> None:
    both = charts.adherence(library())
    assert isinstance(both, tuple)
    assert [ax.get_title(loc="left") for ax in both] == ["Tempo", "Key"]


def test_there_is_nothing_else_to_draw() -> None:
    with pytest.raises(ParameterError, match="of='loudness' is neither 'tempo' nor 'key'"):
        charts.adherence(library(), "loudness")  # type: ignore[arg-type]
