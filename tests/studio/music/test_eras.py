"""Eras are heard: other players, another kit, another sound. So are moods, in the sound alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finetuning.studio.music import Brief
from finetuning.studio.music import mix as mixing
from finetuning.studio.music.composer import Piece, compose
from finetuning.studio.music.eras import ERAS
from finetuning.studio.music.instruments import INSTRUMENTS, KITS, ROLES
from finetuning.studio.music.performance import perform
from finetuning.studio.music.score import write_midi

NAMES = {"fifties": "50s", "sixties": "60s", "seventies": "70s", "eighties": "80s", "nineties": "90s"}


@pytest.mark.parametrize("name", sorted(ERAS))
def test_an_era_changes_who_plays(name: str) -> None:
    era = ERAS[name]
    assert era.roles.keys() <= set(ROLES)
    assert set(era.roles.values()) <= INSTRUMENTS.keys()
    assert era.kit is None or era.kit in KITS
    piece = compose(Brief(f"{NAMES.get(name, name)} pop", duration=20))
    assert piece.understood()["era"] == name
    assert {role: piece.cast.roles[role] for role in era.roles} == era.roles
    assert piece.cast.kit == era.kit
    assert (piece.cast.kit is None) is not era.drums


def test_what_the_tags_name_goes_before_the_era() -> None:
    piece = compose(Brief("baroque pop with rhodes and drums", duration=20))
    assert piece.cast.roles["chords"] == "rhodes"
    assert piece.cast.kit is not None
    assert "harpsichord" not in compose(Brief("baroque pop without harpsichord", duration=20)).cast.roles.values()


def brightness(piece: Piece) -> float:
    """Share of the energy that lies above 4 kHz."""
    played = perform(piece)
    midi = write_midi(played, mixing.set_faders(piece, played), piece.form, piece.brief.key, piece.brief.scale)
    power = np.abs(np.fft.rfft(mixing.mix(piece, midi).mean(axis=0))) ** 2
    hertz = np.fft.rfftfreq(2 * (len(power) - 1), 1 / 48_000)
    return float(power[hertz > 4000].sum() / power.sum())


def test_old_records_are_dull_and_new_ones_bright() -> None:
    old, new = (brightness(compose(Brief(f"{era} rock", duration=6, seed=2))) for era in ("vintage", "modern"))
    assert old < 0.5 * new


@pytest.mark.parametrize("style", ["pop", "lofi"])  # with a shelf, and with a low pass
def test_a_mood_is_bright_or_dark_although_the_scale_is_given(style: str) -> None:
    piece = compose(Brief(style, scale="minor", duration=6, seed=2))
    sad, plain, happy = (
        brightness(replace(piece, heard=replace(piece.heard, mood=mood))) for mood in (-1.0, piece.heard.mood, 1.0)
    )
    assert piece.heard.mood == 0
    assert 1.2 * sad < plain < happy / 1.2
