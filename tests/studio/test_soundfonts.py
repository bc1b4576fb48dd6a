"""Which SoundFont plays, where it is said, and what of it is read."""

from __future__ import annotations

import hashlib
import io
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import midirenderer
import mido
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from finetuning.errors import StudioError
from finetuning.studio import Studio, soundfonts
from finetuning.studio.music import Brief, make_take
from finetuning.studio.music.cutting import cut, programs_of
from finetuning.studio.music.render import render
from finetuning.studio.soundfonts import BUNDLED, VARIABLE, find_font, same_font


@pytest.fixture
def home_of_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one place in which a SoundFont could be installed."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.setattr(soundfonts, "_places", lambda: iter([tmp_path / "nowhere", folder]))
    monkeypatch.delenv(VARIABLE)
    return folder


def another(path: Path) -> Path:
    """Make a SoundFont that plays like the bundled one and is another file."""
    shutil.copyfile(find_font(BUNDLED).path, path)
    with path.open("ab") as file:
        file.write(b"more")
    return path


def test_the_bundled_font_is_the_same_everywhere() -> None:
    font = find_font(BUNDLED)
    assert font.path.name == "TimGM6mb.sf2"
    assert font.sha256 == "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"
    assert font.told() == {"name": "TimGM6mb.sf2", "sha256": font.sha256}


def test_the_large_font_is_used_where_it_is_installed(home_of_fonts: Path) -> None:
    assert find_font() == find_font(BUNDLED)
    large = another(home_of_fonts / "FluidR3_GM.sf2")
    font = find_font()
    assert font.path == large
    assert font.sha256 == hashlib.sha256(large.read_bytes()).hexdigest()
    assert find_font(BUNDLED).path != large


def test_what_is_named_goes_first(home_of_fonts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another(home_of_fonts / "FluidR3_GM.sf2")
    mine = another(tmp_path / "mine.sf2")
    monkeypatch.setenv(VARIABLE, str(mine))
    assert find_font().path == mine
    assert find_font(BUNDLED).path.name == "TimGM6mb.sf2"
    monkeypatch.setenv(VARIABLE, BUNDLED)
    assert find_font().path.name == "TimGM6mb.sf2"
    assert find_font(mine).path == mine


def test_a_file_that_changes_is_another_font(tmp_path: Path) -> None:
    mine = another(tmp_path / "mine.sf2")
    before = find_font(mine).sha256
    with mine.open("ab") as file:
        file.write(b"and more")
    assert find_font(mine).sha256 == hashlib.sha256(mine.read_bytes()).hexdigest() != before


def test_a_missing_font_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.sf2"))
    with pytest.raises(FileNotFoundError, match=r"FINETUNING_SOUNDFONT names .*none\.sf2.*unset it"):
        make_take(Brief("pop", duration=5))
    with pytest.raises(FileNotFoundError, match=r"soundfont names .*other\.sf2"):
        find_font("other.sf2")


def test_what_is_no_soundfont_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "song.sf2"
    wrong.write_bytes(b"OggS" * 100)
    monkeypatch.setenv(VARIABLE, str(wrong))
    with pytest.raises(ValueError, match="not a SoundFont 2 file"):
        make_take(Brief("pop", duration=5))


def test_without_the_dependency_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"finetuning\[studio\]"):
        find_font()


def test_places_are_known_for_each_system(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path("/usr/share/sounds/sf2") in soundfonts._places()
    assert Path("/opt/homebrew/share/soundfonts") in soundfonts._places()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("PROGRAMDATA", "C:/ProgramData")
    assert [str(p).replace("\\", "/") for p in soundfonts._places()][:1] == ["C:/ProgramData/soundfonts"]


def test_a_take_tells_what_it_was_played_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brief = Brief("folk", duration=5, seed=2)
    take = make_take(brief)
    assert take.understood["soundfont"] == find_font(BUNDLED).told()
    monkeypatch.setenv(VARIABLE, str(another(tmp_path / "mine.sf2")))
    again = make_take(brief)
    assert again.understood["soundfont"] == find_font(tmp_path / "mine.sf2").told()
    assert again.mp3 == take.mp3, "it plays alike"


def test_the_font_of_an_old_take_is_found_again(home_of_fonts: Path, tmp_path: Path) -> None:
    mine = another(tmp_path / "mine.sf2")
    font = find_font(mine)
    with pytest.raises(FileNotFoundError, match=rf"SHA-256 {font.sha256[:12]}… is not here \(TimGM6mb\.sf2 is\)"):
        same_font(font.sha256)
    assert same_font(font.sha256, str(mine)) == font
    assert same_font(find_font(BUNDLED).sha256, str(mine)).path.name == "TimGM6mb.sf2"
    mine.rename(home_of_fonts / "FluidR3_GM.sf2")
    assert same_font(font.sha256, str(mine)).path.parent == home_of_fonts


def test_the_studio_says_which_it_uses(
    open_studio: Callable[..., Studio], connect: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    mine = another(tmp_path / "mine.sf2")
    studio = open_studio(soundfont=mine)
    assert studio.soundfont == find_font(mine).told()
    assert connect(studio).get("/health").json()["soundfont"] == studio.soundfont
    mine.unlink()
    assert connect(studio).get("/health").json() == {"status": "ok", "service": "finetuning studio", "soundfont": None}
    with pytest.raises(StudioError, match=r"cannot play: soundfont names .*mine\.sf2"):
        _ = studio.soundfont


@pytest.mark.parametrize(("named", "why"), [("nowhere.sf2", "is no file"), (7, "PathLike")])
def test_a_studio_with_a_font_that_is_none_does_not_start(
    open_studio: Callable[..., Studio], named: object, why: str
) -> None:
    with pytest.raises(StudioError, match=rf"soundfont is .*{why}.*(?s:.)*or 'bundled'"):
        open_studio(soundfont=named)


def test_the_workers_play_with_the_studios_font(
    open_studio: Callable[..., Studio], connect: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    mine = another(tmp_path / "mine.sf2")
    studio = open_studio(soundfont=mine, workers=1)
    answer = connect(studio).post("/v1/generations", json={"tags": "piano", "duration": 5})
    studio.wait_idle()
    assert studio.understood(answer.json()["data"]["id"])["soundfont"] == find_font(mine).told()


def song(*programs: tuple[int, int], first_note: int = 40) -> bytes:
    """Write a MIDI file in which each program plays three notes on its channel."""
    file = mido.MidiFile(type=1)
    for channel, program in programs:
        track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program)])
        for note in range(first_note, first_note + 36, 12):
            track.append(mido.Message("note_on", channel=channel, note=note, velocity=90))
            track.append(mido.Message("note_off", channel=channel, note=note, time=300))
        track.append(mido.MetaMessage("end_of_track", time=900))
        file.tracks.append(track)
    held = io.BytesIO()
    file.save(file=held)
    return held.getvalue()


@pytest.mark.parametrize(
    "programs",
    [[(0, 0), (9, 0)], [(1, 48), (2, 91), (9, 40)], [(3, 127), (0, 127)], [(9, 77)], [(0, 33), (9, 25), (5, 60)]],
)
def test_a_cut_font_plays_exactly_as_the_whole(programs: list[tuple[int, int]]) -> None:
    font, midi = find_font(BUNDLED), song(*programs)
    whole = midirenderer.render_wave_from(font.path.read_bytes(), midi)
    heard, _ = soundfile.read(io.BytesIO(whole), dtype="float32", always_2d=True)
    assert np.abs(heard).max() > 0.01
    np.testing.assert_array_equal(render(midi, font), heard.T)


def test_a_font_without_the_preset_is_cut_as_it_is_played(tmp_path: Path) -> None:
    """The renderer plays the standard kit for a kit that is not there, and the first preset for another."""
    data = bytearray(find_font(BUNDLED).path.read_bytes())
    at = data.index(b"phdr") + 8
    for place in range(at, at + struct.unpack_from("<I", data, at - 4)[0] - 38, 38):
        program, bank = struct.unpack_from("<HH", data, place + 20)
        if (bank, program) in ((0, 19), (128, 40)):
            struct.pack_into("<H", data, place + 22, 99)  # to a bank that nobody asks for
    poorer = tmp_path / "poorer.sf2"
    poorer.write_bytes(data)
    midi = song((0, 19), (9, 40))
    heard, _ = soundfile.read(io.BytesIO(midirenderer.render_wave_from(bytes(data), midi)), dtype="float32")
    assert np.abs(heard).max() > 0.01
    np.testing.assert_array_equal(render(midi, find_font(poorer)), heard.T)
    assert not np.array_equal(render(midi, find_font(BUNDLED)), heard.T)


def test_only_what_is_played_is_kept() -> None:
    font = find_font(BUNDLED)
    one = cut(font.path, 0, frozenset({(0, 0)}))
    two = cut(font.path, 0, frozenset({(0, 0), (0, 48), (128, 0)}))
    assert len(one) < len(two) < font.path.stat().st_size / 2
    assert len(one) == 8 + int.from_bytes(one[4:8], "little")


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 127)), min_size=1, max_size=6))
def test_the_programs_of_a_score_are_found(programs: list[tuple[int, int]]) -> None:
    expected = {(128 if channel == 9 else 0, program) for channel, program in programs}
    assert programs_of(song(*programs)) == expected


def test_a_score_in_any_spelling_is_read() -> None:
    body = bytes.fromhex(
        "00 ff 03 02 4869"  # a name
        "00 f0 03 7e7ff7"  # a system message
        "00 93 3c40"  # a note before any program
        "8100 3d00"  # running status, a time of two bytes
        "00 d3 10"  # pressure, one byte
        "00 e3 0040 00 c3 05 00 933c40"
        "00 ff 2f 00"
    )
    midi = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(body)) + body
    assert programs_of(midi) == {(0, 0), (0, 5)}


def test_damaged_fonts_are_told(tmp_path: Path) -> None:
    whole = find_font(BUNDLED).path.read_bytes()
    short = tmp_path / "short.sf2"
    short.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut short: its chunk b'LIST'"):
        cut(short, 0, frozenset({(0, 0)}))
    for name in (b"shdr", b"inst"):
        lacking = tmp_path / f"{name.decode()}.sf2"
        lacking.write_bytes(whole.replace(name, b"none"))
        with pytest.raises(
            ValueError, match=rf"{name.decode()}\.sf2 is a damaged SoundFont: KeyError b'{name.decode()}'"
        ):
            cut(lacking, 0, frozenset({(0, 0)}))
