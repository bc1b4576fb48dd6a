"""What the tags say: style, mood, energy, density, era and instruments, asked for or refused."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from .instruments import CALLS, ROLES
from .styles import STYLES

__all__ = ["FAMILIES", "Understanding", "understand"]

TABLE = tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))
PHRASES = sorted(((tuple(k.split()), v) for k, v in TABLE["phrases"].items()), key=lambda p: -len(p[0]))
REFUSALS, ONWARD, ALONE, BEFORE, SMALL = (
    frozenset(TABLE["grammar"][name].split()) for name in ("refusals", "onward", "alone", "before", "small")
)
STOP = "|"
LEVELS = {"low": 0.15, "medium": 0.5, "mid": 0.5, "moderate": 0.5, "high": 0.9}


def _lexicon(section: str) -> dict[str, str]:
    return {word: meaning for meaning, words in TABLE[section].items() for word in words.split()}


ALIASES, STYLE_WORDS, HINTS, ERAS = (_lexicon(section) for section in ("aliases", "styles", "hints", "eras"))
MOODS, ENERGIES, DENSITIES = (
    {word: float(value) for word, value in _lexicon(section).items()} for section in ("mood", "energy", "density")
)
SOUNDS = frozenset(CALLS) | frozenset(ROLES) | {"drums"}
KNOWN = SOUNDS | STYLE_WORDS.keys() | HINTS.keys() | ERAS.keys() | MOODS.keys() | ENERGIES.keys() | DENSITIES.keys()
SILENT = REFUSALS | ONWARD | ALONE | BEFORE | SMALL | {STOP, "energy", "density", "free", "instrumental"}
STRANGE = 24
"""Unknown words that are told of, each by that many characters at most."""

FAMILIES: dict[str, frozenset[str]] = {
    "style": frozenset(STYLE_WORDS) | frozenset(HINTS),
    "mood": frozenset(MOODS),
    "energy": frozenset(ENERGIES),
    "density": frozenset(DENSITIES),
    "era": frozenset(ERAS),
    "instrument": SOUNDS | frozenset(ALIASES),
}
"""Every word that is known, by what it speaks of; a word may be in several."""


@dataclass(frozen=True)
class Understanding:
    """What was read in the tags.

    Attributes
    ----------
    style : str
        Name in ``STYLES``.
    mood : float
        -1 dark to 1 bright.
    energy, density : float
        0 to 1.
    era : str or None
        Name in ``finetuning.studio.music.eras.ERAS``, the first that is meant; None where the tags name none.
    wanted, refused : tuple of str
        Instruments and roles (``drums``, ``bass``, ``lead`` ...) asked for and refused, in the order of the tags.
    alone : bool
        Whether the wanted instrument is to play by itself.
    unknown : tuple of str
        Words that mean nothing here. They steer the seed.
    text : str
        The tags normalised, without the words that set the energy: the same piece can be asked for calmer or wilder.
    """

    style: str
    mood: float
    energy: float
    density: float
    era: str | None
    wanted: tuple[str, ...]
    refused: tuple[str, ...]
    alone: bool
    unknown: tuple[str, ...]
    text: str


def words_of(tags: str) -> list[str]:
    """Split into words in lower case, phrases joined, aliases resolved, with a mark where a clause ends."""
    plain = unicodedata.normalize("NFKC", tags).casefold().replace("&", " and ")
    plain = re.sub(r"['’]|(?<=\w)-(?=less\b)", "", plain)
    found = [STOP if token[0] in ",;.:/|\n" else token for token in re.findall(r"[^\W_]+|[,;.:/|\n]", plain)]
    joined: list[str] = []
    at = 0
    while at < len(found):
        for phrase, word in PHRASES:
            if tuple(found[at : at + len(phrase)]) == phrase:
                joined.append(word)
                at += len(phrase)
                break
        else:
            joined.append(found[at])
            at += 1
    return [_resolve(word) for word in joined]


def _resolve(word: str) -> str:
    return ALIASES.get(word, word)


def _stem(word: str) -> str | None:
    """Find the known word refused by ``-less``, such as drums in drumless."""
    stem = word.removesuffix("less")
    return next((_resolve(w) for w in (stem, stem + "s") if stem != word and _resolve(w) in KNOWN), None)


def claims(words: list[str]) -> Iterator[tuple[str, bool]]:
    """Each word with whether it is meant (true) or refused (false)."""
    refusing = False
    for at, word in enumerate(words):
        stem = _stem(word)
        if word == STOP:
            refusing = False
        elif word in REFUSALS:
            refusing = True
        elif stem is not None:
            yield stem, False
        elif at + 1 < len(words) and words[at + 1] == "free" and word in KNOWN:
            yield word, False
        else:
            yield word, not refusing
            # a refusal reaches the first word that means anything, and goes on only over an "or"
            onward = at + 1 < len(words) and words[at + 1] in ONWARD
            if word in KNOWN and not onward:
                refusing = False


def _spoken_levels(words: list[str]) -> tuple[dict[str, float], set[int]]:
    """Energy and density said outright ("low energy", "energy: high", "not high energy"), and where in the words."""
    said: dict[str, float] = {}
    used: set[int] = set()
    for at, word in enumerate(words):
        if word in ("energy", "density"):
            near = [i for i in (at - 1, at + 1, at + 2) if 0 <= i < len(words) and words[i] in LEVELS]
            if near and not (near[0] == at + 2 and words[at + 1] != STOP):
                level, back = LEVELS[words[near[0]]], min(at, near[0]) - 1
                while back >= 0 and words[back] in SMALL:
                    back -= 1
                refused = back >= 0 and words[back] in REFUSALS
                said[word] = 1 - level if refused else level
                # the refusal is used up: it must not reach the next word that means something
                used |= {at, near[0], back} if refused else {at, near[0]}
    return said, used


def _middle(values: list[float], rest: float, pull: float) -> float:
    """Mean of what was said, leaning on the style's habit by ``pull``."""
    return (sum(values) + pull * rest) / (len(values) + pull) if values else rest


def _alone(words: list[str], instrument: str) -> bool:
    """Whether the one instrument plays by itself: "piano only", "solo piano" (but a "piano solo" has a band)."""
    return any(w in ALONE for w in words) or any(a in BEFORE and b == instrument for a, b in pairwise(words))


def understand(tags: str) -> Understanding:
    """Read the tags. Anything is music: unknown words, other languages and contradictions are no errors."""
    words = words_of(tags)
    said, used = _spoken_levels(words)
    meant = list(claims([w for i, w in enumerate(words) if i not in used]))
    yes = [word for word, on in meant if on]
    no = [word for word, on in meant if not on]

    barred = {STYLE_WORDS[w] for w in no if w in STYLE_WORDS}
    named = [STYLE_WORDS[w] for w in yes if w in STYLE_WORDS and STYLE_WORDS[w] not in barred]
    hinted = [HINTS[w] for w in yes if w in HINTS and HINTS[w] not in barred]
    votes = named or hinted
    # the style that most words speak for; of equals the one named first
    style = max(votes, key=lambda s: (votes.count(s), -votes.index(s))) if votes else "pop"
    habit = STYLES[style]

    moods = [MOODS[w] for w in yes if w in MOODS] + [-MOODS[w] for w in no if w in MOODS]
    energies = [ENERGIES[w] for w in yes if w in ENERGIES] + [1 - ENERGIES[w] for w in no if w in ENERGIES]
    densities = [DENSITIES[w] for w in yes if w in DENSITIES] + [1 - DENSITIES[w] for w in no if w in DENSITIES]
    refused = tuple(dict.fromkeys(w for w in no if w in SOUNDS))
    wanted = tuple(dict.fromkeys(w for w in yes if w in SOUNDS and w not in refused))
    if "instrumental" in yes:
        refused = (*refused, "voice")
    pitched = [w for w in wanted if w in CALLS]
    energy = said.get("energy", _middle(energies, habit.energy, 1.0))
    return Understanding(
        style=style,
        mood=round(_middle(moods, 0.0, 0.0), 3),
        energy=round(energy, 3),
        density=round(said.get("density", _middle(densities, (habit.density + energy) / 2, 0.5)), 3),
        era=next((ERAS[w] for w in yes if w in ERAS and ERAS[w] not in {ERAS.get(n) for n in no}), None),
        wanted=wanted,
        refused=refused,
        alone=len(pitched) == 1 and "drums" not in wanted and _alone(words, pitched[0]),
        unknown=tuple(dict.fromkeys(w[:STRANGE] for w in (*yes, *no) if w not in KNOWN | SILENT))[:STRANGE],
        text=" ".join(w for w in yes if w not in ENERGIES and w not in (STOP, "energy"))
        + ("~" + " ".join(no) if no else ""),
    )
