"""Each feature has a stream of chance to itself: what one draws is nothing to another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pytest

from finetuning.studio.music import Brief
from finetuning.studio.music.composer import Piece, compose
from finetuning.studio.music.performance import perform
from finetuning.studio.music.streams import Streams, pick
from finetuning.studio.music.styles import STYLES
from finetuning.studio.music.words import understand


@dataclass(frozen=True)
class Shifted(Streams):
    """Streams of which one feature's begin later, as if the feature had learnt to draw something more."""

    feature: tuple[str, ...] = ()

    def of(self, *feature: object) -> np.random.Generator:
        stream = super().of(*feature)
        if feature[: len(self.feature)] == self.feature:
            stream.random(17)
        return stream


PINNED = (0.6163801488909406, 0.7581445748617498)

WRITTEN = {
    "pop": "6de9c4aa", "lofi": "02e9e392", "house": "f83889a9", "techno": "5f60903a", "drum and bass": "46b21e6c",
    "trap": "3bd09b39", "hip hop": "cc2aa14e", "ambient": "544d603e", "jazz": "52baee0a", "swing": "6943ea7a",
    "bossa nova": "206915f7", "rock": "9c12b672", "metal": "0998ef89", "country": "793898da", "folk": "1f16b1e4",
    "orchestral": "5d499b53", "cinematic": "f399d99b", "funk": "0e0d4536", "soul": "b2fdd2a8", "reggae": "1ef83aee",
    "synthwave": "50b84a39",
}  # fmt: skip
"""What the composer writes for one seed of each style, as a digest of its notes."""

BRIEF = Brief("pop", duration=60, seed=9, lyrics="la la la\nlo lo lo lo\nle le")


def piece_with(*feature: str) -> Piece:
    return compose(BRIEF, Shifted(BRIEF.seed, understand(BRIEF.tags).text, feature))


@pytest.mark.parametrize(
    ("feature", "changes"),
    [
        (("drums", "fill"), {"drums"}),
        (("bass",), {"bass"}),
        (("chords",), {"chords"}),
        (("arp",), {"arp"}),
        (("melody",), {"lead"}),
        (("lyrics",), {"lead"}),
        (("layers",), {"pad", "arp"}),
        (("mix",), set()),
        (("title",), set()),
        (("something", "new"), set()),
    ],
)
def test_more_draws_of_one_feature_leave_the_others_alone(feature: tuple[str, ...], changes: set[str]) -> None:
    plain, shifted = (
        {part.role: (part.instrument, part.notes) for part in piece.parts}
        for piece in (compose(BRIEF), piece_with(*feature))
    )
    assert plain.keys() == shifted.keys()
    assert {role for role in plain if plain[role] != shifted[role]} <= changes


def test_the_shifted_streams_do_shift() -> None:
    """Each of them changes what is its own, for one seed or another: else the test above would tell nothing."""
    for feature, role in ((("bass",), "bass"), (("melody",), "lead"), (("chords",), "chords"), (("arp",), "arp")):
        changed = []
        for seed in range(4):
            brief = Brief("pop", duration=60, seed=seed)
            text = understand(brief.tags).text
            plain, shifted = (
                {part.role: part.notes for part in compose(brief, streams).parts}
                for streams in (Streams(seed, text), Shifted(seed, text, feature))
            )
            changed.append(plain[role] != shifted[role])
        assert any(changed), feature


def test_devices_and_performance_have_streams_of_their_own() -> None:
    plain = compose(BRIEF)
    for feature in (("devices",), ("performance", "lead")):
        shifted = piece_with(*feature)
        assert shifted.form == plain.form
        assert shifted.spans == plain.spans
        assert shifted.cast == plain.cast
    # the lead may be played otherwise: the others are not
    for before, after in zip(perform(plain), perform(piece_with("performance", "lead")), strict=True):
        assert (before == after) is (before.role != "lead")


def test_the_streams_of_a_seed_are_pinned() -> None:
    """Old seeds make the music that they made: what these say may change only with ``streams.VERSION``."""
    assert Streams(7, "lofi").of("melody", "verse", "a").random() == pytest.approx(PINNED[0], abs=1e-12)
    assert Streams(-(2**80), "ピアノ").of("drums", "groove").random() == pytest.approx(PINNED[1], abs=1e-12)
    assert pick(Streams(1, "").of("form"), "abcdef", [0, 0, 0, 1, 0, 0]) == "d"


@pytest.mark.parametrize("style", STYLES)
def test_the_music_of_a_seed_is_pinned(style: str) -> None:
    """A feature that is added draws from a stream of its own; one that changes these raises ``streams.VERSION``."""
    piece = compose(Brief(style, duration=40, seed=11))
    rows = [
        (part.role, part.instrument, sorted((round(1000 * n.start), n.pitch) for n in part.notes))
        for part in piece.parts
    ]
    assert hashlib.sha256(repr(rows).encode()).hexdigest()[:8] == WRITTEN[style]
