"""Labels, read back by a small reader of the tests' own."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from finetuning.studio.music import id3
from finetuning.studio.music.encode import encode, with_length
from finetuning.studio.music.id3 import Label, write_id3
from finetuning.studio.music.render import RATE


def read(tag: bytes) -> list[tuple[str, bytes]]:
    """Split a tag into names and bodies."""

    def size(raw: bytes) -> int:
        assert max(raw) < 128
        return sum(b << s for b, s in zip(raw, (21, 14, 7, 0), strict=True))

    assert tag[:6] == b"ID3\x04\0\0"
    assert size(tag[6:10]) == len(tag) - 10
    found, at = [], 10
    while at < len(tag):
        end = at + 10 + size(tag[at + 4 : at + 8])
        assert tag[at + 8 : at + 10] == b"\0\0"
        found.append((tag[at : at + 4].decode("ascii"), tag[at + 10 : end]))
        at = end
    assert at == len(tag)
    return found


FULL = Label(
    title="Nächte 🎹",
    artist="Studio",
    comment="one\r\ntwo",
    bpm=120,
    key="F#m",
    own={"seed": "-5", "prompt": "тихо\x00\x1b[0m", "empty": ""},
    lyrics="la\rla",
    timed=[(2.5, "second"), (0.25, "first ✨")],
    language="eng",
)


def test_every_frame_is_written() -> None:
    assert read(write_id3(FULL)) == [
        ("TIT2", b"\x03" + "Nächte 🎹".encode()),
        ("TPE1", b"\x03Studio"),
        ("TBPM", b"\x03120"),
        ("TKEY", b"\x03F#m"),
        ("COMM", b"\x03eng\0one\ntwo"),
        ("TXXX", b"\x03seed\0-5"),
        ("TXXX", b"\x03prompt\0" + "тихо  [0m".encode()),
        ("USLT", b"\x03eng\0la\nla"),
        ("SYLT", b"\x03eng\x02\x01\0" + "first ✨\0".encode() + (250).to_bytes(4, "big") + b"second\0\0\0\x09\xc4"),
    ]


def test_nothing_to_say_is_no_tag() -> None:
    assert write_id3(Label()) == b""


@given(st.text(), st.text(st.characters(codec=None)), st.integers())
def test_any_text_makes_a_sound_tag(title: str, prompt: str, seed: int) -> None:
    frames = read(write_id3(Label(title=title, own={"prompt": prompt, "seed": str(seed)}, lyrics=prompt)))
    for name, body in frames:
        text = body[1:].decode("utf-8")
        assert text.count("\0") == (0 if name == "TIT2" else 1)
    assert dict(frames).get("TXXX") == b"\x03seed\0" + str(seed).encode()


def test_other_decoders_read_past_it() -> None:
    samples = RATE // 2
    music = with_length(encode(np.zeros((2, samples), np.float32)), samples)
    with soundfile.SoundFile(io.BytesIO(write_id3(FULL) + music)) as file:
        assert (file.frames, file.title, file.artist) == (samples, "Nächte 🎹", "Studio")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (Label(title="x", language="english"), "language is 'english'; give three letters"),
        (Label(title="x", language="e1g"), "three letters"),
        (Label(title="x", language="äöü"), "three letters"),
        (Label(key="F#minor"), "key is 'F#minor'; give at most three"),
        (Label(timed=[(-0.1, "x")]), r"at -0\.1 s cannot be written"),
        (Label(timed=[(float("nan"), "x")]), "at nan s cannot be written"),
        (Label(timed=[(5e6, "x")]), r"times are 0 to 4294965 s"),
    ],
)
def test_what_cannot_be_written_is_refused(label: Label, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_id3(label)


@pytest.mark.parametrize("label", [Label(lyrics="x" * 2000), Label(title="x" * 600, artist="y" * 600)])
def test_a_tag_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, label: Label) -> None:
    monkeypatch.setattr(id3, "LONGEST", 1000)
    with pytest.raises(ValueError, match="too many for an ID3 tag, which holds less than 1000"):
        write_id3(label)
