"""How much pieces of one style differ from seed to seed, by the measure of the adherence bench, on scores alone."""

from __future__ import annotations

import io
from itertools import combinations, pairwise

import mido
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from finetuning.studio.music import Brief
from finetuning.studio.music.bass import FIGURES
from finetuning.studio.music.comping import COMPING
from finetuning.studio.music.composer import compose
from finetuning.studio.music.drums import GROOVES
from finetuning.studio.music.hands import free, freed, ghosted, moved
from finetuning.studio.music.metre import STEPS
from finetuning.studio.music.mix import set_faders
from finetuning.studio.music.performance import perform
from finetuning.studio.music.score import write_midi
from finetuning.studio.music.styles import STYLES

from .draws import seeds_of
from .scores import Score, melodic_likeness, rhythmic_likeness, write_score

SEEDS = 20
cells = st.text("Xxog.", min_size=8, max_size=8)


@pytest.fixture(scope="module", params=["reggae", "synthwave", "lofi"])
def scores(request: pytest.FixtureRequest) -> list[Score]:
    """Twenty seeds of a style that is strict, dense or sparse."""
    return [write_score(brief) for brief in seeds_of(request.param, SEEDS)]


def test_no_two_seeds_share_their_rhythm(scores: list[Score]) -> None:
    found = [rhythmic_likeness(one, other) for one, other in combinations(scores, 2)]
    assert max(found) <= 0.9
    assert sum(found) / len(found) < 0.8


def test_no_two_seeds_share_their_melody(scores: list[Score]) -> None:
    found = [melodic_likeness(one, other) for one, other in combinations(scores, 2)]
    assert max(found) <= 0.6
    assert sum(found) / len(found) < 0.05


@pytest.mark.parametrize("style", STYLES)
def test_a_style_has_rhythms_to_choose_from(style: str) -> None:
    habit = STYLES[style]
    assert len(GROOVES[habit.groove]["beats"]) >= 3
    assert len(COMPING[habit.comping].cells) >= 3
    assert habit.bass_line in ("kick", "drive", "hold") or len(FIGURES[habit.bass_line]) >= 3


@given(st.lists(cells, min_size=2, max_size=4), st.integers(0, 2**32))
def test_hands_leave_the_beats_alone(row: list[str], seed: int) -> None:
    """Nothing appears on a beat or goes from it, accents stay, and what is written is a rhythm still."""
    for hand in (freed, ghosted, moved):
        found = hand(row, np.random.default_rng(seed))
        assert len(found) == len(row)
        for before, after in zip(row, found, strict=True):
            assert len(after) == 8
            assert set(after) <= STEPS.keys() | {"."}
            assert (before[0], before[4]) == (after[0], after[4])
            assert all(b == "X" for a, b in zip(before, after, strict=True) if a == "X")


@given(cells, st.integers(0, 2**32))
def test_a_row_that_repeats_goes_on_repeating(cell: str, seed: int) -> None:
    assert len(set(freed((cell, cell), np.random.default_rng(seed)))) == 1


def test_a_stroke_between_eighths_has_another_beside_it() -> None:
    found = {free("X.......", np.random.default_rng(seed), add=1.0) for seed in range(50)}
    assert all(cell[3] == "." and cell[5] == "." for cell in found)
    assert {cell[2] for cell in found} == {"g"}


@pytest.mark.parametrize("style", ["reggae", "trap", "rock"])
def test_every_bar_has_the_same_beat(style: str) -> None:
    """The kick of a verse is the same in all bars in five and in seven but those that end in a fill."""
    for metre in (5, 7):
        piece = compose(Brief(style, bpm=95, time_signature=metre, duration=60, seed=3))
        (drums,) = (p for p in piece.parts if p.role == "drums")
        verse = next(s for s in piece.form.sections if s.kind == "verse")
        bars = [
            {n.start - bar * metre for n in drums.notes if n.pitch == 36 and bar * metre <= n.start < (bar + 1) * metre}
            for bar in range(verse.first, verse.first + piece.form.phrase_bars - 1)
        ]
        assert all(here == there for here, there in pairwise(bars))
        assert all(0.0 in bar for bar in bars)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["orchestral", "folk", "rock"]), st.sampled_from([3, 5, 6, 7]), st.integers(0, 2**32))
def test_fast_uneven_bars_have_every_beat_trodden(style: str, metre: int, seed: int) -> None:
    piece = compose(Brief(style, bpm=150, time_signature=metre, duration=30, seed=seed))
    assert piece.form.plain
    assert not compose(Brief(style, bpm=150, duration=30, seed=seed)).form.plain
    section = next(s for s in piece.form.sections if s.kind in ("verse", "chorus"))
    # these take the drums out
    assume(not {"drop-out", "breakdown", "stop-time"} & set(piece.devices))
    struck = {n.start for p in piece.parts if p.role == "drums" for n in p.notes}
    assert {float(beat) for beat in range(section.first * metre, (section.first + section.bars) * metre)} <= struck


@pytest.mark.parametrize("style", ["rock", "metal"])
def test_power_chords_say_whether_they_are_minor(style: str) -> None:
    """The guitar itself has the third of the tonic, and of the two thirds the right one alone."""
    for scale, right, wrong in (("minor", 3, 4), ("major", 4, 3)):
        piece = compose(Brief(style, scale=scale, duration=30, seed=4))
        (chords,) = (p for p in piece.parts if p.role == "chords")
        home = [s for s in piece.spans if s.chord.root == 0]
        classes = [n.pitch % 12 for n in chords.notes for s in home if s.start <= n.start < s.end]
        assert right in classes
        assert wrong not in classes


def controllers(style: str) -> dict[str, dict[int, int]]:
    """The first setting of each controller, by part."""
    piece = compose(Brief(style, duration=12, seed=2))
    played = perform(piece)
    midi = write_midi(played, set_faders(piece, played), piece.form, "C", "minor")
    found = {}
    for track in mido.MidiFile(file=io.BytesIO(midi), charset="utf-8").tracks[1:]:
        now = 0
        first: dict[int, int] = {}
        for message in track:
            now += message.time
            if message.type == "control_change" and not now:
                first.setdefault(message.control, message.value)
        found[track.name.partition(":")[0]] = first
    assert found.keys() == {part.role for part in played}
    return found


def test_every_part_is_placed_in_the_mix_and_styles_are_mixed_otherwise() -> None:
    """Volume, pan, expression, reverb and chorus are set before the first note of every part."""
    rooms = {style: controllers(style) for style in ("rock", "ambient", "funk")}
    for parts in rooms.values():
        assert all(settings_.keys() >= {7, 10, 11, 91, 93} for settings_ in parts.values())
        assert len({settings_[10] for settings_ in parts.values()}) >= 3, "they stand beside one another"
    assert rooms["ambient"]["chords"][91] > rooms["rock"]["chords"][91] > rooms["funk"]["chords"][91]
    assert len({parts["bass"][7] for parts in rooms.values()}) > 1
    assert rooms["rock"]["chords"][93] > rooms["rock"]["drums"][93]
