from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finetuning.studio.music import Brief, make_take
from finetuning.studio.music import mix as mixing
from finetuning.studio.music.composer import compose
from finetuning.studio.music.mix import mix
from finetuning.studio.music.performance import perform
from finetuning.studio.music.render import soundfont
from finetuning.studio.music.score import write_midi


def test_the_soundfont_of_the_dependency_is_found() -> None:
    assert soundfont().name == "TimGM6mb.sf2"


def test_a_named_soundfont_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "mine.sf2"
    copy.symlink_to(soundfont())
    monkeypatch.setenv("FINETUNING_SOUNDFONT", str(copy))
    assert soundfont() == copy


def test_a_missing_soundfont_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FINETUNING_SOUNDFONT", str(tmp_path / "none.sf2"))
    with pytest.raises(FileNotFoundError, match=r"FINETUNING_SOUNDFONT names .*none\.sf2.*unset it"):
        make_take(Brief("pop", duration=5))


def test_what_is_no_soundfont_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "song.sf2"
    wrong.write_bytes(b"OggS" * 100)
    monkeypatch.setenv("FINETUNING_SOUNDFONT", str(wrong))
    with pytest.raises(ValueError, match="not a SoundFont 2 file"):
        make_take(Brief("pop", duration=5))


def test_without_the_dependency_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FINETUNING_SOUNDFONT", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"finetuning\[studio\]"):
        soundfont()


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
