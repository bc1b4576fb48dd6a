"""A browser for the panels: Debian's Chromium, a page for plain widgets, and one JupyterLab for all."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import finetuning as ft
from finetuning.panels.deck.judges import recorder

from .lab import Lab
from .shop import KEY, Shop
from .stage import Stage, wired

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
    "--enable-precise-memory-info",
)  # fmt: skip
#: Pictures of what was seen, kept beside the tests; no test reads them.
PICTURES = Path(__file__).parent / "pictures"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in ("playwright", "jupyterlab") if importlib.util.find_spec(name) is None]
    missing += [] if Path(CHROMIUM).exists() else ["chromium"]
    skip = pytest.mark.skip(reason=f"panels are tried in a browser, which needs {' and '.join(missing)}")
    for item in items:
        if Path(item.path).is_relative_to(Path(__file__).parent):
            # JupyterLab may connect to a kernel anew and forget what it was asked, and is waited for in vain; that is
            # not what is tried here. What is there and wrong fails at once.
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun="TimeoutError"))
            item.add_marker(pytest.mark.timeout(1200))  # a browser, a server and a kernel may share one busy core
            if missing:
                item.add_marker(skip)


# For a file, not for all: while it is there, Playwright's event loop runs in this thread; no other test may meet it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    context.set_default_timeout(240_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Keep a picture of a page or an element, under the name of the test."""

    def take(shown: Any) -> None:
        PICTURES.mkdir(exist_ok=True)
        shown.screenshot(path=PICTURES / f"{request.node.name}.png")

    return take


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture
def seller(shop: Shop) -> Iterator[ft.Client]:
    """A client of the shop."""
    undo = wired()
    with ft.Client(KEY, shop.url, progress=False) as client:
        yield client
        recorder().submit(int).result(30)
        ipywidgets.Widget.close_all()
    undo()


@pytest.fixture
def stage(page: Any, shop: Shop, seller: ft.Client) -> Stage:
    return Stage(page, shop.url)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, studio: ft.studio.Studio) -> Iterator[Lab]:
    """JupyterLab with a home of its own, and the studio for its notebooks."""
    with Lab(tmp_path_factory.mktemp("lab"), studio) as lab:
        yield lab
