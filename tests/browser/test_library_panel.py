"""The library panel in JupyterLab: filter, choose, add, see what changed, undo, delete, save and open again."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import finetuning as ft

from .lab import Lab, Notebook
from .lab import until as came_true

HOSTILE = '<img src=x onerror="globalThis.pwned=1"></td></script><script>globalThis.pwned=2</script>\u202e' + "x" * 300
PANEL = "panel = ft.LibraryPanel(client, limit=None, table='own')\npanel"
CHOSEN = "print('chosen', *panel.selected['title'], sep='|')"


@dataclass
class Shelf:
    """A studio of forty tracks, and what connects to it."""

    studio: ft.studio.Studio
    client: ft.Client
    begin: str = field(repr=False)

    def titles(self, playlist: str) -> list[str]:
        return sorted(self.client.playlist(playlist).tracks["title"])


@pytest.fixture
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with (
        ft.studio.Studio(tmp_path_factory.mktemp("shelf"), limits="local", workers=0) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as client,
    ):
        for number in range(40):
            tags = "techno warehouse" if number % 4 == 0 else "lofi piano"
            client.generate(tags, bpm=60 + number, duration=5 + number, key="C", scale="minor", wait=False)
        with studio._store.write() as connection:
            connection.execute("UPDATE generations SET status = 'completed', title = 'Track ' || printf('%02d', bpm)")
            connection.execute("UPDATE generations SET title = ? WHERE bpm = 61", (HOSTILE,))
            connection.execute("UPDATE generations SET status = 'failed' WHERE bpm = 62")
        library = client.generations(limit=None)
        studio.set_public(library[library["bpm"] < 70])
        begin = f"import finetuning as ft\nclient = ft.Client({studio.api_key!r}, {studio.url!r}, progress=False)"
        yield Shelf(studio, client, begin)


@pytest.fixture
def wide(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 1300})
    context.set_default_timeout(240_000)
    yield context.new_page()
    context.close()


def rows(page: Any) -> Any:
    return page.get_by_role("grid", name="Library").locator("tbody tr[data-id]")


def titles(page: Any) -> list[str]:
    return [str(text) for text in rows(page).locator("td.ft-text:nth-child(2)").all_inner_texts()]


def until(page: Any, true: Callable[[], Any]) -> None:
    if not came_true(page, true):
        raise TimeoutError("never came true")


def opened(lab: Lab, page: Any, shelf: Shelf, name: str, *more: str) -> Notebook:
    notebook = lab.open(page, lab.write(name, [shelf.begin, PANEL, *more]))
    for place in (0, 1):  # each by itself, so that what a kernel that is only just there loses is asked again
        notebook.run(place)
        notebook.wait(place)
    until(page, lambda: rows(page).count() == 40)
    return notebook


def said(page: Any, text: str) -> None:
    page.locator(".ft-desk [role=status]").filter(has_text=text).wait_for()


def test_the_whole_way_of_a_library(lab: Lab, wide: Any, shelf: Shelf, picture: Callable[[Any], None]) -> None:
    page = wide
    public = shelf.studio.create_playlist("Best of " + HOSTILE[:60], public=True)
    notebook = opened(lab, page, shelf, "library", "print('typed', panel.desk.typed.value)")
    desk = page.locator(".ft-desk")

    # Filter and choose
    page.get_by_label("Find").fill("TECHNO")
    until(page, lambda: titles(page) == [f"Track {bpm}" for bpm in range(96, 59, -4)])
    rows(page).nth(6).click()
    rows(page).nth(9).click(modifiers=["Shift"])
    page.get_by_text("4 chosen", exact=True).wait_for()
    assert rows(page).nth(7).get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="Show all").click()
    until(page, lambda: rows(page).count() == 40)
    page.get_by_text("4 chosen", exact=True).wait_for()

    # Preview, add, difference
    page.get_by_role("button", name="Add…").click()
    page.get_by_label("To", exact=True).select_option(index=1)
    said(page, "4 tracks: 3 will be added to “Best of <img")
    said(page, "1 will be refused: private into public")
    assert shelf.titles(public) == []
    desk.get_by_role("button", name="Add 3 of 4 tracks").click()
    said(page, "0 → 3 tracks")
    said(page, "3 added, 0 removed, 0 kept")
    desk.get_by_role("row").filter(has_text="Cannot add private track").wait_for()
    assert shelf.titles(public) == ["Track 60", "Track 64", "Track 68"]
    picture(page)

    # Undo, previewed too
    desk.get_by_role("button", name="Undo…").click()
    said(page, "3 tracks: 3 will be removed")
    desk.get_by_role("button", name="Remove 3 tracks").click()
    said(page, "3 → 0 tracks")
    assert shelf.titles(public) == []

    # Delete by the number
    page.get_by_role("button", name="Delete…").click()
    said(page, "gone for good")
    delete = desk.get_by_role("button", name="Delete 4 tracks")
    assert delete.is_disabled()
    desk.get_by_label("To confirm, type 4:").fill("3")
    notebook.run(2)
    assert "typed 3" in notebook.text(2)  # the kernel has heard it, and what it made of it has come before this
    assert delete.is_disabled()
    desk.get_by_label("To confirm, type 4:").fill("4")
    delete.click()
    said(page, "Deleted 4 of 4 track(s).")
    said(page, "This cannot be undone.")
    until(page, lambda: rows(page).count() == 36)
    assert len(shelf.client.generations(limit=None)) == 36

    # Save, and open again where no kernel answers
    saved = notebook.save()
    assert len(json.dumps(saved)) < 40_000
    static = "".join("".join(each["data"].get("text/html", "")) for each in saved["cells"][1]["outputs"])
    assert "36 tracks in the library" in static
    assert "<img" not in static
    fresh = wide.context.browser.new_context().new_page()
    lab.end_kernels()
    lab.open(fresh, notebook.path)
    fresh.get_by_text("36 tracks in the library").wait_for()
    assert fresh.get_by_text("Track 99").is_visible()
    for seen in (page, fresh):
        assert seen.evaluate("() => globalThis.pwned") is None
    fresh.context.close()


def test_the_keyboard_is_the_tables_while_it_has_the_focus(lab: Lab, wide: Any, shelf: Shelf) -> None:
    page = wide
    notebook = opened(lab, page, shelf, "keyboard", CHOSEN)
    cells = page.locator(".jp-Notebook .jp-CodeCell").count()
    rows(page).nth(0).click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowDown")
    for key in ("b", "a", "b"):  # in JupyterLab these make cells
        page.keyboard.press(key)
    page.get_by_text("3 chosen", exact=True).wait_for()
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == cells
    focused = page.evaluate("() => document.activeElement.closest('tr')?.querySelector('td.ft-text')?.textContent")
    assert focused == "Track 96"
    notebook.run(2)
    until(page, lambda: "chosen|Track 99|Track 97|Track 96" in notebook.text(2))
    rows(page).nth(5).click()
    page.keyboard.press("Control+a")
    page.get_by_text("40 chosen", exact=True).wait_for()
    page.keyboard.press("End")
    focused = page.evaluate("() => document.activeElement.closest('tr')?.querySelector('td.ft-text')?.textContent")
    assert focused == "Track 60"
    page.keyboard.press("Escape")
    page.get_by_text("0 chosen", exact=True).wait_for()


def test_sorting_and_choosing_go_on_while_a_cell_runs(lab: Lab, wide: Any, shelf: Shelf) -> None:
    page = wide
    wait = "import pathlib, time\nwhile not pathlib.Path('go.txt').exists():\n    time.sleep(0.05)\nprint('went on')"
    notebook = opened(lab, page, shelf, "busy", wait, CHOSEN)
    notebook.run(2)
    table = page.get_by_role("grid", name="Library")
    head = table.get_by_role("columnheader", name="BPM")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    until(page, lambda: titles(page)[0] == "Track 60")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    table.get_by_role("columnheader", name="Title").get_by_role("button").click()
    until(page, lambda: titles(page)[-1] == "Track 99")
    assert next(title for title in titles(page) if "img" in title).startswith(HOSTILE[:20])
    table.get_by_role("row", name=re.compile("Track 60")).click()
    table.locator("tr[aria-selected=true]", has_text="Track 60").wait_for()
    (lab.root / "go.txt").touch()
    assert notebook.text(2).strip() == "went on"
    page.get_by_text("1 chosen", exact=True).wait_for()  # what was clicked meanwhile has arrived, and stands
    assert table.get_by_role("row", name=re.compile("Track 60")).get_attribute("aria-selected") == "true"
    notebook.run(3)
    until(page, lambda: "chosen|Track 60" in notebook.text(3))
    assert page.evaluate("() => globalThis.pwned") is None


def test_the_library_drawn_by_itables(lab: Lab, wide: Any, shelf: Shelf, picture: Callable[[Any], None]) -> None:
    page = wide
    notebook = lab.open(page, lab.write("itables", [shelf.begin, PANEL.replace("own", "itables"), CHOSEN]))
    for place in (0, 1):
        notebook.run(place)
        notebook.wait(place)
    lines = page.locator(".ft-itable tbody tr")

    def shows(*titles: str) -> None:
        """Wait until these are the titles of the first rows."""
        first = lines.locator("td:first-child")
        until(page, lambda: tuple(first.all_inner_texts()[: len(titles)]) == titles)

    def chose(*titles: str) -> None:
        page.get_by_text(re.compile(rf"^{len(titles)} chosen")).wait_for()
        notebook.run(2)
        until(page, lambda: "|".join(("chosen", *titles)) == notebook.text(2).strip())

    shows("Track 99", "Track 98", "Track 97")
    page.get_by_text("Showing 1 to 25 of 40 entries").wait_for()
    lines.nth(2).click()
    lines.nth(4).click(modifiers=["Shift"])
    chose("Track 97", "Track 96", "Track 95")
    page.get_by_label("Find").fill("TECHNO")
    shows("Track 96", "Track 92", "Track 88")
    page.get_by_text("3 chosen (2 not shown)").wait_for()
    lines.nth(0).click()
    chose("Track 97", "Track 95")
    page.locator(".ft-itable th", has_text="BPM").first.click()
    shows("Track 60", "Track 64")
    page.get_by_role("button", name="Show all").click()
    shows("Track 60", HOSTILE[:119].rstrip() + "…", "Track 62")  # sorted as before, and text as text
    page.get_by_text("Showing 1 to 25 of 40 entries").wait_for()
    picture(page)
    page.get_by_role("button", name="Delete…").click()
    said(page, "2 tracks")
    page.get_by_label("To confirm, type 2:").fill("2")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Delete 2 tracks").click()
    page.get_by_text("Showing 1 to 25 of 38 entries").wait_for()
    page.get_by_text("0 chosen", exact=True).wait_for()
    assert len(shelf.client.generations(limit=None)) == 38
    assert page.evaluate("() => globalThis.pwned") is None


def test_two_tables_by_itables_leave_each_other_alone(lab: Lab, wide: Any, shelf: Shelf) -> None:
    page = wide
    with shelf.studio._store.write() as connection:
        connection.execute("UPDATE generations SET title = '=1+1' WHERE bpm = 64")
    one = PANEL.replace("own", "itables")
    notebook = lab.open(page, lab.write("two", [shelf.begin, one, one.replace("panel", "other")]))
    for place in (0, 1, 2):
        notebook.run(place)
        notebook.wait(place)
    first, second = notebook.cell(1), notebook.cell(2)

    def shows(panel: Any, *titles: str) -> None:
        found = panel.locator(".ft-itable tbody td:first-child")
        until(page, lambda: tuple(found.all_inner_texts()[: len(titles)]) == titles)

    shows(first, "Track 99", "Track 98")
    first.locator(".ft-itable th", has_text="BPM").first.click()
    shows(first, "Track 60")
    shows(second, "Track 99", "Track 98")
    second.locator(".dt-paging-button", has_text="2").click()
    second.get_by_text("Showing 26 to 40 of 40 entries").wait_for()
    first.get_by_label("Find").fill("TECHNO")
    shows(first, "Track 60", "=1+1", "Track 68")  # drawn anew, and sorted as before
    first.get_by_text("Showing 1 to 10 of 10 entries").wait_for()
    assert first.locator(".ft-itable tbody td:first-child").nth(1).get_attribute("title") == "=1+1"
    with page.expect_download() as download:
        first.get_by_role("button", name="CSV").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    table = list(csv.DictReader(lines))
    assert len(lines) == 11
    assert download.value.suggested_filename == "library.csv"
    assert [row["BPM"] for row in table] == [str(bpm) for bpm in range(60, 100, 4)]
    assert table[1]["Title"] == "'=1+1"  # which no spreadsheet takes for a formula
    assert page.evaluate("() => Object.keys(sessionStorage).filter((key) => key.startsWith('DataTables'))") == []


def test_playlists_side_by_side(lab: Lab, wide: Any, shelf: Shelf, picture: Callable[[Any], None]) -> None:
    page = wide
    one, two = shelf.studio.create_playlist("One"), shelf.studio.create_playlist("Two", public=True)
    library = shelf.client.generations(limit=None)
    shelf.client.add_tracks(one, library[(library["bpm"] > 66) & (library["bpm"] < 73)])
    opened(lab, page, shelf, "side")
    page.get_by_role("tab", name="Playlists").click()
    page.get_by_label("Left", exact=True).select_option(label="One")
    page.get_by_label("Right", exact=True).select_option(label="Two")
    left, right = (page.get_by_role("grid", name=f"The {side} playlist") for side in ("left", "right"))
    left.get_by_role("row", name=re.compile("Track 72")).wait_for()
    page.get_by_text("private · 6 tracks · 1m 27s").wait_for()
    left.get_by_label("Choose all that are shown").check()
    page.get_by_role("button", name="Move →").click()
    said(page, "6 tracks: 3 will be moved from “One” to “Two”, 3 will be refused: private into public")
    page.locator(".ft-desk").get_by_role("button", name="Move 3 of 6 tracks").click()
    right.get_by_role("row", name=re.compile("Track 69")).wait_for()
    page.get_by_text("public · 3 tracks").wait_for()
    assert shelf.titles(two) == ["Track 67", "Track 68", "Track 69"]
    said(page, "“One”: 6 → 3 tracks")
    picture(page)
    page.get_by_text("web application").wait_for()  # this client knows no studio


def test_trouble_is_shown_under_the_panel(lab: Lab, wide: Any, shelf: Shelf) -> None:
    page = wide
    opened(lab, page, shelf, "trouble")
    shelf.studio.set_tier("free")
    page.get_by_role("button", name="Refresh", exact=True).click()
    page.locator(".ft-library [role=alert]").filter(has_text="API").wait_for()
    assert rows(page).count() == 40
    shelf.studio.set_tier("pro")
    page.get_by_role("button", name="Dismiss").click()
    page.locator(".ft-library [role=alert]").wait_for(state="detached")
