from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finetuning import charts
from finetuning.errors import MeasureError

from .frames import caption, legend, text_of, tone, wave


def test_the_waveform_holds_peaks_and_power() -> None:
    ax = charts.waveform(tone(seconds=2.0))
    peaks, effective = (np.asarray(each.get_paths()[0].vertices)[:, 1] for each in ax.collections)
    assert np.isclose(peaks.max(), 0.5, atol=0.01)
    assert np.isclose(peaks.min(), -0.5, atol=0.01)
    assert np.isclose(effective.max(), 0.5 / np.sqrt(2), rtol=0.2)
    assert ax.get_xlim() == (0, 2)
    assert legend(ax) == ["peaks", "RMS"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (min:s)", "amplitude (full scale ±1)")
    assert caption(ax) == "2 s, 44.1 kHz, mono; peak -6.0 dBFS."


def test_a_single_click_is_not_lost_among_columns(tmp_path: Path) -> None:
    signal = np.zeros((44_100 * 60, 2))
    signal[1_234_567, 1] = -0.9
    path = tmp_path / "click.wav"
    path.write_bytes(wave(signal))
    ax = charts.waveform(path)
    assert np.isclose(np.asarray(ax.collections[0].get_paths()[0].vertices)[:, 1].min(), -0.9)
    assert "stereo" in caption(ax)
    assert ax.xaxis.get_major_formatter()(30.0) == "0:30"
    assert ax.xaxis.get_major_formatter()(61.5) == "1:01.5"


def test_silence_is_a_line_and_said_to_be() -> None:
    assert caption(charts.waveform(wave(np.zeros((500, 3))))) == "0.0113 s, 44.1 kHz, 3 channels; peak silence."
    assert text_of(charts.mel_spectrogram(wave(np.zeros(44_100))), "nothing") == "Nothing to show: silence."


@pytest.mark.parametrize("hertz", [220.0, 1000.0, 5000.0])
def test_a_tone_lies_where_its_frequency_is(hertz: float) -> None:
    ax: Any = charts.mel_spectrogram(tone(hertz))
    (picture,) = ax.images
    band = int(np.argmax(picture.get_array().mean(axis=1)))
    low, high = (2595 * np.log10(1 + each / 700) for each in (20, 20_000))
    expected = (2595 * np.log10(1 + hertz / 700) - low) / (high - low) * 128
    assert abs(band + 0.5 - expected) < 1.5
    assert picture.get_array().max() == 0
    assert picture.get_array().min() >= -80.001
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (min:s)", "frequency (Hz)")
    assert ax.figure.axes[1].get_ylabel() == "dB below the loudest"


def test_a_low_rate_shows_what_it_holds() -> None:
    ax = charts.mel_spectrogram(tone(rate=8000))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["200", "500", "1,000", "2,000"]


def test_too_short_for_a_spectrum() -> None:
    assert "too short" in text_of(charts.mel_spectrogram(tone(seconds=0.01)), "nothing")


@pytest.mark.parametrize("chart", [charts.waveform, charts.mel_spectrogram])
def test_what_is_no_sound_is_refused(chart: Any, tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="cannot be opened"):
        chart(tmp_path / "none.mp3")
    with pytest.raises(MeasureError, match="cannot be decoded"):
        chart(b"no sound at all")
