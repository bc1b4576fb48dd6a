"""From sound to MP3, checked on what a listener's decoder will make of it."""

from __future__ import annotations

import io

import lameenc
import numpy as np
import numpy.typing as npt
import soundfile

from .master import BLOCK, gated, master, powers, true_peaks
from .mp3 import DECODER_DELAY, DELAY, GRANULE, STEP, info_frame, read_frames, turn_down
from .render import RATE, Sound

__all__ = ["LOUDNESS", "PEAK", "decode", "encode", "finish", "granules_of", "with_length"]

LOUDNESS, PEAK = -14.0, -1.0
"""What the finished MP3 must have: LUFS, and dBTP at most."""

HEADROOM, MARGIN = 0.5, 0.05
"""dB kept below the peak from the start, for what coding adds (more in one piece of forty), and for other meters."""

ATTEMPTS, TRIMS = 4, 6
"""How often it is mastered, and how often single granules of each attempt are turned down."""

TOLERANCE = 0.2
"""LU by which the loudness may miss before it is mastered anew."""

VARIABLE, QUALITY, EFFORT = 4, 2, 5
"""LAME's settings: its newer method for variable bit rates, -V 2 (some 200 kbit/s here), and -q 5."""

SPREAD = 480
"""Samples before a peak that shape it in the decoder's filter bank, whose window has 512."""


def encode(sound: Sound) -> bytes:
    """Make the frames of an MP3 of variable bit rate; ``with_length`` puts in front what tells their length."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(2)
    encoder.set_in_sample_rate(RATE)
    encoder.set_out_sample_rate(RATE)
    encoder.set_vbr(VARIABLE)
    encoder.set_vbr_quality(QUALITY)
    encoder.set_quality(EFFORT)
    held = bytearray()
    for first in range(0, sound.shape[1], RATE):
        whole = np.rint(np.clip(sound[:, first : first + RATE].T, -1.0, 1.0) * 32_767).astype("<i2")
        held += encoder.encode(whole.tobytes())
    held += encoder.flush()
    return bytes(held)


def with_length(frames: bytes, samples: int) -> bytes:
    """Put the frame in front by which decoders give back exactly so many samples."""
    return info_frame(frames, samples) + frames


def decode(mp3: bytes) -> Sound:
    """Read the sound of an MP3."""
    sound, _ = soundfile.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
    return np.ascontiguousarray(sound.T)


def granules_of(block: int) -> range:
    """Find the granules that make what is heard in a block of 32 samples: up to four, as each overlaps with the next.

    The decoder's filter bank looks back over 512 samples, and its transform over one more granule.
    """
    raw = block * BLOCK + DELAY + DECODER_DELAY
    return range(max(0, (raw - SPREAD) // GRANULE - 1), (raw + BLOCK - 1) // GRANULE + 1)


def _trimmed(frames: bytes, samples: int) -> tuple[bytes, Sound, float]:
    """Turn down granules until no peak is too high: the MP3, its sound, and by how much (dB) it is still too high.

    A coded sound whose peaks lie too high is not coded again: coding might raise others. A step down changes nothing
    but the level of a few hundredths of a second.
    """
    limit = 10 ** ((PEAK - MARGIN) / 20)
    steps = np.zeros(2 * len(read_frames(frames)), np.int64)
    for turn in range(TRIMS + 1):
        mp3 = with_length(turn_down(frames, steps.tolist()) if turn else frames, samples)
        heard = decode(mp3)
        peaks = true_peaks(heard, floor=limit)
        excess: npt.NDArray[np.float64] = 20 * np.log10(np.maximum(peaks / limit, 1e-9))
        if excess.max() <= 0 or turn == TRIMS:
            break
        more = np.zeros_like(steps)
        for block in np.flatnonzero(excess > 0):
            reach = granules_of(int(block))
            more[reach.start : reach.stop] = np.maximum(more[reach.start : reach.stop], np.ceil(excess[block] / STEP))
        steps += more
    return mp3, heard, float(excess.max())


def finish(mix: Sound, label: bytes) -> tuple[bytes, float]:
    """Master and encode a mix until the decoded MP3 keeps to loudness and peak; the MP3 and its seconds.

    Parameters
    ----------
    mix : ndarray of float32, shape (2, samples)
    label : bytes
        An ID3 tag to put in front, or none.

    Raises
    ------
    ValueError
        If the mix is silent.
    RuntimeError
        If the last of several attempts, each with a lower ceiling, still misses.
    """
    target, ceiling = LOUDNESS, PEAK - HEADROOM
    for _ in range(ATTEMPTS):
        mp3, heard, excess = _trimmed(encode(master(mix, target, ceiling)), mix.shape[1])
        miss = LOUDNESS - gated(powers(heard))
        if excess <= 0 and abs(miss) < TOLERANCE:
            return label + mp3, heard.shape[1] / RATE
        target += miss
        ceiling -= 0.5 if excess > 0 else 0.0
    raise RuntimeError(
        f"after {ATTEMPTS} attempts the MP3 is still {miss:+.2f} LU from {LOUDNESS} LUFS or its peak "
        f"{excess:+.2f} dB from {PEAK} dBTP; report the brief that made it"
    )
