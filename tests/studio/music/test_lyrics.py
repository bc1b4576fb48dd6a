"""Lyrics: split into syllables, set to the melody, and told with their times."""

from __future__ import annotations

import io
from itertools import pairwise

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetuning.studio.music import Brief
from finetuning.studio.music.composer import Piece, compose
from finetuning.studio.music.id3 import Label, write_id3
from finetuning.studio.music.lyrics import LONGEST, read_lyrics, syllables
from finetuning.studio.music.performance import perform
from finetuning.studio.music.score import Fader, write_midi
from finetuning.studio.music.singing import timed
from finetuning.studio.music.theory import KEYS

SONG = """[Verse 1]
Walking down the lonely highway
Thinking of the days gone by
[Chorus]
Take me home tonight
(Take me to the light)
[Verse 2]
Morning comes and I am ready
[Chorus]
[Bridge]
oh oh oh
"""

words = st.text(st.characters(codec="utf-8"), max_size=120) | st.lists(
    st.sampled_from(["love", "[Verse]", "[Chorus]", "夜", "\n", "tonight\n", "élan", "(hook)", "안녕", "дом", "123"])
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("beautiful night", ["beau ti ful", "night"]),
        ("little tables loved and wanted", ["lit tle", "ta bles", "loved", "and", "wan ted"]),
        ("yoyo beyond the queue", ["yo yo", "be yond", "the", "queue"]),
        ("don't stop, 7 pm!! …", ["don't", "stop,", "7", "pm!!"]),
        (
            "I've lost love, fire; (alone) love's roses!",
            ["I've", "lost", "love,", "fire;", "(a lone)", "love's", "ro ses!"],
        ),
        ("going, trying to sing", ["go ing,", "try ing", "to", "sing"]),
        ("something lonely, careless, gentle", ["some thing", "lone ly,", "care less,", "gen tle"]),
        ("rely on somersaults", ["re ly", "on", "so mer saults"]),
        ("Straßenbahn fährt", ["Stra ßen bahn", "fährt"]),
        ("Я люблю тебя", ["Я", "люб лю", "те бя"]),
        ("моя твоё мой, неуклюже", ["мо я", "тво ё", "мой,", "не ук лю же"]),
        ("東京の夜", ["東 京 の 夜"]),
        ("きょうは", ["きょ う は"]),
        ("안녕 나의", ["안 녕", "나 의"]),
        ("लहर مرحبا", ["लहर", "مرحبا"]),
        ("«夜»", ["«夜»"]),
        ("… ♪ --", []),
    ],
)
def test_words_are_split_as_they_are_sung(text: str, split: list[str]) -> None:
    assert [" ".join(word) for word in syllables(text)] == split


def test_an_e_at_the_end_is_heard_where_the_language_has_it() -> None:
    assert syllables("amore", "it") == (("a", "mo", "re"),)
    assert syllables("amore", "en") == (("a", "more"),)
    (block,) = read_lyrics("amore", "IT-it")
    assert block.lines[0].syllables == ("a", "mo", "re\r")


def test_labels_name_sections_and_are_not_sung() -> None:
    blocks = read_lyrics(SONG)
    assert [(b.kind, len(b.lines)) for b in blocks] == [
        ("verse", 2), ("chorus", 2), ("verse", 1), ("chorus", 2), ("break", 1)
    ]  # fmt: skip
    assert blocks[3].lines == blocks[1].lines, "a chorus called without words is the chorus again"
    assert blocks[1].lines[1].text == "(Take me to the light)"
    assert [b.kind for b in read_lyrics("first words\n[???]\n[Guitar]\nla\n(Refrain)\nlo")] == [None, None, "chorus"]


def test_a_label_in_front_of_words_is_not_sung() -> None:
    blocks = read_lyrics("[Verse] one two\n[Chorus]: (la la)\n[softly] hush\n[Chorus] …")
    assert [(b.kind, [line.text for line in b.lines]) for b in blocks] == [
        ("verse", ["one two"]),
        ("chorus", ["(la la)", "[softly] hush"]),
        ("chorus", ["(la la)", "[softly] hush"]),
    ]


@given(words)
def test_any_lyrics_are_read(text: str) -> None:
    for block in read_lyrics(text):
        for line in block.lines:
            assert 0 < len(line.syllables) <= LONGEST
            assert all(syllable.strip() for syllable in line.syllables)
            assert [s.endswith("\r") for s in line.syllables] == [False] * (len(line.syllables) - 1) + [True]
            assert "".join(line.syllables).replace(" ", "").rstrip("\r") == line.text.replace(" ", "")


def wanted(piece: Piece) -> list[str]:
    """Syllables of the lyrics, line by line, as far as whole lines were sung."""
    return [s for block in piece.blocks for line in block.lines for s in line.syllables]


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        Brief,
        tags=st.sampled_from(["pop", "folk", "trap", "solo piano", "no melody"]),
        lyrics=words,
        bpm=st.integers(60, 200),
        key=st.sampled_from(KEYS),
        time_signature=st.integers(2, 7),
        duration=st.floats(5, 60),
        seed=st.integers(),
    )
)
def test_every_syllable_that_is_sung_has_a_note_of_its_own(brief: Brief) -> None:
    piece = compose(brief)
    sung = piece.sung
    texts = [note.syllable for note in sung]
    everything = wanted(piece)
    if not any(block.kind for block in piece.blocks):
        assert texts == everything[: len(texts)], "in the order of the lyrics, none left out between"
    told = piece.understood()["lyrics"]
    assert told == {
        "lines": sum(len(b.lines) for b in piece.blocks),
        "sung": sum(text.endswith("\r") for text in texts),
    }
    assert not texts or texts[-1].endswith("\r"), "a line that is begun is sung to its end"
    starts = [note.start for note in sung]
    assert starts == sorted(set(starts)), "one at a time"
    assert all(b - a >= 0.08 for a, b in pairwise(starts))
    played = [note for part in perform(piece) for note in part.notes if note.syllable]
    assert [note.syllable for note in sorted(played, key=lambda n: n.start)] == texts, "the performance drops none"


def test_lines_are_sung_in_the_sections_that_their_labels_name() -> None:
    piece = compose(Brief("pop", lyrics=SONG, duration=90, seed=4))
    kinds = [s.kind for s in piece.form.sections if s.kind not in ("intro", "outro")]
    assert kinds == ["verse", "chorus", "verse", "chorus", "break"]
    assert [n.syllable for n in piece.sung] == wanted(piece)
    where: dict[tuple[str, int], list[str]] = {}
    for note in piece.sung:
        section = next(s for s in piece.form.sections if s.first * 4 <= note.start + 1e-9 < (s.first + s.bars) * 4)
        where.setdefault((section.kind, section.number), []).append(note.syllable)
    assert where["verse", 1][0] == "Mor"
    assert where["chorus", 0] == where["chorus", 1]
    assert where["break", 0] == ["oh ", "oh ", "oh\r"]
    first, second = (
        [(n.start - s.first * 4, n.pitch) for n in piece.sung if s.first * 4 <= n.start < (s.first + s.bars) * 4]
        for s in piece.form.sections
        if s.kind == "chorus"
    )
    assert [at for at, _ in first] == [at for at, _ in second], "the chorus is sung as it was"


def test_intros_and_endings_that_are_called_for_are_played() -> None:
    asked = "[Intro]\n[Verse]\nla la la\n[Chorus]\nlo lo\n[Outro]\nbye"
    for duration in (40, 48, 60, 80):
        piece = compose(Brief("pop", lyrics=asked, duration=duration, bpm=120))
        kinds = [s.kind for s in piece.form.sections]
        assert kinds == ["intro", "verse", "chorus", "outro"]
        assert [n.syllable for n in piece.sung] == wanted(piece)
    short = compose(Brief("pop", lyrics=asked, duration=10, bpm=120))
    assert [n.syllable for n in short.sung] == wanted(short)[: len(short.sung)]


def test_no_voice_no_words() -> None:
    assert not compose(Brief("pop, instrumental", lyrics=SONG)).sung
    assert not compose(Brief("pop, no melody", lyrics=SONG)).sung


def test_score_and_tag_carry_the_words() -> None:
    piece = compose(Brief("pop", lyrics=SONG, bpm=100, duration=90, seed=4))
    played = perform(piece)
    faders = {p.role: Fader(100, 64, 40, 0) for p in played}
    file = mido.MidiFile(file=io.BytesIO(write_midi(played, faders, piece.form, "C", "minor")), charset="utf-8")
    (lead,) = (t for t in file.tracks if t.name.startswith("lead"))
    now, texts, at, strokes = 0, [], [], set()
    for message in lead:
        now += message.time
        if message.type == "lyrics":
            texts.append(message.text)
            at.append(now)
        elif message.type == "note_on":
            strokes.add(now)
    assert texts == wanted(piece)
    assert set(at) <= strokes

    lines = timed(played, piece.form.beat)
    assert len(lines) == len(texts)
    assert [t for t, _ in lines] == sorted(t for t, _ in lines)
    assert lines[0][1] == "Wal"
    assert "".join(text for _, text in lines).split("\n") == [line.text for b in piece.blocks for line in b.lines]
    for (seconds, _), tick in zip(lines, at, strict=True):
        assert seconds == pytest.approx(tick / 480 * 0.6, abs=0.002)
    assert b"SYLT" in write_id3(Label(timed=lines))
    assert timed([p for p in played if p.role != "lead"], 0.5) == ()
