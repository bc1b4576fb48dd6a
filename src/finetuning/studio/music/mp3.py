"""MP3 as bytes: the frames of a stream, the frame that tells its length, and its level, changed without coding anew.

Only MPEG-1 Layer III (32, 44.1 and 48 kHz) is read: it is all that the studio writes. The layout of headers and side
information is that of ISO/IEC 11172-3, 2.4.1; the info frame is Xing's with LAME's extension (Mp3 Info Tag rev 1).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["DECODER_DELAY", "DELAY", "FRAME", "GRANULE", "STEP", "Frame", "info_frame", "read_frames", "turn_down"]

FRAME, GRANULE = 1152, 576
"""Samples a channel in a frame, and in each of its two granules."""

DELAY, DECODER_DELAY = 576, 529
"""Samples that LAME puts in front of the sound, and that any decoder adds."""

STEP = 20 * 0.25 * 0.30102999566398120
"""Decibels in one step of ``global_gain``, a factor of the fourth root of two."""

KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
RATES = (44_100, 48_000, 32_000)
MONO = 3
INFO = 8 + 4 + 4 + 100 + 4 + 36
"""Bytes of the info frame after its side information."""


@dataclass(frozen=True)
class Frame:
    """One frame: its place and size in bytes, and what its header says.

    Attributes
    ----------
    start, size : int
        Bytes, header included.
    rate : int
        Hz.
    channels : int
        1 or 2.
    protected : bool
        Whether a checksum follows the header.
    """

    start: int
    size: int
    rate: int
    channels: int
    protected: bool

    @property
    def side(self) -> int:
        """Where the side information begins, in bytes of the stream."""
        return self.start + (6 if self.protected else 4)


def _header(data: bytes, at: int) -> Frame:
    """Read the four bytes of a frame's header."""
    if at + 4 > len(data):
        raise ValueError(f"the MP3 ends within the header of a frame at byte {at}; it was cut short")
    word = int.from_bytes(data[at : at + 4], "big")
    if word >> 21 != 0x7FF:
        raise ValueError(f"there is no MP3 frame at byte {at} but {data[at : at + 4].hex()}; frames begin with ff fb")
    if (word >> 19 & 3, word >> 17 & 3) != (3, 1):
        raise ValueError(f"the frame at byte {at} is not MPEG-1 Layer III; nothing else is read")
    kbits, rate = word >> 12 & 15, word >> 10 & 3
    if kbits in (0, 15) or rate == 3:
        raise ValueError(f"the frame at byte {at} has a free or forbidden bit rate or sampling rate")
    size = 144_000 * KBITS[kbits] // RATES[rate] + (word >> 9 & 1)
    return Frame(at, size, RATES[rate], 1 if word >> 6 & 3 == MONO else 2, not word >> 16 & 1)


def read_frames(data: bytes) -> list[Frame]:
    """Find the frames of a stream that begins with one and ends with one.

    Parameters
    ----------
    data : bytes
        MP3 without ID3 tags.

    Raises
    ------
    ValueError
        If it is empty or cut short, if something else than a frame stands in it, if it is not MPEG-1 Layer III, or if
        rate or channels change on the way.
    """
    frames: list[Frame] = []
    at = 0
    while at < len(data):
        frame = _header(data, at)
        if at + frame.size > len(data):
            raise ValueError(f"the frame at byte {at} has {frame.size} bytes, of which {len(data) - at} are there")
        if frames and (frame.rate, frame.channels) != (frames[0].rate, frames[0].channels):
            raise ValueError(f"rate or channels change at byte {at}; one stream has one of each")
        frames.append(frame)
        at += frame.size
    if not frames:
        raise ValueError("there is no frame in an empty MP3")
    return frames


def info_frame(data: bytes, samples: int, delay: int = DELAY) -> bytes:
    """Make the frame to put in front of a stream, by which decoders know its length to the sample and find places.

    Parameters
    ----------
    data : bytes
        Frames of variable bit rate, without an info frame.
    samples : int
        Length of the sound before coding.
    delay : int
        Samples that the encoder put in front of it.

    Returns
    -------
    bytes
        A silent frame with the number of frames and bytes, a hundred places to seek to, delay and padding.

    Raises
    ------
    ValueError
        If the stream is malformed, or is too short or far too long for so many samples.
    """
    frames = read_frames(data)
    padding = len(frames) * FRAME - delay - samples
    if not DECODER_DELAY <= padding < 4096:
        raise ValueError(
            f"{len(frames)} frames cannot hold {samples} samples behind {delay}: {padding} would be left over, which "
            f"must be {DECODER_DELAY} to 4095"
        )
    first = frames[0]
    side = 32 if first.channels == 2 else 17
    # the smallest frame with room for all of it, without checksum or padding
    kbits = next(n for n in range(1, 15) if 144_000 * KBITS[n] // first.rate >= 4 + side + INFO)
    size = 144_000 * KBITS[kbits] // first.rate
    header = data[:1] + b"\xfb" + bytes([kbits << 4 | RATES.index(first.rate) << 2]) + data[3:4]
    total = size + len(data)
    places = (size + frames[len(frames) * percent // 100].start for percent in range(100))
    body = b"Xing" + struct.pack(">III", 0xF, len(frames), total) + bytes(256 * place // total for place in places)
    body += struct.pack(">I", 80)  # quality, 100 the best: LAME counts its -V 2 so
    # revision 0, variable bit rate by the newer method; no low-pass, peak or replay gain told
    body += b"LAME3.100" + bytes([0x04, 0]) + bytes(8) + bytes(2)
    body += (delay << 12 | padding).to_bytes(3, "big") + bytes(4) + struct.pack(">I", total)
    body += bytes(2)  # the checksum of the music, which no decoder reads
    told = header + bytes(side) + body
    frame = told + _checksum(told).to_bytes(2, "big")
    return frame.ljust(size, b"\0")


def _checksum(data: bytes) -> int:
    """CRC-16 with the polynomial 0x8005, bits reflected, from 0."""
    rest = 0
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0xA001 if rest & 1 else 0)
    return rest


def turn_down(data: bytes, steps: Sequence[int]) -> bytes:
    """Lower the level of single granules by changing nothing but their ``global_gain``.

    All channels of a granule are lowered alike, so that middle and sides stay what they are. As granules overlap, a
    lowered one blends into its neighbours within 576 samples.

    Parameters
    ----------
    data : bytes
        Frames without checksums and without an info frame.
    steps : sequence of int, two a frame
        Steps of 1.505 dB for each granule, 0 or more.

    Raises
    ------
    ValueError
        If the stream is malformed or has checksums, if there are not two steps a frame, or if one is negative.
    """
    frames = read_frames(data)
    if len(steps) != 2 * len(frames):
        raise ValueError(f"{len(frames)} frames have {2 * len(frames)} granules; there are steps for {len(steps)}")
    changed = bytearray(data)
    for granule, step in enumerate(steps):
        if not step:
            continue
        if step < 0:
            raise ValueError(f"granule {granule} would be turned down by {step} steps; steps are 0 or more")
        frame = frames[granule // 2]
        if frame.protected:
            raise ValueError(f"the frame at byte {frame.start} has a checksum, which would no longer hold")
        # main_data_begin, private bits and scfsi come first; then 59 bits for each channel of each granule, in which
        # part2_3_length (12) and big_values (9) precede the gain
        head = 9 + 3 + 8 if frame.channels == 2 else 9 + 5 + 4
        for channel in range(frame.channels):
            bit = head + 59 * (granule % 2 * frame.channels + channel) + 21
            at, shift = frame.side + bit // 8, 8 - bit % 8
            pair = int.from_bytes(changed[at : at + 2], "big")
            gain = pair >> shift & 0xFF
            pair += (max(0, gain - step) - gain) << shift
            changed[at : at + 2] = pair.to_bytes(2, "big")
    return bytes(changed)
