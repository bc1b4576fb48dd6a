from __future__ import annotations

from multiprocessing import Pipe
from typing import Any

import pytest

from finetuning.studio import music
from finetuning.studio.music import Brief, Take


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("key", "H", "choose one of C, C#"),
        ("scale", "dorian", "major or minor"),
        ("bpm", 59, "60 to 200"),
        ("bpm", 201, "60 to 200"),
        ("time_signature", 8, "2 to 7"),
        ("duration", 4.9, "5 to 210"),
        ("duration", float("nan"), "5 to 210"),
    ],
)
def test_a_brief_refuses_what_cannot_be_played(field: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Brief("pop", **{field: value})


def _sent(thing: Any) -> Any:
    """What another process gets."""
    ours, theirs = Pipe()
    with ours, theirs:
        ours.send(thing)
        return theirs.recv()


def test_briefs_and_takes_travel_between_processes() -> None:
    brief = Brief("pop", seed=-(2**80), language="ja")
    take = Take("A", b"mp3", b"midi", 1.0, {"style": "pop"})
    assert _sent(brief) == brief
    assert _sent(take) == take
    assert "mp3=" not in repr(take)


def test_the_room_says_what_it_has() -> None:
    assert all(getattr(music, name) for name in music.__all__)
    with pytest.raises(AttributeError, match="no attribute 'sing'"):
        music.sing  # noqa: B018
