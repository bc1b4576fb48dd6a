"""The frames of real encodes, and what becomes of broken ones."""

from __future__ import annotations

import io
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from finetuning.studio.music.encode import decode, encode, granules_of, with_length
from finetuning.studio.music.master import BLOCK
from finetuning.studio.music.mp3 import STEP, info_frame, read_frames, turn_down
from finetuning.studio.music.render import RATE, Sound


def noise(samples: int, seed: int = 1) -> Sound:
    return np.random.default_rng(seed).normal(0, 0.1, (2, samples)).astype(np.float32)


@cache
def coded(samples: int = 2 * RATE) -> bytes:
    return encode(noise(samples))


def lone(header: str, size: int) -> bytes:
    """Make a frame of nothing behind a header."""
    return bytes.fromhex(header).ljust(size, b"\0")


def test_frames_follow_one_another_without_gaps() -> None:
    frames = read_frames(coded())
    assert frames[0].start == 0
    assert all(a.start + a.size == b.start for a, b in pairwise(frames))
    assert frames[-1].start + frames[-1].size == len(coded())
    assert {(f.rate, f.channels, f.protected, f.side - f.start) for f in frames} == {(RATE, 2, False, 4)}


def test_a_header_gives_the_length() -> None:
    (frame,) = read_frames(lone("fffb9064", 417))  # 128 kbit/s at 44.1 kHz, joint stereo
    assert (frame.size, frame.rate, frame.channels, frame.protected, frame.side) == (417, 44_100, 2, False, 4)
    (frame,) = read_frames(lone("fffa92c4", 418))  # the same with padding and a checksum, mono
    assert (frame.size, frame.channels, frame.protected, frame.side) == (418, 1, True, 6)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no frame in an empty MP3"),
        (b"\xff\xfb\x90", "ends within the header of a frame at byte 0"),
        (b"RIFF1234", "no MP3 frame at byte 0 but 52494646"),
        (lone("fffb9064", 300), "has 417 bytes, of which 300 are there"),
        (lone("fff39064", 417), "not MPEG-1 Layer III"),  # MPEG-2
        (lone("fffd9064", 417), "not MPEG-1 Layer III"),  # Layer II
        (lone("fffb0064", 417), "free or forbidden"),
        (lone("fffbf064", 417), "free or forbidden"),
        (lone("fffb9c64", 417), "free or forbidden"),
        (lone("fffb9064", 417) + lone("fffb90c4", 417), "rate or channels change at byte 417"),
        (lone("fffb9064", 417) + lone("fffb9464", 384), "rate or channels change at byte 417"),
    ],
)
def test_what_is_malformed_is_told(data: bytes, message: str) -> None:
    for function in (read_frames, lambda d: info_frame(d, 1), lambda d: turn_down(d, [0])):
        with pytest.raises(ValueError, match=message):
            function(data)


@given(st.data())
def test_a_damaged_stream_is_read_or_refused_but_never_else(data: st.DataObject) -> None:
    broken = bytearray(coded(RATE // 4))
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    del broken[data.draw(st.integers(0, len(broken))) :]
    try:
        frames = read_frames(bytes(broken))
    except ValueError as error:
        assert "byte" in str(error) or "empty" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert sum(f.size for f in frames) == len(broken)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 3 * 1152 + 5), st.integers(0, 2**32))
def test_the_length_is_exact_to_the_sample(samples: int, seed: int) -> None:
    sound = noise(samples, seed)
    mp3 = with_length(encode(sound), samples)
    with soundfile.SoundFile(io.BytesIO(mp3)) as file:
        assert file.frames == samples
    assert decode(mp3).shape == (2, samples)


def test_the_sound_stays_in_its_place() -> None:
    clicks = 0.02 * noise(2 * RATE)
    for at in (700, RATE, 2 * RATE - 200):
        clicks[:, at] = 0.8
    heard = np.abs(decode(with_length(encode(clicks), 2 * RATE))[0])
    for at in (700, RATE, 2 * RATE - 200):
        assert np.argmax(heard[at - 150 : at + 150]) == 150


def test_the_info_frame_says_what_is_in_the_stream() -> None:
    music = coded()
    info = info_frame(music, 2 * RATE)
    (frame,) = read_frames(info)
    assert (frame.size, frame.rate, frame.channels) == (len(info), RATE, 2)
    body = info[4 + 32 :]
    assert body[:8] == b"Xing\0\0\0\x0f"
    count = len(read_frames(music))
    assert int.from_bytes(body[8:12], "big") == count
    assert int.from_bytes(body[12:16], "big") == len(info) + len(music)
    places = np.frombuffer(body[16:116], np.uint8)
    assert (np.diff(places.astype(int)) >= 0).all()
    assert places[0] == 256 * len(info) // (len(info) + len(music))
    starts = np.array([len(info) + f.start for f in read_frames(music)])
    for percent in (25, 50, 99):
        exact = 256 * starts[count * percent // 100] / (len(info) + len(music))
        assert exact - 1 < places[percent] <= exact
    assert body[120:129] == b"LAME3.100"
    ends = int.from_bytes(body[141:144], "big")
    assert (ends >> 12, ends & 0xFFF) == (576, count * 1152 - 576 - 2 * RATE)


def test_the_info_frame_of_mono_at_another_rate_has_its_shape() -> None:
    music = lone("fffb90c4", 417) * 4
    info = info_frame(music, 3000)
    (frame,) = read_frames(info)
    assert (frame.rate, frame.channels) == (44_100, 1)
    assert info[4 + 17 :].startswith(b"Xing")


@pytest.mark.parametrize("samples", [2 * RATE + 1152, RATE])
def test_a_length_that_the_stream_cannot_have_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match=r"84 frames cannot hold|frames cannot hold"):
        info_frame(coded(), samples)


def test_granules_are_turned_down_in_exactly_their_place() -> None:
    music, samples = coded(), 2 * RATE
    count = 2 * len(read_frames(music))
    steps = [0] * count
    steps[60:80] = [2] * 20
    before, after = (decode(with_length(m, samples)) for m in (music, turn_down(music, steps)))
    # where only turned granules are heard, and where none is
    inner = [b for b in range(samples // BLOCK) if set(granules_of(b)) <= set(range(60, 80))]
    outer = [b for b in range(samples // BLOCK) if not set(granules_of(b)) & set(range(60, 80))]
    place = np.concatenate([np.arange(b * BLOCK, (b + 1) * BLOCK) for b in inner[1:-1]])
    change = 20 * np.log10(np.sqrt((after[:, place] ** 2).mean() / (before[:, place] ** 2).mean()))
    assert change == pytest.approx(-2 * STEP, abs=0.01)
    np.testing.assert_allclose(after[:, place], before[:, place] * 10 ** (-2 * STEP / 20), atol=2e-4)
    rest = np.concatenate([np.arange(b * BLOCK, (b + 1) * BLOCK) for b in outer])
    np.testing.assert_allclose(after[:, rest], before[:, rest], atol=1e-4)
    assert len(inner) > 300
    assert len(outer) > 2000


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_only_the_gains_change_and_they_stop_at_nothing(data: st.DataObject) -> None:
    music = coded(RATE // 4)
    count = 2 * len(read_frames(music))
    steps = data.draw(st.lists(st.integers(0, 300), min_size=count, max_size=count))
    lowered = turn_down(music, steps)
    assert len(lowered) == len(music)
    assert read_frames(lowered) == read_frames(music)
    again = turn_down(lowered, [0] * count)
    assert again == lowered
    once = turn_down(turn_down(music, [s // 2 for s in steps]), [s - s // 2 for s in steps])
    assert once == lowered, "two steps are as far as one of the sum"
    silent = decode(with_length(turn_down(music, [255] * count), RATE // 4))
    assert np.abs(silent).max() < 1e-6


def test_mono_is_turned_down_too() -> None:
    frame = bytearray(lone("fffb90c4", 417))
    # global_gain of the two granules: 9 + 5 + 4 bits, then 59 for the first granule's channel
    for granule, gain in ((0, 200), (1, 100)):
        bit = 18 + 59 * granule + 21
        word = int.from_bytes(frame[4:21], "big") | gain << (17 * 8 - bit - 8)
        frame[4:21] = word.to_bytes(17, "big")
    lowered = turn_down(bytes(frame), [3, 101])
    gains = [
        int.from_bytes(lowered[4:21], "big") >> (17 * 8 - (18 + 59 * granule + 21) - 8) & 0xFF for granule in (0, 1)
    ]
    assert gains == [197, 0]


def test_steps_that_fit_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="1 frames have 2 granules; there are steps for 3"):
        turn_down(lone("fffb9064", 417), [0, 0, 0])
    with pytest.raises(ValueError, match="granule 1 would be turned down by -1 steps"):
        turn_down(lone("fffb9064", 417), [0, -1])
    with pytest.raises(ValueError, match="has a checksum"):
        turn_down(lone("fffa9064", 417), [0, 1])
