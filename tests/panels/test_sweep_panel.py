from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import finetuning as ft
from finetuning.errors import FinetuningError, JournalError, ParameterError
from finetuning.panels.sweep.panel import SweepPanel

HOSTILE = "<img src=x onerror=alert(1)></script>\u202e"
SOON = 60.0


def until(condition: Callable[[], Any], panel: SweepPanel | None = None) -> None:
    deadline = time.monotonic() + SOON
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen; {panel.trouble.text if panel else ''!r}, {panel!r}"
        pause.wait(0.02)


class Hands:
    """What a person does in the page, without the page."""

    def __init__(self, panel: SweepPanel) -> None:
        self.panel = panel
        self.pressed = 0

    def type(self, **inputs: Any) -> None:
        self.panel.sheet.set_state({"inputs": {**self.panel.sheet.inputs, **inputs}})

    def press(self, kind: str, **more: Any) -> None:
        until(lambda: not self.panel.sheet.verdict["busy"], self.panel)  # till then the page lets nobody press
        self.pressed += 1
        content = {"type": kind, "inputs": self.panel.sheet.inputs, "press": str(self.pressed), **more}
        self.panel.sheet._handle_custom_msg(content, [])
        assert self.panel.sheet.verdict["answered"] == str(self.pressed)

    def enabled(self, button: str) -> bool:
        return not self.panel.sheet.verdict["buttons"][button]["why"]

    def ended(self) -> None:
        """Wait until the run that is shown has ended, and been told of."""
        until(lambda: self.panel.run is not None and not self.panel.run.running, self.panel)
        until(
            lambda: not self.panel.sheet.run.get("running", True) and not self.panel.sheet.verdict["busy"], self.panel
        )
        until(lambda: (pulse := self.panel._helm.showing.pulse) is not None and not pulse.beating, self.panel)


@pytest.fixture
def make(client: ft.Client) -> Iterator[Callable[..., tuple[SweepPanel, Hands]]]:
    panels: list[SweepPanel] = []

    def one(*args: Any, connected: ft.Client = client, **options: Any) -> tuple[SweepPanel, Hands]:
        panel = SweepPanel(connected, *args, **options)
        panels.append(panel)
        # A client that is closed while it connects leaves a coroutine of anyio's behind, which Python warns of.
        until(lambda: panel._helm.purse.left is not None, panel)
        return panel, Hands(panel)

    yield one
    for panel in panels:
        panel.close()


Make = Callable[..., tuple[SweepPanel, Hands]]


def test_from_nothing_to_results(make: Make, client: ft.Client) -> None:
    panel, hands = make()
    assert repr(panel) == "SweepPanel(no sweep yet)"
    assert panel.sheet.verdict["problems"]["tags"][0] == "tags is empty."
    assert not hands.enabled("run")
    with pytest.raises(ParameterError, match="tags is empty"):
        _ = panel.sweep
    for frame in (panel.results, panel.selected, panel.ratings):
        assert frame.empty
    assert {"point", "id", "state", "rating"} <= set(panel.results.columns)
    assert panel.ratings.columns.tolist()[:3] == ["id", "rating", "rejected"]

    hands.type(tags=["lofi chill piano"], bpm="80, 90", key=["C"], duration="5", seed="7, 8")
    assert panel.sheet.verdict["formula"] == "4 points = 2 bpm × 2 seed"
    assert repr(panel.sweep) == "Sweep('lofi chill piano': 4 points = 2 bpm × 2 seed, 4 credits)"
    before = client.me().limits.total_remaining or 0
    until(lambda: panel.sheet.verdict["credits"] == f"4 credits; left: {before:,}", panel)
    assert hands.enabled("run")

    hands.press("run")
    hands.ended()
    assert panel.run is not None
    assert panel.run.done
    assert panel.trouble.text == ""
    assert panel.sheet.states == "cccc"
    assert panel.sheet.board["rows"] == ["bpm 80", "bpm 90"]
    assert panel.sheet.run["summary"] == "4 of 4 points finished: 4 completed"
    assert panel.results[["bpm", "seed"]].to_numpy().tolist() == [[80, 7], [80, 8], [90, 7], [90, 8]]
    until(lambda: f"left: {before - 4:,}" in panel.sheet.verdict["credits"], panel)
    until(lambda: len(panel.ratings) == 4, panel)
    assert set(panel.deck.frame["id"]) == set(panel.results["id"])
    assert panel.children[2].children == (panel.deck,)
    assert not hands.enabled("extend")

    panel.run.rate(panel.results["id"].iloc[:1], 5)
    panel.deck.look_again()
    until(lambda: panel.ratings["rating"].notna().sum() == 1, panel)
    until(lambda: [run["name"] for run in panel.sheet.runs] == [panel.run and panel.run.name], panel)


def test_a_run_is_extended_by_just_what_is_new(make: Make) -> None:
    panel, hands = make(ft.Sweep("lofi", bpm=[80, 90], key=["C", "A"], seed=[1], duration=5))
    hands.press("run")
    hands.ended()
    hands.type(bpm="80, 100", key=["C"])
    assert panel.sheet.verdict["buttons"]["extend"] == {"label": "Extend by 1", "why": ""}
    assert panel.sheet.verdict["extra"].startswith("Extending adds 1 point, 1 credit")
    first = panel.run
    hands.press("extend")
    until(lambda: panel.sheet.states == "ccccc", panel)
    hands.ended()
    assert panel.run is first
    assert panel.results["bpm"].tolist() == [80, 80, 90, 90, 100]
    assert panel.sheet.board["rows"] == ["bpm 80", "bpm 90", "bpm 100"]
    until(lambda: len(panel.deck.frame) == 5, panel)
    assert panel.sheet.verdict["buttons"]["extend"]["why"] == "The run has all that the inputs ask for."


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ft.studio.Studio]:
    """A studio that takes orders and never finishes them."""
    with ft.studio.Studio(tmp_path_factory.mktemp("slow"), limits="local", workers=0) as running:
        yield running


@pytest.fixture
def patient(slow: ft.studio.Studio) -> Iterator[ft.Client]:
    with ft.Client(slow.api_key, slow.url, progress=False, studio=slow) as connected:
        yield connected


def test_cancel_load_and_resume(make: Make, patient: ft.Client) -> None:
    sweep = ft.Sweep("lofi", bpm=range(60, 100), seed=[1], duration=5)
    panel, hands = make(sweep, name="Long one", connected=patient)
    assert panel.sheet.inputs["name"] == "Long one"
    hands.press("run")
    until(lambda: panel.sheet.states.count("g") == 20, panel)  # as many as may be in flight
    assert panel.sheet.run["running"]
    assert not hands.enabled("run")
    hands.press("run")
    assert panel.trouble.messages == [("A run is going on; cancel it or wait.", None)]
    hands.press("cancel")
    hands.ended()
    assert panel.run is not None
    assert panel.run.name == "long-one"
    assert panel.sheet.inputs["name"] == ""  # it is taken
    assert "paused: cancelled" in panel.sheet.run["summary"]
    assert panel.trouble.text == ""
    assert hands.enabled("resume")

    # Another panel, as after a restart, shows it by its name; a third finds it in its list.
    again, others = make(name="long one", connected=patient)
    assert again.run is not None
    assert again.run.name == "long-one"
    assert again.sheet.inputs["bpm"] == "60, 61, ..., 99"
    assert again.sheet.inputs["name"] == ""
    assert again.sheet.states.count("w") == 20
    third, hands_of_third = make(connected=patient)
    third.sheet._handle_custom_msg({"type": "runs"}, [])
    until(lambda: third.sheet.runs, third)
    assert third.sheet.runs == [{"name": "long-one", "label": "long-one: 0 of 40 completed, 40 left"}]
    hands_of_third.press("load", name="long-one")
    until(lambda: third.run is not None and third.sheet.states.count("w") == 20, third)
    assert repr(third.sweep) == repr(sweep)
    hands_of_third.press("load", name="no such run")
    until(lambda: "There is no run named 'no such run'" in third.trouble.text, third)

    assert others.enabled("resume")
    others.press("resume")
    until(lambda: again.run is not None and again.run.running and again.sheet.run["running"], again)
    others.press("cancel")
    others.ended()


def test_its_buttons_are_methods_too(make: Make) -> None:
    panel, hands = make(ft.Sweep("lofi piano", bpm=[80, 90], seed=2, duration=5))
    with pytest.raises(ParameterError):
        panel.resume()
    run = panel.start()
    assert panel.run is run
    with pytest.raises(ParameterError):
        panel.extend()
    assert panel.cancel() is run
    assert not run.running
    hands.ended()
    panel.resume().wait()
    assert run.states.count("completed") == len(run.points) == 4
    hands.ended()
    hands.type(bpm="80, 90, 100")
    assert len(panel.extend().points) == 6
    run.wait()
    hands.type(bpm="fast")
    with pytest.raises(ParameterError, match="bpm"):
        panel.start()


def test_what_cannot_be_paid_for_cannot_be_started(make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("poor")
    with (
        ft.studio.Studio(folder, limits="hosted", workers=1) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as poor,
    ):
        left = poor.me().limits.total_remaining or 0
        panel, hands = make(ft.Sweep("lofi", bpm=range(60, 180), seed=9, duration=5), connected=poor)
        until(lambda: f"left: {left:,}" in panel.sheet.verdict["credits"], panel)
        assert not hands.enabled("run")
        lacking = 120 * 9 - left
        reason = f"{lacking:,} credits are lacking: 1,080 needed, {left:,} left."
        assert panel.sheet.verdict["buttons"]["run"]["why"] == reason
        assert "at 10 a minute" in panel.sheet.verdict["time"]
        hands.press("run")
        assert panel.trouble.text == reason
        assert panel.sheet.run == {}
        hands.type(max_credits="1")
        assert hands.enabled("run")
        hands.press("run")
        hands.ended()
        assert panel.run is not None
        assert panel.run.spent == 1
        assert "paused" in panel.trouble.text
        panel.close()


def test_a_limit_is_counted_down(make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("strict")
    with (
        ft.studio.Studio(folder, limits="hosted", workers=0) as studio,
        ft.Client(studio.api_key, studio.url, progress=False, studio=studio) as strict,
    ):
        panel, hands = make(ft.Sweep("lofi", bpm=range(60, 72), seed=[1], duration=5), connected=strict)
        until(lambda: "unknown" not in panel.sheet.verdict["credits"], panel)
        hands.press("run")
        until(lambda: "going on in" in panel.sheet.run.get("summary", ""), panel)
        assert panel.sheet.states.count("g") == 10
        assert panel.sheet.run["rest"].startswith("about ")
        # What the run will still spend counts as spent, whether the service is asked or not.
        left = strict.me().limits.total_remaining or 0
        until(lambda: f"left: {left - 2:,}" in panel.sheet.verdict["credits"], panel)
        told = threading.Event()
        panel._helm.purse.look(lambda _: told.set(), lambda: panel._helm.showing.waiting)
        assert told.wait(SOON)
        assert panel._helm.purse.left == left - 2
        hands.press("cancel")
        hands.ended()


def test_what_the_inputs_cannot_hold_is_kept_until_they_change(make: Make) -> None:
    sweep = ft.Sweep("lofi", bpm=[80, 90], key=["C", "A"], seed=[1], where="bpm == 80 or key == 'C'")
    panel, hands = make(sweep)
    assert panel.sweep is sweep
    assert panel.sheet.verdict["formula"] == "3 of 4 points = 2 bpm × 2 key"
    hands.type(name="another")
    assert panel.sweep is sweep
    hands.type(scale=["minor"])
    assert panel.sheet.verdict["formula"] == "4 points = 2 bpm × 2 key"
    assert len(panel.sweep) == 4


def test_drawn_seeds_are_shown_and_stay(make: Make) -> None:
    panel, hands = make()
    seed = panel.sheet.inputs["seed"]
    assert seed.isdigit()
    hands.type(tags=["lofi"], bpm="80")
    assert panel.sheet.inputs["seed"] == seed
    assert panel.sweep.axes["seed"] == [int(seed)]


def test_the_defaults_of_the_settings_do_not_stand_in_the_way_of_extending(make: Make, home: Path) -> None:
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "config.json").write_text(json.dumps({"defaultDuration": 5}))
    panel, hands = make(ft.Sweep("lofi", bpm=[80], seed=[1]))
    hands.press("run")
    hands.ended()
    assert panel.results["requested_duration"].tolist() == [5]
    hands.type(bpm="80, 90")
    assert panel.sheet.verdict["buttons"]["extend"] == {"label": "Extend by 1", "why": ""}


def test_hostile_text_is_text(make: Make) -> None:
    panel, hands = make(name=HOSTILE)
    hands.type(tags=[HOSTILE + "x" * 600], lyrics=[HOSTILE], duration="5", name="")
    hands.press("run")
    hands.ended()
    assert panel.run is not None
    page = panel._repr_mimebundle_()[0]["text/html"]
    assert "<img" not in page
    assert "</script>" not in page
    assert "&lt;img" in page
    hands.press("load", name=HOSTILE)
    until(lambda: panel.trouble.text, panel)
    assert "<img" not in panel.trouble._html.value


def test_what_goes_wrong_is_shown_under_the_panel(make: Make, client: ft.Client) -> None:
    panel, hands = make(ft.Sweep("lofi", seed=[1], duration=5))
    hands.type(bpm=80)  # no text, as another version's page might send
    assert "not inputs of a panel" in panel.trouble.text
    panel.trouble.clear()
    hands.type(bpm="80")
    assert panel.trouble.text == ""
    panel.sheet._handle_custom_msg("nonsense", [])
    panel.sheet._handle_custom_msg({"type": "nonsense"}, [])
    assert panel.trouble.text == ""
    client.close()
    hands.press("run")
    until(lambda: "client is closed" in panel.trouble.text, panel)
    assert "ft.connect()" in panel.trouble.text


def test_a_run_that_breaks_off_says_why(make: Make, slow: ft.studio.Studio) -> None:
    with ft.Client(slow.api_key, slow.url, progress=False) as other:
        panel, hands = make(ft.Sweep("lofi", bpm=range(60, 100), seed=[1]), name="off", connected=other)
        hands.press("run")
        until(lambda: panel.sheet.states.count("g") == 20, panel)
        other.close()
        until(lambda: "client was closed" in panel.trouble.text, panel)
        hands.ended()
        assert hands.enabled("resume")
        assert not hands.enabled("cancel")
        assert [run["name"] for run in panel.sheet.runs] == ["off"]


def test_a_journal_that_cannot_be_read_is_told_of(make: Make, home: Path) -> None:
    folder = home / "data" / "sweeps"
    folder.mkdir(parents=True)
    (folder / "broken.jsonl").write_text("{}\n{}\n")
    with pytest.raises(JournalError):
        make(name="broken")
    panel, _ = make()
    until(lambda: "left out of the list" in panel.trouble.text, panel)
    assert 'role="status"' in panel.trouble._html.value


def test_it_is_refused_what_it_cannot_use(client: ft.Client) -> None:
    refused: Any = SweepPanel
    with pytest.raises(ParameterError, match="is not a client"):
        refused("studio")
    with pytest.raises(ParameterError, match="is not a sweep"):
        refused(client, {"bpm": 80})
    with pytest.raises(TypeError, match="colour"):
        refused(client, colour="red")
    with pytest.raises(ParameterError, match="no letter or digit"):
        refused(client, name="!!!")
    client.close()
    with pytest.raises(FinetuningError, match="client is closed"):
        refused(client)


def test_a_closed_panel_is_left_alone_and_its_run_goes_on(make: Make, patient: ft.Client) -> None:
    panel, hands = make(ft.Sweep("lofi", bpm=range(60, 201), seed=[1, 2], duration=5), connected=patient)
    hands.press("run")
    until(lambda: panel.sheet.states.count("g") == 20, panel)
    assert "… and 82 more" in panel._page()  # a saved notebook stays small
    run, pulse = panel.run, panel._helm.showing.pulse
    assert run is not None
    assert pulse is not None
    panel.close()
    until(lambda: not pulse.beating)
    assert run.running
    run.cancel()


def test_a_panel_that_nobody_holds_takes_its_thread_with_it(patient: ft.Client) -> None:
    def use() -> tuple[Any, Any, weakref.ref[SweepPanel]]:
        panel = SweepPanel(patient, ft.Sweep("lofi", bpm=range(60, 70), seed=[1], duration=5))
        Hands(panel).press("run")
        until(lambda: panel.sheet.states.count("g") == 10 and not panel.sheet.verdict["busy"], panel)
        panel.close()  # ipywidgets itself holds every widget that is open
        return panel.run, panel._helm.showing.pulse, weakref.ref(panel)

    run, pulse, gone = use()

    def collected() -> bool:
        gc.collect()
        return gone() is None

    until(collected)
    until(lambda: not pulse.beating)
    assert run.running
    run.cancel()


def test_a_saved_notebook_shows_what_there_was(make: Make) -> None:
    panel, hands = make(ft.Sweep("lofi", bpm=[80, 90], seed=[1], duration=5))
    assert repr(panel) == "SweepPanel(Sweep('lofi': 2 points = 2 bpm, 2 credits))"
    hands.press("run")
    hands.ended()
    assert panel.run is not None
    bundle, _ = panel._repr_mimebundle_()
    assert bundle["text/plain"] == repr(panel)
    assert "2 of 2 points finished" in repr(panel)
    assert "2 of 2 points finished" in bundle["text/html"]
    assert bundle["text/html"].count("<tr") >= 3
    # Of the widget itself a notebook keeps little: beside its code a few dozen bytes a take.
    state = {name: value for name, value in panel.sheet.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state, default=str)) < 4000


def test_the_output_is_brought_up_to_date(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell.instance()
    panel, hands = make(ft.Sweep("lofi", seed=[1], duration=5))
    published: list[tuple[str, bool]] = []

    def publish(data: Any, metadata: Any = None, **more: Any) -> None:
        published.append((data.get("text/html", ""), bool(more.get("update"))))

    monkeypatch.setattr(shell.display_pub, "publish", publish)
    panel._ipython_display_()
    hands.press("run")
    hands.ended()
    until(lambda: any("1 of 1 point finished" in page and update for page, update in published), panel)
    assert [update for _, update in published[:2]] == [False, False]
    assert panel.sheet.stand_in in published[0][0]
    assert "1 point" in published[0][0]


def test_without_its_parts_it_names_the_command_that_installs_them() -> None:
    code = "import sys; sys.modules['ipywidgets'] = None; import finetuning as ft; ft.SweepPanel"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError: What the panels are made of is not installed." in done.stderr
    assert "pip install 'finetuning[lab]'" in done.stderr
