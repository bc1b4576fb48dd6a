"""What nbval does not look at: that notebooks are executed, small, and free of what belongs to one machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
MOST_BYTES = 250_000


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def test_the_notebooks_are_found() -> None:
    assert [path.stem for path in NOTEBOOKS][:1] == ["01_audition_a_sweep"]


def test_it_is_small_and_holds_no_widget_state(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    assert "widgets" not in json.loads(path.read_text("utf-8"))["metadata"]


def test_it_was_executed_from_top_to_bottom_without_an_error(path: Path) -> None:
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]


def test_prose_stands_between_the_cells(path: Path) -> None:
    assert len(cells(path, "markdown")) >= 0.6 * len(cells(path, "code"))


def test_it_holds_no_key_and_nothing_of_the_machine_it_ran_on(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"ft_live_[0-9a-f]{5}|/home/|/root/|/tmp/|/Users/", text)
