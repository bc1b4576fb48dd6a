"""Measures of sound made here, whose tempo, key and level are known by construction."""

import io
import json
import math
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import finetuning.audio
from finetuning.audio.loudness import clipping, integrated_loudness, silences, true_peak
from finetuning.audio.measurement import measure
from finetuning.audio.onsets import onsets
from finetuning.audio.sound import Sound, mono, read_sound
from finetuning.audio.spectrum import centroid, outline
from finetuning.audio.tempo import fold_tempo, onset_strength, tempo_of
from finetuning.audio.tonality import chroma, tonality_of
from finetuning.errors import MeasureError, MissingExtraError, ParameterError
from finetuning.records import KEYS, SCALES

RATE = 22_050
Signal = NDArray[np.float32]
STEPS = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
few = settings(max_examples=15, deadline=None, derandomize=True)


def clicks(bpm: float, seconds: float = 12.0, rate: int = RATE, accents: int = 4, weak: float = 0.3) -> Signal:
    """A metronome: short bursts of noise, the first of each bar louder."""
    rng = np.random.default_rng(1)
    signal = np.zeros(int(seconds * rate), dtype=np.float32)
    burst = (rng.standard_normal(rate // 50) * np.exp(-np.arange(rate // 50) / (rate / 400))).astype(np.float32)
    for beat, start in enumerate(np.arange(0, seconds, 60 / bpm)):
        at = round(start * rate)
        part = burst[: len(signal) - at]
        signal[at : at + len(part)] += part * (weak if beat % accents else 0.5)
    return signal


def tone(midi: int, seconds: float, rate: int = RATE, cents: float = 0.0) -> Signal:
    """A note with six partials that dies away."""
    time = np.arange(int(seconds * rate)) / rate
    hertz = 440 * 2 ** ((midi - 69 + cents / 100) / 12)
    partials = sum(np.sin(2 * np.pi * hertz * n * time) / n**1.5 for n in range(1, 7) if hertz * n < rate / 2)
    note: Signal = (partials * np.exp(-time / seconds) * 0.1).astype(np.float32)
    return note


def chords(key: str, scale: str, seconds_each: float = 0.6, cents: float = 0.0, rate: int = RATE) -> Signal:
    """I IV V I twice, over a bass, in one key. The minor has its leading note."""
    tonic, steps = 48 + KEYS.index(key), STEPS[scale]
    out = []
    for degree in (0, 3, 4, 0, 5, 3, 4, 0):
        notes = [steps[(degree + third) % 7] + 12 * ((degree + third) // 7) for third in (0, 2, 4)]
        if scale == "minor" and degree == 4:
            notes[1] += 1
        out.append(
            sum(tone(tonic + 12 + note, seconds_each, rate, cents) for note in notes)
            + tone(tonic + notes[0] - 12, seconds_each, rate, cents)
        )
    return np.concatenate(out)


def encoded(signal: NDArray[Any], rate: int = RATE, format: str = "WAV", subtype: str | None = None) -> bytes:  # noqa: A002 - soundfile's name
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format=format, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("bpm", [60, 72.5, 85, 90, 97, 110, 120, 133, 140, 155, 168, 180, 200])
def test_a_metronome_is_measured_within_one_percent(bpm: float) -> None:
    tempo = tempo_of(clicks(bpm), RATE)
    assert abs(fold_tempo(tempo.bpm, bpm) / bpm - 1) < 0.01
    assert tempo.confidence > 0.7


@pytest.mark.parametrize("bpm", [85, 100, 120, 140])
def test_common_tempi_need_no_folding(bpm: float) -> None:
    assert tempo_of(clicks(bpm), RATE).bpm == pytest.approx(bpm, rel=0.01)


def test_a_longer_piece_is_measured_more_precisely() -> None:
    assert tempo_of(clicks(103.7, seconds=30.0), RATE).bpm == pytest.approx(103.7, rel=0.0005)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_the_sampling_rate_does_not_matter(rate: int) -> None:
    assert tempo_of(clicks(96, rate=rate), rate).bpm == pytest.approx(96, rel=0.01)
    found = tonality_of(chords("G", "minor", rate=rate), rate)
    assert (found.key, found.scale) == ("G", "minor")


@few
@given(gain=st.floats(0.001, 1.0), lead=st.floats(0, 0.4))
def test_neither_level_nor_offset_changes_the_tempo(gain: float, lead: float) -> None:
    signal = np.concatenate([np.zeros(int(lead * RATE), dtype=np.float32), clicks(104) * np.float32(gain)])
    assert tempo_of(signal, RATE).bpm == pytest.approx(104, rel=0.01)


@pytest.mark.parametrize("bpm", [70, 96, 120])
@pytest.mark.parametrize("divided", [2, 3, 4])
def test_divided_beats_are_heard_as_beats(bpm: float, divided: int) -> None:
    signal = clicks(bpm * divided, seconds=15.0, accents=divided, weak=0.3 if divided != 3 else 0.03)
    found = tempo_of(signal, RATE).bpm
    assert fold_tempo(found, bpm) == pytest.approx(bpm, rel=0.01)


def test_noise_and_a_held_tone_have_no_confident_tempo() -> None:
    noise = np.random.default_rng(3).standard_normal(20 * RATE).astype(np.float32) * 0.1
    assert tempo_of(noise, RATE).confidence < 0.2
    held = np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE).astype(np.float32)
    assert tempo_of(held, RATE).confidence < 0.2


def test_one_clap_is_not_a_tempo() -> None:
    signal = np.concatenate([np.zeros(RATE), clicks(60, seconds=1.0), np.zeros(4 * RATE)]).astype(np.float32)
    assert tempo_of(signal, RATE).confidence == 0
    assert math.isnan(tempo_of(signal, RATE).bpm)


def test_what_is_too_short_for_a_beat_has_no_tempo_but_the_rest() -> None:
    found = measure(encoded(clicks(120, seconds=1.5)))
    assert math.isnan(found.tempo)
    assert found.tempo_confidence == 0
    assert found.loudness < 0
    assert measure(encoded(clicks(120, seconds=1.5)), expected_bpm=120).tempo_confidence == 0


@pytest.mark.parametrize(
    ("bpm", "expected", "folded"), [(60, 120, 120), (170, 85, 85), (100, 120, 100), (50, 200, 200)]
)
def test_only_octaves_are_folded(bpm: float, expected: float, folded: float) -> None:
    assert fold_tempo(bpm, expected) == folded


@few
@given(bpm=st.floats(50, 220), expected=st.floats(60, 200))
def test_a_folded_tempo_is_the_nearest_octave(bpm: float, expected: float) -> None:
    folded = fold_tempo(bpm, expected)
    assert abs(math.log2(folded / expected)) <= 0.5 + 1e-9
    assert math.log2(folded / bpm) == pytest.approx(round(math.log2(folded / bpm)), abs=1e-9)


def test_expected_bpm_reaches_the_measurement() -> None:
    wav = encoded(clicks(75))
    assert measure(wav, expected_bpm=150).tempo == pytest.approx(150, rel=0.01)
    assert measure(wav, expected_bpm=75).tempo == pytest.approx(75, rel=0.01)


@pytest.mark.parametrize("wrong", [0, -120, math.nan, math.inf])
def test_an_expected_tempo_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ParameterError, match="positive number") as caught:
        measure(b"never read", expected_bpm=wrong)
    assert caught.value.parameter == "expected_bpm"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_found(key: str, scale: str) -> None:
    found = tonality_of(chords(key, scale), RATE)
    assert (found.key, found.scale) == (key, scale)
    assert 0 < found.confidence <= 1


@pytest.mark.parametrize("cents", [-35, -20, 20, 35])
def test_another_tuning_is_the_same_key(cents: float) -> None:
    found = tonality_of(chords("D", "major", cents=cents), RATE)
    assert (found.key, found.scale) == ("D", "major")


def test_chroma_names_the_notes() -> None:
    shares = chroma(tone(60, 1.0) + tone(64, 1.0), RATE)
    assert shares.sum() == pytest.approx(1)
    assert {KEYS[i] for i in np.argsort(shares)[-2:]} == {"C", "E"}


def test_noise_has_hardly_a_key() -> None:
    noise = np.random.default_rng(3).standard_normal(10 * RATE).astype(np.float32) * 0.1
    assert tonality_of(noise, RATE).confidence < 0.3


def test_loudness_of_the_reference_tone() -> None:
    # BS.1770-4: a 0 dBFS sine of 997 Hz in one channel reads -3.01 LKFS; the same in two is 3.01 LU louder.
    time = np.arange(5 * 48_000) / 48_000
    sine = (np.sin(2 * np.pi * 997 * time) * 10 ** (-20 / 20)).astype(np.float32)[:, None]
    assert integrated_loudness(Sound(sine, 48_000)) == pytest.approx(-23.01, abs=0.1)
    assert integrated_loudness(Sound(np.repeat(sine, 2, axis=1), 48_000)) == pytest.approx(-20.0, abs=0.1)


@few
@given(gain=st.floats(-30, 0))
def test_loudness_and_peak_follow_the_gain(gain: float) -> None:
    factor = np.float32(10 ** (gain / 20))
    sound, softer = (Sound(clicks(120)[:, None] * g, RATE) for g in (np.float32(1), factor))
    assert integrated_loudness(softer) - integrated_loudness(sound) == pytest.approx(gain, abs=0.05)
    assert true_peak(softer) - true_peak(sound) == pytest.approx(gain, abs=0.01)


@pytest.mark.parametrize(("rate", "error"), [(44_100, 0.1), (48_000, 0.1), (96_000, 0.1)])
def test_a_peak_between_the_samples_is_seen(rate: int, error: float) -> None:
    # A quarter of the rate, sampled 45 degrees off its crests: every sample is 3.01 dB below the waveform.
    time = np.arange(rate)
    sine = 0.5 * np.sin(np.pi / 2 * time + np.pi / 4) * np.hanning(rate)
    sound = Sound(sine.astype(np.float32)[:, None], rate)
    assert 20 * np.log10(np.abs(sine).max()) == pytest.approx(-9.03, abs=0.01)
    assert true_peak(sound) == pytest.approx(-6.02, abs=error)


def test_the_peak_is_never_below_the_highest_sample_and_any_channel_counts() -> None:
    samples = np.zeros((1000, 2), dtype=np.float32)
    samples[997, 1] = -0.25
    for rate in (44_100, 96_000, 192_000):
        assert true_peak(Sound(samples, rate)) == pytest.approx(20 * math.log10(0.25), abs=1e-4)


def test_true_peak_agrees_with_an_independent_interpolation() -> None:
    rng = np.random.default_rng(5)
    spectrum = np.fft.rfft(rng.standard_normal(4096))
    spectrum[int(0.8 * len(spectrum)) :] = 0  # what is sampled well
    signal = np.fft.irfft(spectrum)
    signal /= np.abs(signal).max() * 2
    padded = np.fft.rfft(np.tile(signal, 3))
    exact = np.fft.irfft(padded, 3 * 4096 * 64)[4096 * 64 : 2 * 4096 * 64] * 64
    found = true_peak(Sound(np.tile(signal, 3).astype(np.float32)[:, None], 48_000))
    # Annex 2, attachment 1: fourfold oversampling may read low by up to 0.69 dB.
    assert -0.69 < found - 20 * math.log10(np.abs(exact).max()) < 0.05


@pytest.mark.parametrize("hertz", [220.0, 1000.0, 4000.0])
@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_the_brightness_of_a_tone_is_its_frequency(hertz: float, rate: int) -> None:
    tone_ = (0.5 * np.sin(2 * np.pi * hertz * np.arange(2 * rate) / rate)).astype(np.float32)
    assert centroid(outline(tone_, rate).total, rate) == pytest.approx(hertz, rel=0.03)
    # Of two tones the centre lies where the louder pulls it; what is silent pulls nowhere.
    both = tone_ + (0.25 * np.sin(2 * np.pi * 2 * hertz * np.arange(2 * rate) / rate)).astype(np.float32)
    padded = np.concatenate([both, np.zeros(3 * rate, dtype=np.float32)])
    assert centroid(outline(padded, rate).total, rate) == pytest.approx(hertz * 4 / 3, rel=0.04)


def test_noise_is_brighter_than_music_and_silence_is_nothing() -> None:
    noise = np.random.default_rng(3).standard_normal(5 * RATE).astype(np.float32) * 0.1
    assert centroid(outline(noise, RATE).total, RATE) == pytest.approx(RATE / 4, rel=0.02)
    assert centroid(outline(chords("C", "major"), RATE).total, RATE) < RATE / 8
    assert math.isnan(measure(encoded(np.zeros(RATE))).brightness)
    assert math.isnan(centroid(outline(noise[:10], RATE).total, RATE))


@few
@given(bpm=st.integers(60, 400), gain=st.floats(0.01, 1.0))
def test_each_click_is_an_onset(bpm: int, gain: float) -> None:
    signal = clicks(bpm, seconds=10.0, weak=0.5) * np.float32(gain)
    found = onsets(*onset_strength(np.concatenate([np.zeros(RATE // 2, dtype=np.float32), signal]), RATE))
    expected = 0.5 + np.arange(0, 10.0, 60 / bpm)
    assert len(found) == pytest.approx(len(expected), abs=1)
    assert all(np.abs(expected - moment).min() < 0.03 for moment in found)


def test_what_holds_on_has_no_onsets() -> None:
    held = np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE).astype(np.float32)
    assert len(onsets(*onset_strength(held, RATE))) <= 1
    assert measure(encoded(np.zeros(RATE))).onset_density == 0
    assert len(onsets(np.zeros(0), 100.0)) == 0
    assert measure(encoded(clicks(120, seconds=10.0, weak=0.5))).onset_density == pytest.approx(2.0, abs=0.15)


def test_clipping_is_the_share_of_samples_in_runs_at_full_scale() -> None:
    samples = np.zeros((1000, 2), dtype=np.float32)
    assert clipping(Sound(samples, RATE)) == 0
    samples[100:102, 0] = 1.0  # a peak, which is two samples long
    samples[300, 1] = -1.2
    assert clipping(Sound(samples, RATE)) == 0
    samples[500:505, 0] = -1.0
    samples[700:703, 1] = [1.0, 1.3, 1.0]  # as a coder may have it
    samples[997:1000, 1] = 1.0
    assert clipping(Sound(samples, RATE)) == pytest.approx(11 / 2000)


@few
@given(gain=st.floats(1.2, 8.0))
def test_the_louder_over_full_scale_the_more_is_clipped(gain: float) -> None:
    wave = np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)
    cut = np.clip(wave * gain, -1, 1)
    share = 1 - 2 / np.pi * math.asin(1 / gain)  # of a sine, by its arc
    assert measure(encoded(cut, subtype="FLOAT")).clipping == pytest.approx(share, abs=0.03)
    assert measure(encoded(wave * 0.99, subtype="FLOAT")).clipping == 0


def test_what_was_clipped_before_it_was_coded_is_still_seen() -> None:
    loud = np.clip(np.concatenate([chords("C", "major")] * 2) * 12, -1, 1)
    assert measure(encoded(loud, format="MP3")).clipping > 0.001


def test_half_of_what_was_asked_for_can_be_seen() -> None:
    found = measure(encoded(clicks(75)), expected_bpm=150)
    assert found.tempo == pytest.approx(150, rel=0.01)
    assert found.tempo_heard == pytest.approx(75, rel=0.01)
    assert measure(encoded(clicks(75))).tempo == found.tempo_heard


def test_silence_at_either_end_is_timed() -> None:
    body = clicks(120, seconds=3.0)
    samples = np.concatenate([np.zeros(RATE // 2), body, np.zeros(RATE)]).astype(np.float32)
    leading, trailing = silences(Sound(samples[:, None], RATE))
    assert leading == pytest.approx(0.5, abs=0.001)
    assert trailing == pytest.approx(1.0 + 0.5 - 0.02, abs=0.01)  # from the end of the last click


def test_silence_is_measured_as_silence() -> None:
    found = measure(encoded(np.zeros(5 * RATE)))
    assert math.isnan(found.tempo)
    assert found.tempo_confidence == found.key_confidence == 0
    assert found.key is found.scale is None
    assert found.loudness == found.true_peak == -math.inf
    assert found.leading_silence == found.trailing_silence == found.duration == 5.0


def test_hiss_below_the_gate_has_no_loudness_but_a_peak() -> None:
    hiss = np.random.default_rng(1).standard_normal(5 * RATE) * 1e-5
    found = measure(encoded(hiss, subtype="FLOAT"))
    assert found.loudness == -math.inf
    assert -100 < found.true_peak < -60


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_formats_agree(format: str, tmp_path: Path) -> None:  # noqa: A002
    signal = np.concatenate([chords("A", "minor"), chords("A", "minor")])
    signal += clicks(100, seconds=len(signal) / RATE) * np.float32(0.2)
    stereo = np.stack([signal, signal * 0.5], axis=1)
    path = tmp_path / f"take.{format.lower()}"
    path.write_bytes(encoded(stereo, format=format))
    found = measure(path)
    assert found == measure(str(path)) == measure(path.read_bytes())
    assert (found.key, found.scale) == ("A", "minor")
    assert found.duration == pytest.approx(len(signal) / RATE, abs=0.001)
    assert found.true_peak == pytest.approx(measure(encoded(stereo)).true_peak, abs=0.5)
    assert found.loudness == pytest.approx(measure(encoded(stereo)).loudness, abs=0.3)


def test_mono_is_the_mean_of_the_channels() -> None:
    samples = np.array([[1.0, 0.0], [0.5, -0.5]], dtype=np.float32)
    assert mono(Sound(samples, RATE)).tolist() == [0.5, 0.0]
    assert mono(Sound(samples[:, :1], RATE)).tolist() == [1.0, 0.5]


def test_a_measurement_travels() -> None:
    found = measure(encoded(clicks(120)))
    assert json.loads(msgspec.json.encode(found))["tempo"] == found.tempo
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError):
        found.tempo = 1.0  # type: ignore[misc]


def refusal(source: Any) -> str:
    with pytest.raises(MeasureError) as caught:
        measure(source)
    assert caught.value.hint
    return caught.value.message


def test_files_that_cannot_be_measured_say_why(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "gone.mp3")
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "empty.mp3").touch()
    assert "0 bytes" in refusal(tmp_path / "empty.mp3")
    (tmp_path / "page.mp3").write_text("<!doctype html><title>Not found</title>" * 50)
    assert "page.mp3' cannot be decoded" in refusal(str(tmp_path / "page.mp3"))


def test_bytes_that_cannot_be_measured_say_why() -> None:
    assert "0 bytes" in refusal(b"")
    assert "of type NoneType is no audio file" in refusal(None)
    assert "of type int is no audio file" in refusal(3)
    assert "these bytes cannot be decoded" in refusal(b"\x00" * 4096)
    assert "0 samples" in refusal(encoded(np.zeros(0)))
    assert "too short" in refusal(encoded(clicks(120, seconds=0.3)))
    assert "6 channels" in refusal(encoded(np.zeros((RATE, 6))))
    broken = encoded(np.full(RATE, math.nan), subtype="FLOAT")
    assert "not numbers" in refusal(broken)


@few
@given(cut=st.floats(0.0, 0.999), flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=20))
def test_damaged_mp3_is_measured_or_refused_never_a_crash(cut: float, flips: list[tuple[float, int]]) -> None:
    data = bytearray(encoded(clicks(120, seconds=4.0), format="MP3"))
    for where, value in flips:
        data[int(where * len(data))] = value
    try:
        found = measure(bytes(data[: int(cut * len(data))]))
    except MeasureError:
        return
    assert 0.4 <= found.duration <= 60


def test_a_wav_header_that_lies_about_its_length_is_no_trap() -> None:
    data = bytearray(encoded(clicks(120, seconds=2.0)))
    data[40:44] = struct.pack("<I", 0x7FFFFFFF)
    assert measure(bytes(data)).duration == pytest.approx(2.0)


def test_the_package_exports_lazily() -> None:
    assert finetuning.audio.measure is measure
    assert all(hasattr(finetuning.audio, name) for name in finetuning.audio.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = finetuning.audio.nothing
    code = (
        "import sys, finetuning.audio; assert not {'numpy', 'soundfile', 'ipywidgets', 'anywidget'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("missing", "what"), [("soundfile", "Reading of audio files"), ("pyloudnorm", "The loudness meter")]
)
def test_a_missing_extra_is_named_with_its_command(missing: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wav = encoded(clicks(120, seconds=1.0))
    monkeypatch.setitem(sys.modules, missing, None)  # as on a machine without it
    with pytest.raises(MissingExtraError, match=what) as caught:
        measure(wav)
    assert "pip install 'finetuning[studio]'" in str(caught.value)


def test_what_is_shorter_than_a_frame_has_no_measure() -> None:
    signal = clicks(120, seconds=0.02)
    assert onset_strength(signal, RATE)[0].size == 0
    assert not chroma(signal[:100], RATE).any()


@pytest.mark.parametrize("seconds", [3.1, 4.0, 5.0, 8.0])
def test_short_pieces_have_a_tempo_too(seconds: float) -> None:
    assert fold_tempo(tempo_of(clicks(100, seconds=seconds), RATE).bpm, 100) == pytest.approx(100, rel=0.02)


def test_reading_keeps_full_scale_and_rate() -> None:
    sound = read_sound(encoded(np.array([0.0, 0.5, -1.0] * 100)))
    assert sound.rate == RATE
    assert sound.samples.dtype == np.float32
    assert sound.samples[:3, 0].tolist() == pytest.approx([0.0, 0.5, -1.0], abs=1e-4)
