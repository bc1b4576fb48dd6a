"""Two devices of arrangement a piece, each heard in the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finetuning.studio.music import Brief
from finetuning.studio.music.composer import compose
from finetuning.studio.music.devices import DEVICES, Scene, Written, arrange
from finetuning.studio.music.drums import DRUMS
from finetuning.studio.music.instruments import INSTRUMENTS
from finetuning.studio.music.metre import group_starts
from finetuning.studio.music.mix import FAR, pump
from finetuning.studio.music.parts import Note
from finetuning.studio.music.performance import perform
from finetuning.studio.music.streams import Streams
from finetuning.studio.music.styles import STYLES


class Chance:
    """A stream whose every draw is the first of the choices."""

    def random(self) -> float:
        return 0.0


FIRST: np.random.Generator = Chance()  # type: ignore[assignment]


def staged(tags: str = "pop", **fields: object) -> tuple[Written, Scene]:
    """A piece of one chorus after a verse, and what a device works on."""
    piece = compose(Brief(tags, **{"duration": 40, "bpm": 120, "seed": 8, **fields}))  # type: ignore[arg-type]
    written = {part.role: part.notes for part in piece.parts}
    sounds = {role: INSTRUMENTS[name] for role, name in piece.cast.roles.items()}
    return written, Scene(piece.form, piece.spans, sounds, sung=False)


def inside(notes: tuple[Note, ...], start: float, end: float) -> list[Note]:
    return [n for n in notes if start <= n.start < end]


def chorus(scene: Scene) -> float:
    return float(next(s.first for s in scene.form.sections if s.kind == "chorus") * scene.form.metre)


@pytest.mark.parametrize("style", STYLES)
def test_every_song_has_two_devices(style: str) -> None:
    for metre in range(2, 8):
        for bpm in (60, 200):
            piece = compose(Brief(style, bpm=bpm, time_signature=metre, duration=40, seed=bpm))
            told = piece.understood()["devices"]
            assert isinstance(told, list)
            assert len(set(told)) == 2
            assert set(told) <= DEVICES.keys()


def test_the_tags_of_a_style_say_which_devices_it_is_fond_of() -> None:
    assert all(set(style.devices) <= DEVICES.keys() and len(style.devices) == 2 for style in STYLES.values())
    chosen = [name for seed in range(60) for name in compose(Brief("jazz", seed=seed, duration=40)).devices]
    assert chosen.count("stop-time") > 2 * chosen.count("build")


def test_pieces_without_room_have_none() -> None:
    assert compose(Brief("solo piano", bpm=60, time_signature=7, duration=5)).devices == ()


def test_a_drop_out_leaves_chords_and_melody_before_the_chorus() -> None:
    written, scene = staged()
    done = DEVICES["drop-out"](written, scene, FIRST)
    assert done is not None
    end = chorus(scene)
    for role, notes in done[0].items():
        before, after = inside(written[role], end - 2, end), inside(notes, end - 2, end)
        assert after == ([] if role in ("drums", "bass", "arp") else before)
        assert all(n.start + n.length <= end - 2 for n in notes if n.start < end - 4 and role == "bass")
    assert DEVICES["drop-out"]({"chords": written["chords"]}, scene, FIRST) is None


def test_a_build_rolls_ever_louder_and_faster_into_the_chorus() -> None:
    written, scene = staged("house")
    done = DEVICES["build"](written, scene, FIRST)
    assert done is not None
    end = chorus(scene)
    roll = sorted((n.start, n.force) for n in inside(done[0]["drums"], end - 4, end) if n.pitch == DRUMS["snare"])
    assert len(roll) >= 8
    gaps = np.diff([at for at, _ in roll])
    assert (np.diff(gaps) <= 1e-9).all()
    assert gaps[0] > gaps[-1]
    assert [force for _, force in roll] == sorted(force for _, force in roll)
    assert DEVICES["build"]({"chords": written["chords"]}, scene, FIRST) is None


def test_a_swell_draws_the_band_back_and_lets_it_grow() -> None:
    for tags in ("orchestral", "house"):
        piece = compose(Brief(tags, duration=40, seed=3))
        piece = replace(piece, swells=((8.0, 16.0),))
        points = pump(piece, perform(piece))
        beats = [beat for beat, _ in points]
        assert beats == sorted(beats)
        level = dict(points)
        assert level[9.0] <= FAR + 0.01
        growing = [max(gain for beat, gain in points if at <= beat < at + 1) for at in (9, 11, 13, 15)]
        assert growing == sorted(growing)
        assert level[16.0] == pytest.approx(1.0) or tags == "house"
    written, scene = staged()
    assert DEVICES["swell"]({"drums": written["drums"]}, scene, FIRST) is None


def test_stop_time_strikes_where_groups_begin_under_a_melody_that_goes_on() -> None:
    written, scene = staged("rock")
    done = DEVICES["stop-time"](written, scene, FIRST)
    assert done is not None
    end = chorus(scene)
    for role, notes in done[0].items():
        here = inside(notes, end - 4, end)
        if role == "lead":
            assert notes == written["lead"]
        else:
            assert all(n.length <= 0.5 for n in here)
            assert {round(n.start - 0.09) % 4 for n in here} <= set(group_starts(4))
    assert DEVICES["stop-time"]({"chords": written["chords"]}, scene, FIRST) is None


def test_a_breakdown_leaves_the_rhythm_section_out() -> None:
    written, scene = staged(duration=100)
    done = DEVICES["breakdown"](written, scene, FIRST)
    assert done is not None
    section = next(s for s in scene.form.sections if s.kind == "break")
    start, end = 4.0 * section.first, 4.0 * (section.first + 4)
    assert not inside(done[0]["drums"], start, end)
    assert not inside(done[0]["bass"], start, end)
    assert inside(done[0]["chords"], start, end)
    assert DEVICES["breakdown"]({"drums": written["drums"]}, scene, FIRST) is None


def test_call_and_response_shares_the_melody_out() -> None:
    written, scene = staged("country", duration=60)
    done = DEVICES["call and response"](written, scene, FIRST)
    assert done is not None
    lead, arp = done[0]["lead"], done[0]["arp"]
    moved = set(written["lead"]) - set(lead)
    assert moved
    assert {(n.start, n.pitch % 12) for n in moved} <= {(n.start, n.pitch % 12) for n in arp}
    places = {s.place for n in moved for s in scene.spans if s.start <= n.start < s.end}
    assert places <= {1, 3}
    sung = Scene(scene.form, scene.spans, scene.sounds, sung=True)
    assert DEVICES["call and response"](written, sung, FIRST) is None, "a singer keeps the words"


def test_a_lift_raises_the_last_chorus_by_an_octave() -> None:
    written, scene = staged("jazz", duration=60)
    done = DEVICES["lift"](written, scene, FIRST)
    if done is None:
        written, scene = staged("country", duration=60)
        done = DEVICES["lift"](written, scene, FIRST)
    assert done is not None
    (role,) = (r for r in written if done[0][r] != written[r])
    shifts = {b.pitch - a.pitch for a, b in zip(written[role], done[0][role], strict=True)}
    assert shifts == {0, 12}
    raised = [a.start for a, b in zip(written[role], done[0][role], strict=True) if b.pitch != a.pitch]
    last = [s for s in scene.form.sections if s.kind == "chorus"][-1]
    assert last.first * 4 <= min(raised) <= max(raised) < (last.first + last.bars) * 4
    verse = Scene(replace(scene.form, sections=scene.form.sections[:1]), scene.spans, scene.sounds, sung=False)
    assert DEVICES["lift"](written, verse, FIRST) is None


def test_an_echo_is_soft() -> None:
    written, scene = staged()
    done = DEVICES["echo"](written, scene, FIRST)
    assert done is not None
    end = chorus(scene)
    for role, notes in done[0].items():
        for old, new in zip(written[role], notes, strict=True):
            soft = end - 8 <= old.start < end
            assert new.force == pytest.approx(old.force * (0.55 if soft else 1))


def test_what_would_leave_silence_gives_way() -> None:
    _, scene = staged()
    # nothing but a bass: whatever takes it out, or shortens it, would leave nothing
    bass = tuple(Note(float(b), 0.95, 40, 0.8) for b in range(round(scene.form.end)))
    arranged = arrange({"bass": bass}, scene, ("drop-out", "breakdown"), Streams(1, ""), count=8)
    assert set(arranged.names) <= {"swell", "echo"}
    assert len(arranged.written["bass"]) == len(bass)
