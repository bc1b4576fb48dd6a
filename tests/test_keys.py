from __future__ import annotations

import copy
import pickle
import re

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from finetuning.errors import SettingsError
from finetuning.keys import ApiKey, claim, redact

SECRET = "0123456789abcdef" * 2
KEY = "ft_live_" + SECRET


def test_a_key_is_shown_by_its_first_four_characters_only() -> None:
    key = ApiKey(f"  {KEY}\n")
    for shown in (str(key), repr(key), f"{key}", f"{key!s}", f"{[key]} { ({'k': key}) }"):
        assert SECRET not in shown
        assert "ft_live_0123...****" in shown
    assert key.reveal() == KEY


def test_keys_compare_by_their_text() -> None:
    assert ApiKey(KEY) == ApiKey(ApiKey(KEY))
    assert ApiKey(KEY) != KEY
    assert len({ApiKey(KEY), ApiKey(KEY)}) == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(ApiKey(KEY), protocol)


def test_a_key_is_not_copied_out_of_its_hiding_place() -> None:
    assert not hasattr(ApiKey(KEY), "__dict__")
    with pytest.raises(TypeError):
        copy.copy(ApiKey(KEY))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("sk-" + SECRET, "35 characters that do not start"),
        (KEY[:-1], "31 characters after 'ft_live_' instead of 32"),
        (KEY + "0", "33 characters"),
        (KEY[:-1] + "G", "not 0-9 or a-f"),
        (KEY[:-1] + "٣", "not 0-9 or a-f"),
        (None, "a NoneType, not text"),
        (KEY.encode(), "a bytes, not text"),
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ApiKey(text)
    assert why in str(caught.value)
    assert SECRET[:20] not in str(caught.value)


def test_a_claim_raises_nothing() -> None:
    assert claim(None) == (None, None)
    assert claim(KEY) == (ApiKey(KEY), None)
    key, problem = claim("nonsense")
    assert key is None
    assert isinstance(problem, SettingsError)
    assert problem.__traceback__ is None


@given(st.lists(st.one_of(st.text(max_size=20), st.just(KEY), st.just(KEY.upper()), st.just("ft_live_"))).map("".join))
@example(f"ft_live_{KEY}")
@example(f"{KEY}{KEY}")
@example(f"{KEY}_{SECRET}")
@example(f"https://x/{KEY}?{KEY}#{KEY}")
def test_redaction_leaves_no_key_and_is_done_once(text: str) -> None:
    shown = redact(text)
    assert all(len(tail) <= 4 for tail in re.findall(r"ft_live_(\w*)", shown, re.IGNORECASE | re.ASCII))
    assert SECRET not in shown.lower()
    assert redact(shown) == shown


@given(st.text())
def test_what_holds_no_key_is_left_alone(text: str) -> None:
    assert redact(text) == text or "ft_live_" in text.lower()
