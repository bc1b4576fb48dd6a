"""The sweep panel in JupyterLab: from the first word typed to a take that is heard, rated and saved."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import finetuning as ft

from .lab import Lab, Notebook, hear

HOSTILE = '<img src=x onerror="globalThis.pwned=1"></td></script><script>globalThis.pwned=2</script>\u202e'
BUSY = "import pathlib\nwhile not pathlib.Path('seen.txt').exists(): pass\n'computed'"


@pytest.fixture
def tall(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1200, "height": 1600})
    context.set_default_timeout(240_000)
    yield context.new_page()
    context.close()


def opened(lab: Lab, page: Any, name: str, *cells: str, begin: str | None = None) -> tuple[Notebook, Any]:
    notebook = lab.open(page, lab.write(name, [begin or lab.begin, *cells]))
    for place in (0, 1):
        notebook.run(place)
        notebook.wait(place)
    sheet = page.locator(".ft-sweep")
    sheet.wait_for()
    return notebook, sheet


def completed(sheet: Any, count: int) -> None:
    """Wait until so many points are."""
    sheet.page.wait_for_function(
        "count => document.querySelectorAll('.ft-board .ft-point[data-state=c]').length >= count", arg=count
    )


@contextmanager
def resting(studio: ft.studio.Studio) -> Iterator[None]:
    """Let nothing be made meanwhile: the studio may be faster than a browser on a busy machine."""
    workers = studio.worker_pids
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


def button(sheet: Any, name: str) -> Any:
    return sheet.locator(f"[data-do={name}]")


def test_a_sweep_without_a_second_line_of_code(
    lab: Lab, studio: ft.studio.Studio, tall: Any, picture: Callable[[Any], None]
) -> None:
    page = tall
    notebook, sheet = opened(
        lab,
        page,
        "sweep",
        "panel = ft.SweepPanel(client)\npanel",
        BUSY,
        "panel.ratings.dropna(subset='rating')['rating'].to_list()",
        "panel.results['state'].value_counts().loc['completed']",
    )
    assert button(sheet, "run").is_disabled()
    sheet.locator(".ft-why", has_text="tags is empty.").wait_for()

    sheet.get_by_label("Tags").fill("lofi chill piano, rainy evening")
    sheet.locator(".ft-length", has_text="31 / 700").wait_for()
    sheet.get_by_label("Tempo").fill("80, 81, ..., 89")
    sheet.get_by_label("Length", exact=True).fill("5")
    sheet.get_by_label("How many seeds").fill("2")
    # The keyboard is played with the keyboard: Tab goes to it, arrows along it, Space presses.
    piano = sheet.get_by_role("group", name="Key")
    piano.get_by_role("button", name="C", exact=True).focus()
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    assert piano.locator("[aria-pressed=true]").evaluate_all("keys => keys.map((key) => key.dataset.value)") == [
        "C",
        "A",
    ]
    sheet.get_by_role("group", name="Scale").get_by_role("button", name="minor").click()
    sheet.locator(".ft-formula", has_text="40 points = 10 bpm × 2 key × 2 seed").wait_for()
    sheet.locator(".ft-credits", has_text="40 credits; left: ").wait_for()
    sheet.locator(".ft-time", has_text="about ").wait_for()
    seeds = sheet.get_by_role("textbox", name="Seeds").input_value()
    assert len(set(seeds.split(", "))) == 2

    button(sheet, "run").click()
    completed(sheet, 1)
    assert button(sheet, "run").is_disabled()
    with resting(studio):
        notebook.run(2)
        before = sheet.locator(".ft-board .ft-point[data-state=c]").count()
    completed(sheet, before + 2)
    assert notebook.running(2)  # the cell computes, and takes are made and shown
    with resting(studio):
        picture(notebook.cell(1))
        (lab.root / "seen.txt").touch()
        assert "computed" in notebook.text(2)
        button(sheet, "cancel").click()
        sheet.locator(".ft-summary", has_text="paused: cancelled").wait_for()
    assert sheet.locator(".ft-board .ft-point[data-state=w]").count() > 0
    button(sheet, "resume").click()
    completed(sheet, 40)
    sheet.locator(".ft-summary", has_text="40 of 40 points finished: 40 completed").wait_for()

    sheet.get_by_label("Tempo").fill("80, 81, ..., 90")
    button(sheet, "extend").get_by_text("Extend by 4").wait_for()
    sheet.locator(".ft-extra", has_text="Extending adds 4 points, 4 credits").wait_for()
    button(sheet, "extend").click()
    completed(sheet, 44)
    notebook.run(4)
    assert "44" in notebook.text(4)

    take = page.locator(".ft-deck .ft-cell[data-state=idle]").first
    take.scroll_into_view_if_needed()
    take.click()
    page.locator(".ft-deck .ft-cell[data-state=sounding]").first.wait_for()
    hear(page)
    page.keyboard.press("4")
    page.keyboard.press(" ")
    notebook.run(3)
    assert notebook.text(3).strip() == "[4]"

    saved = json.dumps(notebook.save()["cells"][1]["outputs"])
    assert "44 of 44 points finished" in saved
    assert len(saved) < 1024 * 44
    lab.end_kernels()
    again = lab.open(page.context.new_page(), notebook.path)
    table = again.page.locator(".jp-RenderedHTML table").last
    table.wait_for()
    assert table.locator("tbody tr").count() == 44
    assert again.page.locator(".ft-sweep").count() == 0


def test_what_is_wrong_is_shown_where_it_is_wrong(lab: Lab, tall: Any, picture: Callable[[Any], None]) -> None:
    page = tall
    sweep = f"ft.Sweep({HOSTILE!r}, bpm=[80, 90], energy=['low', 'wild'], lyrics={HOSTILE!r}, seed=[7], duration=5)"
    show = f"panel = ft.SweepPanel(client, {sweep}, name='hostile')\npanel"
    notebook, sheet = opened(lab, page, "wrong", show, "other = ft.SweepPanel(client)\nother")
    assert sheet.get_by_label("Tags").input_value() == HOSTILE
    assert sheet.get_by_label("Tempo").input_value() == "80, 90"
    assert sheet.get_by_role("button", name="wild").get_attribute("aria-pressed") == "true"
    sheet.locator(".ft-formula", has_text="4 points = 2 energy × 2 bpm").wait_for()

    tempo = sheet.get_by_label("Tempo")
    tempo.fill("80-140")
    wrong = sheet.locator(".ft-field-bpm .ft-wrong")
    wrong.get_by_text("80, 90, ..., 140").wait_for()
    assert tempo.get_attribute("aria-invalid") == "true"
    assert button(sheet, "run").is_disabled()
    # The range writes the list, and mends it.
    sheet.get_by_label("bpm to", exact=True).fill("110")
    sheet.get_by_label("bpm from", exact=True).fill("80")
    sheet.get_by_label("bpm step").fill("10")
    assert tempo.input_value() == "80, 90, ..., 110"
    wrong.wait_for(state="hidden")
    sheet.get_by_label("bpm count").fill("2")
    assert tempo.input_value() == "80, 110"
    tempo.fill("40")
    sheet.locator(".ft-field-bpm .ft-note", has_text="clamp 40 → 60").wait_for()

    seeds = sheet.get_by_role("textbox", name="Seeds")
    sheet.get_by_label("How many seeds").fill("3")
    assert seeds.input_value().startswith("7, ")
    sheet.get_by_role("button", name="Draw anew").click()
    drawn = seeds.input_value()
    assert not drawn.startswith("7, ")
    sheet.locator(".ft-formula", has_text="6 points = 2 energy × 3 seed").wait_for()
    sheet.get_by_text("More", exact=True).click()
    assert sheet.get_by_label("Run name").input_value() == "hostile"
    picture(sheet)
    assert page.evaluate("globalThis.pwned") is None
    assert notebook.cell(1).locator("img").count() == 0

    # Of two panels in one page each label is its own field's.
    notebook.run(2)
    other = notebook.cell(2).locator(".ft-sweep")
    other.wait_for()
    ids = page.locator(".ft-sweep [id]").evaluate_all("elements => elements.map((element) => element.id)")
    assert len(ids) == len(set(ids)) > 0
    other.get_by_label("Tags").fill("techno")
    other.get_by_label("Tempo").fill("90")
    other.locator(".ft-formula", has_text="1 point").wait_for()
    assert notebook.cell(1).get_by_label("Tags").input_value() == HOSTILE


def test_what_cannot_be_paid_for_cannot_be_pressed(
    lab: Lab, tall: Any, picture: Callable[[Any], None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("poor")
    with ft.studio.Studio(folder, limits="hosted", workers=0) as studio:
        begin = f"import finetuning as ft\nclient = ft.Client({studio.api_key!r}, {studio.url!r}, progress=False)"
        show = "panel = ft.SweepPanel(client, ft.Sweep('lofi', bpm=range(60, 180), seed=9))\npanel"
        _, sheet = opened(lab, tall, "poor", show, begin=begin)
        sheet.locator(".ft-why", has_text="credits are lacking: 1,080 needed").wait_for()
        assert button(sheet, "run").is_disabled()
        sheet.get_by_label("How many seeds").fill("1")
        sheet.get_by_label("Tempo").fill("60, 61, ..., 71")
        sheet.locator(".ft-time", has_text="to send 12 at 10 a minute").wait_for()
        button(sheet, "run").click()
        # Ten are sent at once; then the limit is counted down.
        countdown = sheet.locator(".ft-summary", has_text="going on in")
        countdown.wait_for()
        first = countdown.inner_text()
        tall.wait_for_function("first => document.querySelector('.ft-summary').textContent !== first", arg=first)
        picture(sheet)
        button(sheet, "cancel").click()
        sheet.locator(".ft-summary", has_text="paused: cancelled").wait_for()
