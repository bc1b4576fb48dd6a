"""Whether takes are what was asked for, by ears that are not the project's own, and whether they differ.

``python -m tests.bench adherence`` draws 200 requests from all styles, keys, metres and 60 to 200 bpm, makes them on
all cores and prints how many were as asked, how alike 20 seeds of each style are, and how well the styles can be told
apart by ear. ``python -m tests.bench.adherence --requests 60 --style lofi --style jazz`` does less; ``--without seeds``
leaves a table out. Every request that missed is printed as the `Brief` that makes it again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from finetuning.studio.music import Brief, make_take
from finetuning.studio.music.styles import STYLES

from ..studio.music.draws import draw, seeds_of
from ..studio.music.oracle import Array, Heard, hear, timbre
from ..studio.music.scores import Score, melodic_likeness, read_score, rhythmic_likeness

TABLES = ("asked", "seeds", "styles")
SEEDS = 20


@dataclass(frozen=True)
class Judged:
    """A request, and what its take turned out to be."""

    brief: Brief
    style: str
    heard: Heard
    score: Score
    timbre: Array


def judge(brief: Brief) -> Judged:
    take = make_take(brief)
    return Judged(brief, str(take.understood["style"]), hear(take.mp3), read_score(take.midi), timbre(take.mp3))


def compose(brief: Brief) -> Score:
    """Make the score alone, as it is written before anything is mixed."""
    from finetuning.studio.music.composer import compose as write
    from finetuning.studio.music.performance import perform
    from finetuning.studio.music.score import Fader, write_midi

    piece = write(brief)
    parts = perform(piece)
    flat = {part.role: Fader(100, 64, 0, 0) for part in parts}
    return read_score(write_midi(parts, flat, piece.form, brief.key, brief.scale))


def _row(what: str, figure: str, bound: str = "") -> None:
    print(f"{what:<46} {figure:>24}   {bound}", flush=True)


CHECKS: tuple[tuple[str, Callable[[Judged], bool], str], ...] = (
    ("style as named in the tags", lambda j: j.style == j.brief.tags, "all"),
    ("tempo within 1 %, an octave allowed, by either", lambda j: j.heard.tempo_miss(j.brief.bpm) <= 0.01, "all"),
    ("key exact", lambda j: (j.heard.key, j.heard.scale) == (j.brief.key, j.brief.scale), "95 %"),
    ("key exact or relative", lambda j: j.heard.is_relative(j.brief.key, j.brief.scale), "99 %"),
    ("duration within 0.05 s", lambda j: abs(j.heard.seconds - j.brief.duration) <= 0.05, "all"),
    ("loudness -14 ± 0.3 LUFS", lambda j: abs(j.heard.loudness + 14) <= 0.3, "all"),
    ("true peak at most -1.0 dBTP", lambda j: j.heard.peak <= -1.0, "all"),
    ("nothing clipped", lambda j: not j.heard.clipped, "all"),
    ("metre, as the MIDI says", lambda j: j.score.metre == j.brief.time_signature, "all"),
    ("metre, as the MIDI's patterns repeat", lambda j: j.score.keeps_metre(), "all"),
    ("tempo, as the MIDI says", lambda j: abs(j.score.bpm / j.brief.bpm - 1) < 1e-4, "all"),
    ("no silence of more than 2 s inside", lambda j: j.heard.pause <= 2.0, "all"),
    ("the end has died away", lambda j: j.heard.tail < -50 and j.heard.falls, "all"),
)


def _call(brief: Brief) -> str:
    """Write a request as it can be pasted, without what it leaves open."""
    told = {"bpm": brief.bpm, "key": brief.key, "scale": brief.scale, "time_signature": brief.time_signature}
    rest = ", ".join(f"{n}={v!r}" for n, v in {**told, "duration": brief.duration, "seed": brief.seed}.items())
    return f"Brief({brief.tags!r}, {rest})"


def asked(judged: Sequence[Judged]) -> None:
    """Print how many takes are as asked, and which are not."""
    print(f"\n{len(judged)} requests from {len({j.brief.tags for j in judged})} styles")
    missed: dict[str, list[Judged]] = {}
    for what, holds, bound in CHECKS:
        missed[what] = [j for j in judged if not holds(j)]
        good = len(judged) - len(missed[what])
        _row(what, f"{good} of {len(judged)} ({good / len(judged):.1%})", bound)
    for which, name in enumerate(("autocorrelation and pulses", "five beat trackers")):
        alone = [replace(j.heard, tempi=(j.heard.tempi[which],) * 2) for j in judged]
        good = sum(h.tempo_miss(j.brief.bpm) <= 0.01 for h, j in zip(alone, judged, strict=True))
        _row(f"  tempo: {name} alone", f"{good} of {len(judged)} ({good / len(judged):.1%})")
    loud = [j.heard.loudness + 14 for j in judged]
    _row("loudness off by at most", f"{max(map(abs, loud)):.3f} LU", "0.3 LU")
    _row("highest true peak", f"{max(j.heard.peak for j in judged):.2f} dBTP", "-1.0 dBTP")
    for what, those in missed.items():
        for j in those:
            told = f"heard {j.heard.tempi[0]:.1f} and {j.heard.tempi[1]:.1f} bpm, {j.heard.key} {j.heard.scale}"
            print(f"  missed {what}: {_call(j.brief)} ({told})")


def likeness(scores: Sequence[Score], measure: Callable[[Score, Score], float]) -> tuple[float, float]:
    """Measure all pairs: the mean and the greatest."""
    values = [measure(one, other) for one, other in combinations(scores, 2)]
    return statistics.mean(values), max(values)


def seeds(styles: Sequence[str], workers: ProcessPoolExecutor) -> None:
    """Print how alike pieces of one style are that differ in their seed, beside pieces that differ in the key alone."""
    print(f"\n{SEEDS} seeds of a style, all pairs: share of melodic figures (4 intervals in a row) in both,")
    print("and of onsets (part or drum, and sixteenth of the piece) in both; mean, greatest. 1 is the same piece.")
    everything = [brief for style in styles for brief in seeds_of(style, SEEDS)]
    scores = list(workers.map(compose, everything, chunksize=SEEDS))
    for at, style in enumerate(styles):
        own = scores[at * SEEDS : (at + 1) * SEEDS]
        melody, rhythm = likeness(own, melodic_likeness), likeness(own, rhythmic_likeness)
        _row(
            f"  {style}",
            f"{melody[0]:.2f} {melody[1]:.2f}   {rhythm[0]:.2f} {rhythm[1]:.2f}",
            f"{len({s.melody for s in own})} of {SEEDS} melodies differ",
        )
    lone = {style: seeds_of(style, 1)[0] for style in styles}
    moved = [Brief(b.tags, bpm=b.bpm, key="E", duration=b.duration, seed=b.seed) for b in lone.values()]
    pairs = list(zip(map(compose, lone.values()), map(compose, moved), strict=True))
    kept = [melodic_likeness(*pair) for pair in pairs], [rhythmic_likeness(*pair) for pair in pairs]
    _row("the same seed in another key, least", f"{min(kept[0]):.2f} {min(kept[1]):.2f}", "1: the piece is kept")


def separate(judged: Sequence[Judged]) -> tuple[float, Counter[tuple[str, str]]]:
    """Train on one half of each style's takes and name the other half, then the other way round.

    Returns
    -------
    accuracy : float
        Of both together.
    confusions : Counter
        How often a style (first) was named as another.
    """
    table = np.array([j.timbre for j in judged])
    names = np.array([j.brief.tags for j in judged])
    half = np.zeros(len(names), np.bool_)
    for name in set(names):
        half[np.flatnonzero(names == name)[::2]] = True
    confusions: Counter[tuple[str, str]] = Counter()
    right = 0
    for train in (half, ~half):
        machine = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
        machine.fit(table[train], names[train])
        for true, told in zip(names[~train], machine.predict(table[~train]), strict=True):
            right += true == told
            if true != told:
                confusions[str(true), str(told)] += 1
    return right / len(names), confusions


def tell_apart(judged: Sequence[Judged]) -> None:
    """Print how well a classifier names the styles."""
    count = len({j.brief.tags for j in judged})
    if len(judged) < 4 * count:
        print(f"\n{count} styles are not told apart: that takes four requests of each, and there are {len(judged)}")
        return
    accuracy, confusions = separate(judged)
    print(f"\n{count} styles told apart by timbre and onsets (linear discriminants, trained on half, both ways)")
    _row("styles named right", f"{accuracy:.1%}", f"80 %; by chance {1 / count:.0%}")
    for (true, told), times in confusions.most_common(12):
        _row(f"  {true}", f"named {told}", f"{times} times")


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.adherence")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--style", action="append", choices=list(STYLES), help="one of these alone; may be repeated")
    parser.add_argument("--without", action="append", choices=TABLES, default=[])
    parser.add_argument("--draw", type=int, default=6, help="another number draws other requests")
    options = parser.parse_args(arguments)
    styles = options.style or list(STYLES)
    # one thread each: the cores are shared by processes already
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as workers:
        if not {"asked", "styles"} <= set(options.without):
            briefs = draw(options.requests, (15.0, 25.0), styles, options.draw)
            judged = list(workers.map(judge, briefs, chunksize=2))
            if "asked" not in options.without:
                asked(judged)
            if "styles" not in options.without and len(styles) > 1:
                tell_apart(judged)
        if "seeds" not in options.without:
            seeds(styles, workers)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
