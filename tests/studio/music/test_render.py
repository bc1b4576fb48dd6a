from __future__ import annotations

import numpy as np
import pytest

from finetuning.studio.music import Brief
from finetuning.studio.music import mix as mixing
from finetuning.studio.music.composer import compose
from finetuning.studio.music.mix import mix
from finetuning.studio.music.performance import perform
from finetuning.studio.music.score import write_midi


@pytest.mark.parametrize("tags", ["rock, dense, high energy", "techno", "sparse ambient", "solo piano"])
def test_the_mix_stays_clear_of_the_renderers_full_scale(tags: str) -> None:
    piece = compose(Brief(tags, duration=8, seed=1))
    played = perform(piece)
    midi = write_midi(played, mixing.set_faders(piece, played), piece.form, piece.brief.key, piece.brief.scale)
    sound = mix(piece, midi)
    assert sound.shape == (2, 8 * 48_000)
    assert 0.02 < np.abs(sound).max() < 0.9


def test_the_sound_check_balances_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    piece = compose(Brief("pop", duration=20, seed=1))
    played = perform(piece)
    faders = mixing.set_faders(piece, played)
    assert faders.keys() == {p.role for p in played}
    assert all(1 <= f.volume <= 127 and 0 <= f.pan <= 127 and f.reverb <= 127 for f in faders.values())
    assert faders["chords"].pan != faders["arp"].pan
    # a part too faint to be measured does not blow up the mix
    monkeypatch.setattr(mixing, "render", lambda midi: np.zeros((2, 48_000 * 60), np.float32))
    assert {f.volume for f in mixing.set_faders(piece, played).values()} == {100}
