"""Lyrics: lines and syllables in any script, and the sections that labels in brackets ask for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Block", "Line", "read_lyrics", "syllables"]

LABEL = re.compile(r"\s*([\[(])\s*([^\W\d_][^\[\]()\n]{0,39})[\])]\s*:?\s*")
"""A line that is nothing but a label, such as ``[Verse 2]``. In round brackets stand labels, and words to be sung."""

LEADING = re.compile(r"\s*(\[[^\[\]\n]{1,40}\])\s*:?")
"""A label in front of a line's own words."""

KINDS = {
    "intro": "intro", "verse": "verse", "strophe": "verse", "couplet": "verse", "estrofa": "verse", "vers": "verse",
    "rap": "verse", "pre": "verse", "prechorus": "verse", "chorus": "chorus", "refrain": "chorus", "hook": "chorus",
    "drop": "chorus", "coro": "chorus", "estribillo": "chorus", "bridge": "break", "break": "break",
    "breakdown": "break", "interlude": "break", "instrumental": "break", "solo": "break", "outro": "outro",
    "ending": "outro", "end": "outro", "coda": "outro",
}  # fmt: skip
"""Sections by the first word of a label that is known."""

CYRILLIC = "аеёиоуыэюяіїє"
VOWELS = frozenset("aeiouyαεηιουωæœøıəɛɔ" + CYRILLIC)
GROUP = re.compile("[{0}]|(?:[{1}]|y(?![{0}{1}]))+".format(CYRILLIC, "".join(sorted(VOWELS - {"y", *CYRILLIC}))))
"""Vowels that are sung together, of Cyrillic ones each by itself; a y before a vowel is a consonant."""

ENDING = re.compile("(?:[aeiou]|(?<=[^aeiou])y)(?=ings?$)")
"""In English, what a syllable ends with before an ``ing`` that is one of its own: going, trying."""

INNER = re.compile("(?<=^som)e(?=[bdhtw])|(?<=[^aeiouy])e(?=(?:ful|less|ly|fully|lessly|ness)$)")
"""In English, an e within a word that is not heard: something, lonely."""

CLUSTERS = frozenset({
    "bl", "br", "ch", "cl", "cr", "dl", "dr", "fl", "fr", "gh", "gl", "gr", "ph", "pl", "pr", "qu", "sc", "sh", "sk",
    "sl", "sm", "sn", "sp", "st", "sw", "th", "tl", "tr", "tw", "wh", "wr",
})  # fmt: skip
"""Consonants that begin a syllable together."""

SMALL_KANA = frozenset("ゃゅょぁぃぅぇぉゎャュョァィゥェォヮ")
"""Signs that belong to the sound before them."""

LONGEST = 14
"""Syllables that a line is sung with at most; a longer one is broken between words."""


@dataclass(frozen=True)
class Line:
    """A line to be sung: its text, and its syllables as MIDI files write them.

    A syllable that ends a word ends with a space, the one that ends the line with a carriage return (MIDI
    Manufacturers Association, RP-017, "SMF Lyric Events Display").
    """

    text: str
    syllables: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """The lines under one label; ``kind`` is a section's, or None where there was no label."""

    kind: str | None
    lines: tuple[Line, ...]


def _plain(letter: str) -> str:
    # the marks of й and ў make consonants of vowels
    return letter if letter.casefold() in "йў" else unicodedata.normalize("NFD", letter.casefold())[0]


def _syllabic(letter: str) -> bool:
    """Whether a sign is a syllable by itself: Chinese characters, kana, and the blocks of Hangul."""
    name = unicodedata.name(letter, "")
    return name.startswith(
        ("CJK UNIFIED", "CJK COMPATIBILITY", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HANGUL SYLLABLE")
    )


SILENT_E = frozenset({"en", "fr"})
"""Languages in which an e at the end of a word is not heard."""


def _muted(plain: str, start: int) -> bool:
    """Whether the last group of vowels, which begins at ``start``, is an e that is not heard."""
    before, end = plain[start - 1], re.sub("['’]", "", plain[start:])
    if before in VOWELS - {"y"} or end not in ("e", "es", "ed"):
        return False
    table = before == "l" and plain[start - 2] not in VOWELS
    return not {"e": table, "es": table or before in "sxzcgh", "ed": before in "td"}[end]


def _english(plain: str, groups: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Part an ``ing`` from the vowel before it, and leave out an e within the word that is not heard."""
    if ending := ENDING.search(plain):
        at = ending.end()
        first = next((start for start, end in groups if start < at <= end), at - 1)
        groups = [g for g in groups if g[1] < at] + [(first, at), (at, at + 1)]
    mute = {
        m.span()
        for m in INNER.finditer(plain)
        if not (plain[m.start() - 1] == "l" and plain[m.start() - 2] not in VOWELS)
    }
    return groups[:1] + [g for g in groups[1:] if g not in mute]


def _word(word: str, language: str) -> list[str]:
    """Split a word of an alphabet: a syllable a group of vowels, a silent e at the end not counted.

    One consonant between two groups, or a cluster that can begin a syllable, goes with the second.
    """
    plain = re.sub(r"[\W_]+$", "", "".join(map(_plain, word)))
    groups = [m.span() for m in GROUP.finditer(plain)]
    if language == "en":
        groups = _english(plain, groups)
    if len(groups) > 1 and language in SILENT_E and _muted(plain, groups[-1][0]):
        groups.pop()
    cuts = [0]
    for (_, end), (start, _) in pairwise(groups):
        between = start - end
        onset = 2 if between > 1 and plain[start - 2 : start] in CLUSTERS else 1
        cuts.append(start - min(onset, between))
    cuts.append(len(word))
    return [word[a:b] for a, b in pairwise(cuts)]


def _signs(text: str) -> list[str]:
    """Split a word where scripts that write syllables begin and end."""
    found: list[str] = []
    for letter in text:
        if letter in SMALL_KANA and found:
            found[-1] += letter
        elif _syllabic(letter) or not found or _syllabic(found[-1][0]):
            found.append(letter)
        else:
            found[-1] += letter
    return found


def syllables(text: str, language: str = "en") -> tuple[tuple[str, ...], ...]:
    """Split a line into words of syllables.

    A rule of thumb for every language at once: a syllable a group of vowels in Latin, Greek and Cyrillic, one a sign
    in Chinese, Japanese and Korean, and one a word in scripts that are not known. What holds no letter or digit is
    not sung. ``language`` (ISO 639-1) tells whether an e at the end of a word is heard.

    Returns
    -------
    tuple of tuple of str
        The words, each of its syllables, as they are written.
    """
    words: list[tuple[str, ...]] = []
    for word in text.split():
        if not any(c.isalnum() for c in word):
            continue
        parts: list[str] = []
        for sign in _signs(word):
            if any(c.isalnum() for c in sign):
                parts.extend([sign] if _syllabic(sign[0]) else _word(sign, language))
            elif parts:
                parts[-1] += sign
            else:
                parts.append(sign)
        if len(parts) > 1 and not any(c.isalnum() for c in parts[0]):
            parts[:2] = [parts[0] + parts[1]]
        words.append(tuple(parts))
    return tuple(words)


def _lines(text: str, language: str) -> list[Line]:
    """Break a line of any length into lines that can be sung in one breath."""
    rows: list[list[tuple[str, ...]]] = [[]]
    words = syllables(text, language)
    count = sum(map(len, words))
    size = -(-count // max(-(-count // LONGEST), 1))
    for word in words:
        # a "word" of a script without spaces may be longer than a line
        for piece in (word[k : k + LONGEST] for k in range(0, len(word), LONGEST)):
            if rows[-1] and sum(map(len, rows[-1])) + len(piece) > max(size, 2):
                rows.append([])
            rows[-1].append(piece)
    found = []
    for row in rows:
        *before, last = [s if k + 1 < len(word) else s + " " for word in row for k, s in enumerate(word)] or [""]
        if last:
            found.append(Line(" ".join("".join(word) for word in row), (*before, last[:-1] + "\r")))
    return found


def _kind(label: str) -> str | None:
    words = re.findall(r"[^\W\d_]+", label.casefold())
    return next((KINDS[word] for word in words if word in KINDS), None)


def _rows(text: str) -> Iterator[str]:
    """Give line after line, a label that names a section and stands in front of words as a line of its own."""
    for row in text.split("\n"):
        lead = LEADING.match(row)
        if lead and _kind(lead[1]):
            yield lead[1]
            yield row[lead.end() :]
        else:
            yield row


def read_lyrics(lyrics: str, language: str | None = None) -> tuple[Block, ...]:
    """Read lyrics into blocks of lines.

    A line in square brackets is a label and not sung: where it names a section, what follows belongs to that section,
    also on the same line.
    A chorus that is called without words repeats those that it had. Without a language they are read as English.
    """
    clean = "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") else " " for c in _unbroken(lyrics))
    blocks: list[tuple[str | None, list[Line]]] = []
    for row in _rows(clean):
        match = LABEL.fullmatch(row)
        if match and (match[1] == "[" or _kind(match[2])):
            blocks.append((_kind(match[2]), []))
        elif row.strip():
            if not blocks:
                blocks.append((None, []))
            blocks[-1][1].extend(_lines(row, (language or "en").casefold()[:2]))
    choruses = [lines for kind, lines in blocks if kind == "chorus" and lines]
    return tuple(
        Block(kind, tuple(lines or (choruses[0] if kind == "chorus" and choruses else ())))
        for kind, lines in blocks
        if kind or lines
    )


def _unbroken(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
