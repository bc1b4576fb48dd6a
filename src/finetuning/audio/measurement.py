"""What a piece of sound is, measured: tempo, key, loudness, peak, clipping, brightness, onsets, silence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from finetuning import settings
from finetuning.audio.loudness import clipping, integrated_loudness, silences, true_peak
from finetuning.audio.memory import Memory, digest
from finetuning.audio.onsets import onsets
from finetuning.audio.sound import bytes_of, decode, mono
from finetuning.audio.spectrum import centroid, outline
from finetuning.audio.tempo import fold_tempo, rises, tempo_from
from finetuning.audio.tonality import tonality_of
from finetuning.errors import ParameterError

if TYPE_CHECKING:
    import os

__all__ = ["MEASURES", "Measurement", "analyse", "measure", "memory"]

MEASURES: Final = 2
"""Grows whenever a measure of the same sound comes out differently: what was remembered before is measured anew."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of one piece.

    Attributes
    ----------
    tempo : float
        Beats a minute; NaN where nothing repeats, as in silence.
    tempo_confidence : float
        0 to 1.
    key : str or None
        Tonic, one of `finetuning.records.KEYS`; None where there is no pitch.
    scale : str or None
        `major` or `minor`; None with `key`.
    key_confidence : float
        0 to 1.
    loudness : float
        LUFS, gated, over the whole piece; `-inf` for silence.
    true_peak : float
        dBTP; `-inf` for digital silence.
    duration : float
        Seconds.
    leading_silence, trailing_silence : float
        Seconds below −60 dBFS at the start and at the end.
    brightness : float
        Hz: the centroid of the spectrum, weighted by magnitude over the whole piece; NaN for silence. See
        `spectrum.centroid`.
    onset_density : float
        Onsets a second of the whole piece; see `onsets.onsets`.
    clipping : float
        0 to 1: the share of samples in runs of three or more at or over full scale; see `loudness.clipping`.
    tempo_heard : float
        Beats a minute as measured, before an expected tempo halved or doubled it: with `tempo` at 120 and this at
        60, what was played may well be half of what was asked for.
    """

    tempo: float
    tempo_confidence: float
    key: str | None
    scale: str | None
    key_confidence: float
    loudness: float
    true_peak: float
    duration: float
    leading_silence: float
    trailing_silence: float
    brightness: float
    onset_density: float
    clipping: float
    tempo_heard: float

    def folded(self, expected_bpm: float | None) -> Measurement:
        """Return the measurement with its tempo halved or doubled towards the expected one; None leaves it."""
        return self if expected_bpm is None else replace(self, tempo=fold_tempo(self.tempo_heard, expected_bpm))


def measure(source: str | os.PathLike[str] | bytes, *, expected_bpm: float | None = None) -> Measurement:
    """Measure one piece of sound.

    Parameters
    ----------
    source
        Path of an audio file (MP3, WAV, FLAC, Ogg), or its bytes.
    expected_bpm
        The tempo that was asked for. A tempo and its double are often equally true of the same music: with
        this, the measured one is halved or doubled to come as near as possible to what was expected. It is
        never moved otherwise, so a service that plays 100 when asked for 120 is still found out.

    Returns
    -------
    Measurement
        Each measure is described there, with its unit; one that has no answer is NaN, None or `-inf`, with
        a confidence of 0.

    Raises
    ------
    MeasureError
        No such file, not decodable, empty, or shorter than 0.4 s.
    ParameterError
        `expected_bpm` is not a positive number.
    MissingExtraError
        The parts that read and meter sound are not installed.

    Notes
    -----
    What was measured is remembered by its content, in the user's data folder too: the same bytes, under whatever
    name, cost a hash the next time.
    """
    if expected_bpm is not None and not (math.isfinite(expected_bpm) and expected_bpm > 0):
        raise ParameterError(
            f"expected_bpm={expected_bpm!r} is not a tempo: a positive number of beats a minute is needed.",
            parameter="expected_bpm",
            value=expected_bpm,
            hint="Pass the bpm that was asked for, or leave it out.",
        )
    data, name = bytes_of(source)
    key, known = digest(data), memory()
    found = known.get([key]).get(key)
    if found is None:
        found = analyse(data, name)
        known.put({key: found})
    return found.folded(expected_bpm)


def memory() -> Memory[Measurement]:
    """Return what this user's measurements are remembered in."""
    return Memory.at(settings.data_dir() / "measurements.sqlite3", MEASURES, Measurement)


def analyse(data: bytes, name: str = "these bytes") -> Measurement:
    """Measure encoded sound, whatever is remembered; see `measure`.

    A function of nothing but its arguments, which any process and any machine can carry out.

    Raises
    ------
    MeasureError, MissingExtraError
        As for `measure`.
    """
    sound = decode(data, name)
    loudness = integrated_loudness(sound)
    signal = mono(sound)
    seen = outline(signal, sound.rate)
    strength = rises(seen)
    tempo = tempo_from(strength, seen.fps)
    tonality = tonality_of(signal, sound.rate)
    leading, trailing = silences(sound)
    return Measurement(
        tempo=tempo.bpm,
        tempo_confidence=tempo.confidence,
        key=tonality.key,
        scale=tonality.scale,
        key_confidence=tonality.confidence,
        loudness=loudness,
        true_peak=true_peak(sound),
        duration=sound.duration,
        leading_silence=leading,
        trailing_silence=trailing,
        brightness=centroid(seen.total, sound.rate),
        onset_density=len(onsets(strength, seen.fps)) / sound.duration,
        clipping=clipping(sound),
        tempo_heard=tempo.bpm,
    )
