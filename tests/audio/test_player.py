"""The player's protocol and what it leaves in a notebook, through the real widget class; only the wire is replaced."""

import inspect
import json
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import comm
import ipywidgets
import pytest
from comm.base_comm import BaseComm
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from finetuning.audio.player import Player, PlayerTake, takes_of
from finetuning.audio.takes import clock
from finetuning.errors import DownloadError, MissingExtraError
from finetuning.records import Generation, Parameters

HOSTILE = '<img src=x onerror="alert(1)"> & \'"</td></table><script>alert(2)</script>'


class Wire(BaseComm):
    """A comm that keeps what is sent to the page instead of needing one."""

    def __init__(self, **more: Any) -> None:
        self.sent: list[tuple[dict[str, Any], Any]] = []
        self.arrived = threading.Condition()
        super().__init__(**more)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        with self.arrived:
            self.sent.append((data or {}, buffers))
            self.arrived.notify_all()

    def customs(self) -> list[tuple[dict[str, Any], Any]]:
        return [(data["content"], buffers) for data, buffers in self.sent if data.get("method") == "custom"]

    def wait(self, count: int) -> list[tuple[dict[str, Any], Any]]:
        """The custom messages, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.customs()) >= count, timeout=10)
            return self.customs()


@pytest.fixture(autouse=True)
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(comm, "create_comm", lambda **more: Wire(**more))
    yield
    ipywidgets.Widget.close_all()


def take(number: int = 0, **more: Any) -> PlayerTake:
    return PlayerTake(**{"id": f"t{number}", "title": f"Take {number}", "label": "bpm 85", "duration": 30.0, **more})


def unreached(take_id: str) -> Future[bytes]:
    raise AssertionError(f"fetched {take_id}")


def page_says(player: Player, content: Any) -> None:
    """What ipywidgets does when a custom message comes in."""
    message = {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
    player.comm.handle_msg(message)


def answer(value: bytes | BaseException) -> Callable[[str], Future[bytes]]:
    def fetch(_: str) -> Future[bytes]:
        future: Future[bytes] = Future()
        future.set_exception(value) if isinstance(value, BaseException) else future.set_result(value)
        return future

    return fetch


def test_audio_is_pulled_and_comes_as_a_buffer() -> None:
    asked: list[str] = []
    audio = bytes(range(256)) * 4000

    def fetch(take_id: str) -> Future[bytes]:
        asked.append(take_id)
        return answer(audio)(take_id)

    player = Player([take(0), take(1)], fetch)
    assert asked == []
    page_says(player, {"type": "load", "id": "t1"})
    assert asked == ["t1"]
    [(content, buffers)] = player.comm.customs()
    assert content == {"type": "audio", "id": "t1"}
    assert [bytes(part) for part in buffers] == [audio]


def test_the_callback_returns_before_the_audio_is_there() -> None:
    go = threading.Event()

    def slow() -> bytes:
        assert go.wait(timeout=10)
        return b"mp3"

    with ThreadPoolExecutor(1) as pool:
        player = Player([take()], lambda _: pool.submit(slow))
        page_says(player, {"type": "load", "id": "t0"})
        assert player.comm.customs() == []
        go.set()
        [(content, buffers)] = player.comm.wait(1)
    assert (content["type"], buffers) == ("audio", [b"mp3"])


def test_two_views_that_ask_at_once_cause_one_fetch_and_later_ones_another() -> None:
    futures: list[Future[bytes]] = []

    def fetch(_: str) -> Future[bytes]:
        futures.append(Future())
        return futures[-1]

    player = Player([take()], fetch)
    for _ in range(3):
        page_says(player, {"type": "load", "id": "t0"})
    assert len(futures) == 1
    futures[0].set_result(b"mp3")
    assert len(player.comm.customs()) == 1
    page_says(player, {"type": "load", "id": "t0"})  # the page's cache has let it go
    futures[1].set_result(b"mp3")
    assert len(player.comm.customs()) == 2


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (
            DownloadError("The media host said 404.", hint="It was deleted."),
            "The media host said 404.",
            "It was deleted.",
        ),
        (DownloadError("The media host said 500."), "The media host said 500.", "Press play to try again."),
        (OSError("disk full"), "OSError: disk full", "Press play to try again."),
    ],
)
def test_a_failed_fetch_is_shown_with_what_to_do(error: Exception, message: str, hint: str) -> None:
    player = Player([take()], answer(error))
    page_says(player, {"type": "load", "id": "t0"})
    expected = {"type": "failed", "id": "t0", "message": message, "hint": hint}
    assert player.comm.customs() == [(expected, None)]
    page_says(player, {"type": "load", "id": "t0"})  # and may be tried again
    assert len(player.comm.customs()) == 2


def test_a_fetch_that_cannot_even_start_is_shown() -> None:
    def fetch(_: str) -> Future[bytes]:
        raise RuntimeError("the client is closed")

    player = Player([take()], fetch)
    page_says(player, {"type": "load", "id": "t0"})
    [(content, _)] = player.comm.customs()
    assert (content["type"], content["message"]) == ("failed", "RuntimeError: the client is closed")


def test_a_cancelled_fetch_and_an_empty_file_are_shown() -> None:
    cancelled: Future[bytes] = Future()
    player = Player([take()], lambda _: cancelled)
    page_says(player, {"type": "load", "id": "t0"})
    cancelled.cancel()
    cancelled.set_running_or_notify_cancel()
    [(content, _)] = player.comm.customs()
    assert content["message"] == "Fetching was cancelled."
    player = Player([take()], answer(b""))
    page_says(player, {"type": "load", "id": "t0"})
    [(content, _)] = player.comm.customs()
    assert content["message"] == "The audio of this take is empty."


@pytest.mark.parametrize("wrong", ["another", None, 7, ["t0"]])
def test_only_listed_takes_can_be_fetched(wrong: Any) -> None:
    player = Player([take()], unreached)
    page_says(player, {"type": "load", "id": wrong})
    [(content, _)] = player.comm.customs()
    assert (content["type"], content["message"]) == ("failed", "This take is not in the player.")


@pytest.mark.parametrize("other", [{"type": "rate", "id": "t0"}, {}, "load", None])
def test_messages_of_another_kind_are_left_alone(other: Any) -> None:
    player = Player([take()], unreached)
    page_says(player, other)
    assert player.comm.customs() == []


def test_an_answer_after_the_player_is_closed_harms_nobody() -> None:
    future: Future[bytes] = Future()
    player = Player([take()], lambda _: future)
    wire = player.comm
    page_says(player, {"type": "load", "id": "t0"})
    player.close()
    future.set_result(b"mp3")
    assert wire.customs() == []


def test_the_state_stays_small_and_holds_no_sound() -> None:
    def size(player: Player) -> int:
        return len(json.dumps(player.get_state()).encode())

    records = [
        Generation(
            id=f"0b8f5c1e-1111-4222-8333-{number:012}",
            prompt="lofi chill piano, warm tape, rain on the window " * 14,
            status="completed",
            duration=60.0,
            audio_url="https://media.finetuning.ai/" + "x" * 200,
            parameters=Parameters(bpm=85, keyscale="C# minor", timesignature=7, seed=2**31 - number),
        )
        for number in range(100)
    ]
    empty, full = Player([], unreached), Player(takes_of(records), answer(b"\xff" * 1_000_000))
    before = size(full)
    page_says(full, {"type": "load", "id": records[0].id})
    assert len(full.comm.customs()) == 1
    assert size(full) == before
    assert (before - size(empty)) / 100 < 300


class Cells(HTMLParser):
    """Tags, links and texts of a table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def bundle(player: Player) -> dict[str, Any]:
    return player._repr_mimebundle_()[0]


def test_a_saved_notebook_shows_a_table() -> None:
    player = Player([take(0, audio_url="https://media.finetuning.ai/a.mp3?x=1&y=2"), take(1, duration=None)], unreached)
    data = bundle(player)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == player.model_id
    assert data["text/plain"] == repr(player) == "Player of 2 takes\n  Take 0  bpm 85  0:30\n  Take 1  bpm 85"
    cells = Cells(data["text/html"])
    assert cells.links == ["https://media.finetuning.ai/a.mp3?x=1&y=2"]
    assert cells.texts == ["take", "parameters", "length", "Take 0", "bpm 85", "0:30", "Take 1", "bpm 85"]
    assert repr(Player([take()], unreached)).startswith("Player of 1 take\n")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    """The shell under every notebook, without one's history."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


def test_in_a_cell_the_table_stands_in_for_the_player(shell: InteractiveShell) -> None:
    run_cell: Callable[[str], Any] = shell.run_cell

    def outputs() -> list[dict[str, Any]]:
        with capture_output() as captured:
            run_cell("player")
        return [output.data for output in captured.outputs]

    player = shell.user_ns["player"] = Player([PlayerTake(id="a", title="Dusk")], unreached)
    table, live = outputs()
    assert f'<table id="{player.stand_in}">' in table["text/html"]
    assert table["text/plain"] == "Player of 1 take\n  Dusk"
    assert live["application/vnd.jupyter.widget-view+json"]["model_id"] == player.model_id
    assert "text/html" not in live
    player.close()
    assert outputs() == [table]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/a.mp3", "javascript:alert(1)", "data:text/html,x", "https://", "https://[bad", "", None],
)
def test_only_https_is_linked(url: str | None) -> None:
    html = bundle(Player([take(audio_url=url)], unreached))["text/html"]
    assert Cells(html).links == []
    assert "127.0.0.1" not in html


def test_hostile_text_is_text() -> None:
    hostile = take(title=HOSTILE, label=HOSTILE, audio_url="https://x.example/a.mp3?\" onclick='alert(3)'><script>")
    cells = Cells(bundle(Player([hostile], unreached))["text/html"])
    assert set(cells.tags) == {"table", "thead", "tbody", "tr", "th", "td", "a"}
    assert cells.texts[3:] == [HOSTILE, HOSTILE, "0:30"]
    assert cells.links == [hostile.audio_url]


def test_the_page_sets_text_and_never_markup() -> None:
    script = str(Player([], unreached)._esm)
    assert "textContent" in script
    assert not [way for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(") if way in script]


def test_a_repeated_take_is_listed_once() -> None:
    player = Player([take(0), take(1), take(0)], unreached)
    assert [row["id"] for row in player.takes] == ["t0", "t1"]


def test_takes_of_says_what_was_asked_for() -> None:
    asked = Parameters(bpm=85, keyscale="C minor", timesignature=4, seed=7, duration=30)
    records = [
        Generation(
            id="a", title="Dusk", status="completed", duration=30.04, parameters=asked, audio_url="https://m/a.mp3"
        ),
        Generation(
            id="b", prompt="a  waltz\nin grey", status="processing", parameters=Parameters(timesignature="3", bpm=92.5)
        ),
        Generation(id="c", parameters=Parameters(key="F#")),
        Generation(id="d"),
    ]
    assert takes_of(records) == [
        PlayerTake(
            id="a", title="Dusk", label="bpm 85 · C minor · seed 7", duration=30.04, audio_url="https://m/a.mp3"
        ),
        PlayerTake(id="b", title="a waltz in grey", label="processing · bpm 92.5 · 3 beats"),
        PlayerTake(id="c", title="c", label="F#"),
        PlayerTake(id="d", title="d"),
    ]
    assert takes_of([Generation(id="e", parameters=asked)])[0].duration == 30


def test_long_titles_are_cut_between_ellipses_and_characters() -> None:
    [shown] = takes_of([Generation(id="a", title="ünï " * 50)])
    assert len(shown.title) <= 72
    assert shown.title.endswith("ünï…")


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0, "0:00"), (9.4, "0:09"), (59.6, "1:00"), (185, "3:05"), (3600, "60:00")]
)
def test_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)  # as on a machine without it
    with pytest.raises(MissingExtraError, match="The inline player is not installed") as caught:
        runpy.run_path(inspect.getfile(Player))
    assert "pip install 'finetuning[lab]'" in str(caught.value)
