"""Ears that are nobody's here: Essentia hears tempo, key and timbre, pyloudnorm the loudness, of a decoded MP3.

Essentia is for the tests only: it is under the AGPL, and nothing that is installed with the package imports it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest
import soundfile
from scipy.signal import resample_poly

essentia = pytest.importorskip("essentia", reason="the oracle, essentia, has no wheel for this system")
essentia.log.infoActive = False
essentia.log.warningActive = False
import essentia.standard as es  # noqa: E402 - it prints when it is imported, unless it has been told not to

__all__ = ["FLAT", "OCTAVES", "Heard", "es", "hear", "timbre"]

Array = npt.NDArray[np.float64]

FLAT = {"Bb": "A#", "Eb": "D#", "Ab": "G#", "Db": "C#", "Gb": "F#"}
"""Essentia spells some keys with flats where the service has sharps."""

OCTAVES = (0.5, 1.0, 2.0)
SILENT = -60.0
"""dBFS below which a twentieth of a second is taken for silence."""


@dataclass(frozen=True)
class Heard:
    """What was heard in an MP3.

    Attributes
    ----------
    seconds : float
    tempi : tuple of float
        Quarter notes a minute, as two listeners hear them that share nothing: by Percival and Tzanetakis (2014),
        "Streamlined tempo estimation based on autocorrelation and cross-correlation with pulses"; and by the agreement
        of five beat trackers, Zapata, Davies and Gomez (2014), "Multi-feature beat tracking".
    key, scale : str
        By Essentia's key extractor with the profiles of Faraldo (2017) that are made for band and electronic music.
    loudness : float
        Integrated, LUFS (ITU-R BS.1770-4).
    peak : float
        True peak after fourfold oversampling, dBTP.
    clipped : int
        Samples at full scale or above.
    pause : float
        Seconds of the longest silence before the last half second.
    tail : float
        Level of the last twentieth of a second, dBFS.
    falls : bool
        Whether no twentieth of the last half second is louder than the one before by more than strings that beat
        against one another make it, 3 dB.
    """

    seconds: float
    tempi: tuple[float, float]
    key: str
    scale: str
    loudness: float
    peak: float
    clipped: int
    pause: float
    tail: float
    falls: bool

    def tempo_miss(self, bpm: float) -> float:
        """Tell how far the listener that comes nearer is from ``bpm``, half of it or twice, as a fraction."""
        return min(abs(heard / (bpm * octave) - 1) for heard in self.tempi for octave in OCTAVES)

    def is_relative(self, key: str, scale: str) -> bool:
        """Tell whether the key has the same notes as another, or is that key."""
        names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
        relative = names[(names.index(key) + (9 if scale == "major" else 3)) % 12]
        return (self.key, self.scale) in ((key, scale), (relative, "minor" if scale == "major" else "major"))


def hear(mp3: bytes) -> Heard:
    """Decode an MP3 and listen to it."""
    sound, rate = soundfile.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
    mono = np.ascontiguousarray(sound.mean(axis=1))
    slower = es.Resample(inputSampleRate=rate, outputSampleRate=44_100)(mono)
    key, scale, _ = es.KeyExtractor(sampleRate=rate, profileType="bgate")(mono)
    step = rate // 20
    steps = sound[: len(sound) // step * step].reshape(-1, step * 2).astype(np.float64)
    levels = 20 * np.log10(np.sqrt((steps**2).mean(axis=1)) + 1e-9)
    quiet = "".join("s" if level < SILENT else "." for level in levels[:-10])
    return Heard(
        seconds=len(sound) / rate,
        tempi=(float(es.PercivalBpmEstimator()(slower)), float(es.RhythmExtractor2013()(slower)[0])),
        key=FLAT.get(key, key),
        scale=scale,
        loudness=float(pyloudnorm.Meter(rate).integrated_loudness(sound)),
        peak=float(20 * np.log10(np.abs(resample_poly(sound, 4, 1, axis=0)).max())),
        clipped=int((np.abs(sound) >= 1).sum()),
        pause=max(map(len, quiet.split("."))) / 20,
        tail=float(levels[-1]),
        falls=bool((np.diff(levels[-10:]) < 3).all()),
    )


def timbre(mp3: bytes) -> Array:
    """Describe how an MP3 sounds, whatever is played: for telling styles apart.

    Returns
    -------
    ndarray of float64, shape (n,)
        Mean, deviation and mean change of thirteen mel-frequency cepstral coefficients, of twelve bands of spectral
        contrast, and of centroid, flatness and flux; onsets a second, how even they are, and how much louder loud
        stretches are than soft ones.
    """
    sound, rate = soundfile.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
    mono = np.ascontiguousarray(sound.mean(axis=1))
    window, spectrum = es.Windowing(type="hann"), es.Spectrum(size=2048)
    cepstrum = es.MFCC(sampleRate=rate, inputSize=1025, numberBands=40)
    contrast = es.SpectralContrast(sampleRate=rate, frameSize=2048)
    centroid, flatness, flux = es.Centroid(range=rate / 2), es.Flatness(), es.Flux()
    rows = []
    for frame in es.FrameGenerator(mono, frameSize=2048, hopSize=1024, startFromZero=True):
        bins = spectrum(window(frame))
        peaks, valleys = contrast(bins)
        lone = (np.log10(centroid(bins) + 1), np.log10(flatness(bins) + 1e-9), np.log10(flux(bins) + 1e-9))
        rows.append(np.concatenate([cepstrum(bins)[1], peaks, valleys, lone]))
    table = np.array(rows, np.float64)
    onsets, _ = es.OnsetRate()(es.Resample(inputSampleRate=rate, outputSampleRate=44_100)(mono))
    gaps = np.diff(onsets) if len(onsets) > 2 else np.ones(2)
    quarters = mono[: len(mono) // (rate // 4) * (rate // 4)].reshape(-1, rate // 4)
    loud = 10 * np.log10((quarters**2).mean(axis=1) + 1e-9)
    whole = (
        len(onsets) / len(mono) * rate,
        gaps.std() / gaps.mean(),
        np.percentile(loud, 95) - np.percentile(loud, 20),
    )
    return np.concatenate([table.mean(axis=0), table.std(axis=0), np.abs(np.diff(table, axis=0)).mean(axis=0), whole])
