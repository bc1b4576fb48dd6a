from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from finetuning import charts
from finetuning.errors import ParameterError

from .frames import axes, caption, library, render


def grid(ax: Any) -> list[list[float | None]]:
    found: list[list[float | None]] = ax.collections[0].get_array().reshape(-1, len(ax.get_xticks())).tolist()
    return found


def test_each_cell_is_the_mean_of_its_takes() -> None:
    frame = pd.DataFrame(
        {"bpm": [80, 80, 90, 90, 90], "key": list("CCAAC"), "rating": pd.array([1, 4, 3, 5, None], dtype="Int64")}
    )
    ax = charts.heat_map(frame, "bpm", "key")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["80", "90"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "C"]
    assert grid(ax) == [[None, 4.0], [2.5, None]]
    assert {(text.get_position(), text.get_text()) for text in ax.texts if text.get_gid() is None} == {
        ((1.5, 0.5), "4"),
        ((0.5, 1.5), "2.5"),
    }
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tempo (bpm)", "key")
    figure: Any = ax.get_figure(root=True)
    assert [each.get_ylabel() for each in figure.axes[1:]] == ["rating (1 to 5)"]
    assert caption(ax) == "Mean of 2 takes a cell; 4 takes in all. Left out: 1 without rating."


def test_numbers_are_dark_on_light_and_light_on_dark() -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": [1, 1], "rating": [1, 5]})
    ax = charts.heat_map(frame, "x", "y", ax=axes())
    assert [text.get_color() for text in ax.texts if text.get_gid() is None] == ["white", "black"]
    assert caption(ax) == "Mean of 1 take a cell; 2 takes in all."


def test_too_many_cells_are_colours_only() -> None:
    frame = library(3000).assign(x=np.arange(3000) % 24, y=np.arange(3000) // 125)
    ax = charts.heat_map(frame, "x", "y", "generation_time")
    assert [text for text in ax.texts if text.get_gid() is None] == []
    assert ax.get_title(loc="left") == "Generation time (s)"


def test_a_column_that_is_there_twice_is_refused() -> None:
    frame = library(3)
    with pytest.raises(ParameterError, match="has 2 columns 'rating'"):
        charts.heat_map(pd.concat([frame, frame[["rating"]]], axis=1), "bpm", "key")


def test_ids_in_the_index_are_found() -> None:
    frame = library(6).set_index("id")
    assert caption(charts.heat_map(pd.concat([frame, frame]), "bpm", "key")).endswith("Left out: 6 listed twice.")


def test_the_names_of_many_rows_stand_apart() -> None:
    frame = library(60).assign(prompt=[f"style {number}" for number in range(60)], bpm=range(60))
    ax = charts.heat_map(frame, "bpm", "prompt")
    render(ax)
    boxes = sorted((label.get_window_extent() for label in ax.get_yticklabels()), key=lambda box: box.y0)
    assert len(boxes) == 24
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))


def test_values_that_cannot_be_hashed_are_told_apart_by_how_they_read() -> None:
    frame = library(3).assign(tags=pd.Series([["a"], ["b"], ["a"]], dtype=object))
    ax = charts.heat_map(frame, "tags", ["tags", "scale"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["['a']", "['b']"]
