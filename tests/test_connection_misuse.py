from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import finetuning as ft
from finetuning import errors

KEY = "ft_live_" + "0123456789abcdef" * 2


def test_an_option_that_no_studio_has_is_named_with_those_that_it_has() -> None:
    with pytest.raises(errors.SettingsError, match=r"does not know limit\.\n.*limits"):
        ft.connect("studio", limit="hosted")


@pytest.mark.parametrize("policy", [5, {"max_wait": 3}, ft.Policy])
def test_a_policy_that_is_none_is_refused(policy: Any) -> None:
    with pytest.raises(errors.SettingsError, match=r"takes an ft\.Policy, not"):
        ft.connect("http://127.0.0.1:9", api_key=KEY, policy=policy)


@pytest.mark.parametrize("folder", [5, ["a"], "a\0b"])
def test_a_folder_that_is_none_is_refused(folder: Any) -> None:
    with pytest.raises(errors.SettingsError, match="is not the name of a folder"):
        ft.connect("studio", data_dir=folder)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timeout": "x"}, r"Policy\(timeout='x'\) is not a number of seconds above 0\."),
        ({"timeout": 0}, "above 0"),
        ({"connect_timeout": None}, "above 0"),
        ({"max_wait": -1}, "from 0"),
        ({"settle": float("nan")}, "from 0"),
        ({"backoff": True}, "from 0"),
        ({"retries": 1.5}, "a whole number from 0"),
    ],
)
def test_patience_is_in_numbers(given: Any, said: str) -> None:
    with pytest.raises(errors.SettingsError, match=said):
        ft.Policy(**given)


def test_patience_may_have_no_end_and_come_out_of_an_array() -> None:
    assert ft.Policy(max_wait=float("inf"), retries=np.int64(2), timeout=np.float32(3)).retries == 2  # type: ignore[arg-type]
