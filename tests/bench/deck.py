"""The deck in Chromium: gaps and beats at switches, time to a matrix, what is saved of a take, what a page holds."""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from playwright.sync_api import Browser, sync_playwright

import finetuning as ft
from finetuning.panels.deck.widget import Deck

from ..browser.clicks import click_track
from ..browser.conftest import CHROMIUM, FLAGS
from ..browser.hearing import Tape, longest_silence, misplaced, switch, tape
from ..browser.lab import Lab
from ..browser.shop import KEY, Shop
from ..browser.stage import RECORDER, TAPE, Stage, wired
from .timing import line

SWITCHES = 50
TAKES = 100
TEMPI = (90.0, 100.0, 112.0, 126.0, 140.0)
STATE = "globalThis[Symbol.for('finetuning.deck')]"


def _sounds(stage: Stage, key: str) -> None:
    stage.until(f"() => document.querySelector('.ft-cell[data-state=sounding]')?.dataset.key === '{key}'", 120)


def _switches(browser: Browser, shop: Shop, client: ft.Client) -> None:
    """Go to and fro between takes of different tempo, and listen to what the graph puts out."""
    keys = [
        shop.stock(f"s{number}", click_track(number, bpm, 100.0), bpm=bpm, duration=100.0, seed=7)
        for number, bpm in enumerate(TEMPI)
    ]
    stage = Stage(browser.new_page(), shop.url)
    stage.show(Deck(client, keys))
    draw = random.Random(7)
    for key in [*keys, keys[0]]:
        stage.page.locator(f"[data-key={key}]").click()
        _sounds(stage, key)
    stage.page.locator(f"[data-key={keys[0]}]").click()  # stop, and begin at the beginning
    stage.page.evaluate(RECORDER)
    here, when = 0, []
    stage.page.locator(f"[data-key={keys[0]}]").click()
    stage.wait(1.5)
    for _ in range(SWITCHES):
        there = max(0, min(len(keys) - 1, here + draw.choice([-1, 1])))
        there = there if there != here else (1 if here == 0 else here - 1)
        stage.page.keyboard.press("ArrowRight" if there > here else "ArrowLeft")
        when.append((float(stage.page.evaluate(f"() => {STATE}.context.currentTime")), here, there))
        here = there
        stage.wait(1.25 + 0.2 * draw.random())
    recorded = tape(stage.page.evaluate(TAPE))
    silent, wrong = [], []
    for moment, before, after in when:
        start = round((moment - recorded.begun - 1.0) * recorded.rate)
        part = Tape(recorded.samples[max(0, start) : start + round(2.0 * recorded.rate)], recorded.rate, 0)
        at = switch(part, before, after)
        silent.append(longest_silence(part, at - 0.25, at + 0.25))
        wrong.append(abs(misplaced(part, at, TEMPI[before], TEMPI[after])))
    worst, most = max(silent), max(wrong)
    beside = f"a beat at 120 bpm 500 ms; median {1000 * float(np.median(wrong)):.1f} ms"
    line(
        f"deck: silence at a switch, worst of {SWITCHES}",
        f"{1000 * worst:.1f} ms",
        "bound 20 ms",
        worst / 0.02,
        "<= 20 ms",
    )
    line(
        f"deck: off the beat after a switch, worst of {SWITCHES}",
        f"{1000 * most:.1f} ms",
        beside,
        most / 0.5,
        "<= 10 ms",
    )
    stage.page.close()


def _memory(browser: Browser, shop: Shop, client: ft.Client) -> None:
    """Audition takes of a minute each, one after another."""
    sound = click_track(0, 120.0, 60.0)
    keys = [shop.stock(f"m{number:03}", sound, bpm=60 + number, duration=60.0) for number in range(TAKES)]
    stage = Stage(browser.new_page(), shop.url)
    stage.show(Deck(client, keys, rows="", columns=""))
    stage.page.locator("[data-key=m000]").click()
    _sounds(stage, "m000")
    begin, most, held = _renderers(browser), 0.0, 0.0
    for key in keys[1:]:
        stage.page.keyboard.press("ArrowDown")
        _sounds(stage, key)
        held = max(held, float(stage.page.evaluate(f"() => {STATE}.bytes")) / 2**20)
        most = max(most, _renderers(browser))
    rate = float(stage.page.evaluate(f"() => {STATE}.context.sampleRate"))
    whole = TAKES * 60 * rate * 8 / 2**20
    what = f"deck: decoded sound held, {TAKES} takes of 60 s auditioned"
    line(what, f"{held:.0f} MiB", f"all of it {whole:.0f} MiB", held / whole, "<= 256 MiB")
    stage.page.context.new_cdp_session(stage.page).send("HeapProfiler.collectGarbage")
    stage.wait(1.0)
    kept = _renderers(browser) - begin
    beside = f"all of it {whole:.0f} MiB; {most - begin:.0f} MiB at most before the browser collected"
    line("deck: memory that the page's process grew by", f"{kept:.0f} MiB", beside, kept / whole, "<= 400 MiB")
    stage.page.close()


def _renderers(browser: Browser) -> float:
    """MiB of the largest renderer of the browser."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = [_resident(int(each["id"])) for each in processes if each["type"] == "renderer"]
    return max(sizes, default=0.0)


def _resident(process: int) -> float:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


MATRIX = """
import pandas as pd
from finetuning.records import Generation, KEYS, Parameters
from finetuning.frames import generations_frame
records = [
    Generation(
        id=f"0b8f5c1e-1111-4222-8333-{n:012}", title="Rainy Window", prompt="lofi chill piano, warm tape, rain " * 15,
        status="completed", duration=60.0, audio_url=f"https://media.finetuning.ai/0b8f5c1e-1111-4222-8333-{n:012}.mp3",
        parameters=Parameters(bpm=80 + 5 * (n % 10), keyscale=f"{KEYS[n // 10]} minor", seed=2**31 - n),
    )
    for n in range(100)
]
frame = generations_frame(records)
import ipywidgets, finetuning.panels.deck.widget, IPython.display
"""
AUDIO = """
for seed in range(3):
    sound = client.asynchronous.audio(client.generate("piano", duration=20, seed=seed).id)
    IPython.display.display(IPython.display.Audio(client.call(sound)))
"""
BUTTONS = "ipywidgets.GridBox([ipywidgets.Button(description=str(n)) for n in range(100)])"


def _in_lab(browser: Browser, folder: Path) -> None:
    """Time a matrix of takes from its cell on, and weigh what is saved of it."""
    with ft.studio.Studio(folder / "studio", limits="local", workers=1) as studio, Lab(folder / "lab", studio) as lab:
        page = browser.new_page()
        cells = [lab.begin + MATRIX, BUTTONS, "ft.Deck(client, frame, rows='key', columns='bpm')", AUDIO]
        notebook = lab.open(page, lab.write("matrix", cells))
        notebook.run(0)
        notebook.wait(0)
        plain = _seconds(notebook, 1, ".jp-OutputArea .widget-button, .jp-OutputArea .jupyter-button")
        deck = _seconds(notebook, 2, ".ft-cell")
        line(
            "deck: 100 takes interactive in JupyterLab",
            f"{deck:.2f} s",
            f"100 plain buttons {plain:.2f} s",
            deck / plain,
            "<= 1.5 s",
        )
        notebook.run(3)
        notebook.wait(3)
        saved = notebook.save()
        sizes = [len(json.dumps(cell["outputs"])) for cell in saved["cells"]]
        widgets = len(json.dumps(saved["metadata"].get("widgets", {})))
        ours, theirs = (sizes[2] + widgets) / 100, sizes[3] / 3
        line(
            "deck: saved of a take of 60 s",
            f"{ours:.0f} B",
            f"IPython.display.Audio, 20 s: {theirs:,.0f} B",
            ours / theirs,
            "<= 1 KB",
        )
        page.close()


def _seconds(notebook: Any, place: int, selector: str) -> float:
    """From the key that runs a cell to a hundred elements that answer a click."""
    notebook.cell(place).locator(".cm-content").click()
    start = time.perf_counter()
    notebook.page.keyboard.press("Control+Enter")
    notebook.page.wait_for_function("selector => document.querySelectorAll(selector).length >= 100", arg=selector)
    notebook.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["FINETUNING_DATA_HOME"] = str(Path(folder, "data"))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        root = Path(folder)
        (root / "lab").mkdir()
        undo = wired()
        with Shop() as shop, ft.Client(KEY, shop.url, progress=False) as client:
            _switches(browser, shop, client)
            _memory(browser, shop, client)
            ipywidgets.Widget.close_all()
        undo()
        _in_lab(browser, root)
        browser.close()
