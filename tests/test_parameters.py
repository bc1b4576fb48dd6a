from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from finetuning.errors import ParameterError
from finetuning.parameters import SEED_MAX, create_body, one_of, patience, shown, status, tonic, whole
from finetuning.records import KEYS, LANGUAGES, SCALES, STATUSES

KEY = "ft_live_" + "0123456789abcdef" * 2

letters = st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t")
valid = st.fixed_dictionaries(
    {"tags": st.text(letters, min_size=1, max_size=700).filter(str.strip)},
    optional={
        "lyrics": st.text(letters, min_size=1, max_size=2000),
        "duration": st.integers(-10, 400),
        "bpm": st.integers(-10, 400),
        "key": st.sampled_from(KEYS),
        "scale": st.sampled_from(SCALES),
        "time_signature": st.integers(2, 7),
        "language": st.sampled_from(LANGUAGES),
        "seed": st.integers(-SEED_MAX, SEED_MAX),
        "webhook": st.just("https://example.com/hook?token=1"),
    },
)


@given(valid)
def test_what_is_valid_is_what_is_sent(given_: dict[str, Any]) -> None:
    expected = dict(given_)
    if "time_signature" in expected:
        expected["timesignature"] = str(expected.pop("time_signature"))
    assert create_body(**given_) == expected


def test_what_is_left_out_is_left_to_the_service() -> None:
    left_out: dict[str, Any] = dict.fromkeys(
        ("lyrics", "duration", "bpm", "key", "scale", "time_signature", "language", "seed", "webhook")
    )
    assert create_body("lofi", **left_out) == {"tags": "lofi"}
    assert create_body("lofi", lyrics="") == {"tags": "lofi"}


NO_NUMBER: list[Any] = [
    "120", b"1", 92.5, math.nan, math.inf, True, np.True_, pd.NA, [], 1j, np.array([1, 2]), np.array([1.0]), 2**53,
    -(2**53), 10**5000, np.timedelta64(5, "s"), pd.Timestamp(0), object(),
]  # fmt: skip
REFUSED: dict[str, list[Any]] = {
    "tags": [None, 5, b"lofi", "", "  ", "\n", "x" * 701, ["lofi"], "\ud800", "lo\0fi", "lofi\x1b[1m"],
    "lyrics": [5, 0, [], b"la", "x" * 2001, pd.NA, math.nan, "\udfff", "\0", "la\r\nla", "la\x7f", "la\x85"],
    "duration": NO_NUMBER,
    "bpm": NO_NUMBER,
    "seed": NO_NUMBER,
    "key": ["H", "I", "", "C minor", "Cm", "C##", 5, math.nan, ["C"], KEY],
    "scale": ["dorian", "", 1, math.nan, "maj"],
    "time_signature": [1, 8, 0, -4, "12/8", "4/5", "four", "", 4.5, True, math.nan, "²", "4/4/4"],
    "language": ["english", "xx", "", 5],
    "webhook": [
        "", 5, "example.com/hook", "http://example.com/hook", "ftp://example.com", "https://", "https://[::1",
        "https://x:y/", "https://localhost/hook", "https://127.0.0.1/hook", "https://[::1]/hook", "https://10.0.0.8/",
        "https://192.168.1.1/", "https://169.254.169.254/latest", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/",
        "https://intranet/hook", "https://nas.local/", "https://db.internal/", "https://printer.lan./",
        "https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://exa mple.com/", "https://example.com/\n",
        "https://a.com\\@b.com/", "https://e.com/" + "x" * 2048,
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [pytest.param(name, value, id=f"{name}-{n}") for name, bad in REFUSED.items() for n, value in enumerate(bad)],
)
def test_what_is_invalid_is_refused_by_name(name: str, value: Any) -> None:
    arguments: dict[str, Any] = {"tags": "lofi", name: value}
    with pytest.raises(ParameterError) as caught:
        create_body(**arguments)
    assert caught.value.parameter == name
    assert name in caught.value.message
    assert len(caught.value.message) < 200
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("given_", "wire"),
    [("c", "C"), (" f# ", "F#"), ("C♯", "C#"), ("Db", "C#"), ("E♭", "D#"), ("cb", "B"), ("B#", "C"), ("e#", "F")],
)
def test_a_key_may_be_written_in_several_ways(given_: str, wire: str) -> None:
    assert tonic(given_) == wire


@pytest.mark.parametrize(
    ("given_", "hint"),
    [
        ("C minor", "Say key='C', scale='minor'."),
        ("Db major", "Say key='C#', scale='major'."),
        ("Am", "Say key='A', scale='minor'."),
        ("AM", "Say key='A', scale='major'."),
        ("bb min", "Say key='A#', scale='minor'."),
        ("F♯maj", "Say key='F#', scale='major'."),
        ("c moll", "Say key='C', scale='minor'."),
        ("C-dur", None),
        ("H", "The German H is B here, and the German B is A#."),
        (KEY, "`key` is the tonic of the music; the API key belongs to ft.connect(api_key=…)."),
        ("x", None),
    ],
)
def test_a_key_that_is_more_than_a_tonic_is_answered_with_what_to_say(given_: str, hint: str | None) -> None:
    with pytest.raises(ParameterError) as caught:
        tonic(given_)
    assert caught.value.hint == hint
    assert caught.value.value != KEY


@pytest.mark.parametrize(
    "value",
    [85, 85.0, np.int64(85), np.float32(85), Decimal(85), Fraction(85), np.array(85), pd.array([85], dtype="Int64")[0]],
)
def test_any_whole_number_is_a_whole_number(value: Any) -> None:
    result = whole("bpm", value)
    assert (result, type(result)) == (85, int)


BPM = "Tempi are whole numbers from 60 to 200 beats a minute; the service clamps what is outside."
DURATION = "Durations are whole numbers from 5 to 210 seconds; the service clamps what is outside."
SEED = "Seeds are whole numbers within ±(2**53 - 1)."


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("bpm", "fast", BPM),
        ("bpm", math.nan, BPM),
        ("bpm", math.inf, BPM),
        ("bpm", True, BPM),
        ("bpm", [80], BPM),
        ("bpm", 2**53, BPM),
        ("bpm", 80.5, f"Round it: 80. {BPM}"),
        ("bpm", np.linspace(80, 140, 4)[1] + 0.3, f"Round it: 100. {BPM}"),
        ("bpm", Decimal("80.7"), f"Round it: 81. {BPM}"),
        ("bpm", "80.7", f"Round it: 81. {BPM}"),
        ("duration", "30", f"Write 30, without quotes. {DURATION}"),
        ("duration", "-inf", DURATION),
        ("seed", 1.5, f"Round it: 2. {SEED}"),
        ("seed", -(2**53), SEED),
        ("limit", "20", "Write 20, without quotes."),
        ("limit", None, None),
    ],
)
def test_what_is_no_whole_number_is_answered_with_what_is_allowed_and_what_to_write(
    name: str, value: Any, hint: str | None
) -> None:
    with pytest.raises(ParameterError) as caught:
        whole(name, value)
    assert caught.value.hint == hint


@given(
    st.floats() | st.text() | st.binary() | st.none() | st.lists(st.integers()) | st.integers() | st.complex_numbers()
)
def test_a_whole_number_is_whole_or_refused(value: Any) -> None:
    try:
        number = whole("bpm", value)
    except ParameterError as problem:
        assert problem.parameter == "bpm"  # noqa: PT017 - either way is right, each in its own manner
    else:
        assert number == value


def test_words_are_taken_in_any_case() -> None:
    assert one_of("scale", " Minor ", SCALES) == "minor"
    assert [status(each.upper()) for each in STATUSES] == list(STATUSES)


@pytest.mark.parametrize(("value", "hint"), [("complete", "Did you mean 'completed'?"), ("x", None), (5, None)])
def test_a_word_that_is_nearly_right_is_recognised(value: object, hint: str | None) -> None:
    with pytest.raises(ParameterError, match="pending, processing, completed, failed") as caught:
        status(value)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [("scale", "dorian", "tags"), ("scale", 1, "tags"), ("scale", "maj", "'major'"), ("language", "english", "'en'")],
)
def test_a_word_that_is_like_none_is_answered_with_where_it_goes(name: str, value: Any, hint: str) -> None:
    with pytest.raises(ParameterError) as caught:
        create_body("lofi", **{name: value})
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "text", "says", "hint"),
    [
        ("tags", "lo\0fi", r"tags holds the control character U\+0000 at position 2", "Remove it"),
        ("lyrics", "la\r\nla", r"lyrics holds the control character U\+000D at position 2", "line feed alone"),
    ],
)
def test_a_control_character_is_named_before_it_costs_a_credit(name: str, text: str, says: str, hint: str) -> None:
    arguments: dict[str, Any] = {"tags": "lofi", name: text}
    with pytest.raises(ParameterError, match=says) as caught:
        create_body(**arguments)
    assert hint in (caught.value.hint or "")
    assert create_body("lo\tfi", lyrics="la\n\tla\n") == {"tags": "lo\tfi", "lyrics": "la\n\tla\n"}


@pytest.mark.parametrize("value", ["4", "4/4", "4 ", 4.0, np.int8(4)])
def test_a_time_signature_may_be_written_as_musicians_do(value: Any) -> None:
    assert create_body("lofi", time_signature=value)["timesignature"] == "4"
    assert create_body("lofi", time_signature="6/8")["timesignature"] == "6"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/hook", "https://localhost/hook", "http://[::1]:8000/"])
def test_a_local_service_may_call_this_machine(url: str) -> None:
    assert create_body("lofi", webhook=url, local=True)["webhook"] == url


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://example.com/"])
def test_a_local_service_calls_no_other_scheme(url: str) -> None:
    with pytest.raises(ParameterError, match="webhook"):
        create_body("lofi", webhook=url, local=True)


@pytest.mark.parametrize("url", ["https://hooks.example.com/a?token=s", "https://8.8.8.8/", "https://münchen.example/"])
def test_a_public_webhook_is_sent_as_it_is(url: str) -> None:
    assert create_body("lofi", webhook=url)["webhook"] == url


def test_a_refused_webhook_is_not_repeated_since_it_may_hold_a_secret() -> None:
    with pytest.raises(ParameterError) as caught:
        create_body("lofi", webhook="http://example.com/?token=secret")
    assert "secret" not in f"{caught.value} {caught.value.value}"


@pytest.mark.parametrize(
    ("value", "seconds"), [(5, 5.0), (0, 0.0), (None, math.inf), (math.inf, math.inf), (np.float32(2), 2)]
)
def test_patience_is_seconds_or_without_end(value: Any, seconds: float) -> None:
    assert patience(value) == seconds


@pytest.mark.parametrize("value", ["5", -1, math.nan, True, [], pd.NA])
def test_patience_is_nothing_else(value: Any) -> None:
    with pytest.raises(ParameterError, match="timeout") as caught:
        patience(value)
    assert caught.value.parameter == "timeout"


class Grim:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_any_value_can_be_shown() -> None:
    assert shown(Grim()) == "a Grim"
    assert shown(10**5000) == "a int"
    assert len(shown(pd.DataFrame({"a": range(1000)}))) <= 61
    assert "\n" not in shown("a\nb")
    assert shown("x" * 55 + KEY) == "'" + "x" * 55 + "ft_l…"
