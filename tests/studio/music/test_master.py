from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, resample_poly, sosfiltfilt

from finetuning.studio.music import encode as encoding
from finetuning.studio.music.encode import decode, encode, finish, with_length
from finetuning.studio.music.master import (
    BLOCK,
    amplify,
    control,
    fade_out,
    gated,
    loudness,
    master,
    powers,
    true_peaks,
)
from finetuning.studio.music.render import RATE, Sound


def stereo(mono: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Sound:
    return np.stack([mono, mono * 0.9]).astype(np.float32)


def limit(sound: Sound, gain: float, ceiling: float) -> Sound:
    return amplify(sound, control(gain, ceiling, true_peaks(sound)))


def coded(sound: Sound) -> Sound:
    return decode(with_length(encode(sound), sound.shape[1]))


def peak(sound: Sound) -> float:
    return float(np.abs(resample_poly(sound, 4, 1, axis=1)).max())


TIME = np.arange(3 * RATE) / RATE
NOISE = sosfiltfilt(butter(8, 16_000, fs=RATE, output="sos"), np.random.default_rng(7).normal(0, 0.1, len(TIME)))
CLICKS = np.where(np.arange(len(TIME)) % 7001 == 0, 1.0, 0.0)
ADVERSARIES = {
    "noise": NOISE,
    "clicks": CLICKS + 0.05 * NOISE,
    "between samples": np.sin(2 * np.pi * RATE / 4 * TIME + np.pi / 4),  # true peak 3 dB above the samples
    "steps": np.sign(np.sin(2 * np.pi * 55 * TIME)),
    "bursts": NOISE * (np.sin(2 * np.pi * 2 * TIME) > 0.95) * 8 + 0.01 * NOISE,
    "plucks": np.sin(2 * np.pi * 220 * TIME) * np.exp(-8 * (TIME % 0.5)),
    "brushes": NOISE * np.exp(-25 * (TIME % 0.25)),
    "last sample": np.concatenate([0.05 * NOISE[:-1], [1.0]]),
}


@pytest.mark.parametrize("name", ADVERSARIES)
def test_the_limiter_holds_its_ceiling(name: str) -> None:
    sound = stereo(ADVERSARIES[name])
    for gain in (1.0, 4.0, 30.0):
        done = limit(sound, gain, 0.5)
        assert np.abs(done).max() <= 0.5 * 1.001
        assert peak(done) <= 0.5 * 1.03


def test_the_limiter_leaves_alone_what_needs_nothing() -> None:
    sound = stereo(0.1 * np.sin(2 * np.pi * 440 * TIME))
    np.testing.assert_allclose(limit(sound, 2.0, 0.9), 2 * sound, rtol=1e-6)


def test_true_peaks_lie_between_samples() -> None:
    sound = stereo(ADVERSARIES["between samples"])
    assert np.abs(sound).max() < 0.72
    assert true_peaks(sound)[10:-10].max() == pytest.approx(1.0, abs=0.03)


def test_a_floor_spares_work_and_misses_nothing() -> None:
    sound = stereo(ADVERSARIES["bursts"])
    full, spared = true_peaks(sound), true_peaks(sound, floor=0.5)
    np.testing.assert_array_equal(full[full >= 0.5], spared[full >= 0.5])
    assert (spared <= full + 1e-9).all()


@pytest.mark.parametrize("name", ["noise", "steps", "plucks"])
def test_the_master_reaches_its_loudness(name: str) -> None:
    done = master(stereo(ADVERSARIES[name]), -14.0, -2.0)
    assert loudness(done) == pytest.approx(-14.0, abs=0.2)
    assert 20 * np.log10(peak(done)) <= -1.7


def test_silence_cannot_be_mastered() -> None:
    with pytest.raises(ValueError, match="silent"):
        master(np.zeros((2, RATE), np.float32), -14.0, -1.0)


def test_the_end_fades() -> None:
    done = fade_out(np.ones((2, RATE), np.float32), 0.5)
    assert (done[:, : RATE // 2] == 1).all()
    assert (np.diff(done[0, RATE // 2 :]) <= 0).all()
    assert done[0, -1] == pytest.approx(0.0, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(5, 80), st.floats(0.001, 0.5))
def test_the_reckoned_loudness_is_the_measured_one(seed: int, tenths: int, level: float) -> None:
    stream = np.random.default_rng(seed)
    # in whole tenths of a second: the standard leaves out what is left of the last window, the other meter does not
    sound = stream.normal(0, level, (2, tenths * RATE // 10))
    # loud and silent stretches, so that the gates have something to do
    sound *= np.repeat(stream.choice([0.0, 0.03, 0.3, 1.0], 9), sound.shape[1] // 9 + 1)[: sound.shape[1]]
    sound[:, : RATE // 10] += level
    measured = loudness(sound.astype(np.float32))
    reckoned = gated(powers(sound.astype(np.float32)))
    assert reckoned == pytest.approx(measured, abs=0.15)


@pytest.mark.parametrize("name", ADVERSARIES)
def test_the_loudness_behind_the_limiter_is_reckoned_before_it(name: str) -> None:
    sound = stereo(ADVERSARIES[name])
    curve = control(4.0, 0.5, true_peaks(sound))
    energy = powers(sound) * curve * curve
    assert gated(energy) == pytest.approx(loudness(amplify(sound, curve)), abs=0.15)


def test_coding_is_checked_and_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With little headroom the first MP3 is over the peak; the one handed back is not, and was not coded anew."""
    monkeypatch.setattr(encoding, "HEADROOM", 0.3)
    monkeypatch.setattr(encoding, "ATTEMPTS", 1)
    sound = stereo(ADVERSARIES["brushes"])
    first = coded(master(sound, -14.0, -1.3))
    assert 20 * np.log10(peak(first)) > -1.0
    mp3, seconds = finish(sound, b"")
    heard = decode(mp3)
    assert seconds == pytest.approx(3.0, abs=1e-9)
    assert 20 * np.log10(peak(heard)) <= -1.0
    assert loudness(heard) == pytest.approx(-14.0, abs=0.3)
    # most of the sound is the very same
    blocks = slice(0, sound.shape[1] // BLOCK * BLOCK)
    same = (first[:, blocks] == heard[:, blocks]).reshape(2, -1, BLOCK).all(axis=(0, 2))
    assert 0.3 < same.mean() < 1


def test_what_turning_down_cannot_mend_is_mastered_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "HEADROOM", -1.0)
    monkeypatch.setattr(encoding, "TRIMS", 0)
    monkeypatch.setattr(encoding, "ATTEMPTS", 12)
    mp3, _ = finish(stereo(ADVERSARIES["brushes"]), b"")
    assert 20 * np.log10(peak(decode(mp3))) <= -1.0
    assert loudness(decode(mp3)) == pytest.approx(-14.0, abs=0.3)


def test_what_cannot_be_corrected_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "HEADROOM", -6.0)
    monkeypatch.setattr(encoding, "ATTEMPTS", 1)
    monkeypatch.setattr(encoding, "TRIMS", 0)
    with pytest.raises(RuntimeError, match=r"after 1 attempts .* from -1\.0 dBTP; report the brief"):
        finish(stereo(ADVERSARIES["brushes"]), b"")
