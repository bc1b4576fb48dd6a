"""What a take costs, beside the same score played by fluidsynth and coded by lame, without mastering."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from finetuning.studio.music import Brief, Take, make_take
from finetuning.studio.soundfonts import find_font

from .timing import best, line

PROGRAMS = ("fluidsynth", "lame")
STYLES = ("lofi chill piano", "deep house", "jazz trio", "rock", "ambient", "cinematic epic", "funk", "synthwave")


def _beside(takes: list[Take]) -> None:
    """Play and code the scores with the two programs, one after another."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wave, mp3 = (Path(folder, name) for name in ("take.mid", "take.wav", "take.mp3"))
        for take in takes:
            midi.write_bytes(take.midi)
            subprocess.run(
                ["fluidsynth", "-ni", "-q", "-r", "48000", "-F", wave, find_font().path, midi],
                check=True,
                capture_output=True,
            )
            subprocess.run(["lame", "--quiet", "-V2", wave, mp3], check=True)


def _report(what: str, seconds: float, takes: list[Take], bound: str) -> None:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        line(
            what, f"{seconds:.2f} s", f"not beside anything: {' and '.join(missing)} not installed", float("nan"), bound
        )
        return
    other = best(lambda: _beside(takes))
    line(what, f"{seconds:.2f} s", f"fluidsynth + lame {other:.2f} s", seconds / other, bound)


def _apart(code: str) -> str:
    """Run a program in a fresh interpreter, and give back what it printed."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


# Linux counts what a process weighed before it became this program towards ru_maxrss; VmHWM begins anew
MEMORY = """
import pathlib, re, resource
from finetuning.studio.music import Brief, make_take
make_take(Brief("deep house", bpm=120, duration=60, seed=1))
status = pathlib.Path("/proc/self/status")
kib = status.exists() and re.search(r"VmHWM:\\s+(\\d+)", status.read_text())
print(int(kib[1]) * 1024 / 1e6 if kib else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def main() -> None:
    for tags in ("lofi chill piano", "deep house", "jazz trio", "cinematic epic"):
        brief = Brief(tags, bpm=120, duration=60, seed=1)
        start = time.process_time()
        take = make_take(brief)
        used = time.process_time() - start
        wall = best(lambda brief=brief: make_take(brief))  # type: ignore[misc]
        _report(f"a 60 s take: {tags} (first: {used:.2f} s of processor)", wall, [take], "at most 4 s; aim 2.5 s")

    briefs = [Brief(tags, bpm=110, duration=20, seed=seed) for seed, tags in enumerate(STYLES)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as workers:
        start = time.perf_counter()
        takes = list(workers.map(make_take, briefs))
        seconds = time.perf_counter() - start
    _report("8 takes of 20 s, two processes from their start", seconds, takes, "at most 8 s")

    peak = float(_apart(MEMORY))
    bare = float(_apart(MEMORY.replace("make_take(Brief", "str(Brief")))
    line(
        "peak memory of a process that makes a 60 s take",
        f"{peak:.0f} MB",
        f"its imports {bare:.0f} MB",
        peak / bare,
        "aim 300 MB",
    )
