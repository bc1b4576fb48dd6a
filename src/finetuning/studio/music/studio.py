"""The whole way from a brief to a take."""

from __future__ import annotations

from ..soundfonts import find_font
from .brief import Brief, Take
from .composer import compose
from .encode import finish
from .id3 import Label, write_id3
from .mix import mix, pump, set_faders
from .performance import perform
from .score import write_midi
from .singing import timed
from .stems import faded
from .titles import title_for

__all__ = ["make_take"]

#: What the service takes (ISO 639-1): what ID3 has (ISO 639-2/B).
LANGUAGES = {
    "en": "eng", "ja": "jpn", "de": "ger", "fr": "fre", "es": "spa", "zh": "chi", "ko": "kor", "pt": "por", "it": "ita",
    "ru": "rus",
}  # fmt: skip


def make_take(brief: Brief) -> Take:
    """Compose, play, mix, master and encode one piece.

    Parameters
    ----------
    brief : Brief
        What is asked for.

    Returns
    -------
    Take
        With an MP3 as long as the brief says (within 0.05 s), at -14 LUFS and at most -1 dBTP.

    Raises
    ------
    FileNotFoundError, ValueError
        If the SoundFont is missing or is none.
    """
    font = find_font()
    piece = compose(brief)
    parts = perform(piece)
    faders = set_faders(piece, parts)
    title = title_for(brief.tags, brief.seed)
    midi = write_midi(parts, faders, piece.form, brief.key, brief.scale, title, pump(piece, parts))
    sound = faded(piece, mix(piece, midi))
    comment = f"{brief.bpm} bpm, {brief.key} {brief.scale}, {brief.time_signature}/4, seed {brief.seed}"
    label = Label(
        title=title,
        artist="Finetuning studio",
        comment=comment,
        bpm=brief.bpm,
        key=brief.key + ("m" if brief.scale == "minor" else ""),
        lyrics=brief.lyrics,
        timed=timed(parts, piece.form.beat),
        language=LANGUAGES.get(brief.language or "", "und"),
        own={"prompt": brief.tags, "seed": str(brief.seed), "time signature": f"{brief.time_signature}/4"},
    )
    mp3, seconds = finish(sound, write_id3(label))
    return Take(title, mp3, midi, seconds, {**piece.understood(), "soundfont": font.told()})
