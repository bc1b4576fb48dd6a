"""Pictures of sound: its waveform, and what it is made of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.audio.sound import mono, read_sound
from finetuning.audio.spectrum import magnitudes, mel_bands
from finetuning.charts.reading import seconds
from finetuning.charts.style import COLOURS, bar, beside, finish, nothing, one_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["mel_spectrogram", "waveform"]

_COLUMNS: Final = 1400  # no screen shows a chart wider
_BANDS: Final = 128
_LOWEST, _HIGHEST = 20.0, 20_000.0  # Hz: what people hear
_FLOOR: Final = -80.0  # dB
_TICKS: Final = (200, 500, 1000, 2000, 5000, 10_000, 20_000)

_Source = str | os.PathLike[str] | bytes


def waveform(source: _Source, *, ax: Axes | None = None) -> Axes:
    """Draw the waveform of a take: its peaks, and its effective value (RMS) within them.

    Parameters
    ----------
    source
        The path of an audio file (MP3, WAV, FLAC, Ogg), or its bytes.
    ax
        Where to draw.

    Returns
    -------
    Axes
        Amplitude (full scale is ±1) over minutes and seconds; all channels together.

    Raises
    ------
    MeasureError
        It cannot be decoded, or holds no sound.
    """
    sound = read_sound(source)
    ax = one_axes(ax, size=(8.0, 2.8))
    samples = sound.samples
    step = -(-len(samples) // _COLUMNS)
    starts = np.arange(0, len(samples), step)
    low = np.minimum.reduceat(samples.min(axis=1), starts)
    high = np.maximum.reduceat(samples.max(axis=1), starts)
    power = np.add.reduceat((samples.astype(np.float64) ** 2).mean(axis=1), starts)
    effective = np.sqrt(power / np.diff(np.append(starts, len(samples))))
    at = (starts + step / 2) / sound.rate
    ax.fill_between(at, low, high, step="mid", color=COLOURS[5], alpha=0.9, linewidth=0, label="peaks")
    ax.fill_between(at, -effective, effective, step="mid", color=COLOURS[0], linewidth=0, label="RMS")
    ax.set_xlim(0, sound.duration)
    ax.set_ylim(-1.05, 1.05)
    beside(ax)
    _minutes(ax)
    peak = float(np.abs(samples).max())
    loudest = f"{20 * np.log10(peak):.1f} dBFS" if peak else "silence"
    said = f"{seconds(sound.duration)}, {sound.rate / 1000:g} kHz, {_channels(samples.shape[1])}; peak {loudest}."
    return finish(ax, "Waveform", "time (min:s)", "amplitude (full scale ±1)", [said])


def mel_spectrogram(source: _Source, *, ax: Axes | None = None) -> Axes:
    """Draw how the sound of a take is spread over pitch and time.

    Parameters
    ----------
    source
        The path of an audio file (MP3, WAV, FLAC, Ogg), or its bytes.
    ax
        Where to draw. The colour bar takes a part of its room.

    Returns
    -------
    Axes
        Hz, spaced in mel (`finetuning.audio.spectrum.mel_bands`), over minutes and seconds; dB below the loudest.

    Raises
    ------
    MeasureError
        It cannot be decoded, or holds no sound.
    """
    sound = read_sound(source)
    ax = one_axes(ax, size=(8.0, 3.8))
    title, where, height = "Mel spectrogram", "time (min:s)", "frequency (Hz)"
    size = 1 << max(6, round(np.log2(sound.rate / 20)))  # 2048 at 44.1 kHz: 46 ms
    hop = max(size // 4, -(-len(sound.samples) // _COLUMNS))
    top = min(_HIGHEST, sound.rate / 2)
    bank = mel_bands(sound.rate, size, _BANDS, _LOWEST, top)
    # Energy within each band: a triangle's sum of amplitudes would favour the wide ones.
    found = [(block**2) @ bank for block in magnitudes(mono(sound), size, hop)]
    energy = np.concatenate(found) if found else np.zeros((0, _BANDS), dtype=np.float32)
    loudest = float(energy.max(initial=0.0))
    if not loudest:
        why = "silence." if len(energy) else f"{seconds(sound.duration)} of sound are too short for a spectrum."
        nothing(ax, why)
        return finish(ax, title, where, height)
    decibels = 10 * np.log10(np.maximum(energy / loudest, 10 ** (_FLOOR / 10)))
    ends = (0.0, (len(energy) * hop + size - hop) / sound.rate)
    picture = ax.imshow(
        decibels.T, origin="lower", aspect="auto", extent=(*ends, 0, _BANDS), cmap="magma", vmin=_FLOOR, vmax=0,
        interpolation="nearest",
    )  # fmt: skip
    scale = _mel(np.array([_LOWEST, top]))
    ticks = [hertz for hertz in _TICKS if hertz <= top]
    places = (_mel(np.array(ticks)) - scale[0]) / (scale[1] - scale[0]) * _BANDS
    ax.set_yticks(places, [f"{hertz:,}" for hertz in ticks])
    _minutes(ax)
    bar(ax, picture, "dB below the loudest", pad=0.02)
    frame = f"frames of {size / sound.rate * 1000:.0f} ms"
    said = f"{seconds(sound.duration)}, {sound.rate / 1000:g} kHz; {_BANDS} mel bands, {frame}."
    return finish(ax, title, where, height, [said])


def _mel(hertz: Any) -> Any:
    return 2595 * np.log10(1 + hertz / 700)


def _channels(number: int) -> str:
    return {1: "mono", 2: "stereo"}.get(number, f"{number} channels")


def _minutes(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 1.5, 2, 3, 5, 6, 10]))

    def written(value: float, _: int | None) -> str:
        minutes, rest = divmod(round(value, 3), 60)
        digits = f"{rest:06.3f}".rstrip("0").rstrip(".")
        return f"{minutes:.0f}:{digits}"

    ax.xaxis.set_major_formatter(FuncFormatter(written))
