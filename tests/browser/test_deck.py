"""The deck in a page: its keys, its graph of audio, its questions. The kernel's half is real, and so is the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import finetuning as ft
from finetuning.panels.deck.blindness import Question
from finetuning.panels.deck.judges import recorder
from finetuning.panels.deck.widget import Deck

from .clicks import click_track
from .hearing import longest_silence, misplaced, switch, tape
from .shop import Shop
from .stage import RECORDER, TAPE, Stage

HOSTILE = '<img src=x onerror="globalThis.pwned=1"></td><script>globalThis.pwned=2</script>\u202e' + "x" * 700
SOUNDING = "() => document.querySelector('.ft-cell[data-state=sounding]')?.dataset.key"
TEMPI = (84, 96, 120)


@pytest.fixture
def clicking(shop: Shop) -> None:
    """Twelve takes: three tempi, two keys, two seeds."""
    number = 0
    for key in ("C minor", "A minor"):
        for bpm in TEMPI:
            for seed in (7, 11):
                sound = click_track(number, bpm, 12.0, level=0.5 if seed == 7 else 0.2)
                shop.stock(f"t{number}", sound, bpm=bpm, keyscale=key, seed=seed, duration=12.0)
                number += 1


@pytest.fixture
def deck(seller: ft.Client, clicking: None) -> Deck:
    return Deck(seller, seller.generations(limit=None).iloc[::1])


def sounds(stage: Stage, key: str) -> None:
    stage.until(f"() => document.querySelector('.ft-cell[data-state=sounding]')?.dataset.key === '{key}'")


def test_it_plays_and_stops(stage: Stage, deck: Deck, picture: Callable[[Any], None]) -> None:
    view = stage.show(deck)
    cells = stage.page.locator(f"{view} .ft-cell")
    assert cells.count() == 6
    cells.first.focus()
    stage.press(" ")
    sounds(stage, "t0")
    stage.until(lambda: stage.level() > 0.01)
    stage.press("ArrowRight")
    sounds(stage, "t2")
    assert stage.page.locator(f"{view} .ft-status").inner_text() == "bpm 84 → 96"
    stage.press("ArrowDown")  # through the stack first
    sounds(stage, "t3")
    stage.press("ArrowDown")
    sounds(stage, "t8")
    assert stage.page.locator(f"{view} .ft-status").inner_text() == "key C → A · seed 11 → 7"
    picture(stage.page)
    stage.press(" ")
    stage.until(f"() => !({SOUNDING})()")
    stage.until(lambda: stage.level() == 0)
    assert stage.errors == []


def test_it_sounds_at_once_where_a_click_asked_for_it_and_only_once(stage: Stage, deck: Deck) -> None:
    deck.begin = True
    view = stage.show(deck)
    sounds(stage, "t0")
    stage.until(lambda: stage.level() > 0.01)
    stage.until(lambda: not deck.begin)
    stage.page.locator(f"{view} .ft-cell").first.focus()
    stage.press(" ")
    stage.until(f"() => !({SOUNDING})()")
    again = stage.show(deck)
    stage.until(lambda: stage.page.locator(f"{again} .ft-cell").count() == 6)
    assert stage.level() == 0


def test_a_take_that_is_not_there_yet_lets_the_present_one_go_on(stage: Stage, deck: Deck, shop: Shop) -> None:
    view = stage.show(deck)
    stage.page.locator(f"{view} .ft-cell").first.click()
    sounds(stage, "t0")
    stage.until(lambda: {"t1", "t2"} <= set(shop.fetched))  # the neighbours, ahead of being wanted
    shop.gate.clear()
    stage.page.locator(f"{view} [data-key=t4]").click()
    stage.until(lambda: "t4" in shop.fetched)
    assert stage.page.evaluate(SOUNDING) == "t0"
    assert stage.page.locator(f"{view} [data-key=t4]").get_attribute("data-state") == "loading"
    stage.until(lambda: stage.level() > 0.01)
    shop.gate.set()
    sounds(stage, "t4")


def test_a_switch_keeps_the_beat_without_a_gap(stage: Stage, deck: Deck) -> None:
    view = stage.show(deck)
    stage.page.locator(f"{view} .ft-cell").first.click()
    sounds(stage, "t0")
    stage.press("ArrowRight")
    sounds(stage, "t2")
    stage.press("ArrowLeft")
    sounds(stage, "t0")
    stage.press(*["Shift+ArrowLeft"] * 4)  # to the beginning: the take must not end before the recording does
    stage.page.evaluate(RECORDER)
    stage.record(1.7)
    stage.press("ArrowRight")
    stage.record(1.9)
    recorded = tape(stage.page.evaluate(TAPE))
    at = switch(recorded, 0, 2)
    assert longest_silence(recorded, at - 0.1, at + 0.1) <= 0.02
    assert abs(misplaced(recorded, at, 84, 96)) <= 0.01


def test_places_in_musical_time(stage: Stage, deck: Deck) -> None:
    stage.show(deck)
    source = str(deck._esm).replace("export default", "globalThis.ignored =")
    stage.page.evaluate(f"() => {{ {source}\nglobalThis.parts = {{ samePlace, loopOf, gainFor, targetLoudness }}; }}")

    def place(before: dict[str, Any], after: dict[str, Any], seconds: float, duration: float = 600.0) -> float:
        return float(
            stage.page.evaluate("([a, b, s, d]) => parts.samePlace(a, b, s, d)", [before, after, seconds, duration])
        )

    slow, fast, waltz, free = {"b": 60}, {"b": 120}, {"b": 120, "m": 3}, {"d": 30}
    assert place(slow, fast, 10) == 5
    assert place(fast, slow, 5) == 10
    assert place(slow, waltz, 6.5) == pytest.approx((1 * 3 + 2.5) / 2)  # bar 2, beat 3.5
    assert place(slow, waltz, 7.5) == pytest.approx((1 * 3 + 2.5) / 2)  # its bars have no beat 4
    assert place(waltz, slow, 2.75) == pytest.approx(1 * 4 + 2.5)
    assert place(slow, free, 7.5) == 7.5
    assert place(fast, slow, 25, 40) == 10  # behind the end: over again, at the same beat
    assert place(slow, free, 25, 20) == 5

    def gain(measure: Mapping[str, float | None], *others: Mapping[str, float | None]) -> float:
        heard = [measure, [measure, *others]]
        return float(stage.page.evaluate("([m, all]) => parts.gainFor(m, parts.targetLoudness(all))", heard))

    loud, faint = {"loudness": -10.0, "peak": -0.5}, {"loudness": -30.0, "peak": -4.0}
    assert gain(loud) == pytest.approx(10 ** (-6 / 20))
    assert gain(faint) == pytest.approx(10 ** (4 / 20))  # to full scale, no further
    assert gain(loud, faint) == pytest.approx(10 ** (-16 / 20))  # so the loud one comes down to it
    assert gain({"loudness": None, "peak": None}, loud) == 1


def test_loops_repeat_bars_and_loudness_is_matched(stage: Stage, deck: Deck) -> None:
    view = stage.show(deck)
    stage.page.locator(f"{view} .ft-cell").first.click()
    sounds(stage, "t0")
    stage.press("l")
    bar = int(stage.page.locator(f"{view} .ft-handle").first.get_attribute("aria-valuenow") or "")  # where it was
    stage.page.locator(f"{view} .ft-handle").last.focus()
    stage.press("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    assert stage.page.locator(f"{view} .ft-handle").last.get_attribute("aria-valuenow") == str(bar + 1)
    stage.page.locator(f"{view} .ft-current").focus()
    loud = stage.level()
    stage.press("ArrowDown")
    sounds(stage, "t1")  # 8 dB fainter
    stage.wait(3.2)  # longer than the bar
    assert f"bar {bar + 1}." in stage.page.locator(f"{view} .ft-time").inner_text()
    assert 0.5 < stage.level() / loud < 2
    stage.press("]", "[", "m", "l")
    assert stage.page.locator(f"{view} .ft-handle").first.is_hidden()
    assert "same second" in stage.page.locator(f"{view} .ft-status").inner_text()


def test_a_range_of_bars_is_drawn_with_the_pointer(stage: Stage, deck: Deck) -> None:
    view = stage.show(deck)
    stage.page.locator(f"{view} .ft-cell").first.click()
    sounds(stage, "t0")
    box = stage.page.locator(f"{view} .ft-canvas").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    stage.page.mouse.move(box["x"] + 0.3 * box["width"], middle)  # 3.6 s, in the second bar at 84 bpm
    stage.page.mouse.down()
    stage.page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=4)  # 7.2 s, in the third
    stage.page.mouse.up()
    handles = stage.page.locator(f"{view} .ft-handle")
    assert [handles.nth(side).get_attribute("aria-valuenow") for side in (0, 1)] == ["1", "3"]
    bar = 4 * 60 / 84
    stage.wait(2.5 * bar)  # past its end, wherever in it the sound was
    place = str(stage.page.locator(f"{view} .ft-time").inner_text())
    assert place.split("bar ")[1].startswith(("2.", "3.")), place


def test_of_many_columns_each_cell_shows_what_fits(stage: Stage, seller: ft.Client, shop: Shop) -> None:
    for number in range(20):
        key = f"{'CA'[number % 2]} minor"
        shop.stock(f"n{number}", bpm=80 + 5 * (number // 2), keyscale=key, seed=7, title="A long title", duration=95.0)
    shop.stock("n20", bpm=80, keyscale="C minor", seed=11, duration=95.0)
    view = stage.show(Deck(seller, seller.generations(limit=None), columns="bpm", rows="key"))
    cell = stage.page.locator(f"{view} [data-key=n3]")
    cut = "nodes => nodes.filter((node) => node.clientWidth && node.scrollWidth > node.clientWidth).length"
    assert stage.page.locator(f"{view} .ft-cell span").evaluate_all(cut) == 0
    assert "seed 7" in cell.inner_text()
    assert "A long title" not in cell.inner_text()
    assert str(cell.get_attribute("title")).split("\n")[0] == "A long title"
    for told in ("A long title", "bpm 85", "1:35", "queued"):
        assert told in str(cell.get_attribute("aria-label"))


def test_ratings_reach_the_disk_and_the_next_kernel(stage: Stage, deck: Deck, seller: ft.Client) -> None:
    view = stage.show(deck)
    stage.page.locator(f"{view} .ft-cell").first.focus()
    stage.press("4", "s", "ArrowRight", "x", "5", "0", "ArrowRight", "2")
    stage.until(lambda: len(deck.marks) == 3)
    recorder().submit(int).result(30)
    again = Deck(seller, seller.generations())
    stage.until(lambda: again.marks == {"t0": [4, 0], "t2": [0, 1], "t4": [2, 0]})
    assert deck.selected["id"].tolist() == ["t0"]
    assert deck.current == "t4"
    shown = stage.show(again)
    assert stage.page.locator(f"{shown} [data-key=t0] .ft-stars").inner_text() == "★★★★☆"
    assert "rejected" in str(stage.page.locator(f"{shown} [data-key=t2]").get_attribute("aria-label"))


def test_what_is_not_recorded_is_taken_back_and_told(stage: Stage, deck: Deck, home: Path) -> None:
    view = stage.show(deck)
    recorder().submit(int).result(30)
    (home / "data" / "judgements.jsonl").mkdir(parents=True)
    stage.page.locator(f"{view} .ft-cell").first.focus()
    stage.press("3")
    stage.until(f"() => document.querySelector('{view} .ft-trouble').textContent.includes('not recorded')")
    assert stage.page.locator(f"{view} [data-key=t0] .ft-stars").inner_text() == ""
    stage.press("Escape")
    assert stage.page.locator(f"{view} .ft-trouble").is_hidden()


def _asked(deck: Deck) -> Question | None:
    blind = deck._conversation._blind
    return blind.asked if blind is not None else None


def test_blind_from_the_first_question_to_the_ranking(
    stage: Stage, seller: ft.Client, clicking: None, picture: Callable[[Any], None]
) -> None:
    deck = Deck(seller, ["t0", "t4", "t8"], title="three")
    view = stage.show(deck)
    stage.page.locator(f"{view} .ft-cell").first.focus()
    stage.press("b")
    stage.until(f"() => document.querySelector('{view} .ft-side:not(:disabled)')")
    assert "Take t" not in stage.page.locator(view).inner_text()
    assert stage.page.locator(f"{view} .ft-wave").is_hidden()  # bars would tell the tempo
    better = {"t0": 0, "t4": 2, "t8": 1}
    ranked = f"document.querySelectorAll('{view} .ft-rank-row').length === 3"
    for count in range(1, 40):
        # The kernel knows its next question before the page has it, and that it has none left before it ends.
        asked = f"document.querySelector('{view} .ft-blind-head').textContent.startsWith('Question {count}:')"
        stage.until(f"() => {ranked} || {asked}")
        if stage.page.evaluate(f"() => {ranked}"):
            break
        question = _asked(deck)
        assert question is not None
        stage.press("ArrowLeft")
        stage.until(f"() => document.querySelectorAll('{view} .ft-side')[0].dataset.state === 'sounding'")
        stage.press("ArrowRight")
        stage.until(f"() => document.querySelectorAll('{view} .ft-side')[1].dataset.state === 'sounding'")
        if count == 1:
            picture(stage.page)
        stage.press("1" if better[question.a] > better[question.b] else "2")
    assert not deck._conversation.blind
    text = stage.page.locator(f"{view} .ft-ranking").inner_text()
    assert text.index("Take t4") < text.index("Take t8") < text.index("Take t0")
    assert deck.ratings["rank"].tolist() == [3, 1, 2]
    assert stage.errors == []


def test_only_one_deck_on_the_page_sounds(stage: Stage, deck: Deck, seller: ft.Client) -> None:
    first, second = stage.show(deck), stage.show(Deck(seller, ["t5", "t6"]))
    stage.page.locator(f"{first} .ft-cell").first.click()
    stage.until(f"() => document.querySelector('{first} .ft-cell[data-state=sounding]')")
    stage.page.locator(f"{second} .ft-cell").first.click()
    stage.until(f"() => document.querySelector('{second} .ft-cell[data-state=sounding]')")
    assert stage.page.locator(f"{first} .ft-cell[data-state=sounding]").count() == 0


def test_hostile_titles_are_text(stage: Stage, seller: ft.Client, shop: Shop) -> None:
    shop.stock("h1", click_track(0, 90, 2.0), bpm=90, title=HOSTILE, duration=2.0)
    shop.stock("h2", bpm=95, title=HOSTILE, status="failed", errorMessage=HOSTILE)
    deck = Deck(seller, ["h1", "h2"], title=HOSTILE)
    view = stage.show(deck)
    cells = stage.page.locator(f"{view} .ft-cell")
    assert cells.first.locator(".ft-title").inner_text().startswith("<img src=x")
    cells.last.click()
    stage.until(f"() => document.querySelector('{view} .ft-status').textContent.includes('failed')")
    assert cells.last.get_attribute("data-state") == "broken"
    assert stage.page.locator(f"{view} img, {view} script").count() == 0
    assert stage.page.evaluate("() => globalThis.pwned") is None


def test_pages_menus_and_new_takes(stage: Stage, seller: ft.Client, deck: Deck, shop: Shop) -> None:
    view = stage.show(deck)
    cell = stage.page.locator(f"{view} .ft-cell")
    stage.page.locator(f"{view} .ft-select").nth(2).select_option("seed")
    stage.until(lambda: deck.page == "seed")
    cell.first.focus()
    assert stage.page.locator(f"{view} .ft-page-name").inner_text() == "seed 7"
    stage.press(".")
    assert cell.first.get_attribute("data-key") == "t1"
    stage.press(",")
    assert cell.first.get_attribute("data-key") == "t0"
    stage.page.locator(f"{view} .ft-select").nth(0).select_option("key")  # the rows take its place
    stage.until(lambda: (deck.columns, deck.rows) == ("key", "bpm"))
    shop.stock("late", bpm=90, keyscale="C minor", seed=7)
    deck.add(["late"])
    stage.until(f"() => document.querySelector('{view} [data-key=late]')?.dataset.state === 'waiting'")
    assert (deck.columns, deck.rows) == ("key", "bpm")
    shop.stock("late", click_track(1, 90, 3.0), bpm=90, keyscale="C minor", seed=7)
    deck.add(["late"])
    stage.until(f"() => document.querySelector('{view} [data-key=late]').dataset.state === 'idle'")
    stage.press("?")
    assert "same beat, or same second" in stage.page.locator(f"{view} .ft-help").inner_text()


def test_decoded_sound_is_bounded_and_what_sounds_is_kept(stage: Stage, deck: Deck) -> None:
    view = stage.show(deck)
    size = "() => globalThis[Symbol.for('finetuning.deck')].bytes"
    stage.page.evaluate("() => { globalThis[Symbol.for('finetuning.deck')].limit = 12 * 44100 * 8 * 2.5; }")
    cache = "globalThis[Symbol.for('finetuning.deck')].cache"
    for key in ("t0", "t2", "t4", "t6", "t8"):
        stage.page.evaluate(f"() => {{ globalThis.first ??= {cache}.values().next().value; }}")
        stage.page.locator(f"{view} [data-key={key}]").click()
        sounds(stage, key)
        stage.wait(0.2)  # with its neighbours, which come ahead of being wanted
        assert stage.page.evaluate(size) <= 12.1 * 48000 * 8 * 2.5
    stage.until(lambda: stage.level() > 0.01)
    stage.until("() => first.getChannelData(0).length === 0")  # its memory was given back, and not only forgotten
    stage.page.evaluate("() => stage.cleanups.forEach((clean) => clean())")
    assert stage.page.evaluate(size) == 0
