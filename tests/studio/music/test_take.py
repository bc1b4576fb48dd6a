"""Finished takes, measured on the decoded MP3 by ears that are not the composer's."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import mido
import pyloudnorm
import pytest
import soundfile

from finetuning.studio.music import Brief, Take, make_take, title_for
from finetuning.studio.music.styles import STYLES

BRIEFS = [
    Brief("lofi chill piano", bpm=80, key="C", scale="minor", duration=14, seed=7),
    Brief("deep house", bpm=124, key="F#", scale="minor", duration=12, seed=8),
    Brief("dark techno", bpm=134, key="A", scale="minor", time_signature=4, duration=12, seed=9),
    Brief("calm ambient", bpm=72, key="D", scale="major", duration=16, seed=10),
    Brief("jazz trio", bpm=150, key="A#", scale="major", time_signature=3, duration=12, seed=11),
    Brief("rock, high energy", bpm=140, key="E", scale="minor", duration=12, seed=12),
    Brief("folk song without drums", bpm=96, key="G", scale="major", time_signature=6, duration=14, seed=13),
    Brief("cinematic epic", bpm=110, key="C#", scale="minor", time_signature=5, duration=14, seed=14),
    Brief("synthwave", bpm=100, key="B", scale="minor", time_signature=7, duration=14, seed=15),
    Brief("funk", bpm=108, key="D#", scale="major", duration=12, seed=16),
    Brief("bossa nova", bpm=128, key="F", scale="major", duration=12, seed=17),
    Brief("hip hop", bpm=90, key="G#", scale="minor", duration=14, seed=18),
    Brief("drum and bass", bpm=172, key="C", scale="minor", duration=12, seed=19),
    Brief("🎹🎶✨", bpm=120, key="F", scale="major", time_signature=2, duration=12, seed=-(2**90)),
    Brief("solo piano, minimal", bpm=60, key="A", scale="minor", time_signature=7, duration=5.03, seed=20),
    Brief("sparse ambient, no drums", bpm=60, key="E", scale="major", time_signature=6, duration=5, seed=21),
]


@pytest.fixture(scope="module", params=BRIEFS, ids=lambda b: f"{b.tags[:12]}-{b.time_signature}")
def made(request: pytest.FixtureRequest) -> tuple[Brief, Take]:
    brief: Brief = request.param
    return brief, make_take(brief)


def test_a_take_is_as_asked(made: tuple[Brief, Take], listen: Callable[[bytes], Any]) -> None:
    brief, take = made
    heard = listen(take.mp3)
    assert heard.rate == 48_000
    assert heard.seconds == pytest.approx(brief.duration, abs=0.05)
    assert take.duration == pytest.approx(heard.seconds, abs=1e-6)
    assert pyloudnorm.Meter(heard.rate).integrated_loudness(heard.sound) == pytest.approx(-14.0, abs=0.3)
    assert heard.true_peak() <= -1.0

    levels = heard.levels()
    silence = "".join("s" if level < -60 else "." for level in levels[:-10])
    assert "s" * 40 not in silence, "two seconds of silence"
    assert levels[-1] < -50, "the last 50 ms are all but gone"
    # Strings of a chord beat against one another, which may raise a step a little above the one before.
    assert (levels[-10:-1] + 0.6 > levels[-9:]).all(), "the end dies away"
    assert levels[-10] > levels[-1] + 10
    assert levels[-10:].max() < levels[:-20].max() - 6

    if brief.duration >= 10:
        ratio = heard.tempo() / brief.bpm
        assert min(abs(ratio / octave - 1) for octave in (0.5, 1, 2)) < 0.04
        assert heard.key() == (brief.key, brief.scale)


def test_a_take_brings_its_score(made: tuple[Brief, Take]) -> None:
    brief, take = made
    meta = {m.type: m for m in mido.MidiFile(file=io.BytesIO(take.midi), charset="utf-8").tracks[0]}
    assert meta["time_signature"].numerator == brief.time_signature
    assert meta["set_tempo"].tempo == round(60e6 / brief.bpm)
    assert take.title == title_for(brief.tags, brief.seed)
    understood = json.loads(json.dumps(take.understood))
    assert understood["style"] in STYLES
    assert understood["drums"] is (
        "no drums" not in brief.tags and "without" not in brief.tags and "solo" not in brief.tags
    )


def test_the_mp3_is_labelled() -> None:
    brief = Brief("грустная мелодия", bpm=75, duration=5, seed=4)
    take = make_take(brief)
    with soundfile.SoundFile(io.BytesIO(take.mp3)) as file:
        assert file.title == take.title
        assert "75 bpm" in file.comment
        assert file.frames == 5 * 48_000
    for frame in (b"TBPM\0\0\0\x03\0\0\x0375", b"\x03seed\x004", b"\x03Cm", b"prompt\0" + "грустная мелодия".encode()):
        assert frame in take.mp3[:1000]


def test_the_same_brief_is_the_same_bytes_anywhere() -> None:
    brief = Brief("house piano", bpm=120, duration=6, seed=2**70)
    code = (
        "import hashlib\nfrom finetuning.studio.music import Brief, make_take\n"
        f"take = make_take({brief!r})\n"
        "print(hashlib.sha256(take.mp3 + take.midi).hexdigest())"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = make_take(brief)
    assert fresh.stdout.strip() == hashlib.sha256(here.mp3 + here.midi).hexdigest()


def test_noise_contradictions_and_strange_letters_make_music(listen: Callable[[bytes], Any]) -> None:
    for tags in ("qz!#~ xk" * 87, "fast slow drumless drums", "悲しい\x00ピアノ\ud800", "no no no or or without"):
        take = make_take(Brief(tags[:700], duration=5, seed=1))
        assert listen(take.mp3).levels().max() > -25


def test_words_stand_in_the_mp3_with_the_moments_at_which_they_are_played() -> None:
    lyrics = "[Verse]\nRain on the window\nslowly it falls"
    take = make_take(Brief("slow piano", lyrics=lyrics, bpm=80, duration=16, scale="major", language="de", seed=3))
    assert b"ger\0[Verse]\nRain on the window" in take.mp3
    words = take.mp3[take.mp3.index(b"SYLT") :]
    places = [words.index(syllable) for syllable in (b"Rain\0", b" on\0", b" the\0", b"\nslow\0", b"ly\0", b" falls\0")]
    assert places == sorted(places)
