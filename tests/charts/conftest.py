"""Figures are drawn without a screen, and closed."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    import matplotlib.pyplot as plt

    plt.close("all")  # of other tests
    yield
    plt.close("all")
