"""The written music, without sound: quick enough for many briefs."""

from __future__ import annotations

import io
import json
from itertools import combinations, pairwise

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetuning.studio.music import Brief
from finetuning.studio.music.composer import Piece, compose
from finetuning.studio.music.instruments import INSTRUMENTS
from finetuning.studio.music.metre import group_starts
from finetuning.studio.music.mix import pump
from finetuning.studio.music.parts import Part
from finetuning.studio.music.performance import perform
from finetuning.studio.music.score import Fader, write_midi
from finetuning.studio.music.styles import STYLES
from finetuning.studio.music.theory import KEYS, tonic_offset

tags = st.one_of(
    st.sampled_from(
        [*STYLES, "solo piano", "no drums no bass no chords no melody", "drumless drums", "🎹", "harp only"]
    ),
    st.text(max_size=60),
)
briefs = st.builds(
    Brief,
    tags=tags,
    bpm=st.integers(60, 200),
    key=st.sampled_from(KEYS),
    scale=st.sampled_from(["major", "minor"]),
    time_signature=st.integers(2, 7),
    duration=st.floats(5, 210),
    seed=st.integers(),
)


def part(piece: Piece, role: str) -> Part:
    return next(p for p in piece.parts if p.role == role)


def notes(piece: Piece, role: str) -> list[tuple[float, int]]:
    return [(n.start, n.pitch) for n in part(piece, role).notes]


@settings(max_examples=60, deadline=None)
@given(briefs)
def test_every_piece_is_whole(brief: Brief) -> None:
    piece = compose(brief)
    form = piece.form
    played = perform(piece)
    everything = sorted((n.start, n.start + n.length) for p in played for n in p.notes)

    assert form.end * form.beat == pytest.approx(brief.duration)
    assert 1.1 <= (form.end - form.close - form.coda) * form.beat <= 5.2, "the last chord has time to ring"
    assert everything[0][0] < 0.05, "it begins at once"
    sounding = 0.0
    for start, end in everything:
        assert (start - sounding) * form.beat < 1.5, "it never falls silent"
        sounding = max(sounding, end)
    assert max(n.start for p in played for n in p.notes) >= form.close - 0.05, "it reaches its last chord"
    for p in played:
        low, high = (25, 62) if p.role == "bass" else (34, 96)
        assert p.role == "drums" or all(low <= n.pitch <= high for n in p.notes)
        assert all(n.start >= 0 and n.start + n.length <= form.end + 1e-6 and 0 < n.force <= 1 for n in p.notes)
    assert json.dumps(piece.understood())


@settings(max_examples=60, deadline=None)
@given(briefs)
def test_sections_and_chords_fill_the_time_without_gaps(brief: Brief) -> None:
    piece = compose(brief)
    assert piece.form.sections[0].first == 0
    for before, after in pairwise(piece.form.sections):
        assert before.first + before.bars == after.first
    assert all(section.bars > 0 and 0 < section.weight <= 1 for section in piece.form.sections)
    assert piece.spans[0].start == 0
    for first, second in pairwise(piece.spans):
        assert first.end == pytest.approx(second.start)
    home = piece.spans[-1].chord
    assert piece.spans[0].chord.root == home.root == 0, "it begins and ends on the tonic"
    assert home.intervals[1] == (4 if brief.scale == "major" else 3)


@pytest.mark.parametrize("style", STYLES)
def test_another_key_is_the_same_piece_transposed(style: str) -> None:
    first, second = (perform(compose(Brief(style, key=key, seed=3, duration=30))) for key in ("C", "G#"))
    for a, b in zip(first, second, strict=True):
        shift = 0 if a.role == "drums" else tonic_offset("G#")
        assert [(n.start, n.pitch + shift) for n in a.notes] == [(n.start, n.pitch) for n in b.notes]


def test_another_tempo_is_the_same_piece_at_another_speed() -> None:
    slow, fast = (compose(Brief("lofi chill piano", bpm=bpm, seed=3, duration=20)) for bpm in (80, 90))
    assert slow.spans[0].chord == fast.spans[0].chord
    tunes = []
    for piece in (slow, fast):
        verse = next(s for s in piece.form.sections if s.kind == "verse")
        start = verse.first * piece.form.metre
        end = min(start + 16, piece.form.close - 4)  # the bar before the close turns to the cadence
        tunes.append([(at - start, pitch) for at, pitch in notes(piece, "lead") if start <= at < end])
    shared = min(map(len, tunes))
    assert shared >= 3
    assert tunes[0][:shared] == tunes[1][:shared]


@pytest.mark.parametrize("style", STYLES)
def test_another_seed_is_another_piece(style: str) -> None:
    """Melodies of twelve seeds, pair by pair: the share of notes (place and pitch) in common stays below a half."""
    tunes = [set(notes(compose(Brief(style, seed=seed, duration=30)), "lead")) for seed in range(12)]
    shares = [len(a & b) / max(len(a | b), 1) for a, b in combinations(tunes, 2)]
    assert max(shares) < 0.75
    assert sum(shares) / len(shares) < 0.25


def test_energy_changes_the_playing_and_keeps_the_piece() -> None:
    low, high = (compose(Brief(f"pop, {level} energy", seed=5, duration=40)) for level in ("low", "high"))
    assert [s.chord for s in low.spans] == [s.chord for s in high.spans]
    assert len(part(low, "drums").notes) < len(part(high, "drums").notes)


@pytest.mark.parametrize("metre", range(2, 8))
@pytest.mark.parametrize("style", STYLES)
def test_bars_are_accented_where_their_groups_begin(style: str, metre: int) -> None:
    """Kick and bass weigh most where a player would count a group, and nowhere more than on the first beat."""
    piece = compose(Brief(style, time_signature=metre, seed=1, duration=60))
    beats = [0.0] * metre
    for p in perform(piece):
        for n in p.notes:
            on_beat = abs(n.start - round(n.start)) < 0.1
            if (
                on_beat
                and n.start < piece.form.close - 0.1
                and (p.role == "bass" or (p.role, n.pitch) == ("drums", 36))
            ):
                beats[round(n.start) % metre] += n.force
    starts = group_starts(metre)
    inner = [weight for beat, weight in enumerate(beats) if beat not in starts]
    assert beats[0] >= 0.85 * max(beats)
    assert sum(beats[s] for s in starts) / len(starts) > 1.02 * sum(inner) / len(inner)


def test_the_bass_meets_the_kick() -> None:
    for style in ("pop", "rock", "funk", "hip hop", "lofi"):
        piece = compose(Brief(style, seed=2, duration=40))
        verse = next(s for s in piece.form.sections if s.kind == "verse")
        first, last = (4.0 * bar for bar in (verse.first, verse.first + verse.bars))
        kicks = {n.start for n in part(piece, "drums").notes if n.pitch == 36 and first <= n.start < last - 2}
        basses = {at for at, _ in notes(piece, "bass") if first <= at < last}
        assert len(kicks & basses) >= 0.7 * len(kicks)


@pytest.mark.parametrize("style", STYLES)
def test_melodies_are_singable(style: str) -> None:
    for seed in range(4):
        piece = compose(Brief(style, seed=seed, duration=60))
        pitches = [pitch for _, pitch in sorted(notes(piece, "lead"))]
        leaps = [abs(b - a) for a, b in pairwise(pitches)]
        assert max(pitches) - min(pitches) <= 24
        assert sum(leap <= 4 for leap in leaps) >= 0.6 * len(leaps)
        assert max(leaps) <= 19


def test_what_is_refused_does_not_play() -> None:
    piece = compose(Brief("drumless jazz without piano", duration=20))
    assert piece.cast.kit is None
    assert "piano" not in {p.instrument for p in piece.parts}
    assert "lead" not in {p.role for p in compose(Brief("pop, no melody")).parts}
    roles = {p.role for p in compose(Brief("no drums, no bass, no chords, no pad, no arp, no melody")).parts}
    assert roles == {"chords"}, "someone always plays"


@pytest.mark.parametrize("refusal", ["instrumental", "without vocals"])
def test_no_voice_is_heard_where_none_is_wanted(refusal: str) -> None:
    voices = {name for name, sound in INSTRUMENTS.items() if sound.program in (52, 53, 54, 85, 91)}
    for style in STYLES:
        for seed in range(6):
            cast = compose(Brief(f"{style}, {refusal}", duration=5, seed=seed)).cast
            assert not voices & {*cast.roles.values()}, (style, seed)
    assert voices & {*compose(Brief("ambient choir, instrumental", seed=1)).cast.roles.values()}


def test_what_is_wanted_plays() -> None:
    assert "cello" in {p.instrument for p in compose(Brief("techno with cello")).parts}
    alone = compose(Brief("solo piano, sad"))
    assert {p.instrument for p in alone.parts} == {"piano"}
    assert compose(Brief("flute only")).cast.roles["lead"] == "flute"


def test_the_score_says_tempo_metre_and_key() -> None:
    brief = Brief("jazz", bpm=133, key="D#", scale="minor", time_signature=7, duration=20)
    piece = compose(brief)
    played = perform(piece)
    faders = {p.role: Fader(100, 64, 40, 0) for p in played}
    data = write_midi(played, faders, piece.form, "D#", "minor", "Грусть")
    file = mido.MidiFile(file=io.BytesIO(data), charset="utf-8")
    meta = {m.type: m for m in file.tracks[0]}
    assert meta["track_name"].name == "Грусть"
    assert meta["set_tempo"].tempo == round(60e6 / 133)
    assert (meta["time_signature"].numerator, meta["time_signature"].denominator) == (7, 4)
    assert meta["key_signature"].key == "Ebm"
    assert file.length == pytest.approx(22.5, abs=0.01)
    programs = {m.program for track in file.tracks for m in track if m.type == "program_change" and m.channel != 9}
    assert programs == {INSTRUMENTS[p.instrument].program for p in played if p.role != "drums"}


def test_the_kick_pushes_the_band_down_where_the_style_has_it() -> None:
    piece = compose(Brief("deep house", duration=20, seed=2))
    assert not piece.swells
    played = perform(piece)
    points = dict(pump(piece, played))
    kicks = {
        n.start for p in played if p.role == "drums" for n in p.notes if n.pitch == 36 and n.start < piece.form.close
    }
    assert {beat for beat, gain in points.items() if gain == min(points.values())} == kicks
    assert max(points.values()) == pytest.approx(1.0)
    faders = {p.role: Fader(100, 64, 40, 0) for p in played}
    file = mido.MidiFile(
        file=io.BytesIO(write_midi(played, faders, piece.form, "C", "minor", pump=pump(piece, played)))
    )
    moves = {
        m.channel
        for track in file.tracks
        for m in track
        if m.type == "control_change" and m.control == 11 and m.value < 100
    }
    assert 9 not in moves
    assert len(moves) == len(played) - 1
    assert pump(compose(Brief("jazz")), ()) == ()


@pytest.mark.parametrize("style", ["pop", "rock", "funk", "swing", "metal"])
def test_a_fill_ends_every_phrase(style: str) -> None:
    """Styles that fill with toms play one on the last beat of each phrase, where nothing else has them."""
    filled = 0
    for seed in range(16):
        piece = compose(Brief(style, duration=60, seed=seed))
        if {"build", "drop-out", "breakdown", "stop-time"} & set(piece.devices):
            continue  # these take the drums out
        form = piece.form
        toms = {n.start // 4 for n in part(piece, "drums").notes if n.pitch in (45, 47, 50) and n.start % 4 >= 2}
        for section in form.sections[:-1]:
            if section.kind in ("verse", "chorus"):
                ends = range(form.phrase_bars - 1, section.bars, form.phrase_bars)
                assert {section.first + bar for bar in ends} <= toms
                filled += 1
    assert filled


@pytest.mark.parametrize("style", ["pop", "house", "jazz", "rock", "synthwave"])
def test_sections_have_dynamics(style: str) -> None:
    """The kick, which plays the same in all of them, grows from intro to verse and from verse to chorus."""
    pieces = (compose(Brief(style, duration=120, seed=seed)) for seed in range(20))
    piece = next(p for p in pieces if not {"echo", "stop-time", "breakdown"} & set(p.devices))
    kicks: dict[str, list[float]] = {}
    for section in piece.form.sections:
        start, end = 4 * section.first, 4 * (section.first + section.bars)
        forces = [n.force for n in part(piece, "drums").notes if start <= n.start < end and n.pitch == 36]
        kicks.setdefault(section.kind, []).extend(forces)
    means = {kind: sum(forces) / len(forces) for kind, forces in kicks.items() if forces}
    assert means["chorus"] > 1.03 * means["verse"]
    assert means["verse"] > 1.03 * means["intro"]


def test_the_kit_has_one_clock() -> None:
    """All that is struck at one place is struck at one moment, off the grid by a human margin; so is no other part."""
    piece = compose(Brief("house", duration=30, seed=1))
    written = part(piece, "drums")
    played = next(p for p in perform(piece) if p.role == "drums")
    places = {n.start for n in written.notes}
    moments = {n.start for n in played.notes}
    assert len(moments) <= len(places)
    off = [abs(moment - min(places, key=lambda p: abs(p - moment))) for moment in moments]
    assert 0.001 < sum(off) / len(off) < 0.01
    assert max(off) <= 0.02
