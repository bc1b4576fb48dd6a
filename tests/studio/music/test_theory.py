from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.studio.music.styles import STYLES
from finetuning.studio.music.theory import KEYS, SCALES, chord, melody_scale, nearest, tonic_offset, voice

PROGRESSIONS = sorted(
    {
        (scale, p, s.colour)
        for s in STYLES.values()
        for scale in SCALES
        for p in (s.major if scale == "major" else s.minor)
    }
)


def test_keys_are_reached_the_shorter_way() -> None:
    assert [tonic_offset(key) for key in KEYS] == [0, 1, 2, 3, 4, 5, 6, -5, -4, -3, -2, -1]


@pytest.mark.parametrize(
    ("numeral", "scale", "size", "classes"),
    [
        ("I", "major", 3, (0, 4, 7)),
        ("V", "minor", 3, (7, 11, 2)),
        ("v", "minor", 3, (7, 10, 2)),
        ("V", "minor", 4, (7, 11, 2, 5)),
        ("iio", "minor", 4, (2, 5, 8, 0)),
        ("bVII", "major", 4, (10, 2, 5)),
        ("ii", "major", 5, (2, 5, 9, 0, 4)),
        ("iii", "major", 5, (4, 7, 11, 2)),  # its ninth would clash
        ("I", "major", 5, (0, 4, 7, 11)),  # its ninth would sound like the dominant
    ],
)
def test_numerals_are_read(numeral: str, scale: str, size: int, classes: tuple[int, ...]) -> None:
    assert chord(numeral, scale, size).classes == classes


@pytest.mark.parametrize("numeral", ["", "VIII", "Iv", "i7", "x"])
def test_what_is_no_numeral_is_refused(numeral: str) -> None:
    with pytest.raises(ValueError, match="not a Roman numeral"):
        chord(numeral, "major")


def test_progressions_begin_at_home_with_four_chords() -> None:
    for scale, progression, _ in PROGRESSIONS:
        first, *rest = progression.split()
        assert first == ("I" if scale == "major" else "i")
        assert len(rest) == 3


@pytest.mark.parametrize(("scale", "progression", "colour"), PROGRESSIONS)
def test_voices_move_little(scale: str, progression: str, colour: int) -> None:
    previous = None
    for numeral in progression.split() * 3:
        harmony = chord(numeral, scale, colour)
        notes = voice(harmony, previous, 53, 74)
        assert {n % 12 for n in notes} <= set(harmony.classes)
        assert 53 <= notes[0] < notes[-1] <= 74
        assert 3 <= len(notes) <= 4
        if previous:
            moves = [min(abs(n - p) for p in previous) for n in notes]
            assert max(moves) <= 7
            assert sum(moves) / len(moves) <= 3
            assert abs(notes[-1] - previous[-1]) <= 6
        previous = notes


def test_the_melody_avoids_what_clashes_with_the_chord() -> None:
    assert 10 not in melody_scale(chord("V", "minor"), "minor")
    assert 11 in melody_scale(chord("V", "minor"), "minor")
    assert 11 not in melody_scale(chord("bVII", "major"), "major")
    assert melody_scale(chord("vi", "major"), "major") == SCALES["major"]
    assert 8 not in melody_scale(chord("IV", "minor"), "minor")


@given(st.floats(30, 100), st.sets(st.integers(0, 11), min_size=1))
def test_the_nearest_pitch_is_near(target: float, classes: set[int]) -> None:
    found = nearest(target, tuple(classes))
    assert found % 12 in classes
    assert all(abs(found - target) <= abs(p - target) for p in range(20, 110) if p % 12 in classes)
