"""Sweeps over key and seed: what stays and what changes, read from the performed score."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetuning.studio.music import Brief
from finetuning.studio.music.chords import voicings
from finetuning.studio.music.composer import Piece, compose
from finetuning.studio.music.eras import ERAS
from finetuning.studio.music.instruments import INSTRUMENTS
from finetuning.studio.music.performance import perform
from finetuning.studio.music.styles import STYLES
from finetuning.studio.music.theory import SCALES, tonic_offset

SWEPT = st.builds(
    Brief,
    tags=st.sampled_from([*STYLES, *(f"{era} pop" for era in ERAS), *(f"{name} only" for name in ("harp", "koto"))])
    | st.sampled_from([f"folk with {name}" for name in ("banjo", "piccolo", "bagpipe", "bassoon", "xylophone")]),
    bpm=st.integers(60, 200),
    scale=st.sampled_from(sorted(SCALES)),
    time_signature=st.integers(2, 7),
    duration=st.floats(8, 60),
    lyrics=st.sampled_from(["", "[Verse]\nla la la\n[Chorus]\nlo"]),
    seed=st.integers(0, 2**32),
)


def in_key(brief: Brief, key: str) -> Piece:
    fields = {name: getattr(brief, name) for name in brief.__dataclass_fields__}
    return compose(Brief(**{**fields, "key": key}))


@settings(max_examples=40, deadline=None)
@given(SWEPT)
def test_a_sweep_over_keys_keeps_the_piece(brief: Brief) -> None:
    """The same rhythm and contour in the furthest keys and two between, and no instrument beyond its reach."""
    plain = perform(in_key(brief, "C"))
    for key in ("G", "A", "D#", "F#"):
        for here, there in zip(plain, perform(in_key(brief, key)), strict=True):
            shift = 0 if here.role == "drums" else tonic_offset(key)
            assert [(n.start, n.length, n.pitch + shift) for n in here.notes] == [
                (n.start, n.length, n.pitch) for n in there.notes
            ]
            if there.role != "drums":
                sound = INSTRUMENTS[there.instrument]
                assert all(sound.bottom <= n.pitch <= sound.top for n in there.notes), there.instrument


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_registers_lie_within_the_reach_of_every_key(name: str) -> None:
    sound = INSTRUMENTS[name]
    assert sound.bottom <= sound.low < sound.high <= sound.top
    for low, high in ((53, 74), (50, 71), (60, 81), (sound.low, sound.high)):
        fitted = sound.register(low, high)
        assert sound.bottom + 5 <= fitted[0] < fitted[1] <= sound.top - 6


def rhythm(piece: Piece, role: str) -> set[float]:
    return {n.start for part in piece.parts if part.role == role for n in part.notes}


def melody(piece: Piece) -> set[tuple[float, int]]:
    return {(n.start, n.pitch) for part in piece.parts if part.role == "lead" for n in part.notes}


@pytest.mark.parametrize("style", STYLES)
def test_twenty_seeds_are_twenty_pieces_of_one_style(style: str) -> None:
    """Similarity of two pieces: the share of notes (place and pitch) or of places that they have in common.

    Of 190 pairs of melodies none shares more than three quarters of its notes, and on average they share less than a
    quarter.
    """
    pieces = [compose(Brief(style, seed=seed, duration=40)) for seed in range(20)]
    notes = [len(a & b) / len(a | b) for a, b in combinations([melody(p) for p in pieces], 2)]
    places = [len(a & b) / len(a | b) for a, b in combinations([rhythm(p, "lead") for p in pieces], 2)]
    assert max(notes) < 0.75
    assert sum(notes) / len(notes) < 0.25
    assert max(places) < 1
    assert sum(places) / len(places) < 0.7

    habit = STYLES[style]
    for piece in pieces:
        assert piece.heard.style == style
        for role in ("bass", "chords", "lead", *habit.steady):
            assert piece.cast.roles[role] in habit.sounds(role)
        assert piece.cast.kit in habit.kits
        first = {part.role: min(n.start for n in part.notes) for part in piece.parts}
        for role in habit.steady:
            assert first[role] < 4 * piece.form.metre, "what the style is known by does not wait"


@pytest.mark.parametrize("style", STYLES)
def test_no_voice_moves_far_between_chords(style: str) -> None:
    """From chord to chord no voice moves more than a fifth."""
    for scale in SCALES:
        for seed in range(3):
            piece = compose(Brief(style, scale=scale, seed=seed, duration=60))
            for role in piece.cast.roles.keys() & {"chords", "pad", "arp"}:
                settings_ = voicings(piece.spans, role, INSTRUMENTS[piece.cast.roles[role]])
                for before, after in pairwise(settings_):
                    assert max(min(abs(n - p) for p in before) for n in after) <= 7
                    assert abs(after[-1] - before[-1]) <= 7


@pytest.mark.parametrize("style", STYLES)
def test_layers_enter_once_and_stay(style: str) -> None:
    """Pad and broken chords, where no device takes them out, sound in every section from their entry on."""
    for seed in range(6):
        piece = compose(Brief(style, seed=seed, duration=90))
        if {"breakdown", "drop-out", "call and response", "stop-time"} & set(piece.devices):
            continue
        metre = piece.form.metre
        for part in piece.parts:
            if part.role in ("pad", "arp"):
                heard = [
                    any(s.first <= n.start / metre < s.first + s.bars for n in part.notes) for s in piece.form.sections
                ]
                assert heard == sorted(heard)
                assert heard[0] or part.role not in STYLES[style].steady
