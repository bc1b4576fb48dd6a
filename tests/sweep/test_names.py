from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.errors import ParameterError
from finetuning.sweep.names import default_name, folder, journal_path, slug

NOON = datetime(2025, 1, 15, 10, 30, 0, tzinfo=UTC)


@given(st.text(max_size=200))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    try:
        safe = slug(name)
    except ParameterError:
        assert not re.search(r"[A-Za-z0-9]", name)
        return
    assert re.fullmatch(r"[^\W_]+(-[^\W_]+)*", safe)
    assert len(safe) <= 66
    assert journal_path(name).parent == folder()
    assert slug(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("lofi", "lofi"),
        ("My Run!", "my-run"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\x\0y", "c-x-y"),
        ("Größe 1.5", "grösse-1-5"),
        ("静かな夜", "静かな夜"),
        ("CON", "con-sweep"),
        ("lpt1", "lpt1-sweep"),
        ("a" * 100, "a" * 60),
    ],
)
def test_names_become_safe(name: str, safe: str) -> None:
    assert slug(name) == safe


def test_a_name_needs_a_letter() -> None:
    with pytest.raises(ParameterError, match="has no letter or digit"):
        slug("../..")
    with pytest.raises(ParameterError, match="name is a int, not text"):
        slug(7)  # type: ignore[arg-type]


def test_a_run_without_a_name_is_named_after_tags_and_time() -> None:
    name = default_name("lofi chill piano", NOON)
    assert name == "lofi-chill-piano-20250115-103000"
    assert default_name("very long tags that go on about rain and more rain", NOON) == (
        "very-long-tags-that-go-on-about-20250115-103000"
    )
    assert default_name("♪", NOON) == "20250115-103000"
    folder().mkdir(parents=True)
    for taken in (name, f"{name}-2"):
        journal_path(taken).touch()
    assert default_name("lofi chill piano", NOON) == f"{name}-3"
    assert isinstance(journal_path(name), Path)
