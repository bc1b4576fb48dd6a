"""Many sounds at once: here, in processes, and on a cluster whose workers die."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pytest
import soundfile

from finetuning.audio.batches import _way, measure_all, measured
from finetuning.audio.measurement import Measurement, analyse, measure, memory
from finetuning.errors import MeasureError, MissingExtraError

RATE = 22_050
#: Others' habits, which are not ours to mend: a scheduler that is closed while a worker restarts leaves sockets to the
#: collector, and waiting coroutines of its own.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]


def sound(number: int, seconds: float = 3.5) -> bytes:
    """A tick and a tone, different for each number."""
    time = np.arange(int(seconds * RATE)) / RATE
    beat = np.exp(-((time * (1.5 + 0.05 * number)) % 1) * 20)
    signal_ = 0.2 * np.sin(2 * np.pi * 220 * 2 ** (number % 12 / 12) * time) * beat
    file = io.BytesIO()
    soundfile.write(file, signal_, RATE, format="WAV")
    return file.getvalue()


def same(found: list[Any], sounds: list[bytes]) -> bool:
    """Whether each is what measuring it by itself gives, to the last digits, which hang on how sums are shared."""
    pairs = zip(_figures(found), _figures([measured(data) for data in sounds]), strict=True)
    return all(a == b if isinstance(a, str) else np.isclose(a, b, rtol=1e-4, equal_nan=True) for a, b in pairs)


def _figures(found: list[Any]) -> list[Any]:
    return [
        figure if isinstance(figure, float) else str(figure)
        for each in found
        for figure in (msgspec.structs.astuple(each) if isinstance(each, Measurement) else [each])
    ]


SOUNDS = [*(sound(number) for number in range(11)), b"no sound at all", sound(3)]


def test_every_sound_has_its_row_in_order() -> None:
    told: list[int] = []
    found = measure_all(SOUNDS, progress=told.append)
    assert same(found, SOUNDS)
    assert isinstance(found[11], MeasureError)
    assert found[12] == found[3]
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == len(SOUNDS)
    assert measure_all([]) == []


def test_what_was_measured_is_not_measured_again(home: Path) -> None:
    kept = memory()
    measure_all(SOUNDS[:2])
    planted = analyse(SOUNDS[5])
    kept.put(dict.fromkeys(_keys(SOUNDS[:2]), planted))
    assert measure_all(SOUNDS[:3]) == [planted, planted, analyse(SOUNDS[2])]
    (home / "take.wav").write_bytes(SOUNDS[0])
    assert measure(home / "take.wav") == planted  # whatever it is called
    assert measure(SOUNDS[0], expected_bpm=planted.tempo * 2).tempo == pytest.approx(planted.tempo * 2)
    assert measure(SOUNDS[0], expected_bpm=planted.tempo * 2).tempo_heard == planted.tempo_heard
    assert (home / "data" / "measurements.sqlite3").exists()


def _keys(sounds: list[bytes]) -> list[bytes]:
    from finetuning.audio.memory import digest

    return list(map(digest, sounds))


def test_an_interrupt_loses_nothing_that_was_done() -> None:
    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_all(SOUNDS[:4], progress=stop)
    assert len(memory().get(_keys(SOUNDS[:4]))) == 2


def test_processes_of_its_own_only_where_they_pay() -> None:
    assert _way(SOUNDS) is None
    assert _way([bytes(4 * 2**20)] * 5) is None
    assert _way([bytes(2 * 2**20)] * 6) == {"n_jobs": -1}
    with joblib.parallel_config(n_jobs=1):
        assert _way([bytes(2 * 2**20)] * 6) == {}


def test_without_joblib_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joblib.parallel", None)  # as on a machine without it
    assert _way([bytes(2 * 2**20)] * 6) is None


def test_what_reads_sound_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)  # likewise
    with pytest.raises(MissingExtraError, match="Reading of audio files"):
        measure_all(SOUNDS)


@pytest.mark.parametrize("config", [{"backend": "threading", "n_jobs": 2}, {"n_jobs": 1}])
def test_joblib_is_obeyed(config: dict[str, Any]) -> None:
    with joblib.parallel_config(**config):
        assert same(measure_all(SOUNDS), SOUNDS)


def _children() -> list[int]:
    """Processes that this one began, and their beginnings: those that work have a Python of their own."""
    import psutil  # type: ignore[import-untyped]

    found = psutil.Process().children(recursive=True)
    return [each.pid for each in found if "loky.backend.popen_loky" in " ".join(each.cmdline())]


def test_a_process_that_dies_takes_no_sound_with_it() -> None:
    sounds = [sound(number) for number in range(8)]
    killed: list[int] = []

    def kill(done: int) -> None:
        if done >= 3 and not killed:
            killed.extend(_children()[:1])
            os.kill(killed[0], signal.SIGKILL)

    with joblib.parallel_config("loky", n_jobs=2):
        found = measure_all(sounds, progress=kill)
    assert killed
    assert same(found, sounds)


#: What a process does as it starts: sounds that end so kill it, as a decoder with a fault in it would.
DEADLY = """
import os
from finetuning.audio import batches
inner = batches.measured
def measured(data):
    return os._exit(1) if data.endswith(b"deadly") else inner(data)
batches.measured = measured
"""


def test_a_sound_that_kills_is_told_from_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from joblib.externals.loky import get_reusable_executor

    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    get_reusable_executor().shutdown(wait=True, kill_workers=True)  # those that began without it
    sounds = [sound(0), sound(1) + b"deadly", sound(2)]
    with joblib.parallel_config("loky", n_jobs=2):
        found = measure_all(sounds)
    get_reusable_executor().shutdown(wait=True, kill_workers=True)
    assert isinstance(found[1], MeasureError)
    assert found[1].message == "The process that measured it died."
    assert same([found[0], found[2]], [sounds[0], sounds[2]])


@pytest.fixture
def cluster() -> Iterator[Callable[..., Any]]:
    """Begin a real cluster of two worker processes; gives its client."""
    from contextlib import ExitStack

    from distributed import Client, LocalCluster

    with ExitStack() as stack:

        def begin(**options: Any) -> Any:
            made = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=2, processes=True, threads_per_worker=1, dashboard_address=":0", silence_logs=50, **options
            )
            return stack.enter_context(Client(stack.enter_context(made)))  # type: ignore[no-untyped-call]

        yield begin


def test_a_cluster_measures_though_a_worker_is_killed(cluster: Callable[..., Any]) -> None:
    client = cluster()
    workers = list(client.run(os.getpid).values())
    assert len(set(workers)) == 2
    killed: list[int] = []

    def kill(done: int) -> None:
        if done >= 3 and not killed:
            killed.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)

    sounds = [*(sound(number) for number in range(10)), *SOUNDS[11:]]
    with joblib.parallel_config(backend="dask"):
        found = measure_all(sounds, progress=kill)
    assert killed
    assert same(found, sounds)
    known = memory().get(_keys(sounds))
    assert len(known) == 10  # remembered here, wherever they were measured


@pytest.mark.parametrize(
    ("preload", "why"),
    [
        (
            "import sys; sys.modules['finetuning'] = sys.modules['finetuning.audio.batches'] = None",
            "None in sys.modules",
        ),
        ("import finetuning.audio.measurement as m; m.MEASURES = 1000", "measures of version 1000"),
    ],
    ids=["missing", "older"],
)
def test_a_cluster_without_the_package_says_so(cluster: Callable[..., Any], preload: str, why: str) -> None:
    cluster(preload=[preload])
    with joblib.parallel_config(backend="dask"), pytest.raises(MeasureError, match="where it was to run") as caught:
        measure_all(SOUNDS)
    assert why in caught.value.message
    assert "on every worker" in str(caught.value)
