"""A studio with a dozen finished takes of known tempo and key, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import finetuning as ft

#: Tempo and tonic of each take.
TAKES = ((80, "C"), (90, "G"), (100, "D"), (120, "A"), (84, "F"), (88, "A#"), (96, "E"), (110, "C"))
NOBODYS = "11111111-1111-4111-8111-111111111111"


@dataclass
class World:
    """Takes 0 to 7 are finished, the even ones public; `waiting` never ends and `failed` did not succeed."""

    studio: ft.studio.Studio
    client: ft.Client
    takes: list[str]
    failed: str
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def playlist(self, *held: str, public: bool = False) -> str:
        """Make a playlist of a new name that holds these; return the name."""
        name = f"Number {next(self.numbers)}"
        id_ = self.studio.create_playlist(name, public)
        if held:
            self.client.add_tracks(id_, list(held)).raise_for_failed()
        return name

    def held(self, name: str) -> list[str]:
        return list(self.client.playlist(name).tracks["id"])


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        ft.studio.Studio(tmp_path_factory.mktemp("takes"), limits="local", workers=1) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as client,
    ):
        made = [
            client.generate("lofi piano", bpm=bpm, key=key, scale="major", duration=5, seed=place, wait=False)
            for place, (bpm, key) in enumerate(TAKES)
        ]
        for each in made:
            client.wait(each)
        studio.fail_renders("It broke.")
        failed = client.generate("lofi", duration=5, seed=99, wait=False)
        with pytest.raises(ft.errors.GenerationError):
            client.wait(failed)
        studio.set_public([each.id for each in made[::2]])
        yield World(studio, client, [each.id for each in made], failed.id)


@pytest.fixture
def frame(world: World) -> Any:
    return world.client.generations(limit=None)
