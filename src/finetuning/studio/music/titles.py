"""Names for pieces that have none."""

from __future__ import annotations

import unicodedata

from .streams import Streams, pick
from .theory import KEYS
from .words import MOODS, SOUNDS, STYLE_WORDS, understand, words_of

__all__ = ["choose_key", "title_for"]

DARK = ("Hollow", "Midnight", "Fading", "Silent", "Winter", "Broken", "Distant", "Violet", "Last", "Sleepless")
BRIGHT = ("Golden", "First", "Summer", "Open", "Silver", "Paper", "Amber", "Early", "Weightless", "Laughing")
THINGS = {
    "calm": ("Harbour", "Lantern", "Snowfall", "Window", "Orchard", "Letter", "Tide", "Garden", "Candle", "Cloud"),
    "wild": ("Engine", "Parade", "Lightning", "Highway", "Signal", "Comet", "Fever", "Arcade", "River", "Skyline"),
}
FORMS = (
    "{adjective} {thing}",
    "{thing} in {word}",
    "{word} {thing}",
    "The {adjective} {thing}",
    "{adjective} {word}",
    "{thing} and {other}",
)

LEANING = {
    "pop": 0.6, "folk": 0.7, "country": 0.8, "bossa nova": 0.6, "orchestral": 0.45, "rock": 0.5, "jazz": 0.5,
    "swing": 0.65, "soul": 0.55, "reggae": 0.6, "ambient": 0.5,
}  # fmt: skip
"""How likely a style is in major, where it is not mostly in minor."""


def title_for(tags: str, seed: int) -> str:
    """Make up a title of a few words, at most 80 characters, from the tags' mood and words and the seed."""
    heard = understand(tags)
    streams = Streams(seed, heard.text)
    stream = streams.of("title")
    adjectives = BRIGHT if heard.mood > 0 or (heard.mood == 0 and stream.random() < 0.5) else DARK
    things = THINGS["wild" if heard.energy > 0.55 else "calm"]
    thing = pick(stream, things)
    other = pick(stream, [t for t in things if t != thing])
    common = SOUNDS | STYLE_WORDS.keys() | MOODS.keys()
    own = [w for w in words_of(tags) if 3 < len(w) < 15 and w.isalpha() and w not in common]
    word = pick(stream, own or ["Blue", "Motion", "Colour", "Passing", "Orbit", "Bloom"])
    form = pick(stream, FORMS)
    title = form.format(adjective=pick(stream, adjectives), thing=thing, other=other, word=word.capitalize())
    return unicodedata.normalize("NFC", title)[:80]


def choose_key(tags: str, seed: int) -> tuple[str, str]:
    """Key and scale where none was asked for: bright words lean to major, dark ones to minor, the seed decides."""
    heard = understand(tags)
    stream = Streams(seed, heard.text).of("key")
    major = min(max(LEANING.get(heard.style, 0.25) + 0.6 * heard.mood, 0.05), 0.95)
    scale = "major" if stream.random() < major else "minor"
    return pick(stream, KEYS), scale
