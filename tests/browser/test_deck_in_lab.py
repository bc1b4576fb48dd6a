"""The deck in JupyterLab: from a sweep in a cell to a saved notebook that is opened without a kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .lab import Lab, hear

SWEEP = """
sweep = ft.Sweep("lofi chill piano, rainy window", bpm=[85, 92, 120], key=["C", "A"], seed=[7], duration=20)
run = client.run(sweep, name="in the lab", wait=False)
deck = run.play()
deck
"""
BUSY = """
import pathlib, time
while not pathlib.Path("seen.txt").exists():
    time.sleep(0.05)
"""

#: Its client is closed before anything of it is heard.
LOST = """
lost = ft.Deck(client, run.frame["id"][:2])
client.close()
lost
"""


def test_a_sweep_is_heard_rated_and_saved(lab: Lab, page: Any, picture: Callable[[Any], None]) -> None:
    cells = [
        lab.begin,
        SWEEP,
        BUSY,
        "deck.ratings\nrun.frame[['rating', 'rejected']].to_json()",  # the deck first: it waits until all is recorded
        LOST,
    ]
    # As with a kernel on another machine: the page reaches JupyterLab's own server and nothing else.
    elsewhere: list[str] = []

    def is_elsewhere(url: str) -> bool:
        return not url.startswith((f"{lab.url}/", f"ws{lab.url.removeprefix('http')}/", "blob:", "data:"))

    page.context.route(is_elsewhere, lambda route: route.abort())
    for event in ("request", "websocket"):
        page.on(event, lambda asked: elsewhere.extend(filter(is_elsewhere, [asked.url])))
    notebook = lab.open(page, lab.write("heard", cells))
    notebook.run(0)
    notebook.wait(0)
    notebook.run(1)
    notebook.wait(1)
    cell = page.locator(".ft-cell")
    cell.first.wait_for()
    assert cell.count() == 6
    notebook.run(2)  # while this one runs, the kernel hears nothing of the page, and takes fill in all the same
    page.wait_for_function("() => document.querySelectorAll('.ft-cell[data-state=idle]').length === 6")
    cell.first.click()
    page.keyboard.press("5")
    cell.first.locator(".ft-stars", has_text="★★★★★").wait_for()
    assert notebook.running(2)
    (lab.root / "seen.txt").touch()
    notebook.wait(2)
    sounding = "key => document.querySelector('.ft-cell[data-state=sounding]')?.dataset.key === key"
    page.wait_for_function(sounding, arg="point-0")
    hear(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.ft-status').textContent === 'bpm 85 → 92'")
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.querySelector('.ft-status').textContent.startsWith('key ')")
    picture(page.locator(".ft-deck"))
    page.keyboard.press(" ")
    notebook.run(3)
    judged = json.loads(notebook.text(3).strip().strip("'"))
    assert judged["rating"]["0"] == 5
    assert list(judged["rejected"].values()).count(True) == 1
    assert elsewhere == []

    # What goes wrong is told under the deck that was asked, with what to do.
    notebook.run(4)
    notebook.wait(4)
    lost = notebook.cell(4).locator(".ft-deck")
    lost.locator(".ft-cell").first.click()
    told = lost.get_by_role("alert")
    told.get_by_text("cannot be heard. This client is closed. Make a new one with ft.connect().").wait_for()
    lost.locator(".ft-cell[data-state=broken]").wait_for()
    assert page.locator(".ft-deck").first.locator(".ft-trouble").is_hidden()

    saved = notebook.save()
    outputs = saved["cells"][1]["outputs"]
    assert len(json.dumps(outputs)) + len(json.dumps(saved["metadata"])) < 6 * 1024
    assert "127.0.0.1" not in json.dumps(outputs)

    # Opened where no kernel has the deck: the table is there, and no hole beside it.
    lab.end_kernels()
    again = lab.open(page.context.new_page(), notebook.path)
    table = again.cell(1).locator(".jp-RenderedHTML table")
    table.wait_for()
    assert table.locator("tbody tr").count() == 6
    assert "bpm 120" in table.inner_text()
    assert again.page.locator(".ft-deck").count() == 0
    nothing = again.cell(1).locator(".jupyter-widgets", has_text="model not found")
    nothing.wait_for(state="attached")
    assert nothing.is_hidden()
    picture(again.page)
