from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest

from finetuning.panels.deck.layout import Axis, Layout, axes_of, spread
from finetuning.panels.deck.takes import Take, shortened, takes_in


def takes(**axes: list[Any]) -> list[Take]:
    """One take for each combination."""
    points = itertools.product(*axes.values())
    return [
        Take(key=f"t{number}", id=f"t{number}", title="t", values=dict(zip(axes, point, strict=True)))
        for number, point in enumerate(points)
    ]


def laid(some: list[Take], **asked: str) -> Layout:
    return spread(some, axes_of(some), **asked)


def test_axes_are_what_differs_in_an_order_of_its_own() -> None:
    some = takes(
        key=["G", "A#", "C"], bpm=[120, 85.5], scale=["major"], energy=["high", "wild", "low"], tags=["z", "a"]
    )
    assert axes_of(some) == [
        Axis("bpm", (85.5, 120)),
        Axis("key", ("C", "G", "A#")),
        Axis("energy", ("low", "high", "wild")),
        Axis("tags", ("z", "a")),
    ]
    assert axes_of(some)[0].labels == ["85.5", "120"]
    assert axes_of([]) == []


def test_a_take_without_the_value_has_no_place() -> None:
    axis = Axis("bpm", (80, 90))
    assert [axis.place(take) for take in takes(bpm=[90, 80])] == [1, 0]
    assert axis.place(Take(key="x", id=None, title="x")) == -1


@pytest.mark.parametrize(
    ("axes", "layout"),
    [
        ({}, Layout()),
        ({"bpm": [80]}, Layout()),
        ({"bpm": [80, 90]}, Layout("", "bpm")),
        ({"bpm": list(range(60, 80))}, Layout("bpm", "")),
        ({"bpm": [80, 90, 100], "key": ["C", "A"]}, Layout("key", "bpm")),
        ({"bpm": list(range(60, 80)), "key": ["C", "A"]}, Layout("bpm", "key")),
        ({"bpm": [80, 90, 100], "key": ["C", "A"], "seed": [1, 2]}, Layout("key", "bpm")),
        ({"bpm": [80, 90, 100], "key": ["C", "A"], "scale": ["major", "minor"]}, Layout("key", "bpm", "scale")),
        ({"seed": [1, 2, 3]}, Layout("", "seed")),
        ({"bpm": [80, 90], "seed": [1, 2, 3]}, Layout("bpm", "seed")),
    ],
)
def test_the_axes_with_most_values_span_the_matrix(axes: dict[str, list[Any]], layout: Layout) -> None:
    assert laid(takes(**axes)) == layout


def test_a_scale_that_goes_with_the_key_makes_no_pages() -> None:
    some = takes(bpm=[80, 90, 100], key=["C", "A"])
    for take in some:
        take.values["scale"] = "major" if take.values["key"] == "C" else "minor"
    assert laid(some).page == ""


def test_what_never_repeats_spreads_nothing_and_an_empty_matrix_is_a_list() -> None:
    library = [
        Take(key=f"t{n}", id=f"t{n}", title="t", values={"bpm": 60 + n % 15, "duration": 30 + n % 16, "seed": n})
        for n in range(30)
    ]
    assert laid(library) == Layout()
    assert laid(library, rows="duration") == Layout("duration", "bpm")
    assert laid(library, columns="seed") == Layout("duration", "seed")
    assert laid(library, rows="", columns="") == Layout()
    assert laid(takes(bpm=[80, 90]), rows="bpm") == Layout("bpm", "")
    assert laid(takes(bpm=[80, 90]), columns="bpm") == Layout("", "bpm")


def test_takes_are_read_from_any_frame() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", None],
            "point": [3, 4],
            "state": ["completed", "failed"],
            "tags": ["piano", "piano"],
            "bpm": pd.array([85, None], dtype="Int64"),
            "time_signature": pd.array([None, 3], dtype="Int64"),
            "key": pd.Categorical(["C", None]),
            "error_message": [None, "no   luck\n" * 60],
            "duration": [float("nan"), float("nan")],
            "requested_duration": [30.0, float("nan")],
            "created_at": pd.Series([pd.Timestamp("2025-01-01"), pd.NaT]),
        }
    )
    first, second = takes_in(frame)
    assert (first.key, first.title, first.bpm, first.beats, first.duration) == ("a", "piano", 85.0, 4, 30.0)
    assert first.playable
    assert not first.broken
    assert first.values == {"bpm": 85, "key": "C", "duration": 30.0, "tags": "piano"}
    assert (second.key, second.id, second.beats, second.bpm, second.label) == (
        "point-4",
        None,
        3,
        None,
        "failed · 3 beats",
    )
    assert second.broken
    assert not second.playable
    assert len(second.reason) == 160
    assert [take.key for take in takes_in(frame, points=True)] == ["point-3", "point-4"]
    assert takes_in(pd.DataFrame()) == []


def test_long_titles_are_cut_between_ellipses_and_characters() -> None:
    assert shortened("ünï " * 50).endswith("ünï…")
    assert len(shortened("x" * 700)) == 72
