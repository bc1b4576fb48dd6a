from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.identity import Match, compare
from finetuning.records import Generation, Parameters

BODY = {
    "tags": "lofi piano",
    "bpm": 90,
    "duration": 30,
    "key": "C#",
    "scale": "minor",
    "timesignature": "3",
    "language": "en",
    "seed": 7,
}


def row(prompt: str | None = "lofi piano", **said: Any) -> Generation:
    echoed: dict[str, Any] = {
        "bpm": 90,
        "duration": 30,
        "keyscale": "C# minor",
        "timesignature": 3,
        "language": "en",
        "seed": 7,
    }
    return Generation(id="gen_1", prompt=prompt, parameters=Parameters(**(echoed | said)))


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({}, Match.YES),
        ({"timesignature": "3"}, Match.YES),
        ({"prompt": " lofi  piano "}, Match.YES),
        ({"bpm": None, "keyscale": None, "timesignature": None, "language": None, "duration": None}, Match.YES),
        ({"bpm": 90.0, "duration": 30.0}, Match.YES),
        ({"seed": 8}, Match.NO),
        ({"bpm": 91}, Match.NO),
        ({"duration": 31}, Match.NO),
        ({"keyscale": "D minor"}, Match.NO),
        ({"keyscale": "C# major"}, Match.NO),
        ({"timesignature": 4}, Match.NO),
        ({"language": "de"}, Match.NO),
        ({"seed": None}, Match.UNKNOWN),
        ({"seed": None, "bpm": 91}, Match.NO),
        ({"prompt": None}, Match.UNKNOWN),
        ({"prompt": "Lofi Piano."}, Match.UNKNOWN),
    ],
)
def test_what_is_echoed_decides(said: dict[str, Any], match: Match) -> None:
    assert compare(BODY, row(**said)) is match


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [({"bpm": 300}, {"bpm": 200}), ({"bpm": 10}, {"bpm": 60}), ({"duration": 1}, {"duration": 5})]
    + [({"duration": 900}, {"duration": length}) for length in (210, 120)],
)
def test_what_the_service_clamps_is_the_same(sent: dict[str, Any], echoed: dict[str, Any]) -> None:
    assert compare(BODY | sent, row(**echoed)) is Match.YES
    assert compare(BODY | sent, row(**{name: value - 1 for name, value in echoed.items()})) is Match.NO


def test_a_row_without_parameters_is_unknown() -> None:
    assert compare(BODY, Generation(id="gen_1", prompt="lofi piano")) is Match.UNKNOWN


def test_what_was_left_to_the_service_says_nothing() -> None:
    assert compare({"tags": "lofi piano", "seed": 7}, row()) is Match.YES


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_two_seeds_are_two_generations(sent: int, echoed: int) -> None:
    assert (compare(BODY | {"seed": sent}, row(seed=echoed)) is Match.YES) is (sent == echoed)


@pytest.mark.parametrize(
    ("prompt", "match"),
    [
        ("Lofi  chill piano", Match.UNKNOWN),
        ("lofi, chill piano.", Match.UNKNOWN),
        ("lofi chill guitar", Match.NO),
        ("", Match.NO),
    ],
)
def test_a_prompt_that_was_tidied_leaves_doubt_and_another_none(prompt: str, match: Match) -> None:
    row = Generation(id="gen_1", prompt=prompt, parameters=Parameters(seed=7))
    assert compare({"tags": "lofi chill piano", "seed": 7}, row) is match


def test_a_prompt_without_letters_is_compared_as_it_is() -> None:
    body = {"tags": "🎹 🎷", "seed": 7}
    assert compare(body, Generation(id="gen_1", prompt="🎹 🎷", parameters=Parameters(seed=7))) is Match.YES
    assert compare(body, Generation(id="gen_1", prompt="🎹 🎸", parameters=Parameters(seed=7))) is Match.NO
