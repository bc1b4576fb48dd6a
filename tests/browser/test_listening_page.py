"""A listening page in a browser, opened from its folder: it plays, it is worked by keyboard, and it asks nobody."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import finetuning as ft

HOSTILE = '<img src=x onerror="globalThis.pwned=1"></h2><script>globalThis.pwned=2</script>\u202e&amp;"\'' + "x" * 300
PLAYING = "() => [...document.querySelectorAll('audio')].flatMap((a, i) => a.paused ? [] : [i])"
RATE = 22_050


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Three takes that sound, one of them hostile, and two that do not."""
    time = np.arange(12 * RATE) / RATE
    paths = []
    for number in range(3):
        path = tmp_path / f"take{number}.mp3"
        swell = 0.1 + 0.9 * np.abs(np.sin((0.5 + 0.3 * number) * time))
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * (220 + 110 * number) * time) * swell, RATE)
        paths.append(str(path))
    corrupt = tmp_path / "corrupt.mp3"
    corrupt.write_text("no sound at all")
    frame = pd.DataFrame(
        {
            "id": ["aaaa", "bbbb", "cccc", "dddd", None],
            "title": ["Paper Harbour", HOSTILE, "Slow Lantern", "Torn", "Never made"],
            "prompt": ["lofi chill piano with vinyl warmth", "b", None, "d", "e"],
            "bpm": pd.array([85, 96, 120, 90, 90], dtype="Int64"),
            "key": ["C", "A", "F#", "D", "E"],
            "scale": ["minor", "major", "minor", "major", "minor"],
            "time_signature": pd.array([4, 3, 4, 4, 4], dtype="Int64"),
            "seed": pd.array([7, 11, None, 3, 5], dtype="Int64"),
            "rating": pd.array([4, None, 5, 1, None], dtype="Int64"),
            "note": ["The second bar drags a little.", HOSTILE[:80], None, None, None],
            "path": [*paths, str(corrupt), None],
        }
    )
    page = ft.listening_page(
        frame, tmp_path / "page", title="An evening <b>in</b> November", description="Three takes.\nListen in order."
    )
    assert page.tracks == 3
    return page.path


def until_playing(page: Any, number: int) -> None:
    page.wait_for_function(f"() => String(({PLAYING})()) === '{number}'")


def moved(page: Any, number: int, beyond: float) -> None:
    page.wait_for_function(
        f"() => {{ const a = document.querySelectorAll('audio')[{number}]; "
        f"return a.readyState >= 2 && !a.error && a.currentTime > {beyond}; }}"
    )


def test_it_plays_from_its_folder_one_track_at_a_time(page: Any, written: Path) -> None:
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(written.as_uri())
    assert page.locator(".track").count() == 3
    page.locator(".play").nth(0).click()
    moved(page, 0, 0.3)
    assert page.locator(".play").nth(0).get_attribute("aria-label") == "Pause Paper Harbour"
    page.locator(".play").nth(1).click()
    moved(page, 1, 0.2)
    until_playing(page, 1)  # and the first one no more
    assert page.evaluate("() => getComputedStyle(document.querySelectorAll('.heard')[1]).clipPath").startswith("inset(")
    assert all(url.startswith("file://") for url in asked)
    assert problems == []


def test_it_is_worked_by_keyboard(page: Any, written: Path) -> None:
    page.goto(written.as_uri())
    page.keyboard.press("Space")
    until_playing(page, 0)
    moved(page, 0, 0.05)
    page.keyboard.press("ArrowRight")
    moved(page, 0, 5)
    page.keyboard.press("ArrowDown")
    until_playing(page, 1)
    page.keyboard.press("ArrowUp")
    until_playing(page, 0)
    page.keyboard.press("Space")
    page.wait_for_function(f"() => ({PLAYING})().length === 0")
    place = page.evaluate("() => document.querySelectorAll('audio')[0].currentTime")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "to => Math.abs(document.querySelectorAll('audio')[0].currentTime - to) < 0.1", arg=place - 5
    )
    page.keyboard.press("Control+ArrowDown")  # not ours
    page.keyboard.press("x")
    assert page.evaluate(PLAYING) == []


def test_the_waveform_is_where_one_seeks_and_the_end_leads_on(page: Any, written: Path) -> None:
    page.goto(written.as_uri())
    box = page.locator(".wave").nth(0).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("() => Math.abs(document.querySelectorAll('audio')[0].currentTime - 6) < 0.5")
    page.wait_for_function("() => ['0:05', '0:06'].includes(document.querySelector('.now').textContent)")
    page.locator(".play").nth(0).click()
    moved(page, 0, 6)
    page.evaluate("() => { const a = document.querySelector('audio'); a.currentTime = a.duration - 0.2; }")
    until_playing(page, 1)


def test_hostile_titles_are_text(page: Any, written: Path) -> None:
    page.goto(written.as_uri())
    page.locator(".play").nth(1).click()
    moved(page, 1, 0.1)
    assert page.evaluate("() => globalThis.pwned") is None
    assert page.locator("h2").nth(1).text_content() == HOSTILE
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.locator("h1").inner_text() == "An evening <b>in</b> November"
    assert page.locator(".note").nth(1).text_content() == HOSTILE[:80]


def test_what_has_no_sound_is_listed_with_its_reason(page: Any, written: Path) -> None:
    page.goto(written.as_uri())
    told = page.locator(".missing li").all_inner_texts()
    assert len(told) == 2
    assert told[0].startswith("Torn: ")
    assert "decoded" in told[0]
    assert told[1] == "Never made: it was never made"


def test_a_sound_that_was_left_behind_is_told(page: Any, written: Path) -> None:
    for sound in (written.parent / "audio").iterdir():
        sound.unlink()
    page.goto(written.as_uri())
    page.locator(".play").nth(0).click()
    page.locator(".broken").wait_for()
    assert "beside this page" in page.locator(".broken").inner_text()


@pytest.fixture
def host(written: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(written.parent))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_it_plays_from_any_static_host_and_without_its_script(browser: Any, host: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(host)
    assert plain.locator("audio").nth(0).is_visible()
    assert not plain.locator(".play").nth(0).is_visible()
    context.close()
    context = browser.new_context()
    page = context.new_page()
    page.goto(host)
    page.locator(".play").nth(2).click()
    moved(page, 2, 0.2)
    with page.expect_download() as download:
        page.locator(".download").nth(2).click()
    assert download.value.suggested_filename == "slow-lantern-cccc.mp3"
    context.close()


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1000), ("dark", 1000), ("light", 360)], ids=["light", "dark", "phone"]
)
def test_it_fits_every_width_in_light_and_dark(
    browser: Any, written: Path, scheme: str, width: int, picture: Callable[[Any], None]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(written.as_uri())
    page.locator(".play").nth(0).click()
    moved(page, 0, 0.5)
    page.evaluate("() => { document.querySelector('audio').currentTime = 5; }")
    page.wait_for_function("() => /^0:(0[5-9]|1[0-2])$/.test(document.querySelector('.now').textContent)")  # it goes on
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    bright = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (bright < 60) is (scheme == "dark")
    for size in page.evaluate(
        "() => [...document.querySelectorAll('.play')].map((b) => b.getBoundingClientRect().width)"
    ):
        assert size >= 44  # what a thumb meets
    style = (
        "(name) => { const s = getComputedStyle(document.querySelector(name)); return [s.fill, s.backgroundColor]; }"
    )
    heard, whole, button = (page.evaluate(style, name) for name in (".heard", ".all", ".play"))
    assert heard[0] == button[1] != whole[0]
    picture(page)
    context.close()
