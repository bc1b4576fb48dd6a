from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfiltfilt

from finetuning.studio.music import encode as encoding
from finetuning.studio.music.encode import decode, encode, finish
from finetuning.studio.music.master import fade_out, limit, loudness, master, true_peaks
from finetuning.studio.music.render import RATE, Sound


def stereo(mono: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Sound:
    return np.stack([mono, mono * 0.9]).astype(np.float32)


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
        done = limit(sound, gain, 0.5, true_peaks(sound))
        assert np.abs(done).max() <= 0.5 * 1.001
        assert peak(done) <= 0.5 * 1.03


def test_the_limiter_leaves_alone_what_needs_nothing() -> None:
    sound = stereo(0.1 * np.sin(2 * np.pi * 440 * TIME))
    np.testing.assert_allclose(limit(sound, 2.0, 0.9, true_peaks(sound)), 2 * sound, rtol=1e-6)


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


def test_coding_is_checked_and_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no headroom the first MP3 is over the peak; the one handed back is not."""
    monkeypatch.setattr(encoding, "HEADROOM", 0.0)
    sound = stereo(ADVERSARIES["brushes"])
    assert 20 * np.log10(peak(decode(encode(master(sound, -14.0, -1.0), {})))) > -1.0
    mp3, seconds = finish(sound, {"title": "Noise"})
    assert seconds == pytest.approx(3.0, abs=0.001)
    assert 20 * np.log10(peak(decode(mp3))) <= -1.0
    assert loudness(decode(mp3)) == pytest.approx(-14.0, abs=0.3)


def test_what_cannot_be_corrected_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "HEADROOM", -6.0)
    monkeypatch.setattr(encoding, "ATTEMPTS", 1)
    with pytest.raises(RuntimeError, match=r"after 1 attempts .* from -1\.0 dBTP; report the brief"):
        finish(stereo(ADVERSARIES["brushes"]), {})
