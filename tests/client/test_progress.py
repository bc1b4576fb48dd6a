from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from finetuning.client.progress import Bar, Meter
from finetuning.records import Generation


class Screen:
    """What is on the screen so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._seen = ""

    def getvalue(self) -> str:
        self._seen += self._capsys.readouterr().err
        return self._seen

    def clear(self) -> None:
        self._capsys.readouterr()
        self._seen = ""


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str]) -> Screen:
    return Screen(capsys)


def elsewhere(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_short_work_shows_nothing(screen: Screen) -> None:
    with Bar(enabled=True).counting("adding", 3, unit="track") as meter:
        meter.draw()
        meter(3, 3)
        meter.draw()
    with Bar(enabled=True).saying("generating") as meter:
        meter.draw()
        meter.looked(Generation(id="x", status="completed"), 1, 300)
        meter.draw()
    assert screen.getvalue() == ""


def test_long_work_shows_how_far_it_is_and_then_nothing(screen: Screen) -> None:
    with Bar(enabled=True).counting("adding", 300, unit="track") as meter:
        meter(100, 300)
        assert "adding" in screen.getvalue()
        assert "100/300" in screen.getvalue()
        assert meter.done == 100
        meter(200, 300)
        assert "200/300" in screen.getvalue()
    assert screen.getvalue().endswith("\r")


def test_where_nobody_knows_how_many_there_are(screen: Screen) -> None:
    with Bar(enabled=True).counting("generations", None, unit="row") as meter:
        meter(99, None)
    assert "99row" in screen.getvalue()


def test_what_is_told_on_another_thread_is_drawn_on_this_one(screen: Screen) -> None:
    with Bar(enabled=True).counting("adding", 300, unit="track") as meter:
        elsewhere(lambda: meter(100, 300))
        assert screen.getvalue() == ""
        meter.draw()
        assert "100/300" in screen.getvalue()


def test_waiting_for_music_says_how_it_stands(screen: Screen) -> None:
    with Bar(enabled=True).saying("generating") as meter:
        meter.looked(Generation(id="x", status="processing"), 12, 300)
        meter.draw()
    assert "generating: processing, at most 288 s more" in screen.getvalue()


def test_a_limit_is_told_on_whatever_is_open_and_forgotten_when_work_goes_on(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    bar = Bar(enabled=True)
    bar.waiting("nobody", 5)
    with bar.counting("adding", 300, unit="track") as meter:
        bar.waiting("RATE_LIMITED on GET /v1/me", 12.4)
        meter.draw()
        assert "RATE_LIMITED on GET /v1/me: waiting 12 s" in screen.getvalue()
        screen.clear()
        meter(100, 300)
        assert "waiting" not in screen.getvalue()
    with bar.saying("finetuning") as meter:
        bar.waiting("RATE_LIMITED on GET /v1/me", 12.4)
        meter.draw()
    assert "finetuning" in screen.getvalue()


def test_a_wait_counts_down_and_is_gone_at_its_end(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    bar = Bar(enabled=True)
    with bar.counting("adding", 300, unit="track") as meter:
        bar.note("beside")
        bar.waiting("RATE_LIMITED on GET /v1/me", 30)
        for passed, shown in ((0.0, "waiting 30 s"), (1.0, "waiting 29 s"), (21.6, "waiting 8 s"), (30.0, "beside")):
            moment = 1000.0 + passed
            screen.clear()
            meter.draw()
            assert shown in screen.getvalue()
        assert "waiting" not in screen.getvalue()


def test_a_note_stands_beside_the_bar(screen: Screen) -> None:
    bar = Bar(enabled=True)
    with bar.counting("lofi", 10, unit="take") as meter:
        meter(1, 10)
        bar.note("2 failed")
        assert "2 failed" in screen.getvalue()
        screen.clear()
        meter(2, 10)
        assert "2 failed" in screen.getvalue()


def test_two_at_once_do_not_disturb_each_other(screen: Screen) -> None:
    bar = Bar(enabled=True)
    with bar.counting("one", 10, unit="x") as first:
        with bar.counting("two", 20, unit="x") as second:
            second(5, 20)
        first(3, 10)
        assert "3/10" in screen.getvalue()
        assert "5/20" in screen.getvalue()


def test_a_report_that_comes_late_shows_nothing(screen: Screen) -> None:
    with Bar(enabled=True).counting("adding", 300, unit="track") as meter:
        meter(100, 300)
    screen.clear()
    meter(200, 300)
    meter.draw()
    assert "200" not in screen.getvalue()


def test_nothing_is_shown_where_nothing_is_wanted(screen: Screen) -> None:
    with Bar(enabled=False).counting("adding", 300, unit="track") as meter:
        meter(100, 300)
        meter.draw()
    assert screen.getvalue() == ""


class Dead(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("broken", [Dead(), None])
def test_a_display_that_fails_does_not_stop_the_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: Any
) -> None:
    caplog.set_level("DEBUG", logger="finetuning")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", broken)
        with Bar(enabled=True).counting("adding", 300, unit="track") as meter:
            meter(100, 300)
            meter(200, 300)
            assert meter.done == 200
    assert "no progress bar" in caplog.text


def test_a_bar_leaves_no_thread_behind(screen: Screen) -> None:
    before = set(threading.enumerate())
    with Bar(enabled=True).counting("adding", 300, unit="track") as meter:
        meter(100, 300)
    assert not [each for each in set(threading.enumerate()) - before if "monitor" in type(each).__name__.lower()]


NOTEBOOK_WITHOUT_WIDGETS = """
import sys, warnings
sys.modules["ipywidgets"] = None
warnings.simplefilter("error")
class Shell:
    config = {"IPKernelApp": {}}
import IPython
IPython.get_ipython = lambda: Shell
import IPython.core.getipython
from finetuning.client.progress import Bar
with Bar(enabled=True).counting("adding", 300, unit="track") as meter:
    meter(100, 300)
print(meter.done)
"""


def test_a_notebook_without_widgets_stops_nothing_where_warnings_are_errors() -> None:
    done = subprocess.run([sys.executable, "-c", NOTEBOOK_WITHOUT_WIDGETS], capture_output=True, text=True, check=True)
    assert done.stdout == "100\n"
    assert "Traceback" not in done.stderr


def test_a_meter_of_its_own_is_drawn_by_its_thread() -> None:
    meters: list[Meter] = []
    elsewhere(lambda: meters.append(Meter(True, "elsewhere", 10)))
    meters[0](5, 10)
    assert meters[0].done == 5
    meters[0].close()
