from __future__ import annotations

from typing import Any

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
