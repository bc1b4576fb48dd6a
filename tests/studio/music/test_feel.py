"""Half time and double time, and swing that tempo evens out: how a groove feels as the tempo is swept."""

from __future__ import annotations

import io
from statistics import mean

import mido
import pytest

from finetuning.studio.music import Brief
from finetuning.studio.music.composer import Piece, compose
from finetuning.studio.music.drums import DRUMS
from finetuning.studio.music.metre import GROUPS, bar_hits, group_starts, paced_hits
from finetuning.studio.music.performance import perform
from finetuning.studio.music.score import Fader, write_midi
from finetuning.studio.music.styles import STYLES, Style

BACKBEAT = {DRUMS[v] for v in ("snare", "clap", "rim")}
FELT = sorted(name for name, style in STYLES.items() if style.half or style.double)
BEATEN = [name for name in FELT if name not in ("ambient", "orchestral", "cinematic")]
"""Styles with a backbeat."""


def strokes(piece: Piece) -> tuple[float, dict[int, list[float]]]:
    """Tempo of the MIDI, and the beats on which each drum is struck before the close."""
    played = perform(piece)
    faders = {p.role: Fader(100, 64, 40, 0) for p in played}
    file = mido.MidiFile(file=io.BytesIO(write_midi(played, faders, piece.form, "C", "minor")))
    (tempo,) = (m.tempo for m in file.tracks[0] if m.type == "set_tempo")
    found: dict[int, list[float]] = {}
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity and message.channel == 9:
                found.setdefault(message.note, []).append(now / 480)
    end = piece.form.close - 0.1
    return 60e6 / tempo, {note: [b for b in beats if b < end] for note, beats in found.items()}


def loud(brief: Brief) -> float:
    """Kicks and backbeats a second, in verses and choruses but for their last bars, which have fills."""
    piece = compose(brief)
    form = piece.form
    bars = {
        bar
        for s in form.sections
        if s.kind in ("verse", "chorus")
        for bar in range(s.first, s.first + s.bars)
        if (bar - s.first) % form.phrase_bars + 1 < form.phrase_bars
    }
    tempo, drums = strokes(piece)
    assert tempo == pytest.approx(brief.bpm, rel=1e-4), "the beat stays what was asked for"
    # the clock of a human kit is a hundredth of a beat off at most
    hits = sum((b + 0.02) // form.metre in bars for note in (DRUMS["kick"], *BACKBEAT) for b in drums.get(note, []))
    return hits / (len(bars) * form.metre * 60 / tempo)


def test_many_styles_change_their_feel() -> None:
    assert len(FELT) >= 15
    for name in ("trap", "drum and bass", "hip hop", "lofi", "metal"):
        assert name in FELT


@pytest.mark.parametrize(
    ("style", "metre"),
    [*((style, 4) for style in BEATEN), ("trap", 7), ("drum and bass", 7), ("rock", 7), ("house", 5)],
)
def test_a_sweep_over_tempo_keeps_the_density_bounded(style: str, metre: int) -> None:
    """Over 60 to 200 bpm, 3.3 times as fast, no style strikes even 2.8 times as much a second."""
    density = [
        loud(Brief(style, bpm=bpm, time_signature=metre, duration=60, seed=5)) for bpm in (60, 90, 120, 150, 200)
    ]
    # kick, snare, clap and rim each count, and a train beat is all snare
    assert min(density) > 0.15
    assert max(density) < 14
    assert max(density) / min(density) < 2.8


def backbeats(style: str, bpm: int) -> float:
    """Backbeats a bar of the first verse, where fills play no part."""
    piece = compose(Brief(style, bpm=bpm, duration=100, seed=6))
    verse = next(s for s in piece.form.sections if s.kind in ("verse", "chorus") and s.bars >= 3)
    drums = next(p for p in piece.parts if p.role == "drums")
    bars = [
        sum(n.pitch in BACKBEAT and n.force > 0.5 and n.start // 4 == bar for n in drums.notes)
        for bar in range(verse.first, verse.first + 3)
    ]
    return mean(bars)


@pytest.mark.parametrize("style", ["trap", "hip hop", "rock", "metal", "house", "synthwave"])
def test_above_its_bound_a_style_plays_half_time(style: str) -> None:
    bound = int(STYLES[style].half)
    assert backbeats(style, bound) >= 1.5 * backbeats(style, bound + 1)
    assert compose(Brief(style, bpm=bound)).understood()["feel"] == "straight"
    assert compose(Brief(style, bpm=bound + 1)).understood()["feel"] == "half time"


@pytest.mark.parametrize("style", ["drum and bass", "metal", "techno", "house", "country"])
def test_below_its_bound_a_style_plays_double_time(style: str) -> None:
    bound = int(STYLES[style].double)
    slow, fast = (
        strokes(compose(Brief(style, bpm=bpm, duration=60, seed=6)))[1][DRUMS["kick"]] for bpm in (bound - 1, bound)
    )
    assert len(slow) > 1.4 * len(fast)
    assert compose(Brief(style, bpm=bound - 1)).understood()["feel"] == "double time"


@pytest.mark.parametrize("metre", sorted(GROUPS))
def test_paces_stay_within_the_bar(metre: int) -> None:
    cells = ("X.x.x.xo", "x..gX..g")
    for bar in range(4):
        for pace in (0.5, 1.0, 2.0):
            hits = paced_hits(cells, metre, bar, pace)
            places = [place for place, _ in hits]
            assert places == sorted(set(places))
            assert all(0 <= place < metre for place in places)
        assert paced_hits(cells, metre, bar, 1.0) == bar_hits(cells, metre, bar)


def test_half_time_puts_one_backbeat_into_a_bar() -> None:
    cells = ("....X...", "....X...")
    assert [paced_hits(cells, metre, 0, 0.5) for metre in (3, 4, 5, 6, 7)] == [
        ((float(turn), 1.0),) for turn in (2, 2, 3, 3, 4)
    ]
    assert [paced_hits(cells, 2, bar, 0.5) for bar in range(4)] == [(), ((0.0, 1.0),), (), ((0.0, 1.0),)]
    assert [place for place, _ in paced_hits(("x...x...",) * 2, 7, 0, 0.5)] == [0, 2, 4, 6]


@pytest.mark.parametrize("metre", sorted(GROUPS))
def test_double_time_begins_every_group_with_the_first_cell(metre: int) -> None:
    hits = dict(paced_hits(("X.......", "....X..."), metre, 0, 2.0))
    assert {float(s) for s in group_starts(metre)} <= hits.keys()
    assert len(hits) == metre


def test_swing_grows_less_as_the_tempo_rises() -> None:
    style = STYLES["swing"]
    amounts = [style.swung(bpm) for bpm in range(80, 201, 10)]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[0] == style.swing > 2 * amounts[-1] * 0.9 > 0
    assert Style.swung(STYLES["techno"], 130) == 0


def off_beats(bpm: int) -> float:
    """How late after the beat the off-beats of a ride cymbal fall, in beats."""
    _, drums = strokes(compose(Brief("swing", bpm=bpm, duration=30, seed=1)))
    return mean(b % 1 for b in drums[DRUMS["ride"]] if 0.3 < b % 1 < 0.9)


def test_swing_is_heard_in_the_score() -> None:
    assert 0.62 < off_beats(100) < 0.7
    assert 0.54 < off_beats(200) < off_beats(150) < off_beats(100)
