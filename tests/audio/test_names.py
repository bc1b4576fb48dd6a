from __future__ import annotations

import string
from pathlib import PurePosixPath, PureWindowsPath

import hypothesis.strategies as st
import pytest
from hypothesis import given

from finetuning.audio.names import file_name, file_names
from finetuning.records import Generation

ID = "3f2b8c1e-1111-4222-8333-444455556666"

anything = (
    st.none()
    | st.text(max_size=60)
    | st.sampled_from(["../../etc/passwd", "a/b\\c", "CON", "..", "/", "\x00", "C:\\x"])
)
takes = st.builds(
    Generation,
    id=st.text(string.printable, max_size=12) | st.sampled_from(["AB", "ab", "a/b", ".."]),
    title=anything,
    prompt=anything,
)


@pytest.mark.parametrize(
    ("title", "prompt", "name"),
    [
        ("Rain on Glass", "lofi", "rain-on-glass-3f2b8c1e.mp3"),
        (None, "Lofi, chill & piano!", "lofi-chill-piano-3f2b8c1e.mp3"),
        ("", "lofi", "lofi-3f2b8c1e.mp3"),
        ("雨", "lofi", "lofi-3f2b8c1e.mp3"),
        (None, None, "generation-3f2b8c1e.mp3"),
        ("雨", "晴", "generation-3f2b8c1e.mp3"),
        ("../../etc/passwd", None, "etc-passwd-3f2b8c1e.mp3"),
        ("x" * 50, None, "x" * 40 + "-3f2b8c1e.mp3"),
        ("x" * 39 + " yz", None, "x" * 39 + "-3f2b8c1e.mp3"),
    ],
)
def test_a_take_is_named_by_its_title(title: str | None, prompt: str | None, name: str) -> None:
    assert file_name(Generation(id=ID, title=title, prompt=prompt)) == name


@given(takes)
def test_no_title_and_no_id_leads_out_of_the_folder(take: Generation) -> None:
    name = file_name(take)
    assert set(name) <= set(string.ascii_letters + string.digits + "-_.")
    assert (name.count("."), name.endswith(".mp3")) == (1, True)
    assert PurePosixPath(name).parts == PureWindowsPath(name).parts == (name,)
    assert len(name) <= 40 + 1 + 8 + 4


@given(st.lists(takes, max_size=8))
def test_no_two_takes_share_a_name_on_any_file_system(several: list[Generation]) -> None:
    names = file_names(several)
    assert set(names) == {take.id for take in several}
    assert len({name.lower() for name in names.values()}) == len(names)
    assert all(PureWindowsPath(name).parts == (name,) and len(name) < 150 for name in names.values())


def test_more_of_the_id_tells_takes_apart() -> None:
    alike = [Generation(id=f"12345678-{n}", title="Rain") for n in range(2)]
    other = Generation(id="12345678-2", title="Sun")
    assert file_names([*alike, other]) == {
        "12345678-0": "rain-12345678-0.mp3",
        "12345678-1": "rain-12345678-1.mp3",
        "12345678-2": "sun-12345678.mp3",
    }


def test_ids_that_a_file_system_cannot_tell_apart_are_told_apart() -> None:
    names = file_names(
        [Generation(id="a/b", title="t"), Generation(id="ab", title="t"), Generation(id="AB", title="t")]
    )
    assert len({name.lower() for name in names.values()}) == 3
