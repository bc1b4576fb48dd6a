from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import finetuning as ft
from finetuning.errors import JournalError, ParameterError, SelectionError, SweepWarning
from finetuning.frames import GENERATION_COLUMNS
from finetuning.sweep.events import Began
from finetuning.sweep.ledger import Ledger

Until = Callable[[Callable[[], Any]], None]


def test_a_sweep_on_the_studio_from_plan_to_playlist(client: ft.Client, studio: ft.studio.Studio) -> None:
    sweep = ft.Sweep("lofi chill piano", bpm=[80, 140], key=["C", "A"], scale="minor", seed=[7], duration=5)
    before = client.me().limits.total_remaining
    run = client.run(sweep, name="Lofi")
    assert run.name == "lofi"
    assert run.done
    assert repr(run) == "SweepRun('lofi': 4 of 4 points finished: 4 completed)"
    assert run._repr_html_() == "<div><b>lofi</b>: 4 of 4 points finished: 4 completed</div>"
    assert client.me().limits.total_remaining == (before or 0) - 4

    frame = run.frame
    assert frame.columns[:7].tolist() == ["point", "tags", "bpm", "key", "scale", "requested_duration", "seed"]
    assert frame.columns[-3:].tolist() == ["rating", "rejected", "note"]
    assert set(GENERATION_COLUMNS) <= set(frame.columns)
    for name in ("bpm", "key", "scale", "seed"):
        assert frame[name].tolist() == sweep.points[name].tolist()
    assert frame.duration.round(1).tolist() == [5.0] * 4
    assert frame.generation_time.gt(0).all()
    assert frame.id.is_unique
    assert (client.generations(limit=4).set_index("id").bpm.loc[frame.id].to_numpy() == frame.bpm.to_numpy()).all()

    run.rate(frame[frame.bpm < 100], 5).rate(3, 1).note(frame.id[0], "the keeper")
    keepers = run.frame.query("rating == 5")
    assert keepers.key.tolist() == ["C", "A"]
    playlist = studio.create_playlist("Sweep keepers")
    assert client.add_tracks(playlist, keepers).summary == "Added 2 of 2 track(s)"
    assert sorted(client.playlist("Sweep keepers").tracks.id) == sorted(keepers.id)

    again = ft.SweepRun.load("Lofi")
    pd.testing.assert_frame_equal(again.frame, run.frame)
    pd.testing.assert_frame_equal(again.points, sweep.points)
    assert again.frame.note.dropna().tolist() == ["the keeper"]
    assert run.rate([0, 1], None).frame.rating.tolist() == [pd.NA, pd.NA, pd.NA, 1]
    assert again.frame.rating.notna().sum() == 1


def test_the_frame_has_its_dtypes_from_the_first_moment(client: ft.Client) -> None:
    run = client.run(ft.Sweep("piano", energy=["low", "high"], duration=5), name="early", wait=False)
    early = run.frame
    late = run.wait().frame
    assert early.dtypes.astype(str).to_dict() == late.dtypes.astype(str).to_dict()
    assert late.prompt.tolist() == ["piano, low energy, relaxed", "piano, high energy, driving"]
    assert early.prompt.tolist() == late.prompt.tolist()
    with pytest.raises(ParameterError, match="A run named 'early' exists: 2 points, 2 completed"):
        client.run(ft.Sweep("piano"), name="early")
    decks = (run.play(), client.play(run), run.play(late.id[:1]))
    assert [len(deck.takes) for deck in decks] == [2, 2, 1]
    # A column is no method, whatever its name.
    named = late.assign(play_on="Friday", run_on="Monday", preferences="none")
    assert len(client.play(named).takes) == 2
    with pytest.raises(ParameterError, match="type DataFrame is not a sweep"):
        client.run(named)  # type: ignore[arg-type]


def test_a_frame_is_the_callers_own(service: Any, hosted: ft.Client) -> None:
    run = hosted.run(ft.Sweep("piano", seed=2), name="own")
    frame = run.frame
    frame["rating"] = 5
    frame.loc[0, "title"] = "mine"
    assert run.frame.rating.isna().all()
    assert run.frame.title.tolist() == ["A Take", "A Take"]


BEGIN = """
import os, sys, time
import finetuning as ft
client = ft.Client(sys.argv[2], sys.argv[1], progress=False)
run = client.run(ft.Sweep("piano", seed=[1, 2, 3, 4]), name="killed", at_once=2, wait=False)
deadline = time.monotonic() + 30
while (run.frame.state == "generating").sum() < 2 and time.monotonic() < deadline:
    pass
print(*run.frame.id[:2], flush=True)
sys.stdin.read()
"""


def test_a_run_whose_process_was_killed_goes_on_in_another(archive: ft.studio.Studio, until: Until) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", BEGIN, archive.url, archive.api_key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other,
        ft.Client(archive.api_key, archive.url, progress=False) as client,
    ):
        assert other.stdout is not None
        ids = other.stdout.readline().split()
        assert len(ids) == 2
        run = ft.SweepRun.load("killed", client)
        assert run.frame.id.dropna().tolist() == ids
        with pytest.raises(JournalError, match=f"in the hands of process {other.pid}"):
            run.resume()
        with pytest.raises(JournalError, match=f"process {other.pid}"):
            run.rate(0, 5)
        with pytest.warns(SweepWarning, match="not running here"):
            run.wait()
        other.kill()
        other.wait()
        run.resume(wait=False, at_once=4)
        until(lambda: (run.frame.state == "generating").all())
        run.cancel()
        assert run.frame.id[:2].tolist() == ids
        seeds = client.generations().seed.tolist()
        assert sorted(seeds[:4]) == [1, 2, 3, 4]
        assert os.getpid() != other.pid


def test_an_interrupt_leaves_the_run_going_on(
    service: Any, hosted: ft.Client, until: Until, capsys: pytest.CaptureFixture[str]
) -> None:
    service.looks_needed = 10**9

    def interrupt() -> None:
        until(lambda: len(service.rows) == 2)
        _thread.interrupt_main()

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        hosted.run(ft.Sweep("piano", seed=2), name="interrupted")
    helper.join()
    said = capsys.readouterr().err
    assert "'interrupted' goes on in the background" in said
    run = ft.SweepRun.load("interrupted", hosted)
    assert run.running
    service.looks_needed = 1
    assert run.wait().done


def test_a_bar_shows_what_is_finished_and_in_flight(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    service.limit = 6000
    with ft.Client("ft_live_" + "ab3f" * 8, "https://pub.finetuning.ai") as client:
        client.run(ft.Sweep("piano", seed=2), name="bar")
    shown = capsys.readouterr().err
    assert "bar:   0%" in shown
    assert "2 in flight" in shown


def test_many_threads_look_and_judge_while_it_runs(service: Any, hosted: ft.Client) -> None:
    service.looks_needed = 40
    run = hosted.run(ft.Sweep("piano", seed=20), name="threads", wait=False)

    def judge(point: int) -> int:
        run.rate(point, 1 + point % 5).note(point, f"note {point}")
        return len(run.frame)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(judge, range(20))) == {20}
    run.wait()
    for seen in (run.frame, ft.SweepRun.load("threads").frame):
        assert seen.rating.tolist() == [1 + point % 5 for point in range(20)]
        assert seen.note.tolist() == [f"note {point}" for point in range(20)]


def test_two_runs_go_on_at_once(service: Any, hosted: ft.Client) -> None:
    one = hosted.run(ft.Sweep("one", seed=3), name="one", wait=False)
    two = hosted.run(ft.Sweep("two", seed=3), name="two", wait=False)
    assert one.wait().done
    assert two.wait().done
    assert set(one.frame.id).isdisjoint(two.frame.id)


def test_judgements_that_cannot_be_are_refused(service: Any, hosted: ft.Client) -> None:
    run = hosted.run(ft.Sweep("piano", seed=2), name="judged")
    for rating in (0, 6, 2.5, "5", True):
        with pytest.raises(ParameterError, match="rating="):
            run.rate(0, rating)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="note is a int"):
        run.note(0, 5)  # type: ignore[arg-type]
    with pytest.raises(SelectionError, match="The run has no point 2") as caught:
        run.rate([0, 2], 5)
    assert "numbered 0 to 1" in str(caught.value)
    with pytest.raises(SelectionError, match="1 of 2 takes are not of this run, the first: gen_x"):
        run.rate(["gen_0", "gen_x"], 5)
    with pytest.raises(SelectionError):
        run.rate([], 5)
    assert run.frame.rating.isna().all()
    run.note(run.frame.iloc[1], "a row").note(["gen_0"], "")
    assert run.frame.note.fillna("").tolist() == ["", "a row"]


def test_a_run_without_a_client_cannot_be_played(began: Began, home: Any) -> None:
    Ledger.create(home / "data" / "sweeps" / "lofi.jsonl", began).release()
    run = ft.SweepRun.load("lofi")
    with pytest.raises(ParameterError, match="was loaded without a client"):
        run.play()
    assert run.path == home / "data" / "sweeps" / "lofi.jsonl"
    assert not run.running
    assert run.doing == ""


def test_all_runs_are_listed_the_newest_first(service: Any, hosted: ft.Client, home: Any) -> None:
    empty = ft.SweepRun.list()
    service.ends = {"gen_1": "failed"}
    with pytest.warns(SweepWarning):
        hosted.run(ft.Sweep("piano", seed=2), name="older")
    service.script.extend([None, service.error(402, "MONTHLY_LIMIT_REACHED")])
    with pytest.warns(SweepWarning):
        hosted.run(ft.Sweep(["cello", "flute"], seed=1), name="newer")
    listed = ft.SweepRun.list()
    assert listed.name.tolist() == ["newer", "older"]
    assert listed.tags.tolist() == ["cello", "piano"]
    assert listed.points.tolist() == [2, 2]
    assert listed.completed.tolist() == [1, 1]
    assert listed.failed.tolist() == [0, 1]
    assert listed.left.tolist() == [1, 0]
    assert listed.done.tolist() == [False, True]
    assert (listed.updated_at >= listed.created_at).all()
    assert empty.dtypes.to_dict() == listed.dtypes.to_dict()
    (home / "data" / "sweeps" / "broken.jsonl").write_text("{}\n{}\n")
    with pytest.warns(SweepWarning, match=r"left out of the list: .*broken\.jsonl, line 1"):
        assert len(ft.SweepRun.list()) == 2
    (home / "data" / "sweeps" / "broken.jsonl").unlink()
    (home / "data" / "sweeps" / "moved.jsonl").symlink_to(home / "away.jsonl")
    assert len(ft.SweepRun.list()) == 2
    with pytest.raises(ParameterError, match="There is no run named 'newr'") as caught:
        ft.SweepRun.load("newr")
    assert "'newer'" in str(caught.value)


def test_there_is_no_run_yet() -> None:
    with pytest.raises(ParameterError, match="no run named 'lofi'") as caught:
        ft.SweepRun.load("lofi")
    assert "There are none yet" in str(caught.value)


@pytest.mark.parametrize("wait", [np.array([True, False]), np.array(True), "no", 60, 0.0, None, pd.NA, []])
def test_whether_to_wait_is_known_before_anything_is_sent(service: Any, hosted: ft.Client, wait: Any) -> None:
    with pytest.raises(ParameterError, match=r"wait=.* is neither True nor False"):
        hosted.run(ft.Sweep("piano"), wait=wait)
    with pytest.raises(ParameterError, match=r"wait=.* is neither True nor False"):
        hosted.generate("piano", wait=wait)
    with pytest.raises(ParameterError, match=r"wait=.* is neither True nor False"):
        hosted.call(hosted.asynchronous.generate("piano", wait=wait))
    assert service.requests == []
    assert ft.SweepRun.list().empty


@pytest.mark.parametrize("wait", [True, 1, np.True_])
def test_what_is_true_waits(service: Any, hosted: ft.Client, wait: Any) -> None:
    assert hosted.run(ft.Sweep("piano"), name="true", wait=wait).done


@pytest.mark.parametrize("at_once", [0, -1, 1.5, "8"])
def test_at_once_is_a_count(service: Any, hosted: ft.Client, at_once: Any) -> None:
    with pytest.raises(ParameterError, match="at_once"):
        hosted.run(ft.Sweep("piano"), at_once=at_once)
    assert service.requests == []


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda run: run.wait("long"), "timeout='long' is not a number of seconds"),
        (lambda run: run.wait(-1), "timeout=-1 is not"),
        (lambda run: run.note(0, "\ud800"), "half of a surrogate pair"),
        (lambda run: run.extend(bpm=None), "bpm=None is no value to add"),
        (lambda run: run.extend(seed=None), "seed=None is no value to add"),
        (lambda run: run.extend(bpm=[100], client="me"), "type str is not a client"),
        (lambda run: run.extend(bpm=[100], receiver="http://127.0.0.1"), "type str is not a receiver"),
        (lambda run: run.extend(bpm=[100], receiver=ft.webhooks.Receiver), "is not a receiver"),
        (lambda run: run.extend([100, 110]), "type list is not a suggestion"),
        (lambda run: run.suggest(2, client="me"), "type str is not a client"),
        (lambda run: run.suggest(2, maximise="no"), "maximise='no' is neither"),
        (lambda run: run.reject(0, "no"), "out='no' is neither True nor False"),
        (lambda run: run.resume(wait=np.array([1, 2])), r"wait=array\(\[1, 2\]\) is neither True nor False"),
        (lambda run: run.extend(bpm=[100], wait=60), "wait=60 is neither True nor False"),
        (lambda run: ft.SweepRun.load("own", "me").play(), "type str is not a client"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_sent(
    ask: Callable[[ft.SweepRun], Any], said: str, service: Any, hosted: ft.Client
) -> None:
    run = hosted.run(ft.Sweep("piano", bpm=[80], seed=1), name="own")
    with pytest.raises(ParameterError, match=said):
        ask(run)
    assert len(service.bodies) == 1
    run.note(0, "東京").wait(None)
    assert run.frame.note.tolist() == ["東京"]
