"""Encoded sound, from a file or from memory, as an array."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from finetuning.errors import MeasureError, MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Sound", "bytes_of", "decode", "mono", "read_sound"]


class Sound(NamedTuple):
    """Decoded sound.

    Attributes
    ----------
    samples
        Shape (frames, channels), float32, full scale at ±1.
    rate
        Frames a second, in Hz.
    """

    samples: NDArray[np.float32]
    rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def mono(sound: Sound) -> NDArray[np.float32]:
    """Average the channels.

    Returns
    -------
    ndarray of float32, shape (frames,)
    """
    if sound.samples.shape[1] == 1:
        return sound.samples[:, 0]
    # A product with a vector of ones is several times faster than .mean() along so short an axis.
    channels = sound.samples.shape[1]
    averaged: NDArray[np.float32] = sound.samples @ np.full(channels, 1 / channels, dtype=np.float32)
    return averaged


def read_sound(source: str | os.PathLike[str] | bytes) -> Sound:
    """Decode MP3, WAV, FLAC, Ogg, or whatever else libsndfile reads.

    Parameters
    ----------
    source
        A path, or the encoded bytes themselves.

    Raises
    ------
    MeasureError
        There is no such file, it cannot be decoded, or it holds no sound.
    MissingExtraError
        soundfile is not installed.
    """
    return decode(*bytes_of(source))


def bytes_of(source: str | os.PathLike[str] | bytes) -> tuple[bytes, str]:
    """Read what is to be decoded, and say what it is called in a message.

    Raises
    ------
    MeasureError
        There is no such file, nothing in it, or `source` is neither a path nor bytes.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = "these bytes", bytes(source)
    else:
        if not isinstance(source, str | os.PathLike):
            raise MeasureError(
                f"A value of type {type(source).__name__} is no audio file.", hint="Give the path of one, or its bytes."
            )
        path = Path(source)
        name = f"'{path}'"
        if path.is_dir():
            raise MeasureError(f"{name} is a folder.", hint="Give the path of one audio file in it.")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise MeasureError(
                f"{name} cannot be opened: {error.strerror or error}.", hint="Give the path of an audio file."
            ) from error
    if not data:
        raise MeasureError(f"{name} holds nothing: 0 bytes.", hint="Download it again.")
    return data, name


def decode(data: bytes, name: str = "these bytes") -> Sound:
    """Decode encoded sound; see `read_sound`.

    Parameters
    ----------
    data
        A whole file.
    name
        What it is called in a message.

    Raises
    ------
    MeasureError
        It cannot be decoded, or holds no sound.
    MissingExtraError
        soundfile is not installed.
    """
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtraError("Reading of audio files", "studio") from error
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        raise MeasureError(
            f"{name} cannot be decoded: {reason}.",
            hint="It is damaged, or not audio in a known format (MP3, WAV, FLAC, Ogg).",
        ) from error
    if not len(samples):
        raise MeasureError(f"{name} holds no sound: 0 samples.", hint="Download it again.")
    if not np.isfinite(samples).all():
        raise MeasureError(
            f"{name} holds samples that are not numbers.", hint="It is damaged: render or download it again."
        )
    return Sound(samples, int(rate))
