"""Takes of everything that can be asked for, heard by ears that are not our own. The bench hears two hundred."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import pytest

from finetuning.studio.music import Brief, Take, make_take
from finetuning.studio.music.styles import STYLES

from .draws import draw, seeds_of
from .oracle import Heard, hear
from .scores import Score, melodic_likeness, read_score, rhythmic_likeness

BRIEFS = draw(24)


@dataclass(frozen=True)
class Judged:
    brief: Brief
    heard: Heard
    score: Score
    digest: str


def judge(brief: Brief, take: Take) -> Judged:
    return Judged(brief, hear(take.mp3), read_score(take.midi), hashlib.sha256(take.mp3 + take.midi).hexdigest())


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            patch.setenv(name, "1")  # each process has a core of its own
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(4, os.cpu_count() or 1), mp_context=context) as pool:
            yield pool


@pytest.fixture(scope="module")
def judged(workers: ProcessPoolExecutor) -> list[Judged]:
    # What is made elsewhere is heard here: the other processes need not know where the tests are.
    return list(map(judge, BRIEFS, workers.map(make_take, BRIEFS)))


def those(judged: list[Judged], holds: Callable[[Judged], bool]) -> list[tuple[Brief, Heard]]:
    """List what does not hold, with the request that makes it again."""
    return [(j.brief, j.heard) for j in judged if not holds(j)]


def test_the_draw_reaches_every_style_and_metre() -> None:
    assert {brief.tags for brief in BRIEFS} == set(STYLES)
    assert {brief.time_signature for brief in BRIEFS} == {2, 3, 4, 5, 6, 7}
    assert len({brief.key for brief in BRIEFS}) >= 8


def test_the_tempo_is_heard(judged: list[Judged]) -> None:
    assert not those(judged, lambda j: j.heard.tempo_miss(j.brief.bpm) <= 0.01)


def test_the_key_is_heard(judged: list[Judged]) -> None:
    assert not those(judged, lambda j: j.heard.is_relative(j.brief.key, j.brief.scale))
    assert len(those(judged, lambda j: (j.heard.key, j.heard.scale) == (j.brief.key, j.brief.scale))) <= 1


def test_length_loudness_and_peak_are_as_promised(judged: list[Judged]) -> None:
    assert not those(judged, lambda j: abs(j.heard.seconds - j.brief.duration) <= 0.05)
    assert not those(judged, lambda j: abs(j.heard.loudness + 14) <= 0.3)
    assert not those(judged, lambda j: j.heard.peak <= -1.0)
    assert not those(judged, lambda j: not j.heard.clipped)


def test_nothing_breaks_off(judged: list[Judged]) -> None:
    assert not those(judged, lambda j: j.heard.pause <= 2.0)
    assert not those(judged, lambda j: j.heard.tail < -50 and j.heard.falls)


def test_the_score_is_in_the_metre_and_tempo(judged: list[Judged]) -> None:
    assert not those(judged, lambda j: j.score.metre == j.brief.time_signature)
    assert not those(judged, lambda j: abs(j.score.bpm / j.brief.bpm - 1) < 1e-4)
    assert len(those(judged, lambda j: j.score.keeps_metre())) <= 1


def test_another_process_makes_the_same_bytes(judged: list[Judged]) -> None:
    for at in (0, 11, 17):
        take = make_take(BRIEFS[at])
        assert hashlib.sha256(take.mp3 + take.midi).hexdigest() == judged[at].digest


def test_seeds_make_other_pieces_and_keys_do_not() -> None:
    briefs = seeds_of("pop", 6, 12.0)
    scores = [read_score(make_take(brief).midi) for brief in briefs]
    pairs = [(a, b) for at, a in enumerate(scores) for b in scores[:at]]
    assert max(melodic_likeness(a, b) for a, b in pairs) < 0.7
    assert max(rhythmic_likeness(a, b) for a, b in pairs) < 1.0
    moved = read_score(make_take(Brief("pop", bpm=120, key="E", duration=12.0, seed=1)).midi)
    assert melodic_likeness(scores[0], moved) == 1.0
    assert rhythmic_likeness(scores[0], moved) == 1.0
