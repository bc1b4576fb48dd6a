from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from finetuning import charts
from finetuning.errors import ParameterError

from .frames import caption, legend, text_of, xs, ys


def points(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"std": 0.5, "suggested": False} | columns)


def heard(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_along_one_parameter_the_mean_and_one_std_either_way() -> None:
    frame = points(bpm=[80, 90, 100], key="C", mean=[2.0, 3.0, 4.0], suggested=[False, False, True])
    suggestion = SimpleNamespace(belief=frame, measured=heard(bpm=[80, 90, None], rating=[1, None, 4]))
    ax = charts.belief(suggestion)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tempo (bpm)", "rating (1 to 5)")
    lines = {line.get_label(): (xs(line), ys(line)) for line in ax.lines}
    assert lines == {
        "believed mean": ([80, 90, 100], [2, 3, 4]),
        "suggested": ([100], [4]),
        "measured": ([80], [1]),
    }
    band = np.asarray(ax.collections[0].get_paths()[0].vertices)
    assert band[:, 1].min() == 1.5
    assert band[:, 1].max() == 4.5
    assert caption(ax) == "3 points, 1 suggested, 1 measured take."


def test_over_two_parameters_both_stand_in_the_cells() -> None:
    frame = points(
        bpm=[80, 80, 90, 90], key=["C", "A", "C", "A"], mean=[1.0, 2.0, 3.0, 4.0], suggested=[True, False, False, False]
    )
    ax = charts.belief(SimpleNamespace(belief=frame, measured=heard(bpm=[89, 80], key=["A", "X"], rating=[5, 5])))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tempo (bpm)", "key")  # the tempo moves it most
    assert sorted(text.get_text() for text in ax.texts if text.get_gid() is None) == [
        "1\n±0.5", "2\n±0.5", "3\n±0.5", "4\n±0.5",
    ]  # fmt: skip
    marked = {line.get_label(): (xs(line), ys(line)) for line in ax.lines}
    assert np.allclose(marked["suggested"], ([0.14], [1.84]))
    assert np.allclose(marked["measured"], ([1.86], [0.84]))
    assert legend(ax) == ["suggested", "measured"]


def test_what_is_believed_in_is_what_the_suggestion_says() -> None:
    frame = points(bpm=[80, 90], mean=[-14.0, -12.0])
    suggestion = SimpleNamespace(belief=frame, measured=heard(bpm=[80], rating=[-13.0]), value="loudness")
    ax = charts.belief(suggestion)
    assert ax.get_ylabel() == "loudness (LUFS)"
    assert ax.get_title(loc="left") == "What is believed of the loudness"
    assert next(ys(line) for line in ax.lines if line.get_label() == "measured") == [-13]


def test_other_parameters_are_averaged_over() -> None:
    frame = points(bpm=[80, 80, 90, 90], key=["C", "A", "C", "A"], mean=[1.0, 2.0, 3.0, 4.0], std=[0.3, 0.4, 0.0, 0.5])
    ax = charts.belief(frame, "bpm")
    assert ys(ax.lines[0]) == [1.5, 3.5]
    band = np.asarray(ax.collections[0].get_paths()[0].vertices)
    assert np.isclose(band[:, 1].min(), 1.5 - np.sqrt((0.09 + 0.16) / 2))
    words = charts.belief(SimpleNamespace(belief=frame, measured=heard(key=["C", "H"], rating=[5, 5])), "key")
    assert [label.get_text() for label in words.get_xticklabels()] == ["A\n(2)", "C\n(2)"]
    assert caption(words) == "4 points, 0 suggested, 1 measured take."


def test_a_parameter_may_be_chosen_for_either_side() -> None:
    frame = points(bpm=[80, 80, 90, 90], key=["C", "A", "C", "A"], mean=[1.0, 2.0, 3.0, 4.0])
    assert charts.belief(frame, y="bpm").get_xlabel() == "key"
    assert charts.belief(frame, "bpm", "bpm").get_ylabel() == "rating (1 to 5)"
    assert charts.belief(frame, "key", value="loudness").get_ylabel() == "loudness (LUFS)"


def test_points_without_a_belief_are_counted() -> None:
    frame = points(bpm=[80, 90], mean=[1.0, np.nan]).drop(columns="suggested")
    assert caption(charts.belief(frame)) == "1 point, 0 suggested, 0 measured takes. Left out: 1 without mean."
    assert "no parameter varies" in text_of(charts.belief(points(mean=[1.0])), "nothing")


def test_more_points_than_cells_can_hold_are_binned() -> None:
    frame = points(bpm=np.arange(100), duration=np.arange(100) % 50, mean=np.arange(100.0))
    ax = charts.belief(
        SimpleNamespace(belief=frame, measured=heard(bpm=[5], duration=[5], rating=[5])), "bpm", "duration"
    )
    assert len(ax.get_xticks()) == 8
    assert "1 measured take" in caption(ax)


@pytest.mark.parametrize("what", [None, SimpleNamespace(belief=[1])])
def test_what_is_no_suggestion_is_refused(what: Any) -> None:
    with pytest.raises(ParameterError, match=r"not what run\.suggest\(n\) returns"):
        charts.belief(what)


def test_a_parameter_that_is_none_is_refused() -> None:
    with pytest.raises(ParameterError, match="no column 'key'"):
        charts.belief(points(bpm=[80], mean=[1.0]), "key")
