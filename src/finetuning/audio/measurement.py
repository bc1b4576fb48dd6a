"""What a piece of sound is, measured: tempo, key, loudness, peak, silence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from finetuning.audio.loudness import integrated_loudness, silences, true_peak
from finetuning.audio.sound import mono, read_sound
from finetuning.audio.tempo import fold_tempo, tempo_of
from finetuning.audio.tonality import tonality_of
from finetuning.errors import ParameterError

if TYPE_CHECKING:
    import os

__all__ = ["Measurement", "measure"]


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
    """
    if expected_bpm is not None and not (math.isfinite(expected_bpm) and expected_bpm > 0):
        raise ParameterError(
            f"expected_bpm={expected_bpm!r} is not a tempo: a positive number of beats a minute is needed.",
            parameter="expected_bpm",
            value=expected_bpm,
            hint="Pass the bpm that was asked for, or leave it out.",
        )
    sound = read_sound(source)
    loudness = integrated_loudness(sound)
    signal = mono(sound)
    tempo = tempo_of(signal, sound.rate)
    tonality = tonality_of(signal, sound.rate)
    leading, trailing = silences(sound)
    return Measurement(
        tempo=tempo.bpm if expected_bpm is None else fold_tempo(tempo.bpm, expected_bpm),
        tempo_confidence=tempo.confidence,
        key=tonality.key,
        scale=tonality.scale,
        key_confidence=tonality.confidence,
        loudness=loudness,
        true_peak=true_peak(sound),
        duration=sound.duration,
        leading_silence=leading,
        trailing_silence=trailing,
    )
