"""A studio that renders nothing, a proxy before it, and time that jumps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

import finetuning as ft

from .books import Books, Kiln
from .clocks import VirtualClock
from .proxy import Proxy


@pytest.fixture(scope="session")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    with ft.studio.Studio(tmp_path_factory.mktemp("silent"), limits="local", workers=0) as studio:
        yield studio


@pytest.fixture(scope="session")
def proxy(silent: ft.studio.Studio) -> Iterator[Proxy]:
    with Proxy(silent.url, Kiln(silent.data_dir).fire) as running:
        yield running


@pytest.fixture(scope="session")
def books(silent: ft.studio.Studio) -> Books:
    return Books(silent.data_dir)


@pytest.fixture(scope="session")
def virtual() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """A number for each sweep, so that none sees what another has made."""
    return itertools.count()
